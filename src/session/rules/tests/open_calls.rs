//! No call is forgotten: in whichever order clients call and a worker that keeps the protocol says
//! what it does, each call has its reply once the worker has nothing more to say and nobody asks.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;

/// What happens next.
#[derive(Debug, Clone)]
enum Move {
    /// A client sends this, or polls.
    Call(ClientId, Payload),
    /// The client of the oldest open call gives it up; its cell is interrupted, perhaps.
    Cancel(bool),
    /// The worker reads what it was sent first.
    Receive,
    /// The server hears what the worker said first.
    Hear,
    /// The worker takes up the next cell, or says that it is ready where it owes that.
    Begin,
    /// The cell that runs ends.
    End,
    /// The cell, or a thread, asks for a line.
    Ask { main: bool },
    /// The reader at this place goes: with its line, if it was given one.
    Leave(usize),
    /// Whether a mark is on the terminal whenever the worker has said something: what is dropped
    /// then counts as dropped behind the message.
    MarksComeFirst(bool),
}

/// A worker's queue as `python/src/fifo.rs` keeps it, and both ways of its sideband.
#[derive(Debug, Default)]
struct Worker {
    received: VecDeque<ToWorker>,
    said: VecDeque<ToServer>,
    cells: VecDeque<u64>,
    running: Option<u64>,
    readers: Vec<Reading>,
    input: VecDeque<u64>,
    waits: u64,
    owes_ready: bool,
}

#[derive(Debug)]
struct Reading {
    wait: u64,
    main: bool,
    line: Option<u64>,
}

impl Worker {
    fn say_ready(&mut self, discarded_bytes: u64) {
        self.said.push_back(ToServer::Ready { mark: 1, discarded_bytes });
    }

    fn receive(&mut self) {
        match self.received.pop_front() {
            Some(ToWorker::Cell { id, .. }) => self.cells.push_back(id),
            Some(ToWorker::Stdin { data }) => {
                let bytes = data.len() as u64;
                if self.running.is_none() && self.readers.is_empty() {
                    return self.say_ready(bytes);
                }
                self.input.push_back(bytes);
                self.give_lines();
            }
            Some(ToWorker::Interrupt) => {
                self.said.push_back(ToServer::Interrupted);
                if self.running.is_some() {
                    self.end();
                }
            }
            _ => {}
        }
    }

    fn give_lines(&mut self) {
        let waiting = self.readers.iter_mut().filter(|reader| reader.line.is_none());
        waiting.for_each(|reader| reader.line = self.input.pop_front());
    }

    fn begin(&mut self) {
        if self.running.is_none() {
            self.running = self.cells.pop_front();
            let owed = std::mem::take(&mut self.owes_ready);
            if self.running.is_some() {
                self.input.clear();
            } else if owed {
                self.say_ready(0);
            }
        }
    }

    fn end(&mut self) {
        let Some(id) = self.running else { return };
        while let Some(place) = self.readers.iter().position(|reader| reader.main) {
            self.leave(place);
        }
        self.running = None;
        let unread = if self.readers.is_empty() { self.input.drain(..).sum() } else { 0 };
        self.said.push_back(ToServer::CellDone { id, mark: 1, outcome: Outcome::Ok });
        self.say_ready(unread);
    }

    fn ask(&mut self, main: bool) {
        let may = if main {
            self.running.is_some() && self.readers.iter().all(|reader| !reader.main)
        } else {
            self.readers.len() < 3
        };
        if may {
            self.waits += 1;
            let reader = Reading { wait: self.waits, main, line: None };
            let place = if main { 0 } else { self.readers.len() };
            self.readers.insert(place, reader);
            self.said.push_back(wait(self.waits));
            self.give_lines();
        }
    }

    fn leave(&mut self, place: usize) {
        if place >= self.readers.len() {
            return;
        }
        let Reading { wait, line, .. } = self.readers.remove(place);
        self.said.push_back(ToServer::InputTaken { wait, bytes: line.unwrap_or(0), thread: None });
        self.give_lines();
        if self.running.is_none() && line.is_some() {
            self.owes_ready = true;
        } else if self.running.is_none() {
            self.say_ready(0);
        }
    }
}

