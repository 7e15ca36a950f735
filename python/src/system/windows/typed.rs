//! What is typed at the console on standard input, line by line.
//!
//! The console itself edits the line, and hands it over when it is ended. So it is only read when a key
//! was pressed, and then to the end of the line: what is more than asked for is kept.

use std::{
    collections::VecDeque,
    io,
    os::windows::io::RawHandle,
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use windows_sys::Win32::{
    Foundation::{ERROR_OPERATION_ABORTED, GetLastError, SetLastError},
    System::Console::{
        ENABLE_LINE_INPUT, FlushConsoleInputBuffer, GetConsoleMode, GetNumberOfConsoleInputEvents,
        INPUT_RECORD, KEY_EVENT, PeekConsoleInputW, ReadConsoleInputW, ReadConsoleW,
    },
};

use super::{handle::check, stdin};

/// How much of a line is taken at once, in UTF-16 units.
const PART: usize = 4096;
/// What ends the input at the beginning of a line: Ctrl-Z.
const END: u16 = 0x1a;

/// What was read and not handed on.
static LEFT: Mutex<VecDeque<u8>> = Mutex::new(VecDeque::new());

fn left() -> MutexGuard<'static, VecDeque<u8>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether something was read and not handed on.
pub(super) fn is_there() -> bool {
    !left().is_empty()
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
        if is_key(&event) {
            return true;
        }
        // SAFETY: as above. It was there, and this is the one thread that reads.
        unsafe { ReadConsoleInputW(console, &mut event, 1, &mut peeked) };
    }
}

/// Whether it is a key that gives a character and was pressed.
fn is_key(event: &INPUT_RECORD) -> bool {
    if u32::from(event.EventType) != KEY_EVENT {
        return false;
    }
    // SAFETY: the kind of event says which of the union's it is; both of a character's are numbers.
    unsafe {
        let key = event.Event.KeyEvent;
        key.bKeyDown != 0 && key.uChar.UnicodeChar != 0
    }
}

/// Reads what there is, to the end of a line: at most `limit` bytes of it, none at end of file.
///
/// # Errors
/// `WouldBlock` when there is nothing, and what `ReadConsoleW` fails with.
pub(super) fn read(limit: usize) -> io::Result<Vec<u8>> {
    if !has_key() {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    if !is_there() {
        let line = read_line(stdin::handle().ok_or(io::ErrorKind::NotConnected)?)?;
        left().extend(line);
    }
    let mut left = left();
    let length = left.len().min(limit);
    Ok(left.drain(..length).collect())
}

/// A line as UTF-8, with a newline at its end; less where the console hands over what has none, and
/// nothing for the end of the input.
fn read_line(console: RawHandle) -> io::Result<Vec<u8>> {
    let mut units: Vec<u16> = Vec::new();
    loop {
        let (mut part, mut count) = (vec![0u16; PART], 0);
        // SAFETY: the handle is open, there is room for as many units as is said, and `count` takes how
        // many came.
        unsafe {
            SetLastError(0);
            let room = PART as u32;
            check(ReadConsoleW(console, part.as_mut_ptr().cast(), room, &mut count, ptr::null()))?;
            if count == 0 && GetLastError() == ERROR_OPERATION_ABORTED {
                // By Ctrl-C, which takes back what was typed.
                return Err(io::ErrorKind::Interrupted.into());
            }
        }
        units.extend(&part[..count as usize]);
        let is_half = units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit));
        // A full part may have more of the line behind it.
        let goes_on = count as usize == PART && units.last() != Some(&u16::from(b'\n'));
        if !is_half && !goes_on || count == 0 {
            break;
        }
    }
    if units.first() == Some(&END) && is_by_line(console) {
        return Ok(Vec::new());
    }
    Ok(String::from_utf16_lossy(&units).replace("\r\n", "\n").into_bytes())
}

/// Whether the console hands over lines, and not each key.
fn is_by_line(console: RawHandle) -> bool {
    let mut mode = 0;
    // SAFETY: the handle is open; `mode` takes what is written.
    unsafe { GetConsoleMode(console, &mut mode) != 0 && mode & ENABLE_LINE_INPUT != 0 }
}

/// Drops what nobody has read.
pub(super) fn drop_unread() {
    left().clear();
    if let Some(console) = stdin::handle() {
        // SAFETY: the handle is open; no memory is taken. One that is no console's is refused.
        unsafe { FlushConsoleInputBuffer(console) };
    }
}
