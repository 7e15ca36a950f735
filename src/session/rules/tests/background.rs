//! Rules of readers in threads that outlive their cell, when what is sent and said crosses.

use mcp_repl_sideband::{Outcome, Reader as WorkerReader, ToServer};

use super::*;
use crate::reply::Refusal;

/// The worker says that it is ready, and that it threw so much input away.
fn discarded(bytes: u64) -> ToServer {
    ToServer::Ready { mark: 3, discarded_bytes: bytes }
}

/// A thread of this name took an answer.
fn taken_in(thread: &str, wait: u64) -> ToServer {
    ToServer::InputTaken { wait, bytes: 2, thread: Some(thread.into()) }
}

/// What a client is told whose input a thread of this name took.
fn taken_by(thread: Option<&str>) -> Action {
    let thread = thread.map(String::from);
    told_caller(Notice::TakenInBackground { reader: WorkerReader::Stdin, thread })
}

/// A session in which a reader in the background has its answer on the way, sent by call 2. The
/// reader came while the cell of call 1 ran.
fn answering() -> Rules {
    let mut rules = Rules::waiting();
    assert_eq!(rules.done(1), []);
    assert_eq!(rules.call("one"), [stdin("one\n")]);
    rules
}

#[test]
fn an_answer_that_was_thrown_away_is_not_on_its_way() {
    // It crossed the end of the cell: the reader waits on.
    let mut rules = answering();
    let told = told_caller(Notice::InputDiscarded { bytes: 4 });
    assert_eq!(rules.says(discarded(4)), [told, reply(2, waiting())]);
    assert_eq!(rules.call("again"), [stdin("again\n")]);
    rules.says(taken(1));
    assert_eq!(rules.is_ready(4), [reply(3, idle(Some(Outcome::Ok)))]);
    // The same while the cell runs on.
    let mut rules = Rules::waiting();
    assert_eq!(rules.call("one"), [stdin("one\n")]);
    rules.says(ToServer::CellDone { id: 1, mark: 2, outcome: Outcome::Ok });
    assert_eq!(rules.says(discarded(4)), [Action::DropInput]);
    let actions = rules.step(Event::InputDropped { bytes: 0 });
    assert_eq!(actions.last(), Some(&reply(2, waiting())));
}

#[test]
fn an_answer_outlives_the_end_of_less_than_it() {
    let mut rules = answering();
    assert_eq!(rules.says(discarded(3)), [told_caller(Notice::InputDiscarded { bytes: 3 })]);
    rules.says(taken(1));
    assert_eq!(rules.is_ready(4), [reply(2, idle(Some(Outcome::Ok)))]);
}

#[test]
fn a_cell_behind_an_answer_on_its_way_is_no_answer() {
    let mut rules = answering();
    assert_eq!(rules.call("1 + 1"), []);
    rules.says(taken(1));
    let ok = idle(Some(Outcome::Ok));
    assert_eq!(rules.is_ready(3), [vec![reply(2, ok)], run(2, "1 + 1")].concat());
    // The same when the call that answered was given up.
    let mut rules = answering();
    rules.step(Event::Cancel { id: 2, interrupt: false });
    assert_eq!(rules.call("1 + 1"), []);
    rules.says(taken(1));
    assert_eq!(rules.is_ready(3), run(2, "1 + 1"));
    // One that asks again asks for something else.
    let mut rules = answering();
    assert_eq!(rules.call("1 + 1"), []);
    rules.says(taken(1));
    let refused = told_caller(Notice::Refused(Refusal::NotItsTurn));
    assert_eq!(rules.says(wait(2)), [reply(2, waiting()), refused, reply(3, waiting())]);
    // The same while the cell runs on.
    let mut rules = Rules::waiting();
    assert_eq!(rules.call("one"), [stdin("one\n")]);
    assert_eq!(rules.call("1 + 1"), []);
    assert_eq!(rules.says(taken(1)), []);
    let ok = idle(Some(Outcome::Ok));
    assert_eq!(rules.done(1), [vec![reply(2, ok)], run(2, "1 + 1").split_off(1)].concat());
}

#[test]
fn who_did_not_know_of_a_reader_is_told_that_it_took_the_input() {
    let mut rules = Rules::ready();
    rules.says(wait(1));
    assert_eq!(rules.call("1 + 1"), [stdin("1 + 1\n")]);
    assert_eq!(rules.says(taken_in("Thread-1", 1)), [taken_by(Some("Thread-1"))]);
    assert_eq!(rules.is_ready(2), [reply(1, idle(None))]);
    // A worker that does not name its threads.
    rules.says(wait(2));
    rules.call("1 + 1");
    assert_eq!(rules.says(taken(2)), [taken_by(None)]);
    // A cell that was taken while another one ran on.
    let mut rules = Rules::running();
    rules.tick(PATIENCE);
    rules.says(wait(1));
    assert_eq!(rules.call("1 + 1"), [stdin("1 + 1\n")]);
    assert_eq!(rules.says(taken_in("Thread-1", 1)), [taken_by(Some("Thread-1"))]);
    // One was announced, and another one was served.
    let mut rules = Rules::ready();
    rules.says(wait(1));
    rules.call("1 + 1");
    rules.says(wait(2));
    assert_eq!(rules.says(taken_in("Thread-2", 2)), [taken_by(Some("Thread-2"))]);
    assert_eq!(rules.is_ready(2), [reply(1, waiting())]);
}

#[test]
fn who_was_asked_is_not_told_that_the_answer_was_taken() {
    let mut rules = answering();
    assert_eq!(rules.says(taken_in("Thread-1", 1)), []);
    // A poll that was told.
    let mut rules = Rules::ready();
    rules.says(wait(1));
    assert_eq!(rules.call(""), [reply(1, waiting())]);
    rules.call("one");
    assert_eq!(rules.says(taken_in("Thread-1", 1)), []);
    // What is read in the cell itself is no news.
    let mut rules = Rules::running();
    rules.tick(PATIENCE);
    rules.says(wait(1));
    rules.call("one");
    assert_eq!(rules.says(taken(1)), []);
}

#[test]
fn a_client_that_was_not_reached_was_not_told_that_somebody_waits() {
    let mut rules = Rules::waiting();
    assert_eq!(rules.done(1), []);
    assert_eq!(rules.call(""), [reply(2, waiting())]);
    rules.step(Event::Returned { client: CLIENT });
    assert_eq!(rules.call("one"), [stdin("one\n")]);
    assert!(rules.says(taken_in("asker", 1)).contains(&taken_by(Some("asker"))));
}
