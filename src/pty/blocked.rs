//! Who is blocked reading the terminal: the kernel is asked (proc(5)).
//!
//! A thread of the foreground that is inside `read` on the terminal, or inside a `poll`,
//! `select` or `epoll` with it in the set, waits for somebody to type.

use std::{
    fs::{self, File},
    io::ErrorKind,
    os::unix::fs::{FileExt, MetadataExt},
};

use rustix::process::{Pid, getpgid, getsid};

use super::Blocked;

/// The device number of `/dev/tty`, a process's controlling terminal (Linux: devices.txt).
const DEV_TTY: u64 = 5 << 8;
/// The most descriptors that are looked at in a set.
const LARGEST_SET: usize = 1024;

/// The first thread found that waits for the terminal `device`, among `leader` and its
/// descendants: those of the foreground group, and those in a session of their own (`su -c`)
/// that their parent waits for. Job control holds these not back, but one that nobody waits
/// for is no part of what runs.
pub(super) fn find(leader: Pid, foreground: Pid, device: u64) -> Option<Blocked> {
    let mut processes = vec![(leader, leader)];
    while let Some((process, parent)) = processes.pop() {
        let names = match getsid(Some(process)) {
            Ok(session) if session == leader => {
                (getpgid(Some(process)) == Ok(foreground)).then_some(Names::Both)
            }
            Ok(_) => waits_for_child(parent, process).then_some(Names::Own),
            Err(_) => None,
        };
        for thread in threads(process) {
            if let Some(names) = names
                && let Some(blocked) = look(process, thread, &Sought { device, names })
            {
                return Some(blocked);
            }
            children(process, thread, &mut processes);
        }
    }
    None
}

/// Whether a thread of `parent` waits for the end of `child`, or of any child.
fn waits_for_child(parent: Pid, child: Pid) -> bool {
    let child = child.as_raw_nonzero().get();
    let parent_number = parent.as_raw_nonzero();
    threads(parent).into_iter().any(|thread| {
        let call = fs::read_to_string(format!("/proc/{parent_number}/task/{thread}/syscall"));
        let Some(call) = call.ok().and_then(|call| Call::parse(&call)) else { return false };
        let [first, second, ..] = call.arguments;
        match call.number {
            // wait4(2): a number below 1 is a group, or any.
            libc::SYS_wait4 => first as i32 == child || (first as i32) < 1,
            libc::SYS_waitid => first as u32 != libc::P_PID || second as i32 == child,
            _ => false,
        }
    })
}

/// A cheap look at whether a process has more threads, or any child of its first one: asked
/// before every cell, so the files stay open.
#[derive(Debug)]
pub(super) struct Company {
    tasks: File,
    children: File,
}

impl Company {
    /// Opens the files of a process; `None` where the kernel has none.
    pub(super) fn of(process: Pid) -> Option<Company> {
        let pid = process.as_raw_nonzero();
        let tasks = File::open(format!("/proc/{pid}/task")).ok()?;
        let children = File::open(format!("/proc/{pid}/task/{pid}/children")).ok()?;
        Some(Company { tasks, children })
    }

    /// Whether the process has more threads than `threads`, or children.
    pub(super) fn is_more_than(&self, threads: u64) -> bool {
        // A directory's link count is its subdirectories and two.
        let tasks = self.tasks.metadata().map_or(0, |tasks| tasks.nlink());
        tasks > threads + 2 || self.children.read_at(&mut [0], 0).is_ok_and(|n| n > 0)
    }
}

fn threads(process: Pid) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero()));
    tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| task.file_name().to_str()?.parse().ok())
        .collect()
}

fn children(process: Pid, thread: i32, found: &mut Vec<(Pid, Pid)>) {
    let file = format!("/proc/{}/task/{thread}/children", process.as_raw_nonzero());
    let children = fs::read_to_string(file).unwrap_or_default();
    let pids = children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
    found.extend(pids.map(|pid| (pid, process)));
}

/// The names by which a process knows the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// By its own, and as its controlling terminal.
    Both,
    /// By its own only.
    Own,
}

/// The terminal that is looked for.
#[derive(Debug, Clone, Copy)]
struct Sought {
    device: u64,
    names: Names,
}

fn look(process: Pid, thread: i32, sought: &Sought) -> Option<Blocked> {
    let process = process.as_raw_nonzero().get();
    let call = fs::read_to_string(format!("/proc/{process}/task/{thread}/syscall"));
    let guessed = match call {
        Ok(call) => {
            waits_for(process, &Call::parse(&call)?, sought).then_some(())?;
            false
        }
        // Another user's, as a program under sudo is (ptrace(2), access mode checks).
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            sleeps(process, thread)?.then_some(())?;
            true
        }
        Err(_) => return None,
    };
    Some(Blocked {
        guessed,
        thread: thread.unsigned_abs(),
        wakes: wakes(process, thread)?,
        program: fs::read_to_string(format!("/proc/{process}/comm")).ok()?.trim_end().to_owned(),
    })
}

/// Whether a thread is in an interruptible sleep.
fn sleeps(process: i32, thread: i32) -> Option<bool> {
    let stat = fs::read_to_string(format!("/proc/{process}/task/{thread}/stat")).ok()?;
    // The program's name is in parentheses and may hold some; the state is behind the last.
    Some(stat.rsplit_once(')')?.1.trim_start().starts_with('S'))
}

