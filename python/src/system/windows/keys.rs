//! Keys that give no character, the arrows and such: as Windows records them, as a terminal sends them, and
//! as `msvcrt` gives them, in two characters one after the other. Pure.

/// What `msvcrt.getwch` gives for such a key in two calls (UCRT, `getch.cpp`): what stands in front, 0 or
/// 0xe0, and a number.
pub(crate) type Code = [u8; 2];

/// What is held down beside a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Modifiers {
    pub(crate) shift: bool,
    pub(crate) control: bool,
    pub(crate) alt: bool,
}

/// What a text begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sequence {
    /// A key.
    Key(Code),
    /// A part of what may be one.
    Begun,
    /// Nothing of that.
    Other,
}

struct Key {
    /// The virtual key's number (`VK_UP`).
    number: u16,
    /// What ends `ESC [` or `ESC O` for it.
    letter: Option<u8>,
    /// What stands in `ESC [ … ~` for it; 0 for none.
    parameter: u8,
    /// Alone, and with Shift, Ctrl or Alt.
    codes: [Code; 4],
}

const fn key(number: u16, letter: u8, parameter: u8, codes: [Code; 4]) -> Key {
    let letter = if letter == 0 { None } else { Some(letter) };
    Key { number, letter, parameter, codes }
}

/// One of those in the block of arrows: they do not tell Shift.
const fn arrow(number: u16, letter: u8, parameter: u8, [alone, control, alt]: [u8; 3]) -> Key {
    let codes = [[0xe0, alone], [0xe0, alone], [0xe0, control], [0, alt]];
    key(number, letter, parameter, codes)
}

/// F1 to F10, counted from 0.
const fn function(count: u8, letter: u8, parameter: u8) -> Key {
    let codes = [[0, 59 + count], [0, 84 + count], [0, 94 + count], [0, 104 + count]];
    key(0x70 + count as u16, letter, parameter, codes)
}

/// F11 and F12, counted from 0.
const fn late_function(count: u8, parameter: u8) -> Key {
    let codes =
        [[0xe0, 133 + count], [0xe0, 135 + count], [0xe0, 137 + count], [0xe0, 139 + count]];
    key(0x7a + count as u16, 0, parameter, codes)
}

const KEYS: [Key; 22] = [
    arrow(0x26, b'A', 0, [72, 141, 152]), // Up
    arrow(0x28, b'B', 0, [80, 145, 160]), // Down
    arrow(0x27, b'C', 0, [77, 116, 157]), // Right
    arrow(0x25, b'D', 0, [75, 115, 155]), // Left
    arrow(0x24, b'H', 1, [71, 119, 151]), // Home
    arrow(0x23, b'F', 4, [79, 117, 159]), // End
    arrow(0x21, 0, 5, [73, 134, 153]),    // Page Up
    arrow(0x22, 0, 6, [81, 118, 161]),    // Page Down
    arrow(0x2d, 0, 2, [82, 146, 162]),    // Insert
    arrow(0x2e, 0, 3, [83, 147, 163]),    // Delete
    function(0, b'P', 11),
    function(1, b'Q', 12),
    function(2, b'R', 13),
    function(3, b'S', 14),
    function(4, 0, 15),
    function(5, 0, 17),
    function(6, 0, 18),
    function(7, 0, 19),
    function(8, 0, 20),
    function(9, 0, 21),
    late_function(0, 23),
    late_function(1, 24),
];

/// The code of a key by its virtual number; `None` of one that gives a character, or nothing.
pub(crate) fn of_event(number: u16, modifiers: Modifiers) -> Option<Code> {
    KEYS.iter().find(|key| key.number == number).map(|key| key.code(modifiers))
}

/// What a text of a terminal's begins with (xterm's control sequences).
pub(crate) fn of_sequence(text: &[u8]) -> Sequence {
    match text {
        [0x1b] | [0x1b, b'[' | b'O'] => Sequence::Begun,
        [0x1b, b'O', letter] => by_letter(*letter, Modifiers::default()),
        [0x1b, b'[', parameters @ .., last @ 0x40..=0x7e] => control_sequence(parameters, *last),
        [0x1b, b'[', parameters @ ..] if parameters.iter().all(is_parameter) => Sequence::Begun,
        _ => Sequence::Other,
    }
}

