//! What is asked of a cell that is being written: whether Enter ends it, and how far the next line is
//! indented. Pure.

/// How far a block is indented.
pub(super) const STEP: &str = "    ";

/// What ends a block (The Python Language Reference, 7).
const LAST_OF_BLOCK: [&str; 5] = ["return", "pass", "break", "continue", "raise"];

/// Whether a line that stands indented is the last one, as an empty one behind it says in Python's
/// own prompt.
pub(super) fn ends_block(text: &str) -> bool {
    let last = text.rsplit('\n').next().unwrap_or_default();
    last.trim().is_empty() || !last.starts_with([' ', '\t'])
}

/// What the line behind this text begins with.
pub(super) fn indentation(text: &str) -> String {
    let last = text.rsplit('\n').next().unwrap_or_default();
    let indented = &last[..last.len() - last.trim_start().len()];
    let code = last.trim();
    if code.ends_with(':') {
        return indented.to_owned() + STEP;
    }
    let first = code.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    match LAST_OF_BLOCK.contains(&first) {
        true => indented.strip_suffix(STEP).unwrap_or(indented).to_owned(),
        false => indented.to_owned(),
    }
}

/// What was pasted, with the ends of lines that cells have, and without what is no text.
pub(super) fn pasted(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|&c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_line_is_indented_as_the_block_is() {
        for (text, indented) in [
            ("if x:", 4),
            ("def f():\n    y = 1", 4),
            ("def f():\n    if y:", 8),
            ("def f():\n    return y", 0),
            ("for x in y:\n    for z in x:\n        continue", 4),
            ("f(a,", 0),
            ("passes = [", 0),
            ("", 0),
        ] {
            assert_eq!(indentation(text).len(), indented, "{text:?}");
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
        ] {
            assert_eq!(ends_block(text), ends, "{text:?}");
        }
    }

    #[test]
    fn what_is_pasted_has_lines_and_no_controls() {
        assert_eq!(pasted("if x:\r\ty\r\nz\x1b[A\x07\n"), "if x:\n\ty\nz[A\n");
    }
}
