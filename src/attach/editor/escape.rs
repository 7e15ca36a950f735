//! The escape key while a line is edited: from there on the keyboard is not the editor's.

use std::sync::{Arc, Mutex, PoisonError};

use reedline::{EditMode, PromptEditMode, ReedlineEvent, ReedlineRawEvent};

use crate::{attach::escape_key::EscapeKey, terminal::encode_event};

/// What terminals send for Ctrl-Z.
const CTRL_Z: &[u8] = b"\x1a";
/// What the editor ends with for that.
pub(super) const STOP: &str = "stop";

/// What was typed behind the escape key, before the editor has ended for it; `None` before that.
pub(super) type BehindEscape = Arc<Mutex<Option<Vec<u8>>>>;

/// Takes what was typed.
pub(super) fn take(behind: &BehindEscape) -> Vec<u8> {
    behind.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
}

/// The keys of a line editor, but for that one.
pub(super) struct Escaping<M> {
    keys: M,
    escape: EscapeKey,
    behind: BehindEscape,
}

impl<M> Escaping<M> {
    pub(super) fn new(keys: M, escape: EscapeKey, behind: BehindEscape) -> Escaping<M> {
        Escaping { keys, escape, behind }
    }
}

impl<M: EditMode> EditMode for Escaping<M> {
    fn parse_event(&mut self, event: ReedlineRawEvent) -> ReedlineEvent {
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        let event = event.into();
        let mut bytes = Vec::new();
        encode_event(Clone::clone(&event), &mut bytes);
        if let Some(behind) = &mut *behind {
            behind.extend(bytes);
            return ReedlineEvent::None;
        }
        let is_escape = matches!(*bytes, [byte] if self.escape.byte() == Some(byte));
        if is_escape || bytes == CTRL_Z {
            *behind = Some(Vec::new());
            let command = if is_escape { "" } else { STOP };
            return ReedlineEvent::ExecuteHostCommand(command.into());
        }
        drop(behind);
        match ReedlineRawEvent::try_from(event) {
            Ok(event) => self.keys.parse_event(event),
            Err(()) => ReedlineEvent::None,
        }
    }

    fn edit_mode(&self) -> PromptEditMode {
        self.keys.edit_mode()
    }
}
