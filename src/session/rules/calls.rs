//! The calls that wait for a reply: when it comes, and with which status. Pure.

use std::time::Duration;

use super::{
    Action, Audience, Session,
    payload::Payload,
    reader::{InputModes, Reader},
    state::{Call, CallId, ClientId, Doing, KeptCell, State, Wait},
};
use crate::reply::{Failure, Notice, Refusal, Status};

impl Session {
    /// The status with which calls return now; `None` while the work goes on.
    pub(super) fn settled(&self) -> Option<Status> {
        match &self.state {
            State::Ready { typed_for: Some(_), .. } => None,
            State::Ready { waits, outcome, .. } if waits.is_empty() => {
                Some(Status::Ready { outcome: *outcome })
            }
            State::Ready { waits, .. } => input_wait(waits),
            State::InCell { doing, .. } => self.settled_in_cell(doing),
            State::Ending { waits, .. } => waits.as_deref().and_then(input_wait),
            State::Ended { exit } => Some(match &self.untold_failure {
                Some(failure) => Status::Failed { failure: failure.clone() },
                None => Status::Ended { exit: exit.clone() },
            }),
            State::Starting { doing, .. } => self.settled_in_cell(doing).map(at_start),
        }
    }

    fn settled_in_cell(&self, doing: &Doing) -> Option<Status> {
        match doing {
            Doing::Running { .. } | Doing::Tidying { .. } => None,
            Doing::InputWait { waits } => input_wait(waits),
            Doing::TerminalWait { reader, modes } => Some(terminal_wait(reader, *modes)),
            Doing::Pager { reader, view } => Some(Status::Pager {
                program: reader.program.clone(),
                prompt: view.place.prompt.clone(),
                at_end: view.place.at_end,
                shared: self.people,
            }),
            Doing::FullScreen { reader, view } => {
                Some(Status::FullScreen { program: reader.program.clone(), cursor: view.cursor })
            }
        }
    }

    /// After the worker came to rest: calls get what is held routed, or their reply.
    pub(super) fn settle(&mut self) {
        self.end_needs();
        self.run_kept();
        let (before, behind): (Vec<&Call>, Vec<&Call>) =
            self.calls.iter().partition(|call| self.is_before_turns(call));
        let waiting: Vec<CallId> = before.into_iter().chain(behind).map(|call| call.id).collect();
        for id in waiting {
            let Some(status) = self.settled() else { return };
            let call = self.calls.iter().find(|call| call.id == id && call.may_settle());
            let Some(call) = call else { continue };
            let is_in_line = call.in_line;
            if matches!(self.state, State::Starting { .. }) && holds_text(call) {
                // It came before anybody was asked, so it is a cell.
                let call = call.clone();
                if matches!(status, Status::StartWaits { .. }) && self.keep(&call) {
                    self.reply(id, status);
                } else {
                    self.refuse(id, Refusal::NotItsTurn);
                }
            } else if is_in_line && self.is_anothers_cell(call.client) {
                // Its turn comes when that is over.
            } else if is_in_line && !matches!(status, Status::Ready { .. } | Status::Ended { .. }) {
                // It came before anybody was asked, so it is no answer.
                if !matches!(self.state, State::Ending { .. }) {
                    self.refuse(id, Refusal::NotItsTurn);
                }
            } else if holds_input(call) {
                // What came for the next session is no answer to this one.
                if !matches!(self.state, State::Ending { .. }) {
                    self.route(id, None);
                }
            } else {
                let answers_itself =
                    self.answering.contains(&call.client) && status.asks_for_input();
                let is_news = !self.looks_for_news() || call.has_news(self.shown);
                if !answers_itself && is_news {
                    self.reply(id, status);
                }
            }
        }
    }

    /// Answers a call, which waits no longer.
    ///
    /// A client may have given a call up and not said so: of several of its calls the newest gets
    /// the text.
    pub(super) fn reply(&mut self, id: CallId, status: Status) {
        self.ask_with_reply(id);
        let Some(place) = self.calls.iter().position(|call| call.id == id) else { return };
        let Call { client, .. } = self.calls.remove(place);
        self.note_told_held(client);
        let mut status = status;
        match &mut status {
            Status::StartWaits { keeps_cell, .. } => {
                *keeps_cell = self.kept.as_ref().is_some_and(|kept| kept.client == client);
            }
            // Whose it is turns its pages.
            Status::Pager { shared, .. } => *shared |= self.is_anothers_cell(client),
            _ => {}
        }
        if matches!(&status, Status::Failed { failure } if *failure != Failure::Refused) {
            self.untold_failure = None;
        }
        match status {
            Status::Busy { .. } if !self.told_busy.contains(&client) => self.told_busy.push(client),
            Status::Waiting { .. } => {
                let waits = self.waits_mut().into_iter().flatten();
                let news = waits.filter(|wait| !wait.told.contains(&client));
                news.for_each(|wait| wait.told.push(client));
            }
            _ => {}
        }
        let mut newer = self.calls[place..].iter().filter(|newer| newer.client == client);
        let has_text = newer.all(|newer| newer.in_line || newer.queued);
        if has_text {
            self.tell_after_cancel(client, &status);
        }
        self.act(Action::Reply { call: id, client, status, has_text });
    }

