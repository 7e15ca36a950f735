//! A cell in a sandbox to which something was denied: the reply says why, once.

use super::*;

const DENIED: &str = "PermissionError: [Errno 13] Permission denied: '/x'\r\n";

/// A session in a sandbox that is ready.
fn confined() -> Played {
    let mut played = Played::new();
    let mut start = start();
    start.insert(1, (0, Input::Confined));
    played.play(start);
    played.effects.clear();
    played
}

fn begin(id: u64) -> [Recorded; 2] {
    [call(id, 1, "f()", 1000), (0, Input::InputDropped { bytes: 0 })]
}

fn explained(line: Option<&str>) -> Recorded {
    (0, Input::Explained(line.map(|line| Notice::Told(line.into()))))
}

/// The texts that somebody is to look at.
fn asked(played: &mut Played) -> Vec<String> {
    let effects = std::mem::take(&mut played.effects);
    let text = |effect| match effect {
        Effect::Explain { text, .. } => Some(text),
        _ => None,
    };
    effects.into_iter().filter_map(text).collect()
}

#[test]
fn the_reply_waits_for_what_there_is_to_say_of_a_denial() {
    let mut played = confined();
    played.play(begin(1));
    played.play(cell(1, 2, DENIED));
    // All of the cell is there, and it is not answered yet.
    assert!(played.texts().is_empty());
    let asked_of = asked(&mut played);
    assert_eq!(asked_of.len(), 1);
    assert!(asked_of[0].contains("Permission denied: '/x'"), "{asked_of:?}");
    played.play([explained(Some("[repl] it was denied"))]);
    assert_eq!(played.text(), format!("{}[repl] it was denied\n", DENIED.replace('\r', "")));
    // What the next cell says is its own.
    played.play(begin(2));
    played.play(cell(2, 4, "fine\r\n"));
    assert_eq!((asked(&mut played), played.text()), (Vec::new(), "fine\n".into()));
}

#[test]
fn nothing_is_said_of_what_the_sandbox_has_not_denied() {
    let mut played = confined();
    played.play(begin(1));
    played.play(cell(1, 2, DENIED));
    played.play([explained(None)]);
    assert_eq!(played.text(), DENIED.replace('\r', ""));
}

#[test]
fn without_a_sandbox_nobody_looks() {
    let mut played = Played::ready();
    played.play(begin(1));
    played.play(cell(1, 2, DENIED));
    assert_eq!((asked(&mut played), played.text()), (Vec::new(), DENIED.replace('\r', "")));
}

#[test]
fn of_much_that_was_printed_the_end_is_looked_at() {
    let mut played = confined();
    played.play(begin(1));
    let flood = "é".repeat(79) + "\r\n";
    played.play((0..2000).map(|_| (0, output(&flood))));
    played.play(cell(1, 2, DENIED));
    let asked = asked(&mut played);
    assert!(asked[0].len() < 64 * 1024 && asked[0].ends_with("'/x'\n"), "{}", asked[0].len());
}
