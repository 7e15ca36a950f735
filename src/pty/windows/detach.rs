//! A process that outlives whoever started it.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::io::{FromRawHandle, IntoRawHandle, OwnedHandle, RawHandle},
};

use windows_sys::Win32::System::Console::{
    FreeConsole, GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetStdHandle,
};

use super::handle::check;

/// A process that nothing of its starter's console reaches.
#[derive(Debug)]
pub struct Detached {
    /// Opened early: who was told that all is well is told nothing more.
    null: File,
}

/// Leaves the console of whoever started this process: no Ctrl-C there, and not its end, is told here. A
/// process goes on when its starter ends, but for what that one's job says: a job that ends its
/// processes ends this one, too.
///
/// # Errors
/// When there is no null device.
pub fn detach() -> io::Result<Detached> {
    let null = OpenOptions::new().read(true).write(true).open("NUL")?;
    // SAFETY: no memory is taken. One that has no console has nothing to leave.
    unsafe { FreeConsole() };
    Ok(Detached { null })
}

impl Detached {
    /// Lets go of all that the starter gave: standard input, output and error are the null device from here
    /// on, and who reads the old ones reads their end.
    ///
    /// # Errors
    /// When the system refuses, which it has no reason to.
    pub fn settle(self) -> io::Result<()> {
        for which in [STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE] {
            let null = self.null.try_clone()?.into_raw_handle();
            // SAFETY: the standard handles are this process's. The old one is looked up by nobody any
            // more once it is replaced, and the new one is given away.
            unsafe {
                let old = GetStdHandle(which);
                check(SetStdHandle(which, null))?;
                close(old);
            }
        }
        Ok(())
    }
}

/// Closes a standard handle, if it is one.
///
/// # Safety
/// Nobody uses it any more.
unsafe fn close(handle: RawHandle) {
    if !handle.is_null() && handle != windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE {
        // SAFETY: as the caller says.
        drop(unsafe { OwnedHandle::from_raw_handle(handle) });
    }
}
