//! Whose cell is on its way, as clients are told that did not send it. Pure.

use super::{Observer, Pipeline, outboxes::CellStart};
use crate::{
    reply::{Notice, Status},
    session::rules::state::{ClientId, State},
};

impl<O: Observer> Pipeline<O> {
    /// The client whose cell is on its way, if that is another than this one.
    fn another(&self, client: ClientId) -> Option<ClientId> {
        match self.session.state() {
            State::InCell { cell, .. } if cell.is_anothers(client) => Some(cell.client),
            _ => None,
        }
    }

    /// From here on a client is told whose cell prints, if that is another's.
    pub(super) fn tell_whose(&mut self, client: ClientId) {
        let printing = self.another(client);
        self.display.outboxes.set_printing(client, printing);
    }

    /// The cell that goes on after a reply with this status.
    pub(super) fn running_cell(&self, status: &Status) -> Option<CellStart> {
        match (self.session.state(), status) {
            (State::InCell { cell, .. }, Status::Busy { .. }) => Some((cell.id, cell.since)),
            _ => None,
        }
    }

    /// A client whose reply tells that something goes on, or waits, learns whose it is.
    pub(super) fn whose_cell(&self, client: ClientId, status: &Status) -> Option<Notice> {
        let waits = status.asks_for_input();
        let other = self.another(client)?;
        let name = || self.display.outboxes.name(other).to_owned();
        (waits || matches!(status, Status::Busy { .. }))
            .then(|| Notice::AnothersCell { client: name(), waits })
    }
}
