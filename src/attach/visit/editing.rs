//! The line editor's turns: when it has the terminal, how that is made ready for it, and what comes of
//! it.

use std::io;

use tokio::{task::JoinError, time::Instant};

use super::{AHEAD, Feed, Keyboard, Left, MOST_TYPED, PATIENCE, UNDISTURBED, Visit};
use crate::{
    attach::editor::{Draft, Edited, Editor},
    reply::Deed,
    session::{pipeline::Standing, rules::payload::Payload},
    terminal::Mark,
};

pub(super) type EditorEnd = Result<(Editor, io::Result<Edited>), JoinError>;

/// Waits for the editor's end.
pub(super) async fn edited(keyboard: &mut Keyboard) -> EditorEnd {
    match keyboard {
        Keyboard::Editor { editing, .. } => editing.await,
        Keyboard::Loop => std::future::pending().await,
    }
}

/// Waits until the editor has taken what it was given.
pub(super) async fn taken(feed: &mut Option<Feed>) -> io::Result<()> {
    match feed {
        Some(feed) => feed.reached().await,
        None => std::future::pending().await,
    }
}

impl Visit {
    /// Whether the line stands on the terminal: at the prompt, and while another's cell runs, if
    /// there is something in it.
    pub(super) fn is_at_prompt(&self) -> bool {
        let is_free = match &self.standing {
            Standing::Ready | Standing::Ended => true,
            Standing::Running { client, .. } => {
                // The name is that of the person's other terminals, too.
                let is_own = *client == self.own && self.is_unfinished;
                !is_own && !self.draft.text.is_empty() && !self.outer.is_alternate()
            }
            Standing::Starting | Standing::Waiting { .. } | Standing::Ending => false,
        };
        is_free && !self.awaits_reply && self.asks_unread.is_none() && self.inner.is_some()
    }

    fn is_editing_due(&self) -> bool {
        self.is_at_prompt()
            && self.editor.is_some()
            && matches!(self.keyboard, Keyboard::Loop)
            && !self.keys.is_escaped()
            && self.question.is_none()
            && !self.pictures.is_busy()
            && !self.in_hands.holds_editor()
    }

    /// Whether the line is about to stand there, once the terminal has taken what was printed: what
    /// comes meanwhile is printed the next time, so that what is typed does not wait for the end of it.
    pub(super) fn begins_editing(&self) -> bool {
        self.is_prepared && self.is_editing_due()
    }

    /// Gives the terminal to the editor where that is due and all else is written; whether it did.
    pub(super) fn begin_editing(&mut self) -> io::Result<bool> {
        if !self.is_editing_due() {
            return Ok(false);
        }
        if !std::mem::replace(&mut self.is_prepared, true) {
            self.prepare();
        }
        if !self.outer.is_done() {
            return Ok(false);
        }
        let Some(editor) = self.editor.take() else { return Ok(false) };
        self.outer.is_edited();
        (self.is_prepared, self.read_from) = (false, None);
        self.in_hands.is_restored = false;
        if let Some(feed) = &mut self.feed {
            feed.begin(self.size.rows, self.is_at_bottom)?;
        }
        self.editors = self.editors % Mark::LAST + 1;
        let (draft, number) = (self.draft.clone(), self.editors);
        let beside = self.beside_prompt();
        let editing = tokio::task::spawn_blocking(move || {
            let edited = editor.edit(&draft, beside, number);
            (editor, edited)
        });
        let (since, is_stopping) = (Instant::now(), false);
        self.keyboard = Keyboard::Editor { editing, number, since, is_stopping };
        Ok(true)
    }

    /// Makes the terminal ready for the editor.
    pub(super) fn prepare(&mut self) {
        self.outer.take_off_status();
        if matches!(self.standing, Standing::Running { .. }) {
            // A bar, say, that is gone on with.
            self.is_above = self.outer.go_below();
        } else {
            self.outer.restore();
            self.outer.fresh_row();
        }
        self.is_at_bottom = !self.is_above && self.outer.has_scrolled();
        if self.is_at_bottom || self.feed.as_ref().is_some_and(Feed::is_mute) {
            self.outer.go_to_bottom();
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

    pub(super) fn stop_editor(&mut self) -> io::Result<()> {
        if let Keyboard::Editor { number, is_stopping, .. } = &mut self.keyboard
            && let Some(feed) = &mut self.feed
            && !std::mem::replace(is_stopping, true)
        {
            feed.stop(*number)?;
        }
        Ok(())
    }

    /// The editor ended.
    pub(super) fn edited(&mut self, ended: EditorEnd) -> io::Result<Option<Left>> {
        let (editor, edited) = ended.map_err(io::Error::other)?;
        (self.keyboard, self.editor) = (Keyboard::Loop, Some(editor));
        self.outer.is_not_edited();
        self.feed.iter_mut().for_each(Feed::end);
        let mut left = None;
        let edited = edited?;
        if let Some(feed) = &mut self.feed
            && !matches!(edited, Edited::Stopped(_))
        {
            feed.is_ended();
        }
        match edited {
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
            Edited::External(draft) => {
                self.draft = draft;
                self.take_off();
                self.edits_elsewhere = true;
            }
            Edited::Stopped(draft) => {
                self.draft = draft;
                self.take_off();
            }
        }
        self.show_waiting();
        if !self.is_at_prompt() && self.read_from.is_none() {
            self.give_back();
        }
        Ok(left)
    }

    /// Has the editor stop, and waits for that; `None` where there is none, or it does not.
    pub(super) async fn end_editor(&mut self) -> io::Result<Option<EditorEnd>> {
        self.stop_editor()?;
        let (end, mut buffer) = (Instant::now() + PATIENCE, [0; MOST_TYPED]);
        loop {
            let Keyboard::Editor { editing, .. } = &mut self.keyboard else { return Ok(None) };
            tokio::select! {
                ended = editing => return Ok(Some(ended)),
                taken = taken(&mut self.feed) => taken?,
                // It asks where the cursor is.
                length = self.input.read(&mut buffer) => match length? {
                    0 => return Ok(None),
                    length => self.typed(&buffer[..length])?,
                },
                () = tokio::time::sleep_until(end) => return Ok(None),
            }
        }
    }

    /// Takes the line off the terminal.
    pub(super) fn take_off(&mut self) {
        let up = self.draft.rows_above(self.size.columns);
        self.outer.take_rows_off(up, std::mem::take(&mut self.is_above));
    }

    pub(super) fn run_cell(&mut self, text: String) {
        if !self.is_lead() {
            self.lead();
        }
        self.given.begin();
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
