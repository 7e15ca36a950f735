//! Who reads the terminal, how the terminal treats what is typed, and what the program shows.
//! Plain data: three things that are found at the same moment.

use crate::screen::pager::Place;

/// A thread that is blocked reading the terminal, as the kernel tells.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reader {
    /// The kernel's number of the thread; 0 where nobody tells who there is.
    pub thread: u32,
    /// A count that grows when it wakes.
    pub wakes: u64,
    /// The name of its program.
    pub program: String,
    /// Whether that it reads is a guess.
    pub guessed: bool,
    /// What its program goes on for.
    pub awaits: Awaits,
}

/// What a program goes on for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaits {
    /// Somebody who types, and nothing else: it waits.
    Terminal,
    /// Nobody tells: it sleeps, and has the terminal. Only what it shows says whether it waits.
    Unknown,
    /// The terminal and something else: whether it waits or works is told by what it shows.
    TerminalAndOthers {
        /// Whether it has children and no descendant waits for any terminal.
        children_work: bool,
    },
    /// Something else: it shows a page, perhaps, for which another process reads the terminal.
    Others,
}

impl Awaits {
    /// Whether the program may go on though nobody types.
    pub fn others(self) -> bool {
        self != Awaits::Terminal
    }
}

impl Reader {
    /// Whether nothing is known of it but that there is a program.
    pub fn is_unknown(&self) -> bool {
        self.thread == 0
    }

    /// Whether this is the same sleep of the same thread.
    pub fn is_same_sleep(&self, other: &Reader) -> bool {
        (self.thread, self.wakes) == (other.thread, other.wakes)
    }
}

/// How what is typed reaches the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputModes {
    /// It gets whole lines (`ICANON`).
    pub canonical: bool,
    /// What is typed is shown (`ECHO`).
    pub echo: bool,
    /// It takes several lines at once, as pasted ones (xterm's bracketed paste mode).
    pub bracketed_paste: bool,
}

/// What a program that reads the terminal shows on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// Text that scrolls by.
    Text,
    /// A page of its own.
    FullScreen(FullScreenView),
    /// A page of a longer text, with a pager's prompt below.
    Pager(PagerView),
}

/// A page that a full-screen program draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullScreenView {
    /// The row and the column of the cursor, counted from 0.
    pub cursor: (u16, u16),
}

/// A page of a pager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagerView {
    /// What the prompt says of the place in the text.
    pub place: Place,
    /// Whether there is text on the page that was not taken yet.
    pub has_new_text: bool,
    /// Whether the next page fits into the reply.
    pub next_fits: bool,
}

/// A reader as one look at the kernel, the terminal and the screen found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Who reads.
    pub reader: Reader,
    /// How the terminal treats what is typed.
    pub modes: InputModes,
    /// What the program shows.
    pub view: View,
    /// Whether it waits, as far as what was printed tells, or has nothing else to go on for.
    pub is_settled: bool,
    /// How often something was shown so far.
    pub shown: u64,
}
