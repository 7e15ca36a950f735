//! Several clients of one session: whose turn it is, who may answer, and what the others are told.
//! Pure.

use mcp_repl_sideband::ToWorker;

use super::{
    Action, Session,
    calls::holds_input,
    payload::{Keys, Payload},
    state::{Call, CallId, ClientId, Doing, State},
};
use crate::reply::Deed;

impl Session {
    /// Whether the cell on its way is another client's than this one's.
    pub(super) fn is_anothers_cell(&self, client: ClientId) -> bool {
        matches!(&self.state, State::InCell { cell, .. } if cell.is_anothers(client))
    }

    /// Whether a text of this client is a cell that waits for the end of another client's. It is
    /// an answer only where its client was told that somebody waits for one.
    pub(super) fn waits_for_turn(&self, client: ClientId) -> bool {
        self.is_anothers_cell(client) && !self.is_asked(client)
    }

    /// Keeps a text of an open call until what runs is over.
    pub(super) fn wait_for_turn(&mut self, id: CallId, text: String) {
        self.hold(id, Payload::Text(text));
        self.calls.iter_mut().filter(|call| call.id == id).for_each(|call| call.in_line = true);
    }

    /// Whether a call has its reply before what others hold is routed: its client holds nothing, and
    /// it waits for what is over by then.
    pub(super) fn is_before_turns(&self, call: &Call) -> bool {
        let mut holding = self.calls.iter().filter(|other| holds_input(other));
        holding.all(|other| other.client != call.client)
    }

    /// Whether a client was told that what waits for input now does.
    pub(super) fn is_asked(&self, client: ClientId) -> bool {
        match self.state.doing() {
            Some(Doing::InputWait { waits }) => {
                let open = waits.iter().find(|wait| wait.answer.is_none());
                open.is_some_and(|wait| wait.told.contains(&client))
            }
            Some(Doing::TerminalWait { .. } | Doing::Pager { .. } | Doing::FullScreen { .. }) => {
                self.asked.contains(&client)
            }
            Some(Doing::Running { .. } | Doing::Tidying { .. }) | None => false,
        }
    }

    /// Whether a program that a client was told of is looked at anew for another client's poll.
    pub(super) fn is_looked_at_for_another(&self, client: ClientId) -> bool {
        matches!(self.state.doing(), Some(Doing::Running { typed_for: None, .. }))
            && self.asked.contains(&client)
            && self.calls.iter().any(|call| call.client != client && !holds_input(call))
    }

    /// After what was decided: who was told that what reads the terminal waits.
    pub(super) fn note_who_is_asked(&mut self) {
        let Session { actions, asked, .. } = self;
        for action in actions.iter() {
            match action {
                Action::Type(_)
                | Action::TypeKeys(_)
                | Action::Interrupt { .. }
                | Action::Send(ToWorker::Cell { .. } | ToWorker::Stdin { .. }) => asked.clear(),
                Action::Reply { client, status, .. }
                    if status.asks_for_input() && !asked.contains(client) =>
                {
                    asked.push(*client);
                }
                _ => {}
            }
        }
    }

    /// A client did something by what was decided from this place on: the others are told first.
    pub(super) fn did(&mut self, place: usize, client: ClientId, deed: Deed) {
        self.actions.insert(place.min(self.actions.len()), Action::Did { client, deed });
    }

    /// What routing a payload did, where it was sent to whoever waits.
    pub(super) fn tell_sent(&mut self, place: usize, client: ClientId, sent: Sent) {
        let Sent { words, is_keys, is_shown } = sent;
        let words = is_shown.then_some(words);
        let done = self.actions[place..].iter().find_map(|action| match action {
            Action::Send(ToWorker::Stdin { data }) => Some((false, data.len())),
            Action::Type(bytes) => Some((true, bytes.len())),
            Action::TypeKeys(keys) => Some((true, keys.bytes(false).len())),
            _ => None,
        });
        let Some((is_typed, length)) = done else { return };
        self.typists.note(client, length as u64);
        let deed = match is_typed {
            _ if is_keys => Deed::TypedKeys { keys: words },
            false => Deed::Answered { text: words },
            true => Deed::Typed { text: words },
        };
        self.did(place, client, deed);
    }

    /// What a payload is to others, if it is sent to whoever waits now.
    pub(super) fn sent(&self, payload: &Payload) -> Option<Sent> {
        let is_shown = self.shows_typing();
        match payload {
            Payload::Text(text) if !text.is_empty() => {
                let words = if is_shown { Deed::told_of(text) } else { String::new() };
                Some(Sent { words, is_keys: false, is_shown })
            }
            Payload::Keys(Keys(words)) => {
                Some(Sent { words: Deed::told_of(&words.join(" ")), is_keys: true, is_shown })
            }
            _ => None,
        }
    }

    /// Whether who waits may ask for a secret: what is typed is not shown by the terminal.
    pub fn hides_typing(&self) -> bool {
        if let Some(Doing::TerminalWait { modes, .. }) = self.state.doing() {
            return !modes.echo;
        }
        self.state.waits().iter().any(|wait| wait.answer.is_none() && !wait.echo)
    }

    /// Whether a program has a page, which asks for keys.
    pub fn shows_page(&self) -> bool {
        matches!(self.state.doing(), Some(Doing::Pager { .. } | Doing::FullScreen { .. }))
    }

    /// Whether it is a program in place of a worker, and a text that comes now waits until that asks
    /// for input, for whatever that is.
    pub fn holds_text(&self) -> bool {
        let is_open =
            matches!(self.state.doing(), Some(Doing::TerminalWait { modes, .. }) if modes.echo);
        self.is_program && !is_open && !self.shows_page()
    }

    /// Whether what is typed now is shown, so that it is no secret.
    fn shows_typing(&self) -> bool {
        match self.state.doing() {
            Some(Doing::TerminalWait { modes, .. }) => modes.echo,
            Some(Doing::Pager { .. }) => true,
            _ => {
                let mut waits = self.state.waits().iter();
                waits.find(|wait| wait.answer.is_none()).is_some_and(|wait| wait.echo)
            }
        }
    }
}

/// What was sent to whoever waits.
pub(super) struct Sent {
    words: String,
    is_keys: bool,
    is_shown: bool,
}
