//! The sandbox of a worker and all that it starts, as Linux holds it.
//!
//! Four things together, none of which needs a name space, so that it works in containers, and the
//! terminal, job control and the numbers of processes stay as they are:
//!
//! ```text
//! landlock      which files can be reached; signals and abstract sockets stay inside
//! filter        which system calls can be made at all
//! supervisor    writing below a directory in which something is protected; attributes of files;
//!               where sockets lead
//! capabilities  what root is without
//! places        which paths may be written (pure)
//! holds         what this kernel has of that
//! ```
//!
//! All is prepared before the fork. Between fork and exec the child gives up capabilities, restricts
//! itself and hands the supervisor's descriptor over; none of it can be undone, and all that it starts
//! inherits it.
//!
//! The ptrace hook of Landlock keeps what is inside from all that is outside: memory, environment,
//! descriptors and directories of other processes in /proc, `ptrace`, `process_vm_readv`,
//! `pidfd_getfd`. What is inside may debug its own.
//!
//! What is **not** stopped:
//!
//! - The names in a hidden directory can be listed (not what they stand for), and `stat` tells of files
//!   that can't be read.
//! - Command lines and names of other processes can be read, as everywhere.
//! - Other terminals of the same user (`/dev/pts/N`) can be opened, since those that a program makes for
//!   itself are there, too. Nothing can be typed there.
//! - What is new or replaced after the start beside something hidden, in the same directory (a new file
//!   in the home directory, beside `.ssh`), can't be read, and what is new there can't be executed. Where
//!   everybody may make files (/tmp), or the directory is writable, new files are read by way of the
//!   supervisor; what is made executable there later can't be executed either.
//! - What is mounted at two places is hidden at the one that is named. On a file system that does not tell
//!   upper from lower case, a protected name that does not exist yet is protected as it is written.
//! - System V semaphores and shared memory of the same user, what its programs have in /dev/shm, and the priority
//!   of its processes.
//! - Where the daemons of a program are not its host's descendants and yama is set to 1, the supervisor
//!   can't look at them: they can write only where nothing is protected.
//! - `chattr` flags (`FS_IOC_SETFLAGS`) of one's own files that can be read.
//! - A program that waits for the other end of a FIFO in a workspace, or for room at a socket's file, is
//!   not interrupted by a signal meanwhile, but ended by SIGKILL.

mod capabilities;
mod filter;
mod holds;
mod landlock;
mod places;
mod supervisor;

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    process::Command,
    thread::JoinHandle,
};

use rustix::{
    cmsg_space,
    fs::{Mode, stat},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
    },
    thread::set_no_new_privs,
};

pub use self::holds::sandbox_holds;
use self::{
    filter::{Files, Programs},
    places::Places,
};
use crate::sandbox::{Network, Rules};

/// A sandbox, before its program is forked.
#[derive(Debug)]
pub(in crate::pty::unix) struct Sandbox {
    places: Places,
    network: Network,
    /// Where the supervisor's descriptor comes from.
    handover: OwnedFd,
}

/// What the child needs of it.
#[derive(Debug)]
pub(in crate::pty::unix) struct Inside {
    ruleset: OwnedFd,
    programs: Programs,
    handover: OwnedFd,
}

impl Sandbox {
    /// Prepares all that can be before the fork.
    ///
    /// # Errors
    /// When the kernel has no Landlock, the processor is none that programs can be made for, or a
    /// writable path can't be opened. The message says which.
    pub(in crate::pty::unix) fn prepare(rules: &Rules) -> io::Result<(Sandbox, Inside)> {
        let places = Places::new(rules, is_shared);
        if landlock::version() == 0 {
            return Err(landlock::missing());
        }
        let ruleset = landlock::ruleset(&places, &rules.devices)
            .map_err(|error| saying("Landlock's rules can't be made", &error))?;
        let files = match (places.files_are_supervised(), places.reads_are_supervised()) {
            (false, _) => Files::None,
            (true, false) => Files::Changes,
            (true, true) => Files::All,
        };
        let programs = filter::programs(rules.network, files)
            .map_err(|error| saying("no seccomp programs for this processor", &error))?;
        let (outside, inside) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let sandbox = Sandbox { places, network: rules.network, handover: outside };
        Ok((sandbox, Inside { ruleset, programs, handover: inside }))
    }

    /// The command that executes a program in it: the child enters it by itself.
    #[expect(clippy::unused_self, reason = "other systems have another command")]
    pub(in crate::pty::unix) fn command(&self, program: &Path) -> Command {
        Command::new(program)
    }

    /// Starts the supervisor, once the program was executed. It ends with the last process in the sandbox,
    /// whoever waits for its thread.
    ///
    /// # Errors
    /// When the child handed nothing over, which it always does before, or no thread can be started.
    pub(in crate::pty::unix) fn started(self) -> io::Result<JoinHandle<()>> {
        let listener = take_descriptor(self.handover.as_fd())?;
        supervisor::start(listener, self.places, self.network)
    }
}

impl Inside {
    /// Enters the sandbox, for good. Async-signal-safe.
    ///
    /// # Errors
    /// `EBUSY` when this process is in a sandbox with a supervisor already.
    pub(in crate::pty::unix) fn enter(&self) -> io::Result<()> {
        set_no_new_privs(true)?;
        capabilities::drop_most()?;
        landlock::restrict(&self.ruleset)?;
        for program in &self.programs.answering {
            filter::enforce(program, 0)?;
        }
        hand_over(self.handover.as_fd(), supervised(&self.programs)?.as_fd())
    }
}

/// Puts the program in force that asks a supervisor, and gives the supervisor's descriptor.
fn supervised(programs: &Programs) -> io::Result<OwnedFd> {
    use std::os::fd::FromRawFd;
    let listens = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // Signals wait for the answer, or a call would be made twice. Linux 5.19 and newer.
    let waits = libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    let number = filter::enforce(&programs.asking, listens | waits).or_else(|error| match error
        .raw_os_error()
    {
        Some(libc::EINVAL) => filter::enforce(&programs.asking, listens),
        _ => Err(error),
    })?;
    // SAFETY: the kernel has just made the descriptor, which is nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

fn hand_over(to: BorrowedFd<'_>, descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = [descriptor];
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(to, &[IoSlice::new(&[0])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn take_descriptor(from: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    recvmsg(from, &mut [IoSliceMut::new(&mut [0])], &mut control, flags)?;
    let descriptors = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    descriptors.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
}

/// Whether everybody may make files in a directory, as in /tmp.
fn is_shared(directory: &Path) -> bool {
    stat(directory).is_ok_and(|found| Mode::from_raw_mode(found.st_mode).contains(Mode::WOTH))
}

/// What an error of the child's means, which has no words.
pub(in crate::pty::unix) fn explained(error: io::Error) -> io::Error {
    let why = match error.raw_os_error() {
        Some(libc::EBUSY) => "this process is itself in a sandbox that a supervisor watches",
        Some(libc::E2BIG) => "this process is itself in as many Landlock sandboxes as there can be",
        _ => return error,
    };
    saying(why, &error)
}

fn saying(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

#[cfg(test)]
mod tests;
