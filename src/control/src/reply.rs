//! The answer to a call, as a client shows it.

use serde::{Deserialize, Serialize};

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What there is to show, in order.
    pub content: Vec<Part>,
    /// How things stand.
    pub status: Status,
}

/// A part of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What programs printed, as a person would have read it.
    Text(String),
    /// A line of the bridge's own, without its line end.
    Notice(String),
    /// A line of the bridge's own: what follows it is of a cell of another client, up to the next
    /// `OwnCell`.
    AnothersCell(String),
    /// A line of the bridge's own: what follows it is of the client's own cell.
    OwnCell(String),
    /// A line that says how things stand, at the end, without its line end.
    Status(String),
    /// A picture or document.
    Attachment {
        /// The line that names it, without its line end.
        line: String,
        /// Its media type.
        mime: String,
        /// The file's name: `picture-3.png`.
        file: String,
        /// Where the file is, on the host's machine; `None` when it is nowhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<String>,
        /// The picture itself, when it is shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        picture: Option<Picture>,
        /// Its bytes as they came, in base64 (RFC 4648, section 4), for a client that asked for
        /// all ([`Attachments::All`](crate::Attachments::All)); `None` where there was no room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data: Option<String>,
    },
}

/// A picture as a client is shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Its media type.
    pub mime: String,
    /// Its bytes in base64 (RFC 4648, section 4).
    pub data: String,
}

/// How things stand when a call returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    /// The next payload is a cell.
    Ready {
        /// How the last cell ended: `ok`, `error` or `interrupted`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<String>,
    },
    /// A reader of the program's own waits.
    Waiting {
        /// Whether what is typed is shown.
        echo: bool,
    },
    /// A program reads the terminal itself.
    Reading {
        /// Its name.
        program: String,
        /// Whether it reads whole lines.
        canonical: bool,
        /// Whether what is typed is shown.
        echo: bool,
        /// Whether that is a guess.
        guessed: bool,
    },
    /// The start of the session waits for input.
    StartWaits {
        /// Whether what is typed is shown.
        echo: bool,
        /// Whether a cell of this client is run once the session is up.
        keeps_cell: bool,
    },
    /// A pager shows a page.
    Pager {
        /// Its name.
        program: String,
        /// What its prompt says.
        prompt: String,
        /// Whether the end is shown.
        at_end: bool,
        /// Whether it is left to people.
        shared: bool,
    },
    /// A program has the screen to itself.
    FullScreen {
        /// Its name.
        program: String,
        /// The row of the cursor, from 0.
        row: u16,
        /// The column, from 0.
        column: u16,
    },
    /// The caller's time is up, or its input could not be taken.
    Busy {
        /// How long the work goes on, in milliseconds.
        elapsed_ms: u64,
        /// Whether input of this call was thrown away.
        discarded: bool,
    },
    /// There is no worker; the next payload starts one.
    Ended {
        /// How the last one went.
        exit: Exit,
    },
    /// The worker could not be started, or broke its protocol.
    Failed {
        /// Why, and what to do about it.
        message: String,
    },
}

/// How a process went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It exited with this status.
    Status(i32),
    /// It was killed by this signal, `SIGSEGV`.
    Signal(String),
    /// Nobody could tell.
    Unknown,
}
