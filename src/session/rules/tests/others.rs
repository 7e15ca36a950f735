//! Rules of programs that wait for the terminal and for something else: what they show tells whether
//! they wait.

use super::{
    reader::FullScreenView,
    state::{Doing, State},
    *,
};
use crate::reply::Refusal;

/// A `node` that may go on by itself; something was shown so often.
fn node(wakes: u64, is_settled: bool, shown: u64) -> Sighting {
    let Sighting { reader, modes, view, .. } = reader(wakes);
    let awaits = Awaits::TerminalAndOthers { children_work: false };
    let reader = Reader { program: "node".into(), awaits, ..reader };
    Sighting { reader, modes, view, is_settled, shown }
}

/// A `tmux` whose page was drawn so often. It never wakes: its server reads the terminal.
fn tmux(is_settled: bool, shown: u64) -> Sighting {
    let Sighting { reader, modes, .. } = node(1, is_settled, shown);
    let awaits = Awaits::Others;
    let reader = Reader { program: "tmux".into(), awaits, ..reader };
    let modes = InputModes { canonical: false, echo: false, ..modes };
    let view = View::FullScreen(FullScreenView { cursor: (0, 0) });
    Sighting { reader, modes, view, is_settled, shown }
}

fn node_reads() -> Status {
    Status::Reading { program: "node".into(), canonical: true, echo: true, guessed: false }
}

fn page() -> Status {
    Status::FullScreen { program: "tmux".into(), cursor: (0, 0) }
}

/// A session whose cell runs node, which waits.
fn with_node() -> Rules {
    let mut rules = Rules::running();
    assert_eq!(rules.step(Event::Look(Some(node(5, true, 1)))), []);
    assert_eq!(rules.step(Event::Look(Some(node(5, true, 1)))), [reply(1, node_reads())]);
    rules
}

/// A session whose cell runs tmux, which shows its page.
fn with_tmux() -> Rules {
    let mut rules = Rules::running();
    for shown in 1..4 {
        assert_eq!(rules.step(Event::Look(Some(tmux(false, shown)))), []);
    }
    let looked = rules.step(Event::Look(Some(tmux(true, 4))));
    assert_eq!(looked, [Action::TakeScreen, reply(1, page())]);
    rules
}

/// A poll of a client that was last told when something had been shown so often.
fn poll(rules: &mut Rules, told: u64) -> Vec<Action> {
    rules.calls += 1;
    let (id, deadline) = (rules.calls, rules.now + PATIENCE);
    let payload = Payload::poll();
    let background = None;
    rules.step(Event::Call {
        id,
        client: CLIENT,
        payload,
        deadline,
        told,
        background,
        person: None,
    })
}

#[test]
fn a_program_that_may_go_on_waits_when_what_it_shows_tells() {
    let mut rules = Rules::running();
    for _ in 0..3 {
        assert_eq!(rules.step(Event::Look(Some(node(5, false, 1)))), []);
    }
    // That it stood still was seen before.
    assert_eq!(rules.step(Event::Look(Some(node(5, true, 1)))), [reply(1, node_reads())]);
}

#[test]
fn a_poll_of_a_program_that_may_go_on_waits_for_news() {
    let mut rules = with_node();
    assert_eq!(poll(&mut rules, 1), []);
    assert!(rules.session.wants_look());
    assert_eq!(rules.step(Event::Look(Some(node(5, true, 1)))), []);
    assert_eq!(rules.step(Event::Look(Some(node(6, false, 2)))), []);
    assert_eq!(rules.step(Event::Look(Some(node(6, true, 2)))), [reply(2, node_reads())]);
    assert!(!rules.session.wants_look());
    // What came before the poll, and was not told, is news.
    assert_eq!(poll(&mut rules, 1), []);
    assert_eq!(rules.step(Event::Look(Some(node(6, true, 2)))), [reply(3, node_reads())]);
}

#[test]
fn a_poll_without_news_says_at_the_end_of_its_time_that_the_program_waits() {
    let mut rules = with_node();
    assert_eq!(poll(&mut rules, 1), []);
    assert_eq!(rules.tick(PATIENCE), [reply(2, node_reads())]);
}

#[test]
fn a_poll_goes_on_while_the_program_works_and_when_it_waits_again() {
    let mut rules = with_node();
    assert_eq!(poll(&mut rules, 1), []);
    assert_eq!(rules.step(Event::Look(None)), []);
    assert!(matches!(rules.session.state(), State::InCell { doing: Doing::Running { .. }, .. }));
    assert_eq!(rules.step(Event::Look(Some(node(6, true, 1)))), []);
    assert_eq!(rules.step(Event::Look(Some(node(6, true, 1)))), []);
    assert_eq!(rules.done(1), [reply(2, idle(Some(Outcome::Ok)))]);
}

