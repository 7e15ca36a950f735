//! Routing: where a payload goes, decided once, by the state at that moment. Pure.

use mcp_repl_sideband::ToWorker;

use super::{
    Action, Session,
    calls::{holds_input, terminal_wait},
    pager,
    payload::{INTERRUPT, Keys, Payload},
    reader::{Awaits, InputModes, Reader, Sighting},
    state::{Call, CallId, Cell, ClientId, Doing, NOBODY, SentInput, State, TypedFor},
    typing::{LONGEST_LINE, completes_line, has_long_echo, paste, type_text},
};
use crate::reply::{Deed, Notice, Refusal};

impl Session {
    /// Routes what is held of a call.
    pub(super) fn route(&mut self, id: CallId, background: Option<Sighting>) {
        let Some(call) = self.calls.iter_mut().find(|call| call.id == id) else { return };
        let Some(payload) = call.held.take() else { return };
        call.in_line = false;
        let (client, place) = (call.client, self.actions.len());
        if !payload.is_empty() {
            self.note_typing(client);
        }
        let sent = self.sent(&payload);
        match payload {
            payload if payload.is_empty() => self.poll(id, background),
            Payload::Keys(keys) => self.route_keys(id, keys, background),
            Payload::Text(text) => self.route_text(id, text, background),
            Payload::Interrupt(rest) => self.route_interrupt(id, *rest, background),
            Payload::Reset(rest) => {
                self.drop_kept(Some(client), Notice::InterruptedBeforeRun);
                self.drop_line(id);
                self.hold(id, *rest);
                self.did(self.actions.len(), client, Deed::Reset);
                self.reset();
            }
        }
        if let Some(sent) = sent {
            self.tell_sent(place, client, sent);
        }
    }

    fn held(&mut self, id: CallId) -> Option<&mut Option<Payload>> {
        self.calls.iter_mut().find(|call| call.id == id).map(|call| &mut call.held)
    }

    /// Keeps a payload of an open call until the session takes it.
    pub(super) fn hold(&mut self, id: CallId, payload: Payload) {
        if let Some(held) = self.held(id) {
            *held = Some(payload);
        }
    }

    /// Keeps a text of an open call until its turn comes.
    fn wait_in_line(&mut self, id: CallId, text: String) {
        self.hold(id, Payload::Text(text));
        let is_behind = self.earlier_call(id).is_some();
        for call in self.calls.iter_mut().filter(|call| call.id == id) {
            call.in_line = is_behind;
        }
    }

    /// A text that comes while a cell runs. Clients send the calls of one turn side by side: it
    /// waits behind an earlier one, unless the client knows that the cell goes on.
    pub(super) fn wait_or_refuse(&mut self, id: CallId, text: String) {
        let this = self.calls.iter().find(|call| call.id == id);
        if this.is_some_and(|this| self.is_anothers_cell(this.client)) {
            return self.wait_for_turn(id, text);
        }
        match self.earlier_call(id) {
            Some(earlier) if !self.told_busy.contains(&earlier.client) => {
                self.wait_in_line(id, text);
            }
            None if this.is_some_and(|this| self.waits_for_program(this.client)) => {
                self.hold(id, Payload::Text(text));
            }
            _ => self.reply(id, self.busy(true)),
        }
    }

    /// What the client of a call sent before, and waits in line, is not run.
    fn drop_line(&mut self, id: CallId) {
        let Some(this) = self.calls.iter().find(|call| call.id == id) else { return };
        let client = this.client;
        let struck = self.calls.iter().filter(|call| call.in_line && call.client == client);
        let struck: Vec<CallId> = struck.map(|call| call.id).collect();
        for call in self.calls.iter_mut().filter(|call| struck.contains(&call.id)) {
            (call.held, call.in_line) = (Some(Payload::poll()), false);
        }
        for id in struck {
            self.tell_caller(id, Notice::InterruptedBeforeRun);
        }
        self.withdraw(client);
    }

    /// A call of the same client that came before, and has no reply yet.
    fn earlier_call(&self, id: CallId) -> Option<&Call> {
        let place = self.calls.iter().position(|call| call.id == id)?;
        let (earlier, this) = self.calls.split_at(place);
        earlier.iter().find(|call| call.client == this[0].client)
    }

