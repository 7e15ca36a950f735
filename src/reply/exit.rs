//! How a process went.

use std::fmt;

/// The end of a process, in words all platforms share.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It exited with this status.
    Status(i32),
    /// It was killed by this signal, `SIGSEGV`.
    Signal(String),
    /// Nobody could tell.
    Unknown,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Status(status) => write!(f, "exit status {status}"),
            Exit::Signal(name) => write!(f, "killed by {name}"),
            Exit::Unknown => write!(f, "its end was not reported"),
        }
    }
}
