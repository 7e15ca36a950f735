//! The console that this process is on, as where somebody types: its modes, and what is typed, in the event
//! loop.

use std::{
    fs::OpenOptions,
    io,
    os::windows::io::{AsRawHandle, BorrowedHandle, OwnedHandle},
    process::Stdio,
    ptr,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use tokio::sync::Notify;
use windows_sys::Win32::{
    Foundation::WAIT_OBJECT_0,
    System::{
        Console::{
            CONSOLE_MODE, DISABLE_NEWLINE_AUTO_RETURN, ENABLE_ECHO_INPUT, ENABLE_PROCESSED_OUTPUT,
            ENABLE_VIRTUAL_TERMINAL_INPUT, ENABLE_VIRTUAL_TERMINAL_PROCESSING, ENABLE_WINDOW_INPUT,
            GetConsoleMode, GetNumberOfConsoleInputEvents, GetStdHandle, INPUT_RECORD, KEY_EVENT,
            MENU_EVENT, ReadConsoleInputW, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetConsoleMode,
            WINDOW_BUFFER_SIZE_EVENT,
        },
        Threading::{CreateEventW, INFINITE, SetEvent, WaitForMultipleObjects},
    },
};

use super::{
    editor,
    handle::{check, owned},
    keys::{Decoder, Key},
};

/// How many events are taken at once.
const MOST_EVENTS: usize = 128;

/// The mode of a console that is typed to as to a raw terminal.
const RAW: CONSOLE_MODE = ENABLE_VIRTUAL_TERMINAL_INPUT | ENABLE_WINDOW_INPUT;

/// Ctrl-C.
const INTERRUPT: u8 = 0x03;

/// Where this process is typed to.
static KEYBOARD: OnceLock<OwnedHandle> = OnceLock::new();
/// The modes of the console before it was made raw: of what is typed, and of what is printed.
static MODES_BEFORE: Mutex<Option<(CONSOLE_MODE, Option<CONSOLE_MODE>)>> = Mutex::new(None);
/// Whether the console showed what is typed, while it is not to.
static ECHO_BEFORE: Mutex<Option<bool>> = Mutex::new(None);

/// The console was given another size, as told between the keys.
pub(super) static RESIZED: Notify = Notify::const_new();

/// What was typed and is not handed on yet.
static TYPED: Mutex<Typed> = Mutex::new(Typed::new());
/// There is something for who reads that no event tells of: the console is this process's again, after it was
/// a line editor's, or Ctrl-C was pressed.
pub(super) static MORE: Notify = Notify::const_new();

/// What was typed on the console, as far as it was taken there.
#[derive(Debug)]
pub(super) struct Typed {
    decoder: Decoder,
    bytes: Vec<u8>,
    /// Whether the console's events are a line editor's at the moment: who locks this alone takes them.
    pub(super) is_lent: bool,
    /// How many of the events that come next were written for a line editor.
    own: u32,
    /// How many read it.
    readers: usize,
}

impl Typed {
    /// Begins the number in front of events that were written for a line editor; how many is in the rest of it.
    pub(super) const OWN: u32 = 0x5e0f_0000;

    const fn new() -> Typed {
        Typed { decoder: Decoder::new(), bytes: Vec::new(), is_lent: false, own: 0, readers: 0 }
    }

    /// How many events behind this one were written for a line editor, if it says so.
    pub(super) fn own(event: &INPUT_RECORD) -> Option<u32> {
        if u32::from(event.EventType) != MENU_EVENT {
            return None;
        }
        // SAFETY: the kind of event says which of the union's it is.
        let number = unsafe { event.Event.MenuEvent.dwCommandId };
        (number & !0xffff == Self::OWN).then_some(number & 0xffff)
    }

    /// For who is to take the console's events, or to lend them.
    pub(super) fn lock() -> MutexGuard<'static, Typed> {
        TYPED.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all events that there are, without waiting. Who is to know that the console was given another size
    /// is told.
    ///
    /// # Errors
    /// When the console can't be read.
    pub(super) fn take_events(&mut self, console: &impl AsRawHandle) -> io::Result<()> {
        loop {
            let events = events(console)?;
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                if self.own > 0 {
                    self.own -= 1;
                    continue;
                }
                self.own = Self::own(&event).unwrap_or(0);
                match u32::from(event.EventType) {
                    // SAFETY: the kind of event says which of the union's it is; both of a character's
                    // are numbers.
                    KEY_EVENT => unsafe {
                        let key = event.Event.KeyEvent;
                        let key = Key {
                            is_down: key.bKeyDown != 0,
                            key: key.wVirtualKeyCode,
                            unit: key.uChar.UnicodeChar,
                            count: key.wRepeatCount,
                            held: key.dwControlKeyState,
                        };
                        self.decoder.push(key, &mut self.bytes);
                    },
                    WINDOW_BUFFER_SIZE_EVENT => {
                        RESIZED.notify_one();
                        editor::resized();
                    }
                    _ => {}
                }
            }
        }
    }
}

