//! What is said on the person's terminal: what others do, with who did it, and the bridge's own lines.
//! Pure.

use super::editor::{MORE, PROMPT};
use crate::reply::{Attachment, Content, Deed, Reply};

/// How much of a cell of another client is shown, in lines.
const MOST_LINES: usize = 20;

/// What the escape key does.
pub(super) const HELP: &str = "[repl] Ctrl-] then: d detach, i interrupt, r fresh session, ? this \
                               help; Ctrl-] again sends it to the program";

/// The same for who only looks on.
pub(super) const OBSERVER_HELP: &str = "[repl] you look on; Ctrl-] then d, Ctrl-C or Ctrl-D leaves";

/// What a client did, in lines.
pub(super) fn deed(client: &str, deed: &Deed) -> Vec<String> {
    let client = if client.is_empty() { "another client" } else { client };
    let Deed::Ran { source } = deed else {
        return vec![plain(&format!("[{client}] {deed}"))];
    };
    let all: Vec<&str> = source.trim_end().split('\n').collect();
    let mut lines: Vec<String> = all
        .iter()
        .take(MOST_LINES)
        .enumerate()
        .map(|(n, line)| {
            let prompt = if n == 0 { PROMPT } else { MORE };
            plain(&format!("[{client}] {prompt}{line}"))
        })
        .collect();
    if all.len() > MOST_LINES {
        lines.push(format!("[{client}] {MORE}({} more lines)", all.len() - MOST_LINES));
    }
    lines
}

/// What a reply has to say that is not on the session's terminal. What others did is seen there, and
/// so are pictures and documents that were told of.
pub(super) fn notices(reply: &Reply, is_told: impl Fn(&Attachment) -> bool) -> Vec<String> {
    let line = |part: &Content| match part {
        Content::Text(_) | Content::Status(_) => None,
        Content::Notice(notice) if notice.is_seen() => None,
        Content::Notice(notice) => Some(plain(&notice.line())),
        Content::Attachment(attachment) if is_told(attachment) => None,
        Content::Attachment(attachment) => Some(plain(&attachment.line())),
    };
    reply.content.iter().filter_map(line).collect()
}

/// Without what could move the cursor.
pub(super) fn plain(text: &str) -> String {
    let text = text.replace('\t', "    ");
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_another_client_stands_at_its_prompt() {
        let ran = |source: &str| deed("bot", &Deed::Ran { source: source.into() });
        assert_eq!(ran("x = 1"), ["[bot] >>> x = 1"]);
        assert_eq!(ran("if x:\n\ty\n"), ["[bot] >>> if x:", "[bot] ...     y"]);
        assert_eq!(ran("a\x1b[2J\rb"), ["[bot] >>> a\u{fffd}[2J\u{fffd}b"]);
        let long = ran(&"1\n".repeat(30));
        assert_eq!((long.len(), &*long[20]), (21, "[bot] ... (10 more lines)"));
        assert_eq!(deed("", &Deed::Interrupted), ["[another client] interrupted"]);
    }
}
