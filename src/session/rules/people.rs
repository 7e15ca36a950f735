//! What waits for people: while one has taken the session over. Cells that one is to decide on are in
//! `approval`. Pure.

use std::collections::BTreeSet;

use super::{
    Action, Audience, Session,
    calls::holds_input,
    hands::ProposalId,
    need::Need,
    payload::Payload,
    state::{Call, CallId, ClientId, State},
};
use crate::reply::{Notice, Refusal};

/// What a person did that a client is told of, who is no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonDid {
    /// They gave the session back, or went.
    GaveBack {
        /// Whether they went.
        left: bool,
    },
    /// They typed what was asked for.
    Answered,
    /// They have taken the session over, and what was sent, which is no cell, was not typed.
    NotSent,
    /// They changed the client's cell to this.
    Edited(String),
    /// They refused the client's cell, with these words.
    Refused(String),
    /// Nobody can come, though the client asked for a person.
    Unreachable,
    /// They do not approve cells any more, and the client's was not run.
    NoApprover,
    /// They have taken the session over, and the client's cell waits; for one that follows.
    TookOver,
    /// They are to approve the client's cell; for one that follows.
    IsAsked,
}

/// What a client's next reply says of what it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// It waits until the session is given back.
    Held,
    /// It waits for somebody's approval.
    Proposed,
}

/// The people of a session, and what waits for them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct People {
    /// The clients that are people.
    all: BTreeSet<ClientId>,
    /// Who has taken the session over.
    pub(super) holder: Option<ClientId>,
    /// Who decides on cells.
    pub(super) approver: Option<ClientId>,
    /// What waits for one of them, in the order in which it came.
    pub(super) queue: Vec<Queued>,
    /// How many cells were proposed.
    pub(super) proposals: ProposalId,
    /// The clients that were told that the session is taken over.
    told_held: BTreeSet<ClientId>,
    /// The clients that can say how a person comes to the session.
    pub(super) reachable: BTreeSet<ClientId>,
    /// For what people are needed, one a client.
    pub(super) needs: Vec<Need>,
    /// Whether the secret that is asked for was left to the client whose cell asks.
    pub(super) is_secret_left: bool,
}

/// Something that a client sent, which waits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Queued {
    pub(super) client: ClientId,
    pub(super) payload: Payload,
    /// The call that waits for it, too; `None` of a cell whose call was answered.
    pub(super) call: Option<CallId>,
    pub(super) stage: Stage,
}

/// For what something waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// For the session to be given back.
    Held(Meant),
    /// For a decision; its number.
    Proposed(ProposalId),
    /// For its turn: it was decided that it runs.
    Cleared,
}

/// What a payload was meant for when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meant {
    Poll,
    Cell,
    /// For what waited for input, as its client was told.
    Input,
    /// To interrupt this cell.
    Interrupt(Option<u64>),
    Reset,
}

impl Session {
    /// Whether a person sits at a client's terminal.
    pub(super) fn is_person(&self, client: ClientId) -> bool {
        self.people_here.all.contains(&client)
    }

    /// Who has taken the session over.
    pub fn holder(&self) -> Option<ClientId> {
        self.people_here.holder
    }

    /// For what something that a client sent waits, if anything does.
    pub fn waits(&self, client: ClientId) -> Option<Waits> {
        let queued = self.people_here.queue.iter().find(|queued| queued.client == client)?;
        match queued.stage {
            Stage::Proposed(_) => Some(Waits::Proposed),
            Stage::Held(Meant::Poll) => None,
            Stage::Held(_) | Stage::Cleared => self.people_here.holder.map(|_| Waits::Held),
        }
    }

    /// Whether a client is to be told that the session is taken over.
    pub fn is_held_from(&self, client: ClientId) -> bool {
        self.people_here.holder.is_some() && !self.is_person(client)
    }

    /// A client says who it is.
    pub(super) fn introduced(&mut self, client: ClientId, is_person: bool, is_reachable: bool) {
        if is_reachable {
            self.people_here.reachable.insert(client);
        } else {
            self.people_here.reachable.remove(&client);
        }
        self.set_person(client, is_person);
    }

