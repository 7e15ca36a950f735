//! What a person types, as terminals send it: the escape key in each of its encodings and what is
//! pressed behind it; what a terminal answers too late; and all else, which is for the program. Pure.

use super::escape_key::EscapeKey;

/// Begins and ends what is pasted (bracketed paste).
pub(super) const PASTE: &[u8] = b"\x1b[200~";
pub(super) const PASTE_END: &[u8] = b"\x1b[201~";

/// The longest sequence that is looked at, in bytes.
const LONGEST: usize = 4096;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
/// Ctrl-Z: behind the escape key it stops this process.
pub(super) const CTRL_Z: char = '\u{1a}';

/// Modifiers as kitty's protocol and xterm's modifyOtherKeys have them, less 1.
const SHIFT: u32 = 1;
const CTRL: u32 = 4;
/// Caps Lock and Num Lock, which say nothing of what was meant.
const LOCKS: u32 = 64 + 128;
/// Keys of their own in kitty's protocol that are only modifiers.
const MODIFIER_KEYS: std::ops::RangeInclusive<u32> = 57_441..=57_454;

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    /// For the program.
    Bytes(Vec<u8>),
    /// This key behind the escape key.
    Command(char),
    /// Where the cursor is, as a terminal answers who asks for it: a line editor does.
    Position(Vec<u8>),
}

impl Typed {
    /// How much that is, in bytes.
    pub(super) fn length(&self) -> usize {
        match self {
            Typed::Bytes(bytes) | Typed::Position(bytes) => bytes.len(),
            Typed::Command(_) => 1,
        }
    }
}

/// Takes apart what comes from a keyboard, which may be cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Keys {
    key: EscapeKey,
    /// A sequence that has come in part.
    held: Vec<u8>,
    /// The escape key as it came, when it was pressed last.
    escape: Option<Vec<u8>>,
    in_paste: bool,
    /// Whether somebody asks where the cursor is.
    pub(super) is_asked: bool,
    /// What the terminal has answered, of which no program is told.
    answers: Vec<Vec<u8>>,
}

/// A key or sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// The escape key, pressed or held down.
    Escape,
    /// A character, without Ctrl or Alt, or Ctrl-Z.
    Char(char),
    /// A key that goes up, or a modifier alone.
    Nothing,
    /// What a terminal says by itself when it was asked something.
    Answer,
    Other,
}

impl Keys {
    /// Those of a keyboard on which this is the escape key.
    pub(super) fn new(key: EscapeKey) -> Keys {
        Keys { key, ..Keys::default() }
    }

    /// Takes what was read; `commands` are the keys that mean something behind the escape key.
    pub(super) fn take(&mut self, bytes: &[u8], commands: &str) -> Vec<Typed> {
        let mut input = std::mem::take(&mut self.held);
        input.extend(bytes);
        let (mut rest, mut typed) = (&*input, Vec::new());
        while !rest.is_empty() {
            if self.in_paste {
                let end = rest.windows(PASTE_END.len()).position(|part| part == PASTE_END);
                self.in_paste = end.is_none();
                let length = end.map_or_else(|| without_begun_end(rest), |at| at + PASTE_END.len());
                pass(&mut typed, &rest[..length]);
                rest = &rest[length..];
                if self.in_paste {
                    self.held = rest.to_vec();
                    break;
                }
                continue;
            }
            let Some(length) = length_of(rest) else {
                self.held = rest.to_vec();
                break;
            };
            let (token, behind) = rest.split_at(length);
            self.one(token, commands, &mut typed);
            rest = behind;
        }
        typed
    }

    /// What the terminal has answered since this was asked last.
    pub(super) fn take_answers(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.answers)
    }

    /// Whether the escape key was pressed, and what is meant by it is not known yet.
    pub(super) fn is_escaped(&self) -> bool {
        self.escape.is_some()
    }

    /// Whether something is being pasted, by the terminal's word.
    pub(super) fn is_in_paste(&self) -> bool {
        self.in_paste
    }

    fn one(&mut self, bytes: &[u8], commands: &str, typed: &mut Vec<Typed>) {
        if self.is_asked && is_position(bytes) {
            return typed.push(Typed::Position(bytes.to_vec()));
        }
        let token = token(bytes, self.key);
        if token == Token::Answer {
            return self.answers.push(bytes.to_vec());
        }
        let Some(escape) = self.escape.take() else {
            match token {
                Token::Escape => self.escape = Some(bytes.to_vec()),
                // Of the key that was pressed behind the escape key, or of that: no harm to others,
                // which asked for it.
                _ => {
                    self.in_paste = bytes == PASTE;
                    pass(typed, bytes);
                }
            }
            return;
        };
        match token {
            // Twice: it is meant for the program.
            Token::Escape => pass(typed, bytes),
            Token::Char(c) if commands.contains(c) => typed.push(Typed::Command(c)),
            Token::Nothing => self.escape = Some(escape),
            _ => {
                pass(typed, &escape);
                self.in_paste = bytes == PASTE;
                pass(typed, bytes);
            }
        }
    }
}

