//! The worker's own descriptors: out of the program's way, closed on exec and in forked children.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use rustix::{
    fs::{Stat, fstat},
    io::{FdFlags, dup, fcntl_dupfd_cloexec, fcntl_setfd},
};

use super::fork;

/// Private descriptors have this number or a higher one, where a program's own are not disturbed.
const LOWEST: i32 = 40;

/// Makes a descriptor private: moves it up, has it closed on exec and in forked children.
///
/// Where the limit on descriptors is too low for that, it stays where it is. Who closes it tells
/// [`fork::forget`].
pub(crate) fn make_private(descriptor: OwnedFd) -> OwnedFd {
    let private = fcntl_dupfd_cloexec(&descriptor, LOWEST).unwrap_or_else(|_| {
        let _ = fcntl_setfd(&descriptor, FdFlags::CLOEXEC);
        descriptor
    });
    fork::close_in_children(private.as_raw_fd());
    private
}

/// A private duplicate.
///
/// # Errors
/// When `descriptor` is closed, or the process has as many as it may.
pub(crate) fn private_copy(descriptor: impl AsFd) -> io::Result<OwnedFd> {
    Ok(make_private(dup(descriptor)?))
}

/// What a descriptor stands for, told from anything else by file system, inode and device.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileIdentity(Stat);

impl FileIdentity {
    /// What `descriptor` stands for; `None` when it is closed.
    pub(crate) fn of(descriptor: impl AsFd) -> Option<FileIdentity> {
        fstat(descriptor).ok().map(FileIdentity)
    }
}

impl PartialEq for FileIdentity {
    fn eq(&self, other: &FileIdentity) -> bool {
        (self.0.st_dev, self.0.st_ino, self.0.st_rdev)
            == (other.0.st_dev, other.0.st_ino, other.0.st_rdev)
    }
}