fn is_parameter(byte: &u8) -> bool {
    matches!(byte, b'0'..=b'9' | b';')
}

fn control_sequence(parameters: &[u8], last: u8) -> Sequence {
    let numbers = || {
        let text = std::str::from_utf8(parameters).ok()?;
        text.split(';').map(|number| number.parse::<u8>().ok()).collect::<Option<Vec<_>>>()
    };
    match (parameters, numbers().as_deref(), last) {
        (_, Some([number]), b'~') => by_parameter(*number, Modifiers::default()),
        (_, Some([number, held]), b'~') => by_parameter(*number, Modifiers::sent(*held)),
        ([], _, letter) => by_letter(letter, Modifiers::default()),
        (_, Some([1, held]), letter) => by_letter(letter, Modifiers::sent(*held)),
        _ => Sequence::Other,
    }
}

fn by_letter(letter: u8, modifiers: Modifiers) -> Sequence {
    sequence(KEYS.iter().find(|key| key.letter == Some(letter)), modifiers)
}

fn by_parameter(number: u8, modifiers: Modifiers) -> Sequence {
    sequence(KEYS.iter().find(|key| key.parameter == number && number > 0), modifiers)
}

fn sequence(key: Option<&Key>, modifiers: Modifiers) -> Sequence {
    key.map_or(Sequence::Other, |key| Sequence::Key(key.code(modifiers)))
}

impl Modifiers {
    /// As a control sequence has them: xterm counts from 1.
    fn sent(number: u8) -> Modifiers {
        let bits = number.saturating_sub(1);
        Modifiers { shift: bits & 1 != 0, alt: bits & 2 != 0, control: bits & 4 != 0 }
    }
}

impl Key {
    fn code(&self, modifiers: Modifiers) -> Code {
        let [alone, shift, control, alt] = self.codes;
        match modifiers {
            Modifiers { alt: true, .. } => alt,
            Modifiers { control: true, .. } => control,
            Modifiers { shift: true, .. } => shift,
            _ => alone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_sends_is_the_key() {
        let keys: [(&str, Code); 12] = [
            ("\x1b[A", [0xe0, 72]),
            ("\x1bOB", [0xe0, 80]),
            ("\x1b[1;5C", [0xe0, 116]),
            ("\x1b[1;2D", [0xe0, 75]),
            ("\x1b[H", [0xe0, 71]),
            ("\x1b[4~", [0xe0, 79]),
            ("\x1b[3~", [0xe0, 83]),
            ("\x1b[5;3~", [0, 153]),
            ("\x1bOP", [0, 59]),
            ("\x1b[21~", [0, 68]),
            ("\x1b[15;2~", [0, 88]),
            ("\x1b[24~", [0xe0, 134]),
        ];
        for (text, code) in keys {
            assert_eq!(of_sequence(text.as_bytes()), Sequence::Key(code), "{text:?}");
            for end in 1..text.len() {
                assert_eq!(of_sequence(&text.as_bytes()[..end]), Sequence::Begun, "{text:?} {end}");
            }
        }
    }

    #[test]
    fn what_is_no_key_is_left_as_it_is() {
        for text in
            ["", "a", "\x1bx", "\x1b[Z", "\x1bOz", "\x1b[~", "\x1b[9~", "\x1b[300~", "\x1b[?1h"]
        {
            assert_eq!(of_sequence(text.as_bytes()), Sequence::Other, "{text:?}");
        }
        assert_eq!(of_sequence("\x1b[é".as_bytes()), Sequence::Other);
    }

    #[test]
    fn what_windows_records_is_the_key() {
        let alone = Modifiers::default();
        let (control, alt) =
            (Modifiers { control: true, ..alone }, Modifiers { alt: true, ..alone });
        assert_eq!(of_event(0x26, alone), Some([0xe0, 72]));
        assert_eq!(of_event(0x26, control), Some([0xe0, 141]));
        assert_eq!(of_event(0x79, alt), Some([0, 113]));
        assert_eq!(of_event(0x7b, Modifiers { shift: true, ..alone }), Some([0xe0, 136]));
        // Shift alone, and a letter.
        assert_eq!(of_event(0x10, alone), None);
        assert_eq!(of_event(0x41, alone), None);
    }
}
