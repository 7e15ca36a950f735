//! When the status and the title are shown: the status below what a program prints, and beside the
//! prompt.

use std::time::Duration;

use tokio::time::Instant;

use super::{Keyboard, Visit};
use crate::{
    attach::{hands, status},
    screen::{Screen, Size},
    session::{client::Present, pipeline::Standing},
};

/// How long a state lasts before the status is shown, and how often it is shown again.
const INTERVAL: Duration = Duration::from_secs(1);
/// On less there is no room for a status.
const LEAST: Size = Size { columns: 20, rows: 5 };

/// What the status is made of, and when it is due.
#[derive(Debug)]
pub(super) struct Bar {
    is_on: bool,
    pub(super) here: Vec<Present>,
    /// When it began that things stand so.
    since: Instant,
    due: Option<Instant>,
}

impl Bar {
    pub(super) fn new(is_on: bool) -> Bar {
        Bar { is_on, here: Vec::new(), since: Instant::now(), due: None }
    }

    /// When the status is to be shown.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }
}

impl Visit {
    /// From here on things stand otherwise.
    pub(super) fn bar_stands(&mut self) {
        let elapsed = match self.standing {
            Standing::Running { elapsed, .. } => elapsed,
            _ => Duration::ZERO,
        };
        let now = Instant::now();
        self.bar.since = now.checked_sub(elapsed).unwrap_or(now);
        self.bar.due = None;
        self.bar_changes();
    }

    /// Something was printed, for which what was shown was taken off.
    pub(super) fn bar_goes(&mut self) {
        if self.bar.due.is_none() && !self.is_at_prompt() && (self.has_bar() || self.is_running()) {
            self.bar.due = Some(Instant::now() + INTERVAL);
        }
    }

    /// Something else is to be shown.
    pub(super) fn bar_changes(&mut self) {
        self.bar_goes();
        // Of what is over in a moment no window is to be told.
        if !self.is_running() {
            self.retitle();
        }
    }

    pub(super) fn retitle(&mut self) {
        let state = status::state(&self.standing, None, &self.own);
        let hands = hands::status(self.in_hands.hands());
        self.outer.title(status::title(&self.name, &[&self.size_word(), &hands, &state]));
    }

    fn is_running(&self) -> bool {
        matches!(self.standing, Standing::Running { .. })
    }

    /// Shows the status where there is room for it.
    pub(super) fn show_status(&mut self) {
        let has_bar = self.has_bar();
        self.bar.due = (has_bar && self.is_running()).then(|| Instant::now() + INTERVAL);
        if matches!(self.keyboard, Keyboard::Loop) {
            self.retitle();
        }
        let is_free = has_bar
            && matches!(self.keyboard, Keyboard::Loop)
            && !self.is_at_prompt()
            && self.question.is_none()
            && !self.in_hands.asks()
            && self.outer.is_done();
        if is_free {
            let row = self.status_row();
            self.outer.status(&row);
        }
        if self.cropped.is_some() {
            self.crop();
        }
    }

    /// What stands at the right of the prompt.
    pub(super) fn beside_prompt(&self) -> String {
        if !self.has_bar() {
            return String::new();
        }
        let others = match &self.standing {
            Standing::Running { .. } => status::state(&self.standing, None, &self.own),
            _ => String::new(),
        };
        let hands = hands::status(self.in_hands.hands());
        let here = status::company(&self.bar.here);
        // So that there is room for a line.
        let size = self.size_word();
        status::row(&[&self.name, &size, &hands, &others, &here], self.size.columns / 2)
    }

    pub(super) fn status_row(&self) -> String {
        let state = status::state(&self.standing, Some(self.bar.since.elapsed()), &self.own);
        let hands = hands::status(self.in_hands.hands());
        let (size, here) = (self.size_word(), status::company(&self.bar.here));
        let row = status::row(&[&self.name, &size, &hands, &state, &here], self.size.columns);
        let is_plain = self.editor.as_ref().is_none_or(|editor| !editor.has_colors());
        // Faint.
        if is_plain { row } else { format!("\x1b[2m{row}\x1b[m") }
    }

    fn size_word(&self) -> String {
        status::size(self.inner.as_ref().map(Screen::size), self.size)
    }

    pub(super) fn has_bar(&self) -> bool {
        self.bar.is_on && self.size.columns >= LEAST.columns && self.size.rows >= LEAST.rows
    }
}
