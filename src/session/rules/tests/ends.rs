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
    let said = told(Notice::SessionFailed { failure: failure.clone() });
    assert_eq!(
        rules.step(Event::Failed(failure.clone())),
        [Action::Kill, Action::Retire, said, reply_without_text(1, failed()), reply(2, failed()),]
    );
    assert_eq!(rules.call("1 + 1"), [Action::Start]);
}

#[test]
fn a_session_that_fails_while_nobody_waits_says_why_at_the_next_call() {
    let mut rules = Rules::ready();
    let failure = Failure::Protocol("why".into());
    assert_eq!(
        rules.step(Event::Failed(failure.clone())),
        [Action::Kill, Action::Retire, told(Notice::SessionFailed { failure: failure.clone() })]
    );
    assert_eq!(rules.call(""), [reply(1, Status::Failed { failure })]);
    assert_eq!(rules.call(""), [reply(2, Status::Ended { exit: Exit::Unknown })]);
    assert_eq!(rules.call("1 + 1"), [Action::Start]);
}

/// A cell whose caller gave up while the session started; its call has number 1.
fn kept() -> Rules {
    let mut rules = Rules::starting();
    assert_eq!(rules.call("6 * 7"), []);
    assert_eq!(rules.tick(PATIENCE), [reply(1, busy(40, false))]);
    rules
}

#[test]
fn a_cell_whose_caller_gave_up_while_the_session_started_is_run_when_it_is_up() {
    let mut rules = kept();
    assert_eq!(rules.call(""), []);
    assert_eq!(rules.is_ready(1), [vec![Action::ResetScreen], run(1, "6 * 7")].concat());
    assert_eq!(rules.done(1), [reply(2, idle(Some(Outcome::Ok)))]);
}

#[test]
fn what_comes_behind_a_cell_that_is_kept_is_not_run_before_it() {
    let mut rules = kept();
    assert_eq!(rules.call("late"), []);
    assert_eq!(rules.tick(PATIENCE), [reply(2, busy(80, true))]);
    assert_eq!(rules.call("in time"), []);
    assert_eq!(rules.is_ready(1), [vec![Action::ResetScreen], run(1, "6 * 7")].concat());
    assert_eq!(rules.done(1)[..], run(2, "in time")[1..]);
    assert_eq!(rules.done(2), [reply(3, idle(Some(Outcome::Ok)))]);
}

#[test]
fn a_cell_that_is_kept_comes_behind_one_whose_caller_waits() {
    let mut rules = Rules::starting();
    assert_eq!(rules.call("first"), []);
    rules.now += Duration::from_secs(1);
    rules.calls += 1;
    let event = Event::Call {
        id: 2,
        client: CLIENT,
        payload: Payload::Text("second".into()),
        deadline: rules.now,
        told: 0,
        background: None,
        person: None,
    };
    assert_eq!(rules.step(event), []);
    assert_eq!(rules.step(Event::Tick), [reply(2, busy(1, true))]);
    assert_eq!(rules.is_ready(1), [vec![Action::ResetScreen], run(1, "first")].concat());
}

#[test]
fn a_cell_behind_a_reset_is_run_though_its_caller_gave_up() {
    let mut rules = Rules::running();
    rules.call("\u{4}6 * 7");
    rules.tick(END_GRACE);
    let late = rules.tick(PATIENCE);
    assert!(late.ends_with(&[Action::Start, reply(2, busy(0, false))]), "{late:?}");
    let ready = rules.is_ready(1);
    assert!(ready.ends_with(&run(1, "6 * 7")), "{ready:?}");
}

#[test]
fn an_interrupt_a_reset_and_a_failure_strike_a_cell_that_is_kept() {
    let mut rules = kept();
    let struck = told_caller(Notice::InterruptedBeforeRun);
    assert_eq!(rules.call("\u{3}"), [struck, typed("\u{3}")]);
    assert_eq!(rules.is_ready(1), [Action::ResetScreen, reply(2, idle(None))]);

    let mut rules = kept();
    assert_eq!(rules.call("\u{4}")[0], told_caller(Notice::InterruptedBeforeRun));
    rules.step(exited(Exit::Status(0)));
    assert_eq!(*rules.is_ready(1).last().unwrap(), reply(2, idle(None)));

    let mut rules = kept();
    let exit = Exit::Status(1);
    let failure = Failure::EndedAtStart { exit: exit.clone() };
    rules.step(exited(exit));
    assert_eq!(
        rules.step(Event::Failed(failure.clone())),
        [
            Action::Kill,
            Action::Retire,
            told(Notice::SessionFailed { failure }),
            told_caller(Notice::NotRun),
        ]
    );
    assert_eq!(rules.call("1 + 1"), [Action::Start]);
}

#[test]
fn the_end_for_good_starts_nothing_for_a_cell_that_is_kept() {
    let mut rules = kept();
    rules.step(Event::Shutdown);
    assert!(!rules.step(exited(Exit::Status(0))).contains(&Action::Start));
    assert!(rules.session.is_closed());
}

#[test]
fn a_worker_that_ends_before_it_is_ready_is_followed_by_the_next_program() {
    let mut rules = Rules::starting();
    assert_eq!(rules.call("6 * 7"), []);
    let exit = Exit::Status(1);
    let next = Action::StartNext { exit: exit.clone() };
    assert_eq!(rules.step(exited(exit)), [Action::Retire, next.clone()]);
    // The call goes on waiting, and is run by that one.
    assert_eq!(rules.is_ready(1), [vec![Action::ResetScreen], run(1, "6 * 7")].concat());
}

#[test]
fn without_another_program_the_calls_learn_why() {
    let mut rules = Rules::starting();
    rules.call("6 * 7");
    rules.step(exited(Exit::Status(1)));
    let failure = Failure::EndedAtStart { exit: Exit::Status(1) };
    let failed = reply(1, Status::Failed { failure: failure.clone() });
    let news = told(Notice::SessionFailed { failure: failure.clone() });
    let actions = rules.step(Event::Failed(failure));
    assert_eq!(actions, [Action::Kill, Action::Retire, news, failed]);
}
