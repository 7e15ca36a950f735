//! Rules of starts that wait for input or take their time.

use super::*;
use crate::reply::{Failure, Refusal};

/// A session whose start reads the terminal, with nobody waiting for a reply. A call was made.
fn asking() -> Rules {
    let mut rules = Rules::starting();
    assert_eq!(rules.call(""), []);
    assert_eq!(asks(&mut rules, 5), [reply(1, start_waits(false))]);
    rules
}

/// Two looks find the start reading.
fn asks(rules: &mut Rules, wakes: u64) -> Vec<Action> {
    assert!(rules.session.wants_look());
    assert_eq!(rules.step(Event::Look(Some(reader(wakes)))), []);
    rules.step(Event::Look(Some(reader(wakes))))
}

fn start_waits(keeps_cell: bool) -> Status {
    Status::StartWaits { echo: true, keeps_cell }
}

#[test]
fn a_start_that_asks_is_answered_by_the_next_payload() {
    let mut rules = asking();
    assert_eq!(rules.call(""), []);
    assert_eq!(asks(&mut rules, 5), [reply(2, start_waits(false))]);
    assert_eq!(rules.call("yes"), [typed("yes\n")]);
    // The same sleep means that it has not got it yet.
    assert_eq!(asks(&mut rules, 5), []);
    assert_eq!(asks(&mut rules, 6), [reply(3, start_waits(false))]);
    assert_eq!(rules.keys("Enter"), [type_keys("Enter")]);
    assert_eq!(rules.is_ready(1), [Action::ResetScreen, reply(4, idle(None))]);
    assert_eq!(rules.call("1 + 1"), run(1, "1 + 1"));
}

#[test]
fn a_cell_from_before_a_start_asked_is_no_answer_and_is_run_when_the_session_is_up() {
    let mut rules = Rules::starting();
    assert_eq!(rules.call("6 * 7"), []);
    assert_eq!(rules.call("second"), []);
    assert_eq!(
        asks(&mut rules, 5),
        [
            reply(1, start_waits(true)),
            told_caller(Notice::Refused(Refusal::NotItsTurn)),
            reply(2, start_waits(true))
        ]
    );
    assert_eq!(rules.call("yes"), [typed("yes\n")]);
    assert_eq!(rules.is_ready(1), [vec![Action::ResetScreen], run(1, "6 * 7")].concat());
    assert_eq!(rules.done(1), [reply(3, idle(Some(Outcome::Ok)))]);
}

#[test]
fn another_clients_cell_is_not_promised() {
    let mut rules = Rules::starting();
    rules.send(CLIENT + 1, Payload::Text("theirs".into()), None);
    assert_eq!(rules.call(""), []);
    let told = asks(&mut rules, 5);
    let status = start_waits(true);
    let theirs = Action::Reply { call: 1, client: CLIENT + 1, status, has_text: true };
    assert_eq!(told, [reply(2, start_waits(false)), theirs]);
}

#[test]
fn a_start_that_asks_is_interrupted_and_goes_on_or_ends() {
    let mut rules = asking();
    assert_eq!(rules.call("\u{3}6 * 7"), [typed("\u{3}")]);
    // It caught that, and asks on.
    assert_eq!(asks(&mut rules, 6), [reply(2, start_waits(true))]);
    assert_eq!(rules.call("yes"), [typed("yes\n")]);
    assert_eq!(rules.is_ready(1), [vec![Action::ResetScreen], run(1, "6 * 7")].concat());

    let mut rules = asking();
    assert_eq!(rules.call("\u{3}"), [typed("\u{3}")]);
    // No other Python is tried: it would ask the same.
    let failure = Failure::StartInterrupted { exit: Exit::Status(1) };
    assert_eq!(
        rules.step(exited(Exit::Status(1))),
        [
            Action::Kill,
            Action::Retire,
            told(Notice::SessionFailed { failure: failure.clone() }),
            reply(2, Status::Failed { failure })
        ]
    );
    assert_eq!(rules.call("1 + 1"), [Action::Start]);
}

#[test]
fn a_start_that_takes_its_time_is_interrupted_once_somebody_was_told() {
    let mut rules = Rules::starting();
    rules.call("");
    // It may be over in a moment.
    assert_eq!(rules.call("\u{3}"), []);
    assert_eq!(rules.step(Event::Keystrokes { client: 9, bytes: vec![3], background: None }), []);
    assert_eq!(rules.tick(PATIENCE).len(), 2);
    assert_eq!(rules.call("\u{3}"), [typed("\u{3}")]);
    assert_eq!(
        rules.step(Event::Keystrokes { client: 9, bytes: vec![3], background: None }),
        [typed("\u{3}")]
    );
    // The next start is another one.
    rules.step(exited(Exit::Status(1)));
    rules.call("1 + 1");
    assert_eq!(
        rules.step(Event::Keystrokes { client: 9, bytes: vec![3], background: None }).len(),
        1
    );
}

