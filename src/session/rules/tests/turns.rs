//! Rules of several clients of one session: whose turn it is, who answers, and what they did.

use super::*;
use crate::reply::Refusal;

/// Another client than the one that makes the calls.
const OTHER: ClientId = 2;

fn text(text: &str) -> Payload {
    Payload::Text(text.into())
}

fn to_other(call: u64, status: Status) -> Action {
    Action::Reply { call, client: OTHER, status, has_text: true }
}

fn told_other(notice: Notice) -> Action {
    Action::Notice { to: Audience::Client(OTHER), notice }
}

/// A cell begins behind these replies.
fn then_runs(mut replies: Vec<Action>, id: u64, source: &str) -> Vec<Action> {
    replies.push(Action::Send(ToWorker::Cell { id, source: source.into() }));
    replies
}

fn ran(client: ClientId, source: &str) -> (ClientId, Deed) {
    (client, Deed::Ran { source: source.into() })
}

#[test]
fn a_cell_of_another_client_waits_for_its_turn() {
    let mut rules = Rules::running();
    assert_eq!(rules.send(OTHER, text("theirs"), None), []);
    // Also one that knows that the cell goes on, and behind a poll.
    assert_eq!(rules.tick(PATIENCE), [reply(1, busy(40, false)), to_other(2, busy(40, true))]);
    assert_eq!(rules.send(OTHER, Payload::poll(), None), []);
    assert_eq!(rules.send(OTHER, text("theirs"), None), []);
    assert_eq!(rules.send(OTHER, text("more"), None), []);
    let status = idle(Some(Outcome::Ok));
    let done = rules.done(1);
    assert_eq!(done, then_runs(vec![to_other(3, status.clone())], 2, "theirs"));
    assert_eq!(rules.done(2), then_runs(vec![to_other(4, status.clone())], 3, "more"));
    // In the order in which they came.
    assert_eq!(rules.call("mine"), []);
    assert_eq!(rules.done(3), then_runs(vec![to_other(5, status.clone())], 4, "mine"));
    assert_eq!(rules.done(4), [reply(6, status)]);
    let all = [ran(CLIENT, "cell"), ran(OTHER, "theirs"), ran(OTHER, "more"), ran(CLIENT, "mine")];
    assert_eq!(rules.deeds, all);
}

#[test]
fn a_cell_is_no_answer_to_what_another_clients_cell_asks() {
    let mut rules = Rules::waiting();
    assert_eq!(rules.send(OTHER, text("cell"), None), []);
    assert_eq!(rules.call("answer"), [stdin("answer\n")]);
    assert_eq!(rules.says(taken(1)), []);
    let status = idle(Some(Outcome::Ok));
    assert_eq!(rules.done(1), then_runs(vec![reply(3, status)], 2, "cell"));
}

#[test]
fn who_was_told_that_it_waits_answers_it() {
    let mut rules = Rules::waiting();
    assert_eq!(rules.send(OTHER, Payload::poll(), None), [to_other(2, waiting())]);
    assert_eq!(rules.send(OTHER, text("answer"), None), [stdin("answer\n")]);
    // What is asked next was not told.
    assert_eq!(rules.says(taken(1)), []);
    assert_eq!(rules.says(wait(2)), [to_other(3, waiting())]);
    assert_eq!(rules.call("mine"), [stdin("mine\n")]);
    assert_eq!(rules.says(taken(2)), []);
    assert_eq!(rules.send(OTHER, text("cell"), None), []);
    let deed = |client, text: &str| (client, Deed::Answered { text: Some(text.into()) });
    assert_eq!(rules.deeds[1..], [deed(OTHER, "answer"), deed(CLIENT, "mine")]);
}

#[test]
fn a_cell_whose_turn_does_not_come_is_told_what_is_asked() {
    let mut rules = Rules::waiting();
    assert_eq!(rules.send(OTHER, text("cell"), None), []);
    let refused = told_other(Notice::Refused(Refusal::NotItsTurn));
    assert_eq!(rules.tick(PATIENCE), [refused, to_other(2, waiting())]);
    // Now it knows.
    assert_eq!(rules.send(OTHER, text("answer"), None), [stdin("answer\n")]);
}

