//! Handles, errors and texts as the system has them.

use std::{
    ffi::OsStr,
    io,
    os::windows::{
        ffi::OsStrExt,
        io::{FromRawHandle, OwnedHandle, RawHandle},
    },
};

use windows_sys::Win32::{
    Foundation::{INVALID_HANDLE_VALUE, WAIT_OBJECT_0},
    System::Threading::{INFINITE, WaitForSingleObject},
};

/// What a function says that succeeds with anything but 0.
pub(super) fn check(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The owner of a new handle.
///
/// # Safety
/// Nobody else closes it, if it is one.
pub(super) unsafe fn owned(handle: RawHandle) -> io::Result<OwnedHandle> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and the caller gives it away.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// A text in UTF-16, without an end.
pub(super) fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    text.as_ref().encode_wide().collect()
}

/// A text in UTF-16 that ends with a NUL.
///
/// # Errors
/// When there is a NUL in it.
pub(super) fn c_wide(text: impl AsRef<OsStr>) -> io::Result<Vec<u16>> {
    let mut wide = wide(text);
    if wide.contains(&0) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a NUL character in a name"));
    }
    wide.push(0);
    Ok(wide)
}

/// Waits until an object is signalled.
pub(super) fn wait(handle: RawHandle) {
    // SAFETY: the caller has the handle open; the call takes no memory.
    unsafe { WaitForSingleObject(handle, INFINITE) };
}

/// Whether an object is signalled.
pub(super) fn is_signalled(handle: RawHandle) -> bool {
    // SAFETY: the caller has the handle open; the call takes no memory.
    unsafe { WaitForSingleObject(handle, 0) == WAIT_OBJECT_0 }
}
