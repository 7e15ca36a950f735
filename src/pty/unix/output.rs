//! What is printed on the terminal that this process is on, written in the event loop.

use std::{io, os::fd::OwnedFd};

use rustix::{
    fs::{Mode, OFlags, fstat, open},
    io::{Errno, write},
    stdio::stdout,
    termios::ttyname,
};
use tokio::io::Interest;

use super::stream::register;

/// The terminal on standard output, opened once more: other processes share what standard output
/// is open on, and would find it non-blocking.
#[derive(Debug)]
pub struct TerminalOutput {
    terminal: OwnedFd,
}

impl TerminalOutput {
    /// Opens it.
    ///
    /// # Errors
    /// When standard output is no terminal, or one that this user may not open: after `su`, say.
    pub fn new() -> io::Result<TerminalOutput> {
        let name = ttyname(stdout(), Vec::new())?;
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = open(name, flags, Mode::empty())?;
        // In a container the same name may be another's.
        let (this, that) = (fstat(&terminal)?, fstat(stdout())?);
        if (this.st_dev, this.st_ino) != (that.st_dev, that.st_ino) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(TerminalOutput { terminal })
    }

    /// Writes what the terminal takes of it, once it takes something. Cancel safe.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(written) = self.try_write(bytes)? {
            return Ok(written);
        }
        // Registered only as long as it has no room: each time that somebody reads of it, it would
        // wake the event loop for nothing.
        let room = register(self.terminal.try_clone()?, Interest::WRITABLE)?;
        loop {
            let mut ready = room.writable().await?;
            match self.try_write(bytes)? {
                Some(written) => return Ok(written),
                None => ready.clear_ready(),
            }
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        loop {
            match write(&self.terminal, bytes) {
                Ok(written) => return Ok(Some(written)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
