//! A line of the client becomes a message for the server, or a refusal that says what to do.
//!
//! Only the methods this server serves are decoded, each straight into its own type: rmcp's own
//! decoding tries every kind of message in turn, and copies a long cell more than once.

use rmcp::model::{
    CallToolRequest, ClientJsonRpcMessage, ClientNotification, ClientRequest, DiscoverRequest,
    InitializeRequest, JsonObject, ListToolsRequest, NumberOrString, PingRequest,
};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::id_finder::IdFinder;
use super::lines::Line;
use super::lone_surrogates::replace_lone_surrogates;
use super::refusal::{Reason, Refusal};

/// What a line is.
#[derive(Debug)]
pub(super) enum Decoded {
    /// A message the server acts on.
    Message(Box<ClientJsonRpcMessage>),
    /// Nothing to act on: an empty line, a notification without a meaning here, a response.
    Nothing,
    /// No message; the answers that say so.
    Refused(Vec<Refusal>),
    /// Several of these in one line; never empty, and none of them is a batch.
    Batch(Vec<Decoded>),
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

/// Decodes a line, which may be a batch if the client agreed on a version with `batches`.
pub(super) fn decode(line: Line<'_>, batches: bool) -> Decoded {
    let decoded = match line {
        Line::Whole(bytes) => decode_bytes(bytes, batches),
        Line::TooLong(id) => Err(Refusal::new(id, Reason::TooLong)),
    };
    decoded.unwrap_or_else(|refusal| Decoded::Refused(vec![refusal]))
}

fn decode_bytes(line: &[u8], batches: bool) -> Result<Decoded, Refusal> {
    // A byte order mark may be ignored (RFC 8259, section 8.1).
    let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).trim_ascii();
    let text = std::str::from_utf8(line).map_err(|error| {
        Refusal::new(IdFinder::find(line), Reason::NotUtf8 { at: error.valid_up_to() })
    })?;
    match text.as_bytes().first() {
        None => Ok(Decoded::Nothing),
        Some(b'{') => decode_envelope(parse(text)?),
        Some(_) => match parse(text)? {
            Value::Array(batch) if batches && !batch.is_empty() => {
                Ok(Decoded::Batch(batch.into_iter().map(decode_in_batch).collect()))
            }
            other => Ok(Decoded::Refused(refuse_other(&other))),
        },
    }
}

/// Decodes one message of a batch.
fn decode_in_batch(message: Value) -> Decoded {
    let id = || message.get("id").filter(|id| id.is_string() || id.is_number()).cloned();
    let refusal = |reason| Refusal::new(id().unwrap_or_default(), reason);
    let decoded = match Envelope::deserialize(&message) {
        _ if !message.is_object() => Err(refusal(Reason::NotAnObject)),
        Ok(envelope) if envelope.method.as_ref().is_some_and(|name| name == "initialize") => {
            Err(refusal(Reason::InitializeInBatch))
        }
        Ok(envelope) => decode_envelope(envelope),
        Err(error) => Err(refusal(Reason::WrongMembers(error))),
    };
    decoded.unwrap_or_else(|refusal| Decoded::Refused(vec![refusal]))
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
        let is_json = error.is_data();
        let reason = if is_json { Reason::WrongMembers(error) } else { Reason::NotJson(error) };
        Refusal::new(IdFinder::find(text.as_bytes()), reason)
    })
}

/// Answers JSON that is no message. In a batch that was not agreed on every request is answered, so
/// nobody waits for it.
fn refuse_other(value: &Value) -> Vec<Refusal> {
    let Value::Array(batch) = value else {
        return vec![Refusal::new(Value::Null, Reason::NotAnObject)];
    };
    if batch.is_empty() {
        return vec![Refusal::new(Value::Null, Reason::EmptyBatch)];
    }
    let refusal = |id| Refusal::new(id, Reason::Batch);
    let requests = batch.iter().filter(|message| message.get("method").is_some());
    let ids = requests.filter_map(|request| request.get("id"));
    let refusals: Vec<_> = ids.cloned().map(refusal).collect();
    if refusals.is_empty() { vec![refusal(Value::Null)] } else { refusals }
}

fn decode_envelope(message: Envelope) -> Result<Decoded, Refusal> {
    let Envelope { jsonrpc, id, method, params, result, error } = message;
    let known_id = || id.clone().filter(|id| id.is_string() || id.is_number()).unwrap_or_default();
    let invalid = |reason| Err(Refusal::new(known_id(), reason));
    if jsonrpc.as_ref().and_then(Value::as_str) != Some("2.0") {
        return invalid(Reason::WrongVersion);
    }
    let method = match method {
        Some(Value::String(method)) => method,
        None if result.is_some() || error.is_some() => return Ok(Decoded::Nothing),
        None => return invalid(Reason::NoMethod),
        Some(_) => return invalid(Reason::MethodNotAString),
    };
    let Some(id) = &id else { return Ok(notification(method, params)) };
    let Ok(request_id) = serde_json::from_value::<NumberOrString>(id.clone()) else {
        return invalid(Reason::WrongId);
    };
    match request(method, params) {
        Ok(request) => {
            let message = ClientJsonRpcMessage::request(request, request_id);
            Ok(Decoded::Message(Box::new(message)))
        }
        Err(reason) => Err(Refusal::new(id.clone(), reason)),
    }
}

/// Only one notification has a meaning here. None is ever answered.
fn notification(method: String, params: Option<Value>) -> Decoded {
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

fn request(method: String, params: Option<Value>) -> Result<ClientRequest, Reason> {
    match method.as_str() {
        "tools/call" => typed::<CallToolRequest>(method, params).map(Into::into),
        "tools/list" => typed::<ListToolsRequest>(method, params).map(Into::into),
        "initialize" => typed::<InitializeRequest>(method, params).map(Into::into),
        "server/discover" => typed::<DiscoverRequest>(method, params).map(Into::into),
        // What stateless clients say of themselves is left out: rmcp knows no ping of theirs.
        "ping" => typed::<PingRequest>(method, params.filter(|params| !params.is_object()))
            .map(Into::into),
        _ => Err(Reason::UnknownMethod { method }),
    }
}

/// Reads the params of one method, moving what is in them.
fn typed<T: DeserializeOwned>(method: String, params: Option<Value>) -> Result<T, Reason> {
    let mut message = JsonObject::new();
    message.insert("method".to_owned(), method.as_str().into());
    match params {
        Some(params @ Value::Object(_)) => drop(message.insert("params".to_owned(), params)),
        Some(_) => return Err(Reason::ParamsNotAnObject { method }),
        None => {}
    }
    serde_json::from_value(Value::Object(message))
        .map_err(|error| Reason::WrongParams { method, error })
}
