//! What tests of the session's rules share: a session with a clock, and short names for what
//! goes in and comes out.

use std::time::Duration;

use mcp_repl::{
    reply::{Exit, Status},
    session::{
        state::{Paging, Payload, Reading, View},
        step::{Action, Event, Session},
    },
};
use mcp_repl_sideband::{Outcome, Reader, ToServer, ToWorker};

/// The worker ended, having taken all it was sent.
pub(crate) fn exited(exit: Exit) -> Event {
    Event::Exited { exit, missed_input: false }
}

/// A session and the time in it.
pub(crate) struct Rules {
    pub(crate) session: Session,
    pub(crate) now: Duration,
    pub(crate) calls: u64,
}

/// How long each call waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

impl Rules {
    /// A session whose worker starts.
    pub(crate) fn starting() -> Rules {
        Rules {
            session: Session::new(Duration::ZERO, Paging::Through),
            now: Duration::ZERO,
            calls: 0,
        }
    }

    /// One that is ready.
    pub(crate) fn ready() -> Rules {
        let mut rules = Rules::starting();
        assert_eq!(rules.says(ready(1)), [Action::CalmScreen]);
        rules
    }

    /// One with a cell on its way, whose call has number 1.
    pub(crate) fn running() -> Rules {
        let mut rules = Rules::ready();
        assert_eq!(rules.call("cell"), [cell(1, "cell")]);
        rules
    }

    /// One whose cell waits for input, with nobody waiting for a reply.
    pub(crate) fn waiting() -> Rules {
        let mut rules = Rules::running();
        assert_eq!(rules.says(wait(1)), [reply(1, waiting())]);
        rules
    }

    /// One whose cell reads the terminal itself, with nobody waiting for a reply.
    pub(crate) fn reading() -> Rules {
        let mut rules = Rules::running();
        assert_eq!(rules.step(Event::Look(Some(reader(5)))), []);
        assert_eq!(rules.step(Event::Look(Some(reader(5)))), [reply(1, reads(5))]);
        rules
    }

    pub(crate) fn step(&mut self, event: Event) -> Vec<Action> {
        self.session.step(event, self.now)
    }

    pub(crate) fn says(&mut self, message: ToServer) -> Vec<Action> {
        self.step(Event::Message(message))
    }

    /// The worker says that a cell is done and that it is ready.
    pub(crate) fn done(&mut self, id: u64) -> Vec<Action> {
        let mut actions = self.says(ToServer::CellDone { id, mark: 2, outcome: Outcome::Ok });
        actions.extend(self.says(ready(2)));
        actions.retain(|action| *action != Action::CalmScreen);
        actions
    }

    pub(crate) fn send(&mut self, payload: Payload, reading: Option<Reading>) -> Vec<Action> {
        self.calls += 1;
        let deadline = self.now + PATIENCE;
        self.step(Event::Call { id: self.calls, payload, deadline, reading })
    }

    pub(crate) fn call(&mut self, input: &str) -> Vec<Action> {
        self.send(Payload::Text(input.into()), None)
    }

    pub(crate) fn keys(&mut self, keys: &[u8]) -> Vec<Action> {
        self.send(Payload::Keys(keys.into()), None)
    }

    /// Lets time go by.
    pub(crate) fn tick(&mut self, time: Duration) -> Vec<Action> {
        self.now += time;
        self.step(Event::Tick)
    }
}

pub(crate) fn ready(mark: u64) -> ToServer {
    ToServer::Ready { mark, discarded_bytes: 0 }
}

pub(crate) fn wait(wait: u64) -> ToServer {
    ToServer::InputWait { mark: 2, wait, reader: Reader::Stdin, prompt: String::new(), echo: true }
}

pub(crate) fn taken(wait: u64) -> ToServer {
    ToServer::InputTaken { wait, bytes: 2 }
}

pub(crate) fn cell(id: u64, source: &str) -> Action {
    Action::Send(ToWorker::Cell { id, source: source.into() })
}

pub(crate) fn stdin(data: &str) -> Action {
    Action::Send(ToWorker::Stdin { data: data.into() })
}

pub(crate) fn typed(text: &str) -> Action {
    Action::Type(text.into())
}

pub(crate) fn reply(call: u64, status: Status) -> Action {
    Action::Reply { call, status }
}

pub(crate) fn waiting() -> Status {
    Status::Waiting { echo: true }
}

pub(crate) fn idle(outcome: Option<Outcome>) -> Status {
    Status::Ready { outcome }
}

pub(crate) fn busy(elapsed: u64, discarded: bool) -> Status {
    Status::Busy { elapsed: Duration::from_secs(elapsed), discarded }
}

/// A `cat` that reads lines; its thread woke so often.
pub(crate) fn reader(wakes: u64) -> Reading {
    Reading {
        thread: 7,
        wakes,
        program: "cat".into(),
        canonical: true,
        echo: true,
        pastes: false,
        guessed: false,
        view: View::Text,
    }
}

pub(crate) fn reads(wakes: u64) -> Status {
    let Reading { program, canonical, echo, guessed, .. } = reader(wakes);
    Status::Reading { program, canonical, echo, guessed }
}
