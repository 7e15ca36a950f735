//! What is typed at the console on standard input, line by line.
//!
//! The console would edit the line itself, and hold up whoever reads until it is ended. So keys are read as
//! they come, and the line is kept here until then: what is more than asked for stays, too. Where a program asks
//! for keys, each is read by itself, and those that give no character are two, as `msvcrt` gives them.

use std::{
    collections::VecDeque,
    io, iter,
    os::windows::io::RawHandle,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use windows_sys::Win32::System::Console::{
    ENABLE_ECHO_INPUT, ENABLE_LINE_INPUT, FlushConsoleInputBuffer, GetConsoleMode,
    GetNumberOfConsoleInputEvents, INPUT_RECORD, KEY_EVENT, KEY_EVENT_RECORD, LEFT_ALT_PRESSED,
    LEFT_CTRL_PRESSED, PeekConsoleInputW, RIGHT_ALT_PRESSED, RIGHT_CTRL_PRESSED, ReadConsoleInputW,
    SHIFT_PRESSED,
};

use super::{
    handle::check,
    keys::{self, Code, Modifiers, Sequence},
    line::{Line, Typed},
    stdin,
};

/// The key that is up once a character was typed by its number (`VK_MENU`).
const ALT: u16 = 0x12;

/// What was read and not handed on.
static LEFT: Mutex<VecDeque<u8>> = Mutex::new(VecDeque::new());

/// The line that is being typed.
static LINE: Mutex<Line> = Mutex::new(Line::new());

/// Set while keys are asked for.
static BY_KEY: AtomicBool = AtomicBool::new(false);

fn left() -> MutexGuard<'static, VecDeque<u8>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether something was read and not handed on.
pub(super) fn is_there() -> bool {
    !left().is_empty()
}

/// Does something while keys are asked for and not lines.
pub(super) fn while_by_key<T>(action: impl FnOnce() -> T) -> T {
    let before = BY_KEY.swap(true, Ordering::Relaxed);
    let result = action();
    BY_KEY.store(before, Ordering::Relaxed);
    result
}

/// A character that was read and not handed on.
pub(super) fn take_left() -> Option<char> {
    let mut left = left();
    let first: Vec<u8> = left.iter().take(char::MAX.len_utf8()).copied().collect();
    // The rest of one that was parted between two reads is none.
    let is_whole = |&length: &usize| std::str::from_utf8(&first[..length]).is_ok();
    let length = (1..=first.len()).find(is_whole).unwrap_or(first.len().min(1));
    left.drain(..length);
    String::from_utf8_lossy(&first[..length]).chars().next()
}

/// Puts back what was read, in front of what else there is.
fn put_back(text: &[u8]) {
    let mut left = left();
    text.iter().rev().for_each(|&byte| left.push_front(byte));
}

/// The key that stands for what a terminal sent, beginning with `first`, of which `more` gives the rest; what
/// is none is put back.
pub(super) fn key_sent(first: char, mut more: impl FnMut() -> Option<u8>) -> char {
    let mut sent = first.to_string().into_bytes();
    loop {
        let sequence = keys::of_sequence(&sent);
        let next = if sequence == Sequence::Begun { more() } else { None };
        match (sequence, next) {
            (Sequence::Key([front, number]), _) => {
                put_back(char::from(number).encode_utf8(&mut [0; 4]).as_bytes());
                return char::from(front);
            }
            (_, Some(byte)) => sent.push(byte),
            (_, None) => {
                put_back(&sent[first.len_utf8()..]);
                return first;
            }
        }
    }
}

/// Whether there is something to read. Takes out what is no key that was pressed.
pub(super) fn has_key() -> bool {
    if is_there() {
        return true;
    }
    let Some(console) = stdin::handle() else { return false };
    loop {
        let (mut event, mut there, mut peeked) = (INPUT_RECORD::default(), 0, 0);
        // SAFETY: the handle is open, and each place takes what is written there. With nothing there a
        // peek takes nothing, and does not wait.
        unsafe {
            GetNumberOfConsoleInputEvents(console, &mut there);
            if there > 0 {
                PeekConsoleInputW(console, &mut event, 1, &mut peeked);
            }
        }
        if peeked == 0 {
            return false;
        }
        if text_of(&event).is_some() {
            return true;
        }
        // SAFETY: as above. It was there, and this is the one thread that reads.
        unsafe { ReadConsoleInputW(console, &mut event, 1, &mut peeked) };
    }
}

/// What an event gives to read: a unit of UTF-16, or the code of a key.
enum Given {
    Unit(u16),
    Key(Code),
}

/// What is to be read of an event: a key that was pressed, or a character that was typed by its number, which
/// comes when the key for that is released.
fn text_of(event: &INPUT_RECORD) -> Option<Given> {
    if u32::from(event.EventType) != KEY_EVENT {
        return None;
    }
    // SAFETY: the kind of event says which of the union's it is; both of a character's are numbers.
    let (key, unit) = unsafe { (event.Event.KeyEvent, event.Event.KeyEvent.uChar.UnicodeChar) };
    let is_pressed = key.bKeyDown != 0;
    if unit != 0 && (is_pressed || key.wVirtualKeyCode == ALT) {
        return Some(Given::Unit(unit));
    }
    let is_asked_for = is_pressed && BY_KEY.load(Ordering::Relaxed);
    keys::of_event(key.wVirtualKeyCode, modifiers(&key)).filter(|_| is_asked_for).map(Given::Key)
}

fn modifiers(key: &KEY_EVENT_RECORD) -> Modifiers {
    let is_held = |keys: u32| key.dwControlKeyState & keys != 0;
    Modifiers {
        shift: is_held(SHIFT_PRESSED),
        control: is_held(LEFT_CTRL_PRESSED | RIGHT_CTRL_PRESSED),
        alt: is_held(LEFT_ALT_PRESSED | RIGHT_ALT_PRESSED),
    }
}

/// Reads what there is, a line or a key: at most `limit` bytes of it, none at end of file. What is typed of a line
/// is shown by `show`.
///
/// # Errors
/// `WouldBlock` when there is nothing, or no whole line, and what `ReadConsoleInputW` fails with.
pub(super) fn read(limit: usize, show: impl Fn(&[u8])) -> io::Result<Vec<u8>> {
    if !has_key() {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    if !is_there() {
        let console = stdin::handle().ok_or(io::ErrorKind::NotConnected)?;
        let (by_line, echoes) = modes(console);
        let text = match by_line {
            true => read_line(console, |text| {
                if echoes {
                    show(text.as_bytes())
                }
            })?,
            false => read_key(console)?,
        };
        left().extend(text);
    }
    let mut left = left();
    let line = left.iter().position(|&byte| byte == b'\n').map_or(left.len(), |end| end + 1);
    Ok(left.drain(..line.min(limit)).collect())
}

/// The next key that there is, and how often it was pressed.
fn next_key(console: RawHandle) -> io::Result<Option<(Given, usize)>> {
    while has_key() {
        let (mut event, mut count) = (INPUT_RECORD::default(), 0);
        // SAFETY: the handle is open, and there is room for one event.
        check(unsafe { ReadConsoleInputW(console, &mut event, 1, &mut count) })?;
        if let Some(given) = text_of(&event) {
            // SAFETY: it is a key's.
            let times = unsafe { event.Event.KeyEvent.wRepeatCount };
            return Ok(Some((given, usize::from(times.max(1)))));
        }
    }
    Ok(None)
}

/// A key as UTF-8.
///
/// # Errors
/// `WouldBlock` when somebody else has read it.
fn read_key(console: RawHandle) -> io::Result<Vec<u8>> {
    let mut units = Vec::new();
    while let Some((given, times)) = next_key(console)? {
        match given {
            // The other half of it comes by itself.
            Given::Unit(unit) if (0xd800..0xdc00).contains(&unit) => units.push(unit),
            Given::Unit(unit) => {
                units.extend(iter::repeat_n(unit, times));
                break;
            }
            Given::Key(code) => {
                units.extend(code.map(u16::from).repeat(times));
                break;
            }
        }
    }
    match units.is_empty() {
        true => Err(io::ErrorKind::WouldBlock.into()),
        false => Ok(String::from_utf16_lossy(&units).into_bytes()),
    }
}

/// The rest of a line as UTF-8, with a newline at its end, which `show` shows; nothing for the end of the input.
///
/// # Errors
/// `WouldBlock` when the line has not ended: what there is of it is kept.
fn read_line(console: RawHandle, show: impl Fn(&str)) -> io::Result<Vec<u8>> {
    let mut lines: Option<String> = None;
    while lines.is_none()
        && let Some((given, times)) = next_key(console)?
    {
        let Given::Unit(unit) = given else { continue };
        for _ in 0..times {
            let typed = LINE.lock().unwrap_or_else(PoisonError::into_inner).take(unit);
            match typed {
                Typed::Shows(text) => show(&text),
                Typed::Ends(line) => {
                    show("\r\n");
                    lines.get_or_insert_default().push_str(&line);
                }
            }
        }
    }
    lines.map(String::into_bytes).ok_or_else(|| io::ErrorKind::WouldBlock.into())
}

/// The modes of the console: whether lines are read, and not each key, and whether what is typed is shown.
fn modes(console: RawHandle) -> (bool, bool) {
    let mut mode = 0;
    // SAFETY: the handle is open; `mode` takes what is written.
    let is_told = unsafe { GetConsoleMode(console, &mut mode) != 0 };
    let has = |flag| is_told && mode & flag != 0;
    (has(ENABLE_LINE_INPUT), has(ENABLE_ECHO_INPUT))
}

/// Drops what nobody has read.
pub(super) fn drop_unread() {
    left().clear();
    LINE.lock().unwrap_or_else(PoisonError::into_inner).clear();
    if let Some(console) = stdin::handle() {
        // SAFETY: the handle is open; no memory is taken. One that is no console's is refused.
        unsafe { FlushConsoleInputBuffer(console) };
    }
}
