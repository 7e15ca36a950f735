//! What each client has not been told yet. Pure.
//!
//! Everything that is shown goes to all that have called, so that a reply to one takes nothing away
//! from another. While there is none, it is kept for the next that does. One that never calls, and
//! only types or looks on, has none.

use std::collections::{BTreeMap, BTreeSet};

use super::input::ClientInfo;
use crate::{
    reply::{Budget, Content, Deed, Notice, Outbox},
    session::rules::{
        Audience,
        state::{ClientId, NOBODY, Time},
    },
};

/// The outboxes of all clients.
#[derive(Debug)]
pub(super) struct Outboxes {
    /// What a reply has room for, unless its client said otherwise.
    budget: Budget,
    /// Who the clients are that said it.
    introduced: BTreeMap<ClientId, ClientInfo>,
    /// Never empty: that of [`NOBODY`] while there is no client.
    outboxes: BTreeMap<ClientId, Outbox>,
    /// The running cell that the last reply to a client told of.
    told_running: BTreeMap<ClientId, CellStart>,
    /// The clients that are told all as it comes.
    following: BTreeSet<ClientId>,
}

/// The longest name of a client, in characters.
const LONGEST_NAME: usize = 40;

/// Which cell: its number, which a new session gives anew, and when it was sent.
pub(super) type CellStart = (u64, Time);

impl Outboxes {
    /// That of nobody.
    pub(super) fn new(budget: Budget) -> Outboxes {
        let outboxes = BTreeMap::from([(NOBODY, Outbox::new(budget))]);
        Outboxes {
            budget,
            introduced: BTreeMap::new(),
            outboxes,
            told_running: BTreeMap::new(),
            following: BTreeSet::new(),
        }
    }

    /// A client says who it is, and what its replies have room for.
    pub(super) fn introduce(&mut self, client: ClientId, who: ClientInfo) {
        let name = who.name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
        self.introduced.insert(client, ClientInfo { name, ..who });
        let budget = self.budget_of(client);
        if let Some(outbox) = self.outboxes.get_mut(&client) {
            outbox.set_budget(budget);
        }
    }

    /// The name of a client; empty when it said none.
    pub(super) fn name(&self, client: ClientId) -> &str {
        self.introduced.get(&client).map_or("", |introduced| introduced.name.as_str())
    }

    /// Whether a client is a person.
    pub(super) fn is_person(&self, client: ClientId) -> bool {
        self.introduced.get(&client).is_some_and(|introduced| introduced.is_person)
    }

    /// What a person runs to come to the session, as a client may say it; `None` where nobody can.
    pub(super) fn attach_command(&self, client: ClientId) -> Option<&str> {
        self.introduced.get(&client)?.attach.as_deref()
    }

    /// Whether others than this client are told what happens.
    pub(super) fn has_others(&self, client: ClientId) -> bool {
        self.outboxes.keys().any(|&other| other != client && other != NOBODY)
    }

    /// A client did something, which the others are told.
    pub(super) fn did(&mut self, client: ClientId, deed: &Deed) {
        let name = self.name(client).to_owned();
        for (&other, outbox) in &mut self.outboxes {
            if other != client && other != NOBODY {
                outbox.meanwhile(&name, deed);
            } else if other == client {
                match deed {
                    Deed::Ran { .. } => outbox.own_cell(),
                    _ => outbox.takes_part(),
                }
            }
        }
    }

    /// What is printed from here on is told to a client as of the cell of this one.
    pub(super) fn set_printing(&mut self, client: ClientId, printing: Option<ClientId>) {
        let name = printing.map(|other| self.name(other).to_owned());
        if let Some(outbox) = self.outboxes.get_mut(&client) {
            outbox.set_printing(name.as_deref());
        }
    }

    /// What the replies of a client have room for.
    pub(super) fn budget_of(&self, client: ClientId) -> Budget {
        let own = self.introduced.get(&client).and_then(|introduced| introduced.budget);
        own.unwrap_or(self.budget)
    }

    /// A client calls, for the first time perhaps: then it is told what happens from here on, and if
    /// there is no other, also what nobody was told. Whether it is the first time.
    pub(super) fn open(&mut self, client: ClientId) -> bool {
        let is_new = !self.outboxes.contains_key(&client);
        if is_new {
            let budget = self.budget_of(client);
            let mut outbox =
                self.outboxes.remove(&NOBODY).unwrap_or_else(|| Outbox::new(self.budget));
            outbox.set_budget(budget);
            self.outboxes.insert(client, outbox);
        }
        is_new
    }