    /// A poll returns at once when things stand still. A program that read the terminal a
    /// while ago may do so no longer: it is looked at anew; of one that may go on by itself there
    /// may be news. A pager's page is turned, unless people are attached who read it.
    fn poll(&mut self, id: CallId, background: Option<Sighting>) {
        if self.looks_for_news() {
            let call = self.calls.iter_mut().find(|call| call.id == id);
            call.into_iter().for_each(|call| call.awaits_news = true);
            return;
        }
        let this = self.calls.iter().find(|call| call.id == id);
        if this.is_some_and(|this| self.is_anothers_cell(this.client))
            && let Some(Doing::Pager { .. }) = self.state.doing()
        {
            // Its pages are turned by whose it is.
            return self.set_doing(Doing::running(false));
        }
        let typed_for = self.state.doing().and_then(|doing| match doing {
            Doing::TerminalWait { .. } | Doing::FullScreen { .. } => Some(None),
            Doing::Pager { .. } if self.people => Some(None),
            Doing::Pager { reader, .. } => {
                Some(Some(TypedFor { reader: reader.clone(), is_pager: true }))
            }
            Doing::Running { .. } | Doing::InputWait { .. } | Doing::Tidying { .. } => None,
        });
        if let Some(typed_for) = typed_for {
            if typed_for.is_some() {
                self.turn_page(pager::NEXT_PAGE);
            }
            let doing = self.running(typed_for);
            self.set_doing(doing);
        } else if let Some(status) = self.settled() {
            let seen = background.map(|sighting| terminal_wait(&sighting.reader, sighting.modes));
            self.reply(id, seen.unwrap_or(status));
        } else if matches!(self.state, State::Starting { .. }) {
            self.hold(id, Payload::poll());
        }
    }

    /// Types a key for a pager, of which no client knows.
    pub(super) fn turn_page(&mut self, key: &[u8]) {
        self.typists.note(NOBODY, key.len() as u64);
        self.act(Action::Type(key.to_vec()));
    }

    fn route_text(&mut self, id: CallId, text: String, background: Option<Sighting>) {
        let Some(client) = self.calls.iter().find(|call| call.id == id).map(|call| call.client)
        else {
            return;
        };
        if let Some(after) = self.after_cancel(client) {
            return self.route_after_cancel(id, text, after);
        }
        if self.is_looked_at_for_another(client) && self.earlier_call(id).is_none() {
            return self.hold(id, Payload::Text(text));
        }
        if self.waits_for_turn(client) {
            return self.wait_for_turn(id, text);
        }
        match &mut self.state {
            State::Ending { waits: Some(waits), .. } if !waits.is_empty() => self.answer(id, text),
            State::Starting { doing: Doing::Running { .. }, .. } | State::Ending { .. } => {
                self.wait_in_line(id, text);
            }
            State::Ended { .. } => {
                self.hold(id, Payload::Text(text));
                self.start();
            }
            State::Ready { typed_for: Some(_), .. } => self.wait_or_refuse(id, text),
            State::Ready { waits, .. } if !waits.is_empty() => self.answer_or_wait(id, text),
            State::Ready { .. } => match background {
                Some(sighting) => self.type_in_background(id, &text, sighting),
                None => self.run_or_propose(id, client, text),
            },
            State::Starting { doing, .. } | State::InCell { doing, .. } => match doing {
                Doing::Running { .. } | Doing::Tidying { .. } => self.wait_or_refuse(id, text),
                Doing::InputWait { .. } => self.answer_or_wait(id, text),
                Doing::TerminalWait { reader, modes } => match typed(&text, reader, *modes) {
                    Ok(bytes) => {
                        let reader = reader.clone();
                        let leaves_out = has_long_echo(&text, *modes);
                        self.typed_for_one_that_may_go_on(id, &reader);
                        // A pager that this starts, in a shell, say, is read through.
                        let typed_for = TypedFor { reader, is_pager: false };
                        let doing = self.running(Some(typed_for));
                        self.set_doing(doing);
                        if leaves_out {
                            self.leave_out_echo(id, text);
                        }
                        self.act(Action::Type(bytes));
                    }
                    Err(why) => self.refuse(id, why),
                },
                Doing::Pager { .. } => {
                    self.leave_to_client();
                    self.act(Action::Type(pager::command(text)));
                }
                Doing::FullScreen { reader, .. } => {
                    // A single key is a command more often than text.
                    if text.trim().len() > 1 {
                        let reader = reader.clone();
                        self.typed_for_one_that_may_go_on(id, &reader);
                    }
                    self.leave_to_client();
                    self.act(Action::Type(text.into_bytes()));
                }
            },
        }
    }

