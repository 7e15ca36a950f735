//! The echo of cells on a session's screen: it is shown there and to who looks on, and is in no reply.
//! Pure.

use mcp_repl_sideband::Outcome;

use super::{Observer, Shown, display::Display, echo};
use crate::session::rules::state::ClientId;

/// What is to be shown of the cell on its way.
#[derive(Debug, Default)]
pub(super) struct CellEcho {
    /// Its echo, while a sequence of a program's is not ended, in which it would be lost.
    waits: Option<String>,
    /// Whether a cell was shown whose end was not.
    is_open: bool,
    /// How it ended, once the worker said that.
    outcome: Option<Outcome>,
}

impl CellEcho {
    /// The worker says how the cell ended.
    pub(super) fn done(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl<O: Observer> Display<O> {
    /// A cell begins: where its echo ends a line that a program has left open, that is ended for
    /// those that were not told of it, too.
    pub(super) fn end_line_before_cell(&mut self) {
        if self.screen.is_between_sequences() && !self.screen.to_fresh_row().is_empty() {
            self.outboxes.for_all(|outbox| outbox.end_line_by_echo());
        }
    }

    /// Shows a cell that begins. On the page of a program that has the screen to itself there is no
    /// place for it.
    pub(super) fn begin_cell(&mut self, client: ClientId, source: &str) {
        let name = (!self.outboxes.is_person(client)).then(|| self.outboxes.name(client));
        let echo = echo::of_cell(name, source);
        self.cells = CellEcho { is_open: true, ..CellEcho::default() };
        if self.screen.is_between_sequences() {
            self.show_cell(&echo);
        } else {
            self.cells.waits = Some(echo);
        }
    }

    /// Of what came from the terminal, shows what ends a sequence behind which a cell is to be shown,
    /// and that. Gives the rest.
    pub(super) fn show_before_cell<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(echo) = self.cells.waits.take() else { return bytes };
        let mut length = 0;
        while length < bytes.len() && !self.screen.is_between_sequences() {
            self.screen.feed(&bytes[length..=length]);
            length += 1;
        }
        let (before, rest) = bytes.split_at(length);
        if !before.is_empty() {
            self.observer.shown(Shown::Bytes(before), &self.screen);
        }
        if !self.screen.is_between_sequences() {
            self.cells.waits = Some(echo);
        } else if !self.screen.is_full_screen() {
            self.report(false);
            self.end_line_before_cell();
            self.show_cell(&echo);
        }
        rest
    }

    fn show_cell(&mut self, echo: &str) {
        let echo = self.screen.to_fresh_row() + echo;
        self.screen.feed_cell(&echo);
        self.observer.echoed(echo.as_bytes());
    }

    /// The cell is over, or its session is.
    pub(super) fn end_echo(&mut self) {
        let CellEcho { is_open, outcome, waits } = std::mem::take(&mut self.cells);
        if is_open && waits.is_none() {
            let succeeded = outcome.map(|outcome| outcome == Outcome::Ok);
            self.observer.echoed(echo::of_end(succeeded).as_bytes());
        }
    }
}