#[test]
fn a_program_that_reads_the_terminal_gets_what_is_typed_by_who_knows_of_it() {
    let mut rules = Rules::reading();
    assert_eq!(rules.send(OTHER, text("cell"), None), []);
    assert_eq!(rules.send(OTHER, Payload::poll(), None), []);
    assert_eq!(rules.step(Event::Look(Some(reader(5)))), []);
    let looked = rules.step(Event::Look(Some(reader(5))));
    assert_eq!(looked, [Action::Reply { call: 3, client: OTHER, status: reads(), has_text: true }]);
    assert_eq!(rules.send(OTHER, text("line"), None), [typed("line\n")]);
    // It reads again, which was not told.
    assert_eq!(rules.step(Event::Look(Some(reader(6)))), []);
    rules.step(Event::Look(Some(reader(6))));
    assert_eq!(rules.call("mine"), [typed("mine\n")]);
    let deed = |client, text: &str| (client, Deed::Typed { text: Some(text.into()) });
    assert_eq!(rules.deeds[1..], [deed(OTHER, "line"), deed(CLIENT, "mine")]);
}

#[test]
fn a_secret_is_no_news() {
    let mut rules = Rules::running();
    let ToServer::InputWait { mark, wait, reader, prompt, .. } = wait(1) else { panic!() };
    rules.says(ToServer::InputWait { mark, wait, reader, prompt, echo: false });
    assert_eq!(rules.call("secret"), [stdin("secret\n")]);
    assert_eq!(rules.keys("s"), [type_keys("s")]);
    let mut rules_of_program = Rules::running();
    let mut hidden = super::reader(5);
    hidden.modes.echo = false;
    rules_of_program.step(Event::Look(Some(hidden.clone())));
    rules_of_program.step(Event::Look(Some(hidden)));
    assert_eq!(rules_of_program.call("secret"), [typed("secret\n")]);
    let deeds = [&rules.deeds[1..], &rules_of_program.deeds[1..]].concat();
    let none = None::<String>;
    assert_eq!(
        deeds,
        [
            (CLIENT, Deed::Answered { text: none.clone() }),
            (CLIENT, Deed::TypedKeys { keys: none.clone() }),
            (CLIENT, Deed::Typed { text: none }),
        ]
    );
}

#[test]
fn an_interrupt_and_a_reset_of_another_client_act_at_once() {
    let mut rules = Rules::running();
    assert_eq!(
        rules.send(OTHER, Payload::Interrupt(text("cell").into()), None),
        [interrupt(false)]
    );
    rules.says(ToServer::Interrupted);
    let status = idle(Some(Outcome::Ok));
    assert_eq!(rules.done(1), then_runs(vec![reply(1, status)], 2, "cell"));
    let actions = rules.send(CLIENT, Payload::Reset(Payload::poll().into()), None);
    assert_eq!(actions, [Action::Send(ToWorker::Shutdown), Action::HangUp]);
    let deeds = [(OTHER, Deed::Interrupted), ran(OTHER, "cell"), (CLIENT, Deed::Reset)];
    assert_eq!(rules.deeds[1..], deeds);
}

#[test]
fn the_cell_that_comes_next_in_turn_gets_no_answer_from_behind() {
    let mut rules = Rules::running();
    rules.send(OTHER, text("asks"), None);
    rules.send(OTHER, text("next"), None);
    rules.done(1);
    // The second one came before its client was asked.
    let refused = told_other(Notice::Refused(Refusal::NotItsTurn));
    let asked = rules.says(wait(1));
    assert_eq!(asked, [to_other(2, waiting()), refused, to_other(3, waiting())]);
}

#[test]
fn a_page_of_another_clients_pager_is_shown_and_not_turned() {
    let mut rules = Rules::running();
    let page = |wakes| Some(pagers::page(wakes, false, true, false));
    rules.step(Event::Look(page(1)));
    let shown = rules.step(Event::Look(page(1)));
    let [Action::TakePage, Action::Reply { status: Status::Pager { program, prompt, .. }, .. }] =
        &shown[..]
    else {
        panic!("{shown:?}")
    };
    let (program, prompt) = (program.clone(), prompt.clone());
    let status = Status::Pager { program, prompt, at_end: false, shared: true };
    assert_eq!(rules.send(OTHER, Payload::poll(), None), []);
    assert_eq!(rules.step(Event::Look(page(1))), []);
    let again = rules.step(Event::Look(page(1)));
    assert_eq!(again, [Action::TakePage, to_other(2, status)]);
    assert_eq!(rules.call(""), [typed(" ")]);
}

#[test]
fn what_a_client_polls_for_is_told_before_what_is_behind_an_interrupt_of_another() {
    let mut rules = Rules::running();
    rules.tick(PATIENCE);
    let cell = Payload::Interrupt(text("cell").into());
    assert_eq!(rules.send(OTHER, cell, None), [interrupt(false)]);
    assert_eq!(rules.call(""), []);
    rules.says(ToServer::Interrupted);
    let status = idle(Some(Outcome::Ok));
    assert_eq!(rules.done(1), then_runs(vec![reply(3, status)], 2, "cell"));
}

