//! What happens outside of a session, and what is to be done there. Plain data.

use std::{borrow::Cow, time::Duration};

use mcp_repl_sideband::{ToServer, ToWorker};

use crate::{
    reply::{Attachment, Budget, Content, Exit, Failure, Notice, Reply},
    screen::{Marks, Size},
    session::rules::{
        complete::{Completion, CompletionId},
        hands::PersonAct,
        payload::Payload,
        reader::Reader,
        state::{CallId, ClientId, Time},
    },
};

/// Who a client is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientInfo {
    /// Its name, for others to read: `claude-code`, `exec`. May be empty.
    pub name: String,
    /// What its replies have room for; `None` for what the session has by default.
    pub budget: Option<Budget>,
    /// Whether a person sits at its terminal.
    pub is_person: bool,
    /// What a person runs to come to the session, as its replies say it; `None` where nobody can.
    pub attach: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input<'a> {
    /// A client says who it is.
    Introduce {
        /// Its number; not [`NOBODY`](super::NOBODY).
        client: ClientId,
        /// Who.
        who: ClientInfo,
    },
    /// A client has gone.
    Leave {
        /// Its number.
        client: ClientId,
    },
    /// A client calls.
    Call {
        /// The call's number.
        id: CallId,
        /// Who makes it; not [`NOBODY`](super::NOBODY).
        client: ClientId,
        /// What it sends.
        payload: Payload,
        /// When the caller gives up.
        deadline: Time,
        /// Who reads the terminal although no cell runs, if the session wanted that looked for.
        background: Option<Found>,
        /// What a person is asked for with its reply.
        person: Option<String>,
    },
    /// A client follows what it will be told, from here on: [`Effect::Tell`] says it as soon as it
    /// can't change any more.
    Follow {
        /// Its number; not [`NOBODY`](super::NOBODY).
        client: ClientId,
        /// Whether somebody types what programs ask for: the client's calls wait for the end of what
        /// runs.
        answers: bool,
    },
    /// Somebody types into the terminal, who gets no reply.
    Keystrokes {
        /// Who.
        client: ClientId,
        /// What.
        bytes: Cow<'a, [u8]>,
        /// Who reads the terminal although no cell runs, if the session wanted that looked for.
        background: Option<Found>,
    },
    /// Somebody wants the terminal to have another size, which it gets where none is pinned.
    Resize(Size),
    /// A client has the terminal keep this size until it goes.
    Pin {
        /// Who.
        client: ClientId,
        /// The size.
        size: Size,
    },
    /// The session keeps the size that it was started with, but where a client pins another.
    PinOwn,
    /// The first person has attached, or the last one has left.
    People {
        /// Whether there is one.
        attached: bool,
    },
    /// A person says whose hands the session is in.
    Person {
        /// Their client.
        client: ClientId,
        /// What they do.
        act: PersonAct,
    },
    /// A client no longer waits for its call.
    Cancel {
        /// The call's number.
        id: CallId,
        /// Whether its cell is to be interrupted, too.
        interrupt: bool,
    },
    /// A reply did not reach its client.
    Returned {
        /// Whose it is.
        client: ClientId,
        /// The reply; where text is that it leaves out has been said.
        reply: Reply,
    },
    /// Somebody wants to know what may stand at a place of a cell that is not sent yet;
    /// [`Effect::Completed`] tells.
    Complete {
        /// A number for it.
        id: CompletionId,
        /// The cell as it stands.
        text: String,
        /// Where in it, in characters.
        cursor: usize,
    },
    /// A worker was started.
    Started {
        /// The nonce that its marks carry.
        nonce: String,
        /// The size of its terminal.
        size: Size,
        /// What its terminal makes of marks.
        marks: Marks,
        /// What came first and can't be run, each with the reason.
        passed_over: Vec<String>,
    },
    /// What was started is a program that runs in place of a worker: it has no sideband, takes no
    /// cells, and what is sent to the session is typed for it.
    RunsProgram {
        /// Its file, as it was named.
        file: String,
    },
    /// What was started may not reach all that this user can.
    Confined,
    /// An [`Effect::Explain`] found this to say.
    Explained(Option<Notice>),
    /// The terminal gave these bytes.
    Output(Cow<'a, [u8]>),
    /// The terminal was found to have another size.
    Resized(Size),
    /// The worker sent a message.
    Message(ToServer),
    /// The worker closed its sideband.
    SidebandClosed,
    /// An [`Effect::Interrupt`] went to a raw terminal as a byte, or to a program that has no sideband.
    InterruptTyped,
    /// An [`Effect::DropInput`] dropped this much.
    InputDropped {
        /// In bytes.
        bytes: u64,
    },
    /// An [`Effect::Look`] found this.
    Looked {
        /// Who reads the terminal.
        found: Option<Found>,
        /// Whether the terminal holds input that nobody has read; false when that was not asked.
        holds_input: bool,
        /// How long it took.
        took: Duration,
    },
    /// The worker's process has ended; what it printed is still to be read.
    ProcessOver,
    /// The worker's process has ended, and all it printed and said was given.
    Exited {
        /// How.
        exit: Exit,
        /// Whether it went before it had read the last input it was sent.
        missed_input: bool,
    },
    /// The worker is given up: what is held back is shown, and what comes is shown at once.
    GivenUp,
    /// The worker could not be started, or broke the protocol.
    Failed(Failure),
    /// All clients are to be told this.
    Tell(Notice),
    /// The session is to end for good.
    Shutdown,
    /// Time went by.
    Tick,
}

