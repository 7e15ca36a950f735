//! What is asked of a cell that is being written: whether Enter ends it, and how far the next line is
//! indented. Pure.

use unicode_width::UnicodeWidthStr;

use super::python::{Token, tokens};
use crate::reply::{MORE, PROMPT};

/// How far a block is indented.
pub(super) const STEP: &str = "    ";

/// What ends a block (The Python Language Reference, 7).
const LAST_OF_BLOCK: [&str; 5] = ["return", "pass", "break", "continue", "raise"];

/// Whether a statement that stands indented is the last one, as an empty line behind it says in
/// Python's own prompt.
pub(in crate::attach) fn ends_block(text: &str) -> bool {
    let last = text.rsplit('\n').next().unwrap_or_default();
    last.trim().is_empty() || margin(Lines::of(text).statement(text)).is_empty()
}

/// What the line behind this text begins with: in open brackets it stands as their items do.
pub(super) fn indentation(text: &str) -> String {
    let lines = Lines::of(text);
    let last = text.rsplit('\n').next().unwrap_or_default();
    if lines.is_in_string {
        return margin(last).to_owned();
    }
    if let Some(&bracket) = lines.open.last() {
        let depth = lines.open.len();
        let items =
            lines.all.iter().filter(|line| line.start > bracket && line.depth == Some(depth));
        let items = items.map(|line| text[line.start..].split('\n').next().unwrap_or_default());
        let item = items.rev().find(|item| !item.trim().is_empty());
        let (begin, behind) = around(text, bracket);
        return match item {
            Some(item) => margin(item).to_owned(),
            None if without_comment(behind).trim().is_empty() => margin(begin).to_owned() + STEP,
            None => {
                let blanks = behind.len() - behind.trim_start().len();
                margin(begin).to_owned() + &" ".repeat(begin.trim_start().width() + 1 + blanks)
            }
        };
    }
    let statement = lines.statement(text);
    let indented = margin(statement);
    if without_comment(last).trim_end().ends_with([':', '\\']) {
        return indented.to_owned() + STEP;
    }
    let first = statement.trim_start().split(|c: char| !c.is_alphanumeric()).next();
    match LAST_OF_BLOCK.contains(&first.unwrap_or_default()) {
        true => indented.strip_suffix(STEP).unwrap_or(indented).to_owned(),
        false => indented.to_owned(),
    }
}

/// What a closing bracket behind this text, of which the last line is blank, has in front of it:
/// as the line with the bracket that it closes. `None` where it is to stand as it is typed.
pub(super) fn closing(text: &str) -> Option<String> {
    let lines = Lines::of(text);
    let bracket = lines.open.last().filter(|_| !lines.is_in_string)?;
    Some(margin(around(text, *bracket).0).to_owned())
}

/// The lines of a cell.
struct Lines {
    all: Vec<Line>,
    /// Where the brackets are that are open at its end.
    open: Vec<usize>,
    /// Whether its end is in a string.
    is_in_string: bool,
}

struct Line {
    start: usize,
    /// How many brackets are open there; `None` in a string.
    depth: Option<usize>,
    /// Whether a statement begins there.
    is_first: bool,
}

impl Lines {
    fn of(text: &str) -> Lines {
        // In a string that goes on there is no comment.
        let with_end = format!("{text}\n#");
        let tokens = tokens(&with_end);
        let is_in_string = tokens.last().is_none_or(|(at, _)| at.start <= text.len());
        let mut texts = tokens
            .into_iter()
            .filter(|(_, is)| matches!(is, Token::Text | Token::Comment))
            .map(|(at, _)| at)
            .peekable();
        let mut all = vec![Line { start: 0, depth: Some(0), is_first: true }];
        let mut open = Vec::new();
        for (at, c) in text.char_indices() {
            while texts.next_if(|text| text.end <= at).is_some() {}
            let is_text = texts.peek().is_some_and(|text| text.contains(&at));
            match c {
                '\n' => {
                    let goes_on = is_text || !open.is_empty() || text[..at].ends_with('\\');
                    let depth = (!is_text).then_some(open.len());
                    all.push(Line { start: at + 1, depth, is_first: !goes_on });
                }
                '(' | '[' | '{' if !is_text => open.push(at),
                ')' | ']' | '}' if !is_text => drop(open.pop()),
                _ => {}
            }
        }
        Lines { all, open, is_in_string }
    }

