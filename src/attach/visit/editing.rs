//! The line editor's turns: when it has the terminal, how that is made ready for it, and what comes of
//! it.

use std::io;

use tokio::{task::JoinError, time::Instant};

use super::{AHEAD, Keyboard, Left, UNDISTURBED, Visit};
use crate::{
    attach::editor::{Draft, Edited, Editor, Stop},
    reply::Deed,
    session::{pipeline::Standing, rules::payload::Payload},
    terminal,
};

pub(super) type EditorEnd = Result<(Editor, io::Result<Edited>), JoinError>;

/// Waits for the editor's end.
pub(super) async fn edited(keyboard: &mut Keyboard) -> EditorEnd {
    match keyboard {
        Keyboard::Editor { editing, .. } => editing.await,
        Keyboard::Loop => std::future::pending().await,
    }
}

impl Visit {
    /// Whether the line stands on the terminal: at the prompt, and while another's cell runs, if
    /// there is something in it.
    pub(super) fn is_at_prompt(&self) -> bool {
        let is_free = match &self.standing {
            Standing::Ready | Standing::Ended => true,
            Standing::Running { client, .. } => {
                *client != self.own && !self.draft.text.is_empty() && !self.outer.is_alternate()
            }
            Standing::Starting | Standing::Waiting { .. } | Standing::Ending => false,
        };
        is_free && !self.awaits_reply && self.inner.is_some()
    }

    /// Gives the terminal to the editor where that is due and all else is written.
    pub(super) fn begin_editing(&mut self) -> io::Result<()> {
        let is_due = self.is_at_prompt()
            && matches!(self.keyboard, Keyboard::Loop)
            && !self.keys.is_escaped()
            && self.question.is_none()
            && !self.pictures.is_busy()
            && !self.in_hands.holds_editor();
        if !is_due || self.editor.is_none() {
            return Ok(());
        }
        if !std::mem::replace(&mut self.is_prepared, true) {
            self.prepare();
        }
        if !self.outer.is_done() {
            return Ok(());
        }
        let Some(editor) = self.editor.take() else { return Ok(()) };
        self.outer.is_edited();
        (self.is_prepared, self.read_from, self.was_edited) = (false, None, true);
        self.in_hands.is_restored = false;
        let (draft, stop) = (self.draft.clone(), Stop::default());
        let beside = self.beside_prompt();
        let asked = stop.clone();
        let editing = tokio::task::spawn_blocking(move || {
            let edited = editor.edit(&draft, beside, &asked);
            terminal::make_raw_again();
            (editor, edited)
        });
        let (since, is_stopping) = (Instant::now(), false);
        self.keyboard = Keyboard::Editor { editing, stop, since, is_stopping };
        Ok(())
    }

    /// Makes the terminal ready for the editor.
    pub(super) fn prepare(&mut self) {
        self.outer.take_off_status();
        if matches!(self.standing, Standing::Running { .. }) {
            // A bar, say, that is gone on with.
            self.is_above = self.outer.column() > 0;
            if self.is_above {
                self.outer.print_aside(b"\r\n");
            }
        } else {
            self.outer.restore();
            self.outer.fresh_row();
        }
    }

    /// When the editor is to stop: at once where it no longer has the terminal, else when it was
    /// undisturbed for a while.
    pub(super) fn stop_at(&self) -> Option<Instant> {
        match &self.keyboard {
            Keyboard::Editor { since, is_stopping: false, .. } if !self.waiting.is_empty() => {
                Some(*since + UNDISTURBED)
            }
            _ => None,
        }
    }

    pub(super) fn stop_editor(&mut self) {
        if let Keyboard::Editor { stop, is_stopping, .. } = &mut self.keyboard {
            stop.ask();
            *is_stopping = true;
        }
    }

    /// The editor ended.
    pub(super) fn edited(&mut self, ended: EditorEnd) -> io::Result<Option<Left>> {
        let (editor, edited) = ended.map_err(io::Error::other)?;
        (self.keyboard, self.editor) = (Keyboard::Loop, Some(editor));
        self.outer.is_not_edited();
        let (mut left, mut behind_escape) = (None, None);
        match edited? {
            ended @ (Edited::Cell(_) | Edited::Cleared | Edited::End)
                if self.in_hands.is_edited() =>
            {
                self.outer.is_below();
                self.is_above = false;
                self.edited_cell(if let Edited::Cell(text) = ended { Some(text) } else { None });
            }
            Edited::Cell(text) => {
                self.outer.is_below();
                (self.draft, self.is_above) = (Draft::default(), false);
                if !text.trim().is_empty() {
                    self.run_cell(text);
                }
            }
            Edited::Cleared => {
                self.outer.is_below();
                (self.draft, self.is_above) = (Draft::default(), false);
            }
            Edited::End => {
                self.outer.is_below();
                left = self.end_of_input();
            }
            Edited::Escape(draft, typed) => {
                self.draft = draft;
                self.take_off();
                self.keys.escaped();
                behind_escape = Some(typed);
            }
            Edited::Suspend(draft, typed) => {
                self.draft = draft;
                self.take_off();
                self.wants_stop = true;
                behind_escape = Some(typed);
            }
            Edited::Stopped(draft) => {
                self.draft = draft;
                self.take_off();
            }
        }
        self.show_waiting();
        if self.is_over() {
            left = Some(Left::Ended { status: 0 });
        }
        if !self.is_at_prompt() && self.read_from.is_none() {
            self.give_back();
        }
        if let Some(mut typed) = behind_escape {
            typed.extend(self.typed_ahead()?);
            left = left.or_else(|| self.typed(&typed));
        } else if !self.is_at_prompt() && self.read_from.is_none() {
            left = left.or(self.read_on()?);
        }
        Ok(left)
    }

    /// Takes the line off the terminal.
    pub(super) fn take_off(&mut self) {
        let up = self.draft.rows_above(self.size.columns);
        let mut off = String::from("\r");
        if up > 0 {
            off += &format!("\x1b[{up}A");
        }
        off += "\x1b[J";
        if std::mem::take(&mut self.is_above) {
            off += &format!("\x1b[A\x1b[{}G", self.outer.column() + 1);
        }
        self.outer.print_aside(off.as_bytes());
    }

    pub(super) fn run_cell(&mut self, text: String) {
        if !self.is_lead() {
            self.lead();
        }
        self.own_deeds.push_back(Deed::Ran { source: text.clone() });
        self.call(Payload::Text(text));
        self.awaits_reply = true;
        self.read_from = Some(Instant::now() + AHEAD);
        self.give_back();
    }

    /// The terminal is the session's again.
    pub(super) fn give_back(&mut self) {
        if let Some(inner) = &self.inner {
            let modes = inner.dump_modes();
            self.outer.print(&modes);
        }
    }
}
