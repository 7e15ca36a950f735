//! Standard input as any program has it.

use std::{io, os::windows::io::RawHandle, ptr};

use windows_sys::Win32::{
    Foundation::{ERROR_BROKEN_PIPE, INVALID_HANDLE_VALUE},
    Storage::FileSystem::ReadFile,
    System::Console::{GetConsoleMode, GetStdHandle, STD_INPUT_HANDLE},
};

use super::handle::check;

/// Its handle, if the process has one.
pub(super) fn handle() -> Option<RawHandle> {
    // SAFETY: no memory is taken.
    let handle = unsafe { GetStdHandle(STD_INPUT_HANDLE) };
    (!handle.is_null() && handle != INVALID_HANDLE_VALUE).then_some(handle)
}

/// Reads it, and waits until there is something: at most `limit` bytes, none at end of file.
///
/// # Errors
/// What `ReadFile` fails with.
pub(crate) fn read_once(limit: usize) -> io::Result<Vec<u8>> {
    let Some(handle) = handle() else { return Err(io::ErrorKind::NotConnected.into()) };
    let mut chunk = vec![0; limit.min(1 << 16)];
    let (room, mut length) = (chunk.len() as u32, 0);
    // SAFETY: the handle is open, there is room for as much as is said, and `length` takes how much came.
    let read =
        unsafe { check(ReadFile(handle, chunk.as_mut_ptr(), room, &mut length, ptr::null_mut())) };
    match read {
        // Nobody writes there any more.
        Err(error) if error.raw_os_error() == Some(ERROR_BROKEN_PIPE.cast_signed()) => {}
        read => read?,
    }
    chunk.truncate(length as usize);
    Ok(chunk)
}

/// Whether it is a console.
pub(crate) fn is_terminal() -> bool {
    let mut mode = 0;
    // SAFETY: `mode` takes what is written; a handle that is no console's is refused.
    handle().is_some_and(|handle| unsafe { GetConsoleMode(handle, &mut mode) != 0 })
}