/// How much of what is pasted comes before what may be the beginning of its end.
fn without_begun_end(paste: &[u8]) -> usize {
    let begun = (1..PASTE_END.len()).rev().find(|&length| paste.ends_with(&PASTE_END[..length]));
    paste.len() - begun.unwrap_or(0)
}

fn pass(typed: &mut Vec<Typed>, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    match typed.last_mut() {
        Some(Typed::Bytes(before)) => before.extend(bytes),
        _ => typed.push(Typed::Bytes(bytes.to_vec())),
    }
}

/// How long the key or sequence is that these bytes begin with; `None` when more is to come. A key
/// that begins as sequences do, Esc or Alt-[ say, is no reason to wait.
pub(super) fn length_of(bytes: &[u8]) -> Option<usize> {
    let whole = |found: Option<usize>| match found {
        Some(length) => Some(length),
        None if bytes.len() > LONGEST => Some(bytes.len()),
        None => None,
    };
    match bytes {
        // The mouse, as X10 has it: three bytes behind.
        [ESC, b'[', b'M', ..] => Some(bytes.len().min(6)),
        [ESC, b'[', b'0'..=b'?', ..] => {
            let end = bytes[2..].iter().position(|byte| !matches!(byte, 0x20..=0x3f));
            whole(end.map(|at| at + 3))
        }
        // Answers are strings; Alt-] and Alt-P are keys.
        [ESC, b']', b'0'..=b'9', ..]
        | [ESC, b'P', b'0'..=b'9' | b'>' | b'!' | b'+' | b'$', ..]
        | [ESC, b'_', b'G', ..] => {
            let bell = bytes.iter().position(|&byte| byte == BEL).map(|at| at + 1);
            let st = bytes.windows(2).position(|pair| pair == b"\x1b\\").map(|at| at + 2);
            whole(match (bell, st) {
                (Some(bell), Some(st)) => Some(bell.min(st)),
                (bell, st) => bell.or(st),
            })
        }
        [ESC, b'[', ..] => Some(2),
        [ESC, _, ..] => Some(2),
        _ => {
            // A character is one key, however many bytes it takes (RFC 3629).
            let length = match bytes[0] {
                0xc0..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf7 => 4,
                _ => 1,
            };
            Some(length.min(bytes.len()))
        }
    }
}

fn token(bytes: &[u8], key: EscapeKey) -> Token {
    match bytes {
        [byte] if key.byte() == Some(*byte) => Token::Escape,
        [ESC, b'[', parameters @ .., action] => control_sequence(parameters, *action, key),
        [ESC, b']' | b'P' | b'_', _, ..] => Token::Answer,
        _ => {
            let mut chars = std::str::from_utf8(bytes).unwrap_or_default().chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) if !c.is_control() || c == CTRL_Z => Token::Char(c),
                _ => Token::Other,
            }
        }
    }
}

/// Whether this is where the cursor is (ECMA-48, CPR).
pub(super) fn is_position(bytes: &[u8]) -> bool {
    matches!(bytes, [ESC, b'[', parameters @ .., b'R'] if parameters.contains(&b';'))
}

/// Whether Ctrl and this character are the escape key; Shift may be needed for that character.
fn is_escape(key: EscapeKey, modifiers: u32, character: u32) -> bool {
    let is_shifted = key.character() == Some('^') && modifiers == CTRL + SHIFT;
    (modifiers == CTRL || is_shifted) && key.character().map(u32::from) == Some(character)
}

