//! Who is blocked reading the terminal: the kernel is asked (proc(5)).
//!
//! A thread of the foreground that is inside `read` on the terminal, or inside a `poll`,
//! `select` or `epoll` with it in the set, waits for somebody to type.

use std::{fs, io::ErrorKind, os::unix::fs::MetadataExt};

use rustix::process::{Pid, getpgid, getsid};

use super::call::Call;
use crate::pty::Blocked;

/// The device number of `/dev/tty`, a process's controlling terminal (Linux: devices.txt).
const DEV_TTY: u64 = 5 << 8;

/// The first thread found that waits for the terminal `device`, among `leader` and its
/// descendants: those of the foreground group, and those in a session of their own (`su -c`)
/// that their parent waits for. Job control holds these not back, but one that nobody waits
/// for is no part of what runs.
pub(in crate::pty::unix) fn blocked_reader(
    leader: Pid,
    foreground: Pid,
    device: u64,
) -> Option<Blocked> {
    let mut processes = vec![(leader, leader)];
    while let Some((process, parent)) = processes.pop() {
        let sought = |is_controlling| SoughtTerminal { device, is_controlling };
        let sought = match getsid(Some(process)) {
            Ok(session) if session == leader => {
                (getpgid(Some(process)) == Ok(foreground)).then(|| sought(true))
            }
            Ok(_) => is_waited_for(process, parent).then(|| sought(false)),
            Err(_) => None,
        };
        for thread in threads(process) {
            if let Some(blocked) = sought.and_then(|sought| look(process, thread, sought)) {
                return Some(blocked);
            }
            children(process, thread, &mut processes);
        }
    }
    None
}

/// Whether a thread of `parent` waits for the end of `child`, or of any child.
fn is_waited_for(child: Pid, parent: Pid) -> bool {
    threads(parent).into_iter().any(|thread| {
        Call::of(parent, thread)
            .is_ok_and(|call| call.is_some_and(|call| call.waits_for_child(child)))
    })
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
        // The kernel passes an int in a long, whose upper half may be anything.
        let descriptor = descriptor & 0xFFFF_FFFF;
        fs::metadata(format!("/proc/{process}/fd/{descriptor}")).is_ok_and(|file| {
            let device = file.rdev();
            device == self.device || self.is_controlling && device == DEV_TTY
        })
    }
}

/// The thread, if it waits for the terminal.
fn look(process: Pid, thread: i32, sought: SoughtTerminal) -> Option<Blocked> {
    let number = process.as_raw_nonzero().get();
    let guessed = match Call::of(process, thread) {
        Ok(call) => {
            call?.waits_for_input(&|descriptor| sought.is(number, descriptor)).then_some(())?;
            false
        }
        // Another user's, as a program under sudo is (ptrace(2), access mode checks).
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            sleeps(number, thread)?.then_some(())?;
            true
        }
        Err(_) => return None,
    };
    Some(Blocked {
        guessed,
        thread: thread.unsigned_abs(),
        wakes: wakes(number, thread)?,
        program: text(&format!("/proc/{number}/comm"))?.trim_end().to_owned(),
    })
}

/// What a file of `/proc` says. A program names itself (prctl(2), PR_SET_NAME), in any bytes.
fn text(path: &str) -> Option<String> {
    Some(String::from_utf8_lossy(&fs::read(path).ok()?).into_owned())
}

/// Whether a thread is in an interruptible sleep.
fn sleeps(process: i32, thread: i32) -> Option<bool> {
    let stat = text(&format!("/proc/{process}/task/{thread}/stat"))?;
    // The program's name is in parentheses and may hold some; the state is behind the last.
    Some(stat.rsplit_once(')')?.1.trim_start().starts_with('S'))
}

/// How often the thread went to sleep by itself: when that has changed, it was awake between.
fn wakes(process: i32, thread: i32) -> Option<u64> {
    let status = text(&format!("/proc/{process}/task/{thread}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}
