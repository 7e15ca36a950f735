//! Rules of people: one takes the session over and gives it back, one decides on cells.

use super::{
    hands::{Decision, PersonAct},
    *,
};
use crate::reply::{Failure, Refusal};
use crate::session::rules::people::Waits;

/// A person.
pub(super) const WOLF: ClientId = 7;
/// Another one.
const ANNA: ClientId = 8;
/// Another agent than the one that makes the calls.
const OTHER: ClientId = 2;

/// A person attaches.
pub(super) fn attach(rules: &mut Rules, client: ClientId) {
    let event = Event::Introduced { client, is_person: true, is_reachable: false };
    assert_eq!(rules.step(event), []);
}

fn hold(on: bool) -> Event {
    Event::Person { client: WOLF, act: PersonAct::Hold { on } }
}

fn text(text: &str) -> Payload {
    Payload::Text(text.into())
}

pub(super) fn told_of(news: PersonDid) -> Action {
    Action::TellOf { to: CLIENT, by: WOLF, news }
}

fn gave_back() -> Action {
    told_of(PersonDid::GaveBack { left: false })
}

fn ok() -> Status {
    idle(Some(Outcome::Ok))
}

/// One that a person has taken over from this.
fn held(mut rules: Rules) -> Rules {
    attach(&mut rules, WOLF);
    assert_eq!(rules.step(hold(true)), []);
    rules
}

/// One with a person who decides on cells.
fn approving(mut rules: Rules) -> Rules {
    attach(&mut rules, WOLF);
    assert_eq!(
        rules.step(Event::Person { client: WOLF, act: PersonAct::Approve { on: true } }),
        []
    );
    rules
}

fn proposals(rules: &Rules) -> Vec<(u64, ClientId, &str)> {
    rules.session.proposals().collect()
}

fn decide(rules: &mut Rules, proposal: u64, decision: Decision) -> Vec<Action> {
    rules.step(Event::Person { client: WOLF, act: PersonAct::Decide { proposal, decision } })
}

fn nothing_ran() -> Status {
    Status::Failed { failure: Failure::Refused }
}

#[test]
fn cells_wait_while_somebody_has_the_session_and_run_once_it_is_given_back() {
    let mut rules = held(Rules::ready());
    assert_eq!(rules.call("mine"), []);
    assert_eq!(rules.send(OTHER, text("theirs"), None), []);
    // People's do not.
    assert_eq!(rules.send(WOLF, text("wolfs"), None), run(1, "wolfs"));
    let done = Action::Reply { call: 3, client: WOLF, status: ok(), has_text: true };
    assert_eq!(rules.done(1), [done]);
    let other_told =
        Action::TellOf { to: OTHER, by: WOLF, news: PersonDid::GaveBack { left: false } };
    let given_back = rules.step(hold(false));
    assert_eq!(given_back, [vec![gave_back(), other_told], run(2, "mine")].concat());
    assert_eq!(rules.done(2).len(), 2);
    let theirs = Action::Reply { call: 2, client: OTHER, status: ok(), has_text: true };
    assert_eq!(rules.done(3), [theirs]);
    let sources = rules.deeds.iter().map(|(client, deed)| (*client, deed.words().1));
    let sources: Vec<_> = sources.collect();
    assert_eq!(sources, [(WOLF, "wolfs"), (CLIENT, "mine"), (OTHER, "theirs")]);
}

#[test]
fn a_cell_whose_calls_time_is_up_runs_once_and_a_poll_waits_for_it() {
    let mut rules = held(Rules::ready());
    assert_eq!(rules.call("mine"), []);
    assert_eq!(rules.tick(PATIENCE), [reply(1, idle(None))]);
    assert_eq!(rules.session.waits(CLIENT), Some(Waits::Held));
    assert_eq!(rules.call(""), []);
    assert_eq!(rules.tick(PATIENCE), [reply(2, idle(None))]);
    assert_eq!(rules.call(""), []);
    assert_eq!(rules.step(hold(false)), [vec![gave_back()], run(1, "mine")].concat());
    assert_eq!(rules.done(1), [reply(3, ok())]);
    assert_eq!(rules.session.waits(CLIENT), None);
    assert_eq!(rules.call(""), [reply(4, ok())]);
}