    /// Calls whose time is up hear how long it has been.
    pub(super) fn answer_late_calls(&mut self) {
        let now = self.now;
        let late: Vec<Call> =
            self.calls.iter().filter(|call| call.deadline <= now).cloned().collect();
        if !late.is_empty() {
            self.take_unsettled_page();
        }
        for call in late {
            self.leave_queued(call.id);
            let discarded = holds_input(&call) && !self.keep(&call);
            let awaits_turn = call.in_line && self.waits_for_turn(call.client);
            let awaits_people = call.queued || call.awaits_person;
            let told = discarded && awaits_turn
                || (self.looks_for_news() || awaits_people) && !holds_input(&call);
            let status = self.settled().filter(|_| told);
            if discarded && status.is_some() {
                self.tell_caller(call.id, Notice::Refused(Refusal::NotItsTurn));
            }
            self.reply(call.id, status.unwrap_or_else(|| self.busy(discarded)));
        }
    }

    /// Keeps the cell that a call holds for the session that is on its way, if it is the first that
    /// would be run there. Whether it is kept.
    fn keep(&mut self, call: &Call) -> bool {
        let is_on_its_way = matches!(self.state, State::Starting { .. } | State::Ending { .. });
        let mut before = self.calls.iter().take_while(|other| other.id != call.id);
        let is_first = self.kept.is_none() && !before.any(holds_input);
        let runs_cells = !self.is_program && !self.closing;
        match &call.held {
            Some(Payload::Text(source)) if is_on_its_way && is_first && runs_cells => {
                self.kept = Some(KeptCell { client: call.client, source: source.clone() });
                true
            }
            _ => false,
        }
    }

    /// Runs the cell that was kept for this session.
    fn run_kept(&mut self) {
        if !matches!(self.state, State::Ready { .. }) {
            return;
        }
        let is_held = self.kept.as_ref().is_some_and(|kept| self.is_held_from(kept.client));
        if let Some(KeptCell { client, source }) = self.kept.take_if(|_| !is_held) {
            return self.run_kept_cell(client, source, false);
        }
        while matches!(self.state, State::Ready { .. })
            && let Some((client, source, is_approved)) = self.take_cleared()
        {
            self.run_kept_cell(client, source, is_approved);
        }
    }

    fn run_kept_cell(&mut self, client: ClientId, source: String, is_approved: bool) {
        if self.is_to_be_approved(client) && !is_approved {
            self.propose(client, source, None);
        } else {
            self.run(source, client);
        }
    }

    /// Drops the cell that was kept, for one client or for whoever sent it, and tells its client
    /// what became of it.
    pub(super) fn drop_kept(&mut self, of: Option<ClientId>, notice: Notice) {
        let is_meant = |kept: &mut KeptCell| of.is_none_or(|client| kept.client == client);
        if let Some(KeptCell { client, .. }) = self.kept.take_if(is_meant) {
            self.act(Action::Notice { to: Audience::Client(client), notice });
        }
    }

    /// The status of a call that returns though the work goes on.
    pub(super) fn busy(&self, discarded: bool) -> Status {
        Status::Busy { elapsed: self.elapsed(), discarded }
    }

    /// How long what keeps the caller waiting has been going on.
    fn elapsed(&self) -> Duration {
        let since = match &self.state {
            State::Starting { since, .. } | State::Ending { since, .. } => *since,
            State::InCell { cell, .. } => cell.since,
            State::Ready { .. } | State::Ended { .. } => self.now,
        };
        self.now.saturating_sub(since)
    }
}

/// Whether something of a call is still to be routed.
pub(super) fn holds_input(call: &Call) -> bool {
    call.held.as_ref().is_some_and(|payload| !payload.is_empty())
}

/// Whether a text of a call is still to be routed.
fn holds_text(call: &Call) -> bool {
    holds_input(call) && matches!(call.held, Some(Payload::Text(_)))
}

/// The status while the start of a session waits for input.
fn at_start(status: Status) -> Status {
    match status {
        Status::Waiting { echo } | Status::Reading { echo, .. } => {
            Status::StartWaits { echo, keeps_cell: false }
        }
        other => other,
    }
}

/// The status while readers of the program's own wait; `None` when one has its answer to take.
fn input_wait(waits: &[Wait]) -> Option<Status> {
    let open = !waits.iter().any(|wait| wait.answer.is_some());
    waits.first().filter(|_| open).map(|wait| Status::Waiting { echo: wait.echo })
}

/// The status while a program reads the terminal itself.
pub(super) fn terminal_wait(reader: &Reader, modes: InputModes) -> Status {
    Status::Reading {
        program: reader.program.clone(),
        canonical: modes.canonical,
        echo: modes.echo,
        guessed: reader.guessed,
    }
}
