//! What a terminal sends as the events of a console, by which a line editor there is told of it. Pure.

use super::keys::{ALT, BACK, CTRL, ESCAPE, RETURN, SHIFT, TAB, by_letter, by_number};

/// An event of a console that tells a line editor something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// A key was pressed.
    Key {
        /// Which (`VK_…`); 0 where only what it types is known.
        key: u16,
        /// What it types, in UTF-16.
        unit: u16,
        /// The keys held with it.
        held: u32,
    },
    /// The mouse was moved to this column, counted from 0.
    Mouse {
        /// The column.
        column: u16,
        /// The keys held meanwhile.
        held: u32,
    },
}

impl Record {
    /// Enter by itself: who reads lines takes nothing behind it in one go.
    pub(super) const ENTER: Record = Record::Key { key: RETURN, unit: b'\r' as u16, held: 0 };
}

const ESC: u8 = 0x1b;

/// The events that these bytes are: whole keys, as they were cut for the editor. What is none of them, where the
/// cursor is say, is left out: a console's editor asks the console.
pub(super) fn records(mut bytes: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let length = push_key(bytes, 0, &mut records);
        bytes = &bytes[length.min(bytes.len())..];
    }
    records
}

/// Appends the key that this begins with, held with those; says how much that was, in bytes.
fn push_key(bytes: &[u8], held: u32, records: &mut Vec<Record>) -> usize {
    let mut push = |key, unit: u8, more| {
        records.push(Record::Key { key, unit: unit.into(), held: held | more });
    };
    match *bytes {
        [] => return 0,
        [b'\r', ..] => push(RETURN, b'\r', 0),
        [b'\t', ..] => push(TAB, b'\t', 0),
        [0x7f, ..] => push(BACK, 0x08, 0),
        // With Ctrl a console's editor goes by the character, not by what that makes of it.
        [0, ..] => push(0, b' ', CTRL),
        [control @ 0x01..=0x1a, ..] => push(0, control + b'a' - 1, CTRL),
        [control @ 0x1c..=0x1f, ..] => push(0, control - 0x1c + b'4', CTRL),
        [ESC] => push(ESCAPE, ESC, 0),
        [ESC, b'O', letter, ..] => {
            push_sequence(letter, &[], held, records);
            return 3;
        }
        // F1 to F5 of the Linux console.
        [ESC, b'[', b'[', letter, ..] => {
            if let Some(key) = letter.checked_sub(b'A').and_then(|at| by_number(11 + u16::from(at)))
            {
                records.push(Record::Key { key, unit: 0, held });
            }
            return 4;
        }
        [ESC, b'[', ..] => {
            let behind = &bytes[2..];
            let Some(end) = behind.iter().position(|byte| (b'@'..=b'~').contains(byte)) else {
                return bytes.len();
            };
            push_sequence(behind[end], &behind[..end], held, records);
            return end + 3;
        }
        [ESC, ..] => return 1 + push_key(&bytes[1..], held | ALT, records),
        _ => return push_character(bytes, held, records),
    }
    1
}

/// Appends the character that this begins with.
fn push_character(bytes: &[u8], held: u32, records: &mut Vec<Record>) -> usize {
    let length = match bytes[0] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    };
    let bytes = &bytes[..length.min(bytes.len())];
    let text = String::from_utf8_lossy(bytes);
    let held = if text.chars().any(char::is_uppercase) { held | SHIFT } else { held };
    records.extend(text.encode_utf16().map(|unit| Record::Key { key: 0, unit, held }));
    bytes.len()
}

