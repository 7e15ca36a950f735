//! A reply as it is expected, against the one that came. Pure.

/// The line that stands for any lines, also for none.
const ANY: &str = "...";
/// What stands before such a line that means itself.
const ESCAPE: char = '\\';

/// What is expected, line by line. Blanks at the ends of lines do not count, nor whether the last one
/// has an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Any,
    Is(String),
}

impl Pattern {
    /// Reads what is expected.
    pub fn new(text: &str) -> Pattern {
        let line = |line: &str| match line.trim_end() {
            ANY => Line::Any,
            line if is_dots(line) => Line::Is(line[ESCAPE.len_utf8()..].to_owned()),
            line => Line::Is(line.to_owned()),
        };
        Pattern { lines: text.lines().map(line).collect() }
    }

    /// Whether no text could differ, or all that is expected is that there are lines without anything.
    pub fn accepts_anything(&self) -> bool {
        self.lines.iter().all(|line| match line {
            Line::Any => true,
            Line::Is(line) => line.is_empty(),
        })
    }

    /// What is expected, and a text that differs from it, as they are compared: for people, to whom the
    /// lines that `...` stands for are no difference.
    pub fn beside(&self, text: &str) -> (String, String) {
        let found: Vec<&str> = text.lines().map(str::trim_end).collect();
        let mut expected: Vec<&str> = Vec::new();
        let mut at = 0;
        for (n, line) in self.lines.iter().enumerate() {
            let behind = found.get(at..).unwrap_or_default();
            let to = |line: &str| behind.iter().position(|other| *other == line);
            match (line, self.lines.get(n + 1)) {
                (Line::Any, None) => expected.extend(behind),
                (Line::Any, Some(Line::Is(next))) => match to(next) {
                    Some(count) => {
                        expected.extend(&behind[..count]);
                        at += count;
                    }
                    None => expected.push(ANY),
                },
                (Line::Any, Some(Line::Any)) => {}
                (Line::Is(line), _) => {
                    expected.push(line);
                    // A line more or less does not end what is the same.
                    at += to(line).map_or(0, |count| count + 1);
                }
            }
        }
        let whole = |lines: &[&str]| lines.iter().flat_map(|line| [line, "\n"]).collect();
        (whole(&expected), whole(&found))
    }

    /// Whether this text is one that is expected.
    pub fn matches(&self, text: &str) -> bool {
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        // Where the last `...` was, and how far it reaches: it is tried with a line more when what
        // follows does not fit, so that at most `lines * expected` are compared.
        let (mut at, mut expected, mut retry) = (0, 0, None);
        loop {
            match self.lines.get(expected) {
                Some(Line::Any) => {
                    expected += 1;
                    retry = Some((at, expected));
                    continue;
                }
                Some(Line::Is(line)) if lines.get(at) == Some(&line.as_str()) => {
                    at += 1;
                    expected += 1;
                    continue;
                }
                None if at == lines.len() => return true,
                _ => {}
            }
            match retry {
                Some((from, behind)) if from < lines.len() => {
                    retry = Some((from + 1, behind));
                    (at, expected) = (from + 1, behind);
                }
                _ => return false,
            }
        }
    }
}

/// Writes a text down as one that is expected.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        if line.trim_end() == ANY || is_dots(line.trim_end()) {
            out.push(ESCAPE);
        }
        out.push_str(line);
    }
    out
}

/// Whether a line is `...` behind backslashes.
fn is_dots(line: &str) -> bool {
    line.starts_with(ESCAPE) && line.trim_start_matches(ESCAPE) == ANY
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn matches(expected: &str, text: &str) -> bool {
        Pattern::new(expected).matches(text)
    }

    #[test]
    fn dots_are_any_lines_and_all_else_is_equal() {
        assert!(matches("a\nb\n", "a\nb"));
        assert!(!matches("a\nb\n", "a\n"));
        assert!(!matches("a\n", "a\nb\n"));
        assert!(matches("a\n...\n", "a\n"));
        assert!(matches("...\nb\n", "a\na\nb\n"));
        assert!(matches("a\n...\nb\n...\nc\n", "a\nb\nx\nb\ny\nc\n"));
        assert!(!matches("a\n...\nb\n...\nc\n", "a\nx\ny\nc\n"));
        assert!(matches("...\nb\n", "b\nx\nb\n"));
        assert!(!matches("...\nb\n", "b\nx\n"));
        assert!(!matches("a...\n", "ab\n"));
    }

    #[test]
    fn blanks_at_the_ends_of_lines_do_not_count() {
        assert!(matches("(Pdb)\n", "(Pdb) "));
        assert!(matches("(Pdb) \n", "(Pdb)\n"));
        assert!(!matches(" x\n", "x\n"));
    }

    #[test]
    fn what_dots_stand_for_is_no_difference() {
        let beside = |expected: &str, text: &str| Pattern::new(expected).beside(text);
        let both = |expected: &str, found: &str| (expected.to_owned(), found.to_owned());
        assert_eq!(
            beside("a\n...\nc\nd\n", "a\nb\nb\nc\ne"),
            both("a\nb\nb\nc\nd\n", "a\nb\nb\nc\ne\n")
        );
        assert_eq!(beside("x\n...\n", "y \nz\n"), both("x\ny\nz\n", "y\nz\n"));
        assert_eq!(beside("...\n...\nd\n", "a\n"), both("...\nd\n", "a\n"));
    }

    #[test]
    fn what_accepts_anything_is_told() {
        for text in ["", "\n", "...\n", "...\n\n...  \n"] {
            assert!(Pattern::new(text).accepts_anything(), "{text:?}");
        }
        for text in ["x\n", "...\nx\n", "\\...\n"] {
            assert!(!Pattern::new(text).accepts_anything(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_text_that_was_written_down_is_expected_and_no_other(
            text in "([ab.\\\\ ]|\\.\\.\\.|\n){0,12}", other in "([ab.\\\\]|\n){0,6}",
        ) {
            let pattern = Pattern::new(&escaped(&text));
            prop_assert!(pattern.matches(&text));
            let seen = |text: &str| text.lines().map(|l| l.trim_end().to_owned()).collect::<Vec<_>>();
            prop_assert_eq!(pattern.matches(&other), seen(&text) == seen(&other));
        }

        #[test]
        fn what_matches_has_nothing_to_show(
            before in "[ab\n]{0,6}", between in "[ab\n]{0,6}", behind in "[ab\n]{0,6}",
        ) {
            let expected = format!("x{before}\n...\n{behind}y\n");
            let (left, right) = Pattern::new(&expected).beside(&format!("x{before}\n{behind}y\n"));
            prop_assert_eq!(left, right);
            Pattern::new(&expected).beside(&between);
        }

        #[test]
        fn lines_may_stand_for_dots(
            before in "[ab\n]{0,6}", between in "[ab\n]{0,6}", behind in "[ab\n]{0,6}",
        ) {
            let expected = format!("x{before}\n...\n{behind}y\n");
            let text = format!("x{before}\n{between}\n{behind}y\n");
            prop_assert!(Pattern::new(&expected).matches(&text));
        }
    }
}
