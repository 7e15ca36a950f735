//! What is to be typed into the terminal, and how much of it the terminal takes at a time. Pure.
//!
//! A canonical terminal gets what its line discipline holds, and more only when its reader has
//! taken that: what the kernel would queue in front of it could not be taken back at the end of
//! the cell.

use std::{collections::VecDeque, time::Duration};

use crate::session::rules::state::Time;

/// How much a canonical terminal's line discipline holds, in bytes (Linux: `N_TTY_BUF_SIZE`).
const LINE_DISCIPLINE: usize = 4096;
/// How much of a write reaches the line discipline at once, in bytes (`iterate_tty_write` in
/// Linux's drivers/tty/tty_io.c): a reader may be done before the rest is there.
const AT_ONCE: usize = 2048;
/// How much of a line is typed before it is asked again whether the terminal holds input, in bytes.
const UNASKED: usize = 256;
/// How often a terminal that holds input is looked at while more is to be typed: nothing tells
/// when a reader has taken what was typed.
const PACE: Duration = Duration::from_millis(2);

/// What is typed, what is left of it, what is dropped.
#[derive(Debug, Default)]
pub struct Typist {
    /// What the terminal did not take yet.
    queue: VecDeque<u8>,
    /// Whether the terminal took anything since what it holds was last dropped.
    has_typed: bool,
    /// How much of a line was typed since the terminal was found to hold no input; `None` where that is
    /// to be asked.
    unasked: Option<usize>,
    /// When the terminal is tried again.
    due: Option<Time>,
}

/// How the terminal stands to input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputState {
    /// Readers get whole lines.
    pub canonical: bool,
    /// There is input that nobody has read.
    pub holds_input: bool,
}

impl Typist {
    /// Adds to what is to be typed.
    pub fn push(&mut self, bytes: &[u8]) {
        self.queue.extend(bytes);
    }

    /// Whether something is still to be typed.
    pub fn is_typing(&self) -> bool {
        !self.queue.is_empty()
    }

    /// How much is still to be typed, in bytes.
    pub fn backlog(&self) -> usize {
        self.queue.len()
    }

    /// When the terminal is to be tried again; `None` when there is nothing to type.
    pub fn deadline(&self) -> Option<Time> {
        self.due
    }

    /// Whether a canonical terminal is to be asked whether it holds input: not for each key of a line,
    /// which is none before its end.
    pub fn asks_for_input(&self) -> bool {
        self.unasked.is_none_or(|typed| typed >= UNASKED)
    }

    /// What the terminal is to be given now, if it stands like this.
    pub fn next_write(&mut self, state: InputState) -> &[u8] {
        let queue = &*self.queue.make_contiguous();
        match state {
            InputState { canonical: false, .. } => queue,
            InputState { holds_input: true, .. } => &[],
            InputState { .. } => whole_lines(queue),
        }
    }

    /// The terminal took this many bytes of it. Whether it is to be tried again at once; else
    /// the next try is set.
    pub fn wrote(&mut self, count: usize, state: InputState, now: Time) -> bool {
        // Any control character may end a line (POSIX: NL, EOF, EOL).
        let ends_line = self.queue.drain(..count).any(|byte| byte < b' ');
        let may_hold = state.holds_input || (count > 0 && (ends_line || !state.canonical));
        let before = self.unasked.filter(|&typed| typed < UNASKED).unwrap_or(0);
        self.unasked = (state.canonical && !may_hold).then_some(before + count);
        self.has_typed |= count > 0;
        // What was written takes a moment to show in what a canonical terminal holds.
        let again = count > 0 && !state.canonical && self.is_typing();
        self.due = (self.is_typing() && !again).then_some(now + PACE);
        again
    }

    /// Drops what is still to be typed. How much that was, in bytes, and whether what the terminal
    /// holds is to be dropped, too.
    pub fn drop_all(&mut self) -> (u64, bool) {
        (self.due, self.unasked) = (None, None);
        let dropped = self.queue.len() as u64;
        self.queue.clear();
        (dropped, std::mem::take(&mut self.has_typed))
    }
}

