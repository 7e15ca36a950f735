//! How things stand in a session, for who looks on or asks. Pure.

use std::time::Duration;

use super::Pipeline;
use crate::session::rules::state::{ClientId, Doing, State, Time};

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The worker was started and is not ready.
    Starting,
    /// The next payload is a cell.
    Ready,
    /// A cell runs.
    Running {
        /// For how long.
        elapsed: Duration,
        /// The name of the client whose it is; may be empty.
        client: String,
    },
    /// It waits for somebody to type.
    Waiting {
        /// What: `input`, `pager`, `screen`, or the name of the program that reads the terminal.
        what: String,
        /// The name of the client whose cell it is; may be empty.
        client: String,
        /// Whether what is typed is shown.
        echo: bool,
    },
    /// The worker is on its way out.
    Ending,
    /// There is no worker; the next payload starts one.
    Ended,
}

/// When a cell was last seen to run.
#[derive(Debug, Default)]
pub(super) struct Work {
    is_under_way: bool,
    last: Time,
}

impl Standing {
    /// The same with the moment at which it began in the place of how long that is ago: time alone is
    /// no change.
    pub(super) fn key(mut self, now: Time) -> Standing {
        if let Standing::Running { elapsed, .. } = &mut self {
            *elapsed = now.saturating_sub(*elapsed);
        }
        self
    }
}

impl<O: super::Observer> Pipeline<O> {
    /// How things stand at this moment, which may be later than all that has happened.
    pub fn standing(&self, now: Time) -> Standing {
        match self.session.state() {
            State::Starting { doing, .. } => {
                self.waiting(doing, None).unwrap_or(Standing::Starting)
            }
            State::Ready { waits, .. } => match waits.first() {
                Some(wait) => waits_for("input", None, wait.echo),
                None => Standing::Ready,
            },
            State::InCell { cell, doing } => {
                let client = self.display.outboxes.name(cell.client);
                self.waiting(doing, Some(cell.client)).unwrap_or_else(|| Standing::Running {
                    elapsed: now.saturating_sub(cell.since),
                    client: client.to_owned(),
                })
            }
            State::Ending { .. } => Standing::Ending,
            State::Ended { .. } => Standing::Ended,
        }
    }

    /// For how long no cell has run; one that waits for somebody to type does not.
    pub fn idle_for(&self, now: Time) -> Duration {
        if self.work.is_under_way { Duration::ZERO } else { now.saturating_sub(self.work.last) }
    }

    /// Notes whether a cell runs from here on.
    pub(super) fn note_work(&mut self) {
        let is_under_way = match self.session.state() {
            State::InCell { doing, .. } => self.waiting(doing, None).is_none(),
            _ => false,
        };
        if is_under_way || self.work.is_under_way {
            self.work.last = self.now;
        }
        self.work.is_under_way = is_under_way;
    }

    fn waiting(&self, doing: &Doing, client: Option<ClientId>) -> Option<Standing> {
        let name = client.map(|client| self.display.outboxes.name(client));
        match doing {
            Doing::Running { .. } | Doing::Tidying { .. } => None,
            // One that has its answer to take is about to go on.
            Doing::InputWait { waits } => waits
                .iter()
                .find(|wait| wait.answer.is_none())
                .map(|wait| waits_for("input", name, wait.echo)),
            Doing::TerminalWait { reader, modes } => {
                Some(waits_for(&reader.program, name, modes.echo))
            }
            Doing::Pager { .. } => Some(waits_for("pager", name, false)),
            Doing::FullScreen { .. } => Some(waits_for("screen", name, false)),
        }
    }

    /// Tells who looks on how things stand, where that has changed.
    pub(super) fn tell_standing(&mut self) {
        if self.display.observer.looks_on() {
            let standing = self.standing(self.now);
            let key = Some(standing.clone().key(self.now));
            if self.told_standing != key {
                self.told_standing = key;
                self.display.observer.stands(&standing);
            }
        }
    }
}

fn waits_for(what: &str, client: Option<&str>, echo: bool) -> Standing {
    let client = client.unwrap_or_default().to_owned();
    Standing::Waiting { what: what.to_owned(), client, echo }
}