#[test]
fn input_is_typed_while_a_poll_waits_for_news() {
    let mut rules = with_node();
    assert_eq!(poll(&mut rules, 1), []);
    assert_eq!(rules.call("line"), [typed("line\n")]);
    assert_eq!(rules.step(Event::Look(Some(node(6, true, 2)))), []);
    assert_eq!(
        rules.step(Event::Look(Some(node(6, true, 2)))),
        [reply_without_text(2, node_reads()), reply(3, node_reads())]
    );
}

#[test]
fn text_for_a_program_that_ends_may_be_unread() {
    let mut rules = with_node();
    let unread = || Action::TellUnread { to: CLIENT, program: "node".into() };
    assert_eq!(rules.call("'a cell'"), [typed("'a cell'\n")]);
    assert_eq!(rules.done(1), [unread(), reply(2, idle(Some(Outcome::Ok)))]);
    // What the terminal still has is counted.
    let mut rules = with_node();
    rules.call("'a cell'");
    rules.says(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Ok });
    rules.says(ready(2));
    let actions = rules.step(Event::InputDropped { bytes: 9 });
    let told = told_caller(Notice::InputDiscarded { bytes: 9 });
    assert_eq!(actions[0], told);
    // One that was found waiting since has taken it.
    let mut rules = with_node();
    rules.call("'a cell'");
    rules.step(Event::Look(Some(node(6, true, 2))));
    rules.step(Event::Look(Some(node(6, true, 2))));
    assert_eq!(rules.done(1), []);
    // One that waits for nothing else takes a line when it reads it.
    let mut rules = Rules::reading();
    rules.call("line");
    assert_eq!(rules.done(1), [reply(2, idle(Some(Outcome::Ok)))]);
}

#[test]
fn text_and_keys_are_typed_for_a_program_that_reads_nothing_and_shows_a_page() {
    let mut rules = with_tmux();
    assert_eq!(rules.call("ls\n"), [typed("ls\n")]);
    // The program that was found never wakes.
    assert_eq!(rules.step(Event::Look(Some(tmux(false, 5)))), []);
    let looked = rules.step(Event::Look(Some(tmux(true, 6))));
    assert_eq!(looked, [Action::TakeScreen, reply(2, page())]);
    assert_eq!(rules.keys("C-d"), [type_keys("C-d")]);
    assert_eq!(rules.step(Event::Look(Some(tmux(true, 6)))), []);
    let looked = rules.step(Event::Look(Some(tmux(true, 6))));
    assert_eq!(looked, [Action::TakeScreen, reply(3, page())]);
}

#[test]
fn a_page_that_never_settles_is_shown_at_the_end_of_the_time_and_typed_for() {
    let mut rules = Rules::running();
    for shown in 1..4 {
        assert_eq!(rules.step(Event::Look(Some(tmux(false, shown)))), []);
    }
    assert_eq!(rules.tick(PATIENCE), [Action::TakeScreen, reply(1, page())]);
    assert_eq!(rules.call("q"), [typed("q")]);
    // Text that is not yet known to be a page is not.
    let mut rules = Rules::running();
    assert_eq!(rules.step(Event::Look(Some(node(5, false, 1)))), []);
    assert_eq!(rules.tick(PATIENCE), [reply(1, busy(40, false))]);
    assert_eq!(rules.call("q"), [reply(2, busy(40, true))]);
}

#[test]
fn a_program_that_reads_alone_takes_the_place_of_one_that_may_go_on() {
    let mut rules = with_node();
    assert_eq!(poll(&mut rules, 1), []);
    assert_eq!(rules.step(Event::Look(Some(reader(8)))), []);
    assert_eq!(rules.step(Event::Look(Some(reader(8)))), [reply(2, reads())]);
}

#[test]
fn a_line_too_long_for_one_that_may_go_on_leaves_nothing_unread() {
    let mut rules = with_node();
    let refusal = Refusal::LineTooLong { length: 4096, most: 4095, program: "node".into() };
    let actions = rules.call(&"x".repeat(4096));
    assert_eq!(actions, [told_caller(Notice::Refused(refusal)), reply(2, node_reads())]);
    assert_eq!(rules.done(1), []);
}
