//! A cheap look at whether a process has other threads, or children.

use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, MetadataExt},
};

use rustix::process::Pid;

/// Files that tell of a process's threads and of its first thread's children: looked at before
/// every cell, so they stay open (proc(5)).
#[derive(Debug)]
pub(in crate::pty::unix) struct TaskWatch {
    threads: File,
    children: File,
}

impl TaskWatch {
    /// Opens the files of a process; `None` where the kernel has none.
    pub(in crate::pty::unix) fn of(process: Pid) -> Option<TaskWatch> {
        let pid = process.as_raw_nonzero();
        let threads = File::open(format!("/proc/{pid}/task")).ok()?;
        let children = File::open(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        Some(TaskWatch { threads, children })
    }

    /// Whether the process has more threads than `threads`, or children.
    pub(in crate::pty::unix) fn has_more_than(&self, threads: u64) -> bool {
        // A directory's link count is its subdirectories and two.
        let links = self.threads.metadata().map_or(0, |directory| directory.nlink());
        links > threads + 2 || self.children.read_at(&mut [0], 0).is_ok_and(|n| n > 0)
    }
}

/// How many threads this user has, of all programs.
pub(in crate::pty::unix) fn of_user() -> Option<u64> {
    let user = rustix::process::getuid().as_raw();
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let of_process = |entry: fs::DirEntry| {
        let status = fs::read_to_string(entry.path().join("status")).ok()?;
        threads_of(&status, user)
    };
    Some(entries.filter_map(of_process).sum())
}

/// How many threads a process has, if this user's rights are its own (proc_pid_status(5)).
fn threads_of(status: &str, user: u32) -> Option<u64> {
    let field = |name: &str| {
        let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
        rest.split_whitespace().next()
    };
    let is_own = field("Uid:")?.parse() == Ok(user);
    if is_own { field("Threads:")?.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_counted_that_are_this_users() {
        let status = "Name:\tThreads: 9\nUid:\t1000\t0\t0\t0\nThreads:\t7\n";
        assert_eq!(threads_of(status, 1000), Some(7));
        assert_eq!(threads_of(status, 0), None);
        assert!(of_user().unwrap() > 0);
    }
}