#[test]
fn a_start_that_asks_is_reset() {
    let mut rules = asking();
    let end = [Action::Send(ToWorker::Shutdown), Action::HangUp];
    assert_eq!(rules.call("\u{4}6 * 7"), end);
    let exit = Exit::Signal("SIGHUP".into());
    assert_eq!(rules.step(exited(exit.clone())), [ended(exit), Action::Retire, Action::Start]);
    assert_eq!(asks(&mut rules, 5), [reply(2, start_waits(true))]);
}

#[test]
fn the_next_program_is_another_start() {
    let mut rules = asking();
    let exit = Exit::Status(1);
    assert_eq!(rules.call("no"), [typed("no\n")]);
    let next = Action::StartNext { exit: exit.clone() };
    assert_eq!(rules.step(exited(exit)), [Action::Retire, next]);
    assert_eq!(rules.is_ready(1), [Action::ResetScreen, reply(2, idle(None))]);
}

#[test]
fn what_a_person_types_reaches_a_start_that_asks() {
    let mut rules = asking();
    assert_eq!(
        rules.step(Event::Keystrokes { client: 9, bytes: b"yes\r".into(), background: None }),
        [typed("yes\r")]
    );
    assert_eq!(rules.call("cell"), []);
    assert_eq!(rules.is_ready(1), [vec![Action::ResetScreen], run(1, "cell")].concat());
}

#[test]
fn a_start_that_may_go_on_by_itself_is_looked_at_for_a_poll() {
    let mut rules = Rules::starting();
    let ssh = |wakes| {
        let mut sighting = reader(wakes);
        sighting.reader.awaits = Awaits::TerminalAndOthers { children_work: false };
        sighting.shown = 0;
        Some(sighting)
    };
    assert_eq!(rules.call(""), []);
    rules.step(Event::Look(ssh(5)));
    assert_eq!(rules.step(Event::Look(ssh(5))), [reply(1, start_waits(false))]);
    // There is no news.
    assert_eq!(rules.call(""), []);
    assert_eq!(rules.step(Event::Look(ssh(5))), []);
    assert_eq!(rules.tick(PATIENCE), [reply(2, start_waits(false))]);
    // It went on, and asks for something else.
    assert_eq!(rules.call(""), []);
    assert_eq!(rules.step(Event::Look(None)), []);
    assert_eq!(asks(&mut rules, 6), [reply(3, start_waits(false))]);
}

#[test]
fn what_waits_for_an_interrupt_of_a_worker_that_ended_does_not_wait_for_it_in_the_next() {
    let mut rules = Rules::running();
    assert_eq!(rules.call("\u{3}6 * 7"), [interrupt(false)]);
    rules.step(exited(Exit::Signal("SIGINT".into())));
    assert_eq!(asks(&mut rules, 5), [reply(2, start_waits(true))]);
}

#[test]
fn a_cell_is_not_kept_where_its_reply_does_not_say_so() {
    let page = |is_settled| {
        let mut sighting = reader(5);
        let cursor = (0, 0);
        sighting.view = View::FullScreen(super::reader::FullScreenView { cursor });
        sighting.reader.awaits = Awaits::Others;
        sighting.is_settled = is_settled;
        Some(sighting)
    };
    let shows = Status::FullScreen { program: "cat".into(), cursor: (0, 0) };
    let mut rules = Rules::starting();
    assert_eq!(rules.call("6 * 7"), []);
    assert_eq!(rules.step(Event::Look(page(true))), []);
    let refused = told_caller(Notice::Refused(Refusal::NotItsTurn));
    let looked = rules.step(Event::Look(page(true)));
    assert_eq!(looked, [Action::TakeScreen, refused, reply(1, shows)]);
    assert_eq!(rules.is_ready(1), [Action::ResetScreen]);
    // One whose time is up is said to wait for the session.
    let mut rules = Rules::starting();
    assert_eq!(rules.call("6 * 7"), []);
    assert_eq!(rules.step(Event::Look(page(false))), []);
    assert_eq!(rules.tick(PATIENCE), [Action::TakeScreen, reply(1, busy(40, false))]);
    assert_eq!(rules.is_ready(1), [vec![Action::ResetScreen], run(1, "6 * 7")].concat());
}