#[test]
fn a_cell_that_nobody_polls_for_runs_too_before_what_comes_behind_it() {
    let mut rules = held(Rules::ready());
    rules.call("first");
    rules.tick(PATIENCE);
    assert_eq!(rules.call("second"), []);
    assert_eq!(rules.step(hold(false)), [vec![gave_back()], run(1, "first")].concat());
    assert_eq!(rules.done(1), [Action::Send(ToWorker::Cell { id: 2, source: "second".into() })]);
    assert_eq!(rules.done(2), [reply(2, ok())]);
}

#[test]
fn what_runs_when_somebody_takes_over_goes_on_and_the_next_cell_waits() {
    let mut rules = held(Rules::running());
    // Its client may see how it goes.
    assert_eq!(rules.done(1), [reply(1, ok())]);
    assert_eq!(rules.call("next"), []);
    let mut rules_with_line = Rules::running();
    rules_with_line.send(OTHER, text("theirs"), None);
    let mut rules_with_line = held(rules_with_line);
    assert_eq!(rules_with_line.done(1), [reply(1, ok())]);
    for (rules, source) in [(&mut rules, "next"), (&mut rules_with_line, "theirs")] {
        let given_back = rules.step(hold(false));
        assert_eq!(given_back[given_back.len() - 2..], run(2, source));
    }
}

#[test]
fn an_answer_waits_and_goes_to_what_it_was_meant_for_or_nowhere() {
    // Nobody touched it.
    let mut rules = held(Rules::waiting());
    assert_eq!(rules.call("answer"), []);
    assert_eq!(rules.step(hold(false)), [gave_back(), stdin("answer\n")]);
    // The person answered, and the program is over, or asks something else.
    let keystrokes =
        |bytes: &[u8]| Event::Keystrokes { client: WOLF, bytes: bytes.into(), background: None };
    let refused = told_caller(Notice::Refused(Refusal::OtherHands));
    for asks_again in [false, true] {
        let mut rules = held(Rules::waiting());
        assert_eq!(rules.call("import os"), []);
        rules.step(keystrokes(b"wolfs\r"));
        rules.says(taken(1));
        let status = match asks_again {
            true => {
                rules.says(wait(2));
                waiting()
            }
            false => {
                rules.done(1);
                ok()
            }
        };
        assert_eq!(rules.step(hold(false)), [gave_back(), refused.clone(), reply(2, status)]);
    }
}

#[test]
fn what_is_no_cell_and_waits_too_long_is_said_not_to_be_sent() {
    let mut rules = held(Rules::waiting());
    let not_sent = told_of(PersonDid::NotSent);
    for payload in [text("answer"), Payload::Keys(keys("C-d"))] {
        assert_eq!(rules.send(CLIENT, payload, None), []);
        let call = rules.calls;
        assert_eq!(rules.tick(PATIENCE), [not_sent.clone(), reply(call, waiting())]);
    }
    assert_eq!(rules.step(hold(false)), [gave_back()]);
    assert_eq!(rules.call("answer"), [stdin("answer\n")]);
}

#[test]
fn an_interrupt_waits_and_strikes_what_it_was_meant_for() {
    let stop = |rest: &str| Payload::Interrupt(text(rest).into());
    let mut rules = held(Rules::running());
    assert_eq!(rules.send(CLIENT, stop(""), None), []);
    assert_eq!(rules.step(hold(false)), [gave_back(), interrupt(false)]);
    let mut rules = held(Rules::running());
    assert_eq!(rules.send(CLIENT, stop("x"), None), []);
    rules.done(1);
    rules.send(WOLF, text("wolfs"), None);
    let refused = told_caller(Notice::Refused(Refusal::OtherHands));
    assert_eq!(rules.step(hold(false)), [gave_back(), refused, reply(2, busy(0, false))]);
    // What waits is taken back by it.
    let mut rules = held(Rules::ready());
    rules.call("cell");
    let taken_back = told_caller(Notice::InterruptedBeforeRun);
    let replies = rules.send(CLIENT, stop(""), None);
    assert_eq!(replies, [taken_back, reply_without_text(1, idle(None)), reply(2, idle(None))]);
    assert_eq!(rules.step(hold(false)), [gave_back()]);
}

