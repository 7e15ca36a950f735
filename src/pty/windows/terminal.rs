//! A pseudo-console (ConPTY) and the pipes to it.
//!
//! The console renders what programs print, and writes what a terminal is to show to one pipe; what is
//! typed goes into the other one as a terminal sends it. It does so beside the program: what that
//! printed last may come after its end, and all of it has come when the console is closed.

use std::{
    io,
    os::windows::io::AsRawHandle,
    sync::{Arc, Mutex, PoisonError},
};

use windows_sys::Win32::System::Console::{
    COORD, ClosePseudoConsole, CreatePseudoConsole, HPCON, ResizePseudoConsole,
};

use super::{
    pipe::{Way, pair},
    stream::ByteStream,
};
use crate::{
    pty::Modes,
    screen::{Marks, Size},
};

/// The terminal of a session.
#[derive(Debug)]
pub struct PtyMaster {
    // Dropped first: a console that has nobody to write to is closed without waiting for that.
    io: ByteStream,
    console: Arc<Console>,
    size: Mutex<Size>,
}

/// A pseudo-console until it is closed.
#[derive(Debug)]
pub(super) struct Console {
    open: Mutex<Option<HPCON>>,
    /// Held by who closes it.
    closing: Mutex<()>,
}

impl PtyMaster {
    /// Opens a terminal of this size.
    ///
    /// It is not asked where its cursor is (`PSEUDOCONSOLE_INHERIT_CURSOR`): it would wait for the answer
    /// before it starts, and it starts with an empty page. What else it asks at its start, what the
    /// terminal is, the session's screen answers as it does for any program.
    pub(super) fn open(size: Size) -> io::Result<PtyMaster> {
        let (typed, theirs_in) = pair(Way::Reads)?;
        let (shown, theirs_out) = pair(Way::Writes)?;
        let mut console: HPCON = 0;
        // SAFETY: both handles are open and wait when they are used, as is wanted; the console makes
        // handles of its own of them. `console` takes what is made.
        let result = unsafe {
            let (input, output) = (theirs_in.as_raw_handle(), theirs_out.as_raw_handle());
            CreatePseudoConsole(coordinates(size), input, output, 0, &mut console)
        };
        if result < 0 {
            let error = io::Error::from_raw_os_error(result);
            return Err(io::Error::other(format!("no pseudo-console: {error}")));
        }
        let console =
            Arc::new(Console { open: Mutex::new(Some(console)), closing: Mutex::new(()) });
        Ok(PtyMaster { io: ByteStream::of(shown, typed), console, size: Mutex::new(size) })
    }

    /// How the terminal takes what is typed: as keys, which never wait for a line's end here. What the
    /// console makes of them for its programs, lines, echo and Ctrl-C, is not told on this side of it.
    pub fn modes(&self) -> Option<Modes> {
        self.console.is_open().then_some(Modes { canonical: false, echo: true, signals: true })
    }

    /// What it makes of marks: a console of Windows before Windows Terminal 1.22's paints a page of its own.
    pub fn marks(&self) -> Marks {
        Marks::AsStartTells
    }

    /// The console, for a program.
    pub(super) fn console(&self) -> &Arc<Console> {
        &self.console
    }

    /// Its stream, to read what programs print and to type.
    pub fn io(&self) -> &ByteStream {
        &self.io
    }

    /// False: what programs have not read is in the console, which does not tell.
    pub fn holds_input(&self) -> bool {
        false
    }

    /// Nothing can be dropped of what the console has.
    pub fn drop_input(&self) -> u64 {
        0
    }

    /// The size that it was given last; a program's own change of it is not told.
    pub fn size(&self) -> Option<Size> {
        Some(*self.size.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the size and tells the programs.
    pub fn resize(&self, size: Size) {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = size;
        self.console.resize(size);
    }
}

impl Drop for PtyMaster {
    fn drop(&mut self) {
        // It waits for the programs' ends, which the event loop does not.
        let console = self.console.clone();
        let _ = std::thread::Builder::new().name("console".into()).spawn(move || console.close());
    }
}

impl Console {
    /// Uses the console as long as it is open.
    pub(super) fn with<T>(&self, use_it: impl FnOnce(HPCON) -> T) -> Option<T> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).map(use_it)
    }

    fn is_open(&self) -> bool {
        self.with(|_| ()).is_some()
    }

    fn resize(&self, size: Size) {
        // SAFETY: the console is open as long as it is used; no memory is taken.
        self.with(|console| unsafe { ResizePseudoConsole(console, coordinates(size)) });
    }

    /// Closes it: programs on it are told (`CTRL_CLOSE_EVENT`), and what they printed is handed on.
    /// Returns when that is done, be it by another thread, which takes somebody who reads it, or nobody at
    /// the pipe.
    pub(super) fn close(&self) {
        let _closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        let console = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(console) = console {
            // SAFETY: it was open, and nobody else has it any more.
            unsafe { ClosePseudoConsole(console) };
        }
    }
}

fn coordinates(size: Size) -> COORD {
    let limit = |length: u16| i16::try_from(length).unwrap_or(i16::MAX);
    COORD { X: limit(size.columns), Y: limit(size.rows) }
}
