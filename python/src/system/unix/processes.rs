//! The processes of the terminal's session: ending them all, and whether any of a group lives.

use std::{fs, thread, time::Duration};

use rustix::process::{Pid, Signal, getpid, kill_process};

/// How long the session's processes have between the hang-up and their end.
const GRACE: Duration = Duration::from_millis(300);

/// Ends every process of the terminal's session, this one last: the server is gone, or can't be
/// spoken with any more.
///
/// Called by the reading thread, without the GIL: Python may be busy for ever.
pub(crate) fn end_session() -> ! {
    let own = getpid();
    signal_others(own, Signal::HUP);
    signal_others(own, Signal::CONT);
    thread::sleep(GRACE);
    signal_others(own, Signal::KILL);
    // SAFETY: _exit ends the process without running anything of the program's.
    unsafe { libc::_exit(128 + libc::SIGHUP) }
}

/// Signals all other processes of the session that this process leads.
fn signal_others(own: Pid, signal: Signal) {
    for pid in others(own) {
        // One that is gone makes it fail.
        let _ = kill_process(pid, signal);
    }
}

/// The other processes of the session that `leader` leads; none where there is no /proc.
fn others(leader: Pid) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .filter(|&pid| pid != leader && session_of(pid) == leader.as_raw_pid())
        .collect()
}

/// The session of a process (getsid(2)): 0 for one that is about to be gone, or of another PID name
/// space. (rustix's own takes the 0 for a number that can't be.)
fn session_of(process: Pid) -> libc::pid_t {
    // SAFETY: getsid takes no memory, and fails for a process that is gone.
    unsafe { libc::getsid(process.as_raw_pid()) }
}

/// Whether a process group has more than processes that ended and were not waited for. Where
/// that can't be told, it has.
pub(crate) fn has_living(group: Pid) -> bool {
    let Ok(entries) = fs::read_dir("/proc") else { return true };
    entries
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .any(|stat| lives_in(&stat, group).unwrap_or(false))
}

/// Reads `/proc/PID/stat` (proc(5)): the state and the group stand behind the program's name in
/// parentheses, which may hold some.
fn lives_in(stat: &str, group: Pid) -> Option<bool> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let (state, _parent) = (fields.next()?, fields.next()?);
    Some(fields.next()?.parse() == Ok(group.as_raw_pid()) && !matches!(state, "Z" | "X"))
}
