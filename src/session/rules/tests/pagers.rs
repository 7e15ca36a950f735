//! Rules of programs that show pages.

use super::{
    reader::PagerView,
    state::{Doing, State},
    *,
};
use crate::screen::pager::Place;

/// A pager that shows a page; its thread woke so often.
pub(super) fn page(wakes: u64, at_end: bool, has_new_text: bool, next_fits: bool) -> Sighting {
    let place =
        Place { at_end, lines_below: None, has_next: false, prompt: "lines 1-39/361".into() };
    let view = View::Pager(PagerView { place, has_new_text, next_fits });
    let Sighting { reader, modes, .. } = reader(wakes);
    let reader = Reader { program: "less".into(), ..reader };
    let modes = InputModes { canonical: false, ..modes };
    Sighting { reader, modes, view, is_settled: true, shown: 1 }
}

/// One whose text goes on.
fn page_of_more(wakes: u64) -> Sighting {
    page(wakes, false, true, true)
}

fn shows(shared: bool) -> Status {
    Status::Pager { program: "less".into(), prompt: "lines 1-39/361".into(), at_end: false, shared }
}

/// What two looks in a row that find it bring about.
fn found(rules: &mut Rules, reading: &Sighting) -> Vec<Action> {
    assert_eq!(rules.step(Event::Look(Some(reading.clone()))), []);
    rules.step(Event::Look(Some(reading.clone())))
}

#[test]
fn pages_are_turned_to_the_end_and_the_pager_is_left() {
    let mut rules = Rules::running();
    assert_eq!(found(&mut rules, &page_of_more(1)), [Action::TakePage, typed(" ")]);
    // It has not got the key yet.
    assert_eq!(rules.step(Event::Look(Some(page_of_more(1)))), []);
    assert_eq!(found(&mut rules, &page_of_more(2)), [Action::TakePage, typed(" ")]);
    assert!(rules.session.awaits_pager());
    assert_eq!(found(&mut rules, &page(3, true, true, true)), [Action::TakePage, typed("q")]);
}

#[test]
fn a_turn_that_brings_nothing_is_the_end() {
    let mut rules = Rules::running();
    assert_eq!(found(&mut rules, &page(1, false, false, true)), [Action::TakePage, typed("q")]);
}

#[test]
fn a_reply_that_has_no_more_room_leaves_the_pager_open_for_the_next_call() {
    let mut rules = Rules::running();
    let full = page(1, false, true, false);
    assert_eq!(found(&mut rules, &full), [Action::TakePage, reply(1, shows(false))]);
    // An empty payload goes on to the end.
    assert_eq!(rules.call(""), [typed(" ")]);
    assert_eq!(found(&mut rules, &page_of_more(2)), [Action::TakePage, typed(" ")]);
    // After anything else the client turns the pages itself.
    let full = page(3, false, true, false);
    assert_eq!(found(&mut rules, &full), [Action::TakePage, reply(2, shows(false))]);
    assert_eq!(rules.call("/needle"), [typed("/needle\r")]);
    assert_eq!(found(&mut rules, &page_of_more(4)), [Action::TakePage, reply(3, shows(false))]);
}

#[test]
fn a_pager_is_left_to_people_who_are_attached() {
    let mut rules = Rules::running();
    rules.step(Event::People { attached: true });
    assert_eq!(found(&mut rules, &page_of_more(1)), [Action::TakePage, reply(1, shows(true))]);
    // A poll turns no page: it tells what they have come to.
    assert_eq!(rules.call(""), []);
    assert_eq!(found(&mut rules, &page_of_more(5)), [Action::TakePage, reply(2, shows(true))]);
    // What the client says, it means.
    assert_eq!(rules.call("q"), [typed("q")]);
    assert!(matches!(rules.session.state(), State::InCell { doing: Doing::Running { .. }, .. }));
}

#[test]
fn a_pager_is_read_through_again_when_people_have_left() {
    let mut rules = Rules::running();
    rules.step(Event::People { attached: true });
    assert_eq!(found(&mut rules, &page_of_more(1)), [Action::TakePage, reply(1, shows(true))]);
    rules.step(Event::People { attached: false });
    assert_eq!(rules.call(""), [typed(" ")]);
    assert_eq!(found(&mut rules, &page_of_more(2)), [Action::TakePage, typed(" ")]);
}
