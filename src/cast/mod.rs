//! Recordings of terminals: asciicast files, versions 2 and 3
//! (<https://docs.asciinema.org/manual/asciicast/v3/>). Pure.
//!
//! A file is a line with the header, then a line an event. Version 3 has the time since the event
//! before, version 2 that since the start.

mod header;
mod reader;

pub use header::Header;
pub use reader::Reader;

use std::{io, time::Duration};

use crate::screen::Size;

/// What happened on the recorded terminal, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The time since the start.
    pub time: Duration,
    /// What.
    pub kind: Kind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Something was printed.
    Output(String),
    /// Something was typed.
    Input(String),
    /// The terminal got another size.
    Resize(Size),
    /// A place that is worth going to, with its name, which may be empty.
    Marker(String),
    /// The program has ended with this status.
    Exit(i32),
    /// Something that only its writer knows.
    Other {
        /// What stands for its kind.
        code: char,
        /// What.
        data: String,
    },
}

/// Why a recording can't be read.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    /// The file can't be read at all.
    #[error("it can't be read: {0}")]
    Io(#[from] io::Error),
    /// There is nothing in it.
    #[error("it is empty: an asciicast file begins with a header")]
    Empty,
    /// A line is longer than any recorder writes.
    #[error("line {line} is longer than {} MiB", Reader::<&[u8]>::LONGEST_LINE / 1024 / 1024)]
    TooLong {
        /// Its number, from 1.
        line: u64,
    },
    /// The first line is no header.
    #[error("line 1 is no header of an asciicast file: {0}")]
    NoHeader(String),
    /// It is of a version that is not known here.
    #[error(
        "it is of version {0} of the format; 2 and 3 can be read (`asciinema convert` makes them)"
    )]
    Version(u64),
    /// A line is no event.
    #[error("line {line} is no event: {why}")]
    NoEvent {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
}
