//! Who is blocked reading the terminal: the kernel is asked (proc(5)).
//!
//! A thread of the foreground that is inside `read` on the terminal, or inside a `poll`,
//! `select` or `epoll` with it in the set, waits for somebody to type.

use std::{fs, io::ErrorKind, os::unix::fs::MetadataExt};

use rustix::process::Pid;

use super::{
    call::{Awaited, Call},
    task::tells_calls,
};
use crate::pty::{
    Awaits, Blocked,
    unix::{
        groups::{group_of, session_of},
        guess,
        process::Search,
    },
};

/// The device number of `/dev/tty`, a process's controlling terminal (Linux: devices.txt).
const DEV_TTY: u64 = 5 << 8;
/// The major device numbers of the slave sides of pseudo-terminals (the same).
const PSEUDO_TERMINALS: std::ops::RangeInclusive<u32> = 136..=143;

/// The first thread found that waits for the terminal, among the leader and its
/// descendants: those of the foreground group, and those in a session of their own (`su -c`)
/// that their parent waits for. Job control holds these not back, but one that nobody waits
/// for is no part of what runs.
///
/// Where the terminal gives single keys and no thread waits for it, the one program of these that
/// does not wait for its children, if it sleeps. Of several, one may be about to give another
/// what it shows, as in a pipe to a pager.
///
/// Where the kernel does not tell, it is guessed.
pub(in crate::pty::unix) fn blocked_reader(search: Search) -> Option<Blocked> {
    if !tells_calls() {
        return guess::blocked_reader(search);
    }
    let Search { leader, foreground, device, gives_keys, .. } = search;
    let mut processes = vec![(leader, leader)];
    let (mut sleeper, mut is_only) = (None, gives_keys);
    while let Some((process, parent)) = processes.pop() {
        let sought = |is_controlling| SoughtTerminal { device, is_controlling };
        let sought = match session_of(process) {
            Some(session) if session == leader => {
                (group_of(process) == Some(foreground)).then(|| sought(true))
            }
            Some(_) => is_waited_for(process, parent).then(|| sought(false)),
            None => None,
        };
        for thread in threads(process) {
            if let Some(blocked) = sought.and_then(|sought| look(search, process, thread, sought)) {
                return Some(blocked);
            }
            children(process, thread, &mut processes);
        }
        if is_only && sought.is_some() {
            match rest(process) {
                Rest::OfChildren => {}
                Rest::Sleeps => is_only = sleeper.replace(process).is_none(),
                Rest::Works => is_only = false,
            }
        }
    }
    let sleeper = sleeper.filter(|_| is_only)?;
    blocked(sleeper, sleeper.as_raw_nonzero().get(), false, Awaits::Others)
}

/// What a process's first thread does.
enum Rest {
    /// It waits for children: they say what goes on.
    OfChildren,
    /// It sleeps until something comes, or for a time.
    Sleeps,
    /// It runs, or waits for something that others in it do.
    Works,
}

fn rest(process: Pid) -> Rest {
    match Call::of(process, process.as_raw_nonzero().get()) {
        Ok(Some(call)) if call.waits_for_some_child() => Rest::OfChildren,
        Ok(Some(call)) if call.waits_for_descriptors() || call.sleeps() => Rest::Sleeps,
        _ => Rest::Works,
    }
}

/// Whether a process has children and none of its descendants waits for any terminal.
fn children_work(process: Pid) -> bool {
    let mut found = Vec::new();
    let add_children = |process, found: &mut Vec<(Pid, Pid)>| {
        threads(process).into_iter().for_each(|thread| children(process, thread, found));
    };
    add_children(process, &mut found);
    let has_children = !found.is_empty();
    while let Some((descendant, _)) = found.pop() {
        let number = descendant.as_raw_nonzero().get();
        let waits = |thread: i32| {
            let call = Call::of(descendant, thread).ok().flatten();
            call.and_then(|call| call.waits_for_input(&|fd| is_some_terminal(number, fd))).is_some()
        };
        if threads(descendant).into_iter().any(waits) {
            return false;
        }
        add_children(descendant, &mut found);
    }
    has_children
}

/// Whether a descriptor of a process is a pseudo-terminal, whichever.
fn is_some_terminal(process: i32, descriptor: u64) -> bool {
    device_of(process, descriptor).is_some_and(|device| {
        device == DEV_TTY || PSEUDO_TERMINALS.contains(&rustix::fs::major(device))
    })
}

