//! Routing: where a payload goes, decided once, by the state at that moment. Pure.

use mcp_repl_sideband::ToWorker;

use super::{
    state::{CallId, Cell, Payload, Reading, State, Time, Wait},
    step::{Action, END_GRACE, Session, reads},
    typing::{LONGEST_LINE, completes_line, paste, type_text},
};
use crate::reply::Status;

/// `ETX`, what Ctrl-C types: interrupt.
pub const INTERRUPT: char = '\u{3}';
/// `EOT`, what Ctrl-D types: end the session and start a fresh one.
pub const RESET: char = '\u{4}';

impl Payload {
    /// Whether there is nothing to route: a poll.
    pub fn is_empty(&self) -> bool {
        match self {
            Payload::Text(text) => text.is_empty(),
            Payload::Keys(keys) => keys.is_empty(),
        }
    }
}

impl Session {
    /// Routes what is pending of a call.
    pub(super) fn route(
        &mut self,
        id: CallId,
        reading: Option<Reading>,
        now: Time,
        actions: &mut Vec<Action>,
    ) {
        let Some(payload) = self.pending(id).and_then(Option::take) else { return };
        match payload {
            payload if payload.is_empty() => self.poll(id, reading, actions),
            Payload::Keys(keys) => self.route_keys(id, keys, reading, now, actions),
            Payload::Text(text) => {
                if let Some(rest) = text.strip_prefix(INTERRUPT) {
                    let rest = Payload::Text(rest.to_owned());
                    self.route_interrupt(id, rest, reading, now, actions);
                } else if let Some(rest) = text.strip_prefix(RESET) {
                    let rest = Payload::Text(rest.to_owned());
                    self.hold(id, rest);
                    self.reset(now, actions);
                } else {
                    self.route_text(id, text, reading, now, actions);
                }
            }
        }
    }

    fn pending(&mut self, id: CallId) -> Option<&mut Option<Payload>> {
        self.calls.iter_mut().find(|call| call.id == id).map(|call| &mut call.pending)
    }

    /// Keeps a payload of an open call until the session takes it.
    fn hold(&mut self, id: CallId, payload: Payload) {
        if let Some(pending) = self.pending(id) {
            *pending = Some(payload);
        }
    }

    /// A poll returns at once when things stand still. A program that read the terminal a
    /// while ago may do so no longer: it is looked at anew. A pager's page is turned, unless
    /// people are attached who read it.
    fn poll(&mut self, id: CallId, background: Option<Reading>, actions: &mut Vec<Action>) {
        let fed = match &self.state {
            State::TerminalWait { cell, .. } | State::FullScreen { cell, .. } => {
                Some((*cell, None))
            }
            State::Pager { cell, .. } if self.people => Some((*cell, None)),
            State::Pager { cell, reading } => {
                actions.push(Action::Type(b" ".to_vec()));
                Some((*cell, Some(reading.clone())))
            }
            _ => None,
        };
        if let Some((cell, fed)) = fed {
            self.state = self.running(cell, fed);
        } else if let Some(status) = self.settled() {
            self.reply(id, background.as_ref().map_or(status, reads), actions);
        } else if matches!(self.state, State::Starting { .. }) {
            self.hold(id, Payload::Text(String::new()));
        }
    }

