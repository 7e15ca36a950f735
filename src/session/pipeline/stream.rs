//! The terminal's bytes and the sideband's messages, in one order. Pure.
//!
//! A message takes effect when the byte stream has come to its mark, and nothing behind a mark is
//! shown before the mark's message is there. Where the terminal does not hand marks on in their place, a
//! message takes effect where the stream is a moment later, when the terminal has painted what was printed.

use std::{collections::VecDeque, time::Duration};

use mcp_repl_sideband::{Mark, ToServer};

use crate::{
    screen::{MarkSplitter, Marks, Segment},
    session::rules::state::Time,
};

/// How long a mark and its message may miss each other. They are written one right after the
/// other, so only a worker that breaks the protocol needs this.
const MARK_GRACE: Duration = Duration::from_secs(2);

/// How long a console that paints a page of its own takes at most to paint what was printed: two frames of a
/// screen. Nothing tells when it has.
const PAINTING: Duration = Duration::from_millis(32);

/// How many messages may wait for their marks. A worker writes the mark first, so it is on its way.
const MOST_EARLY: usize = 4096;

/// By which a console asks what the terminal behind it is (DA1).
const ASKS_TERMINAL: &[u8] = b"\x1b[c";

/// A part of what is shown, marks taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown<'a> {
    /// What programs printed.
    Bytes(&'a [u8]),
    /// Whether what is printed from here on is the echo of input.
    Echo(bool),
}

/// How a worker broke the order of the two channels.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// A message without its mark.
    #[error("the worker announced mark {0}, which did not come on its terminal")]
    MissingMark(u64),
    /// A mark without its message.
    #[error("the worker wrote a mark to its terminal and sent no message for it")]
    MissingMessage,
    /// More messages without their marks than a worker has a reason for.
    #[error("the worker sent {MOST_EARLY} messages whose marks did not come on its terminal")]
    MissingMarks,
    /// No sideband any more, and a process that goes on.
    #[error("the worker closed its sideband and went on")]
    SidebandClosed,
}

/// Joins the two channels of one worker.
#[derive(Debug)]
pub struct Stream {
    splitter: MarkSplitter,
    /// Whether its marks are heeded; what is not known yet is told before the first message.
    marks: Marks,
    /// How much of [`ASKS_TERMINAL`] the last bytes were, while that tells.
    asked: usize,
    /// What came from the terminal behind a mark whose message is not there yet.
    behind: VecDeque<Item>,
    /// Messages whose mark was not met yet, and those behind them.
    early: VecDeque<Early>,
    /// The last mark met in the byte stream.
    met: u64,
    sideband_open: bool,
    /// Whether nothing waits for anything any more: what comes is shown at once.
    finished: bool,
    /// When the two have missed each other for too long.
    overdue: Option<Time>,
}

/// A message that has to wait.
#[derive(Debug)]
struct Early {
    message: ToServer,
    /// When the terminal has painted what was printed in front of it, where marks are absent.
    painted: Option<Time>,
}

/// A piece of the byte stream that has to wait.
#[derive(Debug)]
enum Item {
    Bytes(Vec<u8>),
    Echo(bool),
    Mark(u64),
}

impl Stream {
    /// The stream of a worker whose marks carry this nonce.
    pub fn new(nonce: &str, marks: Marks) -> Stream {
        Stream {
            splitter: MarkSplitter::new(nonce),
            marks,
            asked: 0,
            behind: VecDeque::new(),
            early: VecDeque::new(),
            met: 0,
            sideband_open: true,
            finished: false,
            overdue: None,
        }
    }

    /// Whether marks come in their place, as far as that is known by now.
    pub fn has_marks(&self) -> bool {
        self.marks == Marks::InStream
    }

