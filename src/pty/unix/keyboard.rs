//! What is typed on the terminal that this process is on, read in the event loop.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{Interest, unix::AsyncFd};

/// Standard input that is a terminal. Others may read it as well, when this one does not: nothing is
/// read ahead.
#[derive(Debug)]
pub struct TerminalInput {
    terminal: AsyncFd<OwnedFd>,
}

impl TerminalInput {
    /// Standard input, in the running event loop.
    ///
    /// # Errors
    /// When that can't wait for it.
    pub fn new() -> io::Result<TerminalInput> {
        let terminal = io::stdin().as_fd().try_clone_to_owned()?;
        // SAFETY: the descriptor is owned, never replaced, and closed only when this is dropped.
        let terminal = unsafe { AsyncFd::register_with_interest(terminal, Interest::READABLE)? };
        Ok(TerminalInput { terminal })
    }

    /// Reads what was typed; 0 when the terminal is gone. Cancel safe.
    ///
    /// # Errors
    /// When the terminal can't be read.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.terminal.readable().await?;
            // The descriptor keeps its flags, as other processes share it; and another reader may
            // have taken what was there.
            if !self.is_readable()? {
                ready.clear_ready();
                continue;
            }
            return match rustix::io::read(&self.terminal, &mut *buffer) {
                // The other end is closed (Linux).
                Err(rustix::io::Errno::IO) => Ok(0),
                read => Ok(read?),
            };
        }
    }

    /// Reads what was typed already; 0 when there is nothing.
    ///
    /// # Errors
    /// When the terminal can't be read.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_readable()? {
            return Ok(0);
        }
        Ok(rustix::io::read(&self.terminal, buffer)?)
    }

    fn is_readable(&self) -> io::Result<bool> {
        let mut fds = [PollFd::new(&self.terminal, PollFlags::IN)];
        Ok(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))? > 0)
    }
}
