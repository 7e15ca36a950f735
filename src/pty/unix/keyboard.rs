//! The terminal that this process is on, as where somebody types: its modes, what is typed, read in
//! the event loop, and what stands in for it.

use std::{
    ffi::CStr,
    io,
    os::fd::OwnedFd,
    process::Stdio,
    sync::{Mutex, OnceLock, PoisonError},
};

use rustix::{
    event::PollFlags,
    fs::{Mode, OFlags},
    io::{fcntl_dupfd_cloexec, ioctl_fionbio, retry_on_intr},
    stdio::{dup2_stdin, stdin, stdout},
    termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr, ttyname},
};
use tokio::io::{Interest, unix::AsyncFd};

use super::{
    ready::is_ready,
    stream::register,
    terminal::{has_the_terminal, open_master, open_slave},
};

/// Whether the terminal showed what is typed, while it is not to.
static ECHO_BEFORE: Mutex<Option<bool>> = Mutex::new(None);
/// The modes of the terminal as they were when it was made raw last.
static MODES_FOUND: Mutex<Option<Found>> = Mutex::new(None);

/// Modes, and whether they are still to be put back.
#[derive(Debug)]
struct Found {
    modes: Termios,
    is_raw: bool,
}

/// Where this process is typed to.
static KEYBOARD: OnceLock<OwnedFd> = OnceLock::new();

/// What standard input was when it was first asked for, unless that was said to be something else:
/// something else may stand in for it since.
pub(super) fn keyboard() -> io::Result<&'static OwnedFd> {
    if let Some(keyboard) = KEYBOARD.get() {
        return Ok(keyboard);
    }
    let keyboard = fcntl_dupfd_cloexec(stdin(), 3)?;
    Ok(KEYBOARD.get_or_init(|| keyboard))
}

/// Has this process be typed to on the terminal that standard output is, since standard input is
/// something else. To be called before anything else is asked of the keyboard.
///
/// # Errors
/// When standard output is no terminal, or that can't be opened.
pub fn type_on_output_terminal() -> io::Result<()> {
    let open = |name: &CStr| open_slave(name, OFlags::empty());
    let name = ttyname(stdout(), Vec::new())?;
    // The first may be another user's, after `su` say.
    let terminal = open(&name).or_else(|_| open(c"/dev/tty"))?;
    let _ = KEYBOARD.set(terminal);
    Ok(())
}

/// Makes the terminal on standard input raw (cfmakeraw(3)), or puts its modes back.
///
/// # Errors
/// When it has no such mode.
pub fn set_raw_mode(raw: bool) -> io::Result<()> {
    let mut found = MODES_FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let keyboard = keyboard()?;
    let was_raw = found.as_ref().is_some_and(|found| found.is_raw);
    if raw && !was_raw {
        let modes = tcgetattr(keyboard)?;
        let mut raw = modes.clone();
        raw.make_raw();
        tcsetattr(keyboard, OptionalActions::Now, &raw)?;
        *found = Some(Found { modes, is_raw: true });
    } else if !raw && let Some(found) = found.as_mut().filter(|found| found.is_raw) {
        tcsetattr(keyboard, OptionalActions::Now, &found.modes)?;
        found.is_raw = false;
    }
    Ok(())
}

/// Puts the modes of the terminal back as they were found when it was made raw last, also where that was done
/// before: an editor of this process may have changed them since.
pub fn put_modes_back() {
    let mut found = MODES_FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    // In the background it would be stopped for that.
    if let Some(found) = found.as_mut().filter(|found| found.is_raw || has_the_terminal())
        && let Ok(keyboard) = keyboard()
    {
        let _ = tcsetattr(keyboard, OptionalActions::Now, &found.modes);
        found.is_raw = false;
    }
}

