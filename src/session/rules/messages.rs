//! What the worker says, and what it means for the state. Pure.

use mcp_repl_sideband::{Hint, Outcome, ToServer};

use super::{
    Action, Audience, Session,
    ends::EXIT_GRACE,
    state::{Cell, Doing, State, Wait},
};
use crate::reply::Notice;

impl Session {
    /// The worker said something.
    pub(super) fn message(&mut self, message: ToServer) {
        match message {
            ToServer::Image { mime, data, .. } | ToServer::Document { mime, data, .. } => {
                self.act(Action::Attach { mime, data });
            }
            ToServer::TooLarge { mime, bytes, .. } => self.tell(Notice::TooLarge { mime, bytes }),
            ToServer::Hint { hint: Hint::Other, .. } => {}
            ToServer::Hint { hint, .. } => self.tell(Notice::Hint(hint)),
            ToServer::Exiting { .. } => self.exits_by_itself(),
            ToServer::CellDone { id, outcome, .. } => {
                if let State::InCell { cell, .. } = &mut self.state
                    && cell.id == id
                {
                    cell.outcome = Some(outcome);
                }
                self.act(Action::RestoreSize);
            }
            ToServer::Ready { discarded_bytes, .. } => {
                self.dropped += discarded_bytes;
                self.reopen_waits(discarded_bytes);
                self.ready();
            }
            ToServer::InputWait { wait, reader, echo, .. } => {
                self.input_wait(Wait { id: wait, reader, echo, told: Vec::new(), answer: None });
                self.settle();
            }
            ToServer::InputTaken { wait, bytes, thread } => {
                self.input_taken(wait, bytes, thread);
                // Another reader may be in line. Without one, `ready` follows, or the cell goes on;
                // and one that was interrupted has more to say.
                let in_line = matches!(
                    self.state,
                    State::InCell { doing: Doing::InputWait { .. }, .. } | State::Ending { .. }
                );
                if bytes > 0 && in_line {
                    self.settle();
                }
            }
            ToServer::Interrupted => self.interrupt_taken(),
            ToServer::Completion { id, start, matches, is_incomplete } => {
                self.completed(id, start, matches, is_incomplete);
            }
            // The sideband has checked the one, and the other is for people to see.
            ToServer::Hello { .. } | ToServer::Directory { .. } => {}
        }
    }

    /// The worker is ready. It says so too when a background reader has its answer, which
    /// may cross a cell on its way: that one is ended only by its own `cell_done`.
    fn ready(&mut self) {
        match &mut self.state {
            State::Starting { is_restart, .. } => {
                if *is_restart {
                    self.tell(Notice::SessionStarted);
                }
                self.become_ready(Vec::new(), None);
            }
            State::InCell { cell: Cell { outcome: Some(_), .. }, doing } => {
                let waits = match doing {
                    Doing::InputWait { waits } | Doing::Tidying { waits } => std::mem::take(waits),
                    _ => Vec::new(),
                };
                *doing = Doing::Tidying { waits };
                // What the terminal echoed of input that nobody read belongs to the cell.
                return self.act(Action::DropInput);
            }
            _ => self.tell_dropped(),
        }
        self.settle();
    }

    /// What was typed and nobody has read was dropped.
    pub(super) fn input_dropped(&mut self, bytes: u64) {
        match &mut self.state {
            // It was for a worker that has gone.
            State::Starting { .. } | State::Ended { .. } => {}
            State::InCell { cell, doing: Doing::Tidying { waits } } => {
                let (waits, outcome) = (std::mem::take(waits), cell.outcome);
                self.dropped += bytes;
                self.become_ready(waits, outcome);
                self.settle();
            }
            // It was typed before the cell began.
            _ => {
                self.dropped += bytes;
                self.tell_dropped();
            }
        }
    }

    fn become_ready(&mut self, waits: Vec<Wait>, outcome: Option<Outcome>) {
        // What the terminal still has of it is told by its length.
        if let Some((to, program)) = self.typed.take().filter(|_| self.dropped == 0) {
            self.act(Action::TellUnread { to, program });
        }
        self.tell_dropped();
        self.typists.clear();
        // An interrupt on its way can only miss now.
        self.calls.iter_mut().for_each(|call| call.interrupting = false);
        self.act(Action::ResetScreen);
        self.state = State::Ready { waits, outcome, typed_for: None };
    }

