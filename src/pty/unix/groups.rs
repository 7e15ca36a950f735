//! The session and the process group of another process.
//!
//! rustix has both, but for a number that is never 0, which the kernel gives, too: for a process
//! that is about to be gone, and where the group's leader is in another PID name space.

use rustix::process::Pid;

/// The session of a process (getsid(2)); `None` when it has none, or none that this process sees.
pub(super) fn session_of(process: Pid) -> Option<Pid> {
    // SAFETY: getsid takes no memory, and fails for a process that is gone.
    positive(unsafe { libc::getsid(process.as_raw_nonzero().get()) })
}

/// The process group of a process (getpgid(2)); `None` as in [`session_of`].
pub(super) fn group_of(process: Pid) -> Option<Pid> {
    // SAFETY: getpgid takes no memory, and fails for a process that is gone.
    positive(unsafe { libc::getpgid(process.as_raw_nonzero().get()) })
}

/// The number, but for the 0 of "none" and the -1 of an error.
fn positive(number: libc::pid_t) -> Option<Pid> {
    (number > 0).then(|| Pid::from_raw(number)).flatten()
}

#[cfg(test)]
mod tests {
    use rustix::process::{getpgrp, getpid};

    use super::*;

    #[test]
    fn what_the_kernel_calls_0_is_none() {
        assert_eq!(positive(0), None);
        assert_eq!(positive(-1), None);
        assert_eq!(positive(7), Pid::from_raw(7));
    }

    #[test]
    fn of_this_process() {
        assert_eq!(group_of(getpid()), Some(getpgrp()));
        // Not that of a process that can't be.
        let beyond = Pid::from_raw(i32::MAX).unwrap();
        assert_eq!((session_of(beyond), group_of(beyond)), (None, None));
    }
}