    /// Takes what came from the terminal: passes on what comes before the first mark that waits
    /// for its message.
    pub fn bytes(&mut self, bytes: &[u8], show: &mut impl FnMut(Shown<'_>)) {
        self.overdue = None;
        if self.marks == Marks::AsStartTells {
            self.see_start(bytes);
        }
        let has_marks = self.has_marks();
        let Stream { splitter, behind, finished, .. } = self;
        splitter.split(bytes, &mut |segment| match segment {
            Segment::Mark(_) if !has_marks => {}
            Segment::Mark(Mark::Point(_)) if *finished => {}
            Segment::Bytes(bytes) if behind.is_empty() => show(Shown::Bytes(bytes)),
            Segment::Bytes(bytes) => behind.push_back(Item::Bytes(bytes.to_vec())),
            Segment::Mark(Mark::Point(number)) => behind.push_back(Item::Mark(number)),
            Segment::Mark(mark) => {
                let on = mark == Mark::EchoStart;
                if behind.is_empty() {
                    show(Shown::Echo(on));
                } else {
                    behind.push_back(Item::Echo(on));
                }
            }
        });
    }

    /// What a console prints at its start.
    fn see_start(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let goes_on = byte == ASKS_TERMINAL[self.asked];
            self.asked =
                if goes_on { self.asked + 1 } else { usize::from(byte == ASKS_TERMINAL[0]) };
            if self.asked == ASKS_TERMINAL.len() {
                self.marks = Marks::InStream;
                return;
            }
        }
    }

    /// Takes a message of the worker's. Where marks are absent it waits until what was printed in front of it
    /// is painted; one that stands at no place does not.
    ///
    /// # Errors
    /// When too many wait for their marks; it is not taken.
    pub fn message(&mut self, message: ToServer, now: Time) -> Result<(), OrderError> {
        if self.marks == Marks::AsStartTells {
            // The console would have asked before the worker ran.
            self.marks = Marks::Absent;
        }
        if self.early.len() >= MOST_EARLY {
            return Err(OrderError::MissingMarks);
        }
        let has_place = !self.has_marks() && message.mark().is_some();
        self.early.push_back(Early { message, painted: has_place.then(|| now + PAINTING) });
        Ok(())
    }

    /// The sideband has come to its end.
    pub fn sideband_closed(&mut self) {
        self.sideband_open = false;
    }

