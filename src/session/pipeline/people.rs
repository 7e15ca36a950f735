//! What clients are told of people: what waits for them, and what they did. Pure.

use super::{Observer, Pipeline};
use crate::{
    reply::{HeldCell, Notice, PeopleNotice, Status, one_line},
    session::rules::{
        Audience,
        need::Why,
        people::{PersonDid, Waits},
        state::ClientId,
    },
};

/// The longest that is told of what a person is asked for, in characters.
const LONGEST_WHY: usize = 200;

/// What a person is asked for, in one line that is not too long for a terminal's.
pub(super) fn asked(why: &str) -> String {
    one_line(why).chars().take(LONGEST_WHY).collect()
}

impl<O: Observer> Pipeline<O> {
    /// What a reply to a client says, behind its text: whose cell goes on or waits, and what waits
    /// for people.
    pub(super) fn standing_notices(&self, client: ClientId, status: &Status) -> Vec<Notice> {
        let of_people = self.held_notice(client).into_iter().chain(self.need_notice(client));
        let of_people = of_people.map(Notice::People);
        self.whose_cell(client, status).into_iter().chain(of_people).collect()
    }

    fn held_notice(&self, client: ClientId) -> Option<PeopleNotice> {
        let name = |person: ClientId| self.display.outboxes.name(person).to_owned();
        let cell = match self.session.waits(client) {
            Some(Waits::Proposed) => {
                let person = self.session.approver().map(name)?;
                return Some(PeopleNotice::Proposed { person });
            }
            Some(Waits::Held) => HeldCell::Waits,
            None => HeldCell::None,
        };
        let holder = self.session.holder().filter(|_| self.session.is_held_from(client))?;
        Some(PeopleNotice::TakenOver { person: name(holder), cell })
    }

    fn need_notice(&self, client: ClientId) -> Option<PeopleNotice> {
        let command = self.display.outboxes.attach_command(client)?.to_owned();
        Some(match &self.session.need_of(client)?.why {
            Why::Secret { program } => {
                PeopleNotice::SecretNeeded { program: program.clone(), command }
            }
            Why::Asked(why) => PeopleNotice::Asked { why: why.clone(), command },
        })
    }

    /// Tells a client what a person did, at this place in the text.
    pub(super) fn tell_of(&mut self, to: ClientId, by: ClientId, news: PersonDid) {
        // Others are told by the reply, if that comes before.
        let is_for_followers = matches!(news, PersonDid::TookOver | PersonDid::IsAsked);
        if is_for_followers && !self.display.outboxes.follows(to) {
            return;
        }
        let person = self.display.outboxes.name(by).to_owned();
        let notice = match news {
            PersonDid::Edited(source) => {
                self.report();
                if let Some(outbox) = self.display.outboxes.of(to) {
                    outbox.cell_changed(&person, &source);
                }
                return;
            }
            PersonDid::GaveBack { left } => PeopleNotice::GaveBack { person, left },
            PersonDid::Answered => PeopleNotice::Answered { person },
            PersonDid::TookOver => PeopleNotice::TakenOver { person, cell: HeldCell::None },
            PersonDid::IsAsked => PeopleNotice::ToApprove { person },
            PersonDid::NotSent => PeopleNotice::NotSent { person },
            PersonDid::Refused(why) => PeopleNotice::Refused { person, why },
            PersonDid::NoApprover => PeopleNotice::NoApprover { person },
            PersonDid::Unreachable => PeopleNotice::Unreachable,
        };
        let awaits_pager = self.session.awaits_pager();
        self.display.notice(Audience::Client(to), &Notice::People(notice), awaits_pager);
    }
}