/// A system call a thread is in, with its arguments.
struct Call {
    number: i64,
    arguments: [u64; 6],
}

impl Call {
    /// Reads `/proc/PID/task/TID/syscall`; `None` for a thread that runs, or is blocked
    /// outside of a system call.
    fn parse(text: &str) -> Option<Call> {
        let mut words = text.split_whitespace();
        let number = words.next()?.parse().ok().filter(|&number| number >= 0)?;
        let mut arguments = [0; 6];
        for argument in &mut arguments {
            *argument = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
        }
        Some(Call { number, arguments })
    }
}

fn waits_for(process: i32, call: &Call, sought: &Sought) -> bool {
    let [first, second, ..] = call.arguments;
    let is_terminal = |descriptor: u64| is_terminal(process, descriptor, sought);
    match call.number {
        libc::SYS_read | libc::SYS_readv => is_terminal(first),
        libc::SYS_ppoll => polls(process, first, second, &is_terminal),
        // A poll that goes on after the program was stopped for a while, its arguments as they
        // were. It may be another call: a timed wait for a futex has a number here that no set
        // of this kind has as its length.
        libc::SYS_restart_syscall => second < 128 && polls(process, first, second, &is_terminal),
        libc::SYS_pselect6 => selects(process, first, second, &is_terminal),
        libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => epolls(process, first, &is_terminal),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll => polls(process, first, second, &is_terminal),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => selects(process, first, second, &is_terminal),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_epoll_wait => epolls(process, first, &is_terminal),
        _ => false,
    }
}

/// Whether a descriptor of the process is the terminal, by its own name or as `/dev/tty`.
fn is_terminal(process: i32, descriptor: u64, sought: &Sought) -> bool {
    // The kernel passes an int in a long, whose upper half may be anything.
    let descriptor = descriptor & 0xFFFF_FFFF;
    fs::metadata(format!("/proc/{process}/fd/{descriptor}")).is_ok_and(|file| {
        file.rdev() == sought.device || sought.names == Names::Both && file.rdev() == DEV_TTY
    })
}

/// `poll(2)`: an array of descriptor (int), events (short), result (short).
fn polls(process: i32, array: u64, length: u64, is_terminal: &dyn Fn(u64) -> bool) -> bool {
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(LARGEST_SET);
    let Some(memory) = read_memory(process, array, length * 8) else { return false };
    memory.chunks_exact(8).any(|entry| {
        let descriptor = u32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]);
        let events = i16::from_ne_bytes([entry[4], entry[5]]);
        events & libc::POLLIN != 0 && is_terminal(descriptor.into())
    })
}

/// `select(2)`: a set of bits for reading.
fn selects(process: i32, length: u64, set: u64, is_terminal: &dyn Fn(u64) -> bool) -> bool {
    let length = usize::try_from(length).unwrap_or(usize::MAX).min(LARGEST_SET);
    let Some(memory) = read_memory(process, set, length.div_ceil(8)) else { return false };
    (0..length).any(|bit| memory[bit / 8] & (1 << (bit % 8)) != 0 && is_terminal(bit as u64))
}

/// `epoll_wait(2)`: the set is told by the descriptor's `fdinfo`, a line an entry:
/// `tfd: 0 events: 19 …`, the events in hexadecimal.
fn epolls(process: i32, set: u64, is_terminal: &dyn Fn(u64) -> bool) -> bool {
    let set = set & 0xFFFF_FFFF;
    let info = fs::read_to_string(format!("/proc/{process}/fdinfo/{set}")).unwrap_or_default();
    info.lines().filter_map(|line| line.strip_prefix("tfd:")).any(|entry| {
        let mut words = entry.split_whitespace();
        let descriptor = words.next().and_then(|word| word.parse().ok());
        let events = words.nth(1).and_then(|word| u32::from_str_radix(word, 16).ok());
        matches!((descriptor, events), (Some(descriptor), Some(events))
            if events & libc::EPOLLIN.cast_unsigned() != 0 && is_terminal(descriptor))
    })
}

fn read_memory(process: i32, address: u64, length: usize) -> Option<Vec<u8>> {
    if address == 0 || length == 0 {
        return None;
    }
    let mut bytes = vec![0; length];
    let memory = File::open(format!("/proc/{process}/mem")).ok()?;
    memory.read_exact_at(&mut bytes, address).ok()?;
    Some(bytes)
}

/// How often the thread went to sleep by itself: when that has changed, it was awake between.
fn wakes(process: i32, thread: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/task/{thread}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_in_a_system_call_tells_which() {
        let call = Call::parse("0 0x3 0x7ffd 0x400 0x0 0x0 0x0 0x7ffe 0x7f00\n").unwrap();
        assert_eq!((call.number, call.arguments[0], call.arguments[2]), (0, 3, 0x400));
    }

    #[test]
    fn a_running_thread_is_in_none() {
        assert!(Call::parse("running\n").is_none());
        assert!(Call::parse("-1 0x7ffd 0x7f00\n").is_none());
        assert!(Call::parse("").is_none());
    }
}
