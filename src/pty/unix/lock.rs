//! Locks on files: flock(2), which is about nothing but other locks.

use std::{
    fs::{File, TryLockError},
    io,
};

use crate::pty::Lock;

/// Locks a file as long as it is open, here or in a child that has it; waits until nobody holds a lock that
/// excludes this one. It keeps nobody from reading, writing, moving or removing the file. Two opened files are
/// two holders, in one process as well.
///
/// # Errors
/// When the file system has no locks.
pub fn lock_file(file: &File, lock: Lock) -> io::Result<()> {
    match lock {
        Lock::Exclusive => file.lock(),
        Lock::Shared => file.lock_shared(),
    }
}

/// The same without waiting.
///
/// # Errors
/// `WouldBlock` when another holds a lock that excludes this one; others as [`lock_file`].
pub fn try_lock_file(file: &File, lock: Lock) -> Result<(), TryLockError> {
    match lock {
        Lock::Exclusive => file.try_lock(),
        Lock::Shared => file.try_lock_shared(),
    }
}
