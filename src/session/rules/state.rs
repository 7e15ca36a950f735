//! What a session can be in, and the calls that wait for it. Plain data.

use std::time::Duration;

use mcp_repl_sideband::{Outcome, Reader as WorkerReader};

use super::{
    payload::Payload,
    reader::{FullScreenView, InputModes, PagerView, Reader, Sighting},
};
use crate::reply::Exit;

/// A moment, as the time since the engine started. Time arrives with the events.
pub type Time = Duration;

/// How things stand with the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// The worker was started and has not yet said that it is ready.
    Starting {
        /// When it was started.
        since: Time,
        /// Whether another came before it, so that its start is news.
        is_restart: bool,
        /// Whether somebody interrupted its start.
        interrupted: bool,
        /// What its start is found doing: what is run before it, `sitecustomize`, say, may ask
        /// for input.
        doing: Doing,
    },
    /// The next payload is a cell, or goes to a background reader if one waits.
    Ready {
        /// Readers in threads that outlived their cell.
        waits: Vec<Wait>,
        /// How the last cell ended.
        outcome: Option<Outcome>,
        /// The background reader that input was typed for, until it has taken it.
        typed_for: Option<Reader>,
    },
    /// A cell is on its way.
    InCell {
        /// The cell.
        cell: Cell,
        /// What it is found doing.
        doing: Doing,
    },
    /// The worker is on its way out.
    Ending {
        /// Since when.
        since: Time,
        /// What happens if it takes longer.
        next: EndStep,
        /// When that happens, unless somebody is asked for input.
        deadline: Time,
        /// Who waits for input, while the program ends by itself: `atexit` handlers, threads.
        /// `None` when it was told to end: then nobody is asked.
        waits: Option<Vec<Wait>>,
    },
    /// There is no worker. The next payload starts one.
    Ended {
        /// How the last one went.
        exit: Exit,
    },
}

impl State {
    /// What the cell on its way, or the start of a session, is found doing.
    pub fn doing(&self) -> Option<&Doing> {
        match self {
            State::Starting { doing, .. } | State::InCell { doing, .. } => Some(doing),
            _ => None,
        }
    }

    /// The reads of the program's own that wait for input, the first one first.
    pub fn waits(&self) -> &[Wait] {
        match self {
            State::Ready { waits, .. } | State::Ending { waits: Some(waits), .. } => waits,
            _ => match self.doing() {
                Some(Doing::InputWait { waits }) => waits,
                _ => &[],
            },
        }
    }

    /// The same, to be changed.
    pub fn doing_mut(&mut self) -> Option<&mut Doing> {
        match self {
            State::Starting { doing, .. } | State::InCell { doing, .. } => Some(doing),
            _ => None,
        }
    }
}

/// What a cell, or the start of a session, is found doing.
#[derive(Debug, Clone, PartialEq)]
pub enum Doing {
    /// It runs, and nobody is known to wait for input.
    Running {
        /// Whom something was last typed for: found in the same sleep, it has not got it yet.
        typed_for: Option<TypedFor>,
        /// Who was found reading the terminal at the last look.
        candidate: Option<Box<Sighting>>,
        /// Whether a pager's pages are turned for the caller.
        turn_pages: bool,
    },
    /// It is over and the worker is ready; what was typed and nobody has read is being dropped.
    Tidying {
        /// Readers in threads that outlive it.
        waits: Vec<Wait>,
    },
    /// A reader of the program's own waits: the next payload goes to the first in line.
    InputWait {
        /// The readers; never empty.
        waits: Vec<Wait>,
    },
    /// A program reads the terminal itself: the next payload is typed.
    TerminalWait {
        /// Who reads.
        reader: Reader,
        /// How what is typed reaches it.
        modes: InputModes,
    },
    /// A pager shows a page of its text: an empty payload turns it, all else is typed.
    Pager {
        /// Who reads the keys.
        reader: Reader,
        /// What it shows.
        view: PagerView,
    },
    /// A program has the screen to itself: the next payload is typed, as it is.
    FullScreen {
        /// Who reads the keys.
        reader: Reader,
        /// What it shows.
        view: FullScreenView,
    },
}

impl Doing {
    /// Whether a program was found waiting that may go on though nobody types.
    pub fn may_go_on(&self) -> bool {
        match self {
            Doing::TerminalWait { reader, .. } | Doing::FullScreen { reader, .. } => {
                reader.awaits.others()
            }
            _ => false,
        }
    }