/// Has the terminal on standard input not show what is typed there, or puts back what it did before.
///
/// # Errors
/// When it has no such mode.
pub fn show_typing(on: bool) -> io::Result<()> {
    let mut before = ECHO_BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    let keyboard = keyboard()?;
    let mut modes = tcgetattr(keyboard)?;
    let found = modes.local_modes.contains(LocalModes::ECHO);
    let echo = match on {
        true => before.take().unwrap_or(found),
        false => {
            before.get_or_insert(found);
            false
        }
    };
    modes.local_modes.set(LocalModes::ECHO, echo);
    tcsetattr(keyboard, OptionalActions::Now, &modes)?;
    Ok(())
}

/// Standard input as it was found, for a program of this process.
///
/// # Errors
/// When there is no descriptor to be had.
pub fn keyboard_for_program() -> io::Result<Stdio> {
    Ok(keyboard()?.try_clone()?.into())
}

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
        let terminal = register(keyboard()?.try_clone()?, Interest::READABLE)?;
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
            return match retry_on_intr(|| rustix::io::read(&self.terminal, &mut *buffer)) {
                // The other end is closed (Linux).
                Err(rustix::io::Errno::IO) => Ok(0),
                read => Ok(read?),
            };
        }
    }

    fn is_readable(&self) -> io::Result<bool> {
        Ok(is_ready(&self.terminal, PollFlags::IN)?)
    }
}

/// What stands in for the terminal on standard input, until this is dropped: a library that reads keys
/// there reads what is given here.
///
/// There is one in a process: such a library goes on waiting for the one that it found first.
#[derive(Debug)]
pub struct EditorInput {
    given: &'static OwnedFd,
}

/// Both ends: where it is given, and where it is read. Neither waits.
type Ends = (OwnedFd, OwnedFd);

static STAND_IN: OnceLock<Ends> = OnceLock::new();

/// What stands in, of which `reader` has to be told the first time. That looks for a terminal on standard
/// input, and reads whatever is there later.
fn stand_in(reader: impl FnOnce() -> io::Result<()>) -> io::Result<&'static Ends> {
    if let Some(ends) = STAND_IN.get() {
        return Ok(ends);
    }
    let terminal = raw_terminal()?;
    dup2_stdin(&terminal.1)?;
    reader()?;
    // A terminal would have each key wait for a worker of the kernel (Linux). But who finds none on standard
    // input changes the modes of the controlling terminal, which is then to be the one that is raw already.
    let ends = if is_controlling(keyboard()?) { short_pipe()? } else { terminal };
    Ok(STAND_IN.get_or_init(|| ends))
}

/// A terminal of this process's own, which is nobody's controlling terminal.
fn raw_terminal() -> io::Result<Ends> {
    let (master, name) = open_master()?;
    let slave = open_slave(&name, OFlags::NONBLOCK)?;
    let mut modes = tcgetattr(&slave)?;
    modes.make_raw();
    tcsetattr(&slave, OptionalActions::Now, &modes)?;
    ioctl_fionbio(&master, true)?;
    Ok((master, slave))
}

/// A pipe: unlike a socket, it holds as many bytes however few of them are written at once.
fn short_pipe() -> io::Result<Ends> {
    let (read, write) = io::pipe()?;
    let ends = (OwnedFd::from(write), OwnedFd::from(read));
    for end in [&ends.0, &ends.1] {
        ioctl_fionbio(end, true)?;
    }
    Ok(ends)
}

