//! Keys of a console, and the bytes by which a terminal tells of them. Pure.
//!
//! With `ENABLE_VIRTUAL_TERMINAL_INPUT` the console gives the sequences of keys itself, one event a
//! character. What is left is UTF-16, of which a pair may come in two reads; and keys that type nothing, where
//! the console does not know that mode or is not in it at the moment.

/// What is told of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// Whether it was pressed, or else let go.
    pub(super) is_down: bool,
    /// The key (`VK_…`); 0 for none.
    pub(super) key: u16,
    /// What it types, in UTF-16; 0 for nothing.
    pub(super) unit: u16,
    /// How often.
    pub(super) count: u16,
    /// The keys held with it (`dwControlKeyState`).
    pub(super) held: u32,
}

/// Keys by their numbers.
pub(super) const BACK: u16 = 0x08;
pub(super) const TAB: u16 = 0x09;
pub(super) const RETURN: u16 = 0x0d;
/// The Alt key. Let go, it types what was composed by its number on the keypad, or what a program pasted
/// that the keyboard has no key for.
const MENU: u16 = 0x12;
pub(super) const ESCAPE: u16 = 0x1b;

/// Held keys: `LEFT_ALT_PRESSED`, `LEFT_CTRL_PRESSED` and `SHIFT_PRESSED`.
pub(super) const ALT: u32 = 0x02;
pub(super) const CTRL: u32 = 0x08;
pub(super) const SHIFT: u32 = 0x10;
/// The same of the keys on the right.
const RIGHT_ALT: u32 = 0x01;
const RIGHT_CTRL: u32 = 0x04;

/// How a terminal tells of a key that types nothing (xterm's `ctlseqs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sequence {
    /// By the letter at the end of `CSI`.
    Letter(u8),
    /// The same behind `SS3`, where no other key is held.
    Ss3(u8),
    /// By a number before `~`.
    Number(u16),
}

/// Those keys.
const KEYS: [(u16, Sequence); 22] = [
    (0x26, Sequence::Letter(b'A')), // VK_UP
    (0x28, Sequence::Letter(b'B')), // VK_DOWN
    (0x27, Sequence::Letter(b'C')), // VK_RIGHT
    (0x25, Sequence::Letter(b'D')), // VK_LEFT
    (0x24, Sequence::Letter(b'H')), // VK_HOME
    (0x23, Sequence::Letter(b'F')), // VK_END
    (0x2d, Sequence::Number(2)),    // VK_INSERT
    (0x2e, Sequence::Number(3)),    // VK_DELETE
    (0x21, Sequence::Number(5)),    // VK_PRIOR
    (0x22, Sequence::Number(6)),    // VK_NEXT
    (0x70, Sequence::Ss3(b'P')),    // VK_F1
    (0x71, Sequence::Ss3(b'Q')),
    (0x72, Sequence::Ss3(b'R')),
    (0x73, Sequence::Ss3(b'S')),
    (0x74, Sequence::Number(15)),
    (0x75, Sequence::Number(17)),
    (0x76, Sequence::Number(18)),
    (0x77, Sequence::Number(19)),
    (0x78, Sequence::Number(20)),
    (0x79, Sequence::Number(21)),
    (0x7a, Sequence::Number(23)),
    (0x7b, Sequence::Number(24)), // VK_F12
];

/// The key that a terminal tells of by this letter.
pub(super) fn by_letter(letter: u8) -> Option<u16> {
    let is_it =
        |sequence| matches!(sequence, Sequence::Letter(own) | Sequence::Ss3(own) if own == letter);
    KEYS.iter().find(|(_, sequence)| is_it(*sequence)).map(|(key, _)| *key)
}

/// The key that a terminal tells of by this number.
pub(super) fn by_number(number: u16) -> Option<u16> {
    let number = match number {
        // The VT220's.
        1 | 7 => return by_letter(b'H'),
        4 | 8 => return by_letter(b'F'),
        11..=14 => return by_letter(b'P' + number.to_le_bytes()[0] - 11),
        number => number,
    };
    KEYS.iter().find(|(_, own)| *own == Sequence::Number(number)).map(|(key, _)| *key)
}

/// Makes bytes of keys.
#[derive(Debug)]
pub(super) struct Decoder {
    /// The first half of a pair.
    half: Option<u16>,
}

impl Decoder {
    /// Before anything came.
    pub(super) const fn new() -> Decoder {
        Decoder { half: None }
    }

