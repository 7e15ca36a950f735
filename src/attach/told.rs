//! What is said on the person's terminal: what others do, with who did it, and the bridge's own lines.
//! Pure.

use super::escape_key::EscapeKey;
use crate::{
    reply::{Attachment, Content, Deed, Reply},
    session::pipeline::echo::{OUTPUT_MARK, PROMPT_MARK},
};

/// What the keys behind the escape key do, in lines.
pub(super) fn help(escape: EscapeKey, observes: bool) -> Vec<String> {
    if observes {
        return vec![
            format!("[repl] you look on; {escape} then: d, Ctrl-C or Ctrl-D leaves, o takes part,"),
            "[repl]   l other sessions, Ctrl-Z stops this client, ? this help".into(),
        ];
    }
    vec![
        format!("[repl] {escape} then: d detach, i interrupt, r fresh session,"),
        "[repl]   t take over or give back, a decide on the agent's cells or not,".into(),
        "[repl]   o look on only, l sessions, Ctrl-Z stops this client, ? this help;".into(),
        format!("[repl]   {escape} again sends it to the program"),
    ]
}

/// What is said to who only looks on, and has no prompt: how that ends.
pub(super) fn looks_on(escape: EscapeKey) -> String {
    let takes_part = escape.character().map(|_| format!(", {escape} o takes part"));
    format!("[repl] you only look on; Ctrl-C leaves{}", takes_part.unwrap_or_default())
}

/// A client's name, to be read.
pub(super) fn client_name(client: &str) -> &str {
    if client.is_empty() { "another client" } else { client }
}

/// What a client did beside running a cell, which is echoed.
pub(super) fn deed(client: &str, deed: &Deed) -> String {
    plain(&format!("[{}] {deed}", client_name(client)))
}

/// The echo of a cell from its prompt on, and what is before that; `None` of other marks.
pub(super) fn cell(echo: &str) -> Option<(&str, &str)> {
    echo.find(PROMPT_MARK).map(|at| echo.split_at(at))
}

/// The echo of a cell with whose it is before each line, where the session does not say it.
pub(super) fn labelled(cell: &str, client: &str) -> String {
    let label = format!("[{}] ", plain(client));
    let Some(lines) = cell.strip_prefix(PROMPT_MARK) else { return cell.to_owned() };
    if client.is_empty() || lines.starts_with('[') {
        return cell.to_owned();
    }
    let (lines, mark) = match lines.strip_suffix(OUTPUT_MARK) {
        Some(lines) => (lines, OUTPUT_MARK),
        None => (lines, ""),
    };
    let lines: Vec<String> =
        lines.split_inclusive('\n').map(|line| format!("{label}{line}")).collect();
    format!("{PROMPT_MARK}{}{mark}", lines.concat())
}

/// The same without its marks, for a terminal that would show them.
pub(super) fn without_marks(mut echo: &str) -> String {
    let mut out = String::new();
    while let Some((before, mark)) = echo.split_once("\x1b]") {
        out.push_str(before);
        echo = mark.split_once("\x1b\\").map_or("", |(_, behind)| behind);
    }
    out + echo
}

/// What a reply has to say that is not on the session's terminal. What others did is seen there, and
/// so are pictures and documents that were told of; what nobody has read of what was typed may come
/// back instead. What a reply has no room for was printed here, but may be longer than what the terminal
/// keeps of it.
pub(super) fn notices(
    reply: &Reply,
    is_unread_back: bool,
    is_told: impl Fn(&Attachment) -> bool,
) -> Vec<String> {
    let line = |part: &Content| match part {
        Content::Text(_) | Content::Status(_) => None,
        Content::Notice(notice) if notice.is_seen() => None,
        Content::Notice(notice) if is_unread_back && notice.unread().is_some() => None,
        Content::Notice(notice) => Some(match notice.kept() {
            Some(kept) => plain(&format!("[repl] {kept}")),
            None => plain(&notice.line()),
        }),
        Content::Attachment(attachment) if is_told(attachment) => None,
        Content::Attachment(attachment) => Some(plain(&attachment.line())),
    };
    reply.content.iter().filter_map(line).collect()
}

/// How much of what was typed nobody has read, in bytes, where a reply tells of that.
pub(super) fn unread(reply: &Reply) -> Option<u64> {
    let counts = reply.content.iter().filter_map(|part| match part {
        Content::Notice(notice) => notice.unread(),
        _ => None,
    });
    counts.reduce(u64::saturating_add)
}

/// Whether a reply has a notice whose line begins so.
pub(super) fn has_notice(reply: &Reply, beginning: &str) -> bool {
    let is_it = |part: &Content| matches!(part, Content::Notice(notice) if notice.line().starts_with(beginning));
    reply.content.iter().any(is_it)
}

/// Without what could move the cursor.
pub(super) fn plain(text: &str) -> String {
    let text = text.replace('\t', "    ");
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::{KeptText, Notice, Status};

    const ECHO: &str =
        "\r\n\x1b]133;A\x1b\\>>> \x1b]133;B\x1b\\if x:\r\n...     y\r\n\x1b]133;C\x1b\\";

    #[test]
    fn a_cell_of_another_person_has_their_name_on_each_line() {
        let (place, of_cell) = cell(ECHO).unwrap();
        assert_eq!(place, "\r\n");
        let text = "[ann] >>> if x:\r\n[ann] ...     y\r\n";
        let labelled_cell = labelled(of_cell, "ann");
        assert_eq!(without_marks(&labelled_cell), text);
        assert!(labelled_cell.starts_with(PROMPT_MARK) && labelled_cell.ends_with(OUTPUT_MARK));
        // The session has said it.
        assert_eq!(labelled(&labelled_cell, "ann"), labelled_cell);
        assert_eq!(cell("\x1b]133;D;0\x1b\\"), None);
    }

    #[test]
    fn who_looks_on_is_told_how_that_ends() {
        let told = "[repl] you only look on; Ctrl-C leaves, Ctrl-] o takes part";
        assert_eq!(looks_on(EscapeKey::default()), told);
        assert_eq!(looks_on("none".parse().unwrap()), "[repl] you only look on; Ctrl-C leaves");
    }

    #[test]
    fn what_a_person_has_seen_is_not_said_again() {
        let notices_of = |content: Vec<Notice>| {
            let content = content.into_iter().map(Content::Notice).collect();
            notices(&Reply { content, status: Status::Ready { outcome: None } }, false, |_| false)
        };
        let told = |notice: &Notice| Notice::Told(notice.line());
        let seen = Notice::PageUnchanged;
        let fresh = Notice::SessionStarted;
        let all = vec![told(&seen), seen, told(&fresh)];
        assert_eq!(notices_of(all), [fresh.line()]);
    }

    #[test]
    fn of_a_text_that_a_reply_has_no_room_for_a_person_is_told_where_it_is() {
        let kept = KeptText::File("/d/output-1.txt".into());
        let left_out = Notice::TextLeftOut { lines: 3, bytes: 9, kept };
        for notice in [Notice::Told(left_out.line()), left_out] {
            let content = vec![Content::Notice(notice)];
            let reply = Reply { content, status: Status::Ready { outcome: None } };
            let lines = notices(&reply, false, |_| false);
            assert_eq!(lines, ["[repl] the whole text is in /d/output-1.txt"]);
        }
    }

    #[test]
    fn what_others_do_is_a_line() {
        assert_eq!(deed("", &Deed::Interrupted), "[another client] interrupted");
        let typed = Deed::Typed { text: Some("a\x1bb".into()) };
        assert!(deed("bot", &typed).ends_with("a\u{fffd}b"));
    }
}