/// Whether this is the terminal that `/dev/tty` is for this process: no other tells its foreground (POSIX).
fn is_controlling(terminal: &OwnedFd) -> bool {
    let opened = rustix::fs::open("/dev/tty", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
    tcgetpgrp(terminal).is_ok() && opened.is_ok()
}

impl EditorInput {
    /// Whether an editor asks its terminal where the cursor is, and takes the answer from what it reads.
    pub const ASKS_TERMINAL: bool = true;

    /// Puts it in place. `reader` is called once in a process, to find a terminal on standard input that
    /// it will go on to read; it is not to read anything yet.
    ///
    /// # Errors
    /// When there is nothing to be had that can stand there, and the errors of `reader`.
    pub fn new(reader: impl FnOnce() -> io::Result<()>) -> io::Result<EditorInput> {
        let keyboard = keyboard()?;
        let (given, read) = stand_in(reader).inspect_err(|_| {
            let _ = dup2_stdin(keyboard);
        })?;
        // What an earlier editor was given and has not read.
        let mut left = [0; 4096];
        while let Ok(1..) = retry_on_intr(|| rustix::io::read(read, &mut left)) {}
        dup2_stdin(read)?;
        Ok(EditorInput { given })
    }

    /// Gives it to who reads. It holds 4,095 bytes that nobody has read.
    ///
    /// # Errors
    /// When it can't be written to, or holds no more.
    pub fn give(&self, bytes: &[u8]) -> io::Result<()> {
        write_all(self.given, bytes)
    }
}

/// A line editor's turn, until this is dropped. Nobody else reads what it is given, so that it may read when it
/// likes.
#[derive(Debug)]
pub struct EditorTurn(());

impl EditorTurn {
    /// It begins.
    pub fn begin() -> EditorTurn {
        EditorTurn(())
    }

    /// To be called each time before the editor reads, from its thread.
    pub fn wait(&mut self) {}
}

/// Gives this to who reads what is in the place of standard input, behind what was given before, from any
/// thread. Nothing where there was never such a place.
pub fn give_to_editor(bytes: &[u8]) {
    if let Some((given, _)) = STAND_IN.get() {
        // Where it can't be told, it waits as for a terminal that does not answer.
        let _ = write_all(given, bytes);
    }
}

fn write_all(given: &OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = retry_on_intr(|| rustix::io::write(given, bytes))?;
        bytes = &bytes[count..];
    }
    Ok(())
}

impl Drop for EditorInput {
    fn drop(&mut self) {
        if let Ok(keyboard) = keyboard() {
            let _ = dup2_stdin(keyboard);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use tokio::signal::unix::{SignalKind, signal};

    use super::*;

    #[test]
    fn all_that_is_given_key_by_key_waits_until_it_is_read() {
        for (given, read) in [short_pipe().unwrap(), raw_terminal().unwrap()] {
            for _ in 0..4095 {
                write_all(&given, b"k").unwrap();
            }
            let (mut left, mut keys) = ([0; 4096], 0);
            while keys < 4095 {
                match rustix::io::read(&read, &mut left) {
                    Ok(count) => keys += count,
                    // The kernel passes on what a terminal is given.
                    Err(rustix::io::Errno::AGAIN) => std::thread::yield_now(),
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(keys, 4095);
        }
        // What is more is not lost without a word.
        let (given, _read) = short_pipe().unwrap();
        assert!(write_all(&given, &vec![b'k'; 1 << 20]).is_err());
    }

    #[tokio::test]
    async fn what_is_typed_is_read_while_signals_come() {
        let (keyboard, typing) = rustix::pipe::pipe().unwrap();
        let input = TerminalInput { terminal: register(keyboard, Interest::READABLE).unwrap() };
        let _heeded = signal(SignalKind::window_change()).unwrap();
        // SAFETY: the function takes no memory.
        let this = unsafe { libc::pthread_self() };
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = is_over.clone();
        let signals = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                // SAFETY: the thread waits for this one before it ends.
                unsafe { libc::pthread_kill(this, libc::SIGWINCH) };
            }
        });
        // Nothing is typed behind what was read, which is looked for.
        let mut looked = Ok(false);
        for _ in 0..500 {
            retry_on_intr(|| rustix::io::write(&typing, b"x")).unwrap();
            looked = match input.read(&mut [0; 8]).await {
                Ok(_) => input.is_readable(),
                Err(error) => Err(error),
            };
            if looked.is_err() {
                break;
            }
        }
        is_over.store(true, Ordering::Relaxed);
        signals.join().unwrap();
        assert!(!looked.unwrap());
    }
}