#[test]
fn a_poll_waits_for_the_session_to_be_given_back_once_its_client_knows() {
    let mut rules = held(Rules::ready());
    assert_eq!(rules.call(""), [reply(1, idle(None))]);
    assert_eq!(rules.call(""), []);
    assert_eq!(rules.step(hold(false)), [gave_back(), reply(2, idle(None))]);
}

#[test]
fn a_call_that_is_cancelled_and_a_client_that_goes_run_nothing() {
    let mut rules = held(Rules::ready());
    rules.call("mine");
    rules.send(OTHER, text("theirs"), None);
    let cancelled = Event::Cancel { id: 1, interrupt: true };
    assert_eq!(rules.step(cancelled), [told_caller(Notice::CancelledBeforeRun)]);
    rules.step(Event::Cancel { id: 2, interrupt: false });
    rules.send(OTHER, text("theirs"), None);
    rules.tick(PATIENCE);
    rules.step(Event::Left { client: OTHER });
    assert_eq!(rules.step(hold(false)), []);
    assert_eq!(rules.deeds, []);
}

#[test]
fn one_who_goes_lets_go_and_one_who_takes_over_from_another_has_it() {
    let mut rules = held(Rules::ready());
    rules.call("mine");
    attach(&mut rules, ANNA);
    rules.step(Event::Person { client: ANNA, act: PersonAct::Hold { on: true } });
    // It is not theirs any more.
    assert_eq!(rules.step(hold(false)), []);
    assert_eq!(rules.step(Event::Left { client: WOLF }), []);
    let left = Action::TellOf { to: CLIENT, by: ANNA, news: PersonDid::GaveBack { left: true } };
    assert_eq!(
        rules.step(Event::Introduced { client: ANNA, is_person: false, is_reachable: false }),
        [vec![left], run(1, "mine")].concat()
    );
}

#[test]
fn the_end_of_a_session_that_somebody_has_starts_none_for_what_waits() {
    let mut rules = held(Rules::ready());
    rules.call("mine");
    let exit = Exit::Status(0);
    assert_eq!(rules.step(exited(exit.clone())), [ended(exit), Action::Retire]);
    assert_eq!(rules.step(hold(false)), [gave_back(), Action::Start]);
    let ready = rules.says(super::ready(1));
    assert_eq!(ready[ready.len() - 2..], run(1, "mine"));
    // Also when its call was answered; and one that ends for good answers all.
    let mut rules = held(Rules::ready());
    rules.call("mine");
    rules.tick(PATIENCE);
    rules.step(exited(Exit::Status(0)));
    assert_eq!(rules.step(hold(false)), [gave_back(), Action::Start]);
    let mut rules = held(Rules::ready());
    rules.call("mine");
    rules.step(Event::Shutdown);
    let replies = rules.step(exited(Exit::Status(0)));
    assert_eq!(replies.last(), Some(&reply(1, Status::Ended { exit: Exit::Status(0) })));
}

#[test]
fn a_cell_runs_when_it_was_approved_of() {
    let mut rules = approving(Rules::ready());
    assert_eq!(rules.call("mine"), []);
    assert_eq!(proposals(&rules), [(1, CLIENT, "mine")]);
    // Only the one who approves decides.
    attach(&mut rules, ANNA);
    let annas = Event::Person {
        client: ANNA,
        act: PersonAct::Decide { proposal: 1, decision: Decision::Run },
    };
    assert_eq!(rules.step(annas), []);
    assert_eq!(decide(&mut rules, 1, Decision::Run), run(1, "mine"));
    assert_eq!(proposals(&rules), []);
    assert_eq!(rules.done(1), [reply(1, ok())]);
    assert_eq!(decide(&mut rules, 1, Decision::Run), []);
    // People run what they like.
    assert_eq!(rules.send(ANNA, text("annas"), None), run(2, "annas"));
}

