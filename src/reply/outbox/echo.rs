//! The echo of what a client typed, to be left out of what it is told. Pure.

use std::borrow::Cow;

/// Lines that were typed and that the terminal echoes, in this order.
#[derive(Debug, Default)]
pub(super) struct Echo {
    /// Those that were not seen yet, each with its end.
    lines: String,
    /// How much of the first of them was seen, in bytes, and not told so far.
    held: usize,
}

impl Echo {
    /// That of a text that is typed to a program that reads lines.
    pub(super) fn of(mut text: String) -> Echo {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Echo { lines: text, held: 0 }
    }

    /// The text without the lines that are echo, and whether there were some. Only whole lines are:
    /// what a program prints between them is left as it is. What may become one is held back.
    pub(super) fn cut_out<'a>(&mut self, text: &'a str) -> (Cow<'a, str>, bool) {
        if self.lines.is_empty() {
            return (text.into(), false);
        }
        let all = format!("{}{text}", &self.lines[..std::mem::take(&mut self.held)]);
        let mut seen = 0;
        let mut rest = String::new();
        for line in all.split_inclusive('\n') {
            if !self.lines[seen..].starts_with(line) {
                rest.push_str(line);
            } else if line.ends_with('\n') {
                seen += line.len();
            } else {
                self.held = line.len();
            }
        }
        self.lines.drain(..seen);
        (rest.into(), seen > 0)
    }

    /// What was held back and did not become a line so far: it is told after all.
    pub(super) fn take_held(&mut self) -> String {
        let held = self.lines[..self.held].to_owned();
        if self.held > 0 {
            *self = Echo::default();
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(typed: &str, told: &[&str]) -> String {
        let mut echo = Echo::of(typed.into());
        let rest: String = told.iter().map(|text| echo.cut_out(text).0.into_owned()).collect();
        rest + &echo.take_held()
    }

    #[test]
    fn lines_that_were_typed_are_cut_out_once_and_in_order() {
        assert_eq!(without("a", &["a\n5\n"]), "5\n");
        assert_eq!(without("a\nb\n", &["a\n", "b\nA\nB\n"]), "A\nB\n");
        assert_eq!(without("a\nb", &["a\nA\n", "b\nB\n"]), "A\nB\n");
        // A line longer than the page comes in pieces.
        assert_eq!(without("abcdef", &["abc", "de", "f\n", "6\n"]), "6\n");
        // What a program prints the same is its own.
        assert_eq!(without("a\na", &["a\n", "a\na\na\n"]), "a\na\n");
    }

    #[test]
    fn what_is_no_whole_line_that_was_typed_is_left() {
        assert_eq!(without("abc", &["ab", "d\n"]), "abd\n");
        assert_eq!(without("abc", &["ab"]), "ab");
        assert_eq!(without("abc", &["ab\nabc\n"]), "ab\n");
        assert_eq!(without("abc", &["more? abc\n"]), "more? abc\n");
    }
}
