//! The session's rules: an event comes in, the state moves, actions come out. Pure.
//!
//! This file holds what the worker, the kernel and the clock do to a session; `route` holds
//! what a client's payload does.

use std::time::Duration;

use mcp_repl_sideband::{ToServer, ToWorker};

use super::state::{
    Call, CallId, Cell, EndStep, Paging, Payload, Reading, State, Time, View, Wait,
};
use crate::reply::{Exit, Status};

/// How long a worker that was asked to end has before it is killed.
pub const END_GRACE: Duration = Duration::from_secs(2);
/// How long a program that exits by itself has for its `atexit` handlers and threads.
pub const EXIT_GRACE: Duration = Duration::from_secs(10);
/// How long the kernel has to report the end of a killed process.
const KILL_GRACE: Duration = Duration::from_secs(1);

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A client calls.
    Call {
        /// The call's number.
        id: CallId,
        /// What it sends.
        payload: Payload,
        /// When the caller gives up.
        deadline: Time,
        /// At [`State::Ready`]: who reads the terminal nevertheless, in the background.
        reading: Option<Reading>,
    },
    /// The first person has attached, or the last one has left.
    People {
        /// Whether there is one.
        attached: bool,
    },
    /// A client no longer waits for its call.
    Cancel {
        /// The call's number.
        id: CallId,
    },
    /// The worker said something, and its mark, if any, was met.
    Message(ToServer),
    /// The kernel was asked who reads the terminal: nobody, or this one.
    Look(Option<Reading>),
    /// The process ended and its terminal is drained.
    Exited {
        /// How.
        exit: Exit,
        /// Whether it went before it had read the last input it was sent.
        missed_input: bool,
    },
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
    /// Type into the terminal.
    Type(Vec<u8>),
    /// Interrupt what runs: through the sideband, or as a byte if the terminal is raw.
    Interrupt,
    /// Start a worker.
    Start,
    /// Take the text above the pager's prompt for the next reply.
    TakePage,
    /// Take the whole page of a full-screen program for the next reply.
    TakeScreen,
    /// The cell is over: put the screen back as programs find it.
    CalmScreen,
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
    pub(super) state: State,
    pub(super) calls: Vec<Call>,
    pub(super) cells: u64,
    pub(super) paging: Paging,
    /// Whether people are attached, who read pagers themselves.
    pub(super) people: bool,
}

impl Session {
    /// A session whose first worker was just started.
    pub fn new(now: Time, paging: Paging) -> Session {
        let state = State::Starting { since: now, fresh: false };
        Session { state, calls: Vec::new(), cells: 0, paging, people: false }
    }

    /// Where the worker stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether the kernel is to be asked who reads the terminal: while somebody waits for an
    /// answer and nothing else tells.
    pub fn wants_look(&self) -> bool {
        let open = match &self.state {
            State::Running { .. } => true,
            State::Ready { fed, .. } => fed.is_some(),
            _ => false,
        };
        open && !self.calls.is_empty()
    }

    /// Whether a pager got a key and was not found waiting for another one since.
    pub fn feeds_pager(&self) -> bool {
        matches!(
            &self.state,
            State::Running { fed: Some(Reading { view: View::Pager { .. }, .. }), .. }
        )
    }

