//! The worker's own hold on its terminal: output, input, modes, and what to do after a cell.
//!
//! All goes through a duplicate of the terminal's descriptor, since the program may close or
//! redirect its standard streams.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, open},
    io::{Errno, read, write},
    process::{Signal, getpgrp, kill_process_group},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout, stderr, stdin, stdout},
    termios::{
        Action, InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcflow,
        tcgetattr, tcgetpgrp, tcsetattr, tcsetpgrp,
    },
};

use super::{
    descriptor::{FileIdentity, make_private, private_copy},
    processes, signals,
};

/// The worker's terminal.
#[derive(Debug)]
pub(crate) struct WorkerTerminal {
    output: OwnedFd,
    /// An open file description of its own that does not block; the output's where that can't
    /// be had.
    input: Option<OwnedFd>,
    /// The terminal itself.
    identity: Option<FileIdentity>,
    /// The modes a cell finds, captured before the first.
    modes: OnceLock<Termios>,
}

impl WorkerTerminal {
    /// Takes a duplicate of standard input, which the server made the terminal.
    ///
    /// # Errors
    /// When it is closed, or the process has as many descriptors as it may.
    pub(crate) fn open() -> io::Result<WorkerTerminal> {
        let output = private_copy(stdin())?;
        let terminal = WorkerTerminal {
            input: reopen(&output),
            identity: FileIdentity::of(&output),
            output,
            modes: OnceLock::new(),
        };
        if let Some(modes) = terminal.modes() {
            let _ = terminal.modes.set(modes);
        }
        Ok(terminal)
    }

    fn input(&self) -> BorrowedFd<'_> {
        self.input.as_ref().unwrap_or(&self.output).as_fd()
    }

    /// What its two descriptors, for output and input, stand for.
    pub(crate) fn identities(&self) -> [Option<FileIdentity>; 2] {
        [self.output.as_fd(), self.input()].map(FileIdentity::of)
    }

    /// Writes all of `bytes`. Without the GIL: the terminal may be slow.
    pub(crate) fn write(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match write(&self.output, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.wait_writable(),
                // The terminal is gone, and the session with it: the sideband tells.
                Err(_) => return,
            }
        }
    }

    /// A program may have made the shared description non-blocking.
    fn wait_writable(&self) {
        let _ = poll(&mut [PollFd::new(&self.output, PollFlags::OUT)], None);
    }

    /// Reads what is there now, without waiting: at most `limit` bytes, none at end of file.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing, and what read(2) fails with.
    pub(crate) fn read(&self, limit: usize) -> io::Result<Vec<u8>> {
        let mut chunk = vec![0; limit];
        let length = read(self.input(), &mut chunk)?;
        chunk.truncate(length);
        Ok(chunk)
    }

    /// Whether there is something to read now.
    pub(crate) fn has_input(&self) -> bool {
        let input = self.input();
        let mut set = [PollFd::new(&input, PollFlags::IN)];
        poll(&mut set, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
            && set[0].revents().contains(PollFlags::IN)
    }

    /// The current modes.
    fn modes(&self) -> Option<Termios> {
        tcgetattr(&self.output).ok()
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        self.modes().is_none_or(|modes| modes.local_modes.contains(LocalModes::ECHO))
    }

    /// Whether the Enter key sends a carriage return, as in raw mode, and nothing makes a
    /// newline of it.
    pub(crate) fn enter_is_return(&self) -> bool {
        self.modes().is_some_and(|modes| !modes.input_modes.contains(InputModes::ICRNL))
    }

    /// Lets output flow again that a program stopped (TCOOFF), and makes writes wait for room
    /// again if it made them not to: all who have the terminal share that flag.
    pub(crate) fn resume_output(&self) {
        let _ = tcflow(&self.output, Action::OOn);
        if let Ok(flags) = fcntl_getfl(&self.output)
            && flags.contains(OFlags::NONBLOCK)
        {
            let _ = fcntl_setfl(&self.output, flags - OFlags::NONBLOCK);
        }
    }

    /// Whether standard input is the terminal.
    pub(crate) fn is_standard_input(&self) -> bool {
        self.is_on(stdin())
    }

    fn is_on(&self, descriptor: BorrowedFd<'_>) -> bool {
        FileIdentity::of(descriptor) == self.identity
    }

    /// Gives the terminal back its modes and its foreground group, and puts it back on the
    /// standard descriptors. Input that nobody read is the server's to drop, who typed it.
    pub(crate) fn restore(&self) {
        self.restore_standard_descriptors();
        self.restore_foreground();
        self.restore_modes();
    }

    /// Gives the terminal back the modes a cell finds.
    pub(crate) fn restore_modes(&self) {
        if let (Some(before), Some(now)) = (self.modes.get(), self.modes())
            && !are_same(before, &now)
        {
            let _ = tcsetattr(&self.output, OptionalActions::Drain, before);
        }
    }

    fn restore_foreground(&self) {
        let own = getpgrp();
        if tcgetpgrp(&self.output) == Ok(own) {
            return;
        }
        // A background process that calls tcsetpgrp is stopped by SIGTTOU otherwise (POSIX).
        let _ = signals::with_blocked(libc::SIGTTOU, || tcsetpgrp(&self.output, own));
    }

    /// A cell may have closed or redirected descriptors 0 to 2.
    fn restore_standard_descriptors(&self) {
        if !self.is_on(stdin()) {
            let _ = dup2_stdin(&self.output);
        }
        if !self.is_on(stdout()) {
            let _ = dup2_stdout(&self.output);
        }
        if !self.is_on(stderr()) {
            let _ = dup2_stderr(&self.output);
        }
    }

    /// Interrupts the foreground group, as the terminal does for Ctrl-C; our own where nobody
    /// of that lives.
    pub(crate) fn interrupt_foreground(&self) {
        let own = getpgrp();
        let foreground = tcgetpgrp(&self.output).ok().filter(|&group| {
            (group == own || processes::has_living(group))
                && kill_process_group(group, Signal::INT).is_ok()
        });
        let _ = match foreground {
            // A stopped program gets the signal only when it goes on.
            Some(group) => kill_process_group(group, Signal::CONT),
            None => kill_process_group(own, Signal::INT),
        };
    }
}

