//! What is told of a session.

use serde::{Deserialize, Serialize};

use crate::Sandbox;

/// What `mcp-repl ls` shows of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// Its name.
    pub name: String,
    /// How things stand.
    pub state: SessionState,
    /// What it runs: the worker's name for itself and its version, `cpython 3.12.1`.
    pub interpreter: String,
    /// The program's file.
    pub executable: String,
    /// The working directory it was started in.
    pub directory: String,
    /// The host's process.
    pub host_pid: u32,
    /// The worker's.
    pub worker_pid: Option<u32>,
    /// How long it lives, in milliseconds.
    pub age_ms: u64,
    /// Who is there: their names.
    pub clients: Vec<String>,
    /// The worker's resident memory, in bytes.
    pub memory: Option<u64>,
    /// How long until it ends if nobody comes, in milliseconds; `None` while somebody is there, or
    /// something keeps it.
    pub ends_in_ms: Option<u64>,
    /// Whether it is kept (`--keep`).
    pub keeps: bool,
    /// What its program may reach, where that is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
}

/// How things stand in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SessionState {
    /// The worker was started and is not ready.
    Starting,
    /// The next payload is a cell.
    Ready,
    /// A cell runs.
    Running {
        /// For how long, in milliseconds.
        since_ms: u64,
        /// Whose it is.
        client: String,
    },
    /// It waits for somebody to type.
    Waiting {
        /// What: `input`, `pager`, `screen`, or the name of the program that reads the terminal.
        what: String,
        /// Whose cell it is.
        client: String,
        /// Whether what is typed is shown.
        echo: bool,
    },
    /// The worker is on its way out.
    Ending,
    /// There is no worker; the next payload starts one.
    Ended,
}

/// What a client did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Who.
    pub client: String,
    /// What.
    pub what: String,
    /// The cell's source, or what was answered; empty for others.
    #[serde(default)]
    pub text: String,
}
