//! String literals of Python (The Python Language Reference, 2.5): which text one stands for as far
//! as it was typed, and how a text is written in one. Looks at the text alone.

/// How a string is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    quote: char,
    pub(crate) is_triple: bool,
    is_raw: bool,
    is_bytes: bool,
    pub(crate) is_formatted: bool,
    /// Whether it is part of an expression in a formatted string as before Python 3.12, where there
    /// may be no backslash and no quote of the outer one.
    is_restricted: bool,
}

/// What a string says so far.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// Its text: UTF-8 but for the bytes that escapes stand for.
    pub(crate) bytes: Vec<u8>,
    /// Where in the source each of them begins, and at last where `bytes` ends: the end of the source, or
    /// the beginning of an escape that has come in part.
    pub(crate) places: Vec<usize>,
}

/// What an escape is that a source begins with.
enum Escape {
    /// So long, for this.
    Whole(usize, Vec<u8>),
    /// It has come in part.
    Begun,
    /// No file's name has it, or it is not known.
    Unknown,
}

/// What `\` and this letter stand for.
const SIMPLE: [(char, u8); 10] = [
    ('\\', b'\\'),
    ('\'', b'\''),
    ('"', b'"'),
    ('a', 0x07),
    ('b', 0x08),
    ('f', 0x0c),
    ('n', b'\n'),
    ('r', b'\r'),
    ('t', b'\t'),
    ('v', 0x0b),
];

impl Form {
    /// That of a string that begins with one or three of this quote behind this text.
    pub(crate) fn of(before: &[char], quote: char, is_triple: bool, is_restricted: bool) -> Form {
        let letters = before.iter().rev().take_while(|&&one| one.is_alphanumeric() || one == '_');
        let mut prefix: Vec<char> = letters.map(char::to_ascii_lowercase).collect();
        prefix.sort_unstable();
        let prefix: String = prefix.into_iter().collect();
        let is_prefix = matches!(&*prefix, "b" | "br" | "f" | "fr" | "r" | "rt" | "t" | "u");
        let has = |letter| is_prefix && prefix.contains(letter);
        Form {
            quote,
            is_triple,
            is_raw: has('r'),
            is_bytes: has('b'),
            is_formatted: has('f') || has('t'),
            is_restricted,
        }
    }

    /// Whether the string ends here, and how long its end is.
    pub(crate) fn end(self, source: &[char]) -> Option<usize> {
        let length = if self.is_triple { 3 } else { 1 };
        source.starts_with(&[self.quote; 3][..length]).then_some(length)
    }

    /// How many characters belong together behind a backslash, with that.
    pub(crate) fn escaped(self, source: &[char]) -> usize {
        match source {
            // A field begins all the same, unless that is the name of a character.
            [_, '{' | '}', ..] if self.is_formatted => 1,
            [_, 'N', '{', rest @ ..] if self.is_formatted && !self.is_raw => {
                3 + rest.iter().position(|&one| one == '}').map_or(rest.len(), |end| end + 1)
            }
            _ => 2,
        }
    }

    /// Reads what was typed of the string's content; `None` if that has lines, or no path can have it.
    pub(crate) fn read(self, source: &[char]) -> Option<Read> {
        let (mut read, mut at) = (Read::default(), 0);
        while let Some(&character) = source.get(at) {
            let (length, bytes) = match (character, source.get(at + 1)) {
                ('\\', _) if !self.is_raw => match self.escape(&source[at..]) {
                    Escape::Whole(length, bytes) => (length, bytes),
                    Escape::Begun => break,
                    Escape::Unknown => return None,
                },
                ('{' | '}', Some(&next)) if self.is_formatted && next == character => {
                    (2, character.to_string().into())
                }
                ('{' | '}', _) if self.is_formatted => return None,
                ('\n', _) => return None,
                _ if self.is_bytes && !character.is_ascii() => return None,
                _ => (1, character.to_string().into()),
            };
            if bytes.contains(&0) {
                return None;
            }
            read.places.extend(bytes.iter().map(|_| at));
            read.bytes.extend(bytes);
            at += length;
        }
        read.places.push(at);
        Some(read)
    }

