//! Rules that hold whatever happens: each call has a reply, and each text one fate.

use proptest::prelude::*;

use super::{
    hands::Decision,
    state::{Doing, State},
    *,
};

/// What may happen next.
#[derive(Debug, Clone)]
enum Next {
    /// A call of a client: 0 polls, 1 sends keys, 2 interrupts, 3 interrupts and sends text, 4
    /// resets and sends text; all others send text.
    Call(ClientId, u8),
    Cancel(u64, bool),
    /// A look that finds a program of this kind, which woke so often.
    Look(u8, u64),
    Message(u8),
    Typed(u8),
    Returned(ClientId),
    People(bool),
    /// A person attaches, or leaves.
    Person(bool),
    Hold(bool),
    Approve(bool),
    /// A decision of this kind on a proposal.
    Decide(u64, u8),
    Exit,
    Time(u64),
}

fn next() -> impl Strategy<Value = Next> {
    prop_oneof![
        6 => (1..3u64, 0..12u8).prop_map(|(client, kind)| Next::Call(client, kind)),
        2 => (1..20u64, any::<bool>()).prop_map(|(id, interrupt)| Next::Cancel(id, interrupt)),
        6 => (0..7u8, 1..4u64).prop_map(|(kind, wakes)| Next::Look(kind, wakes)),
        8 => (0..7u8).prop_map(Next::Message),
        1 => (0..3u8).prop_map(Next::Typed),
        1 => (1..3u64).prop_map(Next::Returned),
        1 => any::<bool>().prop_map(Next::People),
        2 => prop::bool::weighted(0.8).prop_map(Next::Person),
        2 => any::<bool>().prop_map(Next::Hold),
        1 => any::<bool>().prop_map(Next::Approve),
        2 => (1..9u64, 0..4u8).prop_map(|(proposal, kind)| Next::Decide(proposal, kind)),
        1 => Just(Next::Exit),
        1 => (0..50u64).prop_map(Next::Time),
    ]
}

/// A session in which anything happens, and what became of each text.
struct Fates {
    rules: Rules,
    waits: u64,
    /// By the number of the call whose text it is.
    used: Vec<u64>,
    refused: Vec<u64>,
    replied: Vec<u64>,
}

/// A person.
const PERSON: ClientId = 9;

/// The text of a call.
fn text_of(id: u64) -> String {
    format!("text<{id}>")
}

