//! What a cell in a sandbox printed last: it may tell of something that was denied. Pure.

use mcp_repl_sideband::Outcome;

use super::{Effect, Observer, Pipeline, display::Display};
use crate::{reply::Notice, sandbox, session::rules::Audience};

/// How much of the end of what a cell printed is kept, in bytes.
const KEPT: usize = 16 * 1024;

/// The end of what a cell printed.
#[derive(Debug, Default)]
pub(super) struct Denials {
    /// `None` where nothing is denied.
    text: Option<String>,
    /// Whether an [`Effect::Explain`] is not answered yet: what comes of it is part of the reply.
    is_asked: bool,
}

impl Denials {
    /// The program that runs from here on may not reach everything.
    pub(super) fn watch(&mut self) {
        self.text = Some(String::new());
    }

    /// This was printed.
    pub(super) fn printed(&mut self, text: &str) {
        let Some(kept) = &mut self.text else { return };
        kept.push_str(text);
        if kept.len() > 2 * KEPT {
            let mut from = kept.len() - KEPT;
            while !kept.is_char_boundary(from) {
                from += 1;
            }
            kept.drain(..from);
        }
    }

    /// Takes of what was printed the lines that tell what the cell failed of, if they may tell of a denial.
    fn take(&mut self, outcome: Outcome) -> Option<String> {
        let text = std::mem::take(self.text.as_mut()?);
        sandbox::telling(&text, outcome == Outcome::Error)
    }
}

impl<O: Observer> Display<O> {
    /// A cell begins, or another program: what was printed before is not its.
    pub(super) fn forget_denials(&mut self) {
        if let Some(text) = &mut self.denials.text {
            text.clear();
        }
    }
}

impl<O: Observer> Pipeline<O> {
    /// Whether the next message has to wait: what the last one asked for outside is still to come.
    pub(super) fn holds_messages(&self) -> bool {
        self.is_dropping_input || self.display.denials.is_asked
    }

    /// A cell is done: has somebody look whether something was denied to it, if it may be so.
    pub(super) fn cell_is_done(&mut self, outcome: Outcome) {
        self.display.cells.done(outcome);
        if self.display.denials.text.is_none() {
            return;
        }
        let awaits_pager = self.session.awaits_pager();
        self.display.report(awaits_pager);
        if let Some(text) = self.display.denials.take(outcome) {
            let directory = self.display.directory.path().to_owned();
            self.effects.push_back(Effect::Explain { text, directory });
            self.display.denials.is_asked = true;
        }
    }

    /// This is what there is to say of it, if anything.
    pub(super) fn explained(&mut self, notice: Option<Notice>) {
        self.display.denials.is_asked = false;
        if let Some(notice) = notice {
            self.tell_all(&notice);
        }
    }

    /// Tells all clients, at this place in the text.
    pub(super) fn tell_all(&mut self, notice: &Notice) {
        let awaits_pager = self.session.awaits_pager();
        self.display.notice(Audience::Everyone, notice, awaits_pager);
    }
}
