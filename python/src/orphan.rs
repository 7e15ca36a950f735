//! What happens when the server is gone: nothing of the session stays. And who is gone already.

use std::{fs, time::Duration};

/// How long the session's processes have between the hang-up and their end.
const GRACE: Duration = Duration::from_millis(300);

/// Ends every process of the terminal's session, this one last.
///
/// Called by the reading thread, without the GIL: Python may be busy for ever.
pub(crate) fn end_session() -> ! {
    // SAFETY: getpid and kill take no memory.
    let own = unsafe { libc::getpid() };
    signal_others(own, libc::SIGHUP);
    signal_others(own, libc::SIGCONT);
    std::thread::sleep(GRACE);
    signal_others(own, libc::SIGKILL);
    // SAFETY: _exit ends the process without running anything of the program's.
    unsafe { libc::_exit(128 + libc::SIGHUP) }
}

/// Signals all other processes of the session that this process leads.
fn signal_others(own: libc::pid_t, signal: libc::c_int) {
    for pid in members(own) {
        // SAFETY: kill takes no memory; a process that is gone makes it fail.
        unsafe { libc::kill(pid, signal) };
    }
}

/// The other processes of session `session`. Where there is no /proc, the group is signalled.
fn members(session: libc::pid_t) -> Vec<libc::pid_t> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        // SAFETY: getsid takes no memory.
        .filter(|&pid| pid != session && unsafe { libc::getsid(pid) } == session)
        .collect()
}

/// Whether a process group has more than processes that ended and were not waited for. Where
/// that can't be told, it has.
pub(crate) fn has_living(group: libc::pid_t) -> bool {
    let Ok(entries) = fs::read_dir("/proc") else { return true };
    entries
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .any(|stat| lives_in(&stat, group).unwrap_or(false))
}

/// Reads `/proc/PID/stat` (proc(5)): the state and the group stand behind the program's name in
/// parentheses, which may hold some.
fn lives_in(stat: &str, group: libc::pid_t) -> Option<bool> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let (state, _parent) = (fields.next()?, fields.next()?);
    Some(fields.next()?.parse() == Ok(group) && !matches!(state, "Z" | "X"))
}