/// A session with its worker.
struct Pair {
    rules: Rules,
    worker: Worker,
    marks_come_first: bool,
    is_drop_held: bool,
}

impl Pair {
    /// One whose worker is about to say that it has started.
    fn starting() -> Pair {
        let mut worker = Worker::default();
        worker.say_ready(0);
        Pair { rules: Rules::starting(), worker, marks_come_first: false, is_drop_held: false }
    }

    /// What was dropped is told, unless a message comes before.
    fn tell_dropped(&mut self) {
        let awaits_message = self.marks_come_first && !self.worker.said.is_empty();
        if self.is_drop_held && !awaits_message {
            self.is_drop_held = false;
            let actions = self.rules.step(Event::InputDropped { bytes: 0 });
            self.perform(actions);
        }
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Send(message) => self.worker.received.push_back(message),
                Action::Interrupt { .. } => self.worker.received.push_back(ToWorker::Interrupt),
                Action::DropInput => {
                    self.is_drop_held = true;
                    self.tell_dropped();
                }
                _ => {}
            }
        }
    }

    fn go(&mut self, step: Move) {
        match step {
            Move::Call(client, payload) => {
                let actions = self.rules.send(client, payload, None);
                self.perform(actions);
            }
            Move::Cancel(interrupt) => {
                if let Some(id) = self.rules.session.calls.first().map(|call| call.id) {
                    let actions = self.rules.step(Event::Cancel { id, interrupt });
                    self.perform(actions);
                }
            }
            Move::Receive => self.worker.receive(),
            Move::Hear => {
                if let Some(message) = self.worker.said.pop_front() {
                    let actions = self.rules.says(message);
                    self.perform(actions);
                    self.tell_dropped();
                }
            }
            Move::MarksComeFirst(first) => self.marks_come_first = first,
            Move::Begin => self.worker.begin(),
            Move::End => self.worker.end(),
            Move::Ask { main } => self.worker.ask(main),
            Move::Leave(place) => self.worker.leave(place),
        }
    }

    /// The worker does all that it was told, and its readers take what they were given.
    fn come_to_rest(&mut self) {
        for _ in 0..100 {
            self.go(Move::Receive);
            self.go(Move::Begin);
            let taker = self.worker.readers.iter().position(|reader| reader.line.is_some());
            taker.into_iter().for_each(|place| self.go(Move::Leave(place)));
            let asks = self.worker.readers.iter().any(|reader| reader.main);
            if !asks {
                self.go(Move::End);
            }
            self.go(Move::Hear);
        }
    }
}

fn payloads() -> impl Strategy<Value = Payload> {
    let text = |text: &str| Payload::Text(text.into());
    prop::sample::select(vec![
        text("one"),
        text("a longer one"),
        Payload::poll(),
        Payload::Interrupt(Box::new(Payload::poll())),
        Payload::Interrupt(Box::new(text("behind"))),
    ])
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (1..3u64, payloads()).prop_map(|(client, payload)| Move::Call(client, payload)),
        1 => any::<bool>().prop_map(Move::Cancel),
        5 => Just(Move::Receive),
        5 => Just(Move::Hear),
        4 => Just(Move::Begin),
        3 => Just(Move::End),
        3 => any::<bool>().prop_map(|main| Move::Ask { main }),
        3 => (0..3usize).prop_map(Move::Leave),
        1 => any::<bool>().prop_map(Move::MarksComeFirst),
    ]
}

proptest! {
    #[test]
    fn no_call_is_forgotten(moves in prop::collection::vec(moves(), 0..60)) {
        let mut pair = Pair::starting();
        moves.into_iter().for_each(|step| pair.go(step));
        pair.come_to_rest();
        let session = &pair.rules.session;
        // One whose turn comes when the cell of another client is over waits for that.
        let mut forgotten = session.calls.iter();
        let forgotten = forgotten
            .find(|call| !(call.in_line && session.is_anothers_cell(call.client)));
        prop_assert!(forgotten.is_none(), "{session:?}\n{:?}", pair.worker);
    }
}