    fn route_text(
        &mut self,
        id: CallId,
        text: String,
        reading: Option<Reading>,
        now: Time,
        actions: &mut Vec<Action>,
    ) {
        match &mut self.state {
            State::Ending { asks: Some(waits), .. } if !waits.is_empty() => {
                answer(waits, text, actions);
            }
            State::Starting { .. } | State::Ending { .. } => self.hold(id, Payload::Text(text)),
            State::Ended { .. } => {
                self.hold(id, Payload::Text(text));
                self.start(now, actions);
            }
            State::Running { .. } | State::Ready { fed: Some(_), .. } => {
                let status = Status::Busy { elapsed: self.elapsed(now), discarded: true };
                self.reply(id, status, actions);
            }
            State::Ready { waits, fed, .. } => {
                if !waits.is_empty() {
                    answer(waits, text, actions);
                } else if let Some(reading) = reading {
                    match typed(&text, &reading) {
                        Ok(bytes) => {
                            actions.push(served(&reading));
                            *fed = Some(reading);
                            actions.push(Action::Type(bytes));
                        }
                        Err(why) => self.refuse(id, why, now, actions),
                    }
                } else {
                    self.cells += 1;
                    let cell = Cell { id: self.cells, since: now, outcome: None };
                    self.state = self.running(cell, None);
                    actions.push(Action::Send(ToWorker::Cell { id: cell.id, source: text }));
                }
            }
            State::InputWait { waits, .. } => answer(waits, text, actions),
            State::TerminalWait { cell, reading } => match typed(&text, reading) {
                Ok(bytes) => {
                    // A pager that this starts, in a shell, say, is read through.
                    let (cell, fed) = (*cell, Some(reading.clone()));
                    self.state = self.running(cell, fed);
                    actions.push(Action::Type(bytes));
                }
                Err(why) => self.refuse(id, why, now, actions),
            },
            State::Pager { cell, reading } => {
                self.state = by_hand(*cell, reading);
                actions.push(Action::Type(pager_command(text)));
            }
            State::FullScreen { cell, reading } => {
                self.state = by_hand(*cell, reading);
                actions.push(Action::Type(text.into_bytes()));
            }
        }
    }

    /// Keys always go to the terminal, if anything there can get them.
    fn route_keys(
        &mut self,
        id: CallId,
        keys: Vec<u8>,
        background: Option<Reading>,
        now: Time,
        actions: &mut Vec<Action>,
    ) {
        let completes = completes_line(&keys);
        match &mut self.state {
            State::Ending { asks: Some(waits), .. } if !waits.is_empty() => {
                actions.push(Action::Type(keys));
            }
            State::Starting { .. } | State::Ending { .. } => {
                self.hold(id, Payload::Keys(keys));
            }
            State::Ended { .. } => {
                self.refuse(id, "there is no session to type into".into(), now, actions);
            }
            State::Ready { waits, .. } if waits.is_empty() && background.is_none() => {
                let why = "nothing reads the terminal, so the keys were not typed".into();
                self.refuse(id, why, now, actions);
            }
            State::Ready { waits, fed, .. } => {
                if waits.is_empty() {
                    actions.extend(background.as_ref().map(served));
                    *fed = background;
                }
                actions.push(Action::Type(keys));
            }
            State::Running { seen, .. } => {
                *seen = None;
                actions.push(Action::Type(keys));
            }
            State::InputWait { .. } => {
                actions.push(Action::Type(keys));
                // Half a line wakes nobody: there is nothing to wait for.
                if !completes && let Some(status) = self.settled() {
                    self.reply(id, status, actions);
                }
            }
            State::TerminalWait { cell, reading } => {
                actions.push(Action::Type(keys));
                if reading.canonical && !completes {
                    if let Some(status) = self.settled() {
                        self.reply(id, status, actions);
                    }
                    return;
                }
                let (cell, fed) = (*cell, Some(reading.clone()));
                self.state = self.running(cell, fed);
            }
            State::Pager { cell, reading } | State::FullScreen { cell, reading } => {
                self.state = by_hand(*cell, reading);
                actions.push(Action::Type(keys));
            }
        }
    }

    /// An interrupt, and what comes behind it in the same payload.
    fn route_interrupt(
        &mut self,
        id: CallId,
        rest: Payload,
        reading: Option<Reading>,
        now: Time,
        actions: &mut Vec<Action>,
    ) {
        self.hold(id, rest);
        match &self.state {
            State::Ending { asks: Some(waits), .. } if !waits.is_empty() => {
                self.strike(id);
                actions.push(Action::Interrupt);
            }
            State::Running { .. } | State::InputWait { .. } => {
                self.strike(id);
                actions.push(Action::Interrupt);
            }
            State::TerminalWait { cell, reading }
            | State::Pager { cell, reading }
            | State::FullScreen { cell, reading } => {
                self.state = by_hand(*cell, reading);
                self.strike(id);
                actions.push(Action::Interrupt);
            }
            State::Starting { .. } => self.drop_held(id, actions),
            // A program in the background that has the terminal gets the key; else nothing runs
            // that an interrupt could strike.
            State::Ready { .. } | State::Ending { .. } | State::Ended { .. } => {
                if let Some(reading) = &reading {
                    actions.push(served(reading));
                    actions.push(Action::Type(vec![INTERRUPT as u8]));
                }
                self.route(id, None, now, actions);
            }
        }
    }

