//! The player's keys. Pure.

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// Space: pauses, and goes on.
    Pause,
    /// `.`: shows the next event, while paused.
    Step,
    /// `]`: goes to the next marker.
    NextMarker,
    /// `[`: goes back to a marker.
    PreviousMarker,
    /// `q`: ends.
    Quit,
    /// Ctrl-C: ends, as an interrupt does.
    Interrupt,
    /// Ctrl-Z: stops this process.
    Stop,
}

const ESC: u8 = 0x1b;

/// The keys that were read at once. Sequences, as cursor keys send them and terminals answer, are none.
pub(super) fn keys(mut typed: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    while let Some((&byte, rest)) = typed.split_first() {
        typed = rest;
        keys.extend(match byte {
            b' ' => Some(Key::Pause),
            b'.' => Some(Key::Step),
            b']' => Some(Key::NextMarker),
            b'[' => Some(Key::PreviousMarker),
            b'q' | b'Q' => Some(Key::Quit),
            0x03 => Some(Key::Interrupt),
            0x1a => Some(Key::Stop),
            ESC => {
                typed = behind_sequence(rest);
                None
            }
            _ => None,
        });
    }
    keys
}

/// What comes behind a sequence, of which ESC is read (ECMA-48 5.4 and 5.6).
fn behind_sequence(typed: &[u8]) -> &[u8] {
    let (&kind, rest) = match typed.split_first() {
        Some(split) => split,
        None => return typed,
    };
    let end = match kind {
        b'[' => rest.iter().position(|byte| (0x40..=0x7e).contains(byte)),
        b'O' => (!rest.is_empty()).then_some(0),
        b']' | b'P' | b'_' => rest.iter().position(|byte| matches!(byte, 0x07 | b'\\')),
        _ => return rest,
    };
    end.map_or(&[], |end| &rest[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::{Key::*, keys};

    #[test]
    fn sequences_are_no_keys() {
        for (typed, expected) in [
            (
                " .][qQ\x03\x1a",
                &[Pause, Step, NextMarker, PreviousMarker, Quit, Quit, Interrupt, Stop][..],
            ),
            ("xyz\r\n", &[]),
            ("\x1b", &[]),
            ("\x1b[A.\x1bOP \x1b[1;5D]", &[Step, Pause, NextMarker]),
            ("\x1b[", &[]),
            ("\x1b]11;rgb:0/0/0\x1b\\q", &[Quit]),
            ("\x1bq.", &[Step]),
            ("漢.", &[Step]),
        ] {
            assert_eq!(keys(typed.as_bytes()), expected, "{typed:?}");
        }
    }
}
