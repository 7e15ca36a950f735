//! The master side of a pseudo-terminal, read and written without blocking.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::PathBuf,
    sync::Mutex,
};

use portable_pty::{MasterPty, PtySize, native_pty_system};
use rustix::{
    fs::{Mode, OFlags},
    io::{fcntl_dupfd_cloexec, ioctl_fionread},
    process::Pid,
    termios::{
        InputModes, LocalModes, OptionalActions, QueueSelector, tcflush, tcgetattr, tcgetpgrp,
        tcgetwinsize, tcsetattr,
    },
};

use super::stream::{ByteStream, Kind};
use crate::{pty::Modes, screen::Size};

/// The terminal of a session.
#[derive(Debug)]
pub struct Terminal {
    io: ByteStream,
    device: u64,
    /// The slave side's path.
    name: PathBuf,
    master: Master,
}

/// Keeps the master for what is not reading or writing.
struct Master(Mutex<Box<dyn MasterPty + Send>>);

impl std::fmt::Debug for Master {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Master")
    }
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
            OpenOptions::new().read(true).write(true).custom_flags(noctty).open(&name)?;
        set_up(&slave)?;
        let raw = pair.master.as_raw_fd().ok_or_else(|| io::Error::other("a closed terminal"))?;
        // SAFETY: `pair.master` owns the descriptor and outlives this borrow.
        let master = unsafe { BorrowedFd::borrow_raw(raw) };
        // A description of its own is not to be had, but nobody else uses this one.
        let io = ByteStream::new(fcntl_dupfd_cloexec(master, 3)?, Kind::Terminal)?;
        let device = slave.metadata()?.rdev();
        let terminal = Terminal { io, device, name, master: Master(Mutex::new(pair.master)) };
        Ok((terminal, slave.into()))
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

    /// Another descriptor of the master side, for a program to inherit.
    pub(super) fn duplicate(&self) -> io::Result<OwnedFd> {
        Ok(fcntl_dupfd_cloexec(self.io.as_fd(), 3)?)
    }

    /// Its stream, to read what programs print and to type.
    pub fn io(&self) -> &ByteStream {
        &self.io
    }

    /// The foreground process group.
    pub(super) fn foreground(&self) -> Option<Pid> {
        tcgetpgrp(self.io.as_fd()).ok()
    }

    /// The device number of the slave side.
    pub(super) fn device(&self) -> u64 {
        self.device
    }

    /// Whether there is input that no program has read. False when that can't be told.
    pub fn holds_input(&self) -> bool {
        self.slave().is_ok_and(|slave| ioctl_fionread(slave).is_ok_and(|bytes| bytes > 0))
    }

    /// Drops what no program has read, and counts its bytes.
    pub fn drop_input(&self) -> u64 {
        let Ok(slave) = self.slave() else { return 0 };
        let (mut read, mut buffer) = (0, [0; 4096]);
        // What was just typed is neither counted nor echoed yet; a read waits for that, and for
        // nothing else (`n_tty_read` in Linux's drivers/tty/n_tty.c).
        while let Ok(n @ 1..) = rustix::io::read(&slave, &mut buffer) {
            read += n as u64;
        }
        // A canonical terminal counts a line that has no end yet only with this flag, which else
        // changes nothing that matters here (`n_tty_ioctl` in the same file).
        let found = tcgetattr(&slave);
        if let Ok(mut modes) = found.clone() {
            modes.local_modes |= LocalModes::EXTPROC;
            let _ = tcsetattr(&slave, OptionalActions::Now, &modes);
        }
        let unread = ioctl_fionread(&slave).unwrap_or(0);
        let _ = tcflush(&slave, QueueSelector::IFlush);
        if let Ok(modes) = found {
            let _ = tcsetattr(&slave, OptionalActions::Now, &modes);
        }
        read + unread
    }

    /// The slave side, for a look that does not block.
    fn slave(&self) -> rustix::io::Result<OwnedFd> {
        let options = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        rustix::fs::open(&self.name, options, Mode::empty())
    }

    /// The size, which programs may change (`stty cols 80`); `None` while it has no columns or
    /// rows.
    pub fn size(&self) -> Option<Size> {
        let size = tcgetwinsize(self.io.as_fd()).ok()?;
        let size = Size { columns: size.ws_col, rows: size.ws_row };
        (size.columns > 0 && size.rows > 0).then_some(size)
    }

    /// Changes the size and tells the foreground program.
    pub fn resize(&self, size: Size) {
        // It fails only when the terminal is gone.
        if let Ok(master) = self.master.0.lock() {
            let _ = master.resize(pty_size(size));
        }
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
    modes.input_modes.insert(InputModes::IUTF8);
    tcsetattr(slave, OptionalActions::Now, &modes)?;
    Ok(())
}