/// Writes to the controlling terminal when no descriptor of ours can be relied on. Once.
pub(crate) fn write_to_controlling_terminal(text: &[u8]) {
    static WRITTEN: AtomicBool = AtomicBool::new(false);
    if WRITTEN.swap(true, Ordering::Relaxed) {
        return;
    }
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    if let Ok(terminal) = open("/dev/tty", flags, Mode::empty()) {
        let _ = tcflow(&terminal, Action::OOn);
        let _ = write(&terminal, text);
    }
}

/// Opens the terminal anew, not to block.
fn reopen(terminal: &OwnedFd) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let path = format!("/dev/fd/{}", terminal.as_raw_fd());
    open(path, flags, Mode::empty()).ok().map(make_private)
}

/// The special characters of POSIX and of the systems this runs on.
const SPECIAL_CODES: [SpecialCodeIndex; 16] = [
    SpecialCodeIndex::VINTR,
    SpecialCodeIndex::VQUIT,
    SpecialCodeIndex::VERASE,
    SpecialCodeIndex::VKILL,
    SpecialCodeIndex::VEOF,
    SpecialCodeIndex::VTIME,
    SpecialCodeIndex::VMIN,
    SpecialCodeIndex::VSTART,
    SpecialCodeIndex::VSTOP,
    SpecialCodeIndex::VSUSP,
    SpecialCodeIndex::VEOL,
    SpecialCodeIndex::VREPRINT,
    SpecialCodeIndex::VDISCARD,
    SpecialCodeIndex::VWERASE,
    SpecialCodeIndex::VLNEXT,
    SpecialCodeIndex::VEOL2,
];

fn are_same(a: &Termios, b: &Termios) -> bool {
    (a.input_modes, a.output_modes, a.control_modes, a.local_modes)
        == (b.input_modes, b.output_modes, b.control_modes, b.local_modes)
        && SPECIAL_CODES.iter().all(|&code| a.special_codes[code] == b.special_codes[code])
}
