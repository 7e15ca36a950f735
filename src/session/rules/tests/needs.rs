//! Rules of what a person is needed for.

use super::{
    need::Why,
    people::{WOLF, attach, told_of},
    *,
};

/// A client that can say how a person comes, and a person.
fn reachable(mut rules: Rules) -> Rules {
    let event = Event::Introduced { client: CLIENT, is_person: false, is_reachable: true };
    assert_eq!(rules.step(event), []);
    attach(&mut rules, WOLF);
    rules
}

pub(super) fn secret_wait(number: u64) -> ToServer {
    let ToServer::InputWait { mark, reader, prompt, .. } = wait(number) else { panic!() };
    ToServer::InputWait { mark, wait: number, reader, prompt, echo: false }
}

/// One whose cell asks for a secret by a read of the program's own; its call has its reply.
fn asking() -> Rules {
    let mut rules = reachable(Rules::running());
    assert_eq!(rules.says(secret_wait(1)), [reply(1, secret())]);
    rules
}

fn secret() -> Status {
    Status::Waiting { echo: false }
}

fn hidden(wakes: u64) -> Event {
    let mut hidden = reader(wakes);
    hidden.modes.echo = false;
    Event::Look(Some(hidden))
}

/// One in which a program asks for a secret, by reading the terminal itself.
fn program_asking() -> Rules {
    let mut rules = reachable(Rules::running());
    rules.step(hidden(5));
    assert_eq!(rules.step(hidden(5)).len(), 1);
    rules
}

fn types(rules: &mut Rules, text: &str) -> Vec<Action> {
    rules.step(Event::Keystrokes { client: WOLF, bytes: text.into(), background: None })
}

/// What a person is needed for.
fn need(rules: &Rules) -> Option<Why> {
    rules.session.need_of(CLIENT).map(|need| need.why.clone())
}

/// A call that asks for a person.
fn ask(rules: &mut Rules, input: &str) -> Vec<Action> {
    rules.calls += 1;
    let payload = Payload::parse(input, Vec::new()).unwrap();
    let deadline = rules.now + PATIENCE;
    rules.step(Event::Call {
        id: rules.calls,
        client: CLIENT,
        payload,
        deadline,
        told: 0,
        background: None,
        person: Some("log in".into()),
    })
}

fn answered() -> Action {
    told_of(PersonDid::Answered)
}

fn gave_back() -> Action {
    told_of(PersonDid::GaveBack { left: false })
}

fn give_back(rules: &mut Rules) -> Vec<Action> {
    rules.step(Event::Person { client: WOLF, act: PersonAct::Hold { on: false } })
}

#[test]
fn a_poll_waits_while_a_secret_is_asked_for_and_then_for_what_runs() {
    let mut rules = asking();
    assert_eq!(need(&rules), Some(Why::Secret { program: None }));
    assert_eq!(rules.call(""), []);
    assert_eq!(types(&mut rules, "pass\r"), [typed("pass\r")]);
    assert_eq!(rules.says(taken(1)), [answered()]);
    assert_eq!(need(&rules), None);
    assert_eq!(rules.done(1), [reply(2, idle(Some(Outcome::Ok)))]);
    assert_eq!(rules.deeds.len(), 1);
}

#[test]
fn a_poll_whose_time_is_up_says_how_things_stand_and_the_next_one_waits_on() {
    for mut rules in [asking(), program_asking()] {
        for _ in 0..2 {
            assert_eq!(rules.call(""), []);
            let replies = rules.tick(PATIENCE);
            let [Action::Reply { status, .. }] = &replies[..] else { panic!("{replies:?}") };
            assert!(status.asks_for_input(), "{status:?}");
        }
        assert!(need(&rules).is_some());
        assert_eq!(rules.call(""), []);
        rules.step(Event::Cancel { id: rules.calls, interrupt: false });
        assert_eq!(give_back(&mut rules), [gave_back()]);
    }
}

#[test]
fn a_program_of_its_own_that_asks_for_a_secret_is_told_by_name() {
    let mut rules = program_asking();
    assert_eq!(need(&rules), Some(Why::Secret { program: Some("cat".into()) }));
    assert_eq!(rules.call(""), []);
    // Half of it is no answer.
    assert_eq!(types(&mut rules, "pa"), [typed("pa")]);
    assert_eq!(types(&mut rules, "ss\r"), [typed("ss\r"), answered()]);
    // It was the wrong one.
    assert_eq!(rules.step(hidden(6)), []);
    assert_eq!(rules.step(hidden(6)).len(), 1);
    assert!(need(&rules).is_some());
}

#[test]
fn a_program_that_asks_no_more_though_nobody_typed_is_not_waited_for() {
    let mut rules = program_asking();
    assert!(!rules.session.wants_look());
    assert_eq!(rules.call(""), []);
    assert!(rules.session.wants_look());
    assert_eq!(rules.step(hidden(5)), []);
    assert!(need(&rules).is_some());
    assert_eq!(rules.step(Event::Look(None)), []);
    assert_eq!(need(&rules), None);
    assert_eq!(rules.done(1), [reply(2, idle(Some(Outcome::Ok)))]);
}

