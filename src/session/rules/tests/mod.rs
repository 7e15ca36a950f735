//! Tests of the session's rules: an event goes in, actions come out. Here is what they share: a
//! session with a clock, and short names for what goes in and comes out.

mod background;
mod calls;
mod cancel;
mod cells;
mod clients;
mod complete;
mod ends;
mod needs;
mod open_calls;
mod others;
mod pagers;
mod people;
mod programs;
mod reads;
mod starts;
mod turns;

use std::time::Duration;

use super::{
    payload::{Keys, Payload},
    reader::{Awaits, InputModes, Reader, Sighting, View},
    state::Paging,
    *,
};
use crate::reply::{Exit, Notice, Status};
use mcp_repl_sideband::{Outcome, Reader as WorkerReader, ToServer, ToWorker};

/// The worker ended, having taken all it was sent.
pub(super) fn exited(exit: Exit) -> Event {
    Event::Exited { exit, missed_input: false }
}

/// A session and the time in it.
pub(super) struct Rules {
    pub(super) session: Session,
    pub(super) now: Duration,
    pub(super) calls: u64,
    /// What clients did.
    pub(super) deeds: Vec<(ClientId, Deed)>,
}

/// The client that makes the calls.
pub(super) const CLIENT: ClientId = 1;

/// How long each call waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(40);

impl Rules {
    /// A session whose worker starts.
    pub(super) fn starting() -> Rules {
        Rules {
            session: Session::new(Duration::ZERO, Paging::Through),
            now: Duration::ZERO,
            calls: 0,
            deeds: Vec::new(),
        }
    }

    /// One that is ready.
    pub(super) fn ready() -> Rules {
        let mut rules = Rules::starting();
        assert_eq!(rules.says(ready(1)), [Action::ResetScreen]);
        rules
    }

    /// One with a cell on its way, whose call has number 1.
    pub(super) fn running() -> Rules {
        let mut rules = Rules::ready();
        assert_eq!(rules.call("cell"), run(1, "cell"));
        rules
    }

    /// One whose cell waits for input, with nobody waiting for a reply.
    pub(super) fn waiting() -> Rules {
        let mut rules = Rules::running();
        assert_eq!(rules.says(wait(1)), [reply(1, waiting())]);
        rules
    }

    /// One whose cell reads the terminal itself, with nobody waiting for a reply.
    pub(super) fn reading() -> Rules {
        let mut rules = Rules::running();
        assert_eq!(rules.step(Event::Look(Some(reader(5)))), []);
        assert_eq!(rules.step(Event::Look(Some(reader(5)))), [reply(1, reads())]);
        rules
    }

    pub(super) fn step(&mut self, event: Event) -> Vec<Action> {
        let is_rest = matches!(
            event,
            Event::Message(ToServer::Ready { .. })
                | Event::InputDropped { .. }
                | Event::Exited { .. }
                | Event::Failed(_)
        );
        let mut actions = Vec::new();
        for action in self.session.step(event, self.now) {
            match action {
                Action::Did { client, deed } => self.deeds.push((client, deed)),
                // Only who follows is told.
                Action::TellOf { news: PersonDid::TookOver | PersonDid::IsAsked, .. } => {}
                action => actions.push(action),
            }
        }
        if is_rest {
            self.nobody_waits_for_nothing();
        }
        actions
    }

    /// Where the worker came to rest, and nothing is on its way to anybody, no call is left open.
    fn nobody_waits_for_nothing(&self) {
        let Session { state, calls, answering, .. } = &self.session;
        if let (State::Ready { .. } | State::Ended { .. }, Some(status)) =
            (state, self.session.settled())
        {
            let answers = |client| status.asks_for_input() && answering.contains(&client);
            let waits = |call: &Call| call.may_settle() && !answers(call.client);
            let open = calls.iter().find(|call| waits(call));
            assert_eq!(open, None, "{state:?}");
        }
    }

    pub(super) fn says(&mut self, message: ToServer) -> Vec<Action> {
        self.step(Event::Message(message))
    }

    /// The worker says that a cell is done and that it is ready.
    pub(super) fn done(&mut self, id: u64) -> Vec<Action> {
        let mut actions = self.says(ToServer::CellDone { id, mark: 2, outcome: Outcome::Ok });
        actions.extend(self.is_ready(2));
        let tidying = [Action::RestoreSize, Action::DropInput, Action::ResetScreen];
        actions.retain(|action| !tidying.contains(action));
        actions
    }