/// What standard input was when it was first asked for, unless that was said to be something else.
pub(super) fn keyboard() -> io::Result<&'static OwnedHandle> {
    if let Some(keyboard) = KEYBOARD.get() {
        return Ok(keyboard);
    }
    // SAFETY: a standard handle stays open.
    let input = unsafe { BorrowedHandle::borrow_raw(GetStdHandle(STD_INPUT_HANDLE)) };
    let keyboard = input.try_clone_to_owned()?;
    Ok(KEYBOARD.get_or_init(|| keyboard))
}

/// The mode of a console.
pub(super) fn mode_of(console: &impl AsRawHandle) -> io::Result<CONSOLE_MODE> {
    let mut mode = 0;
    // SAFETY: the handle is open; `mode` takes what is written.
    unsafe { check(GetConsoleMode(console.as_raw_handle(), &mut mode))? };
    Ok(mode)
}

/// Sets the mode of a console.
pub(super) fn set_mode(console: &impl AsRawHandle, mode: CONSOLE_MODE) -> io::Result<()> {
    // SAFETY: the handle is open; no memory is taken.
    unsafe { check(SetConsoleMode(console.as_raw_handle(), mode)) }
}

/// Has this process be typed to on its console, since standard input is something else. To be called
/// before anything else is asked of the keyboard.
///
/// # Errors
/// When it has no console.
pub fn type_on_output_terminal() -> io::Result<()> {
    let console = OpenOptions::new().read(true).write(true).open("CONIN$")?;
    let _ = KEYBOARD.set(console.into());
    Ok(())
}

/// Whether standard input is a console. There is no background here.
pub fn has_the_terminal() -> bool {
    keyboard().and_then(mode_of).is_ok()
}

/// Has each key of the console come as a terminal sends it and not be shown, and what is printed be taken
/// as a terminal does; or puts its modes back.
///
/// # Errors
/// When it has no such mode.
pub fn set_raw_mode(raw: bool) -> io::Result<()> {
    let mut before = MODES_BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    let keyboard = keyboard()?;
    // SAFETY: a standard handle stays open. That of a process without one has no mode.
    let output = unsafe { BorrowedHandle::borrow_raw(GetStdHandle(STD_OUTPUT_HANDLE)) };
    if raw && before.is_none() {
        let found = (mode_of(keyboard)?, mode_of(&output).ok());
        set_mode(keyboard, RAW)?;
        if found.1.is_some() {
            let modes = ENABLE_PROCESSED_OUTPUT
                | ENABLE_VIRTUAL_TERMINAL_PROCESSING
                | DISABLE_NEWLINE_AUTO_RETURN;
            if let Err(error) = set_mode(&output, modes) {
                let _ = set_mode(keyboard, found.0);
                return Err(error);
            }
        }
        *before = Some(found);
    } else if !raw && let Some((typed, printed)) = before.take() {
        if let Some(printed) = printed {
            let _ = set_mode(&output, printed);
        }
        set_mode(keyboard, typed)?;
    }
    Ok(())
}

/// Makes the console raw again, if it is to be: a line editor left it otherwise.
pub(super) fn make_raw_after_editor() {
    let before = MODES_BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Some(_), Ok(keyboard)) = (&*before, keyboard()) {
        let _ = set_mode(keyboard, RAW);
    }
}

/// Puts the modes of the console back as they were found, if it is raw.
pub fn put_modes_back() {
    let _ = set_raw_mode(false);
}

/// Has the console not show what is typed there, or puts back what it did before.
///
/// # Errors
/// When it has no such mode.
pub fn show_typing(on: bool) -> io::Result<()> {
    let mut before = ECHO_BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
    let keyboard = keyboard()?;
    let mode = mode_of(keyboard)?;
    let found = mode & ENABLE_ECHO_INPUT != 0;
    let echo = match on {
        true => before.take().unwrap_or(found),
        false => {
            before.get_or_insert(found);
            false
        }
    };
    let mode = if echo { mode | ENABLE_ECHO_INPUT } else { mode & !ENABLE_ECHO_INPUT };
    set_mode(keyboard, mode)
}

