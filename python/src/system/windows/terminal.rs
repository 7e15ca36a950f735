//! The worker's own hold on its console: output, input, modes, and what to do after a cell.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::io::AsRawHandle,
    ptr,
    sync::OnceLock,
};

use windows_sys::Win32::System::Console::{
    CONSOLE_MODE, ENABLE_ECHO_INPUT, ENABLE_LINE_INPUT, ENABLE_PROCESSED_OUTPUT,
    ENABLE_VIRTUAL_TERMINAL_PROCESSING, GetConsoleMode, SetConsoleMode, WriteConsoleW,
};

use super::{connection::FileIdentity, main_thread, processes::end_by_interrupt, stdin, typed};

/// How much is written at once, in UTF-16 units: all consoles take that.
const PART: usize = 8 * 1024;

/// The worker's console.
#[derive(Debug)]
pub(crate) struct WorkerTerminal {
    output: File,
    input: File,
    /// The modes a cell finds, captured before the first: of what is typed, and of what is printed.
    modes: OnceLock<(CONSOLE_MODE, CONSOLE_MODE)>,
}

impl WorkerTerminal {
    /// Takes the console of this process, by handles of its own.
    ///
    /// # Errors
    /// When it has none.
    pub(crate) fn open() -> io::Result<WorkerTerminal> {
        let open = |name| OpenOptions::new().read(true).write(true).open(name);
        let (output, input) = (open("CONOUT$")?, open("CONIN$")?);
        if let Some(mode) = mode_of(&output) {
            // Marks are escape sequences.
            set_mode(&output, mode | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
        }
        let terminal = WorkerTerminal { output, input, modes: OnceLock::new() };
        if let Some(modes) = terminal.modes() {
            let _ = terminal.modes.set(modes);
        }
        Ok(terminal)
    }

    /// What its two handles, for output and input, stand for.
    pub(crate) fn identities(&self) -> [Option<FileIdentity>; 2] {
        [Some(FileIdentity); 2]
    }

    /// Writes all of `bytes`. Without the GIL: the console may be slow.
    pub(crate) fn write(&self, bytes: &[u8]) {
        write(&self.output, bytes);
    }

    /// Reads what was typed, to the end of a line: at most `limit` bytes, none at end of file.
    ///
    /// # Errors
    /// `WouldBlock` when there is nothing, and what the console fails with.
    pub(crate) fn read(&self, limit: usize) -> io::Result<Vec<u8>> {
        typed::read(limit, |text| self.write(text))
    }

    /// Whether there is something to read now.
    pub(crate) fn has_input(&self) -> bool {
        typed::has_key()
    }

    /// The current modes.
    fn modes(&self) -> Option<(CONSOLE_MODE, CONSOLE_MODE)> {
        Some((mode_of(&self.input)?, mode_of(&self.output)?))
    }

    /// Whether what is typed is shown.
    pub(crate) fn echoes(&self) -> bool {
        mode_of(&self.input).is_none_or(|mode| mode & ENABLE_ECHO_INPUT != 0)
    }

    /// Whether the Enter key gives a carriage return and no more.
    pub(crate) fn enter_is_return(&self) -> bool {
        mode_of(&self.input).is_some_and(|mode| mode & ENABLE_LINE_INPUT == 0)
    }

    /// Does something while each key comes by itself, and is not shown.
    pub(crate) fn while_keys_come<T>(&self, action: impl FnOnce() -> T) -> T {
        let before = mode_of(&self.input);
        if let Some(before) = before {
            set_mode(&self.input, before & !(ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT));
        }
        let result = typed::while_by_key(action);
        if let Some(before) = before {
            set_mode(&self.input, before);
        }
        result
    }

    /// A character that was read with one before it and not handed on: the second of a key's two.
    pub(crate) fn take_left(&self) -> Option<char> {
        typed::take_left()
    }

    /// Whether there is such a character, or more.
    pub(crate) fn has_left(&self) -> bool {
        typed::is_there()
    }

    /// The first of the characters for a key that was sent as a terminal does: `first`, and what `more` gives.
    /// The rest is left.
    pub(crate) fn key_sent(&self, first: char, more: impl FnMut() -> Option<u8>) -> char {
        typed::key_sent(first, more)
    }

    /// Does nothing: a console can't be stopped by a program.
    pub(crate) fn resume_output(&self) {}

    /// Whether standard input is a console.
    pub(crate) fn is_standard_input(&self) -> bool {
        stdin::is_terminal()
    }

    /// Gives the console back its modes, and drops what was typed and not read: the server can't.
    pub(crate) fn restore(&self) {
        self.restore_modes();
        typed::drop_unread();
    }

    /// Gives the console back the modes a cell finds.
    pub(crate) fn restore_modes(&self) {
        if let (Some(before), Some(now)) = (self.modes.get(), self.modes()) {
            if before.0 != now.0 {
                set_mode(&self.input, before.0);
            }
            if before.1 != now.1 {
                set_mode(&self.output, before.1);
            }
        }
    }

    /// Interrupts whoever else is on the console, as that does for Ctrl-C, and this process.
    pub(crate) fn interrupt_foreground(&self) {
        main_thread::interrupt_others();
        if main_thread::ends_the_program() {
            end_by_interrupt();
        }
        main_thread::strike();
    }
}

/// Writes to the console when no handle of ours can be relied on. Once.
pub(crate) fn write_to_controlling_terminal(text: &[u8]) {
    if let Ok(output) = OpenOptions::new().write(true).open("CONOUT$") {
        write(&output, text);
    }
}

fn write(output: &File, bytes: &[u8]) {
    let units: Vec<u16> = String::from_utf8_lossy(bytes).encode_utf16().collect();
    let mut rest = &units[..];
    while !rest.is_empty() {
        let (part, mut written) = (rest.len().min(PART) as u32, 0);
        // SAFETY: the handle is open, there are as many units as is said, and `written` takes how many
        // went.
        let done = unsafe {
            let (handle, text) = (output.as_raw_handle(), rest.as_ptr());
            WriteConsoleW(handle, text, part, &mut written, ptr::null())
        };
        if done == 0 || written == 0 {
            // The console is gone, and the session with it: the sideband tells.
            return;
        }
        rest = &rest[(written as usize).min(rest.len())..];
    }
}

fn mode_of(console: &File) -> Option<CONSOLE_MODE> {
    let mut mode = 0;
    // SAFETY: the handle is open; `mode` takes what is written.
    (unsafe { GetConsoleMode(console.as_raw_handle(), &mut mode) } != 0).then_some(mode)
}

fn set_mode(console: &File, mode: CONSOLE_MODE) {
    // SAFETY: the handle is open; no memory is taken.
    unsafe { SetConsoleMode(console.as_raw_handle(), mode) };
}
