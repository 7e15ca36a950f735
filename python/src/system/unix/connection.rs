//! The sideband's stream: a socket in the file system, and what else the server let this process have.

use std::{
    ffi::{OsStr, c_int},
    io::{self, Read, Write},
    os::{
        fd::{AsFd, FromRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
#[cfg(target_os = "linux")]
use rustix::process::{Signal, set_parent_process_death_signal};

pub(crate) use super::descriptor::FileIdentity;
use super::descriptor::make_private;

/// The stream. One descriptor serves both directions, so that the program has as many as can be.
#[derive(Debug)]
pub(crate) struct Connection(UnixStream);

impl Connection {
    /// Connects to the server that listens at `path`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) fn open(path: &OsStr) -> io::Result<Connection> {
        Ok(Connection(UnixStream::from(make_private(UnixStream::connect(path)?.into()))))
    }

    /// Writes all of `bytes`; one thread at a time.
    ///
    /// # Errors
    /// When the server is gone.
    pub(crate) fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.0).write_all(bytes)
    }

    /// Reads what there is, and waits until there is something; 0 when the server is gone. For one
    /// thread.
    ///
    /// # Errors
    /// What read(2) fails with.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(buffer)
    }

    /// Whether there is something to read within this time. A poll that fails counts as a yes: the read
    /// that follows tells. For the thread that reads.
    pub(crate) fn is_readable(&self, time: Duration) -> bool {
        let time = Timespec::try_from(time).unwrap_or_default();
        poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&time)) != Ok(0)
    }

    /// What its descriptor stands for; `None` when the program has closed it.
    pub(crate) fn identity(&self) -> Option<FileIdentity> {
        FileIdentity::of(self.0.as_fd())
    }
}

/// The terminal's master side, held so that the kernel does not hang up when the server is gone: the
/// reading thread ends the session then, and has to live for it.
#[derive(Debug)]
pub(crate) struct Master {
    _descriptor: OwnedFd,
}

impl Master {
    /// The one of this number, which the server let this process inherit.
    pub(crate) fn inherited(number: c_int) -> Master {
        // SAFETY: the server had this process inherit the descriptor for this alone, and nothing
        // else knows its number.
        let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
        Master { _descriptor: make_private(descriptor) }
    }
}

/// From here on a thread sees the server's end, and does better than a kill. In a stopped process it has
/// to go on for that.
pub(crate) fn outlive_server() {
    #[cfg(target_os = "linux")]
    let _ = set_parent_process_death_signal(Some(Signal::CONT));
}