    /// Text is typed for a program that takes it from the terminal at once, and may end before it
    /// gets to it.
    fn typed_for_one_that_may_go_on(&mut self, id: CallId, reader: &Reader) {
        let call = self.calls.iter().find(|call| call.id == id && reader.awaits.others());
        self.typed = call.map(|call| (call.client, reader.program.clone()));
    }

    /// Runs a cell.
    pub(super) fn run(&mut self, source: String, client: ClientId) {
        self.cells += 1;
        let (id, since) = (self.cells, self.now);
        let cell = Cell { id, since, client, after_cancel: None, outcome: None };
        self.told_busy.clear();
        self.typed = None;
        self.state = State::InCell { cell, doing: self.running(None) };
        // What a reader in the background left is not for the cell.
        self.act(Action::DropInput);
        self.did(self.actions.len(), client, Deed::Ran { source: source.clone() });
        self.act(Action::Send(ToWorker::Cell { id: cell.id, source }));
    }

    /// Runs the cell of a call, or has somebody decide on it.
    fn run_or_propose(&mut self, id: CallId, client: ClientId, source: String) {
        let is_approved = self.calls.iter().any(|call| call.id == id && call.is_approved);
        if self.is_to_be_approved(client) && !is_approved {
            self.propose(client, source, Some(id));
        } else {
            self.run(source, client);
        }
    }

    /// A text while readers are in line. When each of them has its input on the way, the text is
    /// for none: while no cell runs, it waits for the moment until they have taken theirs.
    fn answer_or_wait(&mut self, id: CallId, text: String) {
        let waits = self.waits_mut();
        if waits.is_some_and(|waits| waits.iter().any(|wait| wait.answer.is_none())) {
            self.answer(id, text);
        } else if matches!(self.state, State::Ready { .. }) {
            self.hold(id, Payload::Text(text));
            self.calls.iter_mut().filter(|call| call.id == id).for_each(|call| call.in_line = true);
        } else {
            self.wait_or_refuse(id, text);
        }
    }

    /// Sends input for the first reader in line that has none yet.
    fn answer(&mut self, id: CallId, text: String) {
        let data = as_line(text);
        let client = self.calls.iter().find(|call| call.id == id).map(|call| call.client);
        let waits = self.waits_mut();
        if let Some(wait) = waits.and_then(|waits| waits.iter_mut().find(|w| w.answer.is_none())) {
            let unaware = client.filter(|client| !wait.told.contains(client));
            wait.answer = Some(SentInput { bytes: data.len() as u64, unaware });
        }
        self.act(Action::Send(ToWorker::Stdin { data }));
    }

    /// What a call types is echoed: who typed it knows it.
    fn leave_out_echo(&mut self, id: CallId, text: String) {
        if let Some(client) = self.calls.iter().find(|call| call.id == id).map(|call| call.client) {
            self.act(Action::LeaveOutEcho { client, text });
        }
    }

    fn type_in_background(&mut self, id: CallId, text: &str, sighting: Sighting) {
        let Sighting { reader, modes, .. } = sighting;
        match typed(text, &reader, modes) {
            Ok(bytes) => {
                self.types_for_background(id, &reader);
                self.await_background(reader);
                self.act(Action::Type(bytes));
            }
            Err(why) => self.refuse(id, why),
        }
    }

    /// Says that a payload goes to a program in the background, which no status told of: it was
    /// found when the payload came.
    fn types_for_background(&mut self, id: CallId, reader: &Reader) {
        self.tell_caller(id, Notice::TypedInBackground { program: reader.program.clone() });
    }

    fn await_background(&mut self, reader: Reader) {
        if let State::Ready { typed_for, .. } = &mut self.state {
            *typed_for = Some(reader);
        }
    }

