//! What a call gets back: the text and pictures since the last reply, and how things stand.
//! Pure.

mod exit;
mod outbox;

use std::time::Duration;

use mcp_repl_sideband::Outcome;

pub use exit::Exit;
pub use outbox::{BUDGET, Outbox};

/// The answer to one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Text and pictures in the order they were made. May be empty.
    pub content: Vec<Content>,
    /// Whether the bridge itself failed. A Python exception is not an error of the bridge.
    pub is_error: bool,
    /// How things stand, for callers that act on it.
    pub status: Status,
}

impl Reply {
    /// The content for a client that shows text and pictures: notices stand in the text, each
    /// on a line of its own.
    pub fn merged(self) -> Vec<Content> {
        let mut merged = Vec::new();
        for part in self.content {
            match (part, merged.last_mut()) {
                (Content::Text(text), Some(Content::Text(last))) => last.push_str(&text),
                (Content::Notice(line), Some(Content::Text(last))) => {
                    if !last.ends_with('\n') {
                        last.push('\n');
                    }
                    last.push_str(&line);
                    last.push('\n');
                }
                (Content::Notice(line), _) => merged.push(Content::Text(line + "\n")),
                (part, _) => merged.push(part),
            }
        }
        merged
    }
}

/// A part of a reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Text as a person would have read it.
    Text(String),
    /// A line of the bridge's own, without its end.
    Notice(String),
    /// A picture.
    Image {
        /// Its media type, `image/png`.
        mime: String,
        /// Its bytes in base64 (RFC 4648, section 4).
        data: String,
    },
}

/// How things stand when a call returns.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// The next payload is a cell.
    Ready {
        /// How the last cell ended, if there was one.
        outcome: Option<Outcome>,
    },
    /// A reader waits: the next payload is its input.
    Waiting {
        /// Whether what is typed is shown; false for a secret.
        echo: bool,
    },
    /// A program reads the terminal itself: the next payload is typed for it.
    Reading {
        /// Its name.
        program: String,
        /// Whether it reads whole lines; otherwise single keys.
        canonical: bool,
        /// Whether what is typed is shown; false for a secret.
        echo: bool,
        /// Whether that it reads is a guess.
        guessed: bool,
    },
    /// A pager shows a page: an empty payload turns it, all else is typed.
    Pager {
        /// Its name.
        program: String,
        /// What its prompt says of the place in the text.
        prompt: String,
        /// Whether the end of the text is shown.
        at_end: bool,
        /// Whether it is left to people who are attached: an empty payload does not turn it.
        shared: bool,
    },
    /// A program has the screen to itself: the next payload is typed, as it is.
    FullScreen {
        /// Its name.
        program: String,
        /// The row and the column of the cursor, counted from 0.
        cursor: (u16, u16),
    },
    /// The caller's time is up, or its input could not be taken.
    Busy {
        /// How long the work has been going on.
        elapsed: Duration,
        /// Whether input of this call was thrown away.
        discarded: bool,
    },
    /// There is no session; the next payload starts one.
    Ended {
        /// How the last one went.
        exit: Exit,
    },
    /// The session could not be started, or its worker broke the protocol.
    Failed {
        /// What was tried, what happened, what to do.
        why: String,
    },
}
