//! What only Linux can be asked: who belongs to a session, and who waits for its terminal.

use std::fs;

use rustix::process::Pid;

pub(super) use super::blocked::Company;
use super::{Blocked, blocked};

/// The processes of the session that `leader` leads or led, the leader left out.
pub(super) fn session_members(leader: Pid) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw))
        .filter(|&pid| pid != leader && session_of(pid) == leader.as_raw_nonzero().get())
        .collect()
}

/// The session of a process: 0 when it is none of this name space's, as a kernel thread's.
fn session_of(pid: Pid) -> libc::pid_t {
    // SAFETY: getsid takes no memory and fails for a process that is gone.
    unsafe { libc::getsid(pid.as_raw_nonzero().get()) }
}

/// Has this process killed when the thread that started it ends, which is the server's main
/// thread: a program that hangs before it listens to its sideband would outlive a killed server.
///
/// Async-signal-safe.
pub(super) fn die_with_parent() {
    // SAFETY: prctl with this option takes no memory.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Marks all descriptors from `first` on to be closed when this process executes a program.
///
/// Async-signal-safe. Kernels before 5.11 refuse, and keep what the server's parent left open.
pub(super) fn close_on_exec_from(first: u32) {
    // SAFETY: close_range with CLOEXEC changes flags only and takes no memory.
    unsafe {
        libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
    }
}

/// The thread that waits for somebody to type on `device`, if there is one.
pub(super) fn blocked_reader(leader: Pid, foreground: Pid, device: u64) -> Option<Blocked> {
    blocked::find(leader, foreground, device)
}