/// What a control sequence is that comes from a keyboard (xterm's `ctlseqs`; kitty's keyboard
/// protocol).
fn control_sequence(parameters: &[u8], action: u8, escape: EscapeKey) -> Token {
    let Ok(text) = std::str::from_utf8(parameters) else { return Token::Other };
    let mark = text.starts_with(['?', '>', '=', '<']).then(|| text.as_bytes()[0]);
    let fields: Vec<Vec<u32>> = text[usize::from(mark.is_some())..]
        .split(';')
        .map(|field| field.split(':').map(|number| number.parse().unwrap_or(0)).collect())
        .collect();
    let number = |field: usize, part: usize| -> u32 {
        fields.get(field).and_then(|parts| parts.get(part)).copied().unwrap_or(0)
    };
    match (mark, action) {
        (None, b'u') => {
            const UP: u32 = 3;
            let (key, shifted, base) = (number(0, 0), number(0, 1), number(0, 2));
            let modifiers = (number(1, 0).max(1) - 1) & !LOCKS;
            if MODIFIER_KEYS.contains(&key) || number(1, 1) == UP {
                Token::Nothing
            } else if [key, shifted, base].iter().any(|&key| is_escape(escape, modifiers, key)) {
                Token::Escape
            } else if modifiers == CTRL && [key, base].contains(&u32::from('z')) {
                Token::Char(CTRL_Z)
            } else {
                let shifted = if modifiers == SHIFT { shifted } else { 0 };
                let key = if shifted > 0 { shifted } else { key };
                match char::from_u32(key) {
                    Some(c) if modifiers <= 1 && !c.is_control() => Token::Char(c),
                    _ => Token::Other,
                }
            }
        }
        // modifyOtherKeys.
        (None, b'~') if number(0, 0) == 27 => {
            let modifiers = (number(1, 0).max(1) - 1) & !LOCKS;
            match char::from_u32(number(2, 0)) {
                Some(c) if is_escape(escape, modifiers, c.into()) => Token::Escape,
                Some('z') if modifiers == CTRL => Token::Char(CTRL_Z),
                Some(c) if modifiers <= 1 && !c.is_control() => Token::Char(c),
                _ => Token::Other,
            }
        }
        // CPR; F3 with modifiers looks like one in the first row.
        (None, b'R') if fields.len() == 2 && !(number(0, 0) == 1 && number(1, 0) <= 16) => {
            Token::Answer
        }
        // Whether the colours are light or dark is also told unasked, to who wants it.
        (Some(b'?'), b'n') if number(0, 0) == 997 => Token::Other,
        (Some(b'?'), b'R' | b'n' | b'u' | b'S' | b'y') => Token::Answer,
        (Some(_), b'c') => Token::Answer,
        (None, b'n') if text == "0" || text == "3" => Token::Answer,
        (None, b'y') if text.ends_with('$') => Token::Answer,
        (None, b't' | b'x') if fields.len() > 1 => Token::Answer,
        _ => Token::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COMMANDS: &str = "dita?";

    fn bytes(text: &str) -> Typed {
        Typed::Bytes(text.as_bytes().to_vec())
    }

    fn typed(text: &str) -> Vec<Typed> {
        Keys::default().take(text.as_bytes(), COMMANDS)
    }

    /// Ctrl-] as terminals send it.
    const ESCAPES: [&str; 9] = [
        "\x1d",
        "\x1b[93;5u",
        // Caps Lock, Num Lock, both.
        "\x1b[93;69u",
        "\x1b[93;133u",
        "\x1b[93;197u",
        // Pressed, and held down.
        "\x1b[93;5:1u",
        "\x1b[93;5:2u",
        // Where another letter is on that key.
        "\x1b[43:42:93;5u",
        "\x1b[27;5;93~",
    ];

    #[test]
    fn the_escape_key_is_known_in_each_encoding() {
        for escape in ESCAPES {
            assert_eq!(
                typed(&format!("a{escape}db")),
                [bytes("a"), Typed::Command('d'), bytes("b")],
                "{escape:?}"
            );
            // As the same terminals send the command.
            for d in ["\x1b[100u", "\x1b[100;1:1u", "\x1b[100;129u", "\x1b[27;1;100~"] {
                assert_eq!(typed(&format!("{escape}{d}")), [Typed::Command('d')], "{d:?}");
            }
            // What goes up meanwhile is nothing.
            let up = "\x1b[93;5:3u\x1b[57442;5:3u";
            assert_eq!(typed(&format!("{escape}{up}d")), [Typed::Command('d')]);
            for command in ['?', 't', 'a', 'i'] {
                let as_it_is = command.to_string();
                let kitty = format!("\x1b[{}u", u32::from(command));
                let xterm = format!("\x1b[27;1;{}~", u32::from(command));
                for key in [as_it_is, kitty, xterm] {
                    assert_eq!(typed(&format!("{escape}{key}")), [Typed::Command(command)]);
                }
            }
        }
        assert_eq!(typed("\x1b[93;5:3u"), [bytes("\x1b[93;5:3u")]);
        assert_eq!(typed("\x1b[93u\x1b[93;7u"), [bytes("\x1b[93u\x1b[93;7u")]);
    }

    #[test]
    fn pressed_twice_it_is_for_the_program_and_so_is_what_means_nothing_behind_it() {
        for escape in ESCAPES {
            assert_eq!(typed(&format!("{escape}{escape}d")), [bytes(&format!("{escape}d"))]);
            assert_eq!(typed(&format!("{escape}x")), [bytes(&format!("{escape}x"))]);
            assert_eq!(typed(&format!("{escape}\x1b[A")), [bytes(&format!("{escape}\x1b[A"))]);
        }
    }

    #[test]
    fn another_key_may_be_the_escape_key_or_none() {
        for (key, presses) in [
            (
                "ctrl-a",
                &["\x01", "\x1b[97;5u", "\x1b[97;197:2u", "\x1b[1092::97;5u", "\x1b[27;5;97~"][..],
            ),
            ("ctrl-\\", &["\x1c", "\x1b[92;5u", "\x1b[92;133u", "\x1b[27;5;92~"]),
            ("ctrl-^", &["\x1e", "\x1b[54:94;6u", "\x1b[94;5u", "\x1b[27;6;94~"]),
            ("ctrl-z", &["\x1a", "\x1b[122;5u"]),
        ] {
            for press in presses {
                let typed = |text: &str| Keys::new(key.parse().unwrap()).take(text.as_bytes(), "d");
                assert_eq!(typed(&format!("{press}d")), [Typed::Command('d')], "{key} {press:?}");
                let twice = format!("{press}{press}x");
                assert_eq!(typed(&twice), [bytes(&format!("{press}x"))], "{key} {press:?}");
                for other in ["\x1dd", "\x1b[93;5ud", "\x1b[97;6ud", "\x1b[54;5ud"] {
                    assert_eq!(typed(other), [bytes(other)], "{key}");
                }
            }
        }
        let mut none = Keys::new("none".parse().unwrap());
        assert_eq!(none.take(b"\x1dd\x00\x01d", "d"), [bytes("\x1dd\x00\x01d")]);
    }

    #[test]
    fn ctrl_z_behind_it_is_a_command_in_each_encoding() {
        for press in ["\x1a", "\x1b[122;5u", "\x1b[122;133u", "\x1b[1103::122;5u", "\x1b[27;5;122~"]
        {
            let typed = |text: &str| Keys::default().take(text.as_bytes(), "\u{1a}");
            assert_eq!(typed(&format!("\x1d{press}")), [Typed::Command(CTRL_Z)], "{press:?}");
            assert_eq!(typed(press), [bytes(press)]);
        }
    }

    #[test]
    fn what_is_pasted_is_for_the_program() {
        let paste = "\x1b[200~a\x1dd\x1b[5;5R\x1b[201~";
        assert_eq!(typed(&format!("{paste}\x1dd")), [bytes(paste), Typed::Command('d')]);
    }

    #[test]
    fn late_answers_are_typed_into_nothing() {
        for answer in [
            "\x1b[24;80R",
            "\x1b[?62;c",
            "\x1b[?1;2c",
            "\x1b[>1;10;0c",
            "\x1b[0n",
            "\x1b[?1u",
            "\x1b[?2026;2$y",
            "\x1b[8;24;80t",
            "\x1b]11;rgb:0000/0000/0000\x1b\\",
            "\x1b]10;rgb:ffff/ffff/ffff\x07",
            "\x1bP>|XTerm(390)\x1b\\",
            "\x1bP1+r544e=787465726d\x1b\\",
            "\x1b_Gi=31;OK\x1b\\",
        ] {
            assert_eq!(typed(&format!("a{answer}b")), [bytes("ab")], "{answer:?}");
        }
    }

    #[test]
    fn keys_are_passed_on_as_they_come_and_at_once() {
        for keys in [
            "a",
            "é漢",
            "\x1b",
            "\x1b[",
            "\x1b]",
            "\x1bP",
            "\x1b[A",
            "\x1bOA",
            "\x1b[1;5C",
            "\x1b[3~",
            "\x1b[1;2R",
            "\x1b[I",
            "\x1b[M !!",
            "\x1b[<0;3;4M",
            "\x1b[97;5u",
            "\x1b[?997;1n",
            "\x03\x04\x1a\r\n\t\x7f",
        ] {
            assert_eq!(typed(keys), [bytes(keys)], "{keys:?}");
        }
    }

    proptest! {
        #[test]
        fn where_a_sequence_is_cut_changes_nothing(
            parts in prop::collection::vec(0usize..12, 0..12),
            cut in 3usize..40,
        ) {
            let all = [
                "a", "\x1b[93;5u", "\x1d", "d", "\x1b[24;80R", "\x1b[A", "\x1b[<0;33;44M", "é",
                "\x1b[200~x\x1dd\x1b[201~", "\x1b[27;5;93~", "\x1b[3;5~", "?",
            ];
            let text: String = parts.iter().map(|&n| all[n]).collect();
            let whole = typed(&text);
            let mut keys = Keys::default();
            // Terminals write a key at once: only what is behind the first parameter is cut.
            let at = (cut..text.len()).find(|&at| {
                text.is_char_boundary(at) && text.as_bytes()[at - 1].is_ascii_digit()
            }).unwrap_or(text.len());
            let mut parted = keys.take(&text.as_bytes()[..at], COMMANDS);
            for one in keys.take(&text.as_bytes()[at..], COMMANDS) {
                match one {
                    Typed::Bytes(more) => pass(&mut parted, &more),
                    command => parted.push(command),
                }
            }
            prop_assert_eq!(parted, whole);
        }
    }
}
