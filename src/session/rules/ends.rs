//! How a worker starts and goes: by itself, when it is told to, when it fails. Pure.

use std::time::Duration;

use mcp_repl_sideband::ToWorker;

use super::{
    Action, Session,
    state::{Call, CallId, Doing, EndStep, State, Time, Wait},
};
use crate::reply::{Exit, Failure, Notice, Status};

/// How long a worker that was asked to end has before it is killed.
pub const END_GRACE: Duration = Duration::from_secs(2);
/// How long a program that exits by itself has for its `atexit` handlers and threads.
pub const EXIT_GRACE: Duration = Duration::from_secs(10);
/// How long the kernel has to report the end of a killed process.
const KILL_GRACE: Duration = Duration::from_secs(1);

impl Session {
    /// When the next step of an end is due, unless somebody is asked for input.
    pub(super) fn end_deadline(&self) -> Option<Time> {
        match &self.state {
            State::Ending { deadline, waits, .. } if !is_asked(waits) => Some(*deadline),
            _ => None,
        }
    }

    /// Starts a worker, for the calls that wait for one.
    pub(super) fn start(&mut self) {
        let (since, doing) = (self.now, self.running(None));
        self.state = State::Starting { since, is_restart: true, interrupted: false, doing };
        self.untold_failure = None;
        self.told_busy.clear();
        self.no_interrupt_is_taken();
        (self.cells, self.dropped, self.typed) = (0, 0, None);
        self.typists.clear();
        self.act(Action::Start);
    }

    /// The one that was to say that an interrupt was taken is gone.
    fn no_interrupt_is_taken(&mut self) {
        self.calls.iter_mut().for_each(|call| call.interrupting = false);
    }

    /// Ends the worker, whose successor takes what is held.
    pub(super) fn reset(&mut self) {
        match &self.state {
            State::Ended { .. } => return self.start(),
            State::Ending { waits: None, .. } => return,
            // What waits is told through the sideband; what is busy does not listen to it.
            State::Ready { .. } | State::InCell { doing: Doing::InputWait { .. }, .. } => {
                self.act(Action::Send(ToWorker::Shutdown));
            }
            State::Starting { .. } | State::InCell { .. } | State::Ending { .. } => {
                self.act(Action::Send(ToWorker::Shutdown));
                self.act(Action::HangUp);
            }
        }
        self.ending(END_GRACE, None);
    }

    /// Ends the worker for good.
    pub(super) fn shut_down(&mut self) {
        self.closing = true;
        if !matches!(self.state, State::Ended { .. }) {
            self.reset();
        }
    }

    /// The program ends by itself, and may go on asking for input meanwhile.
    pub(super) fn exits_by_itself(&mut self) {
        if !matches!(self.state, State::Ending { .. }) {
            let waits = self.waits_mut().map(std::mem::take).unwrap_or_default();
            self.ending(EXIT_GRACE, Some(waits));
        }
    }

    fn ending(&mut self, grace: Duration, waits: Option<Vec<Wait>>) {
        let deadline = self.now + grace;
        self.state = State::Ending { since: self.now, next: EndStep::Kill, deadline, waits };
    }

    /// The process ended.
    pub(super) fn exited(&mut self, exit: Exit, missed_input: bool) {
        match self.state {
            // Nobody is left to end; a second report changes nothing.
            State::Ended { .. } => return,
            State::Starting { interrupted: true, .. } => {
                return self.failed(Failure::StartInterrupted { exit });
            }
            State::Starting { .. } => {
                let doing = self.running(None);
                self.set_doing(doing);
                self.act(Action::Retire);
                return self.act(Action::StartNext { exit });
            }
            _ => {}
        }
        if let Some((to, program)) = self.typed.take() {
            self.act(Action::TellUnread { to, program });
        }
        self.tell(Notice::SessionEnded { exit: exit.clone(), missed_input });
        self.act(Action::Retire);
        let is_program_over = self.runs_program();
        self.state = State::Ended { exit };
        self.no_interrupt_is_taken();
        if is_program_over {
            self.refuse_untyped();
        }
        let closing = self.closing;
        if closing {
            self.drop_queue();
        }
        let answered = self.calls.iter();
        let answered = answered.filter(|call| closing || call.held.is_none() && !call.queued);
        let answered: Vec<CallId> = answered.map(|call| call.id).collect();
        for id in answered {
            if let Some(status) = self.settled() {
                self.reply(id, status);
            }
        }
        let is_wanted = |call: &Call| !call.queued;
        let has_cell = self.kept.is_some() || self.has_cleared();
        if self.calls.iter().any(is_wanted) || (has_cell && !closing) {
            self.start();
        }
    }

    /// The worker is of no use: every client learns why, and the next call starts anew.
    pub(super) fn failed(&mut self, failure: Failure) {
        self.state = State::Ended { exit: Exit::Unknown };
        self.no_interrupt_is_taken();
        self.act(Action::Kill);
        self.act(Action::Retire);
        self.tell(Notice::SessionFailed { failure: failure.clone() });
        self.drop_kept(None, Notice::NotRun);
        self.untold_failure = Some(failure.clone());
        let waiting = self.calls.iter().filter(|call| !call.queued);
        let waiting: Vec<CallId> = waiting.map(|call| call.id).collect();
        for id in waiting {
            self.reply(id, Status::Failed { failure: failure.clone() });
        }
    }

    /// Time went by.
    pub(super) fn tick(&mut self) {
        let due = self.end_deadline().is_some_and(|deadline| deadline <= self.now);
        if due && let State::Ending { next, deadline, waits, .. } = &mut self.state {
            match next {
                EndStep::Kill => {
                    *next = EndStep::Abandon;
                    *deadline = self.now + KILL_GRACE;
                    *waits = None;
                    self.act(Action::Kill);
                }
                EndStep::Abandon => self.exited(Exit::Unknown, false),
            }
        }
        self.answer_late_calls();
    }
}

/// Whether somebody is asked for input by a program that ends by itself.
fn is_asked(waits: &Option<Vec<Wait>>) -> bool {
    waits.as_ref().is_some_and(|waits| !waits.is_empty())
}
