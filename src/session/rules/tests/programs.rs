//! A program that the session runs in place of a worker.

use super::*;
use crate::reply::Refusal;

/// A session that runs a `cat`, with nobody waiting for a reply.
fn started() -> Rules {
    let mut rules = Rules::starting();
    assert_eq!(rules.step(Event::ProgramStarted), []);
    rules
}

/// The program is found reading the terminal.
fn asks(rules: &mut Rules, wakes: u64) -> Vec<Action> {
    let mut actions = rules.step(Event::Look(Some(reader(wakes))));
    actions.extend(rules.step(Event::Look(Some(reader(wakes)))));
    actions
}

#[test]
fn what_is_sent_is_typed_for_the_program() {
    let mut rules = started();
    assert_eq!(rules.call(""), []);
    assert_eq!(asks(&mut rules, 5), [reply(1, reads())]);
    assert_eq!(rules.call("a line"), [typed("a line\n")]);
    assert_eq!(asks(&mut rules, 6), [reply(2, reads())]);
    assert_eq!(rules.keys("Up"), [type_keys("Up"), reply(3, reads())]);
    // The terminal, and not a sideband, is where it is interrupted.
    assert_eq!(rules.call("\u{3}"), [interrupt(false)]);
    assert_eq!(rules.step(Event::InterruptTyped), []);
    assert_eq!(asks(&mut rules, 7), [reply(4, reads())]);
}

#[test]
fn the_first_text_waits_until_the_program_asks() {
    let mut rules = started();
    assert_eq!(rules.call("early"), []);
    assert_eq!(asks(&mut rules, 5), [typed("early\n")]);
    assert_eq!(asks(&mut rules, 6), [reply(1, reads())]);
}

#[test]
fn a_text_is_refused_once_its_client_knows_that_the_program_is_busy() {
    let mut rules = started();
    assert_eq!(rules.call("early"), []);
    assert_eq!(rules.tick(PATIENCE), [reply(1, busy(PATIENCE.as_secs(), true))]);
    assert_eq!(rules.call("again"), [reply(2, busy(PATIENCE.as_secs(), true))]);
    // Keys are typed whatever it does.
    assert_eq!(rules.keys("C-d"), [type_keys("C-d")]);
}

#[test]
fn the_program_is_everybodys() {
    let mut rules = started();
    let other = CLIENT + 1;
    assert_eq!(rules.send(other, Payload::poll(), None), []);
    let theirs = Action::Reply { call: 1, client: other, status: reads(), has_text: true };
    assert_eq!(asks(&mut rules, 5), [theirs]);
    assert_eq!(rules.call("mine"), [typed("mine\n")]);
}

#[test]
fn its_end_is_the_end_of_the_session() {
    let mut rules = started();
    assert_eq!(rules.call(""), []);
    let exit = Exit::Status(3);
    let end = [ended(exit.clone()), Action::Retire, reply(1, Status::Ended { exit })];
    assert_eq!(rules.step(exited(Exit::Status(3))), end);
    // The next text runs it again, and is typed when that asks.
    assert_eq!(rules.call("a line"), [Action::Start]);
    assert_eq!(rules.step(Event::ProgramStarted), [told(Notice::SessionStarted)]);
    assert_eq!(asks(&mut rules, 5), [typed("a line\n")]);
}

#[test]
fn a_program_that_never_asks_is_not_run_again_for_what_was_to_be_typed() {
    let mut rules = started();
    assert_eq!(rules.call("a line"), []);
    let exit = Exit::Status(0);
    let refused = told_caller(Notice::Refused(Refusal::ProgramEnded));
    assert_eq!(
        rules.step(exited(exit.clone())),
        [ended(exit.clone()), Action::Retire, refused, reply(1, Status::Ended { exit })]
    );
}

#[test]
fn a_fresh_program_is_waited_for() {
    let mut rules = started();
    let end = [Action::Send(ToWorker::Shutdown), Action::HangUp];
    assert_eq!(rules.call("\u{4}"), end);
    let hung_up = Exit::Signal("SIGHUP".into());
    let actions = rules.step(exited(hung_up.clone()));
    assert_eq!(actions, [ended(hung_up), Action::Retire, Action::Start]);
    assert_eq!(rules.step(Event::ProgramStarted), [told(Notice::SessionStarted)]);
    // One that ends at once is run once.
    let exit = Exit::Status(0);
    let end = [ended(exit.clone()), Action::Retire, reply(1, Status::Ended { exit })];
    assert_eq!(rules.step(exited(Exit::Status(0))), end);
}

#[test]
fn what_waits_for_a_fresh_program_is_no_cell_of_it() {
    let mut rules = started();
    rules.call("\u{4}a line");
    // A worker would run it once it is ready.
    assert_eq!(rules.tick(END_GRACE), [Action::Kill]);
    let late = rules.tick(PATIENCE);
    assert!(late.contains(&reply(1, busy(0, true))), "{late:?}");
}

#[test]
fn a_secret_that_it_asks_for_is_a_persons() {
    let mut rules = started();
    rules.step(Event::Introduced { client: CLIENT, is_person: false, is_reachable: true });
    assert_eq!(rules.call(""), []);
    let mut secret = reader(5);
    secret.modes.echo = false;
    rules.step(Event::Look(Some(secret.clone())));
    rules.step(Event::Look(Some(secret)));
    assert!(rules.session.need_of(CLIENT).is_some());
}