#[test]
fn a_cell_may_be_changed_or_refused() {
    let mut rules = approving(Rules::ready());
    rules.call("mine");
    let edited = told_of(PersonDid::Edited("ours".into()));
    let decided = decide(&mut rules, 1, Decision::Edited("ours".into()));
    assert_eq!(decided, [vec![edited], run(1, "ours")].concat());
    rules.done(1);
    rules.call("other");
    let refused = told_of(PersonDid::Refused("not now".into()));
    let decided = decide(&mut rules, 2, Decision::Refused("not now".into()));
    assert_eq!(decided, [refused, reply(2, nothing_ran())]);
    // What is the same was not changed.
    rules.call("same");
    assert_eq!(decide(&mut rules, 3, Decision::Edited("same".into())), run(2, "same"));
    rules.done(2);
    // Nothing is left of it.
    rules.call("more");
    let refused = told_of(PersonDid::Refused(String::new()));
    let decided = decide(&mut rules, 4, Decision::Edited(" \n".into()));
    assert_eq!(decided, [refused, reply(4, nothing_ran())]);
    assert_eq!(rules.deeds.len(), 2);
}

#[test]
fn proposals_of_several_agents_wait_each_for_its_decision() {
    let mut rules = approving(Rules::ready());
    rules.call("one");
    rules.call("two");
    rules.send(OTHER, text("theirs"), None);
    assert_eq!(proposals(&rules), [(1, CLIENT, "one"), (2, CLIENT, "two"), (3, OTHER, "theirs")]);
    // A client's own run in their order.
    assert_eq!(decide(&mut rules, 2, Decision::Run), []);
    assert_eq!(decide(&mut rules, 3, Decision::Run), run(1, "theirs"));
    assert_eq!(decide(&mut rules, 1, Decision::Run), []);
    let runs = |id, source: &str| Action::Send(ToWorker::Cell { id, source: source.into() });
    assert_eq!(rules.done(1).last(), Some(&runs(2, "one")));
    assert_eq!(rules.done(2), [reply(1, ok()), runs(3, "two")]);
    assert_eq!(rules.done(3), [reply(2, ok())]);
}

#[test]
fn an_undecided_cell_waits_beyond_its_calls_time_and_a_poll_waits_for_it() {
    let mut rules = approving(Rules::ready());
    rules.call("mine");
    assert_eq!(rules.tick(PATIENCE), [reply(1, idle(None))]);
    assert_eq!(rules.session.waits(CLIENT), Some(Waits::Proposed));
    assert_eq!(rules.call(""), []);
    assert_eq!(decide(&mut rules, 1, Decision::Run), run(1, "mine"));
    assert_eq!(rules.done(1), [reply(2, ok())]);
    // Nobody polls for it: it runs, or its refusal is told next.
    for decision in [Decision::Run, Decision::Refused("no".into())] {
        let mut rules = approving(Rules::ready());
        rules.call("mine");
        rules.tick(PATIENCE);
        let expected = match decision {
            Decision::Run => run(1, "mine"),
            _ => vec![told_of(PersonDid::Refused("no".into()))],
        };
        assert_eq!(decide(&mut rules, 1, decision), expected);
    }
}

#[test]
fn a_proposal_is_withdrawn_by_a_cancel_an_interrupt_and_the_clients_end() {
    for way in 0..3 {
        let mut rules = approving(Rules::ready());
        rules.call("mine");
        match way {
            0 => drop(rules.step(Event::Cancel { id: 1, interrupt: false })),
            1 => drop(rules.send(CLIENT, Payload::Interrupt(Payload::poll().into()), None)),
            _ => drop(rules.step(Event::Left { client: CLIENT })),
        }
        assert_eq!(proposals(&rules), [], "{way}");
        assert_eq!(decide(&mut rules, 1, Decision::Run), []);
    }
}

