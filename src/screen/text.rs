//! Text as it arrives: bytes cut anywhere become characters to print and C0 controls.

use super::terminal::Terminal;

const BS: u8 = 0x08;
const VT: u8 = 0x0b;
const FF: u8 = 0x0c;
const SO: u8 = 0x0e;
const SI: u8 = 0x0f;

impl Terminal {
    /// Prints text and executes the C0 controls in it. What is not UTF-8 becomes U+FFFD.
    ///
    /// A character may go on in the next call, unless [`Terminal::end_text`] comes between.
    pub(super) fn text(&mut self, mut bytes: &[u8]) {
        while !self.partial.is_empty()
            && let Some((&byte, rest)) = bytes.split_first()
        {
            self.partial.push(byte);
            match str::from_utf8(&self.partial) {
                Ok(text) => {
                    let c = text.chars().next();
                    self.partial.clear();
                    c.into_iter().for_each(|c| self.character(c));
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    // The byte does not belong to the character.
                    self.partial.clear();
                    self.print(char::REPLACEMENT_CHARACTER);
                    break;
                }
            }
            bytes = rest;
        }
        while !bytes.is_empty() {
            match str::from_utf8(bytes) {
                Ok(text) => {
                    self.valid_text(text);
                    break;
                }
                Err(error) => {
                    let (valid, rest) = bytes.split_at(error.valid_up_to());
                    self.valid_text(str::from_utf8(valid).unwrap_or_default());
                    let Some(length) = error.error_len() else {
                        self.partial.extend_from_slice(rest);
                        break;
                    };
                    self.print(char::REPLACEMENT_CHARACTER);
                    bytes = &rest[length..];
                }
            }
        }
    }

    /// An escape sequence follows: a character that is not complete never will be.
    pub(super) fn end_text(&mut self) {
        if !self.partial.is_empty() {
            self.partial.clear();
            self.print(char::REPLACEMENT_CHARACTER);
        }
    }

    /// Prints text that is whole characters.
    pub(super) fn valid_text(&mut self, text: &str) {
        self.end_text();
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let run = printable_ascii(&bytes[at..]);
            if run > 0 {
                self.print_ascii(&text[at..at + run]);
                at += run;
            } else if bytes[at] < 0x80 {
                self.control(bytes[at]);
                at += 1;
            } else {
                at += self.print_run(&text[at..]);
            }
        }
    }

    /// Executes a C0 control (ECMA-48, 5.2); those that mean nothing to a screen are ignored.
    pub(super) fn control(&mut self, byte: u8) {
        match byte {
            BS => self.backspace(),
            b'\t' => self.tab(),
            b'\n' | VT | FF => self.line_feed(),
            b'\r' => self.carriage_return(),
            SO => self.cursor.charsets.active = 1,
            SI => self.cursor.charsets.active = 0,
            _ => {}
        }
    }

    /// Prints a character, unless it is a C1 control in UTF-8, which is ignored.
    pub(super) fn character(&mut self, c: char) {
        match c {
            '\0'..='\x1f' => self.control(c as u8),
            '\x7f'..='\u{9f}' => {}
            _ => self.print(c),
        }
    }
}

/// How many of the first bytes are printable ASCII.
fn printable_ascii(bytes: &[u8]) -> usize {
    const BLOCK: usize = 16;
    let printable = |byte: u8| byte.wrapping_sub(0x20) < 0x5f;
    let blocks = bytes.chunks_exact(BLOCK);
    let whole = blocks.take_while(|block| block.iter().fold(true, |all, &b| all & printable(b)));
    let from = whole.count() * BLOCK;
    let rest = bytes[from..].iter().position(|&byte| !printable(byte));
    rest.map_or(bytes.len(), |rest| from + rest)
}
