//! Texts in which `...` stands for what may differ. Pure.

/// What stands for any lines where it is alone on one, and else for anything on its line.
const ANYTHING: &str = "...";

/// Whether a text is as expected. Blanks at the ends of lines do not count, nor empty lines at the end
/// of the text.
pub fn matches(expected: &str, found: &str) -> bool {
    let (expected, found) = (lines(expected), lines(found));
    glob(
        &expected,
        &found,
        |line| line.trim() == ANYTHING,
        |expected, found| line_matches(expected, found),
    )
}

/// Whether any text at all is as expected.
pub fn accepts_anything(expected: &str) -> bool {
    let lines = lines(expected);
    !lines.is_empty() && lines.iter().all(|line| line.trim() == ANYTHING)
}

fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.truncate(lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1));
    lines
}

fn line_matches(expected: &str, found: &str) -> bool {
    let mut pattern = Vec::new();
    for (n, part) in expected.split(ANYTHING).enumerate() {
        if n > 0 {
            pattern.push(None);
        }
        pattern.extend(part.chars().map(Some));
    }
    let found: Vec<char> = found.chars().collect();
    glob(&pattern, &found, |part| part.is_none(), |part, c| *part == Some(*c))
}

/// Whether `found` is `expected`, in which some items stand for any number of them.
fn glob<E, F>(
    expected: &[E],
    found: &[F],
    is_any: impl Fn(&E) -> bool,
    is_same: impl Fn(&E, &F) -> bool,
) -> bool {
    let (mut at, mut next) = (0, 0);
    // Behind the last one that stands for any number, and up to where that reaches.
    let mut last: Option<(usize, usize)> = None;
    while next < found.len() {
        match expected.get(at) {
            Some(item) if is_any(item) => {
                at += 1;
                last = Some((at, next));
            }
            Some(item) if is_same(item, &found[next]) => (at, next) = (at + 1, next + 1),
            _ => match &mut last {
                Some((behind, reaches)) => {
                    *reaches += 1;
                    (at, next) = (*behind, *reaches);
                }
                None => return false,
            },
        }
    }
    expected[at..].iter().all(is_any)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dots_stand_for_lines_and_for_parts_of_one() {
        assert!(matches("a\n...\nd", "a\nb\nc\nd\n"));
        assert!(matches("a\n...\nd\n", "a\nd"));
        assert!(matches("...\nd", "a\nd\nx\nd"));
        assert!(matches("took ... s of ... s", "took 1.25 s of 9 s"));
        assert!(matches(">>> \n", ">>>\n\n"));
        assert!(!matches("a\n...\nd", "a\nb"));
        assert!(!matches("took ... s", "took 1.25 ms\nmore"));
        assert!(!matches("", "a"));
        assert!(!matches("a", ""));
        assert!(!matches("a\n\nb", "a\nb"));
        assert!(matches("wait...", "wait..."));
    }

    #[test]
    fn what_accepts_anything_is_known() {
        assert!(accepts_anything("...\n  ...\n"));
        assert!(!accepts_anything("") && !accepts_anything("...\na") && !accepts_anything("a ..."));
    }

    proptest! {
        #[test]
        fn a_text_is_as_itself_also_with_lines_left_out(
            lines in prop::collection::vec("[ab.]{1,4}", 0..8),
            from in 0..8_usize,
            to in 0..8_usize,
        ) {
            let text = lines.join("\n");
            prop_assert!(matches(&text, &text));
            let (from, to) = (from.min(to).min(lines.len()), from.max(to).min(lines.len()));
            let expected = [&lines[..from], &["...".to_owned()], &lines[to..]].concat().join("\n");
            prop_assert!(matches(&expected, &text), "{expected:?} {text:?}");
        }
    }
}
