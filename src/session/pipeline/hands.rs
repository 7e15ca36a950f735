//! In whose hands a session is, as who looks on is told: who has taken it over, who approves cells, for
//! what a person is needed. Pure.

use super::{Observer, Pipeline, Standing};
use crate::{
    reply::one_line,
    screen::Screen,
    session::rules::{
        hands::{Needed, ProposalId},
        need::Why,
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

/// What who looks on was last told.
#[derive(Debug, Default)]
pub(super) struct ToldHands {
    roles: Roles,
    /// The cells that somebody was asked about, and who.
    proposals: Vec<(ProposalId, ClientId)>,
}

impl<O: Observer> Pipeline<O> {
    /// Somebody begins to look on, or has missed something: with what they see, and how things stand.
    pub fn look_on(&mut self, now: Time) -> (&mut O, &Screen, Situation) {
        let standing = self.standing(now);
        self.told_standing = Some(standing.clone().key(now));
        let (roles, proposals) = (self.roles(), self.proposals());
        let told = proposals.iter().map(|proposal| (proposal.id, proposal.to)).collect();
        self.told_hands = ToldHands { roles: roles.clone(), proposals: told };
        let (observer, screen) = self.display.observer_and_screen();
        (observer, screen, Situation { standing, roles, proposals })
    }

    fn roles(&self) -> Roles {
        let name = |client: ClientId| self.display.outboxes.name(client).to_owned();
        let who = |client: Option<ClientId>| client.map(|client| (client, name(client)));
        let needed = self
            .session
            .needs()
            .first()
            .map(|need| Needed { why: why(&need.why), asked_by: name(need.client) });
        Roles {
            holder: who(self.session.holder()),
            approver: who(self.session.approver()),
            needed,
            proposals: self.session.proposals().map(|(id, ..)| id).collect(),
        }
    }

    fn proposals(&self) -> Vec<Proposal> {
        let Some(to) = self.session.approver() else { return Vec::new() };
        let proposal = |(id, client, source): (ProposalId, ClientId, &str)| Proposal {
            id,
            to,
            client: self.display.outboxes.name(client).to_owned(),
            source: source.to_owned(),
        };
        self.session.proposals().map(proposal).collect()
    }

    /// Tells who looks on in whose hands the session is, where that has changed, and the one who
    /// approves what is to be decided.
    pub(super) fn tell_hands(&mut self) {
        if !self.display.observer.looks_on() {
            return;
        }
        let roles = self.roles();
        if self.told_hands.roles != roles {
            self.display.observer.hands(&roles);
            self.told_hands.roles = roles;
        }
        if self.told_hands.proposals.is_empty() && self.session.proposals().next().is_none() {
            return;
        }
        let proposals = self.proposals();
        let (observer, told) = (&mut self.display.observer, &mut self.told_hands.proposals);
        told.retain(|&(id, to)| {
            let waits = proposals.iter().any(|proposal| (proposal.id, proposal.to) == (id, to));
            if !waits {
                observer.settled(id, to);
            }
            waits
        });
        for proposal in &proposals {
            if !told.contains(&(proposal.id, proposal.to)) {
                observer.proposed(proposal);
                told.push((proposal.id, proposal.to));
            }
        }
    }
}

/// For what a person is needed, in one line.
fn why(why: &Why) -> String {
    match why {
        Why::Secret { program } => {
            let program = program.as_deref().unwrap_or("the program");
            one_line(&format!("{program} waits for a secret"))
        }
        Why::Asked(why) => why.clone(),
    }
}
