//! The session's rules: an event comes in, the state moves, actions come out. Pure.
//!
//! ```text
//! payload   what a client sends              keys, typing   as bytes a terminal sends
//! reader    who reads the terminal, and what is shown there
//! state     what a session can be in
//! route     what a payload does              messages       what the worker says
//! look      what the kernel tells            ends           how a worker goes
//! pager     the keys that read one through
//! program   one that the session runs in place of a worker
//! calls     who waits for a reply, and with which status it comes
//! turns     cells of several clients, one after the other; what each does, for the others
//! cancel    what a call that is given up leaves behind
//! typists   who typed what nobody has read
//! complete  what may stand at a place of a cell that is not sent yet
//! hands     words of what people and clients say about whose hands a session is in
//! people    what waits for people: for a session to be given back
//! approval  cells that wait for a person's word
//! need      for what a person is needed
//! ```

mod approval;
mod calls;
mod cancel;
pub mod complete;
mod ends;
pub mod hands;
pub mod keys;
mod look;
mod messages;
pub mod need;
mod pager;
pub mod payload;
pub mod people;
mod program;
pub mod reader;
mod route;
pub mod state;
mod turns;
mod typing;
mod typists;

use mcp_repl_sideband::{ToServer, ToWorker};

pub use ends::{END_GRACE, EXIT_GRACE};

use complete::{Completion, CompletionId, Completions};
use hands::PersonAct;
use payload::{Keys, Payload};
use people::{People, PersonDid};
use reader::Sighting;
use state::{Call, CallId, ClientId, Doing, KeptCell, Paging, State, Time, TypedFor};
use typists::Typists;

use crate::reply::{Deed, Exit, Failure, Notice, Status};

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A client calls.
    Call {
        /// The call's number.
        id: CallId,
        /// Who makes it.
        client: ClientId,
        /// What it sends.
        payload: Payload,
        /// When the caller gives up.
        deadline: Time,
        /// How often something had been shown when its client was last told how things stand.
        told: u64,
        /// At [`State::Ready`]: who reads the terminal nevertheless, in the background.
        background: Option<Sighting>,
        /// What a person is asked for with its reply.
        person: Option<String>,
    },
    /// Somebody types into the terminal, who gets no reply.
    Keystrokes {
        /// Who.
        client: ClientId,
        /// What.
        bytes: Vec<u8>,
        /// At [`State::Ready`]: who reads the terminal nevertheless, in the background.
        background: Option<Sighting>,
    },
    /// The first person has attached, or the last one has left.
    People {
        /// Whether there is one.
        attached: bool,
    },
    /// A client says who it is.
    Introduced {
        /// The client.
        client: ClientId,
        /// Whether a person sits at its terminal.
        is_person: bool,
        /// Whether it can say how a person comes to the session.
        is_reachable: bool,
    },
    /// A client has gone.
    Left {
        /// Its number.
        client: ClientId,
    },
    /// A person says whose hands the session is in.
    Person {
        /// Their client.
        client: ClientId,
        /// What they do.
        act: PersonAct,
    },
    /// Whoever sits at a client's terminal answers what programs ask for, or has gone.
    Answers {
        /// The client, whose calls wait for the end of what runs.
        client: ClientId,
        /// Whether somebody does.
        answers: bool,
    },
    /// A client no longer waits for its call.
    Cancel {
        /// The call's number.
        id: CallId,
        /// Whether its cell is to be interrupted, too.
        interrupt: bool,
    },
    /// A reply did not reach its client, which is told it again.
    Returned {
        /// Whose it is.
        client: ClientId,
    },
    /// Somebody wants to know what may stand at a place of a cell. [`Action::Completed`] tells.
    Complete {
        /// A number for it.
        id: CompletionId,
        /// The cell as it stands.
        text: String,
        /// Where in it, in characters.
        cursor: usize,
        /// Whether the worker understands the question.
        is_understood: bool,
    },
    /// What was started runs in place of a worker, and takes no cells.
    ProgramStarted,
    /// The worker said something, and its mark, if any, was met.
    Message(ToServer),
    /// An [`Action::Interrupt`] went to a raw terminal as a byte, of which the worker says nothing.
    InterruptTyped,
    /// An [`Action::DropInput`] dropped this much.
    InputDropped {
        /// In bytes.
        bytes: u64,
    },
    /// The kernel was asked who reads the terminal: nobody, or this one.
    Look(Option<Sighting>),
    /// The process ended and its terminal is drained.
    Exited {
        /// How.
        exit: Exit,
        /// Whether it went before it had read the last input it was sent.
        missed_input: bool,
    },
    /// The worker could not be started, or broke the protocol.
    Failed(Failure),
    /// The session is to end for good.
    Shutdown,
    /// Time went by.
    Tick,
}

