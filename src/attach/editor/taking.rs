//! What the editor takes of what is typed: keys, what is pasted, and the marks in between, by which it is
//! known outside how far it has come.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use reedline::{EditCommand, EditMode, PromptEditMode, ReedlineEvent, ReedlineRawEvent};
use tokio::sync::mpsc;

use super::cell::pasted;
use crate::{attach::feed::Pastes, terminal::Mark};

/// How far editors have come. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    /// The number of the mark that was reached, and not told yet, and 1; 0 for none.
    reached: Arc<AtomicU32>,
    tell: mpsc::UnboundedSender<u16>,
}

impl Progress {
    pub(super) fn new(tell: mpsc::UnboundedSender<u16>) -> Progress {
        Progress { reached: Arc::default(), tell }
    }

    fn reached(&self, number: u16) {
        self.reached.store(u32::from(number) + 1, Ordering::Relaxed);
    }

    /// Nobody is told.
    pub(super) fn forget(&self) {
        self.reached.store(0, Ordering::Relaxed);
    }

    /// What was taken up to here was done.
    pub(super) fn tell(&self) {
        if let Some(number) = self.reached.swap(0, Ordering::Relaxed).checked_sub(1) {
            let _ = self.tell.send(u16::try_from(number).unwrap_or_default());
        }
    }
}

/// The keys of a line editor, of this number.
pub(super) struct Taking {
    pub(super) keys: Box<dyn EditMode>,
    pub(super) number: u16,
    pub(super) progress: Progress,
    pub(super) pastes: Pastes,
}

impl EditMode for Taking {
    fn parse_event(&mut self, event: ReedlineRawEvent) -> ReedlineEvent {
        let event = event.into();
        match Mark::of(&event) {
            None => match ReedlineRawEvent::try_from(event) {
                Ok(event) => self.keys.parse_event(event),
                Err(()) => ReedlineEvent::None,
            },
            Some(Mark::Reached(number)) => {
                self.progress.reached(number);
                ReedlineEvent::None
            }
            Some(Mark::Pasted(number)) => {
                self.progress.reached(number);
                let text = self.pastes.take().unwrap_or_default();
                ReedlineEvent::Edit(vec![EditCommand::InsertString(pasted(&text))])
            }
            Some(Mark::Stop(number)) if number == self.number => {
                ReedlineEvent::ExecuteHostCommand(String::new())
            }
            Some(Mark::Stop(_)) => ReedlineEvent::None,
        }
    }

    fn edit_mode(&self) -> PromptEditMode {
        self.keys.edit_mode()
    }
}