#[test]
fn the_agent_may_answer_and_others_polls_return_at_once() {
    let mut rules = asking();
    let others = rules.send(2, Payload::poll(), None);
    assert_eq!(others.len(), 1);
    assert_eq!(rules.call("secret"), [stdin("secret\n")]);
    assert_eq!(need(&rules), None);
    // Nor is anybody needed for a person's cell, or where none can come.
    let mut rules = Rules::running();
    assert_eq!(rules.says(secret_wait(1)), [reply(1, secret())]);
    assert_eq!(need(&rules), None);
    assert_eq!(rules.call(""), [reply(2, secret())]);
    let mut rules = reachable(Rules::ready());
    rules.send(WOLF, Payload::Text("getpass()".into()), None);
    rules.says(secret_wait(1));
    assert_eq!(rules.session.needs(), []);
}

#[test]
fn one_who_gives_it_back_leaves_the_secret_to_the_agent() {
    let mut rules = asking();
    assert_eq!(rules.call(""), []);
    assert_eq!(give_back(&mut rules), [gave_back(), reply(2, secret())]);
    assert_eq!(need(&rules), None);
    assert_eq!(rules.call(""), [reply(3, secret())]);
    // The next one is another one.
    assert_eq!(rules.call("a"), [stdin("a\n")]);
    rules.says(taken(1));
    rules.says(secret_wait(2));
    assert!(need(&rules).is_some());
}

#[test]
fn an_agent_asks_for_a_person_with_its_reply_and_polls_until_one_gives_back() {
    let mut rules = reachable(Rules::ready());
    assert_eq!(ask(&mut rules, ""), [reply(1, idle(None))]);
    assert_eq!(need(&rules), Some(Why::Asked("log in".into())));
    assert_eq!(rules.call(""), []);
    let wolfs = rules.send(WOLF, Payload::Text("x".into()), None);
    assert_eq!(wolfs, run(1, "x"));
    assert_eq!(rules.done(1).len(), 1);
    let status = idle(Some(Outcome::Ok));
    assert_eq!(give_back(&mut rules), [gave_back(), reply(2, status)]);
    // Having taken it over before is told once.
    ask(&mut rules, "");
    rules.step(Event::Person { client: WOLF, act: PersonAct::Hold { on: true } });
    assert_eq!(give_back(&mut rules), [gave_back()]);
    assert_eq!(need(&rules), None);
}

#[test]
fn a_poll_of_a_cell_that_runs_waits_for_its_end_though_a_person_is_asked_for() {
    let mut rules = reachable(Rules::ready());
    assert_eq!(ask(&mut rules, ""), [reply(1, idle(None))]);
    assert_eq!(rules.call("cell"), run(1, "cell"));
    assert_eq!(rules.tick(PATIENCE), [reply(2, busy(40, false))]);
    assert_eq!(rules.call(""), []);
    assert_eq!(rules.done(1), [reply(3, idle(Some(Outcome::Ok)))]);
    assert!(need(&rules).is_some());
    // That of a person is not.
    rules.send(WOLF, Payload::Text("theirs".into()), None);
    assert_eq!(rules.call(""), []);
    assert_eq!(rules.done(2).len(), 1);
    assert_eq!(give_back(&mut rules), [gave_back(), reply(5, idle(Some(Outcome::Ok)))]);
}

#[test]
fn what_comes_with_the_question_goes_first() {
    let mut rules = reachable(Rules::ready());
    assert_eq!(ask(&mut rules, "cell"), run(1, "cell"));
    assert_eq!(need(&rules), None);
    assert_eq!(rules.says(wait(1)), [reply(1, waiting())]);
    assert_eq!(need(&rules), Some(Why::Asked("log in".into())));
    // It is over with the answer.
    assert_eq!(rules.call(""), []);
    types(&mut rules, "name\r");
    assert_eq!(rules.says(taken(1)), [answered()]);
    assert_eq!(rules.done(1), [reply(2, idle(Some(Outcome::Ok)))]);
}

#[test]
fn a_person_asked_for_in_a_cell_has_done_it_when_that_is_over() {
    let mut rules = reachable(Rules::reading());
    // It reads the terminal, perhaps line after line.
    assert_eq!(ask(&mut rules, ""), []);
    rules.step(Event::Look(Some(reader(5))));
    rules.step(Event::Look(Some(reader(5))));
    assert!(need(&rules).is_some());
    assert_eq!(rules.call(""), []);
    types(&mut rules, "ls\r");
    rules.step(Event::Look(Some(reader(6))));
    assert_eq!(rules.step(Event::Look(Some(reader(6)))), []);
    let done = rules.done(1);
    assert_eq!(done, [answered(), reply(3, idle(Some(Outcome::Ok)))]);
}

#[test]
fn one_who_can_not_come_is_not_waited_for() {
    let mut rules = Rules::ready();
    let told = Action::TellOf { to: CLIENT, by: CLIENT, news: PersonDid::Unreachable };
    assert_eq!(ask(&mut rules, ""), [told, reply(1, idle(None))]);
    assert_eq!(rules.call(""), [reply(2, idle(None))]);
}
