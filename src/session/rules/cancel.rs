//! What a call that is given up leaves behind: a cell that runs on, or is interrupted. Pure.

use super::{
    Action, Audience, Session,
    calls::holds_input,
    payload::Payload,
    state::{AfterCancel, CallId, Cell, ClientId, Doing, State},
};
use crate::reply::{Deed, Notice, Refusal, Status};

impl Session {
    /// A client no longer waits for its call. Nothing that waited for its turn with it is run; the
    /// cell that it waited for, if this client sent it, goes on unless it is to be interrupted.
    pub(super) fn cancel(&mut self, id: CallId, interrupt: bool) {
        let Some(place) = self.calls.iter().position(|call| call.id == id) else { return };
        let call = self.calls.remove(place);
        let client = call.client;
        if self.withdraw_call(id) || holds_input(&call) {
            let to = Audience::Client(client);
            self.act(Action::Notice { to, notice: Notice::CancelledBeforeRun });
        }
        if self.cell_of(client).is_none() {
            return;
        }
        let place = self.actions.len();
        if interrupt && !call.in_line && !call.queued && self.interrupt(false) {
            self.did(place, client, Deed::Interrupted);
            let to = Audience::Client(client);
            self.act(Action::Notice { to, notice: Notice::CancelledCell });
            self.set_after_cancel(client, Some(AfterCancel::Interrupting));
        } else {
            self.runs_on_unknown(client);
        }
    }

    /// A reply did not reach its client, which knows nothing of what it said.
    pub(super) fn returned(&mut self, client: ClientId) {
        for wait in self.waits_mut().into_iter().flatten() {
            wait.told.retain(|&told| told != client);
        }
        self.asked.retain(|&asked| asked != client);
        self.runs_on_unknown(client);
    }

    /// The cell on its way goes on, and unless another call of this client is open in it, none
    /// tells it.
    fn runs_on_unknown(&mut self, client: ClientId) {
        if self.calls.iter().all(|call| call.client != client)
            && let Some(cell) = self.cell_of(client)
        {
            cell.after_cancel.get_or_insert(AfterCancel::RunsOn);
        }
    }

    /// The cell on its way, if this client sent it.
    fn cell_of(&mut self, client: ClientId) -> Option<&mut Cell> {
        match &mut self.state {
            State::InCell { cell, .. } if cell.client == client => Some(cell),
            _ => None,
        }
    }

    fn set_after_cancel(&mut self, client: ClientId, after: Option<AfterCancel>) {
        if let Some(cell) = self.cell_of(client) {
            cell.after_cancel = after;
        }
    }

    /// How the cell on its way goes on, where this client sent it and does not know.
    pub(super) fn after_cancel(&mut self, client: ClientId) -> Option<AfterCancel> {
        self.cell_of(client)?.after_cancel
    }

    /// The worker has taken an interrupt.
    pub(super) fn cancel_interrupt_taken(&mut self) {
        if let State::InCell { cell, .. } = &mut self.state
            && cell.after_cancel == Some(AfterCancel::Interrupting)
        {
            cell.after_cancel = Some(AfterCancel::Interrupted);
        }
    }

    /// A text of a client that does not know how its last cell goes on: it is the next cell, and no
    /// answer to what that one asks for. It waits for the end of one that was interrupted.
    pub(super) fn route_after_cancel(&mut self, id: CallId, text: String, after: AfterCancel) {
        let is_over = matches!(self.state, State::InCell { doing: Doing::Tidying { .. }, .. });
        let is_asked = self.settled().is_some();
        match after {
            AfterCancel::RunsOn | AfterCancel::Interrupted if is_asked => {
                self.refuse(id, Refusal::NotItsTurn);
            }
            AfterCancel::RunsOn if !is_over => self.wait_or_refuse(id, text),
            _ => {
                self.hold(id, Payload::Text(text));
                for call in self.calls.iter_mut().filter(|call| call.id == id) {
                    call.in_line = true;
                    call.interrupting = after == AfterCancel::Interrupting;
                }
            }
        }
    }

    /// A client is about to get a reply with its text, from which it knows how its cell goes on.
    pub(super) fn tell_after_cancel(&mut self, client: ClientId, status: &Status) {
        let runs_on = Some(AfterCancel::RunsOn);
        let is_busy = matches!(status, Status::Busy { .. });
        if is_busy && self.cell_of(client).is_some_and(|cell| cell.after_cancel == runs_on) {
            let to = Audience::Client(client);
            self.act(Action::Notice { to, notice: Notice::StillRuns });
        }
        self.set_after_cancel(client, None);
    }
}
