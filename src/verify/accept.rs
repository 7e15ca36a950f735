//! Replies as they came, written into a script. Pure.

use std::{collections::BTreeMap, ops::Range};

use super::{
    markdown::{MarkdownError, parse},
    pattern::{Pattern, escaped},
    script::Expected,
};

/// The shortest fence.
const SHORTEST: usize = 3;

/// Why a reply can't be written where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// The file would be none that can be read.
    #[error("with the new replies the script could not be read: {0}")]
    Malformed(#[from] MarkdownError),
    /// It would say something else.
    #[error(
        "line {0}: the new reply can't be written in this block, where it would be read as something else"
    )]
    Otherwise(usize),
}

/// The script with other replies in place of those that it has.
///
/// # Errors
/// When one can't be written in its place.
pub fn accept(source: &str, replies: &[(&Expected, String)]) -> Result<String, AcceptError> {
    let mut edits: BTreeMap<(usize, usize), String> = BTreeMap::new();
    let key = |place: &Range<usize>| (place.start, place.end);
    for (expected, text) in replies {
        let text = escaped(text);
        let indented = text.lines().map(|line| {
            let line = format!("{}{line}", expected.indent);
            // A mark of a quote may stand alone.
            format!("{}\n", if line.trim().is_empty() { "" } else { &line })
        });
        edits.insert(key(&expected.place), indented.collect());
        for place in &expected.fences {
            let written = &source[place.clone()];
            let fence = written.chars().next().unwrap_or('`');
            let longer = fence.to_string().repeat(fence_around(&text, fence).max(written.len()));
            let edit = edits.entry(key(place)).or_default();
            if longer.len() > edit.len() {
                *edit = longer;
            }
        }
    }
    let mut out = source.to_owned();
    for ((start, end), text) in edits.into_iter().rev() {
        out.replace_range(start..end, &text);
    }
    let (before, after) = (parse(source)?, parse(&out)?);
    let is_same = before.steps.len() == after.steps.len();
    let expected = |script: super::script::Script| {
        let replies = script.steps.into_iter().filter_map(|step| match step.action {
            super::script::Action::Reply(expected) => Some((step.line, expected)),
            _ => None,
        });
        replies.collect::<Vec<_>>()
    };
    let (before, after) = (expected(before), expected(after));
    for ((line, old), (_, new)) in before.iter().zip(&after) {
        let other = replies.iter().find(|(expected, _)| expected.place == old.place);
        let is_right = match other {
            Some((_, text)) => Pattern::new(&new.text).matches(text),
            None => new.text == old.text,
        };
        if !is_same || !is_right {
            return Err(AcceptError::Otherwise(*line));
        }
    }
    Ok(out)
}

/// How long a fence of this character has to be around a text.
pub(super) fn fence_around(text: &str, fence: char) -> usize {
    let length = |line: &str| {
        let line = line.trim_start();
        line.len() - line.trim_start_matches(fence).len()
    };
    text.lines().map(|line| length(line) + 1).max().unwrap_or_default().max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::script::Action;

    /// A script with these as its replies, by their numbers; `@` stands for a fence.
    fn accepted(source: &str, new: &[(usize, &str)]) -> Result<String, AcceptError> {
        let source = source.replace('@', "```");
        let steps = parse(&source).unwrap().steps;
        let replies: Vec<&Expected> = steps
            .iter()
            .filter_map(|step| match &step.action {
                Action::Reply(expected) => Some(expected),
                _ => None,
            })
            .collect();
        let new: Vec<_> = new.iter().map(|(n, text)| (replies[*n], (*text).to_owned())).collect();
        accept(&source, &new).map(|text| text.replace("```", "@"))
    }

    #[test]
    fn only_what_is_given_is_written() {
        let source = "text\n@cell\nx\n@\n@text reply\n1\n...\n@\n@cell\ny\n@\n@reply\n2\n@\nend\n";
        assert_eq!(accepted(source, &[]).unwrap(), source);
        let expected = source.replace("2\n", "3\n\n4\n");
        assert_eq!(accepted(source, &[(1, "3\n\n4")]).unwrap(), expected);
    }

    #[test]
    fn dots_and_fences_of_a_reply_mean_themselves() {
        let source = "@cell\nx\n@\n@reply\n1\n@\n";
        let expected = "@cell\nx\n@\n@@reply\n\\...\n@`\n@@\n".replace("@@", "@``");
        assert_eq!(accepted(source, &[(0, "...\n````\n")]).unwrap(), expected);
    }

    #[test]
    fn a_block_in_a_list_or_a_quote_stays_there() {
        let source =
            "- @cell\n  x\n  @\n  @reply\n  1\n  @\n> @cell\n> y\n> @\n> @reply\n> 1\n> @\n";
        let expected = source.replacen("  1\n", "  a\n\n  b\n", 1).replacen("> 1\n", "> c\n", 1);
        assert_eq!(accepted(source, &[(0, "a\n\nb\n"), (1, "c")]).unwrap(), expected);
    }

    #[test]
    fn replies_of_one_block_are_each_in_their_place() {
        let source = "@session\n> x\n1\n\n> y\n2\n3\n@\n";
        let new = [(0, "one\n"), (1, "two\n")];
        assert_eq!(accepted(source, &new).unwrap(), "@session\n> x\none\n\n> y\ntwo\n@\n");
        let sent = accepted(source, &[(0, "one\n\n> more\n")]);
        assert_eq!(sent, Err(AcceptError::Otherwise(3)));
        assert!(matches!(accepted(source, &[(1, "")]), Err(AcceptError::Otherwise(_))));
    }
}