    /// A person sits at a client's terminal, or has left it, and lets go of the session.
    pub(super) fn set_person(&mut self, client: ClientId, attached: bool) {
        if attached {
            self.people_here.all.insert(client);
            return;
        }
        self.people_here.all.remove(&client);
        if self.people_here.approver == Some(client) {
            self.approve_no_more(client);
        }
        if self.people_here.holder == Some(client) {
            self.give_back(client, true);
        }
    }

    /// A client has gone, and with it what it sent.
    pub(super) fn left(&mut self, client: ClientId) {
        self.set_person(client, false);
        self.people_here.queue.retain(|queued| queued.client != client);
        self.people_here.needs.retain(|need| need.client != client);
        self.people_here.reachable.remove(&client);
        self.people_here.told_held.remove(&client);
        self.typists.take_untold(|untold| untold == client);
    }

    /// A client takes the session over, or gives it back: then nobody is needed any more.
    pub(super) fn take_over(&mut self, client: ClientId, on: bool) {
        if on && !self.is_person(client) {
            return;
        }
        if on {
            self.people_here.holder = Some(client);
            self.take_in_what_waits();
        } else {
            let is_its = self.people_here.holder == Some(client);
            if is_its {
                self.give_back(client, false);
            }
            self.no_longer_needed(client, is_its);
        }
    }

    /// A call comes. Whether it waits for a person, instead of being routed.
    pub(super) fn waits_for_person(&mut self, id: CallId) -> bool {
        let Some(call) = self.calls.iter().find(|call| call.id == id) else { return false };
        let client = call.client;
        let Some(payload) = call.held.clone().filter(|_| !self.is_person(client)) else {
            return false;
        };
        if payload.is_empty() {
            return self.poll_waits(id, client, call.person.is_some());
        }
        if self.people_here.holder.is_none() {
            return false;
        }
        // What is to be interrupted is what waits, too.
        let rest = match &payload {
            Payload::Interrupt(rest) | Payload::Reset(rest) => Some(rest.is_empty()),
            _ => None,
        };
        if let Some(is_all) = rest
            && self.withdraw(client)
            && is_all
        {
            let status = self.settled().unwrap_or_else(|| self.busy(false));
            self.reply(id, status);
            return true;
        }
        self.enqueue(id, Stage::Held(self.meant(client, &payload)));
        true
    }

    /// A poll waits for the cell that the last replies said waits, or for the person that they
    /// said is needed.
    fn poll_waits(&mut self, id: CallId, client: ClientId, asks: bool) -> bool {
        if asks {
            return false;
        }
        let queue = &mut self.people_here.queue;
        let is_own_cell =
            matches!(&self.state, State::InCell { cell, .. } if cell.client == client);
        if !is_own_cell {
            if let Some(queued) =
                queue.iter_mut().find(|queued| queued.client == client && queued.call.is_none())
            {
                queued.call = Some(id);
                self.set_queued(id, true);
                // It may only wait for its turn.
                self.advance(None);
                return true;
            }
            if self.people_here.holder.is_some() && self.people_here.told_held.contains(&client) {
                self.enqueue(id, Stage::Held(Meant::Poll));
                return true;
            }
        }
        // A cell of its own that runs is told first.
        let runs_own = is_own_cell && self.settled().is_none();
        let is_needed = self.need_of(client).is_some() && !runs_own;
        if is_needed {
            for call in self.calls.iter_mut().filter(|call| call.id == id) {
                (call.held, call.awaits_person) = (None, true);
            }
        }
        is_needed
    }

    /// What a payload is meant for, as things stand.
    fn meant(&self, client: ClientId, payload: &Payload) -> Meant {
        match payload {
            payload if payload.is_empty() => Meant::Poll,
            Payload::Interrupt(_) => Meant::Interrupt(self.cell_id()),
            Payload::Reset(_) => Meant::Reset,
            Payload::Text(_) if !self.is_asked(client) => Meant::Cell,
            Payload::Text(_) | Payload::Keys(_) => Meant::Input,
        }
    }