/// A thread that is blocked reading the terminal, as the kernel tells, and how the terminal treats
/// what is typed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Found {
    /// The thread.
    pub reader: Reader,
    /// Readers get whole lines (`ICANON`).
    pub canonical: bool,
    /// What is typed is shown (`ECHO`).
    pub echo: bool,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Start a worker; [`Input::Started`] or [`Input::Failed`] follows.
    Start,
    /// The worker ended before it was ready: start what may be taken in its place.
    /// [`Input::Started`] or [`Input::Failed`] follows.
    StartNext {
        /// How it went.
        exit: Exit,
    },
    /// Tell the worker.
    Send(ToWorker),
    /// Type into the terminal.
    Type(Vec<u8>),
    /// Answer what a program asked the terminal, if one means to read the answer: it has switched
    /// the terminal to single keys. Into a canonical terminal the question came by accident, in a
    /// file that was printed, say, and the answer would be left over for somebody else.
    Answer(Vec<u8>),
    /// Interrupt what runs: through the sideband, or as a byte if the terminal is raw, or by a signal
    /// where there is no sideband; [`Input::InterruptTyped`] follows the latter two.
    Interrupt {
        /// A reader of the worker's own waits: it is interrupted whatever the terminal's modes.
        worker_reads: bool,
        /// It is a key that was pressed: what was typed before it and nobody has read is dropped, as
        /// the terminal would have it, and nothing is told of that.
        by_key: bool,
    },
    /// Drop what was typed and nobody has read. What the terminal has echoed of it and
    /// [`Input::InputDropped`] follow.
    DropInput,
    /// Give the terminal the size back that it has between cells.
    RestoreSize,
    /// Give the terminal another size, which it has between cells from here on.
    Resize(Size),
    /// Ask the kernel who reads the terminal; [`Input::Looked`] follows.
    Look {
        /// Whether it is to be told, too, if the terminal holds input.
        holds_input: bool,
    },
    /// Look whether what a cell printed tells of something that was denied; [`Input::Explained`] follows.
    Explain {
        /// The end of what it printed.
        text: String,
        /// The program's working directory; empty where that is unknown.
        directory: String,
    },
    /// Give the worker up: [`Input::GivenUp`], what the terminal still has, and [`Input::Failed`]
    /// follow.
    GiveUp(Failure),
    /// Hang up: SIGHUP to the worker.
    HangUp,
    /// Kill the worker and what it left in its terminal's session.
    Kill,
    /// The worker is done with: end what is left of it.
    Retire,
    /// Keep text that has no room in the client's next reply.
    Keep {
        /// Whose.
        client: ClientId,
        /// The text.
        text: String,
    },
    /// Tell a client that follows, ahead of its reply.
    Tell {
        /// Whom.
        client: ClientId,
        /// What.
        content: Vec<Content>,
    },
    /// Keep a picture or document in a file.
    KeepAttachment(Attachment),
    /// Say what may stand at a place; `None` when nothing is known.
    Completed {
        /// The number of the [`Input::Complete`].
        id: CompletionId,
        /// What may stand there.
        completion: Option<Completion>,
    },
    /// Answer a call.
    Reply {
        /// The call's number.
        call: CallId,
        /// Who made it.
        client: ClientId,
        /// The answer. Where text is that it leaves out is still to be said; so is where its pictures
        /// and documents are, and what is to be seen of the pictures.
        reply: Reply,
    },
}

/// Who a worker says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerInfo {
    /// The program, `cpython` for the built-in worker.
    pub implementation: String,
    /// Its version, `3.12.1`.
    pub version: String,
    /// Its file; may be empty.
    pub executable: String,
    /// What it understands beyond the protocol's version: a message that came after that is sent
    /// only when it is named here.
    pub capabilities: Vec<String>,
}

impl WorkerInfo {
    /// Whether it understands what this capability covers.
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|name| name == capability)
    }

    /// What there is to say of a program that runs in place of a worker, from its file.
    pub fn of_program(file: &str) -> WorkerInfo {
        let name = file.rsplit('/').next().unwrap_or(file);
        WorkerInfo {
            implementation: name.to_owned(),
            version: String::new(),
            executable: file.to_owned(),
            capabilities: Vec::new(),
        }
    }

    /// What a hello says; `None` of another message.
    pub fn from_hello(message: &ToServer) -> Option<WorkerInfo> {
        let ToServer::Hello { implementation, version, executable, capabilities, .. } = message
        else {
            return None;
        };
        Some(WorkerInfo {
            implementation: implementation.clone(),
            version: version.clone(),
            executable: executable.clone(),
            capabilities: capabilities.clone(),
        })
    }
}
