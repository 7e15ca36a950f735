//! Rules of cells, of input for their own reads, and of interrupts.

use std::time::Duration;

use mcp_repl_sideband::{Hint, Outcome, ToServer, ToWorker};

use super::*;

#[test]
fn a_payload_at_ready_is_a_cell() {
    let mut rules = Rules::ready();
    assert_eq!(rules.call("1 + 1"), run(1, "1 + 1"));
    assert_eq!(rules.done(1), [reply(1, idle(Some(Outcome::Ok)))]);
    assert_eq!(rules.call("2 + 2"), run(2, "2 + 2"));
}

#[test]
fn a_payload_at_a_wait_is_input_with_an_end_of_line() {
    let mut rules = Rules::waiting();
    assert_eq!(rules.call("one\ntwo"), [stdin("one\ntwo\n")]);
    let mut rules = Rules::waiting();
    assert_eq!(rules.call("\n"), [stdin("\n")]);
    // The call goes on until the worker comes to rest.
    assert_eq!(rules.says(taken(1)), []);
    assert_eq!(rules.done(1), [reply(2, idle(Some(Outcome::Ok)))]);
}

#[test]
fn a_cell_behind_an_unanswered_call_waits_for_its_turn() {
    let ok = || idle(Some(Outcome::Ok));
    let mut rules = Rules::running();
    assert_eq!(rules.call("second"), []);
    assert_eq!(rules.call("third"), []);
    assert_eq!(rules.done(1), [vec![reply(1, ok())], run(2, "second").split_off(1)].concat());
    assert_eq!(rules.done(2), [vec![reply(2, ok())], run(3, "third").split_off(1)].concat());
    assert_eq!(rules.done(3), [reply(3, ok())]);
    // Within its own time.
    let mut rules = Rules::running();
    rules.now += Duration::from_secs(1);
    rules.call("second");
    assert_eq!(rules.tick(PATIENCE - Duration::from_secs(1)), [reply(1, busy(40, false))]);
    assert_eq!(rules.tick(Duration::from_secs(1)), [reply(2, busy(41, true))]);
    // One that is cancelled is not run.
    let mut rules = Rules::running();
    rules.call("second");
    rules.step(Event::Cancel { id: 2, interrupt: false });
    assert_eq!(rules.done(1), [reply(1, ok())]);
}

#[test]
fn a_cell_is_refused_while_another_runs_once_its_client_knows() {
    let mut rules = Rules::running();
    assert_eq!(rules.tick(PATIENCE), [reply(1, busy(40, false))]);
    assert_eq!(rules.call("more"), [reply(2, busy(40, true))]);
    // A poll told it, while the first call still waits.
    let mut rules = Rules::running();
    rules.calls += 1;
    let now = rules.now;
    let (payload, background) = (Payload::poll(), None);
    rules.step(Event::Call {
        id: 2,
        client: CLIENT,
        payload,
        deadline: now,
        told: 0,
        background,
        person: None,
    });
    assert_eq!(rules.tick(Duration::ZERO), [reply(2, busy(0, false))]);
    assert_eq!(rules.call("more"), [reply(3, busy(0, true))]);
    assert_eq!(rules.done(1), [reply(1, idle(Some(Outcome::Ok)))]);
}

#[test]
fn a_cell_that_waits_for_its_turn_is_no_answer_and_is_struck_by_an_interrupt() {
    let mut rules = Rules::running();
    rules.call("second");
    let refused = told_caller(Notice::Refused(crate::reply::Refusal::NotItsTurn));
    assert_eq!(rules.says(wait(1)), [reply(1, waiting()), refused, reply(2, waiting())]);
    let struck = told_caller(Notice::InterruptedBeforeRun);
    let mut rules = Rules::running();
    rules.call("second");
    assert_eq!(rules.call("\u{3}"), [struck.clone(), interrupt(false)]);
    let mut rules = Rules::running();
    rules.call("second");
    assert_eq!(rules.call("\u{4}")[0], struck);
}

#[test]
fn a_payload_at_the_start_waits_for_the_session() {
    let mut rules = Rules::starting();
    assert_eq!(rules.call("1 + 1"), []);
    assert_eq!(rules.is_ready(1), [vec![Action::ResetScreen], run(1, "1 + 1")].concat());
}

#[test]
fn a_poll_returns_at_once_when_nothing_goes_on() {
    assert_eq!(Rules::ready().call(""), [reply(1, idle(None))]);
    assert_eq!(Rules::waiting().call(""), [reply(2, waiting())]);
    let mut rules = Rules::running();
    assert_eq!(rules.call(""), []);
    assert_eq!(
        rules.done(1),
        [reply_without_text(1, idle(Some(Outcome::Ok))), reply(2, idle(Some(Outcome::Ok)))]
    );
}