    /// The call has interrupted something; without more behind that, nothing of it is pending.
    fn strike(&mut self, id: CallId) {
        for call in self.calls.iter_mut().filter(|call| call.id == id) {
            call.strikes = true;
            call.pending.take_if(|rest| rest.is_empty());
        }
    }

    /// An interrupt while the session starts strikes what waits to be run then.
    fn drop_held(&mut self, id: CallId, actions: &mut Vec<Action>) {
        for call in self.calls.iter_mut().filter(|call| call.id != id) {
            let held = call.pending.as_ref().is_some_and(|payload| !payload.is_empty());
            if held {
                call.pending = Some(Payload::Text(String::new()));
                actions.push(Action::Notice("[repl] interrupted before it was run".into()));
            }
        }
    }

    /// Ends the worker, whose successor takes what is pending.
    fn reset(&mut self, now: Time, actions: &mut Vec<Action>) {
        match self.state {
            State::Ended { .. } => return self.start(now, actions),
            State::Ending { asks: None, .. } => return,
            // What waits is told through the sideband; what is busy does not listen to it.
            State::Ready { .. } | State::InputWait { .. } => {
                actions.push(Action::Send(ToWorker::Shutdown));
            }
            State::Starting { .. }
            | State::Ending { asks: Some(_), .. }
            | State::Running { .. }
            | State::TerminalWait { .. }
            | State::Pager { .. }
            | State::FullScreen { .. } => {
                actions.extend([Action::Send(ToWorker::Shutdown), Action::HangUp]);
            }
        }
        self.ending(now, END_GRACE, None);
    }

    /// Answers a call whose payload can't be taken, saying why.
    fn refuse(&mut self, id: CallId, why: String, now: Time, actions: &mut Vec<Action>) {
        actions.push(Action::Notice(format!("[repl] {why}")));
        let busy = Status::Busy { elapsed: self.elapsed(now), discarded: false };
        let status = self.settled().unwrap_or(busy);
        self.reply(id, status, actions);
    }
}

/// The state after the client typed for a program: from here on it turns the pages itself.
fn by_hand(cell: Cell, reading: &Reading) -> State {
    State::Running { cell, fed: Some(reading.clone()), seen: None, turn: false }
}

/// Says that a payload went to a program in the background, which no status told of: it was
/// found when the payload came.
fn served(reading: &Reading) -> Action {
    let program = &reading.program;
    Action::Notice(format!(
        "[repl] typed for {program}, which reads the terminal in the background"
    ))
}

/// A command for a pager: one that takes a line is ended, a key is typed as it is.
fn pager_command(mut text: String) -> Vec<u8> {
    // What comes behind the key would be for whoever reads next.
    if matches!(text.trim_end(), "quit" | "exit") {
        return b"q".to_vec();
    }
    if text.starts_with(['/', '?', ':', '&', '-', '|', '!']) {
        let end = text.trim_end_matches('\n').len();
        text.truncate(end);
        // `:n` and its like are keys, and so is a lone option letter.
        if text.len() > 2 || text.starts_with(['/', '?']) {
            text.push('\r');
        }
    }
    text.into_bytes()
}

/// Sends input for the first reader in line that has none yet.
fn answer(waits: &mut [Wait], text: String, actions: &mut Vec<Action>) {
    if let Some(wait) = waits.iter_mut().find(|wait| !wait.answered) {
        wait.answered = true;
    }
    actions.push(Action::Send(ToWorker::Stdin { data: as_line(text) }));
}

/// Input as a reader takes it: a line has an end.
fn as_line(mut input: String) -> String {
    if !input.ends_with('\n') {
        input.push('\n');
    }
    input
}

/// The bytes that type `text` for this reader, or why it can't be typed.
fn typed(text: &str, reading: &Reading) -> Result<Vec<u8>, String> {
    let lines = text.strip_suffix('\n').unwrap_or(text);
    if reading.pastes && lines.contains('\n') && !lines.contains('\u{1b}') {
        return Ok(paste(lines));
    }
    type_text(text, reading.canonical).map_err(|length| {
        format!(
            "nothing was typed: a line of {length} bytes is longer than the {LONGEST_LINE} bytes \
             a terminal holds for {}; send shorter lines",
            reading.program
        )
    })
}