    /// A client goes. What the last one was not told is for the next.
    pub(super) fn leave(&mut self, client: ClientId) {
        self.told_running.remove(&client);
        self.following.remove(&client);
        self.introduced.remove(&client);
        let left = self.outboxes.remove(&client);
        if self.outboxes.is_empty() {
            let mut outbox = left.unwrap_or_else(|| Outbox::new(self.budget));
            outbox.set_budget(self.budget);
            self.outboxes.insert(NOBODY, outbox);
        }
    }

    /// From here on a client is told all as it comes.
    /// Whether it is new.
    pub(super) fn follow(&mut self, client: ClientId) -> bool {
        self.following.insert(client);
        self.open(client)
    }

    /// Whether a client is told all as it comes.
    pub(super) fn follows(&self, client: ClientId) -> bool {
        self.following.contains(&client)
    }

    /// Whether there are clients that are told all as it comes.
    pub(super) fn are_followed(&self) -> bool {
        !self.following.is_empty()
    }

    /// Takes what there is for each client that is told all as it comes.
    pub(super) fn take_followed(&mut self) -> impl Iterator<Item = (ClientId, Vec<Content>)> {
        let Outboxes { outboxes, following, .. } = self;
        let followed = following.iter().filter_map(|client| {
            outboxes.get_mut(client).map(|outbox| (*client, outbox.take_content()))
        });
        followed.filter(|(_, content)| !content.is_empty())
    }

    /// Whether what happens is kept for nobody in particular.
    pub(super) fn has_nobodys(&self) -> bool {
        self.outboxes.contains_key(&NOBODY)
    }

    /// Adds something for all.
    pub(super) fn for_all(&mut self, add: impl Fn(&mut Outbox)) {
        self.outboxes.values_mut().for_each(add);
    }

    /// Adds a notice for some.
    pub(super) fn notice(&mut self, to: Audience, notice: &Notice) {
        for (&client, outbox) in &mut self.outboxes {
            if to == Audience::Everyone || to == Audience::Client(client) {
                outbox.notice(notice.clone());
            }
        }
    }

    /// What a client was to be told, and was not, comes first in its next reply. If it has gone,
    /// what was for the last client is for the next.
    pub(super) fn put_back(&mut self, client: ClientId, content: Vec<Content>) {
        let place = if self.outboxes.contains_key(&client) { client } else { NOBODY };
        if let Some(outbox) = self.outboxes.get_mut(&place) {
            outbox.put_back(content);
        }
    }

    /// A client is about to get a reply, at which this cell is still running, or none. The
    /// second one in a row of the same cell is shorter: who polls looks how it goes.
    pub(super) fn before_reply(&mut self, client: ClientId, running: Option<CellStart>) {
        let told = match running {
            Some(cell) => self.told_running.insert(client, cell),
            None => self.told_running.remove(&client),
        };
        if running.is_some()
            && running == told
            && let Some(outbox) = self.outboxes.get_mut(&client)
        {
            outbox.shorten_for_poll();
        }
    }

    /// Whether one of them names this picture or document.
    pub(super) fn name_attachment(&self, number: u64) -> bool {
        self.outboxes.values().any(|outbox| outbox.files().any(|file| file.number == number))
    }

    /// That of one client.
    pub(super) fn of(&mut self, client: ClientId) -> Option<&mut Outbox> {
        self.outboxes.get_mut(&client)
    }

    /// How many characters have room in the fullest of these clients' outboxes.
    pub(super) fn room(&self, clients: impl Iterator<Item = ClientId>) -> usize {
        let rooms = clients.filter_map(|client| self.outboxes.get(&client)).map(Outbox::room);
        rooms.min().unwrap_or(self.budget.text)
    }

    /// Texts that have no room in a reply and are to be kept elsewhere, each with its client.
    pub(super) fn take_overflow(&mut self) -> impl Iterator<Item = (ClientId, String)> {
        let spilling = self.outboxes.iter_mut().filter(|(_, outbox)| outbox.spills());
        let texts = spilling.map(|(&client, outbox)| (client, outbox.take_spill()));
        texts.filter(|(_, text)| !text.is_empty())
    }
}
