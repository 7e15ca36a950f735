//! A program that the session runs in place of a worker: it takes no cells, and what is sent to the
//! session is typed for it. Pure.

use super::{
    Session,
    calls::holds_input,
    state::{CallId, Cell, ClientId, NOBODY, State},
};
use crate::reply::{Notice, Refusal};

impl Session {
    /// The program was started. It counts as a cell of nobody's, which is over when the program is.
    pub(super) fn program_started(&mut self) {
        if matches!(self.state, State::Starting { is_restart: true, .. }) {
            self.tell(Notice::SessionStarted);
        }
        self.is_program = true;
        let (id, since) = (self.cells, self.now);
        let cell = Cell { id, since, client: NOBODY, after_cancel: None, outcome: None };
        self.state = State::InCell { cell, doing: self.running(None) };
        // They wait for what the program shows; a text, until the program asks for input.
        for call in &mut self.calls {
            call.held.take_if(|payload| payload.is_empty());
        }
    }

    /// Whether a text that comes while a program runs waits until that asks for input: its client was
    /// told of nothing yet that the text could have crossed.
    pub(super) fn waits_for_program(&self, client: ClientId) -> bool {
        self.runs_program() && !self.told_busy.contains(&client)
    }

    /// Whether it is a program that runs, and no cell.
    pub(super) fn runs_program(&self) -> bool {
        matches!(&self.state, State::InCell { cell, .. } if cell.client == NOBODY)
    }

    /// A program has ended by itself: what was to be typed for it is for no other, which would end the
    /// same way.
    pub(super) fn refuse_untyped(&mut self) {
        let waiting = self.calls.iter().filter(|call| holds_input(call) && !call.queued);
        let waiting: Vec<CallId> = waiting.map(|call| call.id).collect();
        for id in waiting {
            self.refuse(id, Refusal::ProgramEnded);
        }
    }
}