/// What is to be done about it, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Tell the worker.
    Send(ToWorker),
    /// Ask the worker for a completion: nothing is sent to its program.
    Complete(ToWorker),
    /// Say what may stand at the place that [`Event::Complete`] named; `None` when nothing is known.
    Completed {
        /// Its number.
        id: CompletionId,
        /// What may stand there.
        completion: Option<Completion>,
    },
    /// Type into the terminal.
    Type(Vec<u8>),
    /// What is typed next for a client is echoed, and need not be told to it.
    LeaveOutEcho {
        /// Who has it typed.
        client: ClientId,
        /// Its lines.
        text: String,
    },
    /// Type keys, as the program on the screen wants them.
    TypeKeys(Keys),
    /// Interrupt what runs: through the sideband, or as a byte if the terminal is raw, of which
    /// [`Event::InterruptTyped`] tells.
    Interrupt {
        /// A reader of the worker's own waits: it is interrupted whatever the terminal's modes.
        worker_reads: bool,
        /// It is a key that was pressed.
        by_key: bool,
    },
    /// Drop what was typed and nobody has read; [`Event::InputDropped`] tells how much.
    DropInput,
    /// Give the terminal the size back that it has between cells.
    RestoreSize,
    /// Start a worker.
    Start,
    /// The worker ended before it was ready: start another program, if there is one that may be
    /// taken in its place. [`Event::Failed`] tells that there is none.
    StartNext {
        /// How it went.
        exit: Exit,
    },
    /// Hang up: SIGHUP to the worker.
    HangUp,
    /// Kill the worker and what it left in its terminal's session.
    Kill,
    /// The worker is done with: end what is left of it.
    Retire,
    /// Take the text above the pager's prompt for the next reply.
    TakePage,
    /// Take the whole page of a full-screen program for the next reply.
    TakeScreen,
    /// The cell is over: put the screen back as programs find it.
    ResetScreen,
    /// Say this in the next reply, at this place in the text.
    Notice {
        /// To whom.
        to: Audience,
        /// What.
        notice: Notice,
    },
    /// Tell a client what a person did.
    TellOf {
        /// Whom.
        to: ClientId,
        /// The person's client.
        by: ClientId,
        /// What.
        news: PersonDid,
    },
    /// A client did this: tell the others.
    Did {
        /// Which.
        client: ClientId,
        /// What.
        deed: Deed,
    },
    /// A program ended: if it showed nothing of what was typed for it last, say that it may not have
    /// read it.
    TellUnread {
        /// Who sent it.
        to: ClientId,
        /// The program's name.
        program: String,
    },
    /// Keep this picture or document, and show or name it in the next reply, at this place in the
    /// text.
    Attach {
        /// Its media type.
        mime: String,
        /// Its bytes in base64.
        data: String,
    },
    /// Answer a call.
    Reply {
        /// The call's number.
        call: CallId,
        /// Who made it.
        client: ClientId,
        /// How things stand.
        status: Status,
        /// Whether it has the text; a newer call of the same client has it otherwise.
        has_text: bool,
    },
}

/// Whom a notice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// All clients: it is about the session.
    Everyone,
    /// One: it is about what this one sent.
    Client(ClientId),
}

/// A session: where the worker stands, and who waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    state: State,
    calls: Vec<Call>,
    cells: u64,
    paging: Paging,
    /// Whether it runs a program in place of a worker.
    is_program: bool,
    /// Whether people are attached, who read pagers themselves.
    people: bool,
    /// The clients at whose terminals somebody answers what programs ask for.
    answering: Vec<ClientId>,
    /// Whether the session ends for good: no other worker is started.
    closing: bool,
    /// A cell whose caller gave up before the session that is to run it was up.
    kept: Option<KeptCell>,
    /// Why the last session failed, while no call was told.
    untold_failure: Option<Failure>,
    /// Who was told that the cell on its way goes on: what they send has not crossed its end.
    told_busy: Vec<ClientId>,
    /// Who was told that what reads the terminal waits: nothing was typed for it since.
    asked: Vec<ClientId>,
    /// Bytes of input that were dropped, and not told yet.
    dropped: u64,
    typists: Typists,
    /// How often something had been shown at the last look that told.
    shown: u64,
    /// Text was typed for a program that may go on by itself, and it was not found waiting since:
    /// by whom, and the program's name.
    typed: Option<(ClientId, String)>,
    completions: Completions,
    people_here: People,
    /// The moment of the event at hand.
    now: Time,
    /// What is to be done about it, so far.
    actions: Vec<Action>,
}

impl Session {
    /// A session whose first worker was just started.
    pub fn new(now: Time, paging: Paging) -> Session {
        Session {
            state: State::Starting {
                since: now,
                is_restart: false,
                interrupted: false,
                doing: Doing::running(paging == Paging::Through),
            },
            calls: Vec::new(),
            cells: 0,
            paging,
            is_program: false,
            people: false,
            answering: Vec::new(),
            closing: false,
            kept: None,
            untold_failure: None,
            told_busy: Vec::new(),
            asked: Vec::new(),
            dropped: 0,
            typists: Typists::default(),
            shown: 0,
            typed: None,
            completions: Completions::default(),
            people_here: People::default(),
            now,
            actions: Vec::new(),
        }
    }

    /// Where the worker stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether it has ended for good: after [`Event::Shutdown`], when there is no worker.
    pub fn is_closed(&self) -> bool {
        self.closing && matches!(self.state, State::Ended { .. })
    }