    /// The text from where the last statement begins, or the line of it.
    fn statement<'a>(&self, text: &'a str) -> &'a str {
        let first = self.all.iter().rfind(|line| line.is_first);
        &text[first.map_or(0, |line| line.start)..]
    }
}

/// What stands in front of a character of one byte, and behind it, in its line.
fn around(text: &str, place: usize) -> (&str, &str) {
    let begin = text[..place].rsplit('\n').next().unwrap_or_default();
    (begin, text[place + 1..].split('\n').next().unwrap_or_default())
}

/// The blanks that a text begins with.
fn margin(text: &str) -> &str {
    &text[..text.len() - text.trim_start_matches([' ', '\t']).len()]
}

/// The part of a line in front of its comment.
fn without_comment(line: &str) -> &str {
    let comment = tokens(line).into_iter().find(|(_, is)| *is == Token::Comment);
    &line[..comment.map_or(line.len(), |(at, _)| at.start)]
}

/// What was pasted, with the ends of lines that cells have, and without what is no text.
pub(super) fn pasted(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|&c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// The code in what was pasted as a cell, where that could be none as it stands: it was copied with the
/// prompts of a session and what that printed, or with the indentation that it had where it was written.
pub(super) fn as_code(text: String) -> String {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let first = lines().next().unwrap_or_default();
    let indented = margin(first);
    let code: Vec<&str> = if behind_prompt(first, PROMPT).is_some() {
        let mut goes_on = false;
        let code = text.lines().filter_map(|line| {
            let more = behind_prompt(line, MORE).filter(|_| goes_on);
            let code = behind_prompt(line, PROMPT).or(more);
            goes_on = code.is_some();
            code
        });
        code.collect()
    } else if !indented.is_empty() && lines().all(|line| line.starts_with(indented)) {
        text.lines().map(|line| line.strip_prefix(indented).unwrap_or_default()).collect()
    } else {
        return text;
    };
    let end = if text.ends_with('\n') { "\n" } else { "" };
    code.join("\n") + end
}

/// What stands behind this prompt in a line of a session, in front of which may be whose cell it is.
fn behind_prompt<'a>(line: &'a str, prompt: &str) -> Option<&'a str> {
    let line = line.trim_start();
    let whose = line.strip_prefix('[').and_then(|line| line.split_once("] "));
    let line = whose.map_or(line, |(_, line)| line);
    match line.strip_prefix(prompt) {
        // What a terminal shows has no blanks at the end of lines.
        None => (line.trim_end() == prompt.trim_end()).then_some(""),
        code => code,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_next_line_is_indented_as_the_block_is() {
        for (text, indented) in [
            ("if x:", 4),
            ("def f():\n    y = 1", 4),
            ("def f():\n    if y:", 8),
            ("def f():\n    return y", 0),
            ("for x in y:\n    for z in x:\n        continue", 4),
            ("if x:  # why", 4),
            ("def f():\n    return [1,\n            2]", 0),
            ("def f():\n    g(1,\n      2)", 4),
            ("def f(a,\n      b):", 4),
            ("x = 1 + \\", 4),
            ("x = 1 + \\\n    2", 0),
            ("def f():\n    '''Text:", 4),
            ("x = '''a\n  b", 2),
            ("d = {'a:': 1} # b:", 0),
            ("", 0),
        ] {
            assert_eq!(indentation(text).len(), indented, "{text:?}");
        }
    }

    #[test]
    fn in_open_brackets_the_next_line_stands_as_their_items_do() {
        for (text, indented) in [
            ("f(", "    "),
            ("    x = [  # all", "        "),
            ("f(a,", "  "),
            ("f( a,", "   "),
            ("\tf(a,", "\t  "),
            ("漢('é', ", "   "),
            ("f(a,\n  b,", "  "),
            ("x = [\n  1,", "  "),
            ("x = [\n    f(\n        1,\n    ),", "    "),
            ("x = [\n    f(\n        1,", "        "),
            ("x = {\n    'a': [1,", "          "),
            ("x = [\n    '''\ntext''',", "    "),
            ("x = [\n    '(', # (", "    "),
            ("x = [\n", "    "),
            ("f(lambda:", "  "),
            (")]}(", "    "),
        ] {
            assert_eq!(indentation(text), indented, "{text:?}");
        }
    }

    #[test]
    fn a_closing_bracket_stands_as_the_line_does_that_opened_it() {
        for (text, indented) in [
            ("x = [\n    1,\n    ", Some("")),
            ("if x:\n    f(\n        1,\n        ", Some("    ")),
            ("x = [\n    f(\n        ", Some("    ")),
            ("if x:\n    ", None),
            ("x = ['''\n    ", None),
        ] {
            assert_eq!(closing(text).as_deref(), indented, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_next_line(text in "[a-c'\"\\\\#:()\\[{}é \t\n]{0,40}|.{0,40}") {
            let are_blanks = |text: &str| text.chars().all(|c| c == ' ' || c == '\t');
            prop_assert!(are_blanks(&indentation(&text)));
            prop_assert!(closing(&text).is_none_or(|text| are_blanks(&text)));
            ends_block(&text);
        }
    }

    #[test]
    fn an_empty_line_ends_a_block() {
        for (text, ends) in [
            ("x = 1", true),
            ("if x:\n    y", false),
            ("if x:\n    y\n    ", true),
            ("if x:\n    y\n", true),
            ("if x:\n    y\nelse: z", true),
            ("f(a,\n  b)", true),
            ("if x:\n    f(a,\nb)", false),
            ("x = '''\n  a'''", true),
            ("x = 1 + \\\n    2", true),
        ] {
            assert_eq!(ends_block(text), ends, "{text:?}");
        }
    }

    #[test]
    fn what_was_copied_from_a_session_is_the_code_in_it() {
        for (text, code) in [
            (">>> x = 1\n>>> x\n1\n", "x = 1\nx\n"),
            (">>> if x:\n...     y\n...\n0\n...\n>>> z", "if x:\n    y\n\nz"),
            ("\n    >>> f(\n    ...   1)\n    2\n\n", "f(\n  1)\n"),
            ("[agent] >>> x = 1\n[agent] ... y\n[repl] note\n", "x = 1\ny\n"),
            (">>>\n>>> x", "\nx"),
            ("x = 1\n>>> x", "x = 1\n>>> x"),
            (">>>x", ">>>x"),
            ("[1] >> x", "[1] >> x"),
            ("... x", "... x"),
            ("", ""),
        ] {
            assert_eq!(as_code(text.into()), code, "{text:?}");
        }
    }

    #[test]
    fn what_was_copied_indented_is_not() {
        for (text, code) in [
            ("    x = 1\n    if x:\n\n        y\n", "x = 1\nif x:\n\n    y\n"),
            ("\n\tx\n\t\ty", "\nx\n\ty"),
            ("  x\n  \n  y", "x\n\ny"),
            ("    x\ny", "    x\ny"),
            ("    x\n  y", "    x\n  y"),
            ("if x:\n    y", "if x:\n    y"),
            ("  ", "  "),
        ] {
            assert_eq!(as_code(text.into()), code, "{text:?}");
        }
    }

    #[test]
    fn what_is_pasted_has_lines_and_no_controls() {
        assert_eq!(pasted("if x:\r\ty\r\nz\x1b[A\x07\n"), "if x:\n\ty\nz[A\n");
    }
}
