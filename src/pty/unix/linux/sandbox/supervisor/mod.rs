//! The supervisor: a thread that decides about the calls that no rule of the kernel's can decide.
//!
//! Below a directory in which something is protected, Landlock allows no writing at all; here alone
//! is it done, for a program that waits meanwhile. A path is read once, looked up once, and what was
//! found is held: its path without links says whether it may be changed, and the change is made on
//! what is held. So another thread of the program that changes the text of the path, or what it leads
//! to, changes nothing about the answer. A call is left to the kernel only where the kernel
//! refuses by itself all that must not be.
//!
//! What Landlock knows nothing of, the owner, mode, times and attributes of files and the addresses
//! of sockets, is never left to the kernel.
//!
//! Calls are answered one after the other, so that of two that rename each other's directories one
//! comes first. What may have to wait for somebody, a FIFO or a connection, is answered by a thread
//! of its own. If the supervisor fails, its end of the matter is closed with it, and all such calls
//! fail (`ENOSYS`).

mod apart;
mod attributes;
mod caller;
mod files;
mod git;
mod identity;
mod links;
mod lookup;
mod names;
mod notify;
mod sockets;

use std::{io, os::fd::OwnedFd, path::Path, sync::Arc, thread::JoinHandle};

use rustix::io::{Errno, Result};

use self::{
    apart::Apart,
    caller::Caller,
    links::Links,
    lookup::Entry,
    notify::{Answer, Request},
    sockets::listen,
};
use super::places::{Places, Reach};
use crate::sandbox::Network;

/// What a refusal of the supervisor's is, as Landlock's own are.
const REFUSED: Errno = Errno::ACCESS;

/// Starts the supervisor of the programs that `listener` hears of. It ends with the last of them.
///
/// # Errors
/// When no thread can be started: then all that it would have been asked of fails.
pub(super) fn start(
    listener: OwnedFd,
    places: Places,
    network: Network,
) -> io::Result<JoinHandle<()>> {
    let thread = std::thread::Builder::new().name("sandbox".into());
    thread.spawn(move || {
        notify::switch_at_once(&listener);
        let listener = Arc::new(listener);
        let apart = Apart::new(listener.clone());
        // A mask and a working directory of its own.
        if identity::separate().is_ok() {
            Supervisor { listener, places, network, apart, links: Links::default() }.run();
        }
    })
}

struct Supervisor {
    listener: Arc<OwnedFd>,
    places: Places,
    network: Network,
    apart: Apart,
    links: Links,
}

/// What is to be done about a change of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The supervisor does it.
    Act,
    /// The kernel decides: it allows it or not whatever becomes of the path.
    Leave,
    /// It must not be.
    Refuse,
}

impl Supervisor {
    fn run(&self) {
        while let Some(request) = notify::next(&self.listener) {
            match self.decide(&request) {
                // A thread of its own answers.
                Ok(None) => {}
                Ok(Some(answer)) => notify::answer(&self.listener, request.id, Ok(answer)),
                Err(error) => notify::answer(&self.listener, request.id, Err(error)),
            }
        }
    }

    fn decide(&self, request: &Request) -> Result<Option<Answer>> {
        const HERE: i32 = libc::AT_FDCWD;
        let caller = Caller { listener: &self.listener, request };
        let number = |argument| caller.number(argument);
        let done = match request.call {
            libc::SYS_openat => return self.open(caller, number(0), 1, number(2), 3),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_open => return self.open(caller, HERE, 0, number(1), 2),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_creat => {
                let flags = libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC;
                return self.open(caller, HERE, 0, flags, 1);
            }
            libc::SYS_connect => return self.connect(caller),
            libc::SYS_bind => self.bind(caller),
            libc::SYS_listen => listen(caller),
            libc::SYS_mkdirat => self.make_directory(caller, (number(0), 1), number(2)),
            libc::SYS_mknodat => self.make_node(caller, (number(0), 1), number(2)),
            libc::SYS_symlinkat => self.make_link(caller, 0, (number(1), 2)),
            libc::SYS_unlinkat => {
                self.remove(caller, (number(0), 1), number(2) & libc::AT_REMOVEDIR != 0)
            }
            libc::SYS_renameat2 => {
                self.rename(caller, (number(0), 1), (number(2), 3), number(4).cast_unsigned())
            }
            #[cfg(not(target_arch = "riscv64"))]
            libc::SYS_renameat => self.rename(caller, (number(0), 1), (number(2), 3), 0),
            libc::SYS_linkat => self.hard_link(caller, (number(0), 1), (number(2), 3), number(4)),
            libc::SYS_truncate => self.truncate(caller),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_mkdir => self.make_directory(caller, (HERE, 0), number(1)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_mknod => self.make_node(caller, (HERE, 0), number(1)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_symlink => self.make_link(caller, 0, (HERE, 1)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_unlink => self.remove(caller, (HERE, 0), false),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rmdir => self.remove(caller, (HERE, 0), true),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rename => self.rename(caller, (HERE, 0), (HERE, 1), 0),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_link => self.hard_link(caller, (HERE, 0), (HERE, 1), 0),
            _ => self.change_attributes(caller),
        };
        done.map(Some)
    }

    /// What is to be done about a change of the entry of that name in a directory.
    fn judge(&self, directory: &Path, path: &Path) -> Verdict {
        if !self.places.is_supervised(path) {
            return Verdict::Leave;
        }
        let may_write = |path| self.places.reach(path) == Reach::Write;
        if may_write(directory) && may_write(path) { Verdict::Act } else { Verdict::Refuse }
    }

    /// The same for an entry that is held.
    fn judge_entry(&self, entry: &Entry) -> Verdict {
        self.judge(&entry.real, &entry.path())
    }
}
