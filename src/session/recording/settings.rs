//! What a recording says of its session in its header. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    reply::Budget,
    session::{pipeline::WorkerInfo, rules::state::Paging},
};

/// The version of what recordings have beside asciicast's own events.
pub(super) const VERSION: u64 = 1;

/// What a replay has to know beside what happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// [`VERSION`].
    recording: u64,
    /// What made it: `mcp-repl 0.1.0`.
    #[serde(default)]
    pub software: String,
    /// What is done about pagers.
    pub paging: Paging,
    /// What a reply has room for.
    pub budget: Budget,
    /// The system: `linux x86_64`.
    #[serde(default)]
    pub platform: String,
    /// What ran in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<Interpreter>,
}

/// The program that a session ran first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// `cpython`, or what a worker calls itself.
    pub implementation: String,
    /// `3.12.1`.
    pub version: String,
}

/// Why a header is none of a session.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Something else made the recording.
    #[error(
        "it is no recording of a session: `mcp-repl` did not make it, so that there is nothing to \
         replay but what was printed"
    )]
    Foreign,
    /// A later release made it.
    #[error("it is of version {0} of the recordings of sessions; this release knows {VERSION}")]
    Version(u64),
    /// Something is missing, or not as it should be.
    #[error("line 1: what it says of its session is wrong: {0}")]
    Wrong(serde_json::Error),
}

impl Settings {
    /// Those of a session of this process.
    pub(super) fn new(paging: Paging, budget: Budget, worker: Option<&WorkerInfo>) -> Settings {
        let interpreter = worker.map(|worker| Interpreter {
            implementation: worker.implementation.clone(),
            version: worker.version.clone(),
        });
        Settings {
            recording: VERSION,
            software: format!("mcp-repl {}", env!("CARGO_PKG_VERSION")),
            paging,
            budget,
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            interpreter,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Those of a header's field.
    ///
    /// # Errors
    /// When there is none, or one of a later release.
    pub(super) fn from_json(field: Option<&Value>) -> Result<Settings, SettingsError> {
        let field = field.ok_or(SettingsError::Foreign)?;
        match field.get("recording").and_then(Value::as_u64) {
            Some(VERSION) => Settings::deserialize(field).map_err(SettingsError::Wrong),
            Some(version) => Err(SettingsError::Version(version)),
            None => Err(SettingsError::Foreign),
        }
    }
}