    pub(super) fn cell_id(&self) -> Option<u64> {
        match &self.state {
            State::InCell { cell, .. } => Some(cell.id),
            _ => None,
        }
    }

    /// What a call holds waits for people.
    fn enqueue(&mut self, id: CallId, stage: Stage) {
        let Some(call) = self.calls.iter_mut().find(|call| call.id == id) else { return };
        let Some(payload) = call.held.take() else { return };
        (call.in_line, call.queued) = (false, true);
        let client = call.client;
        let is_poll = payload.is_empty();
        self.people_here.queue.push(Queued { client, payload, call: Some(id), stage });
        if let Some(holder) = self.people_here.holder.filter(|_| !is_poll) {
            self.tell_of(client, holder, PersonDid::TookOver);
        }
    }

    pub(super) fn set_queued(&mut self, id: CallId, queued: bool) {
        for call in self.calls.iter_mut().filter(|call| call.id == id) {
            call.held = None;
            call.queued = queued;
        }
    }

    /// What clients have waiting that are no people waits until the session is given back.
    fn take_in_what_waits(&mut self) {
        let waiting: Vec<(CallId, Meant)> = self
            .calls
            .iter()
            .filter(|call| holds_input(call) && !self.is_person(call.client))
            .filter_map(|call| Some((call.id, self.meant_in_line(call)?)))
            .collect();
        for (id, meant) in waiting {
            self.enqueue(id, Stage::Held(meant));
        }
    }

    /// What waits in line came before anybody was asked.
    fn meant_in_line(&self, call: &Call) -> Option<Meant> {
        match (self.meant(call.client, call.held.as_ref()?), &call.held) {
            (Meant::Input, Some(Payload::Text(_))) if call.in_line => Some(Meant::Cell),
            (meant, _) => Some(meant),
        }
    }

    /// The session is given back: what waits goes its way.
    fn give_back(&mut self, by: ClientId, left: bool) {
        self.people_here.holder = None;
        let mut told = std::mem::take(&mut self.people_here.told_held);
        told.extend(
            self.people_here
                .queue
                .iter()
                .filter(|queued| matches!(queued.stage, Stage::Held(_)))
                .map(|queued| queued.client),
        );
        told.extend(self.people_here.needs.iter().map(|need| need.client));
        for client in told {
            self.tell_of(client, by, PersonDid::GaveBack { left });
        }
        self.advance(None);
    }

    /// What waits no longer goes its way, in order; also while `by` has the session, who decided so.
    pub(super) fn advance(&mut self, by: Option<ClientId>) {
        if self.people_here.holder.is_some() && self.people_here.holder != by {
            return;
        }
        let is_held = self.people_here.holder.is_some();
        let mut undecided = BTreeSet::new();
        let mut ready = Vec::new();
        self.people_here.queue.retain(|queued| {
            let goes = match queued.stage {
                Stage::Proposed(_) => {
                    undecided.insert(queued.client);
                    false
                }
                Stage::Held(_) => !is_held && !undecided.contains(&queued.client),
                Stage::Cleared => !undecided.contains(&queued.client),
            };
            // A cell whose call was answered waits here for its turn.
            let stays = !goes || queued.call.is_none();
            if !stays {
                ready.push(queued.clone());
            }
            stays
        });
        for queued in ready {
            self.release(queued);
        }
        if matches!(self.state, State::Ended { .. })
            && self.next_cleared().is_some()
            && !self.closing
        {
            self.start();
        }
        self.settle();
    }

    /// Routes what waited, if what it was meant for is still there.
    fn release(&mut self, queued: Queued) {
        let Queued { client, payload, call: Some(id), stage } = queued else { return };
        let is_cleared = stage == Stage::Cleared;
        let is_for_this = match stage {
            Stage::Held(Meant::Input) => self.is_asked(client),
            Stage::Held(Meant::Interrupt(cell)) => self.cell_id() == cell,
            _ => true,
        };
        let is_cell = matches!(stage, Stage::Cleared | Stage::Held(Meant::Cell));
        for call in self.calls.iter_mut().filter(|call| call.id == id) {
            (call.queued, call.in_line, call.is_approved) = (false, is_cell, is_cleared);
            call.held = Some(payload.clone());
        }
        if !is_for_this {
            self.refuse(id, Refusal::OtherHands);
        } else if !is_cell {
            self.route(id, None);
        }
    }

