//! What the session knows of a cell that is being written: whether it is whole, and what names may
//! stand in it. It is waited for no longer than a person would.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use reedline::{
    Completer, CompletionResult, CompletionStatus, Span, Suggestion, ValidationResult, Validator,
};
use tokio::runtime::Handle;

use super::{
    cell::{STEP, ends_block, indentation},
    taking::Progress,
};
use crate::session::client::{Client, Completion};

/// How long Enter or Tab waits for what the session says.
const PATIENCE: Duration = Duration::from_millis(300);

/// Asks the session, from the editor's thread. Clones are the same one.
#[derive(Clone)]
pub(in crate::attach) struct Assistant {
    client: Arc<Client>,
    event_loop: Handle,
    indentation: Indentation,
}

/// What is to be put at the start of a line that was just begun. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Indentation(Arc<Mutex<Option<String>>>);

impl Indentation {
    /// Takes it, if there is one.
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }
}

impl Assistant {
    /// Asks by way of this client, in the running event loop.
    pub(in crate::attach) fn new(client: Client) -> Assistant {
        let event_loop = Handle::current();
        Assistant { client: Arc::new(client), event_loop, indentation: Indentation::default() }
    }

    pub(super) fn indentation(&self) -> Indentation {
        self.indentation.clone()
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
    stop: Arc<AtomicBool>,
}

impl Checker {
    /// It stops the editor to have a new line indented.
    pub(super) fn new(assistant: Assistant, stop: Arc<AtomicBool>) -> Checker {
        Checker { assistant, stop }
    }
}

impl Validator for Checker {
    fn validate(&self, text: &str) -> ValidationResult {
        if text.trim().is_empty() {
            return ValidationResult::Complete;
        }
        let is_whole = !self.assistant.ask(text, text.len()).is_incomplete;
        if is_whole && ends_block(text) {
            return ValidationResult::Complete;
        }
        let indentation = indentation(text);
        if !indentation.is_empty() {
            self.assistant.indentation.set(indentation);
            self.stop.store(true, Ordering::Relaxed);
        }
        ValidationResult::Incomplete
    }
}

/// Says what names may stand where the cursor is.
pub(super) struct Names {
    assistant: Assistant,
    progress: Progress,
}

impl Names {
    pub(super) fn new(assistant: Assistant, progress: Progress) -> Names {
        Names { assistant, progress }
    }
}

impl Completer for Names {
    /// Called each time before the editor waits for keys: what it had is done.
    fn poll_completion(&mut self) -> CompletionStatus {
        self.progress.tell();
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
        CompletionResult::fresh(found.map(|name| suggestion(start, name)).collect::<Vec<_>>())
    }
}