#[test]
fn a_client_is_not_told_to_turn_the_pages_of_another() {
    let mut rules = Rules::running();
    let page = |wakes| Some(pagers::page(wakes, false, true, false));
    assert_eq!(rules.send(OTHER, Payload::poll(), None), []);
    rules.step(Event::Look(page(1)));
    let shown = rules.step(Event::Look(page(1)));
    let is_shared = |action: &Action| match action {
        Action::Reply { client, status: Status::Pager { shared, .. }, .. } => {
            Some((*client, *shared))
        }
        _ => None,
    };
    let shared: Vec<_> = shown.iter().filter_map(is_shared).collect();
    assert_eq!(shared, [(CLIENT, false), (OTHER, true)]);
}

#[test]
fn of_a_long_answer_a_part_is_told() {
    let mut rules = Rules::waiting();
    let answer = "é".repeat(1 << 20);
    rules.call(&answer);
    let Some((_, Deed::Answered { text: Some(told) })) = rules.deeds.last() else {
        panic!("{:?}", rules.deeds.len())
    };
    assert_eq!(*told, format!("{}…", "é".repeat(200)));
}

#[test]
fn who_was_told_of_one_question_is_not_asked_by_what_reads_behind_its_answer() {
    for answered_by_interrupt in [false, true] {
        let mut rules = Rules::waiting();
        assert_eq!(rules.send(OTHER, Payload::poll(), None), [to_other(2, waiting())]);
        if answered_by_interrupt {
            assert_eq!(rules.call("\u{3}"), [interrupt(true)]);
            rules.says(ToServer::Interrupted);
        } else {
            assert_eq!(rules.call("answer"), [stdin("answer\n")]);
        }
        rules.says(taken(1));
        rules.step(Event::Look(Some(reader(5))));
        rules.step(Event::Look(Some(reader(5))));
        // A cell, and nothing to be typed.
        assert_eq!(rules.send(OTHER, text("cell"), None), [], "{answered_by_interrupt}");
    }
}

#[test]
fn a_poll_of_another_client_is_not_in_the_way_of_who_was_told_that_a_program_reads() {
    let mut rules = Rules::reading();
    assert_eq!(rules.send(OTHER, Payload::poll(), None), []);
    // The program is looked at anew.
    assert_eq!(rules.call("line"), []);
    assert_eq!(rules.step(Event::Look(Some(reader(5)))), []);
    let found = rules.step(Event::Look(Some(reader(5))));
    assert_eq!(found, [to_other(2, reads()), typed("line\n")]);
    // Nor is one of the client whose cell it is.
    rules.step(Event::Look(Some(reader(6))));
    let found = rules.step(Event::Look(Some(reader(6))));
    assert_eq!(found, [reply(3, reads())]);
    assert_eq!(rules.send(OTHER, Payload::poll(), None), []);
    rules.step(Event::Look(Some(reader(6))));
    rules.step(Event::Look(Some(reader(6))));
    assert_eq!(rules.call(""), []);
    assert_eq!(rules.send(OTHER, text("theirs"), None), []);
    rules.step(Event::Look(Some(reader(6))));
    let found = rules.step(Event::Look(Some(reader(6))));
    assert_eq!(found, [reply(5, reads()), typed("theirs\n")]);
}

#[test]
fn what_a_client_has_waiting_for_the_start_is_struck_by_itself_alone() {
    for strikes in ["\u{3}", "\u{4}"] {
        // Held by a call, or kept behind it.
        for is_late in [false, true] {
            let mut rules = Rules::starting();
            assert_eq!(rules.send(OTHER, text("theirs"), None), []);
            if is_late {
                assert_eq!(rules.tick(PATIENCE), [to_other(1, busy(40, false))]);
            }
            let actions = rules.call(strikes);
            let is_told = |action: &Action| matches!(action, Action::Notice { .. });
            assert!(!actions.iter().any(is_told), "{strikes:?} {is_late}: {actions:?}");
            if strikes == "\u{4}" {
                rules.step(exited(Exit::Status(0)));
            }
            let runs = Action::Send(ToWorker::Cell { id: 1, source: "theirs".into() });
            let ready = rules.is_ready(1);
            assert!(ready.contains(&runs), "{strikes:?} {is_late}: {ready:?}");
        }
    }
}
