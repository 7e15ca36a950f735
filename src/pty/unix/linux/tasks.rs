//! A cheap look at whether a process has other threads, or children.

use std::{
    fs::File,
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
