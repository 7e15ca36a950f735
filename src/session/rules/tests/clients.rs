//! Rules of several clients, and of people who type.

use super::{
    state::{Doing, State},
    *,
};
use crate::reply::Refusal;

/// Another client than the one that makes the calls.
const OTHER: ClientId = 2;

#[test]
fn a_reply_goes_to_who_made_the_call() {
    let mut rules = Rules::running();
    assert_eq!(rules.send(OTHER, Payload::poll(), None), []);
    let status = idle(Some(Outcome::Ok));
    let to_other = Action::Reply { call: 2, client: OTHER, status: status.clone(), has_text: true };
    assert_eq!(rules.done(1), [reply(1, status), to_other]);
}

#[test]
fn what_is_wrong_with_a_call_is_told_to_who_made_it() {
    let mut rules = Rules::ready();
    let actions = rules.send(OTHER, Payload::Keys(keys("Enter")), None);
    let notice = Notice::Refused(Refusal::NobodyReads);
    assert_eq!(actions[0], Action::Notice { to: Audience::Client(OTHER), notice });
    // The cell that an interrupt strikes is the other's, as the interrupt is.
    let mut rules = Rules::starting();
    rules.send(OTHER, Payload::Text("cell".into()), None);
    let notice = Notice::InterruptedBeforeRun;
    let told = Action::Notice { to: Audience::Client(OTHER), notice };
    let interrupt = Payload::Interrupt(Payload::poll().into());
    assert_eq!(rules.send(OTHER, interrupt, None), [told]);
}

/// A client who types.
const PERSON: ClientId = 9;

/// A person types, and nobody reads the terminal in the background.
fn keystrokes(bytes: Vec<u8>) -> Event {
    Event::Keystrokes { client: PERSON, bytes, background: None }
}

#[test]
fn keystrokes_go_to_the_terminal_and_wake_who_reads() {
    let mut rules = Rules::reading();
    // Half a line wakes nobody.
    assert_eq!(rules.step(keystrokes(b"ls".into())), [typed("ls")]);
    assert_eq!(rules.call(""), []);
    let mut rules = Rules::reading();
    assert_eq!(rules.step(keystrokes(b"ls\r".into())), [typed("ls\r")]);
    let State::InCell { doing, .. } = rules.session.state() else { panic!("the cell goes on") };
    assert!(matches!(doing, Doing::Running { typed_for: Some(_), turn_pages: false, .. }));
    assert_eq!(rules.call("x"), [reply(2, busy(0, true))]);
}

#[test]
fn the_key_that_interrupts_strikes_what_it_was_meant_for() {
    let mut rules = Rules::running();
    assert_eq!(
        rules.step(keystrokes(b"a\x03b".into())),
        [typed("a"), interrupt_key(false), typed("b")]
    );
    assert_eq!(Rules::waiting().step(keystrokes(vec![3])), [interrupt_key(true)]);
    // Nothing runs: typed, it might strike what comes next.
    assert_eq!(Rules::ready().step(keystrokes(vec![3])), [interrupt_key(true)]);
    // A program in the background has the terminal.
    let event = Event::Keystrokes { client: PERSON, bytes: vec![3], background: Some(reader(5)) };
    assert_eq!(Rules::ready().step(event), [typed("\u{3}")]);
    let mut rules = Rules::starting();
    rules.call("cell");
    let struck = told_caller(Notice::InterruptedBeforeRun);
    assert_eq!(rules.step(keystrokes(vec![3])), [struck]);
}

#[test]
fn a_session_that_is_shut_down_starts_no_other() {
    let mut rules = Rules::running();
    let actions = rules.step(Event::Shutdown);
    assert_eq!(actions, [Action::Send(ToWorker::Shutdown), Action::HangUp]);
    assert!(!rules.session.is_closed());
    let exit = Exit::Signal("SIGHUP".into());
    rules.call("more");
    let status = Status::Ended { exit: exit.clone() };
    assert_eq!(
        rules.step(exited(exit.clone())),
        [ended(exit), Action::Retire, reply(1, status.clone()), reply(2, status)]
    );
    assert!(rules.session.is_closed());
    let mut rules = Rules::ready();
    assert_eq!(rules.step(Event::Shutdown), [Action::Send(ToWorker::Shutdown)]);
}

#[test]
fn input_that_was_typed_and_not_read_is_told_with_what_the_worker_dropped() {
    let mut rules = Rules::running();
    let done = rules.says(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Ok });
    assert_eq!(done, [Action::RestoreSize]);
    let actions = rules.says(ToServer::Ready { mark: 2, discarded_bytes: 4 });
    assert_eq!(actions, [Action::DropInput]);
    let actions = rules.step(Event::InputDropped { bytes: 3 });
    assert_eq!(actions[0], told(Notice::InputDiscarded { bytes: 7 }));
    assert_eq!(rules.call("next"), run(2, "next"));
    assert_eq!(rules.done(2), [reply(2, idle(Some(Outcome::Ok)))]);
}

/// A person asks how things stand, and is told first that so many bytes were read by nobody.
fn asks(rules: &mut Rules, call: u64, unread: Option<u64>) {
    let to = Audience::Client(PERSON);
    let told = unread
        .map(|bytes| Action::Notice { to, notice: Notice::InputDiscarded { bytes } })
        .into_iter();
    let status = idle(Some(Outcome::Ok));
    let reply = Action::Reply { call, client: PERSON, status, has_text: true };
    let actions = rules.send(PERSON, Payload::poll(), None);
    assert_eq!(actions, told.chain([reply]).collect::<Vec<_>>());
}

#[test]
fn who_typed_what_nobody_has_read_is_told() {
    let mut rules = Rules::waiting();
    assert_eq!(rules.call("answer"), [stdin("answer\n")]);
    assert_eq!(rules.step(keystrokes(b"x = 1\r".into())), [typed("x = 1\r")]);
    rules.says(taken(1));
    rules.says(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Ok });
    assert_eq!(rules.says(ready(2)), [Action::DropInput]);
    // What crosses the end of the cell is typed no more.
    assert_eq!(rules.step(keystrokes(b"x".into())), []);
    let ended = rules.step(Event::InputDropped { bytes: 6 });
    assert_eq!(ended, [Action::ResetScreen, reply(2, idle(Some(Outcome::Ok)))]);
    assert_eq!(rules.step(keystrokes(b"\r".into())), []);
    asks(&mut rules, 3, Some(8));
    asks(&mut rules, 4, None);
    // What was read is none of what the next cell leaves.
    assert_eq!(rules.call("cell"), run(2, "cell"));
    rules.says(ToServer::CellDone { id: 2, mark: 3, outcome: Outcome::Ok });
    rules.says(ToServer::Ready { mark: 3, discarded_bytes: 5 });
    let actions = rules.step(Event::InputDropped { bytes: 0 });
    assert_eq!(actions[0], told(Notice::InputDiscarded { bytes: 5 }));
    asks(&mut rules, 6, None);
}

#[test]
fn a_reader_that_outlives_its_cell_has_what_is_typed() {
    let mut rules = Rules::waiting();
    assert_eq!(rules.done(1), []);
    assert_eq!(rules.step(keystrokes(b"a\r".into())), [typed("a\r")]);
    let mut rules = Rules::ready();
    let event =
        Event::Keystrokes { client: PERSON, bytes: b"q".into(), background: Some(reader(5)) };
    assert_eq!(rules.step(event), [typed("q")]);
}
