//! Whether a descriptor is ready now, without waiting for it.

use std::os::fd::AsFd;

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::retry_on_intr,
};

/// Whether one of these is so of a descriptor, or its other end is gone (`POLLHUP`, `POLLERR`). A signal ends a
/// poll(2) that waits for nothing, too, and is no answer.
///
/// # Errors
/// When the system can't tell.
pub(super) fn is_ready(fd: impl AsFd, flags: PollFlags) -> rustix::io::Result<bool> {
    const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
    let mut looked_at = [PollFd::new(&fd, flags)];
    Ok(retry_on_intr(|| poll(&mut looked_at, Some(&NOW)))? > 0)
}
