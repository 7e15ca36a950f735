//! In whose hands the session is: what the person takes over, gives back and decides on.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::{Keyboard, Visit};
use crate::{
    attach::{
        editor::Draft,
        hands::{Changes, changes, done},
        keys::Typed,
        question::{Answer, Answering, Proposal},
    },
    session::{
        client::{Decision, Hands, ProposalId},
        pipeline::Standing,
    },
};

/// How long a cell can be read before keys answer: what a person types who did not see it coming is no
/// answer.
const READING: Duration = Duration::from_millis(400);
/// A terminal that takes what asks no sooner has stood still, and what was typed meanwhile is no answer.
const STOOD_STILL: Duration = Duration::from_secs(1);
/// What is said when a cell that was asked about is gone.
const WITHDRAWN: &str = "[repl] the cell was withdrawn";
/// What is said before a cell is edited.
const EDITS: &str = "[repl] Enter at its end runs what you make of it, Ctrl-C leaves it as it was";

/// In whose hands the session is, and the cells that wait for the person's word.
#[derive(Debug, Default)]
pub(super) struct InHands {
    hands: Hands,
    /// What has changed was not said: a program has the whole screen.
    is_unsaid: bool,
    /// Whether the person said that what one was needed for is done, and that was not said back.
    says_done: bool,
    /// The cells that wait, the oldest first.
    waiting: VecDeque<Proposal>,
    /// One that was decided on, of which the session has not said so.
    decided: Option<ProposalId>,
    stage: Stage,
    answering: Answering,
    /// Whether the row that asks stands on the terminal, and whether that is below an unfinished one.
    row_stands: bool,
    is_below: bool,
    /// Whether the terminal's modes are the person's, not the program's.
    pub(super) is_restored: bool,
    /// What was typed before it was asked.
    early: Vec<u8>,
    /// The person's own line, while the cell is edited.
    own: Draft,
}

/// How far the question about the first cell has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    /// It is not asked.
    #[default]
    Unasked,
    /// The cell was printed, and may not be on the terminal yet.
    Printed,
    /// It stands there, to be read.
    Read { until: Instant },
    /// What asks was printed, and may not be on the terminal yet.
    Asked { since: Instant },
    /// That stands there, too: keys answer.
    Answered,
    /// The line editor has the cell.
    Edited,
}

impl InHands {
    /// In whose hands the session is.
    pub(super) fn hands(&self) -> &Hands {
        &self.hands
    }

    /// Whether a question has the terminal.
    pub(super) fn asks(&self) -> bool {
        !matches!(self.stage, Stage::Unasked | Stage::Edited)
    }

    /// Whether the line editor has no turn.
    pub(super) fn holds_editor(&self) -> bool {
        self.asks() || self.decided.is_some()
    }

    /// Whether the line that is edited is a cell of somebody else's.
    pub(super) fn is_edited(&self) -> bool {
        self.stage == Stage::Edited
    }

    /// When the question goes on by itself; `is_done`: whether all that was printed is on the terminal.
    pub(super) fn goes_on_at(&self, is_done: bool) -> Option<Instant> {
        match self.stage {
            Stage::Read { until } => Some(until).filter(|_| is_done),
            Stage::Asked { since } => Some(since + STOOD_STILL).filter(|_| self.holds_keys()),
            _ => None,
        }
    }

    /// Whether no key is read: what asks is on its way to the terminal.
    pub(super) fn holds_keys(&self) -> bool {
        matches!(self.stage, Stage::Asked { since } if since.elapsed() < STOOD_STILL)
    }
}

impl Visit {
    /// The line that the person has begun, and not the agent's cell that is edited in its place.
    pub(super) fn own_draft(self) -> Draft {
        if self.in_hands.is_edited() { self.in_hands.own } else { self.draft }
    }

    /// Takes the session over, or gives it back, which also says that what a person was needed for is
    /// done.
    pub(super) fn take_or_give_back(&mut self) {
        let hands = &self.in_hands.hands;
        self.in_hands.says_done = hands.needed.is_some();
        self.client.hold(!hands.is_holder && hands.needed.is_none());
    }