    /// The next message that takes effect by now, what comes before its mark having been passed on. When
    /// nothing more comes (`None`), none waits to be painted.
    pub fn next_message(
        &mut self,
        now: Option<Time>,
        show: &mut impl FnMut(Shown<'_>),
    ) -> Option<ToServer> {
        loop {
            let due = self.early.front().map(|early| early.message.mark().unwrap_or(0));
            let takes_effect = match self.has_marks() {
                true => due.is_some_and(|due| due <= self.met),
                false => due.is_some() && self.is_painted_by(now),
            };
            if takes_effect {
                return self.early.pop_front().map(|early| early.message);
            }
            self.show_up_to_mark(show);
            match self.behind.front()? {
                // A message refers to this mark or a later one.
                Item::Mark(number) if due.is_some() => self.met = self.met.max(*number),
                _ => return None,
            }
            self.behind.pop_front();
        }
    }

    /// Whether a mark was met whose message has not taken effect. When it has, something happens;
    /// what is behind the mark alone makes nothing happen, and is no reason to wait.
    pub fn awaits_message(&self) -> bool {
        matches!(self.behind.front(), Some(Item::Mark(_)))
    }

    /// Whether a mark and its message are on their way to each other.
    pub fn is_behind(&self) -> bool {
        !self.behind.is_empty() || !self.early.is_empty()
    }

    /// Whether more of the terminal's bytes can be taken. What comes behind a mark waits in the
    /// terminal, so that nothing grows here.
    pub fn takes_bytes(&self) -> bool {
        self.behind.is_empty()
    }

    /// Starts the clock when a mark or a message waits for the other, and stops it when none does.
    /// A process that is `over` sends no more.
    pub fn watch(&mut self, now: Time, over: bool) {
        let orphaned = !self.sideband_open && !over;
        let misses = self.has_marks() && self.is_behind();
        if !misses && !orphaned || over {
            self.overdue = None;
        } else {
            self.overdue.get_or_insert(now + MARK_GRACE);
        }
    }

    /// When [`Stream::check`] or the next message is due.
    pub fn deadline(&self) -> Option<Time> {
        let painted = self.early.front().and_then(|early| early.painted);
        self.overdue.into_iter().chain(painted).min()
    }

    /// Whether what was printed in front of the first message is painted.
    fn is_painted_by(&self, now: Option<Time>) -> bool {
        let painted = self.early.front().and_then(|early| early.painted);
        painted.is_none_or(|painted| now.is_none_or(|now| painted <= now))
    }

    /// Whether the two have missed each other for too long.
    ///
    /// # Errors
    /// Which of them did not come.
    pub fn check(&mut self, now: Time) -> Result<(), OrderError> {
        if self.overdue.is_none_or(|overdue| overdue > now) {
            return Ok(());
        }
        self.overdue = None;
        Err(match self.early.front().and_then(|early| early.message.mark()) {
            Some(mark) => OrderError::MissingMark(mark),
            None if !self.behind.is_empty() => OrderError::MissingMessage,
            None => OrderError::SidebandClosed,
        })
    }

    /// Nothing is waited for any more: passes on what was held back. What comes after all is passed
    /// on at once.
    pub fn finish(&mut self, show: &mut impl FnMut(Shown<'_>)) {
        self.finished = true;
        self.early.clear();
        while !self.behind.is_empty() {
            self.show_up_to_mark(show);
            self.behind.pop_front();
        }
        self.splitter.finish(&mut |segment| {
            if let Segment::Bytes(bytes) = segment {
                show(Shown::Bytes(bytes));
            }
        });
    }

    /// Passes on what came before the next mark that waits for its message.
    pub fn show_up_to_mark(&mut self, show: &mut impl FnMut(Shown<'_>)) {
        while let Some(item) = self.behind.pop_front_if(|item| !matches!(item, Item::Mark(_))) {
            match item {
                Item::Bytes(bytes) => show(Shown::Bytes(&bytes)),
                Item::Echo(on) => show(Shown::Echo(on)),
                Item::Mark(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mcp_repl_sideband::{Outcome, mark_bytes};
    use proptest::prelude::*;

    use super::*;

    /// What came out: `text`, `+echo`, `-echo`, and the messages.
    #[derive(Debug, PartialEq)]
    enum Out {
        Text(String),
        Echo(bool),
        Message(ToServer),
    }

    #[derive(Debug)]
    struct Joined {
        stream: Stream,
        out: Vec<Out>,
    }

    impl Joined {
        fn new() -> Joined {
            Joined { stream: Stream::new("abc", Marks::InStream), out: Vec::new() }
        }

        fn bytes(&mut self, bytes: &[u8]) {
            let out = &mut self.out;
            self.stream.bytes(bytes, &mut |shown| push(out, shown));
            self.pump();
        }

        fn message(&mut self, message: ToServer) {
            self.stream.message(message, Time::default()).unwrap();
            self.pump();
        }

        fn pump(&mut self) {
            let out = &mut self.out;
            while let Some(message) =
                self.stream.next_message(Some(Time::default()), &mut |shown| push(out, shown))
            {
                out.push(Out::Message(message));
            }
        }

        fn finish(mut self) -> Vec<Out> {
            let out = &mut self.out;
            self.stream.finish(&mut |shown| push(out, shown));
            self.out
        }
    }

    fn push(out: &mut Vec<Out>, shown: Shown<'_>) {
        match (shown, out.last_mut()) {
            (Shown::Echo(on), _) => out.push(Out::Echo(on)),
            (Shown::Bytes(bytes), Some(Out::Text(last))) => {
                last.push_str(&String::from_utf8_lossy(bytes));
            }
            (Shown::Bytes(bytes), _) => {
                out.push(Out::Text(String::from_utf8_lossy(bytes).into_owned()));
            }
        }
    }

    fn ready(mark: u64) -> ToServer {
        ToServer::Ready { mark, discarded_bytes: 0 }
    }

    fn done(mark: u64) -> ToServer {
        ToServer::CellDone { id: 1, mark, outcome: Outcome::Ok }
    }

    fn text(text: &str) -> Out {
        Out::Text(text.into())
    }

    /// A stream with marks 1 and 2, and an echo between.
    fn bytes() -> Vec<u8> {
        let mark = |mark| mark_bytes("abc", mark);
        [
            b"one".to_vec(),
            mark(Mark::Point(1)),
            b"two".to_vec(),
            mark(Mark::EchoStart),
            b"typed".to_vec(),
            mark(Mark::EchoEnd),
            mark(Mark::Point(2)),
            b"three".to_vec(),
        ]
        .concat()
    }

    fn in_order() -> Vec<Out> {
        vec![
            text("one"),
            Out::Message(done(1)),
            text("two"),
            Out::Echo(true),
            text("typed"),
            Out::Echo(false),
            Out::Message(ready(2)),
            text("three"),
        ]
    }

    #[test]
    fn a_message_takes_effect_at_its_mark_whichever_comes_first() {
        let mut joined = Joined::new();
        joined.message(done(1));
        joined.message(ready(2));
        assert_eq!(joined.out, []);
        joined.bytes(&bytes());
        assert_eq!(joined.finish(), in_order());
        let mut joined = Joined::new();
        joined.bytes(&bytes());
        assert_eq!(joined.out, [text("one")]);
        assert!(joined.stream.awaits_message() && !joined.stream.takes_bytes());
        joined.message(done(1));
        joined.message(ready(2));
        assert!(!joined.stream.is_behind());
        assert_eq!(joined.finish(), in_order());
    }

    #[test]
    fn a_message_without_a_mark_takes_effect_at_once() {
        let mut joined = Joined::new();
        joined.message(ToServer::Interrupted);
        assert_eq!(joined.out, [Out::Message(ToServer::Interrupted)]);
    }

    #[test]
    fn messages_without_marks_are_not_kept_for_ever() {
        let mut stream = Stream::new("abc", Marks::InStream);
        assert!(
            (1..).take(MOST_EARLY).all(|mark| stream.message(ready(mark), Time::default()).is_ok())
        );
        assert_eq!(stream.message(ready(1), Time::default()), Err(OrderError::MissingMarks));
    }

    #[test]
    fn what_is_held_back_at_the_end_is_shown() {
        let mut joined = Joined::new();
        joined.bytes(&[&bytes()[..], b"\x1b]5379;"].concat());
        assert_eq!(
            joined.finish(),
            [
                text("onetwo"),
                Out::Echo(true),
                text("typed"),
                Out::Echo(false),
                text("three\x1b]5379;")
            ]
        );
    }

    #[test]
    fn what_does_not_come_is_missed_after_a_while() {
        let late = MARK_GRACE + Duration::from_secs(1);
        let mut joined = Joined::new();
        joined.message(ready(7));
        joined.stream.watch(Duration::from_secs(1), false);
        assert_eq!(joined.stream.deadline(), Some(late));
        assert_eq!(joined.stream.check(late - Duration::from_millis(1)), Ok(()));
        assert_eq!(joined.stream.check(late), Err(OrderError::MissingMark(7)));
        let mut joined = Joined::new();
        joined.bytes(&bytes());
        joined.stream.watch(Duration::from_secs(1), false);
        assert_eq!(joined.stream.check(late), Err(OrderError::MissingMessage));
        let mut joined = Joined::new();
        joined.stream.sideband_closed();
        joined.stream.watch(Duration::from_secs(1), true);
        assert_eq!(joined.stream.deadline(), None);
        joined.stream.watch(Duration::from_secs(1), false);
        assert_eq!(joined.stream.check(late), Err(OrderError::SidebandClosed));
    }

    proptest! {
        #[test]
        fn where_the_bytes_are_cut_and_when_the_messages_come_changes_nothing(
            size in 1usize..30,
            first in 0usize..60,
            second in 0usize..60,
        ) {
            let mut joined = Joined::new();
            let mut messages = [(first, done(1)), (first + second, ready(2))].into_iter().peekable();
            for (index, chunk) in bytes().chunks(size).enumerate() {
                while let Some((_, message)) = messages.next_if(|(at, _)| *at <= index * size) {
                    joined.message(message);
                }
                joined.bytes(chunk);
            }
            messages.for_each(|(_, message)| joined.message(message));
            prop_assert_eq!(joined.finish(), in_order());
        }
    }
}
