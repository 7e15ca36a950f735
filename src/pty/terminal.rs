//! The master side of a pseudo-terminal, read and written without blocking.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
};

use portable_pty::{MasterPty, PtySize, native_pty_system};
use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{Errno, fcntl_dupfd_cloexec},
    process::Pid,
    termios::{InputModes, LocalModes, OptionalActions, tcgetattr, tcgetpgrp, tcsetattr},
};
use tokio::io::unix::AsyncFd;

use crate::screen::Size;

/// The terminal of a session.
#[derive(Debug)]
pub struct Terminal {
    io: AsyncFd<OwnedFd>,
    device: u64,
    master: Master,
}

/// Keeps the master for what is not reading or writing.
struct Master(Box<dyn MasterPty + Send>);

impl std::fmt::Debug for Master {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Master({:?})", self.0.tty_name())
    }
}

/// How the terminal treats what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Modes {
    /// A reader gets whole lines (`ICANON`).
    pub canonical: bool,
    /// What is typed is shown (`ECHO`).
    pub echo: bool,
    /// Ctrl-C interrupts (`ISIG`).
    pub signals: bool,
}

impl Terminal {
    /// Opens a terminal of this size. Returns its slave side, for a program, too.
    pub(super) fn open(size: Size) -> io::Result<(Terminal, OwnedFd)> {
        let pair = native_pty_system()
            .openpty(pty_size(size))
            .map_err(|error| io::Error::other(format!("no pseudo-terminal: {error}")))?;
        let name = pair.master.tty_name().ok_or_else(|| io::Error::other("a nameless terminal"))?;
        let noctty = OFlags::NOCTTY.bits().cast_signed();
        let slave: File =
            OpenOptions::new().read(true).write(true).custom_flags(noctty).open(name)?;
        set_up(&slave)?;
        let raw = pair.master.as_raw_fd().ok_or_else(|| io::Error::other("a closed terminal"))?;
        // SAFETY: `pair.master` owns the descriptor and outlives this borrow.
        let master = unsafe { BorrowedFd::borrow_raw(raw) };
        // A description of its own is not to be had, but nobody else uses this one.
        let own = fcntl_dupfd_cloexec(master, 3)?;
        fcntl_setfl(&own, fcntl_getfl(&own)? | OFlags::NONBLOCK)?;
        // SAFETY: the AsyncFd owns the descriptor, so nobody closes it before.
        let io = unsafe { AsyncFd::register(own)? };
        let device = slave.metadata()?.rdev();
        let terminal = Terminal { io, device, master: Master(pair.master) };
        Ok((terminal, slave.into()))
    }

    /// Waits until there is something to read, or the end. Cancel safe.
    ///
    /// # Errors
    /// When the runtime is shutting down.
    pub async fn readable(&self) -> io::Result<()> {
        self.io.readable().await.map(|mut guard| guard.retain_ready())
    }

    /// Reads what is there; `None` when nothing is for now, `Some(0)` at the end, which comes
    /// once no program has the terminal any more.
    pub fn try_read(&self, buffer: &mut [u8]) -> Option<usize> {
        loop {
            return match rustix::io::read(&self.io, &mut *buffer) {
                Ok(n) => Some(n),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {
                    self.clear_ready();
                    None
                }
                // Linux reports EIO when the slave side is closed; nothing else can be done
                // about any other error either.
                Err(_) => Some(0),
            };
        }
    }

    /// Tells the reactor that a read found nothing, so that it waits for news.
    fn clear_ready(&self) {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        if let std::task::Poll::Ready(Ok(mut guard)) = self.io.poll_read_ready(&mut context) {
            guard.clear_ready();
        }
    }

    /// Writes what the terminal takes now; returns the count of bytes.
    pub fn try_write(&self, bytes: &[u8]) -> usize {
        // A terminal that is gone takes everything: its end is reported elsewhere.
        match rustix::io::write(&self.io, bytes) {
            Ok(n) => n,
            Err(Errno::AGAIN | Errno::INTR) => 0,
            Err(_) => bytes.len(),
        }
    }

    /// Waits until the terminal takes more. Cancel safe.
    ///
    /// # Errors
    /// When the runtime is shutting down.
    pub async fn writable(&self) -> io::Result<()> {
        self.io.writable().await.map(|mut guard| guard.clear_ready())
    }

    /// How the terminal treats what is typed; `None` when it is gone.
    pub fn modes(&self) -> Option<Modes> {
        let modes = tcgetattr(self.io.as_fd()).ok()?.local_modes;
        Some(Modes {
            canonical: modes.contains(LocalModes::ICANON),
            echo: modes.contains(LocalModes::ECHO),
            signals: modes.contains(LocalModes::ISIG),
        })
    }

    /// The number of the master's descriptor.
    pub(super) fn descriptor(&self) -> i32 {
        self.io.as_raw_fd()
    }

    /// The foreground process group.
    pub(super) fn foreground(&self) -> Option<Pid> {
        tcgetpgrp(self.io.as_fd()).ok()
    }

    /// The device number of the slave side.
    pub(super) fn device(&self) -> u64 {
        self.device
    }

    /// Changes the size and tells the foreground program.
    pub fn resize(&self, size: Size) {
        // It fails only when the terminal is gone.
        let _ = self.master.0.resize(pty_size(size));
    }
}

fn pty_size(size: Size) -> PtySize {
    PtySize { rows: size.rows, cols: size.columns, pixel_width: 0, pixel_height: 0 }
}

/// Flow control off, so that a stray Ctrl-S does not freeze the session; erasing a character
/// of UTF-8 erases all its bytes.
fn set_up(slave: &File) -> io::Result<()> {
    let mut modes = tcgetattr(slave)?;
    modes.input_modes.remove(InputModes::IXON);
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    modes.input_modes.insert(InputModes::IUTF8);
    tcsetattr(slave, OptionalActions::Now, &modes)?;
    Ok(())
}