/// Whether a process goes on beside this thread of it: it is not the first one, or, where keys are
/// answered by the program, others run or wait for descriptors.
///
/// A leader that is a worker has threads of its own, which wait for the server; and one of its threads
/// that reads lines is a cell's.
fn others_go_on(search: Search, process: Pid, thread: i32) -> bool {
    let is_leader = process == search.leader && search.own_threads > 0;
    if thread != process.as_raw_nonzero().get() {
        return search.gives_keys || !is_leader;
    }
    if !search.gives_keys {
        return false;
    }
    let own = if is_leader { search.own_threads.saturating_sub(1) } else { 0 };
    let goes_on = |other: &i32| {
        *other != thread
            && Call::of(process, *other)
                .is_ok_and(|call| call.is_none_or(|call| call.waits_for_descriptors()))
    };
    threads(process).iter().filter(|other| goes_on(other)).count() as u64 > own
}

/// Whether a thread of `parent` waits for the end of `child`, or of any child.
fn is_waited_for(child: Pid, parent: Pid) -> bool {
    threads(parent).into_iter().any(|thread| {
        Call::of(parent, thread)
            .is_ok_and(|call| call.is_some_and(|call| call.waits_for_child(child)))
    })
}

/// The numbers of a process's threads.
pub(super) fn threads(process: Pid) -> Vec<i32> {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero()));
    tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| task.file_name().to_str()?.parse().ok())
        .collect()
}

/// Adds the children of a thread, each with its parent.
fn children(process: Pid, thread: i32, found: &mut Vec<(Pid, Pid)>) {
    let file = format!("/proc/{}/task/{thread}/children", process.as_raw_nonzero());
    let children = fs::read_to_string(file).unwrap_or_default();
    let pids = children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
    found.extend(pids.map(|pid| (pid, process)));
}

/// The terminal that is looked for.
#[derive(Debug, Clone, Copy)]
struct SoughtTerminal {
    device: u64,
    /// Whether it is the process's controlling terminal, whose name is `/dev/tty`, too.
    is_controlling: bool,
}

impl SoughtTerminal {
    /// Whether a descriptor of the process is the terminal.
    fn is(self, process: i32, descriptor: u64) -> bool {
        device_of(process, descriptor)
            .is_some_and(|device| device == self.device || self.is_controlling && device == DEV_TTY)
    }
}

/// The device number of what a descriptor of a process is; 0 for what is no device.
fn device_of(process: i32, descriptor: u64) -> Option<u64> {
    // The kernel passes an int in a long, whose upper half may be anything.
    let descriptor = descriptor & 0xFFFF_FFFF;
    Some(fs::metadata(format!("/proc/{process}/fd/{descriptor}")).ok()?.rdev())
}

/// The thread, if it waits for the terminal.
fn look(search: Search, process: Pid, thread: i32, sought: SoughtTerminal) -> Option<Blocked> {
    let number = process.as_raw_nonzero().get();
    let (guessed, awaited) = match Call::of(process, thread) {
        Ok(call) => (false, call?.waits_for_input(&|descriptor| sought.is(number, descriptor))?),
        // Another user's, as a program under sudo is (ptrace(2), access mode checks).
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            sleeps(number, thread)?.then_some((true, Awaited::Terminal))?
        }
        Err(_) => return None,
    };
    let is_alone =
        awaited == Awaited::Terminal && (guessed || !others_go_on(search, process, thread));
    let awaits = match is_alone {
        true => Awaits::Terminal,
        false => Awaits::TerminalAndOthers { children_work: children_work(process) },
    };
    blocked(process, thread, guessed, awaits)
}

fn blocked(process: Pid, thread: i32, guessed: bool, awaits: Awaits) -> Option<Blocked> {
    let number = process.as_raw_nonzero().get();
    Some(Blocked {
        guessed,
        awaits,
        thread: thread.unsigned_abs(),
        wakes: wakes(number, thread)?,
        program: program(number)?,
    })
}

/// What a file of `/proc` says. A program names itself (prctl(2), PR_SET_NAME), in any bytes.
fn text(path: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&fs::read(path).ok()?).into_owned())
}

/// The name of a process's program.
pub(super) fn program(process: i32) -> Option<String> {
    Some(text(&format!("/proc/{process}/comm"))?.trim_end().to_owned())
}

/// Whether a thread is in an interruptible sleep.
pub(super) fn sleeps(process: i32, thread: i32) -> Option<bool> {
    let stat = text(&format!("/proc/{process}/task/{thread}/stat"))?;
    // The program's name is in parentheses and may hold some; the state is behind the last.
    Some(stat.rsplit_once(')')?.1.trim_start().starts_with('S'))
}

/// How often the thread went to sleep by itself: when that has changed, it was awake between.
pub(super) fn wakes(process: i32, thread: i32) -> Option<u64> {
    let status = text(&format!("/proc/{process}/task/{thread}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}