#[test]
fn what_was_proposed_is_not_run_when_nobody_approves_any_more() {
    let off = Event::Person { client: WOLF, act: PersonAct::Approve { on: false } };
    for end in [off, Event::Left { client: WOLF }] {
        let mut rules = approving(Rules::ready());
        rules.call("mine");
        let told = told_of(PersonDid::NoApprover);
        assert_eq!(rules.step(end), [told, reply(1, nothing_ran())]);
        assert_eq!(rules.call("mine"), run(1, "mine"));
    }
}

#[test]
fn polls_answers_keys_interrupts_and_resets_need_no_approval() {
    let mut rules = approving(Rules::waiting());
    assert_eq!(rules.call("answer"), [stdin("answer\n")]);
    assert_eq!(rules.keys("C-d"), [type_keys("C-d")]);
    assert_eq!(
        rules.send(CLIENT, Payload::Interrupt(text("cell").into()), None),
        [interrupt(true)]
    );
    // What comes behind is a cell.
    rules.says(taken(1));
    rules.says(ToServer::Interrupted);
    rules.done(1);
    assert_eq!(proposals(&rules), [(1, CLIENT, "cell")]);
    let reset = Payload::Reset(text("cell").into());
    assert_eq!(rules.send(OTHER, reset, None), [Action::Send(ToWorker::Shutdown)]);
    rules.step(exited(Exit::Status(0)));
    rules.says(super::ready(1));
    assert_eq!(proposals(&rules), [(1, CLIENT, "cell"), (2, OTHER, "cell")]);
}

#[test]
fn a_cell_that_was_approved_of_waits_while_another_has_the_session() {
    let mut rules = approving(Rules::ready());
    rules.call("mine");
    attach(&mut rules, ANNA);
    rules.step(Event::Person { client: ANNA, act: PersonAct::Hold { on: true } });
    assert_eq!(decide(&mut rules, 1, Decision::Run), []);
    let given_back = rules.step(Event::Person { client: ANNA, act: PersonAct::Hold { on: false } });
    assert_eq!(given_back[given_back.len() - 2..], run(1, "mine"));
    // Who has it and approves means it so; and what waits for it is proposed behind.
    let mut rules = approving(Rules::ready());
    rules.call("mine");
    rules.step(hold(true));
    assert_eq!(decide(&mut rules, 1, Decision::Run), run(1, "mine"));
    rules.done(1);
    assert_eq!(rules.call("next"), []);
    assert_eq!(proposals(&rules), []);
    assert_eq!(rules.step(hold(false)), [gave_back()]);
    assert_eq!(proposals(&rules), [(2, CLIENT, "next")]);
}

#[test]
fn a_poll_waits_for_a_cell_that_only_waits_for_its_turn() {
    let mut rules = held(Rules::running());
    assert_eq!(rules.send(OTHER, text("theirs"), None), []);
    assert_eq!(rules.tick(PATIENCE).len(), 2);
    rules.step(hold(false));
    assert_eq!(rules.send(OTHER, Payload::poll(), None), []);
    let done = rules.done(1);
    assert_eq!(done, [Action::Send(ToWorker::Cell { id: 2, source: "theirs".into() })]);
    let theirs = Action::Reply { call: 3, client: OTHER, status: ok(), has_text: true };
    assert_eq!(rules.done(2), [theirs]);
}

#[test]
fn an_interrupt_takes_a_cell_back_that_waits_for_the_start_of_a_session() {
    let mut rules = held(Rules::starting());
    rules.call("cell");
    assert_eq!(rules.tick(PATIENCE), [reply(1, busy(40, false))]);
    rules.step(hold(false));
    let taken_back = told_caller(Notice::InterruptedBeforeRun);
    assert!(rules.call("\u{3}").contains(&taken_back));
    rules.says(super::ready(1));
    assert_eq!(rules.deeds.iter().filter(|(_, deed)| deed.words().0 == "ran").count(), 0);
}
