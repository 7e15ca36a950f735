//! What macOS does in Linux's place. Untested.

use rustix::process::Pid;

use super::Blocked;

/// macOS has no process table to read without private interfaces: what is left of a session
/// gets the kernel's own hang-up only.
pub(super) fn session_members(_leader: Pid) -> Vec<Pid> {
    Vec::new()
}

/// macOS has no such thing: a program that hangs while it starts outlives a killed server.
pub(super) fn die_with_parent() {}

/// Marks the descriptors from `first` on to be closed when this process executes a program.
///
/// Async-signal-safe.
pub(super) fn close_on_exec_from(first: u32) {
    for descriptor in first.cast_signed()..256 {
        // SAFETY: fcntl takes no memory and fails for numbers that are not open.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// macOS does not tell what a thread waits for: programs that read the terminal themselves are
/// not recognised.
pub(super) fn blocked_reader(_leader: Pid, _foreground: Pid, _device: u64) -> Option<Blocked> {
    None
}

/// Nobody who reads the terminal can be found, so nobody needs to be looked for.
#[derive(Debug)]
pub(super) struct Company;

impl Company {
    /// There is nothing to look at.
    pub(super) fn of(_process: Pid) -> Option<Company> {
        None
    }

    /// See [`Company`].
    pub(super) fn is_more_than(&self, _threads: u64) -> bool {
        false
    }
}
