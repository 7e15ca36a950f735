//! A process as any system tells of it, for a kernel that does not say what a thread waits for (proc(5)).

use std::{fs, io::ErrorKind, path::Path, sync::OnceLock};

use rustix::process::Pid;

use super::{
    blocked::{self, program, sleeps, threads},
    running::parent_of,
};
use crate::pty::unix::{groups::group_of, guess::Task};

/// The environment variable by which a test has this kernel be one that does not tell.
const TEST: &str = "MCP_REPL_TEST_GUESSES";

/// Whether the kernel says which system call a thread is in: gVisor, for one, does not, nor one that was built
/// without it.
pub(super) fn tells_calls() -> bool {
    static TELLS: OnceLock<bool> = OnceLock::new();
    *TELLS.get_or_init(|| {
        let own = fs::metadata(Path::new("/proc/self/syscall"));
        std::env::var_os(TEST).is_none()
            && !own.is_err_and(|error| error.kind() == ErrorKind::NotFound)
    })
}

/// What `/proc` tells of a process; `None` when it is gone.
pub(in crate::pty::unix) fn task(pid: Pid) -> Option<Task> {
    let number = pid.as_raw_nonzero().get();
    let (mut wakes, mut all_sleep) = (0, true);
    for thread in threads(pid) {
        // One that ends meanwhile runs.
        all_sleep &= sleeps(number, thread) == Some(true);
        wakes += blocked::wakes(number, thread).unwrap_or(0);
    }
    Some(Task {
        pid,
        parent: parent_of(pid)?,
        group: group_of(pid),
        name: program(number)?,
        wakes,
        sleeps: all_sleep,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_sleeps_is_seen_to() {
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let pid = Pid::from_child(&child);
        // It is its parent's program until it executes its own.
        let asleep = || task(pid).filter(|task| task.sleeps && task.name == "sleep");
        let found = std::iter::repeat_with(asleep).flatten().next().unwrap();
        assert_eq!(found.parent, Some(rustix::process::getpid()));
        assert!(found.wakes > 0);
        // This process has a thread that runs.
        assert!(!task(rustix::process::getpid()).unwrap().sleeps);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(task(pid), None);
    }
}
