//! A recorded session again, without a process. Pure.

use super::{
    answers::Answers,
    decoder::{Answered, Recording},
};
use crate::{
    screen::Screen,
    session::{
        pipeline::{Effect, Input, Observer, Pipeline, Shown},
        rules::state::Time,
    },
};

/// Where the reads of the terminal end that a recording is replayed with: what comes of it must not
/// depend on that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cuts {
    /// Where they ended.
    AsRecorded,
    /// Only where something else happened.
    Whole,
    /// Behind each byte, or where that would be too many, at so many places, by this seed.
    Everywhere {
        /// How many.
        most: usize,
        /// What they are drawn by.
        seed: u64,
    },
}

/// What a replay gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The answers to calls, in order.
    pub replies: Vec<Answered>,
    /// All that a person would have read on the terminal, line by line, from the first to the last.
    pub transcript: String,
    /// The page at the end.
    pub page: String,
}

/// A person's terminal that shows a session.
#[derive(Debug)]
struct Watcher {
    screen: Screen,
    transcript: String,
}

impl Watcher {
    fn take(&mut self, bytes: &[u8]) {
        self.screen.feed(bytes);
        self.screen.drain(&mut |line| self.transcript.push_str(line));
        // Nobody asked it.
        self.screen.take_answers(&mut Vec::new());
    }
}

impl Observer for Watcher {
    fn shown(&mut self, shown: Shown<'_>, _screen: &Screen) {
        if let Shown::Bytes(bytes) = shown {
            self.take(bytes);
        }
    }

    fn echoed(&mut self, bytes: &[u8]) {
        self.take(bytes);
    }

    fn replaced(&mut self, screen: &Screen) {
        if screen.size() != self.screen.size() {
            self.screen.resize(screen.size());
        }
    }
}

/// Replays a recording.
pub fn replay(recording: &Recording, cuts: Cuts) -> Replayed {
    let settings = &recording.settings;
    let size = recording.header.size;
    let watcher = Watcher { screen: Screen::new(size), transcript: String::new() };
    let mut pipeline = Pipeline::new(settings.paging, size, settings.budget, watcher);
    let (mut replies, mut answers) = (Vec::new(), Answers::default());
    let mut give = |input: Input<'_>, time: Time, pipeline: &mut Pipeline<Watcher>| {
        pipeline.take(input, time);
        while let Some(effect) = pipeline.next_effect() {
            match effect {
                Effect::Tell { client, content } => answers.told(client, &content),
                Effect::Reply { call, client, reply } => {
                    let text = answers.text(client, &reply);
                    replies.push(Answered { call, client, text });
                }
                _ => {}
            }
        }
    };
    let mut inputs = recording.inputs.iter().peekable();
    let mut cutter = Cutter::new(recording, cuts);
    while let Some((time, input)) = inputs.next() {
        let Input::Output(bytes) = input else {
            give(input.clone(), *time, &mut pipeline);
            continue;
        };
        if cuts == Cuts::AsRecorded {
            give(Input::Output(bytes[..].into()), *time, &mut pipeline);
            continue;
        }
        let (mut joined, mut last) = (bytes.to_vec(), *time);
        while let Some((time, Input::Output(more))) =
            inputs.next_if(|(_, next)| matches!(next, Input::Output(_)))
        {
            joined.extend_from_slice(more);
            last = *time;
        }
        for piece in cutter.pieces(&joined) {
            give(Input::Output(piece.into()), last, &mut pipeline);
        }
    }
    let page = pipeline.screen().page_text();
    let (watcher, _) = pipeline.observer_and_screen();
    let Watcher { screen, transcript } = watcher;
    screen.report(transcript);
    Replayed { replies, transcript: std::mem::take(transcript), page }
}

/// Cuts what the terminal printed.
struct Cutter {
    /// Of how many bytes one is cut behind; 0 for none.
    one_of: u64,
    random: u64,
}

impl Cutter {
    fn new(recording: &Recording, cuts: Cuts) -> Cutter {
        let Cuts::Everywhere { most, seed } = cuts else { return Cutter { one_of: 0, random: 1 } };
        let one_of = recording.printed().div_ceil(most.max(1)).max(1) as u64;
        Cutter { one_of, random: seed | 1 }
    }

    /// Whether to cut behind the next byte: a generator of Marsaglia's decides (xorshift64).
    fn cuts(&mut self) -> bool {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.is_multiple_of(self.one_of)
    }

    fn pieces<'a>(&mut self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        let mut start = 0;
        for end in 1..bytes.len() {
            if self.cuts() {
                pieces.push(&bytes[start..end]);
                start = end;
            }
        }
        pieces.push(&bytes[start..]);
        pieces
    }
}