    /// Keys always go to the terminal, if anything there can get them.
    fn route_keys(&mut self, id: CallId, keys: Keys, background: Option<Sighting>) {
        // None of the keys that complete a line depends on the terminal's modes.
        let completes = completes_line(&keys.bytes(false));
        let type_keys = Action::TypeKeys(keys.clone());
        match &mut self.state {
            State::Ending { waits: Some(waits), .. } if !waits.is_empty() => self.act(type_keys),
            State::Starting { doing: Doing::Running { .. }, .. } | State::Ending { .. } => {
                self.hold(id, Payload::Keys(keys));
            }
            State::Ended { .. } => self.refuse(id, Refusal::NoSession),
            State::Ready { waits, .. } => match background {
                _ if !waits.is_empty() => self.act(type_keys),
                Some(Sighting { reader, .. }) => {
                    self.types_for_background(id, &reader);
                    self.await_background(reader);
                    self.act(type_keys);
                }
                None => self.refuse(id, Refusal::NobodyReads),
            },
            State::Starting { doing, .. } | State::InCell { doing, .. } => {
                self.actions.push(type_keys);
                match doing {
                    Doing::Running { candidate, .. } => *candidate = None,
                    // Half a line wakes nobody: there is nothing to wait for.
                    Doing::InputWait { .. } if !completes => self.reply_as_it_stands(id),
                    Doing::InputWait { .. } | Doing::Tidying { .. } => {}
                    Doing::TerminalWait { modes, .. } if modes.canonical && !completes => {
                        self.reply_as_it_stands(id);
                    }
                    Doing::TerminalWait { reader, .. } => {
                        let typed_for = TypedFor { reader: reader.clone(), is_pager: false };
                        let doing = self.running(Some(typed_for));
                        self.set_doing(doing);
                    }
                    Doing::Pager { .. } | Doing::FullScreen { .. } => self.leave_to_client(),
                }
            }
        }
    }

    fn reply_as_it_stands(&mut self, id: CallId) {
        if let Some(status) = self.settled() {
            self.reply(id, status);
        }
    }

    /// An interrupt, and what comes behind it in the same payload.
    fn route_interrupt(&mut self, id: CallId, rest: Payload, background: Option<Sighting>) {
        self.hold(id, rest);
        let this = self.calls.iter().find(|call| call.id == id);
        let (Some(client), place) = (this.map(|call| call.client), self.actions.len()) else {
            return;
        };
        if let State::Starting { .. } = self.state {
            self.interrupt_start(Some(id));
            if self.actions[place..].iter().any(|action| matches!(action, Action::Type(_))) {
                self.did(place, client, Deed::Interrupted);
            }
            return;
        }
        self.drop_line(id);
        if self.interrupt(false) {
            self.did(place, client, Deed::Interrupted);
            for call in self.calls.iter_mut().filter(|call| call.id == id) {
                call.interrupting = true;
                // Without more behind the interrupt, nothing of it is held.
                call.held.take_if(|rest| rest.is_empty());
            }
            return;
        }
        // A program in the background that has the terminal gets the key; else nothing runs
        // that an interrupt could strike.
        if let Some(Sighting { reader, .. }) = &background {
            self.types_for_background(id, reader);
            self.did(place, client, Deed::Interrupted);
            self.act(Action::Type(vec![INTERRUPT as u8]));
        }
        self.route(id, None);
    }

    /// Interrupts what runs or waits, as a key or not. Whether there was anything.
    pub(super) fn interrupt(&mut self, by_key: bool) -> bool {
        let worker_reads = match &self.state {
            State::Ending { waits: Some(waits), .. } if !waits.is_empty() => false,
            State::InCell { doing, .. } => match doing {
                Doing::InputWait { .. } => true,
                Doing::Running { .. } | Doing::Tidying { .. } => false,
                Doing::TerminalWait { .. } | Doing::Pager { .. } | Doing::FullScreen { .. } => {
                    self.leave_to_client();
                    false
                }
            },
            _ => return false,
        };
        self.act(Action::Interrupt { worker_reads, by_key });
        true
    }

    /// An interrupt while the session starts strikes what its client has waiting to be run then; and
    /// the start itself, where that waits or a client knows that it takes its time. The worker does
    /// not listen to its sideband yet, and no cell is on its way that the key could strike.
    fn interrupt_start(&mut self, by: Option<CallId>) {
        self.drop_held(by);
        let is_known = !self.told_busy.is_empty();
        if let State::Starting { doing, interrupted, .. } = &mut self.state
            && (is_known || !matches!(doing, Doing::Running { .. }))
        {
            *interrupted = true;
            self.leave_to_client();
            self.act(Action::Type(vec![INTERRUPT as u8]));
        }
    }

    /// Strikes what the client of a call has waiting in others for the session; all that waits, for a
    /// person's key.
    fn drop_held(&mut self, by: Option<CallId>) {
        let this = self.calls.iter().find(|call| Some(call.id) == by);
        let client = this.map(|call| call.client);
        self.drop_kept(client, Notice::InterruptedBeforeRun);
        if let Some(client) = client {
            self.withdraw(client);
        }
        let mut struck = Vec::new();
        for call in self.calls.iter_mut().filter(|call| Some(call.id) != by) {
            if client.is_none_or(|client| call.client == client) && holds_input(call) {
                call.held = Some(Payload::poll());
                struck.push(call.id);
            }
        }
        for id in struck {
            self.tell_caller(id, Notice::InterruptedBeforeRun);
        }
    }

