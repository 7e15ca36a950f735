//! Keys by their names, as `tmux send-keys` has them, to the bytes a terminal sends (xterm's
//! control sequences). Pure.

/// The bytes of a sequence of words: each is a key's name, or text to be typed.
///
/// `application` tells whether the program switched the cursor keys to their application form
/// (DECCKM).
pub fn encode<'a>(words: impl IntoIterator<Item = &'a str>, application: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in words {
        match key(word, application) {
            Some(key) => bytes.extend(key),
            None => bytes.extend(word.as_bytes()),
        }
    }
    bytes
}

/// Whether a word is the name of a key that types no character.
pub fn is_control(word: &str) -> bool {
    key(word, false).is_some_and(|bytes| bytes.first().is_some_and(u8::is_ascii_control))
}

/// Modifiers in front of a key's name.
#[derive(Debug, Clone, Copy, Default)]
struct Modifiers {
    shift: bool,
    meta: bool,
    control: bool,
}

impl Modifiers {
    /// The parameter of a control sequence: xterm counts from 1.
    fn parameter(self) -> u8 {
        1 + u8::from(self.shift) + 2 * u8::from(self.meta) + 4 * u8::from(self.control)
    }
}

/// The bytes of one key; `None` if the word is not a key's name.
fn key(word: &str, application: bool) -> Option<Vec<u8>> {
    let mut modifiers = Modifiers::default();
    let mut name = word;
    loop {
        let (flag, rest) = match name.get(..2) {
            Some("C-") => (&mut modifiers.control, &name[2..]),
            Some("M-") => (&mut modifiers.meta, &name[2..]),
            Some("S-") => (&mut modifiers.shift, &name[2..]),
            _ => break,
        };
        if rest.is_empty() {
            return None;
        }
        *flag = true;
        name = rest;
    }
    if let Some(rest) = name.strip_prefix('^').filter(|rest| rest.chars().count() == 1) {
        modifiers.control = true;
        name = rest;
    }
    if let Some(sequence) = special(name, modifiers, application) {
        return Some(sequence);
    }
    let mut bytes = simple(name, modifiers, word != name)?;
    if modifiers.meta {
        bytes.insert(0, 0x1b);
    }
    Some(bytes)
}

/// Keys that are a character, with Control applied.
fn simple(name: &str, modifiers: Modifiers, modified: bool) -> Option<Vec<u8>> {
    let named = match name {
        "Enter" => Some('\r'),
        "Escape" => Some('\x1b'),
        "Tab" => Some('\t'),
        "Space" => Some(' '),
        "BSpace" => Some('\x7f'),
        _ => None,
    };
    let mut characters = name.chars();
    let single = characters.next().filter(|_| characters.next().is_none() && modified);
    let character = named.or(single)?;
    if !modifiers.control {
        let shifted = if modifiers.shift { character.to_ascii_uppercase() } else { character };
        return Some(shifted.to_string().into_bytes());
    }
    match character {
        ' ' | '@' | '2' => Some(vec![0]),
        'a'..='z' | 'A'..='Z' | '[' | '\\' | ']' | '^' | '_' => Some(vec![character as u8 & 0x1f]),
        '?' => Some(vec![0x7f]),
        '\r' | '\t' | '\x1b' | '\x7f' => Some(vec![character as u8]),
        _ => None,
    }
}

/// Keys that are a sequence.
fn special(name: &str, modifiers: Modifiers, application: bool) -> Option<Vec<u8>> {
    let plain = modifiers.parameter() == 1;
    let letter = |letter: char| {
        let sequence = match (plain, application) {
            (true, true) => format!("\x1bO{letter}"),
            (true, false) => format!("\x1b[{letter}"),
            (false, _) => format!("\x1b[1;{}{letter}", modifiers.parameter()),
        };
        Some(sequence.into_bytes())
    };
    let tilde = |number: u8| {
        let sequence = if plain {
            format!("\x1b[{number}~")
        } else {
            format!("\x1b[{number};{}~", modifiers.parameter())
        };
        Some(sequence.into_bytes())
    };
    match name {
        "Up" => letter('A'),
        "Down" => letter('B'),
        "Right" => letter('C'),
        "Left" => letter('D'),
        "Home" => letter('H'),
        "End" => letter('F'),
        "BTab" => Some(b"\x1b[Z".to_vec()),
        "IC" | "Insert" => tilde(2),
        "DC" | "Delete" => tilde(3),
        "PPage" | "PageUp" | "PgUp" => tilde(5),
        "NPage" | "PageDown" | "PgDn" => tilde(6),
        // F1 to F4 are SS3 sequences whatever the cursor keys' mode.
        "F1" | "F2" | "F3" | "F4" => {
            let letter = char::from(b'P' + name.as_bytes()[1] - b'1');
            Some(if plain {
                format!("\x1bO{letter}").into_bytes()
            } else {
                format!("\x1b[1;{}{letter}", modifiers.parameter()).into_bytes()
            })
        }
        "F5" => tilde(15),
        "F6" => tilde(17),
        "F7" => tilde(18),
        "F8" => tilde(19),
        "F9" => tilde(20),
        "F10" => tilde(21),
        "F11" => tilde(23),
        "F12" => tilde(24),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(words: &str) -> String {
        String::from_utf8(encode(words.split(' '), false)).unwrap().escape_debug().to_string()
    }

    #[test]
    fn names_are_keys_and_all_else_is_text() {
        for (words, bytes) in [
            ("Down Enter", "\\u{1b}[B\\r"),
            ("C-d", "\\u{4}"),
            ("C-c ^D", "\\u{3}\\u{4}"),
            ("Escape :wq Enter", "\\u{1b}:wq\\r"),
            ("M-x", "\\u{1b}x"),
            ("C-Right S-Up C-M-Left", "\\u{1b}[1;5C\\u{1b}[1;2A\\u{1b}[1;7D"),
            ("F1 F5 C-F12", "\\u{1b}OP\\u{1b}[15~\\u{1b}[24;5~"),
            ("PageDown NPage BTab", "\\u{1b}[6~\\u{1b}[6~\\u{1b}[Z"),
            ("BSpace Space Tab", "\\u{7f} \\t"),
            ("C-Space", "\\0"),
            ("down C- hello é ^", "downC-helloé^"),
            ("y", "y"),
        ] {
            assert_eq!(typed(words), bytes, "{words}");
        }
    }

    #[test]
    fn cursor_keys_follow_the_program() {
        assert_eq!(encode(["Up", "C-Up", "PageUp"], true), b"\x1bOA\x1b[1;5A\x1b[5~");
    }
}