    /// Appends what a terminal sends for a key, in UTF-8. Half a pair alone is U+FFFD.
    pub(super) fn push(&mut self, key: Key, typed: &mut Vec<u8>) {
        if key.unit == 0 {
            if key.is_down {
                (0..key.count.max(1)).for_each(|_| typed.extend(sequence(key.key, key.held)));
            }
            return;
        }
        if !key.is_down && key.key != MENU {
            return;
        }
        for _ in 0..key.count.max(1) {
            let half = self.half.take();
            let mut unit = Some(key.unit);
            if is_first(key.unit) {
                self.half = unit.take();
            }
            for character in char::decode_utf16(half.into_iter().chain(unit)) {
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                typed.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
}

/// What a terminal sends for a key that types nothing; nothing for one that it does not tell of.
fn sequence(key: u16, held: u32) -> Vec<u8> {
    let Some((_, sequence)) = KEYS.iter().find(|(own, _)| *own == key) else { return Vec::new() };
    let is_held = |keys: u32, bit: u8| if held & keys != 0 { bit } else { 0 };
    // As xterm's `modifyCursorKeys` has them.
    let modifiers =
        1 + is_held(SHIFT, 1) + is_held(ALT | RIGHT_ALT, 2) + is_held(CTRL | RIGHT_CTRL, 4);
    match (*sequence, modifiers) {
        (Sequence::Letter(letter), 1) => vec![0x1b, b'[', letter],
        (Sequence::Ss3(letter), 1) => vec![0x1b, b'O', letter],
        (Sequence::Letter(letter) | Sequence::Ss3(letter), _) => {
            format!("\x1b[1;{modifiers}{}", char::from(letter)).into()
        }
        (Sequence::Number(number), 1) => format!("\x1b[{number}~").into(),
        (Sequence::Number(number), _) => format!("\x1b[{number};{modifiers}~").into(),
    }
}

/// Whether it is the first half of a pair.
fn is_first(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: impl IntoIterator<Item = Key>) -> String {
        let (mut decoder, mut typed) = (Decoder::new(), Vec::new());
        keys.into_iter().for_each(|key| decoder.push(key, &mut typed));
        String::from_utf8(typed).unwrap()
    }

    fn down(unit: u16) -> Key {
        Key { is_down: true, key: 0x41, unit, count: 1, held: 0 }
    }

    #[test]
    fn what_keys_type_is_utf_8() {
        assert_eq!(typed("aä\x1b[A\r😀".encode_utf16().map(down)), "aä\x1b[A\r😀");
        assert_eq!(typed([Key { count: 3, ..down(b'x'.into()) }]), "xxx");
    }

    #[test]
    fn a_key_that_is_let_go_or_types_nothing_is_none() {
        let up = Key { is_down: false, ..down(b'a'.into()) };
        assert_eq!(typed([up, down(0)]), "");
        // But for what was composed with Alt.
        assert_eq!(typed([Key { key: MENU, ..up }]), "a");
    }

    #[test]
    fn keys_that_type_nothing_are_sequences_where_the_console_gives_none() {
        let press = |key, held| Key { key, held, ..down(0) };
        for (key, held, sequence) in [
            (0x26, 0, "\x1b[A"),
            (0x26, SHIFT, "\x1b[1;2A"),
            (0x25, RIGHT_CTRL | 0x100, "\x1b[1;5D"),
            (0x2e, 0, "\x1b[3~"),
            (0x2e, ALT | CTRL, "\x1b[3;7~"),
            (0x70, 0, "\x1bOP"),
            (0x73, SHIFT, "\x1b[1;2S"),
            (0x7b, 0, "\x1b[24~"),
        ] {
            assert_eq!(typed([press(key, held)]), sequence);
            assert_eq!(typed([Key { is_down: false, ..press(key, held) }]), "");
        }
        assert_eq!(typed([Key { count: 2, ..press(0x28, 0) }]), "\x1b[B\x1b[B");
        // Only held with another.
        assert_eq!(typed([press(0x10, SHIFT), press(0x11, CTRL), press(MENU, ALT)]), "");
    }

    #[test]
    fn halves_of_pairs_are_put_together_and_lost_ones_shown() {
        let pair: Vec<u16> = "😀".encode_utf16().collect();
        let released = |unit| Key { is_down: false, ..down(unit) };
        let keys = [down(pair[0]), released(pair[0]), down(pair[1]), released(pair[1])];
        assert_eq!(typed(keys), "😀");
        assert_eq!(typed([down(pair[0]), down(b'a'.into())]), "\u{fffd}a");
        assert_eq!(typed([down(pair[1]), down(b'a'.into())]), "\u{fffd}a");
        assert_eq!(typed([pair[0], pair[0], pair[1]].map(down)), "\u{fffd}😀");
    }
}
