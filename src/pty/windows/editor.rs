//! What a line editor in this process reads in the place of the keyboard.
//!
//! Such a library reads the events of its process's console, and nothing can stand in that one's place. So what
//! it is given is written to the console as events; it reads them while nobody else does, and nothing but them:
//! it is let read once they are all that is there, and reads no further than their end, at which it believes
//! that a line ended. All that is typed is read before and after.

use std::{
    collections::VecDeque,
    io,
    os::windows::io::AsRawHandle,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use windows_sys::Win32::System::Console::{
    COORD, ENABLE_VIRTUAL_TERMINAL_INPUT, INPUT_RECORD, INPUT_RECORD_0, KEY_EVENT,
    KEY_EVENT_RECORD, KEY_EVENT_RECORD_0, MENU_EVENT, MENU_EVENT_RECORD, MOUSE_EVENT,
    MOUSE_EVENT_RECORD, MOUSE_MOVED, PeekConsoleInputW, WINDOW_BUFFER_SIZE_EVENT,
    WINDOW_BUFFER_SIZE_RECORD, WriteConsoleInputW,
};

use super::{
    handle::check,
    keyboard::{MORE, Typed, keyboard, make_raw_after_editor, mode_of, set_mode},
    keys::RETURN,
    records::{Record, records},
};

/// What editors were given and have not read.
static GIVEN: Mutex<Given> = Mutex::new(Given::new());
/// They were given something.
static ARRIVED: Condvar = Condvar::new();

#[derive(Debug)]
struct Given {
    records: VecDeque<Record>,
    /// Whether the console was given another size since.
    is_resized: bool,
}

impl Given {
    const fn new() -> Given {
        Given { records: VecDeque::new(), is_resized: false }
    }

    fn lock() -> MutexGuard<'static, Given> {
        GIVEN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is read at once: up to Enter, as events of the console. Empty while there is nothing.
    fn take(&mut self) -> Vec<INPUT_RECORD> {
        let enter = self.records.iter().position(|record| *record == Record::ENTER);
        let count = enter.map_or(self.records.len(), |at| at + 1);
        let resize = std::mem::take(&mut self.is_resized).then(resize_event);
        let events = self.records.drain(..count).map(event);
        let mut events: Vec<INPUT_RECORD> = resize.into_iter().chain(events).collect();
        if enter.is_none() && !events.is_empty() {
            // A key that is let go, which is nobody's, but ends what is read at once.
            events.push(key_event(RETURN, 0, 0, false));
        }
        events
    }
}

/// What is given to a line editor. There is one in a process.
#[derive(Debug)]
pub struct EditorInput(());

impl EditorInput {
    /// Whether an editor asks its terminal where the cursor is: here it asks the system.
    pub const ASKS_TERMINAL: bool = false;

    /// For editors that begin from here on. `reader` is not needed: it finds the console when it reads.
    ///
    /// # Errors
    /// When standard input is no console.
    pub fn new(_reader: impl FnOnce() -> io::Result<()>) -> io::Result<EditorInput> {
        mode_of(keyboard()?)?;
        // What an earlier editor was given and has not read.
        Given::lock().records.clear();
        Ok(EditorInput(()))
    }

    /// Gives it to who reads: whole keys.
    ///
    /// # Errors
    /// Never.
    pub fn give(&self, bytes: &[u8]) -> io::Result<()> {
        give_to_editor(bytes);
        Ok(())
    }
}

/// Gives this to the editor, behind what was given before, from any thread.
pub fn give_to_editor(bytes: &[u8]) {
    Given::lock().records.extend(records(bytes));
    ARRIVED.notify_one();
}

/// The console was given another size, of which an editor is told as well.
pub(super) fn resized() {
    Given::lock().is_resized = true;
    ARRIVED.notify_one();
}

/// A line editor's turn, until this is dropped.
#[derive(Debug)]
pub struct EditorTurn(());

impl EditorTurn {
    /// It begins.
    pub fn begin() -> EditorTurn {
        // It asks for the size itself when it begins.
        Given::lock().is_resized = false;
        EditorTurn(())
    }

    /// To be called each time before the editor reads, from its thread: waits until there is something that it
    /// was given, and lets it read that. It then reads until it has come to a line's end.
    pub fn wait(&mut self) {
        give_back();
        let mut given = Given::lock();
        let mut events = given.take();
        while events.is_empty() {
            given = ARRIVED.wait(given).unwrap_or_else(PoisonError::into_inner);
            events = given.take();
        }
        drop(given);
        // From a console that is gone it reads of that itself.
        let _ = lend(events);
    }
}

impl Drop for EditorTurn {
    fn drop(&mut self) {
        // It leaves the console as it would a shell's.
        make_raw_after_editor();
        give_back();
    }
}

/// The console's events are for who reads the keyboard again.
fn give_back() {
    Typed::lock().is_lent = false;
    MORE.notify_waiters();
}

/// Has these be all events that the console has, and nobody else take them.
fn lend(mut events: Vec<INPUT_RECORD>) -> io::Result<()> {
    events.insert(0, mark_event(events.len()));
    let console = keyboard()?;
    let mut typed = Typed::lock();
    loop {
        typed.take_events(console)?;
        write(console, &events)?;
        // Else something came in between, and they are taken off again with it.
        if are_first(console)? {
            typed.is_lent = true;
            return Ok(());
        }
    }
}

/// What says that so many events behind it were written for a line editor. It is one of the console's own, which
/// others pass over.
fn mark_event(count: usize) -> INPUT_RECORD {
    let mark = MENU_EVENT_RECORD { dwCommandId: Typed::OWN | count as u32 };
    INPUT_RECORD { EventType: MENU_EVENT as u16, Event: INPUT_RECORD_0 { MenuEvent: mark } }
}

fn resize_event() -> INPUT_RECORD {
    let size = INPUT_RECORD_0 { WindowBufferSizeEvent: WINDOW_BUFFER_SIZE_RECORD::default() };
    INPUT_RECORD { EventType: WINDOW_BUFFER_SIZE_EVENT as u16, Event: size }
}

fn event(record: Record) -> INPUT_RECORD {
    match record {
        Record::Key { key, unit, held } => key_event(key, unit, held, true),
        Record::Mouse { column, held } => {
            let mouse = MOUSE_EVENT_RECORD {
                dwMousePosition: COORD { X: column.cast_signed(), Y: 0 },
                dwControlKeyState: held,
                dwEventFlags: MOUSE_MOVED,
                ..MOUSE_EVENT_RECORD::default()
            };
            INPUT_RECORD {
                EventType: MOUSE_EVENT as u16,
                Event: INPUT_RECORD_0 { MouseEvent: mouse },
            }
        }
    }
}

fn key_event(key: u16, unit: u16, held: u32, is_down: bool) -> INPUT_RECORD {
    let key = KEY_EVENT_RECORD {
        bKeyDown: is_down.into(),
        wRepeatCount: 1,
        wVirtualKeyCode: key,
        wVirtualScanCode: 0,
        uChar: KEY_EVENT_RECORD_0 { UnicodeChar: unit },
        dwControlKeyState: held,
    };
    INPUT_RECORD { EventType: KEY_EVENT as u16, Event: INPUT_RECORD_0 { KeyEvent: key } }
}

/// Writes them behind what there is, in one piece.
fn write(console: &impl AsRawHandle, events: &[INPUT_RECORD]) -> io::Result<()> {
    let (mode, mut count) = (mode_of(console)?, 0);
    // In the mode that gives sequences it would make some of these, too.
    set_mode(console, mode & !ENABLE_VIRTUAL_TERMINAL_INPUT)?;
    let (handle, length) = (console.as_raw_handle(), events.len() as u32);
    // SAFETY: the handle is open, there are as many events as is said, and `count` takes a number.
    let written = unsafe { check(WriteConsoleInputW(handle, events.as_ptr(), length, &mut count)) };
    set_mode(console, mode)?;
    written
}

/// Whether what was written stands in front of all else.
fn are_first(console: &impl AsRawHandle) -> io::Result<bool> {
    let (mut first, mut count) = (INPUT_RECORD::default(), 0);
    // SAFETY: the handle is open, and there is room for the one event that is asked for.
    unsafe { check(PeekConsoleInputW(console.as_raw_handle(), &mut first, 1, &mut count))? };
    Ok(count == 1 && Typed::own(&first).is_some())
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use windows_sys::Win32::System::Console::ReadConsoleInputW;

    use super::*;
    use crate::pty::{TerminalInput, testing};

    const KEYS: usize = 300;

    /// The characters of keys that are pressed, as a line editor reads events: until a line ends.
    fn read_line() -> io::Result<String> {
        let (console, mut line) = (keyboard()?, String::new());
        loop {
            let (mut event, mut count) = (INPUT_RECORD::default(), 0);
            // SAFETY: the handle is open, and there is room for the one event that is asked for.
            unsafe {
                check(ReadConsoleInputW(console.as_raw_handle(), &mut event, 1, &mut count))?
            };
            if u32::from(event.EventType) != KEY_EVENT {
                continue;
            }
            // SAFETY: the kind of event says which of the union's it is; both of a character's are numbers.
            let (key, unit) =
                unsafe { (event.Event.KeyEvent, event.Event.KeyEvent.uChar.UnicodeChar) };
            if key.wVirtualKeyCode == RETURN {
                return Ok(line);
            }
            line.extend(char::from_u32(unit.into()));
        }
    }

    fn type_key(character: char) {
        let (event, mut count) = (key_event(0, character as u16, 0, true), 0);
        let console = keyboard().unwrap().as_raw_handle();
        // SAFETY: the handle is open, there is one event, and `count` takes a number.
        assert!(unsafe { WriteConsoleInputW(console, &event, 1, &mut count) } != 0);
    }

    /// What is typed, so much of it.
    async fn typed(input: TerminalInput) -> Vec<u8> {
        let (mut typed, mut buffer) = (Vec::new(), [0; 64]);
        while typed.len() < KEYS {
            let reads = tokio::time::timeout(Duration::from_secs(60), input.read(&mut buffer));
            let length = reads.await.expect("what was typed is lost").unwrap();
            typed.extend(&buffer[..length]);
        }
        typed
    }

    #[test]
    fn an_editor_reads_all_that_it_is_given_and_nothing_that_is_typed_meanwhile() {
        let _terminal = testing::terminal();
        let (given, input) = (EditorInput::new(|| Ok(())).unwrap(), TerminalInput::new().unwrap());
        let editor = thread::spawn(|| {
            let (mut turn, mut read) = (EditorTurn::begin(), String::new());
            while read.len() < KEYS {
                turn.wait();
                read += &read_line().unwrap();
            }
            read
        });
        let typist = thread::spawn(|| (0..KEYS).for_each(|_| type_key('x')));
        let giver = thread::spawn(move || {
            for at in 0..KEYS {
                given.give(if at % 7 == 0 { b"b\r" } else { b"a" }).unwrap();
            }
        });
        let event_loop =
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let typed = event_loop.block_on(typed(input));
        typist.join().unwrap();
        giver.join().unwrap();
        let read = editor.join().unwrap();
        assert!(typed.iter().all(|&byte| byte == b'x'), "{typed:?}");
        let expected = (0..KEYS).map(|at| if at % 7 == 0 { 'b' } else { 'a' });
        assert_eq!(read, expected.collect::<String>());
    }
}