    /// Running, with nothing typed and nobody seen.
    pub fn running(turn_pages: bool) -> Doing {
        Doing::Running { typed_for: None, candidate: None, turn_pages }
    }
}

/// Whom something was typed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedFor {
    /// The reader, in the sleep it was in then.
    pub reader: Reader,
    /// Whether it is a pager, which got a key.
    pub is_pager: bool,
}

/// A cell on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Its number.
    pub id: u64,
    /// When it was sent.
    pub since: Time,
    /// Who sent it; [`NOBODY`] for a program that the session runs in place of a worker.
    pub client: ClientId,
    /// What its client does not know, since the call that would have told was cancelled.
    pub after_cancel: Option<AfterCancel>,
    /// How it ended, once the worker said that it is done: then `ready` ends it.
    pub outcome: Option<Outcome>,
}

impl Cell {
    /// Whether it is another client's than this one's.
    pub fn is_anothers(&self, client: ClientId) -> bool {
        self.client != client && self.client != NOBODY
    }
}

/// How a cell goes on whose client cancelled the call that waited for it, until the next reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterCancel {
    /// It was left alone.
    RunsOn,
    /// An interrupt is on its way.
    Interrupting,
    /// The worker has taken the interrupt.
    Interrupted,
}

/// What is done about a program that shows its text page by page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paging {
    /// Turn its pages and give all of the text, up to what a reply holds.
    Through,
    /// Give one page a call.
    Page,
    /// Let programs print their text without a pager, as far as they ask `PAGER`.
    Plain,
}

/// A reader of the program's own that waits for input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The worker's number for it.
    pub id: u64,
    /// How it reads.
    pub reader: WorkerReader,
    /// Whether what is typed is shown.
    pub echo: bool,
    /// The clients that were told that somebody waits, since it does.
    pub told: Vec<ClientId>,
    /// Input that was sent for it, and that it has not taken yet.
    pub answer: Option<SentInput>,
}

/// Input on its way to a reader of the program's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentInput {
    /// Its length.
    pub bytes: u64,
    /// Who sent it without having been told that somebody waits.
    pub unaware: Option<ClientId>,
}

/// The steps by which a worker that does not go is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndStep {
    /// Kill it.
    Kill,
    /// Give up waiting for the kernel to report its end.
    Abandon,
}

/// Numbers a call within a session.
pub type CallId = u64;

/// Numbers a client within a session.
pub type ClientId = u64;

/// No client: what happens before one has called is kept for it, and a program that the session
/// runs in place of a worker is its cell.
pub const NOBODY: ClientId = 0;

/// A call that has no reply yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub id: CallId,
    /// Who makes it.
    pub client: ClientId,
    /// When its caller gives up.
    pub deadline: Time,
    /// What is still to be routed once the session takes it; `None` when all was.
    pub held: Option<Payload>,
    /// Whether what is held came behind another call of the same client, and its turn comes when
    /// what is under way is over: the text until then is not for this one.
    pub in_line: bool,
    /// Whether it interrupted something, and the worker has not said yet that the interrupt was
    /// taken: what the worker said before that is no answer to it.
    pub interrupting: bool,
    /// Whether what it sent waits for a person to give the session back, or to approve.
    pub queued: bool,
    /// Whether what is held is a cell that a person approved of.
    pub is_approved: bool,
    /// Whether it is a poll that waits for a person who is needed.
    pub awaits_person: bool,
    /// What a person is asked for when it has its reply.
    pub person: Option<String>,
    /// How often something had been shown when its client was last told how things stand.
    pub told: u64,
    /// Whether it is a poll of a program that may go on by itself, which has its reply when
    /// something is shown.
    pub awaits_news: bool,
}

impl Call {
    /// Whether it has its reply, or what it holds is routed, as soon as things stand still.
    pub fn may_settle(&self) -> bool {
        !self.interrupting && !self.queued && !self.awaits_person
    }

    /// Whether there is something to tell when something was `shown` so often.
    pub fn has_news(&self, shown: u64) -> bool {
        !self.awaits_news || self.told < shown
    }
}

/// A cell that is run when the session is up, though its call was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCell {
    /// Who sent it.
    pub client: ClientId,
    /// Its source.
    pub source: String,
}
