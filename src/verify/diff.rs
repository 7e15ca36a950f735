//! What differs between two texts, for people to read. Pure.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

/// How many lines that are the same stand around those that differ.
const CONTEXT: usize = 3;
/// The most lines of a difference: what comes behind is seldom looked at.
const MOST_LINES: usize = 400;

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// They are.
    Colors,
    /// They are not.
    Plain,
}

/// The lines that are expected and not there (`-`) and those that are there and not expected (`+`), with
/// the numbers that they have in what is expected; blanks at the ends of lines and what moves the cursor
/// can be seen.
pub fn diff(expected: &str, found: &str, paint: Paint) -> String {
    let diff = TextDiff::from_lines(expected, found);
    let mut out = String::new();
    let mut lines = 0;
    for (n, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if n > 0 {
            out.push_str("      ...\n");
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            lines += 1;
            if lines > MOST_LINES {
                out.push_str("      ... and more\n");
                return out;
            }
            let (sign, color) = match change.tag() {
                ChangeTag::Delete => ('-', "\x1b[31m"),
                ChangeTag::Insert => ('+', "\x1b[32m"),
                ChangeTag::Equal => (' ', ""),
            };
            let number = change.old_index().map_or_else(String::new, |n| (n + 1).to_string());
            let text = seen(change.value(), sign != ' ');
            let is_painted = paint == Paint::Colors && sign != ' ';
            let (start, end) = if is_painted { (color, "\x1b[0m") } else { ("", "") };
            let _ = writeln!(out, "{number:>5} {start}{sign}{text}{end}");
        }
    }
    out
}

/// A line as it can be seen.
fn seen(line: &str, differs: bool) -> String {
    let (line, is_whole) = match line.strip_suffix('\n') {
        Some(line) => (line, true),
        None => (line, false),
    };
    let text = line.trim_end_matches(' ');
    let mut seen = String::new();
    for c in text.chars() {
        if c.is_control() {
            seen.extend(c.escape_default());
        } else {
            seen.push(c);
        }
    }
    let blanks = line.len() - text.len();
    seen.push_str(&if differs { "·" } else { " " }.repeat(blanks));
    if !is_whole {
        seen.push_str(" (without an end of line)");
    }
    seen.truncate(seen.trim_end_matches(' ').len());
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_numbers_and_what_stands_around_it() {
        let lines = |change: &str| {
            (1..=20)
                .map(|n| if n == 10 { format!("{change}\n") } else { format!("line {n}\n") })
                .collect::<String>()
        };
        let told = diff(&lines("line 10"), &lines("line ten  "), Paint::Plain);
        let expected = "    7  line 7\n    8  line 8\n    9  line 9\n   10 -line 10\n      +line ten··\n   11  line 11\n   12  line 12\n   13  line 13\n";
        assert_eq!(told, expected);
        assert_eq!(diff("same\n", "same\n", Paint::Plain), "");
    }

    #[test]
    fn what_can_not_be_seen_is_shown() {
        let told = diff("a\n", "a\x1b[31m", Paint::Plain);
        assert_eq!(told, "    1 -a\n      +a\\u{1b}[31m (without an end of line)\n");
        let painted = diff("a\n", "b\n", Paint::Colors);
        assert_eq!(painted, "    1 \x1b[31m-a\x1b[0m\n      \x1b[32m+b\x1b[0m\n");
    }

    #[test]
    fn a_long_difference_is_cut() {
        let found: String = (0..1000).map(|n| format!("{n}\n")).collect();
        let told = diff("", &found, Paint::Plain);
        assert!(told.ends_with("... and more\n") && told.lines().count() == MOST_LINES + 1);
    }
}
