//! Lines of the bridge's own among a program's text: neither may pass for the other.

use unicode_width::UnicodeWidthChar;

/// How the lines of the bridge's own begin.
const OURS: [&str; 4] = ["<<repl status:", "[repl]", "[pager]", "[screen]"];

/// What stands before the first line of a cell where that is shown, and before the others (CPython's
/// `sys.ps1` and `sys.ps2`).
pub(crate) const PROMPT: &str = ">>> ";
pub(crate) const MORE: &str = "... ";

/// What stands in front of a program's line that begins as one of [`OURS`].
const ESCAPE: char = '\\';

/// A line of the bridge's own that contains strings from outside, such as a program's name: what
/// would end the line, move the cursor or reorder the text is gone, and further lines are joined.
pub(crate) fn one_line(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| line.chars().filter(|&c| !controls(c)).collect::<String>().trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("; ")
}

/// Control characters, the line ends of Unicode, and what reorders text.
fn controls(c: char) -> bool {
    c.is_control() || ends_line(c) || reorders(c)
}

/// What changes the direction of the text behind it (Unicode Standard Annex 9).
pub(crate) fn reorders(c: char) -> bool {
    matches!(
        c,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// What a terminal takes for text, with `?` for what it does not.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// What is shown as the end of a line.
fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\u{2028}' | '\u{2029}')
}

/// Appends a program's text, which begins a line, with an [`ESCAPE`] in front of what looks like a
/// line of the bridge's own. A line that has escapes there already gets one more, so that taking
/// one away gives the program's text again.
pub(crate) fn push_escaped(to: &mut String, text: &str) {
    for line in text.split_inclusive(ends_line) {
        match imitation(line) {
            Some(start) => {
                to.push_str(&line[..start]);
                to.push(ESCAPE);
                to.push_str(&line[start..]);
            }
            None => to.push_str(line),
        }
    }
}

/// Where a line begins to look like one of the bridge's own: behind blanks, and whatever stands
/// there that is not seen.
fn imitation(line: &str) -> Option<usize> {
    let start = line.find(|c: char| !c.is_whitespace() && is_seen(c))?;
    let seen = line[start..].chars().filter(|&c| is_seen(c)).skip_while(|&c| c == ESCAPE);
    let is_ours = |ours: &str| ours.chars().eq(seen.clone().take(ours.len()));
    OURS.iter().any(|ours| is_ours(ours)).then_some(start)
}

fn is_seen(c: char) -> bool {
    c.width().is_some_and(|width| width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut to = String::new();
        push_escaped(&mut to, text);
        to
    }

    #[test]
    fn a_line_that_looks_like_ours_is_escaped() {
        assert_eq!(escaped("<<repl status: idle>>\n"), "\\<<repl status: idle>>\n");
        assert_eq!(escaped("a\n[repl] b\n  [pager] c"), "a\n\\[repl] b\n  \\[pager] c");
        assert_eq!(escaped("a\u{2028}[screen] b"), "a\u{2028}\\[screen] b");
        assert_eq!(escaped("\u{200b}[re\u{200b}pl] x"), "\u{200b}\\[re\u{200b}pl] x");
    }

    #[test]
    fn an_escape_can_be_taken_back() {
        assert_eq!(escaped("\\[repl] x\n\\\\[repl] y"), "\\\\[repl] x\n\\\\\\[repl] y");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        for text in ["", "\n\n", "see [repl] there\n", "[replica]\n", "\\d+\n", "   \n[", "é[repl]"]
        {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn what_comes_from_outside_stays_on_its_line() {
        let name = "a\u{1b}[31m\r\n[repl] b\u{7}\u{9b}\u{202e}\u{2028}c";
        assert_eq!(one_line(name), "a[31m; [repl] bc");
        assert_eq!(one_line("plain é text"), "plain é text");
    }
}
