//! What the kernel asks of a supervisor, and how it is answered (seccomp_unotify(2)).

use std::{
    mem,
    os::fd::{AsFd, AsRawFd, OwnedFd},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::{Errno, Result},
};

/// A call that a thread of the sandbox wants to make, and waits with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    /// What the kernel knows it by.
    pub(super) id: u64,
    /// The thread.
    pub(super) thread: u32,
    /// The number of the call.
    pub(super) call: i64,
    /// Its arguments, as they were in the registers.
    pub(super) arguments: [u64; 6],
}

/// What becomes of it.
#[derive(Debug)]
pub(super) enum Answer {
    /// The kernel does it. Right only where it refuses by itself what must not be.
    Continue,
    /// It was done, and gives 0.
    Done,
    /// It was done, and gives a descriptor.
    File {
        /// What that is of.
        file: OwnedFd,
        /// Whether it is closed when the program executes another.
        close_on_exec: bool,
    },
}

/// Has the kernel run the supervisor at once where the caller ran, and back: both wait for each other.
/// Kernels before 6.6 have no such thing.
pub(super) fn switch_at_once(listener: &OwnedFd) {
    const SYNC_WAKE_UP: libc::c_ulong = 1; // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
    // SAFETY: the kernel takes the flags as a number.
    unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP) };
}

/// Waits for the next call; `None` once nobody is left who could make one.
pub(super) fn next(listener: &OwnedFd) -> Option<Request> {
    loop {
        let mut descriptors = [PollFd::new(listener, PollFlags::IN)];
        match poll(&mut descriptors, None) {
            Err(Errno::INTR) => continue,
            Err(_) => return None,
            Ok(_) => {}
        }
        let events = descriptors[0].revents();
        if !events.contains(PollFlags::IN) {
            return None;
        }
        // SAFETY: all of its fields are numbers, for which zero is a value; the kernel wants it so.
        let mut notification: libc::seccomp_notif = unsafe { mem::zeroed() };
        // SAFETY: the kernel writes a notification, for which there is room.
        let received = unsafe {
            libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut notification)
        };
        // One whose thread was killed meanwhile is none.
        if received == 0 {
            return Some(Request {
                id: notification.id,
                thread: notification.pid,
                call: i64::from(notification.data.nr),
                arguments: notification.data.args,
            });
        }
    }
}

/// Whether a thread still waits with its call: then its number has meant that thread all the time.
pub(super) fn still_waits(listener: &OwnedFd, id: u64) -> Result<()> {
    // SAFETY: the kernel reads a number.
    let result = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const id)
    };
    if result == 0 { Ok(()) } else { Err(Errno::SRCH) }
}

/// Answers a call. A thread that is gone meanwhile needs no answer.
pub(super) fn answer(listener: &OwnedFd, id: u64, answer: Result<Answer>) {
    let respond = |error: i32, flags: u32| {
        let response = libc::seccomp_notif_resp { id, val: 0, error, flags };
        // SAFETY: the kernel reads a response.
        unsafe {
            libc::ioctl(
                listener.as_fd().as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_SEND,
                &raw const response,
            )
        };
    };
    match answer {
        Ok(Answer::Continue) => respond(0, CONTINUE),
        Ok(Answer::Done) => respond(0, 0),
        Err(error) => respond(-error.raw_os_error(), 0),
        Ok(Answer::File { file, close_on_exec }) => {
            if let Err(error) = give(listener, id, &file, close_on_exec) {
                // It has no descriptor left, say.
                respond(-error.raw_os_error(), 0);
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is 1")]
const CONTINUE: u32 = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;

/// Gives the thread a descriptor of a file, and its number as the answer.
fn give(listener: &OwnedFd, id: u64, file: &OwnedFd, close_on_exec: bool) -> Result<()> {
    #[expect(clippy::cast_possible_truncation, reason = "it is 2")]
    const SEND: u32 = libc::SECCOMP_ADDFD_FLAG_SEND as u32;
    let newfd_flags = if close_on_exec { libc::O_CLOEXEC.unsigned_abs() } else { 0 };
    let srcfd = file.as_raw_fd().unsigned_abs();
    let addition = libc::seccomp_notif_addfd { id, flags: SEND, srcfd, newfd: 0, newfd_flags };
    // SAFETY: the kernel reads what is to be added.
    let result = unsafe {
        libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ADDFD, &raw const addition)
    };
    if result >= 0 { Ok(()) } else { Err(last_error()) }
}

/// What the last call of the C library failed with.
pub(super) fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}
