//! The processes of a session, held by descriptors: a number may come to mean another process.

use std::os::fd::OwnedFd;

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use super::session_members;
use crate::pty::unix::{groups::session_of, ready::is_ready};

/// How often what is left is looked for while it is killed: what forks as it is killed leaves
/// something each time.
const MOST_ROUNDS: usize = 100;

/// How long one round waits for a process to be gone. One in an uninterruptible wait may take any
/// time.
const ROUND: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// The processes that a session has at a time, the leader first if it lives.
#[derive(Debug)]
pub(in crate::pty::unix) struct Members {
    leader: Pid,
    processes: Vec<(Pid, OwnedFd)>,
}

impl Members {
    /// The processes that the session of `leader` has now. None with kernels before 5.3.
    pub(in crate::pty::unix) fn of(leader: Pid) -> Members {
        let pids = [leader].into_iter().chain(session_members(leader));
        let held = pids.filter_map(|pid| Some((pid, pidfd_open(pid, PidfdFlags::empty()).ok()?)));
        // One that is held keeps its number.
        let belongs = |pid| session_of(pid) == Some(leader);
        Members { leader, processes: held.filter(|(pid, _)| belongs(*pid)).collect() }
    }

    /// Kills them, and what came to the session since.
    pub(in crate::pty::unix) fn kill(&self) {
        // As long as one of them is there, the session's number means no other. It is stopped, so
        // that it brings nothing new, and is the last to go.
        let Some((last, held)) = self.processes.iter().find(|(_, process)| lives(process)) else {
            return;
        };
        let _ = pidfd_send_signal(held, Signal::STOP);
        for _ in 0..MOST_ROUNDS {
            let mut others = Members::of(self.leader).processes;
            others.retain(|(pid, process)| pid != last && lives(process));
            let Some((_, first)) = others.first() else { break };
            for (_, process) in &others {
                let _ = pidfd_send_signal(process, Signal::KILL);
            }
            let _ = poll(&mut [PollFd::new(first, PollFlags::IN)], Some(&ROUND));
        }
        let _ = pidfd_send_signal(held, Signal::KILL);
    }
}

/// Whether a process has not ended: its descriptor can be read when it has (pidfd_open(2)).
fn lives(process: &OwnedFd) -> bool {
    is_ready(process, PollFlags::IN) == Ok(false)
}
