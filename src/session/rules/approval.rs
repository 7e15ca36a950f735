//! Cells that wait for a person's word. Pure.

use super::{
    Session,
    hands::{Decision, ProposalId},
    payload::Payload,
    people::{PersonDid, Queued, Stage},
    state::{CallId, ClientId},
};
use crate::reply::{Failure, Status};

impl Session {
    /// Who decides on cells.
    pub fn approver(&self) -> Option<ClientId> {
        self.people_here.approver
    }

    /// The cells that wait for a decision, the oldest first: their numbers, whose they are, and
    /// their sources.
    pub fn proposals(&self) -> impl Iterator<Item = (ProposalId, ClientId, &str)> {
        self.people_here.queue.iter().filter_map(|queued| match (queued.stage, &queued.payload) {
            (Stage::Proposed(id), Payload::Text(source)) => {
                Some((id, queued.client, source.as_str()))
            }
            _ => None,
        })
    }

    /// A client decides on cells from here on, or no longer.
    pub(super) fn approve(&mut self, client: ClientId, on: bool) {
        if on && self.is_person(client) {
            self.people_here.approver = Some(client);
        } else if !on && self.people_here.approver == Some(client) {
            self.approve_no_more(client);
        }
    }

    /// What becomes of a cell that was proposed to a client.
    pub(super) fn decide(&mut self, by: ClientId, proposal: ProposalId, decision: Decision) {
        let is_it = |queued: &Queued| queued.stage == Stage::Proposed(proposal);
        let Some(place) = self.people_here.queue.iter().position(is_it) else { return };
        if self.people_here.approver != Some(by) {
            return;
        }
        let payload = &self.people_here.queue[place].payload;
        let is_same = |source: &String| matches!(payload, Payload::Text(own) if own == source);
        match decision {
            Decision::Edited(source) if is_same(&source) => {
                self.people_here.queue[place].stage = Stage::Cleared;
            }
            Decision::Edited(source) if !source.trim().is_empty() => {
                let to = self.people_here.queue[place].client;
                self.tell_of(to, by, PersonDid::Edited(source.clone()));
                self.people_here.queue[place].payload = Payload::Text(source);
                self.people_here.queue[place].stage = Stage::Cleared;
            }
            Decision::Run => self.people_here.queue[place].stage = Stage::Cleared,
            Decision::Refused(words) => self.refuse_cell(place, by, PersonDid::Refused(words)),
            // Nothing is left of it.
            Decision::Edited(_) => {
                self.refuse_cell(place, by, PersonDid::Refused(String::new()));
            }
        }
        self.advance(Some(by));
    }

    /// A cell of a client that is about to run. Whether somebody has to approve of it first.
    pub(super) fn is_to_be_approved(&self, client: ClientId) -> bool {
        self.people_here.approver.is_some() && !self.is_person(client)
    }

    /// A cell is proposed, instead of being run.
    pub(super) fn propose(&mut self, client: ClientId, source: String, call: Option<CallId>) {
        if let Some(id) = call {
            self.set_queued(id, true);
        }
        self.people_here.proposals += 1;
        let stage = Stage::Proposed(self.people_here.proposals);
        self.people_here.queue.push(Queued { client, payload: Payload::Text(source), call, stage });
        if let Some(approver) = self.people_here.approver {
            self.tell_of(client, approver, PersonDid::IsAsked);
        }
    }

    /// Nobody approves any more: what was proposed is not run.
    pub(super) fn approve_no_more(&mut self, by: ClientId) {
        self.people_here.approver = None;
        let is_proposed = |queued: &Queued| matches!(queued.stage, Stage::Proposed(_));
        while let Some(place) = self.people_here.queue.iter().position(is_proposed) {
            self.refuse_cell(place, by, PersonDid::NoApprover);
        }
        self.advance(None);
    }

    /// A cell that was proposed is not run: its client is told why, as an error where its call waits.
    fn refuse_cell(&mut self, place: usize, by: ClientId, news: PersonDid) {
        let Queued { client, call, .. } = self.people_here.queue.remove(place);
        self.tell_of(client, by, news);
        if let Some(id) = call {
            self.reply(id, Status::Failed { failure: Failure::Refused });
        }
    }
}