    /// The worker says that it is ready, behind this mark; nothing was left to be read.
    pub(super) fn is_ready(&mut self, mark: u64) -> Vec<Action> {
        let mut actions = self.says(ready(mark));
        if actions == [Action::DropInput] {
            actions = self.step(Event::InputDropped { bytes: 0 });
        }
        actions
    }

    pub(super) fn send(
        &mut self,
        client: ClientId,
        payload: Payload,
        background: Option<Sighting>,
    ) -> Vec<Action> {
        self.calls += 1;
        let deadline = self.now + PATIENCE;
        self.step(Event::Call {
            id: self.calls,
            client,
            payload,
            deadline,
            told: 0,
            background,
            person: None,
        })
    }

    pub(super) fn call(&mut self, input: &str) -> Vec<Action> {
        let payload = Payload::parse(input, Vec::new()).unwrap();
        self.send(CLIENT, payload, None)
    }

    pub(super) fn keys(&mut self, key: &str) -> Vec<Action> {
        self.send(CLIENT, Payload::Keys(keys(key)), None)
    }

    /// Lets time go by.
    pub(super) fn tick(&mut self, time: Duration) -> Vec<Action> {
        self.now += time;
        self.step(Event::Tick)
    }
}

pub(super) fn ready(mark: u64) -> ToServer {
    ToServer::Ready { mark, discarded_bytes: 0 }
}

pub(super) fn wait(wait: u64) -> ToServer {
    ToServer::InputWait {
        mark: 2,
        wait,
        reader: WorkerReader::Stdin,
        prompt: String::new(),
        echo: true,
    }
}

pub(super) fn taken(wait: u64) -> ToServer {
    ToServer::InputTaken { wait, bytes: 2, thread: None }
}

/// What runs a cell.
pub(super) fn run(id: u64, source: &str) -> Vec<Action> {
    vec![Action::DropInput, Action::Send(ToWorker::Cell { id, source: source.into() })]
}

pub(super) fn stdin(data: &str) -> Action {
    Action::Send(ToWorker::Stdin { data: data.into() })
}

pub(super) fn typed(text: &str) -> Action {
    Action::Type(text.into())
}

pub(super) fn reply(call: u64, status: Status) -> Action {
    Action::Reply { call, client: CLIENT, status, has_text: true }
}

/// A reply whose text a newer call gets.
pub(super) fn reply_without_text(call: u64, status: Status) -> Action {
    Action::Reply { call, client: CLIENT, status, has_text: false }
}

pub(super) fn waiting() -> Status {
    Status::Waiting { echo: true }
}

pub(super) fn idle(outcome: Option<Outcome>) -> Status {
    Status::Ready { outcome }
}

pub(super) fn busy(elapsed: u64, discarded: bool) -> Status {
    Status::Busy { elapsed: Duration::from_secs(elapsed), discarded }
}

pub(super) fn keys(key: &str) -> Keys {
    Keys(vec![key.into()])
}

pub(super) fn type_keys(key: &str) -> Action {
    Action::TypeKeys(keys(key))
}

pub(super) fn interrupt(worker_reads: bool) -> Action {
    Action::Interrupt { worker_reads, by_key: false }
}

pub(super) fn interrupt_key(worker_reads: bool) -> Action {
    Action::Interrupt { worker_reads, by_key: true }
}

/// What everybody is told.
pub(super) fn told(notice: Notice) -> Action {
    Action::Notice { to: Audience::Everyone, notice }
}

/// What the client is told that calls.
pub(super) fn told_caller(notice: Notice) -> Action {
    Action::Notice { to: Audience::Client(CLIENT), notice }
}

pub(super) fn ended(exit: Exit) -> Action {
    told(Notice::SessionEnded { exit, missed_input: false })
}

/// A `cat` that reads lines; its thread woke so often.
pub(super) fn reader(wakes: u64) -> Sighting {
    let awaits = Awaits::Terminal;
    let reader = Reader { thread: 7, wakes, program: "cat".into(), guessed: false, awaits };
    let modes = InputModes { canonical: true, echo: true, bracketed_paste: false };
    Sighting { reader, modes, view: View::Text, is_settled: true, shown: 1 }
}

pub(super) fn reads() -> Status {
    Status::Reading { program: "cat".into(), canonical: true, echo: true, guessed: false }
}