impl Fates {
    fn step(&mut self, event: Event) {
        let actions = self.rules.step(event);
        let mut follow = Vec::new();
        let mut was_refused = false;
        for action in actions {
            let used = match &action {
                Action::Send(ToWorker::Cell { source, .. }) => source.clone(),
                Action::Send(ToWorker::Stdin { data }) => data.clone(),
                Action::Type(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                _ => String::new(),
            };
            if let Some((_, rest)) = used.split_once("text<") {
                self.used.push(rest.split_once('>').unwrap().0.parse().unwrap());
            }
            match action {
                Action::DropInput => follow.push(Event::InputDropped { bytes: 0 }),
                Action::StartNext { exit } => {
                    follow.push(Event::Failed(crate::reply::Failure::EndedAtStart { exit }));
                }
                Action::Notice { notice: Notice::Refused(_), .. }
                | Action::TellOf { news: PersonDid::NotSent, .. } => was_refused = true,
                Action::Reply { call, status, .. } => {
                    let is_discarded = matches!(status, Status::Busy { discarded: true, .. });
                    if was_refused || is_discarded {
                        self.refused.push(call);
                    }
                    was_refused = false;
                    self.replied.push(call);
                }
                _ => {}
            }
        }
        self.is_looked_after();
        follow.into_iter().for_each(|event| self.step(event));
    }

    /// Who waits has its reply where things stand still, or somebody looks, or the worker has
    /// something to say; but for who waits for the end of another client's cell.
    fn is_looked_after(&self) {
        let session = &self.rules.session;
        let stands_still = matches!(
            session.state().doing(),
            Some(Doing::TerminalWait { .. } | Doing::Pager { .. } | Doing::FullScreen { .. })
        );
        let mut calls = session.calls.iter().filter(|call| call.may_settle());
        let waits = calls.any(|call| !(call.in_line && session.is_anothers_cell(call.client)));
        assert!(!stands_still || !waits || session.wants_look(), "{session:?}");
    }

    fn message(&mut self, kind: u8) {
        let wait = match self.rules.session.waits_mut() {
            Some(waits) => waits.iter().find(|wait| wait.answer.is_some()).map(|wait| wait.id),
            None => None,
        };
        let cell = match self.rules.session.state() {
            State::InCell { cell, .. } => Some((cell.id, cell.outcome.is_some())),
            _ => None,
        };
        let is_starting = matches!(self.rules.session.state(), State::Starting { .. });
        let message = match (kind, wait, cell) {
            (0, ..) if !is_starting => {
                self.waits += 1;
                super::wait(self.waits)
            }
            (6, ..) if !is_starting => {
                self.waits += 1;
                super::needs::secret_wait(self.waits)
            }
            (1, Some(wait), _) => taken(wait),
            (2, _, Some((id, _))) => ToServer::CellDone { id, mark: 2, outcome: Outcome::Ok },
            (3, _, Some((_, true)) | None) | (4, _, None) => ready(3),
            (5, ..) if !is_starting => ToServer::Interrupted,
            _ => return,
        };
        self.step(Event::Message(message));
    }

    fn play(&mut self, next: Next) {
        match next {
            Next::Call(client, kind) => {
                let text = text_of(self.rules.calls + 1);
                let payload = match kind {
                    0 => Payload::poll(),
                    1 => Payload::Keys(keys("Enter")),
                    2 => Payload::parse("\u{3}", Vec::new()).unwrap(),
                    3 => Payload::parse(&format!("\u{3}{text}"), Vec::new()).unwrap(),
                    4 => Payload::parse(&format!("\u{4}{text}"), Vec::new()).unwrap(),
                    _ => Payload::Text(text),
                };
                self.rules.calls += 1;
                let (id, deadline) = (self.rules.calls, self.rules.now + PATIENCE);
                let is_idle = self.rules.session.wants_background_look();
                let background = Some(reader(1)).filter(|_| is_idle && kind % 2 > 0);
                self.step(Event::Call {
                    id,
                    client,
                    payload,
                    deadline,
                    told: 0,
                    background,
                    person: (kind == 11 || id % 5 == 0).then(|| "why".into()),
                });
            }
            Next::Cancel(id, interrupt) => {
                if id <= self.rules.calls && !self.replied.contains(&id) {
                    self.replied.push(id);
                    self.step(Event::Cancel { id, interrupt });
                }
            }
            Next::Look(kind, wakes) => {
                let mut sighting = reader(wakes);
                if kind > 1 {
                    sighting.reader.awaits = Awaits::TerminalAndOthers { children_work: false };
                    sighting.is_settled = kind != 2;
                    sighting.shown = u64::from(kind == 3);
                }
                if kind > 4 {
                    let cursor = (0, 0);
                    sighting.view = View::FullScreen(super::reader::FullScreenView { cursor });
                }
                self.step(Event::Look((kind > 0).then_some(sighting)));
            }
            Next::Message(kind) => self.message(kind),
            Next::Typed(kind) => {
                let bytes = [&b"\x03"[..], b"a", b"\r"][usize::from(kind)].to_vec();
                self.step(Event::Keystrokes { client: PERSON, bytes, background: None });
            }
            Next::Returned(client) => self.step(Event::Returned { client }),
            Next::People(attached) => self.step(Event::People { attached }),
            Next::Person(attached) => self.step(Event::Introduced {
                client: PERSON,
                is_person: attached,
                is_reachable: false,
            }),
            Next::Hold(on) => {
                self.step(Event::Person { client: PERSON, act: PersonAct::Hold { on } })
            }
            Next::Approve(on) => {
                self.step(Event::Person { client: PERSON, act: PersonAct::Approve { on } })
            }
            Next::Decide(proposal, kind) => {
                let decision = match kind {
                    0 => Decision::Refused("no".into()),
                    1 => Decision::Edited("other".into()),
                    _ => Decision::Run,
                };
                self.step(Event::Person {
                    client: PERSON,
                    act: PersonAct::Decide { proposal, decision },
                });
            }
            Next::Exit => self.step(exited(Exit::Status(0))),
            Next::Time(seconds) => {
                self.rules.now += Duration::from_secs(seconds);
                self.step(Event::Tick);
            }
        }
    }

    /// Lets all that runs come to its end; people go.
    fn finish(&mut self) {
        self.play(Next::Hold(false));
        self.step(Event::Left { client: PERSON });
        for _ in 0..50 {
            match self.rules.session.state() {
                State::InCell { doing: Doing::Tidying { .. }, .. } => {
                    panic!("input is dropped at once")
                }
                State::Ready { typed_for: Some(_), .. } => self.step(Event::Look(None)),
                State::Starting { .. } | State::InCell { .. } | State::Ready { .. } => {
                    for kind in [5, 1, 2, 3] {
                        self.message(kind);
                    }
                }
                State::Ending { .. } => self.step(exited(Exit::Status(0))),
                State::Ended { .. } => {}
            }
        }
    }
}

proptest! {
    #[test]
    fn each_call_has_one_reply_and_each_text_one_fate(events in prop::collection::vec(next(), 0..60)) {
        let mut rules = Rules::starting();
        let event = Event::Introduced { client: 1, is_person: false, is_reachable: true };
        rules.step(event);
        let (used, refused, replied) = Default::default();
        let mut fates = Fates { rules, waits: 0, used, refused, replied };
        for event in events {
            fates.play(event);
        }
        fates.finish();
        let calls = &fates.rules.session.calls;
        prop_assert!(calls.is_empty(), "{calls:?} in {:?}", fates.rules.session.state());
        for id in 1..=fates.rules.calls {
            let times = |list: &[u64]| list.iter().filter(|&&other| other == id).count();
            prop_assert!(times(&fates.replied) == 1, "{id} is replied {}", times(&fates.replied));
            let fate = times(&fates.used) + times(&fates.refused);
            prop_assert!(fate <= 1, "{id}: used {:?}, refused {:?}", fates.used, fates.refused);
        }
    }
}

#[test]
fn who_was_found_reading_before_an_interrupt_was_taken_is_looked_at_anew() {
    let mut rules = Rules::running();
    assert_eq!(rules.call("\u{3}"), [interrupt(false)]);
    assert_eq!(rules.step(Event::Look(Some(reader(5)))), []);
    assert_eq!(rules.step(Event::Look(Some(reader(5)))), [reply_without_text(1, reads())]);
    assert_eq!(rules.says(ToServer::Interrupted), []);
    assert!(rules.session.wants_look());
    assert_eq!(rules.step(Event::Look(Some(reader(6)))), []);
    assert_eq!(rules.step(Event::Look(Some(reader(6)))), [reply(2, reads())]);
}

#[test]
fn a_client_that_polls_for_long_takes_no_more_room() {
    let mut rules = Rules::running();
    for _ in 0..3 {
        rules.call("");
        rules.tick(PATIENCE);
    }
    assert_eq!(rules.session.told_busy, [CLIENT]);
}
