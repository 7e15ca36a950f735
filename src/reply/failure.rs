//! Why a session could not go on.

use super::Exit;

/// What was tried and what happened. What to do about it is [`Failure::hint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// There is no program to run.
    #[error("{0}")]
    NoProgram(String),
    /// The program can't be executed, or something it needs can't be made.
    #[error("{program} could not be started: {error}")]
    NotStarted {
        /// Its file.
        program: String,
        /// What the operating system said.
        error: String,
    },
    /// The sandbox that the program is to run in can't be made.
    #[error("the session could not start: no sandbox: {error}")]
    NoSandbox {
        /// Why.
        error: String,
    },
    /// It ended before it was ready.
    #[error("the session could not start: its program ended before it was ready ({exit})")]
    EndedAtStart {
        /// How it went.
        exit: Exit,
    },
    /// It ended before it was ready, since it was interrupted.
    #[error("the session's start was interrupted, and its program ended ({exit})")]
    StartInterrupted {
        /// How it went.
        exit: Exit,
    },
    /// A person refused the cell; nothing of it was run.
    #[error("a person refused the cell; nothing was run")]
    Refused,
    /// It broke the sideband protocol, in the way given.
    #[error("{0}")]
    Protocol(String),
    /// Another process tried it, and says so, with what to do about it.
    #[error("{0}")]
    Told(String),
}

impl Failure {
    /// The failure and what to do about it.
    pub fn with_hint(&self) -> String {
        let hint = self.hint();
        format!("{self}{}{hint}", if hint.is_empty() { "" } else { "; " })
    }

    /// What to do about it; empty where the failure itself says it.
    pub fn hint(&self) -> &'static str {
        match self {
            Failure::NoProgram(_)
            | Failure::NotStarted { .. }
            | Failure::Refused
            | Failure::Told(_) => "",
            Failure::NoSandbox { .. } => {
                "`mcp-repl doctor` shows what holds here; `--sandbox off` in the server's arguments does without"
            }
            Failure::EndedAtStart { .. } => "`mcp-repl doctor` shows more",
            Failure::StartInterrupted { .. } => "the next input starts a new one",
            Failure::Protocol(_) => "the session was ended, the next input starts a new one",
        }
    }
}
