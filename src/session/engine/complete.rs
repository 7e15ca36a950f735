//! Completions: who asked for one, and where its answer goes.

use std::collections::HashMap;

use tokio::sync::oneshot;

use super::Engine;
use crate::session::{
    pipeline::Input,
    rules::complete::{Completion, CompletionId},
};

/// What was asked for and is not answered yet.
#[derive(Debug, Default)]
pub(super) struct Completions {
    last: CompletionId,
    asked: HashMap<CompletionId, oneshot::Sender<Completion>>,
}

impl Completions {
    /// Answers who asked; one who is to learn that nothing is known learns it by the sender's end.
    pub(super) fn answer(&mut self, id: CompletionId, completion: Option<Completion>) {
        if let (Some(answer), Some(completion)) = (self.asked.remove(&id), completion) {
            let _ = answer.send(completion);
        }
    }
}

impl Engine {
    /// Asks for what may stand at a place of a cell, if somebody can tell.
    pub(super) fn complete(
        &mut self,
        text: String,
        cursor: usize,
        answer: oneshot::Sender<Completion>,
    ) {
        self.completions.last += 1;
        let id = self.completions.last;
        self.completions.asked.insert(id, answer);
        self.take(Input::Complete { id, text, cursor });
    }
}
