//! What the editor takes of what is typed: keys, what is pasted, and the marks in between, by which it is
//! known outside how far it has come.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use reedline::{
    EditCommand, EditMode, KeyCode, KeyModifiers, PromptEditMode, PromptViMode, ReedlineEvent,
    ReedlineRawEvent,
};
use tokio::sync::mpsc;

use super::{
    cell::pasted,
    margin::{Closing, Margins},
};
use crate::{
    attach::{feed::Pastes, questions::Settled},
    pty,
    terminal::{Mark, key_of},
};

/// How far editors have come. Clones are the same one.
#[derive(Debug, Clone)]
pub(in crate::attach) struct Progress {
    /// The number of the mark that was reached, and not told yet, and 1; 0 for none.
    reached: Arc<AtomicU32>,
    tell: mpsc::UnboundedSender<u16>,
    settled: Settled,
}

impl Progress {
    /// That of editors that tell the numbers of marks, and count in `settled` what they ask the terminal
    /// and have answered themselves.
    pub(in crate::attach) fn new(tell: mpsc::UnboundedSender<u16>, settled: Settled) -> Progress {
        Progress { reached: Arc::default(), tell, settled }
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

/// What a terminal says whose cursor is in the first place.
const SOMEWHERE: &[u8] = b"\x1b[1;1R";

/// The keys of a line editor, of this number.
pub(super) struct Taking {
    pub(super) keys: Box<dyn EditMode>,
    pub(super) number: u16,
    pub(super) progress: Progress,
    pub(super) pastes: Pastes,
    pub(super) margins: Margins,
    /// The key before this one.
    pub(super) before: Option<(KeyModifiers, KeyCode)>,
}

/// What an editor ends with where the cell is to be edited elsewhere.
pub(super) const EXTERNAL: &str = "external";

impl Taking {
    /// Whether this key is for the person's own editor: Ctrl-X Ctrl-E, and `v` in vi's normal mode, as
    /// bash has them.
    fn is_external(&mut self, key: (KeyModifiers, KeyCode)) -> bool {
        const CTRL_X: (KeyModifiers, KeyCode) = (KeyModifiers::CONTROL, KeyCode::Char('x'));
        const CTRL_E: (KeyModifiers, KeyCode) = (KeyModifiers::CONTROL, KeyCode::Char('e'));
        const V: (KeyModifiers, KeyCode) = (KeyModifiers::NONE, KeyCode::Char('v'));
        let before = self.before.replace(key);
        match self.keys.edit_mode() {
            PromptEditMode::Vi(PromptViMode::Normal) => {
                // Behind those it is their argument.
                let is_argument = matches!(
                    before,
                    Some((_, KeyCode::Char('f' | 'F' | 't' | 'T' | 'r' | 'd' | 'c' | 'y')))
                );
                key == V && !is_argument
            }
            PromptEditMode::Emacs => before == Some(CTRL_X) && key == CTRL_E,
            _ => false,
        }
    }
}

impl Taking {
    /// Ends the editor with this. It asks the terminal where its cursor is then, for the time when it is
    /// there again, which never comes: it is told at once, and does not wait for a terminal that is
    /// far away, or has a paste to hand on first.
    fn leave(&self, command: &str) -> ReedlineEvent {
        self.progress.settled.add();
        pty::give_to_editor(SOMEWHERE);
        ReedlineEvent::ExecuteHostCommand(command.into())
    }

    /// What a closing bracket does that begins a line.
    fn closes(&self, (modifiers, code): (KeyModifiers, KeyCode)) -> Option<ReedlineEvent> {
        let Closing { blanks, margin } = self.margins.take_closing()?;
        let types = !matches!(
            self.keys.edit_mode(),
            PromptEditMode::Vi(PromptViMode::Normal | PromptViMode::Visual)
        );
        let KeyCode::Char(bracket @ (')' | ']' | '}')) = code else { return None };
        let is_plain = (modifiers - KeyModifiers::SHIFT).is_empty();
        (types && is_plain).then(|| {
            let mut commands = vec![EditCommand::Backspace; blanks];
            commands.push(EditCommand::InsertString(format!("{margin}{bracket}")));
            ReedlineEvent::Edit(commands)
        })
    }
}

impl EditMode for Taking {
    fn parse_event(&mut self, event: ReedlineRawEvent) -> ReedlineEvent {
        let event = event.into();
        if let Some(key) = key_of(&event) {
            if self.is_external(key) {
                return self.leave(EXTERNAL);
            }
            if let Some(closes) = self.closes(key) {
                return closes;
            }
        }
        match Mark::of(&event) {
            None => match ReedlineRawEvent::try_from(event) {
                Ok(event) => self.keys.parse_event(event),
                Err(()) => ReedlineEvent::None,
            },
            Some(Mark::Reached(number)) => {
                self.progress.reached(number);
                ReedlineEvent::None
            }
            Some(Mark::Begun(number)) => {
                self.progress.reached(number);
                match self.margins.take_begun() {
                    Some(margin) => ReedlineEvent::Edit(vec![EditCommand::InsertString(margin)]),
                    None => ReedlineEvent::None,
                }
            }
            Some(Mark::Pasted(number)) => {
                self.progress.reached(number);
                let text = self.pastes.take().unwrap_or_default();
                ReedlineEvent::Edit(vec![EditCommand::InsertString(pasted(&text))])
            }
            Some(Mark::Stop(number)) if number == self.number => self.leave(""),
            Some(Mark::Stop(_)) => ReedlineEvent::None,
        }
    }

    fn edit_mode(&self) -> PromptEditMode {
        self.keys.edit_mode()
    }
}