/// The first lines that reach the line discipline at once; a line longer than that by itself, and
/// no more of one without an end than fits.
fn whole_lines(queue: &[u8]) -> &[u8] {
    let is_end = |&byte: &u8| byte == b'\n';
    let first = |most: usize| &queue[..queue.len().min(most)];
    let whole = first(AT_ONCE).iter().rposition(is_end);
    let whole = whole.or_else(|| first(LINE_DISCIPLINE).iter().position(is_end));
    whole.map_or(first(LINE_DISCIPLINE), |end| &queue[..=end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FREE: InputState = InputState { canonical: true, holds_input: false };
    const HELD: InputState = InputState { canonical: true, holds_input: true };
    const RAW: InputState = InputState { canonical: false, holds_input: true };
    const NOW: Time = Duration::from_secs(1);

    fn typist(text: &str) -> Typist {
        let mut typist = Typist::default();
        typist.push(text.as_bytes());
        typist
    }

    #[test]
    fn a_canonical_terminal_gets_whole_lines_while_it_holds_none() {
        let mut typist = typist("one\ntwo\nhalf");
        assert_eq!(typist.next_write(HELD), b"");
        assert!(!typist.wrote(0, HELD, NOW));
        assert_eq!(typist.deadline(), Some(NOW + PACE));
        assert_eq!(typist.next_write(FREE), b"one\ntwo\n");
        assert!(!typist.wrote(8, FREE, NOW));
        assert_eq!(typist.next_write(FREE), b"half");
        assert!(!typist.wrote(4, FREE, NOW));
        assert_eq!((typist.is_typing(), typist.deadline()), (false, None));
    }

    #[test]
    fn it_is_asked_whether_the_terminal_holds_input_once_a_line() {
        let press = |typist: &mut Typist, key: &str, state| {
            let asks = typist.asks_for_input();
            typist.push(key.as_bytes());
            typist.wrote(key.len(), state, NOW);
            asks
        };
        let mut typist = Typist::default();
        assert!(press(&mut typist, "a", FREE));
        assert!(!press(&mut typist, "b", FREE));
        assert!(!press(&mut typist, "\x7f", FREE));
        assert!(!press(&mut typist, "\r", FREE));
        assert!(press(&mut typist, "c", FREE));
        assert!(!press(&mut typist, "d", RAW));
        assert!(press(&mut typist, "e", FREE));
        assert!(!press(&mut typist, &"f".repeat(UNASKED), FREE));
        assert!(press(&mut typist, "g", FREE));
        assert!(!press(&mut typist, "h", FREE));
        typist.push(b"i");
        typist.wrote(0, HELD, NOW);
        assert!(typist.asks_for_input());
        assert!(press(&mut typist, "", FREE));
        typist.drop_all();
        assert!(typist.asks_for_input());
    }

    #[test]
    fn a_raw_terminal_gets_all_it_takes() {
        let mut typist = typist(&"x".repeat(10_000));
        assert_eq!(typist.next_write(RAW).len(), 10_000);
        assert!(typist.wrote(4000, RAW, NOW));
        assert!(!typist.wrote(0, RAW, NOW));
        assert_eq!(typist.next_write(RAW).len(), 6000);
    }

    #[test]
    fn what_nobody_has_read_is_dropped_and_counted() {
        let mut typist = typist("one\n");
        assert_eq!(typist.drop_all(), (4, false));
        typist.push(b"two\nthree");
        assert!(!typist.wrote(4, FREE, NOW));
        assert_eq!(typist.drop_all(), (5, true));
        assert_eq!((typist.drop_all(), typist.deadline()), ((0, false), None));
    }

    #[test]
    fn a_try_that_is_due_is_not_put_off_by_what_happens_meanwhile() {
        let mut typist = typist("line\n");
        typist.wrote(0, HELD, NOW);
        typist.push(b"more\n");
        assert_eq!(typist.deadline(), Some(NOW + PACE));
    }

    proptest! {
        #[test]
        fn every_byte_is_typed_once_and_in_order(
            lines in prop::collection::vec("[a-z]{0,3000}\n?", 0..6),
            cuts in prop::collection::vec(0usize..3000, 0..6),
            states in prop::collection::vec(prop::sample::select(&[FREE, HELD, RAW][..]), 1..50),
            takes in prop::collection::vec(0usize..5000, 1..50),
        ) {
            let mut states = states.iter().cycle();
            let mut takes = takes.iter().cycle();
            let text = lines.concat();
            let mut typist = Typist::default();
            let mut rest = text.as_bytes();
            let mut typed: Vec<u8> = Vec::new();
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (part, after) = rest.split_at(cut.min(rest.len()));
                rest = after;
                typist.push(part);
                let rounds = if rest.is_empty() { 10_000 } else { 20 };
                for state in states.by_ref().take(rounds) {
                    let write = typist.next_write(*state);
                    prop_assert!(!state.canonical || write.len() <= LINE_DISCIPLINE);
                    prop_assert!(*state != HELD || write.is_empty());
                    let taken = write.len().min(*takes.next().unwrap_or(&1));
                    typed.extend(&write[..taken]);
                    let again = typist.wrote(taken, *state, NOW);
                    // What is left is tried again, at once or at a set time.
                    prop_assert_eq!(typist.is_typing(), again || typist.deadline().is_some());
                }
            }
            typed.extend(typist.next_write(RAW));
            prop_assert_eq!(typed, text.as_bytes());
        }
    }
}
