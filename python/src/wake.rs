//! Something a thread can wait for together with the terminal: a pipe with at most one byte.

use std::io;

use crate::{capi::errno, fork};

/// Descriptors of ours live from here up, where a program's own numbers are not disturbed.
const LOWEST_DESCRIPTOR: libc::c_int = 40;

/// Wakes the thread that waits on it. A wake before the wait is not lost.
#[derive(Debug)]
pub(crate) struct Waker {
    read: libc::c_int,
    write: libc::c_int,
}

impl Waker {
    /// A new one, not awake.
    pub(crate) fn new() -> io::Result<Waker> {
        let mut ends = [0; 2];
        // SAFETY: the array has room for the two descriptors.
        if unsafe { libc::pipe(ends.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let [read, write] = ends.map(move_up);
        for end in [read, write] {
            // SAFETY: the descriptor is open and ours.
            unsafe { libc::fcntl(end, libc::F_SETFL, libc::O_NONBLOCK) };
        }
        [read, write].into_iter().for_each(fork::keep);
        Ok(Waker { read, write })
    }

    /// Wakes the waiter. May be called from any thread.
    pub(crate) fn wake(&self) {
        // SAFETY: one byte from a live buffer to our own descriptor; a full pipe is awake enough.
        unsafe { libc::write(self.write, [0u8].as_ptr().cast(), 1) };
    }

    /// Forgets that it was woken.
    pub(crate) fn rest(&self) {
        let mut buffer = [0u8; 64];
        // SAFETY: the buffer has the length that is passed, and the pipe does not block. More
        // wakes than the buffer holds are another wake.
        unsafe { libc::read(self.read, buffer.as_mut_ptr().cast(), buffer.len()) };
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        for end in [self.read, self.write] {
            fork::forget(end);
            // SAFETY: the descriptor is ours and nobody uses it any more.
            unsafe { libc::close(end) };
        }
    }
}

/// Moves a descriptor of ours out of the program's way, closed on exec.
///
/// Where the limit on descriptors is too low for that, it stays where it is.
pub(crate) fn move_up(descriptor: libc::c_int) -> libc::c_int {
    // SAFETY: F_DUPFD_CLOEXEC makes a new descriptor or fails, and the old one is ours to close.
    unsafe {
        let moved = libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, LOWEST_DESCRIPTOR);
        if moved < 0 {
            libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
            return descriptor;
        }
        libc::close(descriptor);
        moved
    }
}

/// What a wait ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// The waker was woken.
    Waker,
    /// The other descriptor is readable, or at its end.
    Other,
    /// A signal arrived.
    Signal,
}

/// Waits for `waker` and, if given, for `other` to be readable. Without the GIL.
pub(crate) fn wait(waker: &Waker, other: Option<libc::c_int>) -> Woken {
    let poll_in = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // poll(2) ignores negative descriptors.
    let mut set = [poll_in(waker.read), poll_in(other.unwrap_or(-1))];
    // SAFETY: the set is a live array of the length that is passed.
    let ready = unsafe { libc::poll(set.as_mut_ptr(), if other.is_some() { 2 } else { 1 }, -1) };
    if ready < 0 {
        if errno() != libc::EINTR {
            // The program took away what poll needs, its limit on descriptors, say. Look
            // around every now and then.
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        return Woken::Signal;
    }
    if set[0].revents != 0 { Woken::Waker } else { Woken::Other }
}
