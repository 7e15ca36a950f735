//! The session's rules: an event comes in, the state moves, actions come out. Pure.

use std::time::Duration;

use mcp_repl_sideband::{ToServer, ToWorker};

use super::state::{Call, CallId, Cell, EndStep, State, Time, Wait};
use crate::reply::{Exit, Status};

/// How long a worker that was asked to end has before it is killed.
pub const END_GRACE: Duration = Duration::from_secs(2);
/// How long a program that exits by itself has for its `atexit` handlers and threads.
pub const EXIT_GRACE: Duration = Duration::from_secs(10);
/// How long the kernel has to report the end of a killed process.
const KILL_GRACE: Duration = Duration::from_secs(1);

/// `ETX`, what Ctrl-C types: interrupt.
pub const INTERRUPT: char = '\u{3}';
/// `EOT`, what Ctrl-D types: end the session and start a fresh one.
pub const RESET: char = '\u{4}';

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A client calls.
    Call {
        /// The call's number.
        id: CallId,
        /// Its payload.
        input: String,
        /// When the caller gives up.
        deadline: Time,
    },
    /// A client no longer waits for its call.
    Cancel {
        /// The call's number.
        id: CallId,
    },
    /// The worker said something, and its mark, if any, was met.
    Message(ToServer),
    /// The process ended and its terminal is drained.
    Exited(Exit),
    /// The worker could not be started, or broke the protocol.
    Failed(String),
    /// Time went by.
    Tick,
}

/// What is to be done about it, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Tell the worker.
    Send(ToWorker),
    /// Interrupt what runs: through the sideband, or as a byte if the terminal is raw.
    Interrupt,
    /// Start a worker.
    Start,
    /// Hang up: SIGHUP to the worker.
    HangUp,
    /// Kill the worker and what it left in its terminal's session.
    Kill,
    /// Say this in the next reply, at this place in the text.
    Notice(String),
    /// Show this picture in the next reply, at this place in the text.
    Image {
        /// Its media type.
        mime: String,
        /// Its bytes in base64.
        data: String,
    },
    /// Answer a call with the text so far.
    Reply {
        /// The call's number.
        call: CallId,
        /// How things stand.
        status: Status,
    },
}

/// A session: where the worker stands, and who waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    state: State,
    calls: Vec<Call>,
    cells: u64,
}

impl Session {
    /// A session whose first worker was just started.
    pub fn new(now: Time) -> Session {
        Session { state: State::Starting { since: now, fresh: false }, calls: Vec::new(), cells: 0 }
    }

