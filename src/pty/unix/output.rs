//! What is printed on the terminal that this process is on, written in the event loop.

use std::{io, os::fd::OwnedFd};

use rustix::{
    fs::{Mode, OFlags, fstat, open},
    io::{Errno, write},
    stdio::stdout,
    termios::ttyname,
};
use tokio::io::{AsyncWriteExt, Interest, Stdout};

use super::stream::register;

/// Standard output, a terminal. It is opened once more, since other processes share what standard
/// output is open on, and would find it non-blocking. Where that is not allowed, after `su`, say, a
/// thread writes to it.
#[derive(Debug)]
pub struct TerminalOutput {
    opened: Option<OwnedFd>,
    shared: Stdout,
}

impl Default for TerminalOutput {
    fn default() -> TerminalOutput {
        TerminalOutput { opened: open_again().ok(), shared: tokio::io::stdout() }
    }
}

impl TerminalOutput {
    /// Has all that was written reach the terminal. Cancel safe.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn flush(&mut self) -> io::Result<()> {
        if self.opened.is_some() { Ok(()) } else { self.shared.flush().await }
    }

    /// Writes what the terminal takes of it, once it takes something. Cancel safe.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(terminal) = &self.opened else { return self.shared.write(bytes).await };
        if let Some(written) = try_write(terminal, bytes)? {
            return Ok(written);
        }
        // Registered only as long as it has no room: each time that somebody reads of it, it would
        // wake the event loop for nothing.
        let room = register(terminal.try_clone()?, Interest::WRITABLE)?;
        loop {
            let mut ready = room.writable().await?;
            match try_write(terminal, bytes)? {
                Some(written) => return Ok(written),
                None => ready.clear_ready(),
            }
        }
    }
}

fn open_again() -> io::Result<OwnedFd> {
    let name = ttyname(stdout(), Vec::new())?;
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal = open(name, flags, Mode::empty())?;
    // In a container the same name may be another's.
    let (this, that) = (fstat(&terminal)?, fstat(stdout())?);
    if (this.st_dev, this.st_ino) != (that.st_dev, that.st_ino) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(terminal)
}

/// Writes what it takes now; `None` when that is nothing.
fn try_write(terminal: &OwnedFd, bytes: &[u8]) -> io::Result<Option<usize>> {
    loop {
        match write(terminal, bytes) {
            Ok(written) => return Ok(Some(written)),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}