    /// Wants to be asked about each cell of an agent, or no longer.
    pub(super) fn approve_or_not(&mut self) {
        self.client.approve(!self.in_hands.hands.is_approver);
    }

    /// It was told in whose hands the session is.
    pub(super) fn hands(&mut self, hands: Hands) {
        let before = std::mem::replace(&mut self.in_hands.hands, hands);
        let Hands { proposals, .. } = &self.in_hands.hands;
        let gone = |id: &ProposalId| !proposals.contains(id);
        let ids = self.in_hands.waiting.iter().map(|proposal| proposal.id);
        let settled: Vec<_> = ids.chain(self.in_hands.decided).filter(gone).collect();
        settled.into_iter().for_each(|id| self.settled(id));
        self.say_hands(&before);
    }

    /// Says what has changed.
    fn say_hands(&mut self, before: &Hands) {
        let escape = self.escape.character().is_some().then(|| self.escape.to_string());
        let escape = escape.as_deref().filter(|_| !self.observes);
        let Changes { mut lines, rings } = changes(before, &self.in_hands.hands, escape);
        if self.in_hands.says_done
            && let Some(done) = done(before, &self.in_hands.hands)
        {
            self.in_hands.says_done = false;
            lines.push(done);
        }
        if rings {
            self.outer.print(b"\x07");
        }
        self.in_hands.is_unsaid = self.outer.is_alternate();
        if !self.in_hands.is_unsaid && !lines.is_empty() {
            // A program's question, say, stands below again.
            let row = self.outer.unfinished_row();
            lines.iter().for_each(|line| self.outer.line(line));
            self.outer.print(row.as_bytes());
        }
    }

    /// A cell waits for the person's word.
    pub(super) fn proposed(&mut self, proposal: Proposal) {
        let waiting = &mut self.in_hands.waiting;
        let is_known = waiting.iter().any(|other| other.id == proposal.id);
        if !is_known && self.in_hands.decided != Some(proposal.id) {
            waiting.push_back(proposal);
            self.outer.print(b"\x07");
        }
    }

    /// A cell waits no more.
    pub(super) fn settled(&mut self, id: ProposalId) {
        self.in_hands.decided.take_if(|decided| *decided == id);
        let Some(place) = self.in_hands.waiting.iter().position(|other| other.id == id) else {
            return;
        };
        self.in_hands.waiting.remove(place);
        if place == 0 && self.in_hands.stage != Stage::Unasked {
            self.end_question();
            if self.in_hands.hands.is_approver {
                self.outer.line(WITHDRAWN);
            }
        }
    }

    /// Whether the person can be asked about a cell.
    fn may_ask(&self) -> bool {
        matches!(self.standing, Standing::Ready | Standing::Ended)
            && !self.in_hands.waiting.is_empty()
            && self.in_hands.decided.is_none()
            && matches!(self.keyboard, Keyboard::Loop)
            && self.inner.is_some()
            && !self.awaits_reply
            && self.question.is_none()
            && !self.outer.is_alternate()
    }

    /// Goes on with the question about the first cell that waits, and takes it off where something
    /// else has the terminal.
    pub(super) fn attend(&mut self) {
        if matches!(self.keyboard, Keyboard::Editor { .. }) {
            return;
        }
        if self.in_hands.is_unsaid && !self.outer.is_alternate() {
            self.say_hands(&Hands::default());
        }
        if self.in_hands.is_restored && !self.is_at_prompt() {
            self.in_hands.is_restored = false;
            self.give_back();
        }
        if self.in_hands.is_edited() {
            return;
        }
        if !self.may_ask() {
            if self.in_hands.asks() {
                self.end_question();
            }
            return;
        }
        let (is_done, now) = (self.outer.is_done(), Instant::now());
        match self.in_hands.stage {
            Stage::Unasked => self.show_cell(),
            Stage::Printed if is_done => self.in_hands.stage = Stage::Read { until: now + READING },
            Stage::Read { until } if is_done && until <= now => {
                self.in_hands.stage = Stage::Asked { since: now };
                self.put_row();
            }
            Stage::Asked { .. } | Stage::Answered if !self.in_hands.row_stands => self.put_row(),
            // What is typed meanwhile is read.
            Stage::Asked { since } if is_done && now.duration_since(since) >= STOOD_STILL => {
                self.in_hands.stage = Stage::Read { until: now + READING };
                self.take_row_off();
            }
            Stage::Asked { .. } if is_done => self.in_hands.stage = Stage::Answered,
            _ => {}
        }
    }