    /// Where the worker stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The calls without a reply.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// When the next [`Event::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Time> {
        let end = match self.state {
            State::Ending { deadline, .. } => Some(deadline),
            _ => None,
        };
        self.calls.iter().map(|call| call.deadline).chain(end).min()
    }

    /// Moves the state and says what is to be done.
    pub fn step(&mut self, event: Event, now: Time) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Call { id, input, deadline } => {
                self.calls.push(Call { id, deadline, pending: Some(input) });
                self.route(id, now, &mut actions);
            }
            Event::Cancel { id } => self.calls.retain(|call| call.id != id),
            Event::Message(message) => self.message(message, now, &mut actions),
            Event::Exited(exit) => self.ended(exit, now, &mut actions),
            Event::Failed(why) => self.failed(why, &mut actions),
            Event::Tick => self.tick(now, &mut actions),
        }
        actions
    }

    /// Routes what is pending of a call by the state of this moment.
    fn route(&mut self, id: CallId, now: Time, actions: &mut Vec<Action>) {
        let Some(call) = self.calls.iter_mut().find(|call| call.id == id) else { return };
        let Some(input) = call.pending.take() else { return };
        if let Some(rest) = input.strip_prefix(INTERRUPT) {
            let rest = rest.to_owned();
            return self.route_interrupt(id, rest, now, actions);
        }
        if let Some(rest) = input.strip_prefix(RESET) {
            call.pending = Some(rest.to_owned());
            return self.reset(now, actions);
        }
        match &self.state {
            State::Starting { .. } | State::Ending { .. } => call.pending = Some(input),
            State::Ended { .. } if !input.is_empty() => {
                call.pending = Some(input);
                self.start(now, actions);
            }
            _ if input.is_empty() => {
                if let Some(status) = self.settled() {
                    self.reply(id, status, actions);
                }
            }
            State::Ready { waits, .. } if waits.is_empty() => {
                self.cells += 1;
                let cell = Cell { id: self.cells, since: now, outcome: None };
                self.state = State::Running { cell };
                actions.push(Action::Send(ToWorker::Cell { id: cell.id, source: input }));
            }
            State::Ready { .. } | State::InputWait { .. } => {
                actions.push(Action::Send(ToWorker::Stdin { data: as_line(input) }));
            }
            State::Running { .. } | State::Ended { .. } => {
                let status = Status::Busy { elapsed: self.elapsed(now), discarded: true };
                self.reply(id, status, actions);
            }
        }
    }

    /// An interrupt, and what comes behind it in the same payload.
    fn route_interrupt(&mut self, id: CallId, rest: String, now: Time, actions: &mut Vec<Action>) {
        let strikes = matches!(self.state, State::Running { .. } | State::InputWait { .. });
        if strikes {
            actions.push(Action::Interrupt);
        }
        let Some(call) = self.calls.iter_mut().find(|call| call.id == id) else { return };
        call.pending = Some(rest);
        if !strikes {
            self.route(id, now, actions);
        }
    }

    /// Ends the worker, whose successor takes what is pending.
    fn reset(&mut self, now: Time, actions: &mut Vec<Action>) {
        match self.state {
            State::Ended { .. } => return self.start(now, actions),
            State::Ending { .. } => return,
            // What waits is told through the sideband; what is busy does not listen to it.
            State::Ready { .. } | State::InputWait { .. } => {
                actions.push(Action::Send(ToWorker::Shutdown));
            }
            State::Starting { .. } | State::Running { .. } => {
                actions.extend([Action::Send(ToWorker::Shutdown), Action::HangUp]);
            }
        }
        self.ending(now, END_GRACE);
    }

    fn ending(&mut self, now: Time, grace: Duration) {
        let deadline = now + grace;
        self.state = State::Ending { since: now, next: EndStep::Kill, deadline };
    }

    fn start(&mut self, now: Time, actions: &mut Vec<Action>) {
        self.state = State::Starting { since: now, fresh: true };
        self.cells = 0;
        actions.push(Action::Start);
    }

    fn message(&mut self, message: ToServer, now: Time, actions: &mut Vec<Action>) {
        match (message, &mut self.state) {
            (ToServer::Image { mime, data, .. }, _) => actions.push(Action::Image { mime, data }),
            (ToServer::Exiting { .. }, state) if !matches!(state, State::Ending { .. }) => {
                self.ending(now, EXIT_GRACE);
            }
            (
                ToServer::CellDone { id, outcome, .. },
                State::Running { cell } | State::InputWait { cell, .. },
            ) if cell.id == id => {
                cell.outcome = Some(outcome);
            }
            (ToServer::Ready { discarded_bytes, .. }, _) => {
                self.ready(discarded_bytes, actions);
                self.settle(now, actions);
            }
            (ToServer::InputWait { wait, echo, .. }, state) => {
                let wait = Wait { id: wait, echo };
                match state {
                    State::Running { cell } => {
                        *state = State::InputWait { cell: *cell, waits: vec![wait] };
                    }
                    State::Ready { waits, .. } | State::InputWait { waits, .. } => waits.push(wait),
                    _ => return,
                }
                self.settle(now, actions);
            }
            (ToServer::InputTaken { wait, .. }, state) => {
                if let State::Ready { waits, .. } | State::InputWait { waits, .. } = state {
                    waits.retain(|other| other.id != wait);
                }
                if let State::InputWait { cell, waits } = state
                    && waits.is_empty()
                {
                    *state = State::Running { cell: *cell };
                }
            }
            // Said too late to matter, or about a cell that is not ours.
            (ToServer::Exiting { .. } | ToServer::CellDone { .. } | ToServer::Hello { .. }, _) => {}
        }
    }

    /// The worker is ready. It says so too when a background reader has its answer, which
    /// may cross a cell on its way: that one is ended only by its own `cell_done`.
    fn ready(&mut self, discarded_bytes: u64, actions: &mut Vec<Action>) {
        if discarded_bytes > 0 {
            let bytes = if discarded_bytes == 1 { "byte" } else { "bytes" };
            actions.push(Action::Notice(format!(
                "[repl] {discarded_bytes} {bytes} of unread input discarded"
            )));
        }
        let (waits, outcome) = match &mut self.state {
            State::Starting { fresh, .. } => {
                if *fresh {
                    actions.push(Action::Notice("[repl] new session started".into()));
                }
                (Vec::new(), None)
            }
            State::Running { cell } if cell.outcome.is_some() => (Vec::new(), cell.outcome),
            State::InputWait { cell, waits } if cell.outcome.is_some() => {
                (std::mem::take(waits), cell.outcome)
            }
            _ => return,
        };
        self.state = State::Ready { waits, outcome };
    }

    /// The status with which calls return now; `None` while the work goes on.
    fn settled(&self) -> Option<Status> {
        let waiting =
            |waits: &[Wait]| waits.first().map(|wait| Status::Waiting { echo: wait.echo });
        match &self.state {
            State::Ready { waits, outcome } => {
                Some(waiting(waits).unwrap_or(Status::Ready { outcome: *outcome }))
            }
            State::InputWait { waits, .. } => waiting(waits),
            State::Ended { exit } => Some(Status::Ended { exit: exit.clone() }),
            State::Starting { .. } | State::Running { .. } | State::Ending { .. } => None,
        }
    }

    /// After the worker came to rest: calls get what is pending routed, or their reply.
    fn settle(&mut self, now: Time, actions: &mut Vec<Action>) {
        let waiting: Vec<CallId> = self.calls.iter().map(|call| call.id).collect();
        for id in waiting {
            let Some(status) = self.settled() else { return };
            let Some(call) = self.calls.iter().find(|call| call.id == id) else { continue };
            if call.pending.as_ref().is_some_and(|input| !input.is_empty()) {
                self.route(id, now, actions);
            } else {
                self.reply(id, status, actions);
            }
        }
    }

    fn reply(&mut self, id: CallId, status: Status, actions: &mut Vec<Action>) {
        self.calls.retain(|call| call.id != id);
        actions.push(Action::Reply { call: id, status });
    }

    fn ended(&mut self, exit: Exit, now: Time, actions: &mut Vec<Action>) {
        match self.state {
            // Nobody is left to end; a second report changes nothing.
            State::Ended { .. } => return,
            State::Starting { .. } => {
                let why = format!(
                    "the session could not start: its program ended before it was ready ({exit}); \
                     `mcp-repl doctor` shows more"
                );
                return self.failed(why, actions);
            }
            _ => {}
        }
        actions.push(Action::Notice(format!("[repl] session ended ({exit})")));
        self.state = State::Ended { exit };
        let (waiting, done): (Vec<_>, Vec<_>) = self
            .calls
            .iter()
            .map(|call| (call.id, call.pending.is_some()))
            .partition(|call| call.1);
        for (id, _) in done {
            if let Some(status) = self.settled() {
                self.reply(id, status, actions);
            }
        }
        if !waiting.is_empty() {
            self.start(now, actions);
        }
    }

    /// The worker is of no use: every call learns why, and the next one starts anew.
    fn failed(&mut self, why: String, actions: &mut Vec<Action>) {
        actions.push(Action::Kill);
        self.state = State::Ended { exit: Exit::Unknown };
        for call in std::mem::take(&mut self.calls) {
            let status = Status::Failed { why: why.clone() };
            actions.push(Action::Reply { call: call.id, status });
        }
    }

    fn tick(&mut self, now: Time, actions: &mut Vec<Action>) {
        if let State::Ending { since, next, deadline } = self.state
            && deadline <= now
        {
            match next {
                EndStep::Kill => {
                    actions.push(Action::Kill);
                    let deadline = now + KILL_GRACE;
                    self.state = State::Ending { since, next: EndStep::Abandon, deadline };
                }
                EndStep::Abandon => self.ended(Exit::Unknown, now, actions),
            }
        }
        let late: Vec<Call> =
            self.calls.iter().filter(|call| call.deadline <= now).cloned().collect();
        for call in late {
            let discarded = call.pending.is_some_and(|input| !input.is_empty());
            let status = Status::Busy { elapsed: self.elapsed(now), discarded };
            self.reply(call.id, status, actions);
        }
    }

    /// How long what keeps the caller waiting has been going on.
    fn elapsed(&self, now: Time) -> Duration {
        let since = match &self.state {
            State::Starting { since, .. } | State::Ending { since, .. } => *since,
            State::Running { cell } | State::InputWait { cell, .. } => cell.since,
            State::Ready { .. } | State::Ended { .. } => now,
        };
        now.saturating_sub(since)
    }
}

/// Input as a reader takes it: a line has an end.
fn as_line(mut input: String) -> String {
    if !input.ends_with('\n') {
        input.push('\n');
    }
    input
}
