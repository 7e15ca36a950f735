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

/// What becomes of a cell that waits for a person's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It runs.
    Run,
    /// This runs in its place.
    Edited(String),
    /// It does not run; what its client is told, which may be empty.
    Refused(String),
}
