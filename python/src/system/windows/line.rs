//! A line that is being typed, as a terminal's line discipline has it: it is kept until it is ended, whoever
//! waits meanwhile. Pure.

use unicode_width::UnicodeWidthChar;

/// The erase keys: Backspace, and what it gives with Ctrl.
const BACKSPACE: char = '\u{8}';
const DELETE: char = '\u{7f}';
/// Takes back the whole line.
const ESCAPE: char = '\u{1b}';
/// Ends the input, in front of a line: Ctrl-Z.
const END: char = '\u{1a}';
/// How a tab is shown, so that it is known how much of it is to be erased.
const TAB: &str = "    ";

/// The line, and what of a character of two units is there.
#[derive(Debug, Default)]
pub(crate) struct Line {
    typed: String,
    half: Option<u16>,
}

/// What a key does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Typed {
    /// What is to be shown; often nothing.
    Shows(String),
    /// The line has ended, which shows a new one: all of it, a newline at its end. Nothing for the end of the
    /// input.
    Ends(String),
}

impl Line {
    /// A line that nothing was typed of.
    pub(crate) const fn new() -> Line {
        Line { typed: String::new(), half: None }
    }

    /// Takes a unit of UTF-16 that a key gave.
    pub(crate) fn take(&mut self, unit: u16) -> Typed {
        let units = self.half.take().into_iter().chain([unit]);
        match char::decode_utf16(units).last() {
            Some(Ok(character)) => self.take_character(character),
            // The other half comes with the next key.
            Some(Err(_)) if (0xd800..0xdc00).contains(&unit) => {
                self.half = Some(unit);
                Typed::Shows(String::new())
            }
            _ => self.take_character(char::REPLACEMENT_CHARACTER),
        }
    }

    fn take_character(&mut self, character: char) -> Typed {
        match character {
            '\r' | '\n' if self.typed.starts_with(END) => {
                self.typed.clear();
                Typed::Ends(String::new())
            }
            '\r' | '\n' => {
                self.typed.push('\n');
                Typed::Ends(std::mem::take(&mut self.typed))
            }
            BACKSPACE | DELETE => Typed::Shows(self.typed.pop().map_or(String::new(), erased)),
            ESCAPE => {
                Typed::Shows(std::mem::take(&mut self.typed).chars().rev().map(erased).collect())
            }
            '\0' => Typed::Shows(String::new()),
            character => {
                self.typed.push(character);
                Typed::Shows(shown(character))
            }
        }
    }

    /// Forgets what was typed.
    pub(crate) fn clear(&mut self) {
        *self = Line::new();
    }
}

fn shown(character: char) -> String {
    match character {
        '\t' => TAB.to_owned(),
        // As terminals show them: `^Z`.
        control @ '\u{1}'..='\u{1f}' => format!("^{}", char::from(control as u8 + b'@')),
        character => character.to_string(),
    }
}

/// What takes a character off that was shown.
fn erased(character: char) -> String {
    let width: usize = shown(character).chars().filter_map(UnicodeWidthChar::width).sum();
    "\u{8} \u{8}".repeat(width)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of a text that is typed, and the lines that come of it.
    fn typed(line: &mut Line, text: &str) -> (String, Vec<String>) {
        let (mut shown, mut lines) = (String::new(), Vec::new());
        for unit in text.encode_utf16() {
            match line.take(unit) {
                Typed::Shows(text) => shown += &text,
                Typed::Ends(line) => lines.push(line),
            }
        }
        (shown, lines)
    }

    #[test]
    fn a_line_is_there_when_it_is_ended() {
        let mut line = Line::new();
        assert_eq!(typed(&mut line, "ad"), ("ad".into(), vec![]));
        assert_eq!(typed(&mut line, "a\rx"), ("ax".into(), vec!["ada\n".into()]));
        assert_eq!(typed(&mut line, "\n\r"), (String::new(), vec!["x\n".into(), "\n".into()]));
    }

    #[test]
    fn what_is_taken_back_is_taken_off() {
        let mut line = Line::new();
        let (shown, lines) = typed(&mut line, "a漢\t\u{1}\u{8}\u{8}\u{7f}\u{8}\u{8}b\r");
        let taken = ["a漢    ^A", &"\u{8} \u{8}".repeat(2 + 4 + 2 + 1), "b"].concat();
        assert_eq!((shown, lines), (taken, vec!["b\n".into()]));
        let (shown, lines) = typed(&mut line, "ab\u{1b}c\r");
        assert_eq!((&*shown, lines), ("ab\u{8} \u{8}\u{8} \u{8}c", vec!["c\n".into()]));
    }

    #[test]
    fn a_character_may_be_two_keys() {
        assert_eq!(typed(&mut Line::new(), "😀\r"), ("😀".into(), vec!["😀\n".into()]));
        let mut line = Line::new();
        assert_eq!(line.take(0xdc00), Typed::Shows("\u{fffd}".into()));
        assert_eq!(line.take(0xd83d), Typed::Shows(String::new()));
        // The half of one that does not come is lost.
        assert_eq!(line.take(u16::from(b'a')), Typed::Shows("a".into()));
    }

    #[test]
    fn the_end_of_the_input_stands_in_front_of_a_line() {
        let mut line = Line::new();
        assert_eq!(typed(&mut line, "\u{1a}\r"), ("^Z".into(), vec![String::new()]));
        assert_eq!(typed(&mut line, "a\u{1a}\r"), ("a^Z".into(), vec!["a\u{1a}\n".into()]));
        assert_eq!(typed(&mut line, "half").0, "half");
        line.clear();
        assert_eq!(typed(&mut line, "\r").1, ["\n"]);
    }
}