/// Appends what `CSI` with these parameters before its last byte tells of.
fn push_sequence(last: u8, parameters: &[u8], held: u32, records: &mut Vec<Record>) {
    let is_mouse = parameters.first() == Some(&b'<');
    let numbers = String::from_utf8_lossy(&parameters[usize::from(is_mouse)..]).into_owned();
    let mut numbers = numbers.split(';').map(|number| number.parse::<u16>().ok());
    let (first, second) = (numbers.next().flatten(), numbers.next().flatten());
    if is_mouse {
        let (button, column) = (first.unwrap_or(0), second.unwrap_or(1));
        let is_held = |bit, keys| if button & bit != 0 { keys } else { 0 };
        let held = is_held(4, SHIFT) | is_held(8, ALT) | is_held(16, CTRL);
        records.push(Record::Mouse { column: column.saturating_sub(1), held });
        return;
    }
    // As xterm's `modifyCursorKeys` has them.
    let modifiers = second.unwrap_or(1).saturating_sub(1);
    let is_held = |bit, keys| if modifiers & bit != 0 { keys } else { 0 };
    let held = held | is_held(1, SHIFT) | is_held(2, ALT) | is_held(4, CTRL);
    let key = match last {
        b'Z' => {
            return records.push(Record::Key {
                key: TAB,
                unit: u16::from(b'\t'),
                held: held | SHIFT,
            });
        }
        b'u' => return first.into_iter().for_each(|code| push_code(code, held, records)),
        // Where the cursor is; F3 alone comes with SS3.
        b'R' if !parameters.is_empty() => None,
        b'~' => by_number(first.unwrap_or(0)),
        letter => by_letter(letter),
    };
    records.extend(key.map(|key| Record::Key { key, unit: 0, held }));
}

/// Appends the key of this number in kitty's protocol.
fn push_code(code: u16, held: u32, records: &mut Vec<Record>) {
    let (key, unit) = match code {
        9 => (TAB, code),
        13 => (RETURN, code),
        27 => (ESCAPE, code),
        127 => (BACK, 0x08),
        _ => (0, code),
    };
    records.push(Record::Key { key, unit, held });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(key: u16, unit: char, held: u32) -> Record {
        Record::Key { key, unit: unit as u16, held }
    }

    #[test]
    fn keys_of_a_terminal_are_those_of_a_console() {
        for (bytes, expected) in [
            ("a", key(0, 'a', 0)),
            ("A", key(0, 'A', SHIFT)),
            ("é", key(0, 'é', 0)),
            ("\r", Record::ENTER),
            ("\t", key(TAB, '\t', 0)),
            ("\x7f", key(BACK, '\x08', 0)),
            ("\x03", key(0, 'c', CTRL)),
            ("\n", key(0, 'j', CTRL)),
            ("\0", key(0, ' ', CTRL)),
            ("\x1f", key(0, '7', CTRL)),
            ("\x1b[27u", key(ESCAPE, '\x1b', 0)),
            ("\x1b[91;3u", key(0, '[', ALT)),
            ("\x1bb", key(0, 'b', ALT)),
            ("\x1b\r", key(RETURN, '\r', ALT)),
            ("\x1b\x1b[A", key(0x26, '\0', ALT)),
            ("\x1b[A", key(0x26, '\0', 0)),
            ("\x1bOD", key(0x25, '\0', 0)),
            ("\x1b[1;6C", key(0x27, '\0', SHIFT | CTRL)),
            ("\x1b[Z", key(TAB, '\t', SHIFT)),
            ("\x1b[3~", key(0x2e, '\0', 0)),
            ("\x1b[4~", key(0x23, '\0', 0)),
            ("\x1b[12~", key(0x71, '\0', 0)),
            ("\x1b[[B", key(0x71, '\0', 0)),
            ("\x1bOR", key(0x72, '\0', 0)),
            ("\x1b[24;5~", key(0x7b, '\0', CTRL)),
        ] {
            assert_eq!(records(bytes.as_bytes()), [expected], "{bytes:?}");
            // Wherever it stands.
            let among = records(format!("x{bytes}y").as_bytes());
            assert_eq!(among, [key(0, 'x', 0), expected, key(0, 'y', 0)], "{bytes:?}");
        }
        let emoji: Vec<Record> =
            "😀".encode_utf16().map(|unit| Record::Key { key: 0, unit, held: 0 }).collect();
        assert_eq!(records("😀".as_bytes()), emoji);
    }

    #[test]
    fn marks_are_where_a_mouse_is_and_the_cursor_is_nothing() {
        let mouse = |column, held| Record::Mouse { column, held };
        assert_eq!(
            records(b"\x1b[<35;1;1M\x1b[<39;60001;1M\x1b[<47;8;1M\x1b[<51;1;1M"),
            [mouse(0, 0), mouse(60_000, SHIFT), mouse(7, SHIFT | ALT), mouse(0, CTRL)]
        );
        assert_eq!(records(b"\x1b[24;80R\x1b[?1u\x1b["), []);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_no_more_than_its_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(records(&bytes).len() <= bytes.len());
        }
    }
}
