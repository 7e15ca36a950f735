//! Handles and errors.

use std::{
    io,
    os::windows::io::{FromRawHandle, OwnedHandle, RawHandle},
};

use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;

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
