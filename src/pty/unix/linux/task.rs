//! A process as any system tells of it, for a kernel that does not say what a thread waits for (proc(5)).

use std::{fs, io::ErrorKind, path::Path, sync::OnceLock};

use rustix::process::Pid;

use crate::pty::unix::guess::Task;

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
    let place = format!("/proc/{}", pid.as_raw_nonzero());
    let (mut wakes, mut sleeps) = (0, true);
    for thread in fs::read_dir(format!("{place}/task")).ok()?.flatten() {
        let read = |name: &str| fs::read(thread.path().join(name)).ok();
        // One that ends meanwhile runs.
        let stat = read("stat").map(|stat| String::from_utf8_lossy(&stat).into_owned());
        sleeps &= stat.as_deref().and_then(Stat::of).is_some_and(|stat| stat.sleeps);
        wakes += read("status").and_then(|status| wakes_in(&status)).unwrap_or(0);
    }
    let stat = String::from_utf8_lossy(&fs::read(format!("{place}/stat")).ok()?).into_owned();
    let Stat { name, parent, group, .. } = Stat::of(&stat)?;
    Some(Task { pid, parent, group, name: name.to_owned(), wakes, sleeps })
}

/// How often a thread went to sleep by itself.
fn wakes_in(status: &[u8]) -> Option<u64> {
    let status = String::from_utf8_lossy(status);
    let mut lines = status.lines();
    lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse().ok()
}

/// The beginning of a `stat` (proc_pid_stat(5)).
#[derive(Debug, PartialEq, Eq)]
struct Stat<'a> {
    name: &'a str,
    sleeps: bool,
    parent: Option<Pid>,
    group: Option<Pid>,
}

impl Stat<'_> {
    fn of(text: &str) -> Option<Stat<'_>> {
        // The name is in parentheses, and may hold any.
        let (before, behind) = text.rsplit_once(')')?;
        let name = before.split_once('(')?.1;
        let mut fields = behind.split_whitespace();
        let sleeps = fields.next()? == "S";
        let mut pid = || fields.next().and_then(|number| Pid::from_raw(number.parse().ok()?));
        let (parent, group) = (pid(), pid());
        Some(Stat { name, sleeps, parent, group })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_says_of_itself_is_read_whatever_its_name() {
        let stat = Stat::of("12 (a) (S b) S 7 8 9 34816").unwrap();
        assert_eq!((stat.name, stat.sleeps), ("a) (S b", true));
        assert_eq!((stat.parent, stat.group), (Pid::from_raw(7), Pid::from_raw(8)));
        assert!(!Stat::of("12 (x) R 0 8").unwrap().sleeps);
        assert_eq!(Stat::of("12 (x) R 0 8").unwrap().parent, None);
        assert_eq!(Stat::of(""), None);
    }

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
