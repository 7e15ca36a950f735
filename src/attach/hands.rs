//! What is said of whose hands a session is in: who has taken it over, who decides on cells, for what a
//! person is needed. Pure.

use super::told::plain;
use crate::session::client::Hands;

/// What has changed, for the person.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) lines: Vec<String>,
    /// Whether the bell is rung: a person is needed.
    pub(super) rings: bool,
}

/// What has changed; `escape` is the name of the escape key, for who may press it.
pub(super) fn changes(before: &Hands, now: &Hands, escape: Option<&str>) -> Changes {
    let mut lines = Vec::new();
    let key = |key: &str| escape.map(|escape| format!("{escape} {key}"));
    let (was, is) = (before.holder.as_deref(), now.holder.as_deref());
    if (was, before.is_holder) != (is, now.is_holder) {
        lines.push(match (was, is) {
            (_, Some(_)) if now.is_holder => format!(
                "you have taken over; the agent's calls wait. {} gives back",
                key("t").unwrap_or_default()
            ),
            (_, Some(name)) if before.is_holder => format!("{name} has taken over from you"),
            (_, Some(name)) => format!("{name} has taken over; the agent's calls wait"),
            (_, None) if before.is_holder => "given back; the agent's calls go on".into(),
            (name, None) => format!("{} has given the session back", name.unwrap_or_default()),
        });
    }
    let (was, is) = (before.approver.as_deref(), now.approver.as_deref());
    if (was, before.is_approver) != (is, now.is_approver) {
        lines.push(match (was, is) {
            (_, Some(_)) if now.is_approver => format!(
                "each cell of the agent now waits for your word; {} ends that",
                key("a").unwrap_or_default()
            ),
            (_, Some(name)) => format!("{name} decides on the agent's cells"),
            (_, None) if before.is_approver => "the agent's cells run without your word".into(),
            (name, None) => {
                format!("{} decides on the agent's cells no more", name.unwrap_or_default())
            }
        });
    }
    let is_new = before.needed != now.needed;
    let needed = now.needed.as_ref().filter(|_| is_new);
    if let Some(needed) = needed {
        let who = if needed.asked_by.is_empty() { "the session" } else { &needed.asked_by };
        let done = key("t").map(|key| format!("; {key} when done")).unwrap_or_default();
        lines.push(format!("{who} asks for a person: {}{done}", needed.why));
    }
    let lines = lines.iter().map(|line| plain(&format!("[repl] {line}"))).collect();
    Changes { lines, rings: needed.is_some() }
}

/// What is said where the person has just said that what one was needed for is done, once it is.
pub(super) fn done(before: &Hands, now: &Hands) -> Option<String> {
    let met = before.needed.as_ref().filter(|_| before.needed != now.needed)?;
    let who = if met.asked_by.is_empty() { "the session" } else { &met.asked_by };
    Some(plain(&format!("[repl] done; {who} is told so")))
}

/// In whose hands it is in a few words, for a status line; empty when there is nothing to say.
pub(super) fn status(hands: &Hands) -> String {
    let mut parts = Vec::new();
    if let Some(needed) = &hands.needed {
        parts.push(format!("a person is needed: {}", needed.why));
    }
    match &hands.holder {
        Some(_) if hands.is_holder => parts.push("you have taken over".into()),
        Some(name) => parts.push(format!("{name} has taken over")),
        None => {}
    }
    match (&hands.approver, hands.proposals.len()) {
        (Some(_), 0) if hands.is_approver => parts.push("you approve".into()),
        (Some(_), 1) if hands.is_approver => parts.push("a cell waits for you".into()),
        (Some(_), count) if hands.is_approver => parts.push(format!("{count} cells wait for you")),
        (Some(name), _) => parts.push(format!("{name} approves")),
        (None, _) => {}
    }
    plain(&parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::client::Needed;

    fn held(name: &str, is_holder: bool) -> Hands {
        Hands { holder: Some(name.into()), is_holder, ..Hands::default() }
    }

    fn approved(name: &str, is_approver: bool) -> Hands {
        Hands { approver: Some(name.into()), is_approver, ..Hands::default() }
    }

    fn said(before: &Hands, now: &Hands) -> Vec<String> {
        let Changes { lines, rings } = changes(before, now, Some("Ctrl-]"));
        assert!(!rings);
        lines
    }

    #[test]
    fn who_has_it_is_said_to_each_as_it_is_for_them() {
        let nobody = Hands::default();
        let (mine, anns) = (held("me", true), held("ann", false));
        let taken = "[repl] you have taken over; the agent's calls wait. Ctrl-] t gives back";
        assert_eq!(said(&nobody, &mine), [taken]);
        assert_eq!(said(&mine, &nobody), ["[repl] given back; the agent's calls go on"]);
        assert_eq!(said(&nobody, &anns), ["[repl] ann has taken over; the agent's calls wait"]);
        assert_eq!(said(&mine, &anns), ["[repl] ann has taken over from you"]);
        // Another person of the same name.
        assert_eq!(said(&held("ann", true), &anns), ["[repl] ann has taken over from you"]);
        assert_eq!(said(&anns, &nobody), ["[repl] ann has given the session back"]);
        assert_eq!(said(&anns, &anns), [] as [&str; 0]);
        let (mine, anns) = (approved("me", true), approved("ann", false));
        let on = "[repl] each cell of the agent now waits for your word; Ctrl-] a ends that";
        assert_eq!(said(&nobody, &mine), [on]);
        assert_eq!(said(&mine, &nobody), ["[repl] the agent's cells run without your word"]);
        assert_eq!(said(&nobody, &anns), ["[repl] ann decides on the agent's cells"]);
        assert_eq!(said(&anns, &nobody), ["[repl] ann decides on the agent's cells no more"]);
    }

    #[test]
    fn a_person_who_is_needed_hears_it_once() {
        let nobody = Hands::default();
        let needed = Some(Needed { why: "log\x1b in".into(), asked_by: "bot".into() });
        let needed = Hands { needed, ..Hands::default() };
        let Changes { lines, rings } = changes(&nobody, &needed, Some("Ctrl-]"));
        assert_eq!(lines, ["[repl] bot asks for a person: log\u{fffd} in; Ctrl-] t when done"]);
        assert!(rings);
        assert_eq!(changes(&needed, &needed, None), Changes::default());
        assert_eq!(changes(&needed, &nobody, None), Changes::default());
        // But of the key that says so.
        assert_eq!(done(&needed, &nobody).as_deref(), Some("[repl] done; bot is told so"));
        assert_eq!(done(&needed, &needed), None);
        assert_eq!(done(&nobody, &nobody), None);
        // Who only looks on has no such key.
        let lines = changes(&nobody, &needed, None).lines;
        assert_eq!(lines, ["[repl] bot asks for a person: log\u{fffd} in"]);
    }

    #[test]
    fn a_few_words_for_a_status_line() {
        assert_eq!(status(&Hands::default()), "");
        assert_eq!(status(&held("ann", false)), "ann has taken over");
        let needed = Some(Needed { why: "log in".into(), asked_by: String::new() });
        let hands = Hands { needed, proposals: vec![1, 2], ..approved("me", true) };
        assert_eq!(status(&hands), "a person is needed: log in, 2 cells wait for you");
    }
}
