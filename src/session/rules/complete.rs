//! Completion: a worker that is ready is asked what may stand at a place of a cell that is not sent
//! yet. It is no call: it moves no state and holds nothing up. Pure.

use std::time::Duration;

use mcp_repl_sideband::ToWorker;

use super::{
    Action, Session,
    state::{State, Time},
};

/// How long an answer is worth something.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// The longest text that a worker is asked about, in bytes.
const LONGEST_TEXT: usize = 1 << 20;
/// How often a worker is asked that answers nothing, so that nothing grows on the way to it.
const MOST_UNANSWERED: u32 = 16;
/// The most that is handed on of an answer.
const MOST_MATCHES: usize = 500;

/// The number of a completion.
pub type CompletionId = u64;

/// What may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Completion {
    /// Where the text to be replaced begins, in characters.
    pub start: usize,
    /// What may take its place.
    pub matches: Vec<String>,
    /// Whether the cell as it stands has no end yet.
    pub is_incomplete: bool,
}

/// What is asked of the worker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Completions {
    /// What an answer is waited for; the newest, since a client that asks again has typed on.
    newest: Option<Asked>,
    /// How often the worker was asked since it answered.
    unanswered: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    id: CompletionId,
    cursor: usize,
    deadline: Time,
}

impl Completions {
    /// When an answer is worth nothing any more.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.newest.map(|asked| asked.deadline)
    }
}

impl Session {
    /// Asks the worker, if it can be asked now; else nothing is known.
    pub(super) fn complete(
        &mut self,
        id: CompletionId,
        text: String,
        cursor: usize,
        is_understood: bool,
    ) {
        let is_askable = is_understood
            && matches!(self.state, State::Ready { .. })
            && self.completions.unanswered < MOST_UNANSWERED
            && text.len() <= LONGEST_TEXT;
        if !is_askable {
            return self.act(Action::Completed { id, completion: None });
        }
        self.forget_completion();
        self.completions.unanswered += 1;
        self.completions.newest = Some(Asked { id, cursor, deadline: self.now + PATIENCE });
        self.act(Action::Complete(ToWorker::Complete { id, text, cursor: cursor as u64 }));
    }

    /// The worker answered. To what nobody waits for any more, an answer says nothing.
    pub(super) fn completed(
        &mut self,
        id: CompletionId,
        start: u64,
        mut matches: Vec<String>,
        is_incomplete: bool,
    ) {
        self.completions.unanswered = 0;
        let Some(asked) = self.completions.newest.take_if(|asked| asked.id == id) else { return };
        // A name is shown to people: nothing in it may move their cursor.
        matches.retain(|name| !name.is_empty() && !name.contains(char::is_control));
        matches.truncate(MOST_MATCHES);
        let start = usize::try_from(start).ok().filter(|&start| start <= asked.cursor);
        let says_something = is_incomplete || !matches.is_empty();
        let completion = start.filter(|_| says_something);
        let completion = completion.map(|start| Completion { start, matches, is_incomplete });
        self.act(Action::Completed { id, completion });
    }

    /// After each event: an answer is worth nothing once a cell was sent, the worker went, or time
    /// is up.
    pub(super) fn drop_stale_completion(&mut self) {
        let is_ready = matches!(self.state, State::Ready { .. });
        if !is_ready {
            self.completions.unanswered = 0;
        }
        if !is_ready || self.completions.deadline().is_some_and(|due| due <= self.now) {
            self.forget_completion();
        }
    }

    fn forget_completion(&mut self) {
        if let Some(Asked { id, .. }) = self.completions.newest.take() {
            self.act(Action::Completed { id, completion: None });
        }
    }
}
