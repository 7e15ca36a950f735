//! Rules of programs that read the terminal, and of readers in the background.

use mcp_repl_sideband::{Outcome, ToServer};

use super::{
    state::{Doing, State},
    *,
};
use crate::reply::Refusal;

#[test]
fn a_payload_for_a_program_that_reads_the_terminal_is_typed() {
    let mut rules = Rules::reading();
    assert_eq!(rules.call("line"), [typed("line\n")]);
    let mut rules = Rules::reading();
    assert_eq!(rules.keys("C-d"), [type_keys("C-d")]);
}

#[test]
fn the_echo_of_a_long_line_is_left_out_for_who_typed_it() {
    let mut rules = Rules::reading();
    let text = "x".repeat(200);
    let left_out = Action::LeaveOutEcho { client: CLIENT, text: text.clone() };
    assert_eq!(rules.call(&text), [left_out, typed(&format!("{text}\n"))]);
}

#[test]
fn a_ready_of_a_background_reader_does_not_end_the_cell_on_its_way() {
    let mut rules = Rules::running();
    assert_eq!(rules.is_ready(2), []);
    assert!(matches!(rules.session.state(), State::InCell { doing: Doing::Running { .. }, .. }));
    assert_eq!(rules.done(1), [reply(1, idle(Some(Outcome::Ok)))]);
}

#[test]
fn background_readers_are_served_before_a_cell() {
    let mut rules = Rules::ready();
    rules.says(wait(1));
    rules.says(wait(2));
    assert_eq!(rules.call(""), [reply(1, waiting())]);
    assert_eq!(rules.call("one"), [stdin("one\n")]);
    // A `ready` for something else does not answer the call.
    assert_eq!(rules.is_ready(2), []);
    rules.says(taken(1));
    assert_eq!(rules.is_ready(3), [reply(2, waiting())]);
    assert_eq!(rules.call("two"), [stdin("two\n")]);
    rules.says(taken(2));
    assert_eq!(rules.is_ready(4), [reply(3, idle(None))]);
    assert_eq!(rules.call("1 + 1"), run(1, "1 + 1"));
}

#[test]
fn a_reader_that_is_served_out_of_turn_leaves_no_answer_owed() {
    // The worker serves its main thread first, though a thread in the background waits longer.
    let mut rules = Rules::running();
    rules.says(wait(1));
    rules.says(wait(2));
    assert_eq!(rules.call("for the main thread"), [stdin("for the main thread\n")]);
    assert_eq!(rules.says(taken(2)), [reply(2, waiting())]);
    assert_eq!(rules.done(1), []);
}

#[test]
fn an_interrupt_of_one_of_two_readers_is_acknowledged_when_the_cell_is_done() {
    let mut rules = Rules::running();
    rules.says(wait(1));
    rules.says(wait(2));
    assert_eq!(rules.call("\u{3}"), [interrupt(true)]);
    assert_eq!(rules.says(ToServer::Interrupted), []);
    // The main thread's reader raises; the one in the background waits on.
    assert_eq!(rules.says(ToServer::InputTaken { wait: 2, bytes: 0, thread: None }), []);
    assert_eq!(rules.done(1), [reply(2, waiting())]);
}

#[test]
fn a_background_reader_of_the_terminal_is_served_before_a_cell() {
    let mut rules = Rules::ready();
    let told = told_caller(Notice::TypedInBackground { program: "cat".into() });
    assert_eq!(
        rules.send(CLIENT, Payload::Text("line".into()), Some(reader(5))),
        [told, typed("line\n")]
    );
    // The call returns when the reader has it.
    assert_eq!(rules.step(Event::Look(Some(reader(5)))), []);
    assert_eq!(rules.step(Event::Look(None)), [reply(1, idle(None))]);
}

#[test]
fn a_poll_tells_of_a_background_reader_of_the_terminal() {
    let mut rules = Rules::ready();
    assert_eq!(rules.send(CLIENT, Payload::poll(), Some(reader(5))), [reply(1, reads())]);
}

#[test]
fn one_look_is_not_enough() {
    let mut rules = Rules::running();
    assert!(rules.session.wants_look());
    assert_eq!(rules.step(Event::Look(Some(reader(5)))), []);
    // It was awake between the looks.
    assert_eq!(rules.step(Event::Look(Some(reader(6)))), []);
    // It was gone between them.
    assert_eq!(rules.step(Event::Look(None)), []);
    assert_eq!(rules.step(Event::Look(Some(reader(6)))), []);
    assert_eq!(rules.step(Event::Look(Some(reader(6)))), [reply(1, reads())]);
    assert!(!rules.session.wants_look());
}

#[test]
fn a_reader_that_has_not_got_what_was_typed_is_not_waiting_anew() {
    let mut rules = Rules::reading();
    rules.call("line");
    for _ in 0..3 {
        assert_eq!(rules.step(Event::Look(Some(reader(5)))), []);
    }
    assert_eq!(rules.step(Event::Look(Some(reader(6)))), []);
    assert_eq!(rules.step(Event::Look(Some(reader(6)))), [reply(2, reads())]);
}

#[test]
fn nobody_is_looked_for_while_nobody_asks() {
    let mut rules = Rules::running();
    rules.step(Event::Cancel { id: 1, interrupt: false });
    assert!(!rules.session.wants_look());
}

#[test]
fn a_line_that_is_too_long_to_be_typed_is_refused_and_the_reader_waits_on() {
    let mut rules = Rules::reading();
    let actions = rules.call(&"x".repeat(4096));
    let refusal = Refusal::LineTooLong { length: 4096, most: 4095, program: "cat".into() };
    assert_eq!(actions, [told_caller(Notice::Refused(refusal)), reply(2, reads())]);
    assert_eq!(rules.call("x"), [typed("x\n")]);
}