/// Standard input as it was found, for a program of this process.
///
/// # Errors
/// When there is no handle to be had.
pub fn keyboard_for_program() -> io::Result<Stdio> {
    Ok(keyboard()?.try_clone()?.into())
}

/// Standard input that is a console. Others may read it as well, when this one does not: nothing is read
/// ahead but what a caller's buffer had no room for, and what was typed before a line editor got its turn.
#[derive(Debug)]
pub struct TerminalInput {
    console: OwnedHandle,
}

impl TerminalInput {
    /// Standard input, in the running event loop.
    ///
    /// # Errors
    /// When it is no console.
    pub fn new() -> io::Result<TerminalInput> {
        let console = keyboard()?.try_clone()?;
        mode_of(&console)?;
        Typed::lock().readers += 1;
        Ok(TerminalInput { console })
    }

    /// Reads what was typed. Cancel safe.
    ///
    /// # Errors
    /// When the console can't be read.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            // It hears of what happens from here on.
            let more = MORE.notified();
            match self.take(buffer)? {
                None => more.await,
                Some(0) if !buffer.is_empty() => tokio::select! {
                    typed = self.typed() => typed?,
                    () = more => {}
                },
                Some(length) => return Ok(length),
            }
        }
    }

    /// What there is, without waiting; `None` while a line editor has its turn.
    fn take(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let mut typed = Typed::lock();
        if typed.bytes.is_empty() {
            if typed.is_lent {
                return Ok(None);
            }
            typed.take_events(&self.console)?;
        }
        let length = typed.bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&typed.bytes[..length]);
        typed.bytes.drain(..length);
        Ok(Some(length))
    }

    /// Waits until there is an event. A thread does it, which goes when nobody waits any more.
    async fn typed(&self) -> io::Result<()> {
        // SAFETY: no memory is taken; the handle is nobody else's.
        let stop = unsafe { owned(CreateEventW(ptr::null(), 1, 0, ptr::null())) }?;
        let stop = Arc::new(stop);
        let _stops = Stop(stop.clone());
        let console = self.console.try_clone()?;
        let waiting = tokio::task::spawn_blocking(move || {
            let handles = [console.as_raw_handle(), stop.as_raw_handle()];
            // SAFETY: both are open, and as many as is said.
            let which = unsafe { WaitForMultipleObjects(2, handles.as_ptr(), 0, INFINITE) };
            if (WAIT_OBJECT_0..WAIT_OBJECT_0 + 2).contains(&which) {
                Ok(())
            } else {
                Err(io::Error::last_os_error())
            }
        });
        waiting.await.map_err(io::Error::other)?
    }
}

/// Ends a wait when it is dropped.
struct Stop(Arc<OwnedHandle>);

impl Drop for Stop {
    fn drop(&mut self) {
        // SAFETY: the handle is open; no memory is taken.
        unsafe { SetEvent(self.0.as_raw_handle()) };
    }
}

impl Drop for TerminalInput {
    fn drop(&mut self) {
        Typed::lock().readers -= 1;
    }
}

/// Has Ctrl-C be typed for which the console made an event, if it was to be a key: a line editor that has just
/// ended leaves the console's mode otherwise for a moment. Whether it was.
pub(super) fn type_interrupt() -> bool {
    let is_raw = MODES_BEFORE.lock().unwrap_or_else(PoisonError::into_inner).is_some();
    let mut typed = Typed::lock();
    let is_key = is_raw && typed.readers > 0;
    if is_key {
        typed.bytes.push(INTERRUPT);
        MORE.notify_waiters();
    }
    is_key
}

/// As many events as there are, up to so many at once, without waiting.
fn events(console: &impl AsRawHandle) -> io::Result<Vec<INPUT_RECORD>> {
    let (handle, mut count) = (console.as_raw_handle(), 0);
    let mut events = vec![INPUT_RECORD::default(); MOST_EVENTS];
    // SAFETY: the handle is open, the places take what is written, and there is room for as many as
    // are asked for. With none there it would wait.
    unsafe {
        check(GetNumberOfConsoleInputEvents(handle, &mut count))?;
        if count > 0 {
            let room = MOST_EVENTS as u32;
            check(ReadConsoleInputW(handle, events.as_mut_ptr(), room, &mut count))?;
        }
    }
    events.truncate(count as usize);
    Ok(events)
}
