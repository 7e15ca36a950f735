//! The arguments of the `repl` tool: their schema, and how they are read.

use std::time::Duration;

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use crate::registry::{NameError, SessionName};
use crate::session::rules::payload::{Payload, PayloadError};

/// How long a call waits when the client does not say. Clients give up at 60 seconds.
const DEFAULT_TIMEOUT_MS: f64 = 40_000.0;

/// The longest wait, a day; what is above is taken as this.
const LONGEST_TIMEOUT_MS: f64 = 86_400_000.0;

/// What a client may say to the tool.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arguments {
    /// What is sent.
    pub(super) payload: Payload,
    /// How long the call waits.
    pub(super) timeout: Duration,
    /// In which session; `None` for the usual one.
    pub(super) session: Option<SessionName>,
    /// Which part of a long output is to be shown; then nothing is sent.
    pub(super) show: Option<String>,
    /// What a person is asked for, once what is sent was answered.
    pub(super) person: Option<String>,
}

/// What is wrong with the arguments of a call, in words for the agent: what is allowed, and that
/// nothing was run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArgumentError {
    #[error(
        "unknown argument `{name}`: `repl` takes `input` (a string), `keys` (a string), `show` (a \
         string), `person` (a string), `timeout_ms` (a number) and `session` (a string). Nothing was \
         run."
    )]
    Unknown { name: String },
    #[error("`show` can't be sent with `input`, `keys` or `person`. Nothing was run.")]
    ShowAndPayload,
    #[error("{0}. Nothing was run.")]
    NoPayload(#[from] PayloadError),
    #[error("`session`: {0}. Nothing was run.")]
    NotAName(#[from] NameError),
    #[error("`{name}` must be a string, not {given}. Nothing was run.")]
    NotAString { name: &'static str, given: String },
    #[error(
        "`timeout_ms` must be a number of milliseconds, 0 or more (the default is {}), not \
         {given}. Nothing was run.",
        DEFAULT_TIMEOUT_MS
    )]
    NotATimeout { given: String },
}

impl Arguments {
    /// Reads the arguments of one call. An absent one and `null` are its default.
    ///
    /// # Errors
    ///
    /// At the first argument that is wrong.
    pub(super) fn read(given: Option<JsonObject>) -> Result<Self, ArgumentError> {
        let (mut input, mut typed) = (String::new(), Vec::new());
        let (mut wait, mut show) = (timeout(&Value::Null)?, String::new());
        let (mut session, mut person) = (None, String::new());
        for (name, value) in given.unwrap_or_default() {
            match name.as_str() {
                "input" => input = input_text(value)?,
                "keys" => typed = keys(value)?,
                "show" => show = text("show", value)?,
                "person" => person = text("person", value)?,
                "timeout_ms" => wait = timeout(&value)?,
                "session" if !value.is_null() => session = Some(text("session", value)?.parse()?),
                "session" => {}
                _ => return Err(ArgumentError::Unknown { name }),
            }
        }
        let payload = Payload::parse(&input, typed)?;
        let show = Some(show).filter(|show| !show.trim().is_empty());
        let person = Some(person).filter(|why| !why.trim().is_empty());
        if show.is_some() && (!payload.is_empty() || person.is_some()) {
            return Err(ArgumentError::ShowAndPayload);
        }
        Ok(Arguments { payload, timeout: wait, session, show, person })
    }

    /// The JSON schema of the arguments.
    pub(super) fn schema() -> JsonObject {
        let schema = json!({
            "type": "object",
            "properties": {
                "input": {
                    "type": "string",
                    "default": "",
                    "description": "A cell, an answer, or nothing to poll."
                },
                "keys": {
                    "type": "string",
                    "description": "Keys to type into the terminal, named as in tmux and \
                                    parted by blanks: `C-d`, `Down Down Enter`, `Escape :q Enter`."
                },
                "show": {
                    "type": "string",
                    "description": "Shows a part of the last long output and runs nothing: `lines \
                                    2000-2100`, `/regex/`, `tail 200`; `output-3 tail 9` of another."
                },
                "person": {
                    "type": "string",
                    "description": "Asks a person for this, who comes to the session; the reply says \
                                    how. `input` goes first. Then poll: it waits for them."
                },
                "timeout_ms": {
                    "type": "number",
                    "minimum": 0,
                    "default": DEFAULT_TIMEOUT_MS as u64,
                    "description": "How long to wait for the reply, in milliseconds."
                },
                "session": {
                    "type": "string",
                    "description": "The name of another session, started if there is none: \
                                    `train`. Sessions run side by side."
                }
            },
            "additionalProperties": false
        });
        match schema {
            Value::Object(schema) => schema,
            _ => JsonObject::new(),
        }
    }
}

fn text(name: &'static str, value: Value) -> Result<String, ArgumentError> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null => Ok(String::new()),
        other => Err(ArgumentError::NotAString { name, given: kind(&other) }),
    }
}

/// The input as text. Clients turn a cell that is a number into one.
fn input_text(value: Value) -> Result<String, ArgumentError> {
    match value {
        Value::Number(number) => Ok(number.to_string()),
        other => text("input", other),
    }
}

/// Keys in one string, parted by blanks, or in a list.
fn keys(value: Value) -> Result<Vec<String>, ArgumentError> {
    if let Value::Array(list) = value {
        return list.into_iter().map(|key| text("keys", key)).collect();
    }
    Ok(text("keys", value)?.split_whitespace().map(str::to_owned).collect())
}

fn timeout(value: &Value) -> Result<Duration, ArgumentError> {
    let ms = match value {
        Value::Null => Some(DEFAULT_TIMEOUT_MS),
        Value::Number(number) => number.as_f64().filter(|ms| *ms >= 0.0),
        _ => None,
    };
    let ms = ms.ok_or_else(|| ArgumentError::NotATimeout { given: kind(value) })?;
    Ok(Duration::from_secs_f64(ms.min(LONGEST_TIMEOUT_MS) / 1000.0))
}

/// What a value is, for a message.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