    fn tell_dropped(&mut self) {
        let bytes = std::mem::take(&mut self.dropped);
        if bytes > 0 {
            let nobodys = self.typists.drop_last(bytes);
            if nobodys > 0 {
                self.tell(Notice::InputDiscarded { bytes: nobodys });
            }
            self.tell_unread();
        }
    }

    /// Clients that wait for a reply are told how much of what they sent nobody has read.
    pub(super) fn tell_unread(&mut self) {
        let Session { calls, typists, .. } = self;
        let untold = typists.take_untold(|client| calls.iter().any(|call| call.client == client));
        for (client, bytes) in untold {
            let (to, notice) = (Audience::Client(client), Notice::InputDiscarded { bytes });
            self.act(Action::Notice { to, notice });
        }
    }

    /// An interrupt was taken. A reader that it struck says so, or is announced anew; where no
    /// cell is left to be struck, nothing more comes.
    pub(super) fn interrupt_taken(&mut self) {
        let is_awaited = self.calls.iter().any(|call| call.interrupting);
        self.calls.iter_mut().for_each(|call| call.interrupting = false);
        self.cancel_interrupt_taken();
        // What was found to read before that may do so no longer.
        if is_awaited
            && let Some(Doing::TerminalWait { .. } | Doing::Pager { .. } | Doing::FullScreen { .. }) =
                self.state.doing()
        {
            self.set_doing(Doing::running(false));
        }
        if matches!(self.state, State::Ready { .. }) {
            self.settle();
        }
    }

    /// The readers in line, where there are or may be some.
    pub(super) fn waits_mut(&mut self) -> Option<&mut Vec<Wait>> {
        match &mut self.state {
            State::Ready { waits, .. }
            | State::Starting { doing: Doing::InputWait { waits }, .. }
            | State::InCell {
                doing: Doing::InputWait { waits } | Doing::Tidying { waits }, ..
            }
            | State::Ending { waits: Some(waits), .. } => Some(waits),
            _ => None,
        }
    }

    fn input_wait(&mut self, wait: Wait) {
        match self.waits_mut() {
            // One that is said again outlived an interrupt.
            Some(waits) if waits.iter().any(|known| known.id == wait.id) => {}
            Some(waits) => waits.push(wait),
            None => self.set_doing(Doing::InputWait { waits: vec![wait] }),
        }
    }

    /// Input that was thrown away is on its way to nobody: who waits for it waits for other input.
    fn reopen_waits(&mut self, discarded_bytes: u64) {
        let mut left = discarded_bytes;
        for wait in self.waits_mut().into_iter().flatten() {
            if let Some(sent) = wait.answer.take_if(|sent| sent.bytes <= left) {
                left -= sent.bytes;
            }
        }
    }

    fn input_taken(&mut self, wait: u64, bytes: u64, thread: Option<String>) {
        let is_ready = matches!(self.state, State::Ready { .. });
        if let Some(waits) = self.waits_mut()
            && let Some(place) = waits.iter().position(|other| other.id == wait)
        {
            let Wait { reader, mut answer, .. } = waits.remove(place);
            // The worker's order is its own: what was meant for another was taken by this one.
            if bytes > 0 && answer.is_none() {
                answer = waits.iter_mut().find_map(|other| other.answer.take());
            }
            if bytes > 0
                && (is_ready || thread.is_some())
                && let Some(client) = answer.and_then(|sent| sent.unaware)
            {
                let notice = Notice::TakenInBackground { reader, thread };
                self.act(Action::Notice { to: Audience::Client(client), notice });
            }
        }
        let now = self.now;
        match &mut self.state {
            State::Starting { doing: Doing::InputWait { waits }, .. }
            | State::InCell { doing: Doing::InputWait { waits }, .. }
                if waits.is_empty() =>
            {
                let doing = self.running(None);
                self.set_doing(doing);
            }
            // What ends by itself has its time again.
            State::Ending { waits: Some(waits), deadline, .. } if waits.is_empty() => {
                *deadline = now + EXIT_GRACE;
            }
            _ => {}
        }
    }
}
