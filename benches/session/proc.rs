//! What the kernel tells about a process (proc(5)).

use std::{fs, io, time::Duration};

/// The processor time and the voluntary switches of all threads of a process so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Of user and system, in the kernel's ticks of 10 ms.
    pub(crate) ticks: u64,
    /// The same, by the scheduler's finer clock.
    pub(crate) time: Duration,
    /// How often a thread went to sleep.
    pub(crate) sleeps: u64,
}

impl Usage {
    pub(crate) fn of(process: u32) -> io::Result<Usage> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The second field, in parentheses, may contain anything.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        // utime and stime, the 14th and 15th of all.
        let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        let mut usage = Usage { ticks, time: Duration::ZERO, sleeps: 0 };
        for task in fs::read_dir(format!("/proc/{process}/task"))? {
            let task = task?.path();
            let schedstat = fs::read_to_string(task.join("schedstat"))?;
            let time = schedstat.split_whitespace().next().and_then(|time| time.parse().ok());
            usage.time += Duration::from_nanos(time.unwrap_or(0));
            let status = fs::read_to_string(task.join("status"))?;
            usage.sleeps += number(&status, "voluntary_ctxt_switches:").unwrap_or(0);
        }
        Ok(usage)
    }

    /// What was used since `before`.
    pub(crate) fn since(self, before: Usage) -> Usage {
        Usage {
            ticks: self.ticks - before.ticks,
            time: self.time.saturating_sub(before.time),
            sleeps: self.sleeps.saturating_sub(before.sleeps),
        }
    }
}

/// The most memory a process ever had resident, in KiB.
pub(crate) fn peak_memory(process: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    number(&status, "VmHWM:").ok_or_else(|| io::Error::other("the kernel tells no VmHWM"))
}

/// What a process has in memory, with its part of what it shares with others, in KiB.
pub(crate) fn memory(process: u32) -> io::Result<u64> {
    let sums = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    number(&sums, "Pss:").ok_or_else(|| io::Error::other("the kernel tells no Pss"))
}

/// All processes below a process, itself included.
pub(crate) fn tree(process: u32) -> io::Result<Vec<u32>> {
    let mut found = vec![process];
    let mut next = 0;
    while let Some(process) = found.get(next).copied() {
        next += 1;
        for task in fs::read_dir(format!("/proc/{process}/task"))? {
            let children = fs::read_to_string(task?.path().join("children"))?;
            found.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    Ok(found)
}

/// Whether a process runs this program.
pub(crate) fn runs(process: u32, program: &str) -> bool {
    fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|file| file.ends_with(program))
}

/// The first number of the line that starts with `name`.
fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
