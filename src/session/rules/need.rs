//! For what a person is needed: a secret that a program asks for, or what a client asks a person for.
//! Pure.

use super::{
    Session,
    people::PersonDid,
    state::{CallId, ClientId, Doing, NOBODY, State},
};

/// A person is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Whose cell asks, or who asks.
    pub client: ClientId,
    /// What for.
    pub why: Why,
    until: Until,
    /// Who typed last since.
    by: Option<ClientId>,
}

/// For what a person is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A program asks for what it does not show; its name, where one reads the terminal itself.
    Secret {
        /// The program.
        program: Option<String>,
    },
    /// A client says so.
    Asked(String),
}

/// When a person is needed no longer, besides when one says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// When no secret is asked for.
    Secret,
    /// When somebody has typed and this read has its answer.
    Read(u64),
    /// When somebody has typed and this cell is over.
    Cell(u64),
    /// When one says so.
    GivenBack,
}

impl Session {
    /// What a person is needed for, as this client was or is to be told.
    pub fn need_of(&self, client: ClientId) -> Option<&Need> {
        self.people_here.needs.iter().find(|need| need.client == client)
    }

    /// What a person is needed for, the longest first.
    pub fn needs(&self) -> &[Need] {
        &self.people_here.needs
    }

    /// A client asks for a person with a call that is about to have its reply: what came with it is
    /// sent. It is over with what waits for somebody to type, if anything does.
    pub(super) fn ask_person(&mut self, client: ClientId, why: String) {
        if !self.people_here.reachable.contains(&client) {
            return self.tell_of(client, client, PersonDid::Unreachable);
        }
        let until = match (&self.state, self.asks_secret()) {
            (_, Some(_)) => Until::Secret,
            (State::InCell { doing: Doing::InputWait { waits }, cell }, None) => {
                waits.first().map_or(Until::Cell(cell.id), |wait| Until::Read(wait.id))
            }
            (State::InCell { cell, .. }, None) => Until::Cell(cell.id),
            _ => Until::GivenBack,
        };
        self.people_here.needs.retain(|need| need.client != client);
        self.people_here.needs.push(Need { client, why: Why::Asked(why), until, by: None });
    }

    /// A client typed.
    pub(super) fn note_typing(&mut self, client: ClientId) {
        if self.is_person(client) {
            self.people_here.needs.iter_mut().for_each(|need| need.by = Some(client));
        }
    }

    /// One says that nobody is needed any more.
    pub(super) fn no_longer_needed(&mut self, by: ClientId, was_told: bool) {
        self.people_here.is_secret_left = self.asks_secret().is_some();
        let over = std::mem::take(&mut self.people_here.needs);
        for Need { client, .. } in over {
            if !was_told {
                self.tell_of(client, by, PersonDid::GaveBack { left: false });
            }
        }
    }

    /// After what was decided: whether a person is needed.
    pub(super) fn note_needs(&mut self) {
        let is_over = self.end_needs();
        if let Some((client, program)) = self.asks_secret()
            && !self.people_here.is_secret_left
            && !self.is_person(client)
            && self.people_here.reachable.contains(&client)
            && self.need_of(client).is_none()
        {
            let (why, until) = (Why::Secret { program }, Until::Secret);
            self.people_here.needs.push(Need { client, why, until, by: None });
        }
        if is_over {
            self.settle();
        }
    }

    /// Ends what a person is needed for no longer. Whether polls waited for that, which wait for
    /// what runs from here on.
    pub(super) fn end_needs(&mut self) -> bool {
        let has_secret = self.asks_secret().is_some();
        self.people_here.is_secret_left &= has_secret;
        let mut over = Vec::new();
        let mut needs = std::mem::take(&mut self.people_here.needs);
        needs.retain(|need| {
            let is_over = match need.until {
                Until::Secret => !has_secret,
                Until::Read(wait) => need.by.is_some() && !self.waits_open(wait),
                Until::Cell(cell) => need.by.is_some() && self.cell_id() != Some(cell),
                Until::GivenBack => false,
            };
            over.extend(need.by.filter(|_| is_over).map(|by| (need.client, by)));
            !is_over
        });
        for (client, by) in over {
            self.tell_of(client, by, PersonDid::Answered);
        }
        let mut is_over = false;
        for call in self.calls.iter_mut().filter(|call| call.awaits_person) {
            call.awaits_person = needs.iter().any(|need| need.client == call.client);
            is_over |= !call.awaits_person;
        }
        self.people_here.needs = needs;
        is_over
    }

    /// Whether looks are for a secret that a poll waits for somebody to type: what asks for it may
    /// do so no longer.
    pub fn looks_for_end_of_secret(&self) -> bool {
        matches!(self.state.doing(), Some(Doing::TerminalWait { .. }))
            && self.asks_secret().is_some()
            && self.calls.iter().any(|call| call.awaits_person)
    }

    /// Whose cell asks for what is not shown, and which program does, where that reads the terminal
    /// itself. One that gets single keys shows them by itself.
    /// Of a program that runs in place of a worker, the first client is told that can say how a person
    /// comes.
    fn asks_secret(&self) -> Option<(ClientId, Option<String>)> {
        let State::InCell { cell, doing } = &self.state else { return None };
        let agent = || {
            let mut reachable = self.people_here.reachable.iter().copied();
            reachable.find(|&client| !self.is_person(client))
        };
        let client = if self.runs_program() { agent().unwrap_or(NOBODY) } else { cell.client };
        match doing {
            Doing::InputWait { waits } => {
                let is_open = waits.iter().all(|wait| wait.answer.is_none());
                let is_secret = waits.first().is_some_and(|wait| !wait.echo);
                (is_open && is_secret).then_some((client, None))
            }
            Doing::TerminalWait { reader, modes } if modes.canonical && !modes.echo => {
                Some((client, Some(reader.program.clone())))
            }
            _ => None,
        }
    }

    /// Whether a read of the program's own has no answer yet.
    fn waits_open(&self, id: u64) -> bool {
        let waits = match self.state.doing() {
            Some(Doing::InputWait { waits }) => waits,
            _ => return false,
        };
        waits.iter().any(|wait| wait.id == id && wait.answer.is_none())
    }

    /// A call that a reply is about to be given to asks for a person, if it does.
    pub(super) fn ask_with_reply(&mut self, id: CallId) {
        let call = self.calls.iter_mut().find(|call| call.id == id);
        if let Some((client, why)) = call.and_then(|call| Some((call.client, call.person.take()?)))
        {
            self.ask_person(client, why);
        }
    }
}
