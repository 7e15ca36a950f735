//! What a cell looks like where a person would have typed it: the echo that the screen and who looks on
//! are shown when it begins, and what is said where it ends. Pure.
//!
//! The marks are those of FinalTerm (OSC 133), by which terminals find prompts, cells and what these
//! print: `A` before the prompt, `B` behind it, `C` behind the cell, `D` with 0 or 1 where it is over.

use crate::reply::{MORE, PROMPT, reorders};

/// How much of a cell is shown, in lines.
const MOST_LINES: usize = 20;
/// How much of a line is, in characters.
const LONGEST_LINE: usize = 1000;

/// Where the prompt begins.
pub(crate) const PROMPT_MARK: &str = "\x1b]133;A\x1b\\";
/// Where what was typed begins.
pub(crate) const TYPED_MARK: &str = "\x1b]133;B\x1b\\";
/// Where what the cell prints begins.
pub(crate) const OUTPUT_MARK: &str = "\x1b]133;C\x1b\\";

/// The echo of a cell, to be shown from the start of a row on. `client` is whose it is, where that is to
/// be said.
pub(crate) fn of_cell(client: Option<&str>, source: &str) -> String {
    let label = match client {
        Some("") => "[another client] ".into(),
        Some(client) => format!("[{}] ", harmless(client)),
        None => String::new(),
    };
    let source = source.trim_end();
    let count = source.split('\n').count();
    let mut echo = format!("{PROMPT_MARK}{label}{PROMPT}{TYPED_MARK}");
    for (n, line) in source.split('\n').take(MOST_LINES).enumerate() {
        if n > 0 {
            echo += &format!("{label}{MORE}");
        }
        echo += &shown(line.trim_end_matches('\r'));
        echo += "\r\n";
    }
    if count > MOST_LINES {
        echo += &format!("{label}{MORE}({} more lines)\r\n", count - MOST_LINES);
    }
    echo + OUTPUT_MARK
}

/// What is said where a cell is over; `succeeded` is not known where its session has ended with it.
pub(super) fn of_end(succeeded: Option<bool>) -> &'static str {
    match succeeded {
        Some(true) => "\x1b]133;D;0\x1b\\",
        Some(false) => "\x1b]133;D;1\x1b\\",
        None => "\x1b]133;D\x1b\\",
    }
}

/// A line as it is shown.
fn shown(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        None => harmless(line),
        Some((end, _)) => {
            let more = line[end..].chars().count();
            format!("{} ({more} more characters)", harmless(&line[..end]))
        }
    }
}

/// Without what could move the cursor, or make the rest look like something else.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            c if c.is_control() || reorders(c) => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::screen::{Screen, Size};

    fn page(client: Option<&str>, source: &str) -> String {
        let mut screen = Screen::new(Size::default());
        screen.feed(of_cell(client, source).as_bytes());
        assert_eq!(screen.cursor().1, 0);
        screen.page_text()
    }

    #[test]
    fn a_cell_stands_at_its_prompt() {
        assert_eq!(page(None, "x = 1\n"), ">>> x = 1");
        assert_eq!(page(Some("bot"), "if x:\n\ty\n"), "[bot] >>> if x:\n[bot] ...     y");
        assert_eq!(page(None, "a\r\n\r\nb\r\n"), ">>> a\n...\n... b");
        assert_eq!(page(Some(""), "1"), "[another client] >>> 1");
        assert_eq!(page(None, "漢 = 'e\u{301}'"), ">>> 漢 = 'e\u{301}'");
    }

    #[test]
    fn the_marks_stand_around_prompt_and_cell() {
        let echo = "\x1b]133;A\x1b\\[a] >>> \x1b]133;B\x1b\\1\r\n[a] ... 2\r\n\x1b]133;C\x1b\\";
        assert_eq!(of_cell(Some("a"), "1\n2"), echo);
        assert_eq!(of_end(Some(false)), "\x1b]133;D;1\x1b\\");
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = page(Some("a"), &"1\n".repeat(30));
        assert_eq!(long.lines().count(), 21);
        assert!(long.ends_with("\n[a] ... 1\n[a] ... (10 more lines)"), "{long}");
        let line = page(None, &"é".repeat(LONGEST_LINE + 7));
        assert!(line.ends_with("é (7 more characters)"), "{line}");
    }

    #[test]
    fn nothing_in_a_cell_moves_the_cursor() {
        assert_eq!(page(Some("a\x1bb"), "\x1b[2J\rb"), "[a\u{fffd}b] >>> \u{fffd}[2J\u{fffd}b");
        assert_eq!(page(None, "\u{202e}x\u{9b}1m"), ">>> \u{fffd}x\u{fffd}1m");
    }

    proptest! {
        #[test]
        fn any_cell_is_lines_and_marks(source in ".*", client in ".*") {
            let echo = of_cell(Some(&client), &source);
            let text = echo.replace("\r\n", "\n");
            let marks = [PROMPT_MARK, TYPED_MARK, OUTPUT_MARK];
            let text = marks.iter().fold(text, |text, mark| text.replacen(mark, "", 1));
            prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
            prop_assert!(text.ends_with('\n'));
        }
    }
}
