//! Rules of how a session ends and starts anew.

use std::time::Duration;

use mcp_repl_sideband::{Outcome, ToServer, ToWorker};

use super::{
    state::{EndStep, State},
    *,
};

#[test]
fn a_payload_after_the_end_starts_a_session() {
    let mut rules = Rules::ready();
    let actions = rules.step(exited(Exit::Status(3)));
    assert_eq!(actions, [ended(Exit::Status(3)), Action::Retire]);
    assert_eq!(rules.call(""), [reply(1, Status::Ended { exit: Exit::Status(3) })]);
    assert_eq!(rules.call("1 + 1"), [Action::Start]);
    let started = told(Notice::SessionStarted);
    assert_eq!(rules.is_ready(1), [vec![started, Action::ResetScreen], run(1, "1 + 1")].concat());
}

#[test]
fn input_that_crosses_the_end_is_told_as_not_taken() {
    let mut rules = Rules::running();
    let exit = Exit::Signal("SIGKILL".into());
    let told = told(Notice::SessionEnded { exit: exit.clone(), missed_input: true });
    assert_eq!(
        rules.step(Event::Exited { exit: exit.clone(), missed_input: true }),
        [told, Action::Retire, reply(1, Status::Ended { exit })]
    );
}

#[test]
fn a_reset_of_an_idle_session_runs_the_rest_in_a_fresh_one() {
    let mut rules = Rules::ready();
    assert_eq!(rules.call("\u{4}6 * 7"), [Action::Send(ToWorker::Shutdown)]);
    let ended = ended(Exit::Status(0));
    assert_eq!(rules.step(exited(Exit::Status(0))), [ended, Action::Retire, Action::Start]);
    let started = told(Notice::SessionStarted);
    assert_eq!(rules.is_ready(1), [vec![started, Action::ResetScreen], run(1, "6 * 7")].concat());
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
    let ended = ended(exit.clone());
    assert_eq!(
        rules.step(exited(exit.clone())),
        [ended, Action::Retire, reply_without_text(1, Status::Ended { exit }), Action::Start]
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
    assert_eq!(rules.is_ready(1).last(), Some(&reply(2, idle(None))));
}

#[test]
fn a_program_that_exits_by_itself_has_time_for_its_handlers() {
    let mut rules = Rules::running();
    assert_eq!(rules.says(ToServer::Exiting { status: 0 }), []);
    assert_eq!(rules.tick(END_GRACE), []);
    assert_eq!(rules.tick(EXIT_GRACE - END_GRACE), [Action::Kill]);
}

#[test]
fn a_worker_that_breaks_the_protocol_fails_every_call() {
    let mut rules = Rules::running();
    rules.call("");
    let failure = Failure::Protocol("why".into());
    let failed = || Status::Failed { failure: failure.clone() };
    assert_eq!(
        rules.step(Event::Failed(failure.clone())),
        [Action::Kill, Action::Retire, reply_without_text(1, failed()), reply(2, failed())]
    );
    assert_eq!(rules.call("1 + 1"), [Action::Start]);
}
