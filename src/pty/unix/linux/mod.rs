//! What only Linux can be asked: who belongs to a session, and who waits for its terminal.

mod blocked;
mod call;
mod group;
mod members;
mod running;
mod sandbox;
mod task;
mod tasks;

use std::{ffi::CStr, fs, io, path::Path};

use rustix::{
    fs::{StatVfsMountFlags, statvfs},
    process::{Pid, Signal, set_parent_process_death_signal},
    thread::set_name,
};

use super::groups::session_of;

pub use self::sandbox::sandbox_holds;

pub(super) use self::{
    blocked::blocked_reader,
    group::{Door, Group, NoGroup},
    members::Members,
    running::{kill_if, own_program, resident_memory, start_time},
    sandbox::{Inside, Sandbox, explained},
    task::task,
    tasks::{TaskWatch, of_user as tasks_of_user},
};

/// The processes of the session that `leader` leads or led, the leader left out.
pub(super) fn session_members(leader: Pid) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw))
        .filter(|&pid| pid != leader && session_of(pid) == Some(leader))
        .collect()
}

/// Has this process killed when the thread that started it ends, which is the server's main
/// thread: a program that hangs before it listens to its sideband would outlive a killed server.
///
/// Async-signal-safe.
pub(super) fn die_with_parent() {
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
}

/// Gives this process a name of its own, by which others find it.
pub(super) fn name_process(name: &CStr) {
    let _ = set_name(name);
}

/// Closes all descriptors from `first` on. Kernels before 5.9 refuse.
pub(super) fn close_from(first: u32) {
    // SAFETY: close_range takes no memory; who calls it uses none of the descriptors.
    unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
}

/// Marks all descriptors from `first` on to be closed when this process executes a program.
///
/// Async-signal-safe. Kernels before 5.11 refuse, and keep what the server's parent left open.
pub(super) fn close_on_exec_from(first: u32) {
    // SAFETY: close_range with CLOEXEC changes flags only and takes no memory. No crate in use
    // wraps it, and the C library has it only from glibc 2.34 on.
    unsafe {
        libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
    }
}

/// Whether nothing on the file system of `place` can be executed.
pub(super) fn is_noexec(place: &Path) -> io::Result<bool> {
    Ok(statvfs(place)?.f_flag.contains(StatVfsMountFlags::NOEXEC))
}
