//! What the editor takes of what is typed: keys, what is pasted, and the marks in between, by which it is
//! known outside how far it has come.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicU32, Ordering},
};

use reedline::{
    EditCommand, EditMode, KeyCode, KeyModifiers, PromptEditMode, PromptViMode, ReedlineEvent,
    ReedlineRawEvent,
};
use tokio::sync::mpsc;

use super::{
    cell::{as_code, pasted},
    margin::{Here, Margins},
};
use crate::{
    attach::{feed::Texts, questions::Settled},
    pty,
    terminal::{Mark, event_of, key_of},
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

/// What was found when names were asked for last, which stands below the cell until then. Clones are the
/// same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown(Arc<AtomicU8>);

impl Shown {
    const NOTHING: u8 = 1;
    const NAMES: u8 = 2;

    pub(super) fn found(&self, anything: bool) {
        let found = if anything { Shown::NAMES } else { Shown::NOTHING };
        self.0.store(found, Ordering::Relaxed);
    }

    /// Whether this key takes it away. Names stay for the keys that go through them; where there are none,
    /// they can be asked for again.
    fn is_over(&self, code: KeyCode) -> bool {
        let goes_on = match code {
            KeyCode::Tab => self.0.load(Ordering::Relaxed) == Shown::NAMES,
            KeyCode::BackTab | KeyCode::Up | KeyCode::Down | KeyCode::Left | KeyCode::Right => true,
            _ => false,
        };
        !goes_on && self.0.swap(0, Ordering::Relaxed) != 0
    }
}

/// The keys of a line editor, of this number.
pub(super) struct Taking {
    pub(super) keys: Box<dyn EditMode>,
    pub(super) number: u16,
    pub(super) progress: Progress,
    pub(super) texts: Texts,
    pub(super) shown: Shown,
    /// `None` where cells are no Python.
    pub(super) margins: Option<Margins>,
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

    /// What a key does by where the cursor is in a cell of Python.
    fn by_place(&mut self, (modifiers, code): (KeyModifiers, KeyCode)) -> Option<ReedlineEvent> {
        let types = !matches!(
            self.keys.edit_mode(),
            PromptEditMode::Vi(PromptViMode::Normal | PromptViMode::Visual)
        );
        let margins = self.margins.as_ref().filter(|_| types)?;
        let goes_through = match code {
            KeyCode::Up | KeyCode::Down => true,
            KeyCode::Char('p' | 'n') => modifiers == KeyModifiers::CONTROL,
            _ => false,
        };
        // Enter alone says that it stays so.
        let is_called_up = margins.is_called_up();
        let mut here = margins.pressed(goes_through)?;
        match code {
            KeyCode::Enter if modifiers == KeyModifiers::ALT => {
                let margin = EditCommand::InsertString(margins.next_line());
                Some(ReedlineEvent::Edit(vec![EditCommand::InsertNewline, margin]))
            }
            KeyCode::Enter if modifiers.is_empty() && here.is_amid && !is_called_up => {
                margins.divide();
                None
            }
            KeyCode::Backspace if modifiers.is_empty() && !here.blanks.is_empty() => {
                let count = here.step_back();
                let here = Here { closing: None, ..here };
                margins.stands(here);
                Some(ReedlineEvent::Edit(vec![EditCommand::Backspace; count]))
            }
            KeyCode::Char(bracket @ (')' | ']' | '}'))
                if (modifiers - KeyModifiers::SHIFT).is_empty() =>
            {
                let margin = here.closing.take()?;
                let mut commands = vec![EditCommand::Backspace; here.blanks.chars().count()];
                commands.push(EditCommand::InsertString(format!("{margin}{bracket}")));
                Some(ReedlineEvent::Edit(commands))
            }
            _ => None,
        }
    }

    /// What the editor's own keys make of this.
    fn key_event(&mut self, event: impl TryInto<ReedlineRawEvent>) -> ReedlineEvent {
        event.try_into().map_or(ReedlineEvent::None, |event| self.keys.parse_event(event))
    }

    /// What is put in for what was pasted.
    fn pasted(&self) -> String {
        let text = pasted(&self.texts.take().unwrap_or_default());
        let here = self.margins.as_ref().and_then(|margins| margins.pressed(false));
        match here {
            Some(Here { is_empty: true, .. }) => as_code(text),
            _ => text,
        }
    }

    /// What a key does.
    fn pressed(
        &mut self,
        key: (KeyModifiers, KeyCode),
        event: impl TryInto<ReedlineRawEvent>,
    ) -> ReedlineEvent {
        if self.is_external(key) {
            return self.leave(EXTERNAL);
        }
        let is_over = self.shown.is_over(key.1);
        let does = match self.by_place(key) {
            Some(does) => does,
            None => self.key_event(event),
        };
        // Esc takes names away, and does nothing else. Enter may be for the one that is chosen.
        match does {
            does @ (ReedlineEvent::Edit(_) | ReedlineEvent::UntilFound(_)) if is_over => {
                ReedlineEvent::Multiple(vec![ReedlineEvent::Esc, does])
            }
            does => does,
        }
    }

    /// What characters do that are typed in one go: what each of them does, in one event.
    fn typed(&mut self, text: &str) -> ReedlineEvent {
        let (mut all, mut edits) = (Vec::new(), Vec::new());
        for character in text.chars() {
            let event = event_of(character);
            let Some(key) = key_of(&event) else { continue };
            match self.pressed(key, event) {
                ReedlineEvent::Edit(commands) => edits.extend(commands),
                ReedlineEvent::None => {}
                does => {
                    if !edits.is_empty() {
                        all.push(ReedlineEvent::Edit(std::mem::take(&mut edits)));
                    }
                    all.push(does);
                }
            }
        }
        // Only edits by themselves are for a search.
        if all.is_empty() {
            return ReedlineEvent::Edit(edits);
        }
        all.push(ReedlineEvent::Edit(edits));
        ReedlineEvent::Multiple(all)
    }
}

impl EditMode for Taking {
    fn parse_event(&mut self, event: ReedlineRawEvent) -> ReedlineEvent {
        let event = event.into();
        if let Some(key) = key_of(&event) {
            return self.pressed(key, event);
        }
        match Mark::of(&event) {
            None => self.key_event(event),
            Some(Mark::Reached(number)) => {
                self.progress.reached(number);
                ReedlineEvent::None
            }
            Some(Mark::Begun(number)) => {
                self.progress.reached(number);
                match self.margins.as_ref().and_then(Margins::take_begun) {
                    Some(margin) => ReedlineEvent::Edit(vec![EditCommand::InsertString(margin)]),
                    None => ReedlineEvent::None,
                }
            }
            Some(Mark::Pasted(number)) => {
                self.progress.reached(number);
                ReedlineEvent::Edit(vec![EditCommand::InsertString(self.pasted())])
            }
            Some(Mark::Typed) => {
                let text = self.texts.take().unwrap_or_default();
                self.typed(&text)
            }
            Some(Mark::Stop(number)) if number == self.number => self.leave(""),
            Some(Mark::Stop(_)) => ReedlineEvent::None,
        }
    }

    fn edit_mode(&self) -> PromptEditMode {
        self.keys.edit_mode()
    }
}

#[cfg(test)]
mod tests {
    use reedline::{
        Emacs, Vi, default_emacs_keybindings, default_vi_insert_keybindings,
        default_vi_normal_keybindings, default_vi_visual_keybindings,
    };

    use super::*;

    fn taking(keys: Box<dyn EditMode>) -> Taking {
        Taking {
            keys,
            number: 1,
            progress: Progress::new(mpsc::unbounded_channel().0, Settled::default()),
            texts: Texts::default(),
            shown: Shown::default(),
            margins: None,
            before: None,
        }
    }

    #[test]
    fn what_is_typed_in_one_go_is_one_edit_and_commands_where_those_are_keys() {
        let insert = |text: &str| text.chars().map(EditCommand::InsertChar).collect::<Vec<_>>();
        let mut emacs = taking(Box::new(Emacs::new(default_emacs_keybindings())));
        assert_eq!(emacs.typed("aÉ"), ReedlineEvent::Edit(insert("aÉ")));
        let mut vi = taking(Box::new(Vi::new(
            default_vi_insert_keybindings(),
            default_vi_normal_keybindings(),
            default_vi_visual_keybindings(),
        )));
        assert_eq!(vi.typed("ab"), ReedlineEvent::Edit(insert("ab")));
        let _ = vi.keys.handle_mode_specific_event(ReedlineEvent::SwitchMode(PromptEditMode::Vi(
            PromptViMode::Normal,
        )));
        // `x` is a command there, and `i` has what follows be text again.
        let does = vi.typed("xib");
        assert!(matches!(&does, ReedlineEvent::Multiple(all) if all.len() > 1), "{does:?}");
        assert!(format!("{does:?}").ends_with("InsertChar('b')])])"), "{does:?}");
    }
}