    /// When the next [`Event::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Time> {
        let end = match self.state {
            State::Ending { deadline, ref asks, .. } if !is_asked(asks) => Some(deadline),
            _ => None,
        };
        self.calls.iter().map(|call| call.deadline).chain(end).min()
    }

    /// Moves the state and says what is to be done.
    pub fn step(&mut self, event: Event, now: Time) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Call { id, payload, deadline, reading } => {
                self.calls.push(Call { id, deadline, pending: Some(payload), strikes: false });
                self.route(id, reading, now, &mut actions);
            }
            Event::People { attached } => self.people = attached,
            Event::Cancel { id } => self.calls.retain(|call| call.id != id),
            Event::Message(message) => self.message(message, now, &mut actions),
            Event::Look(reading) => self.look(reading, now, &mut actions),
            Event::Exited { exit, missed_input } => {
                self.ended(exit, missed_input, now, &mut actions);
            }
            Event::Failed(why) => self.failed(why, &mut actions),
            Event::Tick => self.tick(now, &mut actions),
        }
        actions
    }

    /// Two looks that find the same sleep make it a wait, whatever others print meanwhile.
    fn look(&mut self, reading: Option<Reading>, now: Time, actions: &mut Vec<Action>) {
        let same = |known: &Option<Reading>| match (known, &reading) {
            (Some(known), Some(reading)) => known.is_same(reading),
            _ => false,
        };
        match &mut self.state {
            State::Ready { fed, .. } if fed.is_some() && !same(fed) => *fed = None,
            State::Running { cell, fed, seen, turn } if !same(fed) => {
                let confirmed = same(seen);
                let (cell, turn) = (*cell, *turn);
                match reading {
                    Some(reading) if confirmed => self.found(cell, reading, turn, actions),
                    reading => *seen = reading,
                }
            }
            _ => return,
        }
        self.settle(now, actions);
    }

    /// A program reads the terminal: what it shows there tells what it is.
    fn found(&mut self, cell: Cell, reading: Reading, turn: bool, actions: &mut Vec<Action>) {
        let key = match &reading.view {
            View::Text => {
                self.state = State::TerminalWait { cell, reading };
                return;
            }
            View::Page { .. } => {
                actions.push(Action::TakeScreen);
                self.state = State::FullScreen { cell, reading };
                return;
            }
            View::Pager { place, news, room } => {
                actions.push(Action::TakePage);
                // Not every prompt tells the end: a turn that brought nothing does, too.
                match (turn && !self.people, place.at_end || !news) {
                    (true, true) if !place.has_next => Some(b'q'),
                    (true, false) if *room => Some(b' '),
                    _ => None,
                }
            }
        };
        let Some(key) = key else {
            self.state = State::Pager { cell, reading };
            return;
        };
        actions.push(Action::Type(vec![key]));
        self.state = State::Running { cell, fed: Some(reading), seen: None, turn };
    }

    fn message(&mut self, message: ToServer, now: Time, actions: &mut Vec<Action>) {
        match message {
            ToServer::Image { mime, data, .. } => actions.push(Action::Image { mime, data }),
            ToServer::Exiting { .. } => {
                let asks = match &mut self.state {
                    State::Ending { .. } => return,
                    State::Ready { waits, .. } | State::InputWait { waits, .. } => {
                        std::mem::take(waits)
                    }
                    _ => Vec::new(),
                };
                self.ending(now, EXIT_GRACE, Some(asks));
            }
            ToServer::CellDone { id, outcome, .. } => {
                if let Some(cell) = self.cell_mut().filter(|cell| cell.id == id) {
                    cell.outcome = Some(outcome);
                }
            }
            ToServer::Ready { discarded_bytes, .. } => {
                self.ready(discarded_bytes, actions);
                self.settle(now, actions);
            }
            ToServer::InputWait { wait, echo, .. } => {
                self.waits(Wait { id: wait, echo, answered: false });
                self.settle(now, actions);
            }
            ToServer::InputTaken { wait, bytes } => {
                self.taken(wait, bytes, now);
                // Another reader may be in line. Without one, `ready` follows, or the cell goes on;
                // and one that was interrupted has more to say.
                let in_line = matches!(self.state, State::InputWait { .. } | State::Ending { .. });
                if bytes > 0 && in_line {
                    self.settle(now, actions);
                }
            }
            ToServer::Interrupted => self.interrupted(now, actions),
            // The link has checked it.
            ToServer::Hello { .. } => {}
        }
    }

    /// The cell on its way.
    fn cell_mut(&mut self) -> Option<&mut Cell> {
        match &mut self.state {
            State::Running { cell, .. }
            | State::InputWait { cell, .. }
            | State::TerminalWait { cell, .. }
            | State::Pager { cell, .. }
            | State::FullScreen { cell, .. } => Some(cell),
            _ => None,
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
            State::InputWait { cell, waits } if cell.outcome.is_some() => {
                (std::mem::take(waits), cell.outcome)
            }
            _ => match self.cell_mut() {
                Some(Cell { outcome: Some(outcome), .. }) => (Vec::new(), Some(*outcome)),
                _ => return,
            },
        };
        // An interrupt on its way can only miss now.
        self.calls.iter_mut().for_each(|call| call.strikes = false);
        actions.push(Action::CalmScreen);
        self.state = State::Ready { waits, outcome, fed: None };
    }

    /// An interrupt was taken. A reader that it struck says so, or is announced anew; where no
    /// cell is left to be struck, nothing more comes.
    fn interrupted(&mut self, now: Time, actions: &mut Vec<Action>) {
        self.calls.iter_mut().for_each(|call| call.strikes = false);
        if matches!(self.state, State::Ready { .. }) {
            self.settle(now, actions);
        }
    }

    fn waits(&mut self, wait: Wait) {
        match &mut self.state {
            State::Ready { waits, .. }
            | State::InputWait { waits, .. }
            | State::Ending { asks: Some(waits), .. } => {
                // One that is said again outlived an interrupt.
                if !waits.iter().any(|known| known.id == wait.id) {
                    waits.push(wait);
                }
            }
            _ => {
                if let Some(&mut cell) = self.cell_mut() {
                    self.state = State::InputWait { cell, waits: vec![wait] };
                }
            }
        }
    }

    fn taken(&mut self, wait: u64, bytes: u64, now: Time) {
        if let State::Ready { waits, .. }
        | State::InputWait { waits, .. }
        | State::Ending { asks: Some(waits), .. } = &mut self.state
        {
            let place = waits.iter().position(|other| other.id == wait);
            let taken = place.map(|place| waits.remove(place));
            // The worker's order is its own: what was meant for another was taken by this one.
            if bytes > 0
                && taken.is_some_and(|taken| !taken.answered)
                && let Some(owed) = waits.iter_mut().find(|other| other.answered)
            {
                owed.answered = false;
            }
        }
        match &mut self.state {
            State::InputWait { cell, waits } if waits.is_empty() => {
                let cell = *cell;
                self.state = self.running(cell, None);
            }
            // What ends by itself has its time again.
            State::Ending { asks: Some(waits), deadline, .. } if waits.is_empty() => {
                *deadline = now + EXIT_GRACE;
            }
            _ => {}
        }
    }

    /// The state of a running cell, after something was typed for `fed` if that is given.
    pub(super) fn running(&self, cell: Cell, fed: Option<Reading>) -> State {
        State::Running { cell, fed, seen: None, turn: self.paging == Paging::Through }
    }

    /// The status with which calls return now; `None` while the work goes on.
    pub(super) fn settled(&self) -> Option<Status> {
        match &self.state {
            State::Ready { fed: Some(_), .. } => None,
            State::Ready { waits, .. }
            | State::InputWait { waits, .. }
            | State::Ending { asks: Some(waits), .. }
                if waits.iter().any(|wait| wait.answered) =>
            {
                None
            }
            State::Ready { waits, outcome, .. } => Some(match waits.first() {
                Some(wait) => Status::Waiting { echo: wait.echo },
                None => Status::Ready { outcome: *outcome },
            }),
            State::InputWait { waits, .. } | State::Ending { asks: Some(waits), .. } => {
                waits.first().map(|wait| Status::Waiting { echo: wait.echo })
            }
            State::TerminalWait { reading, .. } => Some(reads(reading)),
            State::Pager { reading, .. } => {
                let View::Pager { place, .. } = &reading.view else { return None };
                Some(Status::Pager {
                    program: reading.program.clone(),
                    prompt: place.prompt.clone(),
                    at_end: place.at_end,
                    shared: self.people,
                })
            }
            State::FullScreen { reading, .. } => {
                let View::Page { cursor } = reading.view else { return None };
                Some(Status::FullScreen { program: reading.program.clone(), cursor })
            }
            State::Ended { exit } => Some(Status::Ended { exit: exit.clone() }),
            State::Starting { .. } | State::Running { .. } | State::Ending { asks: None, .. } => {
                None
            }
        }
    }

    /// After the worker came to rest: calls get what is pending routed, or their reply.
    fn settle(&mut self, now: Time, actions: &mut Vec<Action>) {
        let waiting: Vec<CallId> = self.calls.iter().map(|call| call.id).collect();
        for id in waiting {
            let Some(status) = self.settled() else { return };
            let call = self.calls.iter().find(|call| call.id == id && !call.strikes);
            let Some(call) = call else { continue };
            if call.pending.as_ref().is_some_and(|payload| !payload.is_empty()) {
                // What came for the next session is no answer to this one.
                if !matches!(self.state, State::Ending { .. }) {
                    self.route(id, None, now, actions);
                }
            } else {
                self.reply(id, status, actions);
            }
        }
    }

    pub(super) fn reply(&mut self, id: CallId, status: Status, actions: &mut Vec<Action>) {
        self.calls.retain(|call| call.id != id);
        actions.push(Action::Reply { call: id, status });
    }

    pub(super) fn ending(&mut self, now: Time, grace: Duration, asks: Option<Vec<Wait>>) {
        let deadline = now + grace;
        self.state = State::Ending { since: now, next: EndStep::Kill, deadline, asks };
    }

    pub(super) fn start(&mut self, now: Time, actions: &mut Vec<Action>) {
        self.state = State::Starting { since: now, fresh: true };
        self.cells = 0;
        actions.push(Action::Start);
    }

    fn ended(&mut self, exit: Exit, missed_input: bool, now: Time, actions: &mut Vec<Action>) {
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
        let missed = if missed_input { "; the last input did not reach it" } else { "" };
        actions.push(Action::Notice(format!("[repl] session ended ({exit}){missed}")));
        self.state = State::Ended { exit };
        let done: Vec<CallId> =
            self.calls.iter().filter(|call| call.pending.is_none()).map(|call| call.id).collect();
        for id in done {
            if let Some(status) = self.settled() {
                self.reply(id, status, actions);
            }
        }
        if !self.calls.is_empty() {
            self.start(now, actions);
        }
    }

    /// The worker is of no use: every call learns why, and the next one starts anew.
    fn failed(&mut self, why: String, actions: &mut Vec<Action>) {
        self.state = State::Ended { exit: Exit::Unknown };
        actions.push(Action::Kill);
        for call in std::mem::take(&mut self.calls) {
            let status = Status::Failed { why: why.clone() };
            actions.push(Action::Reply { call: call.id, status });
        }
    }

    fn tick(&mut self, now: Time, actions: &mut Vec<Action>) {
        if let State::Ending { since, next, deadline, ref asks } = self.state
            && deadline <= now
            && !is_asked(asks)
        {
            match next {
                EndStep::Kill => {
                    actions.push(Action::Kill);
                    let deadline = now + KILL_GRACE;
                    let next = EndStep::Abandon;
                    self.state = State::Ending { since, next, deadline, asks: None };
                }
                EndStep::Abandon => self.ended(Exit::Unknown, false, now, actions),
            }
        }
        let late: Vec<Call> =
            self.calls.iter().filter(|call| call.deadline <= now).cloned().collect();
        for call in late {
            let discarded = call.pending.is_some_and(|payload| !payload.is_empty());
            let status = Status::Busy { elapsed: self.elapsed(now), discarded };
            self.reply(call.id, status, actions);
        }
    }

    /// How long what keeps the caller waiting has been going on.
    pub(super) fn elapsed(&self, now: Time) -> Duration {
        let since = match &self.state {
            State::Starting { since, .. } | State::Ending { since, .. } => *since,
            State::Running { cell, .. }
            | State::InputWait { cell, .. }
            | State::TerminalWait { cell, .. }
            | State::Pager { cell, .. }
            | State::FullScreen { cell, .. } => cell.since,
            State::Ready { .. } | State::Ended { .. } => now,
        };
        now.saturating_sub(since)
    }
}

/// Whether somebody is asked for input by a program that ends by itself.
fn is_asked(asks: &Option<Vec<Wait>>) -> bool {
    asks.as_ref().is_some_and(|waits| !waits.is_empty())
}

/// The status while a program reads the terminal itself.
pub(super) fn reads(reading: &Reading) -> Status {
    Status::Reading {
        program: reading.program.clone(),
        canonical: reading.canonical,
        echo: reading.echo,
        guessed: reading.guessed,
    }
}
