//! The master side of a pseudo-terminal, read and written without blocking.

use std::{
    ffi::{CStr, CString},
    fs::File,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::MetadataExt,
    },
};

use rustix::{
    fs::{Mode, OFlags},
    io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd, ioctl_fionread, retry_on_intr},
    process::{Pid, getpgrp},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{
        InputModes, LocalModes, OptionalActions, QueueSelector, Winsize, tcflush, tcgetattr,
        tcgetpgrp, tcgetwinsize, tcsetattr, tcsetwinsize,
    },
};

use super::{
    keyboard::keyboard,
    stream::{ByteStream, Kind},
};
use crate::{
    pty::Modes,
    screen::{Marks, Size},
};

/// The environment variable by which a test has marks not be heeded.
const TEST: &str = "MCP_REPL_TEST_NO_MARKS";

/// The terminal of a session.
#[derive(Debug)]
pub struct PtyMaster {
    io: ByteStream,
    /// The slave side's path.
    name: CString,
    /// The slave side's device number.
    device: u64,
}

impl PtyMaster {
    /// Opens a terminal of this size. Returns its slave side, for a program, too.
    pub(super) fn open(size: Size) -> io::Result<(PtyMaster, OwnedFd)> {
        let (master, name) = open_master()
            .map_err(|error| io::Error::other(format!("no pseudo-terminal: {error}")))?;
        let slave = File::from(open_slave(&name, OFlags::empty())?);
        // The slave side takes it on every system, macOS' master side only when that is open.
        tcsetwinsize(&slave, window_size(size))?;
        set_up(&slave)?;
        let device = slave.metadata()?.rdev();
        let io = ByteStream::new(master, Kind::Terminal)?;
        Ok((PtyMaster { io, name, device }, slave.into()))
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

    /// What it makes of marks: it hands on what programs print as they do.
    pub fn marks(&self) -> Marks {
        if std::env::var_os(TEST).is_some() { Marks::Absent } else { Marks::InStream }
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
        let slave = open_slave(&self.name, OFlags::NONBLOCK);
        slave.is_ok_and(|slave| ioctl_fionread(slave).is_ok_and(|bytes| bytes > 0))
    }

    /// Drops what no program has read, and counts its bytes.
    pub fn drop_input(&self) -> u64 {
        let Ok(slave) = open_slave(&self.name, OFlags::NONBLOCK) else { return 0 };
        let (mut read, mut buffer) = (0, [0; 4096]);
        // What was just typed is neither counted nor echoed yet; a read waits for that, and for
        // nothing else (`n_tty_read` in Linux's drivers/tty/n_tty.c).
        while let Ok(n @ 1..) = retry_on_intr(|| rustix::io::read(&slave, &mut buffer)) {
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
        let _ = tcsetwinsize(self.io.as_fd(), window_size(size));
    }
}

/// Whether standard input is a terminal and this process is in its foreground: who reads it from the
/// background, or changes its modes, is stopped (POSIX: SIGTTIN, SIGTTOU).
pub fn has_the_terminal() -> bool {
    keyboard()
        .and_then(|terminal| Ok(tcgetpgrp(terminal)?))
        .is_ok_and(|foreground| foreground == getpgrp())
}

/// A new terminal's master side, and the path of its slave side.
pub(super) fn open_master() -> io::Result<(OwnedFd, CString)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    // posix_openpt(3) has no O_CLOEXEC on every system. What is started meanwhile closes what it
    // inherits by itself (`child`).
    fcntl_setfd(&master, FdFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    Ok((master, name))
}

/// The slave side, which does not become this process's controlling terminal.
pub(super) fn open_slave(name: &CStr, more: OFlags) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(name, flags | more, Mode::empty())
}

fn window_size(size: Size) -> Winsize {
    Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 }
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
