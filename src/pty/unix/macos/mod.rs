//! What macOS does in Linux's place. Untested.

mod processes;

use std::{
    ffi::CStr,
    io,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::{
    fs::statfs,
    process::{Pid, Signal, kill_process},
};

use super::seatbelt::profile;

pub(super) use self::processes::{
    Members, TaskWatch, resident_memory, session_members, start_time, task,
};
pub(super) use super::guess::blocked_reader;
use crate::{
    pty::Limits,
    sandbox::{Holds, Rules},
};

/// macOS has no such thing: a program that hangs while it starts outlives a killed server.
pub(super) fn die_with_parent() {}

/// A process keeps the name of its program here.
pub(super) fn name_process(_name: &CStr) {}

/// Closes the descriptors from `first` on.
pub(super) fn close_from(first: u32) {
    for descriptor in first.cast_signed()..256 {
        // SAFETY: close takes no memory and fails for numbers that are not open; who calls this
        // uses none of the descriptors.
        unsafe { libc::close(descriptor) };
    }
}

/// Marks the descriptors from `first` on to be closed when this process executes a program.
///
/// Async-signal-safe.
pub(super) fn close_on_exec_from(first: u32) {
    for descriptor in first.cast_signed()..256 {
        // SAFETY: fcntl takes no memory and fails for numbers that are not open.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// Whether nothing on the file system of `place` can be executed: statvfs does not tell here.
pub(super) fn is_noexec(place: &Path) -> io::Result<bool> {
    Ok(statfs(place)?.f_flags & libc::MNT_NOEXEC.cast_unsigned() != 0)
}

/// Kills a process if its number means that one, as `is_there` tells.
pub(super) fn kill_if(pid: Pid, is_there: impl FnOnce() -> bool) -> io::Result<()> {
    if !is_there() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(kill_process(pid, Signal::KILL)?)
}

/// The file of this process's program.
pub(super) fn own_program() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// A sandbox that is made by sandbox-exec(1), which executes the program.
#[derive(Debug)]
pub(super) struct Sandbox {
    profile: String,
}

/// The child has nothing to do for it.
#[derive(Debug)]
pub(super) struct Inside;

/// What makes a sandbox here.
const SANDBOX_EXEC: &str = "/usr/bin/sandbox-exec";

impl Sandbox {
    /// Writes the profile.
    pub(super) fn prepare(rules: &Rules) -> io::Result<(Sandbox, Inside)> {
        if !Path::new(SANDBOX_EXEC).exists() {
            return Err(io::Error::other(format!("there is no {SANDBOX_EXEC}")));
        }
        Ok((Sandbox { profile: profile(rules) }, Inside))
    }

    /// The command that executes a program in it.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(SANDBOX_EXEC);
        command.arg("-p").arg(&self.profile).arg(program);
        command
    }

    /// Nobody watches over it.
    pub(super) fn started(self) -> io::Result<()> {
        Ok(())
    }
}

impl Inside {
    /// sandbox-exec enters it.
    pub(super) fn enter(&self) -> io::Result<()> {
        Ok(())
    }
}

/// What an error of the child's means: what it says.
pub(super) fn explained(error: io::Error) -> io::Error {
    error
}

/// Groups of processes with limits, which macOS does not have.
#[derive(Debug)]
pub(super) enum Group {}

/// The door to one.
#[derive(Debug)]
pub(super) enum Door {}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoGroup {
    #[error("macOS has no control groups")]
    Missing,
}

impl Group {
    /// There can be none.
    pub(super) fn make(_limits: Limits) -> Result<Group, NoGroup> {
        Err(NoGroup::Missing)
    }

    /// See [`Group`].
    pub(super) fn door(&self) -> io::Result<Door> {
        match *self {}
    }

    /// See [`Group`].
    pub(super) fn memory_that_ran_out(&self) -> Option<u64> {
        match *self {}
    }

    /// See [`Group`].
    pub(super) fn remove(self) {
        match self {}
    }
}

impl Door {
    /// See [`Group`].
    pub(super) fn pass(&self) -> io::Result<()> {
        match *self {}
    }
}

/// How many threads this user has macOS tells only by private structures.
pub(super) fn tasks_of_user() -> Option<u64> {
    None
}

/// What macOS holds of a sandbox: it was not tried.
pub fn sandbox_holds() -> Vec<Holds> {
    let there = Path::new(SANDBOX_EXEC).exists();
    let missing = || format!("there is no {SANDBOX_EXEC}");
    let state = if there { Ok(()) } else { Err(missing()) };
    vec![Holds { what: "files, network and signals, by sandbox-exec (untested)", state }]
}