    /// Whether the kernel is to be asked who reads the terminal: while somebody waits for an
    /// answer and nothing else tells.
    pub fn wants_look(&self) -> bool {
        let doing = self.state.doing();
        let open = self.awaits_background_reader()
            || matches!(doing, Some(Doing::Running { .. }))
            || self.looks_for_news()
            || self.looks_for_end_of_secret();
        open && !self.calls.is_empty()
    }

    /// Whether a call is to come with a look for somebody who reads the terminal in the background.
    pub fn wants_background_look(&self) -> bool {
        matches!(&self.state, State::Ready { waits, .. } if waits.is_empty())
    }

    /// Whether looks are for news of a program that was found waiting and may go on by itself.
    pub fn looks_for_news(&self) -> bool {
        self.state.doing().is_some_and(Doing::may_go_on)
    }

    /// Whether input was typed for a background reader that has not taken it yet.
    pub fn awaits_background_reader(&self) -> bool {
        matches!(&self.state, State::Ready { typed_for: Some(_), .. })
    }

    /// Whether a pager got a key and was not found waiting for another one since.
    pub fn awaits_pager(&self) -> bool {
        let Some(Doing::Running { typed_for, .. }) = self.state.doing() else { return false };
        typed_for.as_ref().is_some_and(|TypedFor { is_pager, .. }| *is_pager)
    }

    /// The clients whose calls wait for a reply.
    pub fn waiting_clients(&self) -> impl Iterator<Item = ClientId> {
        self.calls.iter().map(|call| call.client)
    }

    /// Whether the time of a call is up.
    pub fn has_late_call(&self, now: Time) -> bool {
        self.calls.iter().any(|call| call.deadline <= now)
    }

    /// When the next [`Event::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Time> {
        let calls = self.calls.iter().map(|call| call.deadline);
        calls.chain(self.end_deadline()).chain(self.completions.deadline()).min()
    }

    /// Moves the state and says what is to be done.
    pub fn step(&mut self, event: Event, now: Time) -> Vec<Action> {
        self.now = now;
        match event {
            Event::Call { id, client, payload, deadline, told, background, person } => {
                let held = Some(payload);
                self.calls.push(Call {
                    told,
                    awaits_news: false,
                    id,
                    client,
                    deadline,
                    held,
                    in_line: false,
                    interrupting: false,
                    queued: false,
                    is_approved: false,
                    awaits_person: false,
                    person,
                });
                self.tell_unread();
                if !self.waits_for_person(id) {
                    self.route(id, background);
                }
            }
            Event::Keystrokes { client, bytes, background } => {
                self.note_typing(client);
                self.keystrokes(client, &bytes, background.is_some());
            }
            Event::People { attached } => self.people = attached,
            Event::Introduced { client, is_person, is_reachable } => {
                self.introduced(client, is_person, is_reachable);
            }
            Event::Left { client } => self.left(client),
            Event::Person { client, act } => match act {
                PersonAct::Hold { on } => self.take_over(client, on),
                PersonAct::Approve { on } => self.approve(client, on),
                PersonAct::Decide { proposal, decision } => {
                    self.decide(client, proposal, decision);
                }
            },
            Event::Answers { client, answers } => {
                self.answering.retain(|&other| other != client);
                self.answering.extend(answers.then_some(client));
            }
            Event::Cancel { id, interrupt } => self.cancel(id, interrupt),
            Event::Returned { client } => self.returned(client),
            Event::Complete { id, text, cursor, is_understood } => {
                self.complete(id, text, cursor, is_understood);
            }
            Event::ProgramStarted => self.program_started(),
            Event::Message(message) => self.message(message),
            Event::InterruptTyped => self.interrupt_taken(),
            Event::InputDropped { bytes } => self.input_dropped(bytes),
            Event::Look(sighting) => self.look(sighting),
            Event::Exited { exit, missed_input } => self.exited(exit, missed_input),
            Event::Failed(failure) => self.failed(failure),
            Event::Shutdown => self.shut_down(),
            Event::Tick => self.tick(),
        }
        self.note_needs();
        self.note_who_is_asked();
        self.drop_stale_completion();
        std::mem::take(&mut self.actions)
    }

    /// Does this after what was decided before.
    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    /// Says this to everybody.
    fn tell(&mut self, notice: Notice) {
        self.act(Action::Notice { to: Audience::Everyone, notice });
    }

    /// Says this to the client that makes a call.
    fn tell_caller(&mut self, id: CallId, notice: Notice) {
        if let Some(call) = self.calls.iter().find(|call| call.id == id) {
            let to = Audience::Client(call.client);
            self.act(Action::Notice { to, notice });
        }
    }

    /// What the cell on its way, or the session's start, does from here on.
    fn set_doing(&mut self, new: Doing) {
        if let Some(doing) = self.state.doing_mut() {
            *doing = new;
        }
    }

    /// It runs, its pagers' pages turned as the session's options say.
    fn running(&self, typed_for: Option<TypedFor>) -> Doing {
        let turn_pages = self.paging == Paging::Through;
        Doing::Running { typed_for, candidate: None, turn_pages }
    }
}

#[cfg(test)]
mod tests;
