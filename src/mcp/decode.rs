//! A line of the client becomes a message for the server, or a refusal that says what to do.
//!
//! Only the methods this server serves are decoded, each straight into its own type: rmcp's own
//! decoding tries every kind of message in turn, and copies a long cell more than once.

use rmcp::model::{
    CallToolRequest, ClientJsonRpcMessage, ClientNotification, ClientRequest, DiscoverRequest,
    ErrorCode, InitializeRequest, JsonObject, ListToolsRequest, NumberOrString, PingRequest,
};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::lines::{LONGEST_LINE, Line};
use super::salvage::{IdFinder, replace_lone_surrogates};

/// What a line is.
#[derive(Debug)]
pub(super) enum Decoded {
    /// A message the server acts on.
    Message(Box<ClientJsonRpcMessage>),
    /// Nothing to act on: an empty line, a notification without a meaning here, a response.
    Nothing,
    /// No message; the answers that say so.
    Refused(Vec<Refusal>),
}

/// An error reply (JSON-RPC 2.0, section 5.1).
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    id: Value,
    code: ErrorCode,
    message: String,
}

impl Refusal {
    fn new(id: Value, code: ErrorCode, message: impl Into<String>) -> Self {
        Refusal { id, code, message: message.into() }
    }

    /// The reply as a line, with its line feed.
    pub(super) fn line(&self) -> Vec<u8> {
        let error = json!({"code": self.code.0, "message": self.message});
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"error\":{error}}}\n", self.id).into_bytes()
    }
}

/// The members of a message (JSON-RPC 2.0, sections 4 and 5).
#[derive(Debug, Deserialize)]
struct Envelope {
    jsonrpc: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    method: Option<Value>,
    params: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    result: Option<IgnoredAny>,
    error: Option<IgnoredAny>,
}

/// Tells a member that is `null` from one that is absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Decodes a line.
pub(super) fn decode(line: Line<'_>) -> Decoded {
    let decoded = match line {
        Line::Whole(bytes) => decode_bytes(bytes),
        Line::TooLong(id) => {
            let message = format!(
                "the line is longer than {LONGEST_LINE} bytes and was not read: \
                 put the data into a file and let the cell read it"
            );
            Err(Refusal::new(id, ErrorCode::INVALID_REQUEST, message))
        }
    };
    decoded.unwrap_or_else(|refusal| Decoded::Refused(vec![refusal]))
}

