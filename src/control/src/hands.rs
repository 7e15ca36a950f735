//! In whose hands a session is: who has taken it over, who approves cells, and for what a person is
//! needed.

use serde::{Deserialize, Serialize};

/// In whose hands a session is, as one client is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hands {
    /// The name of the person who has taken the session over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Whether that is this client.
    #[serde(default)]
    pub is_holder: bool,
    /// The name of the person who is asked before a cell of somebody who is none runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// Whether that is this client.
    #[serde(default)]
    pub is_approver: bool,
    /// What a person is needed for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed: Option<Needed>,
    /// The numbers of the cells that wait for the approver's word, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<u64>,
}

/// A person is needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needed {
    /// What for.
    pub why: String,
    /// The name of the client that asks for one; may be empty.
    #[serde(default)]
    pub asked_by: String,
}

/// What becomes of a cell that waits for the approver's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It runs.
    Run,
    /// This runs in its place.
    Edited(String),
    /// It does not run; what its client is told, which may be empty.
    Refused(String),
}