    fn escape(self, source: &[char]) -> Escape {
        let Some(&letter) = source.get(1) else { return Escape::Begun };
        if letter == '\n' {
            return Escape::Whole(2, Vec::new());
        }
        if let Some(&(_, byte)) = SIMPLE.iter().find(|(one, _)| *one == letter) {
            return Escape::Whole(2, vec![byte]);
        }
        let (from, most, radix) = match letter {
            '0'..='7' => (1, 3, 8),
            'x' => (2, 2, 16),
            'u' if !self.is_bytes => (2, 4, 16),
            'U' if !self.is_bytes => (2, 8, 16),
            'N' if !self.is_bytes => return Escape::Unknown,
            // Python leaves it as it is, the backslash included.
            _ => return Escape::Whole(1, b"\\".into()),
        };
        let digits: Vec<u32> =
            source[from..].iter().take(most).map_while(|digit| digit.to_digit(radix)).collect();
        let length = from + digits.len();
        if radix == 16 && digits.len() < most {
            return if length == source.len() { Escape::Begun } else { Escape::Unknown };
        }
        let value =
            digits.into_iter().fold(0_u32, |value, digit| value.saturating_mul(radix) + digit);
        match (char::from_u32(value), value) {
            (_, 0..=0xff) if self.is_bytes => Escape::Whole(length, vec![value.to_le_bytes()[0]]),
            (Some(character), _) if !self.is_bytes => {
                Escape::Whole(length, character.to_string().into())
            }
            // A byte of a file's name that is no UTF-8 (PEP 383).
            (None, 0xdc80..=0xdcff) => Escape::Whole(length, vec![value.to_le_bytes()[0]]),
            _ => Escape::Unknown,
        }
    }

    /// How this text is written in the string; `None` if it can't be.
    pub(crate) fn write(self, text: &[u8], is_printable: impl Fn(char) -> bool) -> Option<String> {
        let mut source = String::new();
        for part in text.utf8_chunks() {
            for character in part.valid().chars() {
                let is_whole = (character.is_ascii() || !self.is_bytes) && is_printable(character);
                match character {
                    '\'' | '"' | '\\' if self.is_restricted => return None,
                    '\\' if !self.is_raw => source.push_str("\\\\"),
                    '{' | '}' if self.is_formatted => source.extend([character; 2]),
                    _ if is_whole && character != self.quote => source.push(character),
                    _ if self.is_raw || self.is_restricted => return None,
                    _ if is_whole => source.extend(['\\', character]),
                    '\n' => source.push_str("\\n"),
                    '\r' => source.push_str("\\r"),
                    '\t' => source.push_str("\\t"),
                    _ if self.is_bytes => {
                        let mut bytes = [0; 4];
                        for byte in character.encode_utf8(&mut bytes).bytes() {
                            source.push_str(&format!("\\x{byte:02x}"));
                        }
                    }
                    '\0'..='\u{ff}' => source.push_str(&format!("\\x{:02x}", u32::from(character))),
                    '\u{100}'..='\u{ffff}' => {
                        source.push_str(&format!("\\u{:04x}", u32::from(character)));
                    }
                    _ => source.push_str(&format!("\\U{:08x}", u32::from(character))),
                }
            }
            for byte in part.invalid() {
                if self.is_raw || self.is_restricted {
                    return None;
                }
                let begin = if self.is_bytes { "\\x" } else { "\\udc" };
                source.push_str(&format!("{begin}{byte:02x}"));
            }
        }
        // A backslash at its end would take the quote for itself.
        let is_open = self.is_raw && source.ends_with('\\');
        (!is_open).then_some(source)
    }
}
