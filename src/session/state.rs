//! What a session can be in, and the calls that wait for it. Plain data.

use std::time::Duration;

use mcp_repl_sideband::Outcome;

use crate::reply::Exit;
pub use crate::screen::pager::Place;

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
        fresh: bool,
    },
    /// The next payload is a cell, or goes to a background reader if one waits.
    Ready {
        /// Readers in threads that outlived their cell.
        waits: Vec<Wait>,
        /// How the last cell ended.
        outcome: Option<Outcome>,
        /// Who was reading the terminal when input was typed for it, until it has it.
        fed: Option<Reading>,
    },
    /// A cell runs and nobody is known to wait for input.
    Running {
        /// The cell.
        cell: Cell,
        /// Who was reading the terminal when something was last typed: found unchanged, it
        /// has not got it yet.
        fed: Option<Reading>,
        /// Who was found reading the terminal at the last look.
        seen: Option<Reading>,
        /// Whether a pager's pages are turned for the caller.
        turn: bool,
    },
    /// A cell runs and a reader waits: the next payload goes to the first in line.
    InputWait {
        /// The cell.
        cell: Cell,
        /// The readers; never empty.
        waits: Vec<Wait>,
    },
    /// A cell runs and a program reads the terminal itself: the next payload is typed.
    TerminalWait {
        /// The cell.
        cell: Cell,
        /// Who reads, and how.
        reading: Reading,
    },
    /// A pager shows a page of its text: an empty payload turns it, all else is typed.
    Pager {
        /// The cell.
        cell: Cell,
        /// Who reads.
        reading: Reading,
    },
    /// A program has the screen to itself: the next payload is typed, as it is.
    FullScreen {
        /// The cell.
        cell: Cell,
        /// Who reads.
        reading: Reading,
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
        asks: Option<Vec<Wait>>,
    },
    /// There is no worker. The next payload starts one.
    Ended {
        /// How the last one went.
        exit: Exit,
    },
}

/// A cell on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Its number.
    pub id: u64,
    /// When it was sent.
    pub since: Time,
    /// How it ended, once the worker said that it is done: then `ready` ends it.
    pub outcome: Option<Outcome>,
}

/// A thread that is blocked reading the terminal, as the kernel tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The thread.
    pub thread: u32,
    /// A count that grows when it wakes.
    pub wakes: u64,
    /// The name of its program.
    pub program: String,
    /// Whether the terminal gives it whole lines.
    pub canonical: bool,
    /// Whether what is typed is shown.
    pub echo: bool,
    /// Whether it takes several lines at once, as pasted ones.
    pub pastes: bool,
    /// Whether that it reads is a guess.
    pub guessed: bool,
    /// What the program shows.
    pub view: View,
}

/// What a program that reads the terminal shows on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// Text that scrolls by.
    Text,
    /// A page of its own, on the alternate screen.
    Page {
        /// The row and the column of the cursor, counted from 0.
        cursor: (u16, u16),
    },
    /// A page of a longer text, with a pager's prompt below.
    Pager {
        /// What the prompt says of the place in the text.
        place: Place,
        /// Whether there is text on the page that was not taken yet.
        news: bool,
        /// Whether the next page fits into the reply.
        room: bool,
    },
}

/// What is done about a program that shows its text page by page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// Turn its pages and give all of the text, up to what a reply holds.
    Through,
    /// Give one page a call.
    Page,
    /// Let programs print their text without a pager, as far as they ask `PAGER`.
    Plain,
}

impl Reading {
    /// Whether this is the same sleep of the same thread.
    pub fn is_same(&self, other: &Reading) -> bool {
        (self.thread, self.wakes) == (other.thread, other.wakes)
    }
}

/// What a client sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// A cell, an answer, a control character, or nothing for a poll.
    Text(String),
    /// Bytes of keys, to be typed into the terminal.
    Keys(Vec<u8>),
}

/// A reader that waits for input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The worker's number for it.
    pub id: u64,
    /// Whether what is typed is shown.
    pub echo: bool,
    /// Whether input was sent for it that it has not taken yet.
    pub answered: bool,
}

/// The steps by which a worker that does not go is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndStep {
    /// Kill it.
    Kill,
    /// Give up waiting for the kernel to report its end.
    Abandon,
}

/// Numbers a call within the engine.
pub type CallId = u64;

/// A call that has no reply yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub id: CallId,
    /// When its caller gives up.
    pub deadline: Time,
    /// What is still to be routed once the session takes it; `None` when all was.
    pub pending: Option<Payload>,
    /// Whether it interrupted something, and the worker has not said yet that the interrupt was
    /// taken: what the worker said before that is no answer to it.
    pub strikes: bool,
}
