//! In whose hands a session is: words of what people and clients say about it. Pure.

/// Numbers a cell that waits for a person's word.
pub type ProposalId = u64;

/// A person is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// What for.
    pub why: String,
    /// The name of the client that asks for one; may be empty.
    pub asked_by: String,
}

/// What a person does about whose hands a session is in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonAct {
    /// They take it over, so that the calls of clients that are no people wait, or give it back.
    Hold {
        /// Whether it is taken over.
        on: bool,
    },
    /// They want to be asked before each cell of a client that is no person, or no longer.
    Approve {
        /// Whether to be asked.
        on: bool,
    },
    /// They say what becomes of a cell that they were asked about.
    Decide {
        /// The cell's number.
        proposal: ProposalId,
        /// What.
        decision: Decision,
    },
}

/// What becomes of a cell that waits for a person's word.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It runs.
    Run,
    /// This runs in its place.
    Edited(String),
    /// It does not run; what its client is told, which may be empty.
    Refused(String),
}
