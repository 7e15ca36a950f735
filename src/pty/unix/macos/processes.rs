//! What the kernel tells of processes (libproc.h, sys/proc_info.h). Untested: it is type-checked, and was never run.

use std::{mem, ptr};

use libc::{c_int, c_void, pid_t};
use rustix::process::{Pid, Signal, kill_process};

use crate::pty::unix::{groups::session_of, guess::Task};

/// How many more processes there may be when they are listed than when they were counted.
const SLACK: usize = 64;

/// The processes of the session that `leader` leads or led, the leader left out.
pub(in crate::pty::unix) fn session_members(leader: Pid) -> Vec<Pid> {
    let belongs = |pid: &Pid| *pid != leader && session_of(*pid) == Some(leader);
    all().into_iter().filter(belongs).collect()
}

/// All processes.
fn all() -> Vec<Pid> {
    // SAFETY: without memory to fill it counts only.
    let count = unsafe { libc::proc_listallpids(ptr::null_mut(), 0) };
    let mut numbers: Vec<pid_t> = vec![0; usize::try_from(count).unwrap_or(0) + SLACK];
    let size = c_int::try_from(mem::size_of_val(&*numbers)).unwrap_or(0);
    // SAFETY: the memory is that of the vector, whose size in bytes is given.
    let count = unsafe { libc::proc_listallpids(numbers.as_mut_ptr().cast::<c_void>(), size) };
    numbers.truncate(usize::try_from(count).unwrap_or(0));
    numbers.into_iter().filter(|&number| number > 0).filter_map(Pid::from_raw).collect()
}

/// Asks for one of the structures of `proc_pidinfo`; `None` for a process that is gone or another user's.
///
/// # Safety
/// `flavor` is the one that fills a `T`, which is a C structure of numbers.
unsafe fn ask<T>(pid: Pid, flavor: c_int) -> Option<T> {
    let size = c_int::try_from(mem::size_of::<T>()).ok()?;
    let mut found = mem::MaybeUninit::<T>::zeroed();
    let number = pid.as_raw_nonzero().get();
    // SAFETY: the memory is that of the structure, whose size is given.
    let filled =
        unsafe { libc::proc_pidinfo(number, flavor, 0, found.as_mut_ptr().cast::<c_void>(), size) };
    // SAFETY: it was filled, and any bytes are numbers.
    (filled == size).then(|| unsafe { found.assume_init() })
}

fn of_task(pid: Pid) -> Option<libc::proc_taskinfo> {
    // SAFETY: this is the structure of the flavor.
    unsafe { ask(pid, libc::PROC_PIDTASKINFO) }
}

fn of_process(pid: Pid) -> Option<libc::proc_bsdinfo> {
    // SAFETY: this is the structure of the flavor.
    unsafe { ask(pid, libc::PROC_PIDTBSDINFO) }
}

/// What is told of a process; `None` when it is gone.
pub(in crate::pty::unix) fn task(pid: Pid) -> Option<Task> {
    let (process, task) = (of_process(pid)?, of_task(pid)?);
    let number = |number: u32| Pid::from_raw(number.cast_signed()).filter(|_| number > 0);
    Some(Task {
        pid,
        parent: number(process.pbi_ppid),
        group: number(process.pbi_pgid),
        name: name(&process),
        // Switches of all kinds: one that sleeps has none.
        wakes: task.pti_csw.unsigned_abs().into(),
        sleeps: task.pti_numrunning == 0,
    })
}

/// The name of its program, whose end may be cut off.
fn name(process: &libc::proc_bsdinfo) -> String {
    let bytes = |text: &[libc::c_char]| -> Vec<u8> {
        // The type of a character has a sign here.
        let bytes = text.iter().map(|&byte| byte.to_ne_bytes()[0]);
        bytes.take_while(|&byte| byte != 0).collect()
    };
    let (long, short) = (bytes(&process.pbi_name), bytes(&process.pbi_comm));
    String::from_utf8_lossy(if long.is_empty() { &short } else { &long }).into_owned()
}

/// When a process started, in microseconds of the system's clock.
pub(in crate::pty::unix) fn start_time(pid: Pid) -> Option<u64> {
    let process = of_process(pid)?;
    process.pbi_start_tvsec.checked_mul(1_000_000)?.checked_add(process.pbi_start_tvusec)
}

/// The resident set of a process, in bytes.
pub(in crate::pty::unix) fn resident_memory(pid: Pid) -> Option<u64> {
    of_task(pid).map(|task| task.pti_resident_size)
}

/// A look at whether a process has other threads, or children.
#[derive(Debug)]
pub(in crate::pty::unix) struct TaskWatch(Pid);

impl TaskWatch {
    /// That of a process.
    pub(in crate::pty::unix) fn of(process: Pid) -> Option<TaskWatch> {
        Some(TaskWatch(process))
    }

    /// Whether the process has more threads than `threads`, or children.
    pub(in crate::pty::unix) fn has_more_than(&self, threads: u64) -> bool {
        let has_threads = of_task(self.0)
            .is_some_and(|task| u64::from(task.pti_threadnum.unsigned_abs()) > threads);
        let mut child: pid_t = 0;
        let size = c_int::try_from(mem::size_of::<pid_t>()).unwrap_or(0);
        let number = self.0.as_raw_nonzero().get();
        // SAFETY: the memory is that of the number, whose size is given.
        let children =
            unsafe { libc::proc_listchildpids(number, (&raw mut child).cast::<c_void>(), size) };
        has_threads || children > 0
    }
}

/// The processes of a session.
#[derive(Debug)]
pub(in crate::pty::unix) struct Members(Pid);

impl Members {
    /// Those of the session that this one leads.
    pub(in crate::pty::unix) fn of(leader: Pid) -> Members {
        Members(leader)
    }

    /// Kills those that are there, the leader last: as long as it is, its number means no other session.
    pub(in crate::pty::unix) fn kill(&self) {
        for pid in session_members(self.0).into_iter().chain([self.0]) {
            if session_of(pid) == Some(self.0) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}