    /// Shows the cell that is asked about.
    fn show_cell(&mut self) {
        let Some(proposal) = self.in_hands.waiting.front() else { return };
        let lines = proposal.lines();
        self.is_prepared = false;
        self.outer.restore();
        self.in_hands.is_restored = true;
        lines.iter().for_each(|line| self.outer.line(line));
        // What is pasted is no answer.
        self.outer.print(b"\x1b[?2004h");
        self.in_hands.answering = Answering::default();
        self.in_hands.stage = Stage::Printed;
    }

    /// Puts what asks below all that stands there.
    fn put_row(&mut self) {
        self.in_hands.answering.behind = self.in_hands.waiting.len().saturating_sub(1);
        self.in_hands.is_below = self.outer.go_below();
        self.outer.print_aside(self.in_hands.answering.row().as_bytes());
        self.in_hands.row_stands = true;
    }

    /// Takes it off again, for what is to be printed above it.
    pub(super) fn take_row_off(&mut self) {
        if !std::mem::take(&mut self.in_hands.row_stands) {
            return;
        }
        let up = self.in_hands.answering.rows_above(self.size.columns);
        self.outer.take_rows_off(up, std::mem::take(&mut self.in_hands.is_below));
    }

    /// The terminal is given away: a question is asked anew when it is there again.
    pub(super) fn stop_asking(&mut self) {
        if self.in_hands.asks() {
            self.end_question();
        }
        self.in_hands.is_restored = false;
    }

    /// The question has the terminal no more, and the person's own line has its place.
    fn end_question(&mut self) {
        self.take_row_off();
        self.outer.print(b"\x1b[?2004l");
        if self.in_hands.is_edited() {
            self.draft = std::mem::take(&mut self.in_hands.own);
        }
        self.in_hands.stage = Stage::Unasked;
        let mut early = std::mem::take(&mut self.in_hands.early);
        early.extend(self.in_hands.answering.take_others());
        if !early.is_empty() {
            self.ahead.push_front(Typed::Bytes(early));
        }
    }

    /// Keys that came while the question had the terminal.
    pub(super) fn answer(&mut self, keys: &[u8]) {
        if self.in_hands.stage != Stage::Answered {
            self.in_hands.early.extend(keys);
            return;
        }
        self.take_row_off();
        match self.in_hands.answering.take(keys) {
            Some(Answer::Decided(decision)) => {
                let refused = matches!(decision, Decision::Refused(_));
                let row = self.in_hands.answering.row();
                self.decide(decision);
                if refused {
                    self.outer.line(row.trim_end());
                }
            }
            Some(Answer::Edit) => {
                let Some(proposal) = self.in_hands.waiting.front() else { return };
                let text = proposal.source.trim_end_matches('\n').to_owned();
                // It is for the person's own line.
                let early = std::mem::take(&mut self.in_hands.early);
                self.end_question();
                self.in_hands.early = early;
                self.outer.line(EDITS);
                let draft = Draft { cursor: text.len(), text };
                self.in_hands.own = std::mem::replace(&mut self.draft, draft);
                self.in_hands.stage = Stage::Edited;
            }
            None => {}
        }
    }

    fn decide(&mut self, decision: Decision) {
        self.end_question();
        if let Some(Proposal { id, .. }) = self.in_hands.waiting.pop_front() {
            self.in_hands.decided = Some(id);
            self.client.decide(id, decision);
        }
    }

    /// The editor has ended with this for the cell that waits; `None` for nothing: it is asked about
    /// again.
    pub(super) fn edited_cell(&mut self, text: Option<String>) {
        match text.filter(|text| !text.trim().is_empty()) {
            Some(text) => self.decide(Decision::Edited(text)),
            None => self.end_question(),
        }
    }
}