#[test]
fn of_several_calls_of_one_client_the_newest_gets_the_text() {
    // The client gave up the first two, and did not say so.
    let mut rules = Rules::running();
    rules.now += Duration::from_secs(1);
    rules.call("");
    rules.call("\u{3}'next'");
    let late = rules.tick(PATIENCE - Duration::from_secs(1));
    assert_eq!(late, [reply_without_text(1, busy(40, false))]);
    rules.says(ToServer::Interrupted);
    rules.says(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Interrupted });
    let interrupted = idle(Some(Outcome::Interrupted));
    let replied = vec![Action::ResetScreen, reply_without_text(2, interrupted)];
    assert_eq!(rules.is_ready(2), [replied, run(2, "'next'")].concat());
    assert_eq!(rules.done(2), [reply(3, idle(Some(Outcome::Ok)))]);
    // One that is cancelled takes nothing.
    let mut rules = Rules::running();
    rules.call("");
    rules.step(Event::Cancel { id: 2, interrupt: false });
    assert_eq!(rules.done(1), [reply(1, idle(Some(Outcome::Ok)))]);
}

#[test]
fn an_interrupt_strikes_what_runs_or_waits() {
    for (mut rules, worker_reads) in
        [(Rules::running(), false), (Rules::waiting(), true), (Rules::reading(), false)]
    {
        assert_eq!(rules.call("\u{3}"), [interrupt(worker_reads)]);
    }
    assert_eq!(Rules::ready().call("\u{3}"), [reply(1, idle(None))]);
}

#[test]
fn the_rest_behind_an_interrupt_is_a_cell_when_the_interrupted_one_is_done() {
    let mut rules = Rules::running();
    assert_eq!(rules.call("\u{3}6 * 7"), [interrupt(false)]);
    let outcome = Outcome::Interrupted;
    rules.says(ToServer::Interrupted);
    rules.says(ToServer::CellDone { id: 1, mark: 2, outcome });
    let actions = rules.is_ready(2);
    let replied = vec![Action::ResetScreen, reply_without_text(1, idle(Some(outcome)))];
    assert_eq!(actions, [replied, run(2, "6 * 7")].concat());
    assert_eq!(Rules::ready().call("\u{3}6 * 7"), run(1, "6 * 7"));
}

#[test]
fn the_rest_behind_an_interrupt_that_is_ignored_is_told_as_discarded() {
    let mut rules = Rules::running();
    rules.call("\u{3}6 * 7");
    let late = [reply_without_text(1, busy(40, false)), reply(2, busy(40, true))];
    assert_eq!(rules.tick(PATIENCE), late);
}

#[test]
fn an_interrupt_at_the_start_strikes_the_cell_that_waits_for_it() {
    let mut rules = Rules::starting();
    rules.call("import time; time.sleep(1000)");
    rules.call("\u{3}");
    let actions = rules.is_ready(1);
    let runs = actions.iter().any(|action| matches!(action, Action::Send(ToWorker::Cell { .. })));
    assert!(!runs || actions.contains(&interrupt(false)), "{actions:?}");
}

#[test]
fn an_interrupt_is_not_acknowledged_by_a_wait_that_crosses_it() {
    let mut rules = Rules::running();
    assert_eq!(rules.call("\u{3}"), [interrupt(false)]);
    // The cell came to its `input()` before the interrupt came to the worker.
    let replies = rules.says(wait(1));
    assert!(!replies.contains(&reply(2, waiting())), "{replies:?}");
    rules.says(ToServer::Interrupted);
    rules.says(taken(1));
    rules.says(ToServer::CellDone { id: 1, mark: 3, outcome: Outcome::Interrupted });
    let replies = rules.is_ready(3);
    assert!(replies.contains(&reply(2, idle(Some(Outcome::Interrupted)))), "{replies:?}");
}

#[test]
fn a_caller_whose_time_is_up_hears_how_long_it_has_been() {
    let mut rules = Rules::running();
    assert_eq!(rules.session.next_deadline(), Some(PATIENCE));
    assert_eq!(rules.tick(PATIENCE - Duration::from_secs(1)), []);
    assert_eq!(rules.tick(Duration::from_secs(1)), [reply(1, busy(40, false))]);
    assert_eq!(rules.tick(PATIENCE), []);
    assert_eq!(rules.done(1), []);
}

#[test]
fn discarded_input_is_told_before_the_reply() {
    let mut rules = Rules::running();
    rules.says(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Ok });
    assert_eq!(rules.says(ToServer::Ready { mark: 2, discarded_bytes: 1 }), [Action::DropInput]);
    let actions = rules.step(Event::InputDropped { bytes: 0 });
    assert_eq!(actions[0], told(Notice::InputDiscarded { bytes: 1 }));
    assert_eq!(actions.last(), Some(&reply(1, idle(Some(Outcome::Ok)))));
}

#[test]
fn a_hint_is_told_at_its_place_and_one_that_is_not_known_is_not() {
    let mut rules = Rules::running();
    let says = |rules: &mut Rules, hint| rules.says(ToServer::Hint { mark: 2, hint });
    assert_eq!(says(&mut rules, Hint::Await), [told(Notice::Hint(Hint::Await))]);
    assert_eq!(says(&mut rules, Hint::Other), []);
    assert_eq!(rules.done(1), [reply(1, idle(Some(Outcome::Ok)))]);
}
