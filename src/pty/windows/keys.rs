//! Key events of a console as the bytes of a terminal. Pure.
//!
//! With `ENABLE_VIRTUAL_TERMINAL_INPUT` the console gives the sequences of keys itself, one event a
//! character. What is left is UTF-16, of which a pair may come in two reads.

/// What is told of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// Whether it was pressed, or else let go.
    pub(super) is_down: bool,
    /// The key (`VK_…`).
    pub(super) key: u16,
    /// What it types, in UTF-16; 0 for nothing.
    pub(super) unit: u16,
    /// How often.
    pub(super) count: u16,
}

/// The Alt key. Let go, it types what was composed by its number on the keypad, or what a program pasted
/// that the keyboard has no key for.
const MENU: u16 = 0x12;

/// Makes bytes of keys.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// The first half of a pair.
    half: Option<u16>,
}

impl Decoder {
    /// Appends what a key types, in UTF-8. Half a pair alone is U+FFFD.
    pub(super) fn push(&mut self, key: Key, typed: &mut Vec<u8>) {
        let types = key.unit != 0 && (key.is_down || key.key == MENU);
        if !types {
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

/// Whether it is the first half of a pair.
fn is_first(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: impl IntoIterator<Item = Key>) -> String {
        let (mut decoder, mut typed) = (Decoder::default(), Vec::new());
        keys.into_iter().for_each(|key| decoder.push(key, &mut typed));
        String::from_utf8(typed).unwrap()
    }

    fn down(unit: u16) -> Key {
        Key { is_down: true, key: 0x41, unit, count: 1 }
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