    /// Keystrokes go to the terminal as they are, but for an interrupt, which must strike what it
    /// was meant for, and those that crossed the end of the cell: there nobody reads them.
    pub(super) fn keystrokes(
        &mut self,
        client: ClientId,
        bytes: &[u8],
        is_read_in_background: bool,
    ) {
        if matches!(self.state, State::Ended { .. }) {
            return;
        }
        for (index, part) in bytes.split(|&byte| byte == INTERRUPT as u8).enumerate() {
            if index > 0 {
                self.interrupt_key(is_read_in_background);
            }
            if part.is_empty() {
                continue;
            }
            let length = part.len() as u64;
            if is_read_in_background || self.may_be_read() {
                self.typists.note(client, length);
                self.act(Action::Type(part.to_vec()));
                self.typed_by_person(completes_line(part));
            } else {
                self.typists.drop_of(client, length);
                self.tell_unread();
            }
        }
    }

    /// Whether somebody may read what is typed now: while a cell runs, and a reader of the worker's own that
    /// outlives it.
    fn may_be_read(&self) -> bool {
        match &self.state {
            State::Ready { waits, .. } | State::InCell { doing: Doing::Tidying { waits }, .. } => {
                !waits.is_empty()
            }
            _ => true,
        }
    }

    /// The interrupt key strikes what a call's interrupt would: while no cell runs, a program in the
    /// background that has the terminal. Where there is none, the worker is told, and ignores it:
    /// typed, it might strike what comes next.
    fn interrupt_key(&mut self, is_read_in_background: bool) {
        match self.state {
            State::Starting { .. } => self.interrupt_start(None),
            State::Ready { .. } if is_read_in_background => {
                self.act(Action::Type(vec![INTERRUPT as u8]));
            }
            State::Ready { .. } => {
                self.act(Action::Interrupt { worker_reads: true, by_key: true });
            }
            _ => {
                self.interrupt(true);
            }
        }
    }

    /// Whoever reads the terminal is about to wake, and is found anew.
    fn typed_by_person(&mut self, completes: bool) {
        let Some(doing) = self.state.doing_mut() else { return };
        match doing {
            Doing::Running { candidate, .. } => *candidate = None,
            Doing::TerminalWait { modes, .. } if modes.canonical && !completes => {}
            Doing::TerminalWait { .. } | Doing::Pager { .. } | Doing::FullScreen { .. } => {
                self.leave_to_client();
            }
            Doing::InputWait { .. } | Doing::Tidying { .. } => {}
        }
    }

    /// Something was typed for the program that reads: from here on whoever typed turns the
    /// pages.
    fn leave_to_client(&mut self) {
        let Some(doing) = self.state.doing_mut() else { return };
        let (reader, is_pager) = match doing {
            Doing::Pager { reader, .. } => (reader, true),
            Doing::FullScreen { reader, .. } | Doing::TerminalWait { reader, .. } => {
                (reader, false)
            }
            Doing::Running { .. } | Doing::InputWait { .. } | Doing::Tidying { .. } => return,
        };
        // What is typed for another process wakes this one not.
        let reads = !matches!(reader.awaits, Awaits::Others);
        let typed_for = reads.then(|| TypedFor { reader: reader.clone(), is_pager });
        *doing = Doing::Running { typed_for, candidate: None, turn_pages: false };
    }

    /// Answers a call whose payload can't be taken, saying why.
    pub(super) fn refuse(&mut self, id: CallId, why: Refusal) {
        self.tell_caller(id, Notice::Refused(why));
        let status = self.settled().unwrap_or_else(|| self.busy(false));
        self.reply(id, status);
    }
}

/// Input as a reader takes it: a line has an end.
fn as_line(mut input: String) -> String {
    if !input.ends_with('\n') {
        input.push('\n');
    }
    input
}

/// The bytes that type `text` for this reader, or why it can't be typed.
fn typed(text: &str, reader: &Reader, modes: InputModes) -> Result<Vec<u8>, Refusal> {
    let lines = text.strip_suffix('\n').unwrap_or(text);
    if modes.bracketed_paste && lines.contains('\n') && !lines.contains('\u{1b}') {
        return Ok(paste(lines));
    }
    type_text(text, modes.canonical).map_err(|length| Refusal::LineTooLong {
        length,
        most: LONGEST_LINE,
        program: reader.program.clone(),
    })
}
