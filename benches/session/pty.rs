//! The baselines: a program on a bare pseudo-terminal, with nothing between it and a loop.

use std::{
    ffi::OsStr,
    fs::OpenOptions,
    io::{self, Read, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::server::UNBUFFERED;

/// A program on a terminal.
pub(crate) struct OnTerminal {
    child: Box<dyn Child + Send + Sync>,
    _master: Box<dyn MasterPty + Send>,
    input: Keyboard,
    output: Box<dyn Read + Send>,
    buffer: Vec<u8>,
}

/// Where a terminal is typed to. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Keyboard(Arc<Mutex<Box<dyn Write + Send>>>);

impl Write for Keyboard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How the terminal is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discipline {
    /// Nothing is done to the bytes.
    Raw,
    /// As a session's terminal, but what is typed is not shown.
    Usual,
    /// As a session's terminal.
    Shown,
}

impl OnTerminal {
    /// Starts a program.
    pub(crate) fn start(
        program: impl AsRef<OsStr>,
        arguments: &[&str],
        discipline: Discipline,
    ) -> io::Result<OnTerminal> {
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        OnTerminal::run(command, discipline)
    }

    /// Runs a command.
    pub(crate) fn run(
        mut command: CommandBuilder,
        discipline: Discipline,
    ) -> io::Result<OnTerminal> {
        let size = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).map_err(io::Error::other)?;
        let name = pair.master.tty_name().ok_or(io::ErrorKind::NotFound)?;
        let slave = OpenOptions::new().read(true).write(true).open(name)?;
        let mut modes = tcgetattr(&slave)?;
        match discipline {
            Discipline::Raw => modes.make_raw(),
            Discipline::Usual => modes.local_modes.remove(LocalModes::ECHO),
            Discipline::Shown => {}
        }
        tcsetattr(&slave, OptionalActions::Now, &modes)?;
        command.env_remove(UNBUFFERED);
        command.cwd(std::env::current_dir()?);
        let child = pair.slave.spawn_command(command).map_err(io::Error::other)?;
        let writer = pair.master.take_writer().map_err(io::Error::other)?;
        let input = Keyboard(Arc::new(Mutex::new(writer)));
        let output = pair.master.try_clone_reader().map_err(io::Error::other)?;
        let buffer = vec![0; 64 * 1024];
        Ok(OnTerminal { child, _master: pair.master, input, output, buffer })
    }

    /// Types a line and reads until as many bytes have come as `count` says.
    pub(crate) fn exchange(&mut self, line: &[u8], count: usize) -> io::Result<Duration> {
        let start = Instant::now();
        self.input.write_all(line)?;
        let mut missing = count;
        while missing > 0 {
            match self.output.read(&mut self.buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => missing = missing.saturating_sub(n),
            }
        }
        Ok(start.elapsed())
    }

    /// Types something.
    pub(crate) fn types(&mut self, keys: &[u8]) -> io::Result<()> {
        self.input.write_all(keys)
    }

    /// What is printed next; empty when nothing will be any more.
    pub(crate) fn read(&mut self) -> &[u8] {
        // The end of a terminal is an error of reading it (Linux).
        let length = self.output.read(&mut self.buffer).unwrap_or(0);
        &self.buffer[..length]
    }
}

impl OnTerminal {
    /// Where it is typed to.
    pub(crate) fn keyboard(&self) -> Keyboard {
        self.input.clone()
    }

    /// Where what is printed comes from.
    pub(crate) fn output(&mut self) -> &mut (dyn Read + Send) {
        &mut *self.output
    }

    /// Waits for the program's end; whether it succeeded.
    pub(crate) fn wait(mut self) -> io::Result<bool> {
        self.child.wait().map(|status| status.success())
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
