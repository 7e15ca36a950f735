//! The answer to a line that is no request the server can act on: why, in words for whoever sent it.

use rmcp::model::ErrorCode;
use serde_json::{Value, json};

use super::lines::LONGEST_LINE;

/// An error reply (JSON-RPC 2.0, section 5.1).
#[derive(Debug)]
pub(super) struct Refusal {
    id: Value,
    reason: Reason,
}

/// Why a line is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Reason {
    #[error(
        "the line is longer than {} bytes and was not read: put the data into a file and let the \
         cell read it",
        LONGEST_LINE
    )]
    TooLong,
    #[error("the line is not UTF-8 at byte {at}: send JSON in UTF-8, one message a line")]
    NotUtf8 {
        /// The first byte that is no part of a character.
        at: usize,
    },
    #[error("the line is not valid JSON ({0}): send one JSON object a line")]
    NotJson(serde_json::Error),
    #[error("the line is no JSON-RPC message ({0}): send one JSON object a line")]
    WrongMembers(serde_json::Error),
    #[error("the line is no JSON-RPC message: send one JSON object a line")]
    NotAnObject,
    #[error(
        "batches are part of MCP 2025-03-26 alone, which was not agreed on: send each message on a \
         line of its own"
    )]
    Batch,
    #[error("the batch is empty")]
    EmptyBatch,
    #[error("`initialize` must not be in a batch: send it on a line of its own")]
    InitializeInBatch,
    #[error("`jsonrpc` must be \"2.0\"")]
    WrongVersion,
    #[error("the message has no `method`")]
    NoMethod,
    #[error("`method` must be a string")]
    MethodNotAString,
    #[error("`id` must be a string or an integer")]
    WrongId,
    #[error(
        "unknown method `{method}`: this server knows initialize, server/discover, ping, \
         tools/list and tools/call"
    )]
    UnknownMethod { method: String },
    #[error("the params of {method} must be an object")]
    ParamsNotAnObject { method: String },
    #[error("the params of {method} are not valid: {error}")]
    WrongParams { method: String, error: serde_json::Error },
}

impl Reason {
    /// The code of JSON-RPC 2.0, section 5.1.
    fn code(&self) -> ErrorCode {
        match self {
            Reason::NotUtf8 { .. } | Reason::NotJson(_) => ErrorCode::PARSE_ERROR,
            Reason::UnknownMethod { .. } => ErrorCode::METHOD_NOT_FOUND,
            Reason::ParamsNotAnObject { .. } | Reason::WrongParams { .. } => {
                ErrorCode::INVALID_PARAMS
            }
            Reason::TooLong
            | Reason::WrongMembers(_)
            | Reason::NotAnObject
            | Reason::Batch
            | Reason::EmptyBatch
            | Reason::InitializeInBatch
            | Reason::WrongVersion
            | Reason::NoMethod
            | Reason::MethodNotAString
            | Reason::WrongId => ErrorCode::INVALID_REQUEST,
        }
    }
}

impl Refusal {
    /// The refusal of the request `id`, which is `null` when it is not known.
    pub(super) fn new(id: Value, reason: Reason) -> Self {
        Refusal { id, reason }
    }

    /// The reply as JSON.
    pub(super) fn json(&self) -> Vec<u8> {
        let error = json!({"code": self.reason.code().0, "message": self.reason.to_string()});
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"error\":{error}}}", self.id).into_bytes()
    }

    /// The reply as a line, with its line feed.
    pub(super) fn line(&self) -> Vec<u8> {
        [&self.json()[..], b"\n"].concat()
    }
}
