//! Recordings of terminals: asciicast files, versions 2 and 3
//! (<https://docs.asciinema.org/manual/asciicast/v3/>). Pure.
//!
//! A file is a line with the header, then a line an event. Version 3 has the time since the event
//! before, version 2 that since the start.

mod header;
mod reader;
mod theme;
mod writer;

pub use header::Header;
pub use reader::Reader;
pub use theme::Theme;
pub use writer::Writer;

use std::{io, str::FromStr, time::Duration};

use crate::screen::Size;

/// The longest a recording may be; times are added up without care below it.
const LONGEST: Duration = Duration::from_secs(1_000_000_000);

/// A time of so many seconds, in whole microseconds as players read it; `None` where it is none that a
/// recording may have.
fn time(seconds: f64) -> Option<Duration> {
    let is_one = (0.0..=LONGEST.as_secs_f64()).contains(&seconds);
    // A `f64` has all microseconds below LONGEST (2^53 of them are 285 years).
    is_one.then(|| Duration::from_micros((seconds * 1e6).round() as u64))
}

/// A version of the format that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Events have the time since the start.
    V2,
    /// Events have the time since the one before.
    V3,
}

/// It names no version of the format.
#[derive(Debug, thiserror::Error)]
#[error("it is one of `v2` and `v3`")]
pub struct NoVersion;

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(name: &str) -> Result<Version, NoVersion> {
        match name {
            "v2" => Ok(Version::V2),
            "v3" => Ok(Version::V3),
            _ => Err(NoVersion),
        }
    }
}

/// What happened on the recorded terminal, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The time since the start.
    pub time: Duration,
    /// What.
    pub kind: Kind,
}

impl Event {
    /// How much text it has, in bytes.
    pub fn size(&self) -> usize {
        match &self.kind {
            Kind::Output(text) | Kind::Input(text) | Kind::Marker(text) => text.len(),
            Kind::Other { data, .. } => data.len(),
            Kind::Resize(_) | Kind::Exit(_) => 0,
        }
    }
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
    /// The file ends within a line, as that of a recorder that was killed.
    #[error("line {line} is cut off: the recording ends in the middle of it")]
    Cut {
        /// Its number, from 1.
        line: u64,
    },
    /// A line is no event.
    #[error("line {line} is no event: {why}")]
    NoEvent {
        /// Its number, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
}
