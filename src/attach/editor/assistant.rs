//! What the session knows of a cell that is being written: whether it is whole, and what names may
//! stand in it. It is waited for no longer than a person would.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use reedline::{
    Completer, CompletionResult, CompletionStatus, Span, Suggestion, ValidationResult, Validator,
};
use tokio::runtime::Handle;

use super::{
    cell::{STEP, ends_block},
    margin::Margins,
    taking::{Progress, Shown},
};
use crate::{
    pty::EditorTurn,
    session::client::{self, Client, Completion},
};

/// How long Enter or Tab waits for what the session says.
const PATIENCE: Duration = Duration::from_millis(300);

/// What the worker of this project says it is (`docs/sideband.md`, `hello`).
const PYTHON: &str = "cpython";

/// Asks the session, from the editor's thread. Clones are the same one.
#[derive(Clone)]
pub(in crate::attach) struct Assistant {
    session: client::Handle,
    client: Arc<Client>,
    event_loop: Handle,
    /// What its worker says it is, once that is known: it is the same program as long as the session lives.
    implementation: Arc<OnceLock<String>>,
}

impl Assistant {
    /// Asks this session, in the running event loop.
    pub(in crate::attach) fn new(session: &client::Handle) -> Assistant {
        Assistant {
            session: session.clone(),
            client: Arc::new(session.join()),
            event_loop: Handle::current(),
            implementation: Arc::default(),
        }
    }

    /// Whether cells are Python, as they are taken to be where no worker has said what it is.
    pub(super) fn is_python(&self) -> bool {
        if self.implementation.get().is_none() {
            let asked = async { tokio::time::timeout(PATIENCE, self.session.worker()).await };
            if let Ok(Some(worker)) = self.event_loop.block_on(asked) {
                let _ = self.implementation.set(worker.implementation);
            }
        }
        self.implementation.get().is_none_or(|implementation| implementation == PYTHON)
    }

    /// What is known of a cell of which the cursor is at this place, in bytes.
    fn ask(&self, text: &str, cursor: usize) -> Completion {
        let characters = text[..cursor].chars().count();
        let asked = self.client.complete(text.to_owned(), characters);
        let bounded = async { tokio::time::timeout(PATIENCE, asked).await };
        self.event_loop.block_on(bounded).unwrap_or_default()
    }
}

/// Says whether Enter ends the cell.
pub(super) struct Checker {
    assistant: Assistant,
    margins: Option<Margins>,
}

impl Checker {
    /// It tells `margins` where a line is begun. Without them all is whole: it is no Python.
    pub(super) fn new(assistant: Assistant, margins: Option<Margins>) -> Checker {
        Checker { assistant, margins }
    }
}

impl Validator for Checker {
    fn validate(&self, text: &str) -> ValidationResult {
        let Some(margins) = self.margins.as_ref().filter(|_| !text.trim().is_empty()) else {
            return ValidationResult::Complete;
        };
        let is_whole = || !self.assistant.ask(text, text.len()).is_incomplete && ends_block(text);
        if !margins.take_divided() && is_whole() {
            return ValidationResult::Complete;
        }
        margins.begin();
        ValidationResult::Incomplete
    }
}

/// Says what names may stand where the cursor is.
pub(super) struct Names {
    assistant: Assistant,
    progress: Progress,
    shown: Shown,
    turn: EditorTurn,
}

impl Names {
    /// For an editor whose turn begins.
    pub(super) fn new(assistant: Assistant, progress: Progress, shown: Shown) -> Names {
        Names { assistant, progress, shown, turn: EditorTurn::begin() }
    }
}

impl Completer for Names {
    /// Called each time before the editor waits for keys: what it had is done.
    fn poll_completion(&mut self) -> CompletionStatus {
        self.progress.tell();
        self.turn.wait();
        CompletionStatus::Idle
    }

    fn complete(&mut self, text: &str, cursor: usize) -> CompletionResult {
        let suggestion = |start: usize, value: String| Suggestion {
            value,
            span: Span::new(start, cursor),
            ..Suggestion::default()
        };
        let line = text[..cursor].rsplit('\n').next().unwrap_or_default();
        if line.trim().is_empty() {
            return CompletionResult::fresh(vec![suggestion(cursor, STEP.into())]);
        }
        let Completion { start, matches, .. } = self.assistant.ask(text, cursor);
        let start = text.char_indices().nth(start).map_or(text.len(), |(at, _)| at);
        let found = matches.into_iter().filter(|_| start <= cursor);
        let found: Vec<_> = found.map(|name| suggestion(start, name)).collect();
        self.shown.found(!found.is_empty());
        match found.is_empty() {
            // The editor would say in words of its own that there is nothing.
            true => CompletionResult::Pending,
            false => CompletionResult::fresh(found),
        }
    }
}
