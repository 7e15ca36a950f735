//! In whose hands a session is, as who looks on is told: who has taken it over, who approves cells, for
//! what a person is needed. Pure.

use super::{Observer, Pipeline, Standing};
use crate::{
    screen::Screen,
    session::rules::{
        hands::{Needed, ProposalId},
        state::{ClientId, Time},
    },
};

/// In whose hands a session is, as one client is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hands {
    /// The name of the person who has taken it over.
    pub holder: Option<String>,
    /// Whether that is the client that is told.
    pub is_holder: bool,
    /// The name of the person who is asked before a cell of somebody who is none runs.
    pub approver: Option<String>,
    /// Whether that is the client that is told.
    pub is_approver: bool,
    /// What a person is needed for.
    pub needed: Option<Needed>,
    /// The cells that wait for the approver's word, the oldest first.
    pub proposals: Vec<ProposalId>,
}

/// The same for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// Who has taken it over, and the name.
    pub holder: Option<(ClientId, String)>,
    /// Who is asked, and the name.
    pub approver: Option<(ClientId, String)>,
    /// What a person is needed for.
    pub needed: Option<Needed>,
    /// The cells that wait for the approver's word, the oldest first.
    pub proposals: Vec<ProposalId>,
}

impl Roles {
    /// As this client is told.
    pub fn told_to(&self, client: ClientId) -> Hands {
        let name = |who: &Option<(ClientId, String)>| who.as_ref().map(|(_, name)| name.clone());
        let is_it = |who: &Option<(ClientId, String)>| {
            who.as_ref().is_some_and(|(other, _)| *other == client)
        };
        Hands {
            holder: name(&self.holder),
            is_holder: is_it(&self.holder),
            approver: name(&self.approver),
            is_approver: is_it(&self.approver),
            needed: self.needed.clone(),
            proposals: self.proposals.clone(),
        }
    }
}

/// A cell that waits for the approver's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its number.
    pub id: ProposalId,
    /// Who is to be asked.
    pub to: ClientId,
    /// The name of the client whose cell it is; may be empty.
    pub client: String,
    /// The cell.
    pub source: String,
}

/// How things stand, for one who begins to look on or has missed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// What the session does.
    pub standing: Standing,
    /// In whose hands it is.
    pub roles: Roles,
    /// What waits for the approver's word, the oldest first.
    pub proposals: Vec<Proposal>,
}

/// Who has taken what over.
#[derive(Debug, Default)]
pub(super) struct InHands {
    holder: Option<ClientId>,
    approver: Option<ClientId>,
    /// What who looks on was last told.
    told: Roles,
}

impl<O: Observer> Pipeline<O> {
    /// Somebody begins to look on, or has missed something: with what they see, and how things stand.
    pub fn look_on(&mut self, now: Time) -> (&mut O, &Screen, Situation) {
        let standing = self.standing(now);
        self.told_standing = Some(standing.clone().key(now));
        let roles = self.roles();
        self.hands.told = roles.clone();
        let (observer, screen) = self.display.observer_and_screen();
        (observer, screen, Situation { standing, roles, proposals: Vec::new() })
    }

    fn roles(&self) -> Roles {
        let who = |client: Option<ClientId>| {
            client.map(|client| (client, self.display.outboxes.name(client).to_owned()))
        };
        Roles {
            holder: who(self.hands.holder),
            approver: who(self.hands.approver),
            ..Roles::default()
        }
    }

    /// A person takes the session over, or gives it back.
    pub(super) fn hold(&mut self, client: ClientId, on: bool) {
        take_over(&mut self.hands.holder, client, on && self.display.outboxes.is_person(client));
        self.tell_hands();
    }

    /// A person wants to be asked before cells run, or no longer.
    pub(super) fn approve(&mut self, client: ClientId, on: bool) {
        take_over(&mut self.hands.approver, client, on && self.display.outboxes.is_person(client));
        self.tell_hands();
    }

    /// One that is no person any more has let go.
    pub(super) fn let_go(&mut self, client: ClientId) {
        take_over(&mut self.hands.holder, client, false);
        take_over(&mut self.hands.approver, client, false);
        self.tell_hands();
    }

    /// Tells who looks on in whose hands the session is, where that has changed.
    pub(super) fn tell_hands(&mut self) {
        if self.display.observer.looks_on() {
            let roles = self.roles();
            if self.hands.told != roles {
                self.display.observer.hands(&roles);
                self.hands.told = roles;
            }
        }
    }
}

/// The newest has it; letting go is one's own.
fn take_over(who: &mut Option<ClientId>, client: ClientId, on: bool) {
    match on {
        true => *who = Some(client),
        false => *who = who.filter(|&other| other != client),
    }
}
