//! Something a thread can wait for together with the terminal: a pipe with at most a few bytes.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd},
    thread,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, ioctl_fionbio, read, write},
    stdio::stdin,
};

use super::super::Woken;
use super::{descriptor::make_private, fork};

/// Wakes the thread that waits on it. A wake before the wait is not lost.
#[derive(Debug)]
pub(crate) struct Waker {
    read: OwnedFd,
    write: OwnedFd,
}

impl Waker {
    /// A new one, not awake.
    ///
    /// # Errors
    /// When the process has as many descriptors as it may.
    pub(crate) fn new() -> io::Result<Waker> {
        let (read, write) = io::pipe()?;
        let waker = Waker { read: make_private(read.into()), write: make_private(write.into()) };
        for end in [&waker.read, &waker.write] {
            ioctl_fionbio(end, true)?;
        }
        Ok(waker)
    }

    /// Wakes the waiter. May be called from any thread.
    pub(crate) fn wake(&self) {
        // A full pipe is awake enough.
        let _ = write(&self.write, &[0]);
    }

    /// Forgets that it was woken.
    pub(crate) fn reset(&self) {
        // More wakes than the buffer holds are another wake.
        let _ = read(&self.read, &mut [0; 64]);
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        for end in [&self.read, &self.write] {
            fork::forget(end.as_raw_fd());
        }
    }
}

/// Waits for `waker` and, if that is wanted, for standard input to be readable. Without the GIL.
pub(crate) fn wait(waker: &Waker, and_stdin: bool) -> Woken {
    let readable = |descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN);
    let mut set = [readable(waker.read.as_fd()), readable(stdin())];
    let length = if and_stdin { 2 } else { 1 };
    match poll(&mut set[..length], None) {
        Ok(_) if !set[0].revents().is_empty() => Woken::Waker,
        Ok(_) => Woken::Stdin,
        Err(Errno::INTR) => Woken::Signal,
        Err(_) => {
            // The program took away what poll needs, its limit on descriptors, say. Look
            // around every now and then.
            thread::sleep(Duration::from_millis(50));
            Woken::Signal
        }
    }
}
