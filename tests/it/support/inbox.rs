//! What a server said: its messages, in the order they came, and the end of its output.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex},
    time::Instant,
};

use serde_json::Value;

use super::HANG;

/// Messages that wait to be looked at. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Inbox(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    messages: Vec<Value>,
    closed: bool,
    /// Lines that are no JSON: standard output is for messages only.
    foreign: Vec<String>,
}

impl Inbox {
    /// Reads `output` to its end in a thread of its own.
    pub(crate) fn read(output: impl Read + Send + 'static) -> Inbox {
        let inbox = Inbox::default();
        let filled = inbox.clone();
        std::thread::spawn(move || filled.fill(output));
        inbox
    }

    fn fill(&self, output: impl Read) {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while matches!(output.read_until(b'\n', &mut line), Ok(1..)) {
            let mut state = self.0.0.lock().unwrap();
            match serde_json::from_slice(&line) {
                Ok(message) => state.messages.push(message),
                Err(_) => state.foreign.push(String::from_utf8_lossy(&line).into_owned()),
            }
            self.0.1.notify_all();
            line.clear();
        }
        self.0.0.lock().unwrap().closed = true;
        self.0.1.notify_all();
    }

    /// Takes the first message that `matches`; waits for it. None when the output ended first.
    #[track_caller]
    pub(crate) fn take(&self, matches: impl Fn(&Value) -> bool) -> Option<Value> {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        let end = Instant::now() + HANG;
        loop {
            assert!(state.foreign.is_empty(), "not JSON: {:?}", state.foreign);
            if let Some(at) = state.messages.iter().position(&matches) {
                return Some(state.messages.remove(at));
            }
            if state.closed {
                return None;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no such message in {HANG:?}; there are {:?}", state.messages);
            state = changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Takes all messages that are there and `matches`, without a wait.
    pub(crate) fn take_all(&self, matches: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut state = self.0.0.lock().unwrap();
        let (taken, left) = std::mem::take(&mut state.messages).into_iter().partition(matches);
        state.messages = left;
        taken
    }
}
