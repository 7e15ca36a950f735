//! Rules of calls that are given up.

use mcp_repl_sideband::{Outcome, ToServer};

use super::*;
use crate::reply::Refusal;

/// Another client than the one that makes the calls.
const OTHER: ClientId = 2;

fn cancel(id: u64) -> Event {
    Event::Cancel { id, interrupt: false }
}

fn cancel_and_interrupt(id: u64) -> Event {
    Event::Cancel { id, interrupt: true }
}

fn still_runs() -> Action {
    told_caller(Notice::StillRuns)
}

#[test]
fn a_cancel_interrupts_its_cell_if_it_is_to() {
    let cancelled = told_caller(Notice::CancelledCell);
    let mut rules = Rules::running();
    let struck = [interrupt(false), cancelled.clone()];
    assert_eq!(rules.step(cancel_and_interrupt(1)), struck);
    assert_eq!(Rules::running().step(cancel(1)), []);
    // One that only polls waits for the same cell.
    let mut rules = Rules::running();
    rules.tick(PATIENCE);
    rules.call("");
    assert_eq!(rules.step(cancel_and_interrupt(2)), struck);
    // So does one that answers it.
    let mut rules = Rules::waiting();
    rules.call("answer");
    assert_eq!(rules.step(cancel_and_interrupt(2)), [interrupt(true), cancelled]);
}

#[test]
fn a_cancel_interrupts_nothing_but_its_cell() {
    // The cell of another client.
    let mut rules = Rules::running();
    rules.send(OTHER, Payload::poll(), None);
    assert_eq!(rules.step(cancel_and_interrupt(2)), []);
    assert_eq!(rules.done(1), [reply(1, idle(Some(Outcome::Ok)))]);
    // The cell in front of the one that is cancelled.
    let mut rules = Rules::running();
    rules.call("second");
    let not_run = told_caller(Notice::CancelledBeforeRun);
    assert_eq!(rules.step(cancel_and_interrupt(2)), std::slice::from_ref(&not_run));
    assert_eq!(rules.done(1), [reply(1, idle(Some(Outcome::Ok)))]);
    // One that is not run yet.
    let mut rules = Rules::starting();
    rules.call("cell");
    assert_eq!(rules.step(cancel_and_interrupt(1)), [not_run]);
    assert_eq!(rules.is_ready(1), [Action::ResetScreen]);
    // None at all, and a call that has its reply.
    let mut rules = Rules::running();
    rules.done(1);
    assert_eq!(rules.step(cancel_and_interrupt(1)), []);
}

#[test]
fn the_next_reply_says_that_the_cell_of_a_cancelled_call_still_runs() {
    let mut rules = Rules::running();
    rules.step(cancel(1));
    assert_eq!(rules.call("next"), [still_runs(), reply(2, busy(0, true))]);
    // Once.
    assert_eq!(rules.call("next"), [reply(3, busy(0, true))]);
    let mut rules = Rules::running();
    rules.step(cancel(1));
    assert_eq!(rules.call(""), []);
    assert_eq!(rules.tick(PATIENCE), [still_runs(), reply(2, busy(40, false))]);
    // One that does not run any more does not.
    let mut rules = Rules::running();
    rules.step(cancel(1));
    rules.call("");
    assert_eq!(rules.done(1), [reply(2, idle(Some(Outcome::Ok)))]);
    // Who still has a call in it will be told by that.
    let mut rules = Rules::running();
    rules.call("");
    rules.step(cancel(2));
    assert_eq!(rules.tick(PATIENCE), [reply(1, busy(40, false))]);
    // Another client has cancelled nothing.
    let mut rules = Rules::running();
    rules.step(cancel(1));
    assert_eq!(rules.send(OTHER, Payload::Text("next".into()), None), []);
    let refused = Action::Reply { call: 2, client: OTHER, status: busy(40, true), has_text: true };
    assert_eq!(rules.tick(PATIENCE), [refused]);
}

#[test]
fn all_calls_of_a_turn_may_be_cancelled_in_any_order() {
    for order in [[1, 2], [2, 1]] {
        let mut rules = Rules::running();
        rules.call("second");
        let actions: Vec<Action> = order.iter().flat_map(|&id| rules.step(cancel(id))).collect();
        assert_eq!(actions, [told_caller(Notice::CancelledBeforeRun)]);
        assert_eq!(rules.call("next"), [still_runs(), reply(3, busy(0, true))]);
    }
}

#[test]
fn the_next_cell_waits_for_the_end_of_the_one_that_was_interrupted() {
    let mut rules = Rules::running();
    rules.step(cancel_and_interrupt(1));
    assert_eq!(rules.call("next"), []);
    // The cell came to its `input()` before the interrupt came to the worker.
    assert_eq!(rules.says(wait(1)), []);
    rules.says(ToServer::Interrupted);
    rules.says(taken(1));
    rules.says(ToServer::CellDone { id: 1, mark: 3, outcome: Outcome::Interrupted });
    let next = [vec![Action::ResetScreen], run(2, "next")].concat();
    assert_eq!(rules.is_ready(3), next);
    assert_eq!(rules.done(2), [reply(2, idle(Some(Outcome::Ok)))]);
}

#[test]
fn the_next_cell_is_no_answer_to_a_cell_whose_call_was_cancelled() {
    let refused = || told_caller(Notice::Refused(Refusal::NotItsTurn));
    for interrupt in [false, true] {
        // It catches the interrupt, if there is one, and asks.
        let mut rules = Rules::running();
        rules.step(Event::Cancel { id: 1, interrupt });
        if interrupt {
            rules.says(ToServer::Interrupted);
        }
        rules.says(wait(1));
        assert_eq!(rules.call("next"), [refused(), reply(2, waiting())]);
        // From here on its client knows.
        assert_eq!(rules.call("answer"), [stdin("answer\n")]);
    }
    let mut rules = Rules::running();
    rules.step(cancel_and_interrupt(1));
    rules.says(ToServer::Interrupted);
    rules.call("next");
    assert_eq!(rules.says(wait(1)), [refused(), reply(2, waiting())]);
    // A cancel that crosses the reply: it comes back.
    let mut rules = Rules::waiting();
    rules.step(Event::Returned { client: OTHER });
    assert_eq!(rules.step(Event::Returned { client: CLIENT }), []);
    assert_eq!(rules.call("next"), [refused(), reply(2, waiting())]);
    // An interrupt or keys are meant for it.
    let mut rules = Rules::running();
    rules.step(cancel(1));
    rules.says(wait(1));
    assert_eq!(rules.keys("x"), [type_keys("x"), reply(2, waiting())]);
}

#[test]
fn a_cell_that_is_about_to_end_is_followed_by_the_next_one() {
    let mut rules = Rules::running();
    rules.says(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Ok });
    rules.says(ready(2));
    rules.step(cancel(1));
    assert_eq!(rules.call("next"), []);
    let actions = rules.step(Event::InputDropped { bytes: 0 });
    assert_eq!(actions, [vec![Action::ResetScreen], run(2, "next")].concat());
}
