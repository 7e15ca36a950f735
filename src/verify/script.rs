//! A session by hand, as data: what is sent, what is waited for, and what the replies are. Pure.

use std::{fmt, ops::Range, time::Duration};

use crate::{screen::Size, session::rules::payload::Payload};

/// A script.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// What it says of its session.
    pub settings: Settings,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// What a script says of its session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The program that the session is, as a shell would be given it; else Python.
    pub run: Option<String>,
    /// The directory that it works in, from that of the script; an empty one without it.
    pub directory: Option<String>,
    /// The size of the terminal.
    pub size: Option<Size>,
    /// How long each step may take.
    pub timeout: Option<Duration>,
    /// The programs without which it is left out.
    pub needs: Vec<String>,
    /// The Python before which it is left out.
    pub python: Option<Version>,
    /// The names of the rules that are used; without it, all.
    pub rules: Option<Vec<String>>,
}

/// A step, and the number of the line where it stands, from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The line.
    pub line: usize,
    /// What is done.
    pub action: Action,
}

/// What is done in a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A call is made.
    Send {
        /// What is sent.
        payload: Payload,
        /// How long the call waits, where that is less than a step may take.
        timeout: Option<Duration>,
    },
    /// The next step comes when the terminal's page shows this, and did not before the last call.
    Wait(String),
    /// What the last call is told.
    Reply(Expected),
}

/// A reply as it is expected, and where it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The lines, with `...` for any.
    pub text: String,
    /// The same in the file, in bytes: whole lines.
    pub place: Range<usize>,
    /// What stands before each line there.
    pub indent: String,
    /// The fences around it, in bytes of the file.
    pub fences: [Range<usize>; 2],
}

/// The version of a Python, as far as it is said: `3.11`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub Vec<u32>);

impl Version {
    /// Reads one of digits and dots; what follows in a word (`3.14.0rc1`) does not count.
    pub fn parse(text: &str) -> Option<Version> {
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let parts = text[..end].trim_end_matches('.').split('.').map(|part| part.parse().ok());
        parts.collect::<Option<Vec<u32>>>().map(Version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))
    }
}
