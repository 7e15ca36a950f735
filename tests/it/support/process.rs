//! Processes by their numbers: their end, and how it is brought about.

use std::time::Instant;

use super::HANG;

#[cfg(has = "posix")]
pub(crate) use rustix::process::Pid;

/// The number of a process.
#[cfg(not(has = "posix"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pid(i32);

#[cfg(not(has = "posix"))]
impl Pid {
    pub(crate) fn from_raw(number: i32) -> Option<Pid> {
        (number != 0).then_some(Pid(number))
    }

    pub(crate) fn from_child(child: &std::process::Child) -> Pid {
        Pid(child.id().cast_signed())
    }

    pub(crate) fn as_raw_pid(self) -> i32 {
        self.0
    }
}

/// Ends a process in the middle of whatever it does. It may be gone already.
#[cfg(has = "posix")]
pub(crate) fn kill(pid: Pid) {
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

/// Ends a process in the middle of whatever it does. It may be gone already.
#[cfg(not(has = "posix"))]
pub(crate) fn kill(pid: Pid) {
    let mut end = std::process::Command::new("taskkill");
    end.args(["/F", "/PID"]).arg(pid.as_raw_pid().to_string());
    let _ = end.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status();
}

/// Waits for the end of any process; whether it came.
#[cfg(has = "proc")]
pub(crate) fn gone(pid: Pid) -> bool {
    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        process::{PidfdFlags, pidfd_open},
    };

    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return true };
    let limit = Timespec { tv_sec: HANG.as_secs().cast_signed(), tv_nsec: 0 };
    let mut wait = [PollFd::new(&process, PollFlags::IN)];
    matches!(poll(&mut wait, Some(&limit)), Ok(1..))
}

/// Waits for the end of any process; whether it came.
#[cfg(not(has = "proc"))]
pub(crate) fn gone(pid: Pid) -> bool {
    let end = Instant::now() + HANG;
    let number = pid.as_raw_pid().cast_unsigned();
    while mcp_repl::pty::process_identity(number).is_some() {
        if Instant::now() > end {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

/// The child that a process has or is about to have.
#[cfg(has = "proc")]
pub(super) fn only_child(of: Pid) -> Pid {
    let end = Instant::now() + HANG;
    let place = format!("/proc/{0}/task/{0}/children", of.as_raw_nonzero());
    loop {
        let children = std::fs::read_to_string(&place).unwrap();
        if let Some(child) = children.split_whitespace().next() {
            return Pid::from_raw(child.parse().unwrap()).unwrap();
        }
        assert!(Instant::now() < end, "it starts no child");
        std::thread::yield_now();
    }
}