fn decode_bytes(line: &[u8]) -> Result<Decoded, Refusal> {
    // A byte order mark may be ignored (RFC 8259, section 8.1).
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii();
    let text = std::str::from_utf8(line).map_err(|error| {
        let message = format!(
            "the line is not UTF-8 at byte {}: send JSON in UTF-8, one message a line",
            error.valid_up_to()
        );
        Refusal::new(IdFinder::find(line), ErrorCode::PARSE_ERROR, message)
    })?;
    match text.as_bytes().first() {
        None => Ok(Decoded::Nothing),
        Some(b'{') => decode_envelope(parse(text)?),
        Some(_) => Ok(Decoded::Refused(refuse_other(&parse(text)?))),
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    let result = match serde_json::from_str(text) {
        Err(error) if !error.is_data() => match replace_lone_surrogates(text) {
            Some(text) => serde_json::from_str(&text),
            None => Err(error),
        },
        result => result,
    };
    result.map_err(|error| {
        let (code, what) = if error.is_data() {
            (ErrorCode::INVALID_REQUEST, "no JSON-RPC message")
        } else {
            (ErrorCode::PARSE_ERROR, "not valid JSON")
        };
        let message = format!("the line is {what} ({error}): send one JSON object a line");
        Refusal::new(IdFinder::find(text.as_bytes()), code, message)
    })
}

/// Answers JSON that is no object. In a batch every request is answered, so nobody waits for it.
fn refuse_other(value: &Value) -> Vec<Refusal> {
    let Value::Array(batch) = value else {
        let message = "the line is no JSON-RPC message: send one JSON object a line";
        return vec![Refusal::new(Value::Null, ErrorCode::INVALID_REQUEST, message)];
    };
    let message = "batches are not part of MCP: send each message on a line of its own";
    let refusal = |id| Refusal::new(id, ErrorCode::INVALID_REQUEST, message);
    let requests = batch.iter().filter(|message| message.get("method").is_some());
    let ids = requests.filter_map(|request| request.get("id"));
    let refusals: Vec<_> = ids.cloned().map(refusal).collect();
    if refusals.is_empty() { vec![refusal(Value::Null)] } else { refusals }
}

fn decode_envelope(message: Envelope) -> Result<Decoded, Refusal> {
    let Envelope { jsonrpc, id, method, params, result, error } = message;
    let known_id = || id.clone().filter(|id| id.is_string() || id.is_number()).unwrap_or_default();
    let invalid = |message| Err(Refusal::new(known_id(), ErrorCode::INVALID_REQUEST, message));
    if jsonrpc.as_ref().and_then(Value::as_str) != Some("2.0") {
        return invalid("`jsonrpc` must be \"2.0\"");
    }
    let method = match method {
        Some(Value::String(method)) => method,
        None if result.is_some() || error.is_some() => return Ok(Decoded::Nothing),
        None => return invalid("the message has no `method`"),
        Some(_) => return invalid("`method` must be a string"),
    };
    let Some(id) = &id else { return Ok(notification(&method, params)) };
    let Ok(request_id) = serde_json::from_value::<NumberOrString>(id.clone()) else {
        return invalid("`id` must be a string or an integer");
    };
    match request(&method, params) {
        Ok(request) => {
            let message = ClientJsonRpcMessage::request(request, request_id);
            Ok(Decoded::Message(Box::new(message)))
        }
        Err((code, message)) => Err(Refusal::new(id.clone(), code, message)),
    }
}

/// Only one notification has a meaning here. None is ever answered.
fn notification(method: &str, params: Option<Value>) -> Decoded {
    if method != "notifications/cancelled" {
        return Decoded::Nothing;
    }
    match typed(method, params) {
        Ok(cancelled) => {
            let cancelled = ClientNotification::CancelledNotification(cancelled);
            Decoded::Message(Box::new(ClientJsonRpcMessage::notification(cancelled)))
        }
        Err(_) => Decoded::Nothing,
    }
}

fn request(method: &str, params: Option<Value>) -> Result<ClientRequest, (ErrorCode, String)> {
    match method {
        "tools/call" => typed::<CallToolRequest>(method, params).map(Into::into),
        "tools/list" => typed::<ListToolsRequest>(method, params).map(Into::into),
        "initialize" => typed::<InitializeRequest>(method, params).map(Into::into),
        "server/discover" => typed::<DiscoverRequest>(method, params).map(Into::into),
        "ping" => typed::<PingRequest>(method, params).map(Into::into),
        _ => Err((
            ErrorCode::METHOD_NOT_FOUND,
            format!(
                "unknown method `{method}`: this server knows initialize, server/discover, \
                 ping, tools/list and tools/call"
            ),
        )),
    }
}

/// Reads the params of one method, moving what is in them.
fn typed<T: DeserializeOwned>(
    method: &str,
    params: Option<Value>,
) -> Result<T, (ErrorCode, String)> {
    let mut message = JsonObject::new();
    message.insert("method".to_owned(), method.into());
    match params {
        Some(params @ Value::Object(_)) => drop(message.insert("params".to_owned(), params)),
        Some(_) => {
            let message = format!("the params of {method} must be an object");
            return Err((ErrorCode::INVALID_PARAMS, message));
        }
        None => {}
    }
    serde_json::from_value(Value::Object(message)).map_err(|error| {
        (ErrorCode::INVALID_PARAMS, format!("the params of {method} are not valid: {error}"))
    })
}
