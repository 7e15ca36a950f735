//! Locks on files. What is locked here can't be read by others, so it is one byte where no file has any.

use std::{
    fs::{File, TryLockError},
    io,
    os::windows::io::AsRawHandle,
};

use windows_sys::Win32::{
    Foundation::ERROR_LOCK_VIOLATION,
    Storage::FileSystem::{LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx},
    System::IO::OVERLAPPED,
};

use super::handle::check;
use crate::pty::Lock;

/// The place of that byte, upper and lower half: far behind the end of any file, and below 2^63, up to which
/// file systems count.
const PLACE: (u32, u32) = (0x4000_0000, 0);

/// Locks a file as long as it is open; waits until nobody holds a lock that excludes this one. It keeps nobody
/// from reading, writing, moving or removing the file. Two opened files are two holders, in one process as well.
///
/// # Errors
/// When the file system has no locks.
pub fn lock_file(file: &File, lock: Lock) -> io::Result<()> {
    take(file, flags(lock))
}

/// The same without waiting.
///
/// # Errors
/// `WouldBlock` when another holds a lock that excludes this one; others as [`lock_file`].
pub fn try_lock_file(file: &File, lock: Lock) -> Result<(), TryLockError> {
    take(file, flags(lock) | LOCKFILE_FAIL_IMMEDIATELY).map_err(|error| {
        match error.raw_os_error().map(i32::cast_unsigned) {
            Some(ERROR_LOCK_VIOLATION) => TryLockError::WouldBlock,
            _ => TryLockError::Error(error),
        }
    })
}

fn flags(lock: Lock) -> u32 {
    match lock {
        Lock::Exclusive => LOCKFILE_EXCLUSIVE_LOCK,
        Lock::Shared => 0,
    }
}

fn take(file: &File, flags: u32) -> io::Result<()> {
    let mut place = OVERLAPPED::default();
    (place.Anonymous.Anonymous.OffsetHigh, place.Anonymous.Anonymous.Offset) = PLACE;
    // SAFETY: the handle is open and was not opened for overlapped use, so that the call is over when it returns
    // and `place` is used no longer than that.
    unsafe { check(LockFileEx(file.as_raw_handle(), flags, 0, 1, 0, &mut place)) }
}