    /// The first cell whose call was answered, and that nobody has to decide on.
    fn next_cleared(&self) -> Option<usize> {
        if self.people_here.holder.is_some() {
            return None;
        }
        let waits = |queued: &Queued| matches!(queued.stage, Stage::Proposed(_));
        self.people_here.queue.iter().enumerate().find_map(|(place, queued)| {
            let before = &self.people_here.queue[..place];
            let is_behind =
                before.iter().any(|other| other.client == queued.client && waits(other));
            let is_next = queued.call.is_none() && !waits(queued) && !is_behind;
            is_next.then_some(place)
        })
    }

    /// Takes the next cell to be run whose call was answered: whose it is, its source, and whether
    /// it was approved.
    pub(super) fn take_cleared(&mut self) -> Option<(ClientId, String, bool)> {
        let place = self.next_cleared()?;
        let Queued { client, payload, stage, .. } = self.people_here.queue.remove(place);
        match payload {
            Payload::Text(source) => Some((client, source, stage == Stage::Cleared)),
            _ => None,
        }
    }

    /// Whether a cell whose call was answered is to be run.
    pub(super) fn has_cleared(&self) -> bool {
        self.next_cleared().is_some()
    }

    /// A call whose time is up says that what it sent waits on, if that is a cell; else it was not
    /// sent.
    pub(super) fn leave_queued(&mut self, id: CallId) {
        let is_it = |queued: &Queued| queued.call == Some(id);
        let Some(place) = self.people_here.queue.iter().position(is_it) else { return };
        let queued = &mut self.people_here.queue[place];
        let client = queued.client;
        match queued.stage {
            Stage::Held(Meant::Cell) | Stage::Proposed(_) | Stage::Cleared => queued.call = None,
            Stage::Held(meant) => {
                self.people_here.queue.remove(place);
                if let Some(holder) = self.people_here.holder.filter(|_| meant != Meant::Poll) {
                    self.tell_of(client, holder, PersonDid::NotSent);
                }
            }
        }
    }

    /// A call was cancelled. Whether something that it sent waited, which does so no longer.
    pub(super) fn withdraw_call(&mut self, id: CallId) -> bool {
        let is_it = |queued: &Queued| queued.call == Some(id);
        let Some(place) = self.people_here.queue.iter().position(is_it) else { return false };
        let queued = self.people_here.queue.remove(place);
        queued.stage != Stage::Held(Meant::Poll)
    }

    /// What a client has waiting is not run. Whether there was anything.
    pub(super) fn withdraw(&mut self, client: ClientId) -> bool {
        let is_its =
            |queued: &Queued| queued.client == client && queued.stage != Stage::Held(Meant::Poll);
        let withdrawn: Vec<Queued> =
            self.people_here.queue.extract_if(.., |queued| is_its(queued)).collect();
        for Queued { call, .. } in &withdrawn {
            let to = Audience::Client(client);
            self.act(Action::Notice { to, notice: Notice::InterruptedBeforeRun });
            if let Some(id) = call {
                let status = self.settled().unwrap_or_else(|| self.busy(false));
                self.reply(*id, status);
            }
        }
        !withdrawn.is_empty()
    }

    /// The session ends for good.
    pub(super) fn drop_queue(&mut self) {
        self.people_here.queue.clear();
        self.calls.iter_mut().for_each(|call| call.queued = false);
    }

    /// A client gets a reply, from which it knows whether the session is taken over.
    pub(super) fn note_told_held(&mut self, client: ClientId) {
        if self.is_held_from(client) {
            self.people_here.told_held.insert(client);
        }
    }

    /// A client is told what a person did.
    pub(super) fn tell_of(&mut self, to: ClientId, by: ClientId, news: PersonDid) {
        self.act(Action::TellOf { to, by, news });
    }
}
