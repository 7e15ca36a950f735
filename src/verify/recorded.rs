//! Whether a recorded session still gives what it gave. Pure.

use std::{collections::BTreeMap, fmt::Write};

use crate::session::{
    recording::{Answered, Cuts, Recording, Replayed, replay},
    rules::payload::{INTERRUPT, Keys, Payload, RESET},
};

/// At how many places a long recording is cut.
const CUTS: usize = 200;
/// How long a recording is that is cut behind each byte, in bytes.
const SHORT: usize = 20_000;
/// By what the places are drawn: the same each time, so that what is found can be found again.
const SEED: u64 = 0x5eed;
/// How much of what was sent stands in a heading, in characters.
const LONGEST_HEADING: usize = 72;

/// What is wrong with a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Nothing in it could fail: no call was answered, and nothing printed.
    Empty,
    /// A replay with the terminal's reads as they were gives other replies than were recorded.
    Replies(Difference),
    /// What comes of it depends on where reads of the terminal end.
    Cuts(Difference),
    /// It is not what is expected.
    Unexpected(Difference),
    /// Nothing says what is expected of it.
    NothingExpected,
}

/// What was to be there, and what is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What was to be there.
    pub expected: String,
    /// What is there instead.
    pub found: String,
}

/// What a recording gives, for people to read and to be kept beside it.
pub fn text(recording: &Recording) -> String {
    text_of(recording, &replay(recording, Cuts::AsRecorded))
}

/// The replies that a recording gives, each behind what was sent.
pub fn replies_of(recording: &Recording) -> String {
    replies(recording, &replay(recording, Cuts::AsRecorded).replies)
}

/// What is wrong with a recording; `expected` stands beside it.
pub fn check(recording: &Recording, expected: Option<&str>) -> Vec<Problem> {
    let replayed = replay(recording, Cuts::AsRecorded);
    let found = text_of(recording, &replayed);
    let mut problems = Vec::new();
    if replayed.replies.is_empty() && replayed.transcript.trim().is_empty() {
        problems.push(Problem::Empty);
    }
    // One without what was typed has no replies, which may quote that.
    let recorded = Replayed { replies: recording.replies.clone(), ..replayed.clone() };
    if recorded.replies != replayed.replies && !recorded.replies.is_empty() {
        let expected = text_of(recording, &recorded);
        problems.push(Problem::Replies(Difference { expected, found: found.clone() }));
    }
    let most = if recording.printed() <= SHORT { SHORT } else { CUTS };
    for cuts in [Cuts::Whole, Cuts::Everywhere { most, seed: SEED }] {
        let again = replay(recording, cuts);
        if again != replayed {
            let expected = found.clone();
            problems
                .push(Problem::Cuts(Difference { expected, found: text_of(recording, &again) }));
            break;
        }
    }
    match expected {
        None => problems.push(Problem::NothingExpected),
        Some(expected) if expected != found => {
            let expected = expected.to_owned();
            problems.push(Problem::Unexpected(Difference { expected, found }));
        }
        Some(_) => {}
    }
    problems
}

/// Replies to a recording's calls, for people to read.
pub fn replies(recording: &Recording, replies: &[Answered]) -> String {
    let mut text = String::new();
    let calls: BTreeMap<_, _> = recording.calls().map(|(id, _, payload)| (id, payload)).collect();
    for Answered { call, text: reply, .. } in replies {
        let sent = calls.get(call).map_or_else(String::new, |payload| heading(payload));
        part(&mut text, &format!("reply {call}: {sent}"), reply);
    }
    text
}

fn text_of(recording: &Recording, replayed: &Replayed) -> String {
    let mut text = replies(recording, &replayed.replies);
    part(&mut text, "the terminal, from the first line to the last", &replayed.transcript);
    part(&mut text, "the page at the end", &replayed.page);
    text
}

fn part(text: &mut String, heading: &str, body: &str) {
    let _ = writeln!(text, "=== {}", heading.trim_end_matches([' ', ':']));
    text.push_str(body);
    if !body.is_empty() && !body.ends_with('\n') {
        // That a line has no end is a part of what it is.
        text.push_str("\\\n");
    }
}

/// What was sent, on one line.
fn heading(payload: &Payload) -> String {
    let whole = match payload {
        Payload::Text(text) if text.is_empty() => "(nothing)".to_owned(),
        Payload::Text(text) => text.clone(),
        Payload::Keys(Keys(words)) => format!("keys {}", words.join(" ")),
        Payload::Interrupt(rest) => format!("{INTERRUPT}{}", heading(rest)),
        Payload::Reset(rest) => format!("{RESET}{}", heading(rest)),
    };
    let mut line = String::new();
    for (n, c) in whole.chars().enumerate() {
        if n == LONGEST_HEADING {
            line.push('…');
            break;
        }
        match c {
            '\n' => line.push('⏎'),
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}
