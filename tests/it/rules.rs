//! The session's rules, without a process: an event goes in, actions come out.

use std::time::Duration;

use mcp_repl::{
    reply::{Exit, Status},
    session::{
        state::{EndStep, Payload, State},
        step::{Action, END_GRACE, EXIT_GRACE, Event},
    },
};
use mcp_repl_sideband::{Outcome, ToServer, ToWorker};

use crate::sessions::*;

#[test]
fn a_payload_at_ready_is_a_cell() {
    let mut rules = Rules::ready();
    assert_eq!(rules.call("1 + 1"), [cell(1, "1 + 1")]);
    assert_eq!(rules.done(1), [reply(1, idle(Some(Outcome::Ok)))]);
    assert_eq!(rules.call("2 + 2"), [cell(2, "2 + 2")]);
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
fn a_payload_for_a_program_that_reads_the_terminal_is_typed() {
    let mut rules = Rules::reading();
    assert_eq!(rules.call("line"), [typed("line\n")]);
    let mut rules = Rules::reading();
    assert_eq!(rules.keys(b"\x04"), [typed("\x04")]);
}

#[test]
fn a_payload_while_a_cell_runs_is_refused() {
    let mut rules = Rules::running();
    rules.now += Duration::from_secs(3);
    assert_eq!(rules.call("more"), [reply(2, busy(3, true))]);
    // The first call still waits, and gets its own reply.
    assert_eq!(rules.done(1), [reply(1, idle(Some(Outcome::Ok)))]);
}

#[test]
fn a_payload_at_the_start_waits_for_the_session() {
    let mut rules = Rules::starting();
    assert_eq!(rules.call("1 + 1"), []);
    assert_eq!(rules.says(ready(1)), [Action::CalmScreen, cell(1, "1 + 1")]);
}

#[test]
fn a_payload_after_the_end_starts_a_session() {
    let mut rules = Rules::ready();
    let ended = rules.step(exited(Exit::Status(3)));
    assert_eq!(ended, [Action::Notice("[repl] session ended (exit status 3)".into())]);
    assert_eq!(rules.call(""), [reply(1, Status::Ended { exit: Exit::Status(3) })]);
    assert_eq!(rules.call("1 + 1"), [Action::Start]);
    let started = Action::Notice("[repl] new session started".into());
    assert_eq!(rules.says(ready(1)), [started, Action::CalmScreen, cell(1, "1 + 1")]);
}

#[test]
fn input_that_crosses_the_end_is_told_as_not_taken() {
    let mut rules = Rules::running();
    let exit = Exit::Signal("SIGKILL".into());
    let told = "[repl] session ended (killed by SIGKILL); the last input did not reach it";
    assert_eq!(
        rules.step(Event::Exited { exit: exit.clone(), missed_input: true }),
        [Action::Notice(told.into()), reply(1, Status::Ended { exit })]
    );
}

#[test]
fn a_poll_returns_at_once_when_nothing_goes_on() {
    assert_eq!(Rules::ready().call(""), [reply(1, idle(None))]);
    assert_eq!(Rules::waiting().call(""), [reply(2, waiting())]);
    let mut rules = Rules::running();
    assert_eq!(rules.call(""), []);
    assert_eq!(
        rules.done(1),
        [reply(1, idle(Some(Outcome::Ok))), reply(2, idle(Some(Outcome::Ok)))]
    );
}

#[test]
fn an_interrupt_strikes_what_runs_or_waits() {
    for mut rules in [Rules::running(), Rules::waiting(), Rules::reading()] {
        assert_eq!(rules.call("\u{3}"), [Action::Interrupt]);
    }
    assert_eq!(Rules::ready().call("\u{3}"), [reply(1, idle(None))]);
}

#[test]
fn the_rest_behind_an_interrupt_is_a_cell_when_the_interrupted_one_is_done() {
    let mut rules = Rules::running();
    assert_eq!(rules.call("\u{3}6 * 7"), [Action::Interrupt]);
    let outcome = Outcome::Interrupted;
    rules.says(ToServer::Interrupted);
    rules.says(ToServer::CellDone { id: 1, mark: 2, outcome });
    let actions = rules.says(ready(2));
    assert_eq!(actions, [Action::CalmScreen, reply(1, idle(Some(outcome))), cell(2, "6 * 7")]);
    assert_eq!(Rules::ready().call("\u{3}6 * 7"), [cell(1, "6 * 7")]);
}

#[test]
fn the_rest_behind_an_interrupt_that_is_ignored_is_told_as_discarded() {
    let mut rules = Rules::running();
    rules.call("\u{3}6 * 7");
    assert_eq!(rules.tick(PATIENCE), [reply(1, busy(40, false)), reply(2, busy(40, true))]);
}

#[test]
fn an_interrupt_at_the_start_strikes_the_cell_that_waits_for_it() {
    let mut rules = Rules::starting();
    rules.call("import time; time.sleep(1000)");
    rules.call("\u{3}");
    let actions = rules.says(ready(1));
    let runs = actions.iter().any(|action| matches!(action, Action::Send(ToWorker::Cell { .. })));
    assert!(!runs || actions.contains(&Action::Interrupt), "{actions:?}");
}

#[test]
fn an_interrupt_is_not_acknowledged_by_a_wait_that_crosses_it() {
    let mut rules = Rules::running();
    assert_eq!(rules.call("\u{3}"), [Action::Interrupt]);
    // The cell came to its `input()` before the interrupt came to the worker.
    let replies = rules.says(wait(1));
    assert!(!replies.contains(&reply(2, waiting())), "{replies:?}");
    rules.says(ToServer::Interrupted);
    rules.says(taken(1));
    rules.says(ToServer::CellDone { id: 1, mark: 3, outcome: Outcome::Interrupted });
    let replies = rules.says(ready(3));
    assert!(replies.contains(&reply(2, idle(Some(Outcome::Interrupted)))), "{replies:?}");
}

#[test]
fn a_reset_of_an_idle_session_runs_the_rest_in_a_fresh_one() {
    let mut rules = Rules::ready();
    assert_eq!(rules.call("\u{4}6 * 7"), [Action::Send(ToWorker::Shutdown)]);
    let ended = Action::Notice("[repl] session ended (exit status 0)".into());
    assert_eq!(rules.step(exited(Exit::Status(0))), [ended, Action::Start]);
    let started = Action::Notice("[repl] new session started".into());
    assert_eq!(rules.says(ready(1)), [started, Action::CalmScreen, cell(1, "6 * 7")]);
    assert_eq!(rules.done(1), [reply(1, idle(Some(Outcome::Ok)))]);
}

#[test]
fn a_reset_hangs_up_on_what_does_not_listen() {
    let [shutdown, hang_up] = [Action::Send(ToWorker::Shutdown), Action::HangUp];
    assert_eq!(Rules::waiting().call("\u{4}"), std::slice::from_ref(&shutdown));
    assert_eq!(Rules::running().call("\u{4}"), [shutdown.clone(), hang_up.clone()]);
    assert_eq!(Rules::reading().call("\u{4}"), [shutdown, hang_up]);
}

#[test]
fn a_reset_while_a_cell_runs_answers_both_calls() {
    let mut rules = Rules::running();
    rules.call("\u{4}6 * 7");
    let exit = Exit::Signal("SIGHUP".into());
    let ended = Action::Notice("[repl] session ended (killed by SIGHUP)".into());
    assert_eq!(
        rules.step(exited(exit.clone())),
        [ended, reply(1, Status::Ended { exit }), Action::Start]
    );
}

#[test]
fn a_program_that_asks_while_it_exits_has_all_time() {
    let mut rules = Rules::running();
    rules.says(ToServer::Exiting { status: 0 });
    assert_eq!(rules.says(wait(7)), [reply(1, waiting())]);
    assert_eq!(rules.tick(EXIT_GRACE * 10), []);
    assert_eq!(rules.call("yes"), [stdin("yes\n")]);
    // What comes now is for the next session, and no answer.
    assert_eq!(rules.says(taken(7)), []);
    assert_eq!(rules.call("6 * 7"), []);
    assert_eq!(rules.says(wait(8)), [reply(2, waiting())]);
    assert_eq!(rules.session.next_deadline(), Some(rules.now + PATIENCE));
}

#[test]
fn a_worker_that_does_not_go_is_killed_and_then_given_up() {
    let mut rules = Rules::running();
    rules.call("\u{4}");
    assert_eq!(rules.session.next_deadline(), Some(END_GRACE));
    assert_eq!(rules.tick(END_GRACE), [Action::Kill]);
    let State::Ending { next, .. } = rules.session.state() else { panic!("it ends") };
    assert_eq!(*next, EndStep::Abandon);
    let actions = rules.tick(Duration::from_secs(1));
    assert!(actions.contains(&Action::Start), "{actions:?}");
    // Its end comes late and changes nothing.
    assert_eq!(rules.says(ready(1)).last(), Some(&reply(2, idle(None))));
}

#[test]
fn a_program_that_exits_by_itself_has_time_for_its_handlers() {
    let mut rules = Rules::running();
    assert_eq!(rules.says(ToServer::Exiting { status: 0 }), []);
    assert_eq!(rules.tick(END_GRACE), []);
    assert_eq!(rules.tick(EXIT_GRACE - END_GRACE), [Action::Kill]);
}

#[test]
fn a_ready_of_a_background_reader_does_not_end_the_cell_on_its_way() {
    let mut rules = Rules::running();
    assert_eq!(rules.says(ready(2)), []);
    assert!(matches!(rules.session.state(), State::Running { .. }));
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
    assert_eq!(rules.says(ready(2)), []);
    rules.says(taken(1));
    assert_eq!(rules.says(ready(3)), [reply(2, waiting())]);
    assert_eq!(rules.call("two"), [stdin("two\n")]);
    rules.says(taken(2));
    assert_eq!(rules.says(ready(4)), [reply(3, idle(None))]);
    assert_eq!(rules.call("1 + 1"), [cell(1, "1 + 1")]);
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
    assert_eq!(rules.call("\u{3}"), [Action::Interrupt]);
    assert_eq!(rules.says(ToServer::Interrupted), []);
    // The main thread's reader raises; the one in the background waits on.
    assert_eq!(rules.says(ToServer::InputTaken { wait: 2, bytes: 0 }), []);
    assert_eq!(rules.done(1), [reply(2, waiting())]);
}

#[test]
fn a_background_reader_of_the_terminal_is_served_before_a_cell() {
    let mut rules = Rules::ready();
    let told = "[repl] typed for cat, which reads the terminal in the background";
    assert_eq!(
        rules.send(Payload::Text("line".into()), Some(reader(5))),
        [Action::Notice(told.into()), typed("line\n")]
    );
    // The call returns when the reader has it.
    assert_eq!(rules.step(Event::Look(Some(reader(5)))), []);
    assert_eq!(rules.step(Event::Look(None)), [reply(1, idle(None))]);
}

#[test]
fn a_poll_tells_of_a_background_reader_of_the_terminal() {
    let mut rules = Rules::ready();
    let poll = Payload::Text(String::new());
    assert_eq!(rules.send(poll, Some(reader(5))), [reply(1, reads(5))]);
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
    assert_eq!(rules.step(Event::Look(Some(reader(6)))), [reply(1, reads(6))]);
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
    assert_eq!(rules.step(Event::Look(Some(reader(6)))), [reply(2, reads(6))]);
}

#[test]
fn nobody_is_looked_for_while_nobody_asks() {
    let mut rules = Rules::running();
    rules.step(Event::Cancel { id: 1 });
    assert!(!rules.session.wants_look());
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
fn a_worker_that_breaks_the_protocol_fails_every_call() {
    let mut rules = Rules::running();
    rules.call("");
    let failed = || Status::Failed { why: "why".into() };
    assert_eq!(
        rules.step(Event::Failed("why".into())),
        [Action::Kill, reply(1, failed()), reply(2, failed())]
    );
    assert_eq!(rules.call("1 + 1"), [Action::Start]);
}

#[test]
fn a_line_that_is_too_long_to_be_typed_is_refused_and_the_reader_waits_on() {
    let mut rules = Rules::reading();
    let actions = rules.call(&"x".repeat(4096));
    assert!(matches!(&actions[0], Action::Notice(line) if line.contains("4096")), "{actions:?}");
    assert_eq!(actions[1..], [reply(2, reads(5))]);
    assert_eq!(rules.call("x"), [typed("x\n")]);
}

#[test]
fn discarded_input_is_told_before_the_reply() {
    let mut rules = Rules::running();
    rules.says(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Ok });
    let actions = rules.says(ToServer::Ready { mark: 2, discarded_bytes: 1 });
    assert_eq!(actions[0], Action::Notice("[repl] 1 byte of unread input discarded".into()));
    assert_eq!(actions.last(), Some(&reply(1, idle(Some(Outcome::Ok)))));
}
