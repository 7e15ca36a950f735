//! Completions: whom the session asks, and that nothing else is changed by it.

use super::*;
use crate::session::rules::complete::Completion;

fn ask(id: u64) -> Recorded {
    (0, Input::Complete { id, text: "os.pa".into(), cursor: 5 })
}

fn answer(id: u64) -> Recorded {
    (
        1,
        message(ToServer::Completion {
            id,
            start: 0,
            matches: vec!["os.path".into()],
            is_incomplete: false,
        }),
    )
}

fn asked(id: u64) -> Effect {
    Effect::Send(ToWorker::Complete { id, text: "os.pa".into(), cursor: 5 })
}

fn nothing(id: u64) -> Effect {
    Effect::Completed { id, completion: None }
}

fn known(id: u64) -> Effect {
    let completion =
        Some(Completion { start: 0, matches: vec!["os.path".into()], is_incomplete: false });
    Effect::Completed { id, completion }
}

/// A session that is ready, whose worker can complete.
fn able() -> Played {
    let text = format!(
        r#"{{"type":"hello","protocol":1,"nonce":"{NONCE}","implementation":"cpython",
        "version":"3.12.1","pid":7,"capabilities":["other","completion"]}}"#
    );
    let mut played = Played::new();
    let mut start = start();
    start[1] = (20, message(serde_json::from_str(&text).unwrap()));
    played.play(start);
    played.effects.clear();
    played
}

#[test]
fn a_worker_without_the_capability_is_never_asked() {
    let mut played = Played::ready();
    played.play([ask(1)]);
    assert_eq!(played.effects, [nothing(1)]);
}

#[test]
fn one_with_it_is_asked_and_answers_though_its_terminal_prints() {
    let mut played = able();
    played.play([ask(1), (0, output("from a thread\n")), answer(1)]);
    assert_eq!(played.effects, [asked(1), known(1)]);
    played.play([ask(2), ask(3), answer(2), answer(3)]);
    assert_eq!(played.effects[2..], [asked(2), nothing(2), asked(3), known(3)]);
}

#[test]
fn a_cell_is_sent_at_once_and_its_reply_is_the_same() {
    let replies = |with: bool| {
        let mut played = able();
        let question = || with.then(|| ask(1));
        played.play(question());
        played.play([call(1, 1, "1 + 1", HOUR)]);
        let is_cell = |effect: &Effect| matches!(effect, Effect::Send(ToWorker::Cell { .. }));
        assert!(played.effects.iter().any(is_cell), "{:?}", played.effects);
        played.play([(0, Input::InputDropped { bytes: 0 })]);
        played.play(question());
        played.play(with.then(|| answer(1)));
        played.play(cell(1, 2, "2\r\n"));
        played.play(question());
        played.play(with.then(|| answer(1)));
        played.play([call(2, 1, "", HOUR)]);
        played.replies
    };
    assert_eq!(replies(true), replies(false));
}

#[test]
fn nothing_is_waited_for_when_time_is_up_or_the_worker_went() {
    let mut played = able();
    played.play([ask(1), (2000, Input::Tick)]);
    assert_eq!(played.effects, [asked(1), nothing(1)]);
    let mut played = able();
    played.play([ask(1), (0, Input::ProcessOver)]);
    played.play([(0, Input::Exited { exit: Exit::Status(0), missed_input: false })]);
    assert_eq!(played.effects, [asked(1), Effect::Retire, nothing(1)]);
    played.play([ask(2)]);
    assert_eq!(played.effects.last(), Some(&nothing(2)));
}
