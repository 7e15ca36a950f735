//! The versions of the two protocols: what their messages were on the wire is what they are, or the version
//! is another one.
//!
//! `fixtures/protocol/NAME-VERSION.jsonl` has a message of each kind, as that version writes it, and for
//! those with optional fields a `short` form that means the same. New optional fields change no version
//! (docs/control.md, docs/sideband.md); all else that differs here does.

use std::{collections::BTreeSet, fmt::Debug, fs, path::Path};

use mcp_repl_control as control;
use mcp_repl_sideband as sideband;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// What is to be done about a failure.
const REMEDY: &str = "an old side would misunderstand that: keep the form, or count the version up, with a \
                      file of its own in fixtures/protocol";

/// A line of a file.
struct Sample {
    to: String,
    /// As the version writes it.
    message: Value,
    /// As it may write it.
    short: Option<Value>,
}

fn samples(protocol: &str, version: u32) -> Vec<Sample> {
    let name = format!("fixtures/protocol/{protocol}-{version}.jsonl");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(&name);
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{name}: {error}"));
    let sample = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        Sample {
            to: line["to"].as_str().unwrap().to_owned(),
            message: line["message"].take(),
            short: line.get("short").cloned(),
        }
    };
    text.lines().map(sample).collect()
}

/// Whether a side that knows `old` finds all of it in `new`, which may have more fields.
fn has_all_of(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            old.iter().all(|(name, old)| new.get(name).is_some_and(|new| has_all_of(new, old)))
        }
        (Value::Array(new), Value::Array(old)) => {
            new.len() == old.len() && new.iter().zip(old).all(|(new, old)| has_all_of(new, old))
        }
        _ => new == old,
    }
}

/// What is wrong with a message of today as that of the sample.
fn wrong<M>(sample: &Sample) -> Option<String>
where
    M: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let Sample { message, short, .. } = sample;
    let read = |message: &Value| serde_json::from_value::<M>(message.clone());
    let meant = match read(message) {
        Ok(meant) => meant,
        Err(error) => return Some(format!("it is no longer read ({error}): {message}")),
    };
    let written = serde_json::to_value(&meant).unwrap();
    if !has_all_of(&written, message) {
        return Some(format!("it was written as\n  {message}\nand is written as\n  {written}"));
    }
    match short.as_ref().map(|short| (short, read(short))) {
        Some((short, Err(error))) => Some(format!("it is no longer read ({error}): {short}")),
        Some((short, Ok(other))) if other != meant => {
            Some(format!("{short}\nno longer means\n  {message}"))
        }
        _ => None,
    }
}

#[track_caller]
fn are_as_they_were<M>(samples: &[Sample], to: &str) -> Vec<Value>
where
    M: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let of_side: Vec<&Sample> = samples.iter().filter(|sample| sample.to == to).collect();
    assert!(of_side.len() > 4);
    let wrong: Vec<String> = of_side.iter().filter_map(|sample| wrong::<M>(sample)).collect();
    assert!(wrong.is_empty(), "to the {to}: {}\n{REMEDY}", wrong.join("\n"));
    of_side.iter().map(|sample| sample.message.clone()).collect()
}

/// The names of all variants, by what the parser says of another one. `None` of an enum without a tag.
fn variants<T: DeserializeOwned + Debug>(tag: Option<&str>) -> BTreeSet<String> {
    let unknown = tag.map_or(json!("-"), |tag| json!({ tag: "-" }));
    let error = serde_json::from_value::<T>(unknown).unwrap_err().to_string();
    error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

/// The variants that stand in samples: what this tag says, or what is or has a name of that field.
fn seen(value: &Value, field: &str, found: &mut BTreeSet<String>) {
    let mut add = |value: &Value| match value {
        Value::String(name) => drop(found.insert(name.clone())),
        Value::Object(variant) => found.extend(variant.keys().cloned()),
        _ => {}
    };
    if let Some(value) = value.get(field) {
        match value {
            Value::Array(values) => values.iter().for_each(&mut add),
            value => add(value),
        }
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|value| seen(value, field, found)),
        Value::Array(values) => values.iter().for_each(|value| seen(value, field, found)),
        _ => {}
    }
}

#[track_caller]
fn all_are_seen(messages: &[Value], field: &str, all: &BTreeSet<String>) {
    let mut found = BTreeSet::new();
    messages.iter().for_each(|message| seen(message, field, &mut found));
    assert!(!all.is_empty(), "{field}");
    let missing: Vec<&String> = all.difference(&found).collect();
    assert!(
        missing.is_empty(),
        "fixtures/protocol has no {missing:?} as `{field}`: add a line, \
         and send it to nobody who may not know it"
    );
}

#[test]
fn messages_of_the_control_protocol_are_what_their_version_says() {
    use control::*;
    let samples = samples("control", PROTOCOL);
    let host = are_as_they_were::<ToHost>(&samples, "host");
    let client = are_as_they_were::<ToClient>(&samples, "client");
    all_are_seen(&host, "type", &variants::<ToHost>(Some("type")));
    all_are_seen(&client, "type", &variants::<ToClient>(Some("type")));
    all_are_seen(&host, "wanted", &variants::<Wanted>(None));
    all_are_seen(&host, "role", &variants::<Role>(None));
    all_are_seen(&host, "attachments", &variants::<Attachments>(None));
    all_are_seen(&host, "decision", &variants::<Decision>(None));
    all_are_seen(&client, "content", &variants::<Part>(None));
    all_are_seen(&client, "state", &variants::<Status>(Some("state")));
    all_are_seen(&client, "state", &variants::<SessionState>(Some("state")));
    all_are_seen(&client, "exit", &variants::<Exit>(None));
}

#[test]
fn messages_of_the_sideband_are_what_their_version_says() {
    use sideband::*;
    let samples = samples("sideband", PROTOCOL);
    let server = are_as_they_were::<ToServer>(&samples, "server");
    let worker = are_as_they_were::<ToWorker>(&samples, "worker");
    all_are_seen(&server, "type", &variants::<ToServer>(Some("type")));
    all_are_seen(&worker, "type", &variants::<ToWorker>(Some("type")));
    all_are_seen(&server, "reader", &variants::<Reader>(None));
    all_are_seen(&server, "outcome", &variants::<Outcome>(None));
    // A hint that nobody knows is no error, so that the parser names none.
    let kind = |hint: &Hint| match hint {
        Hint::Shell { .. } => "shell",
        Hint::Magic { .. } => "magic",
        Hint::Help { .. } => "help",
        Hint::Prompts => "prompts",
        Hint::Indented { .. } => "indented",
        Hint::Await => "await",
        Hint::Other => "other",
    };
    let hints = server.iter().filter_map(|message| {
        Some(kind(&serde_json::from_value(message.get("hint")?.clone()).unwrap()).to_owned())
    });
    let known = ["shell", "magic", "help", "prompts", "indented", "await"];
    assert_eq!(hints.collect::<Vec<_>>(), known);
}

#[test]
fn what_an_old_side_would_miss_is_found() {
    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Message {
        Ready {
            mark: u64,
            #[serde(default)]
            bytes: u64,
            #[serde(default)]
            new: bool,
        },
    }
    let sample = |message: Value, short: Option<Value>| {
        wrong::<Message>(&Sample { to: "x".into(), message, short })
    };
    let ready = json!({"type": "ready", "mark": 1, "bytes": 0});
    assert_eq!(sample(ready.clone(), Some(json!({"type": "ready", "mark": 1}))), None);
    for (message, short) in [
        // A field that is gone, a type that is another, a variant that is gone.
        (json!({"type": "ready", "mark": 1, "bytes": 0, "gone": 1}), None),
        (json!({"type": "ready", "mark": "1", "bytes": 0}), None),
        (json!({"type": "done", "mark": 1}), None),
        // An optional field that is none any more, and another default.
        (ready.clone(), Some(json!({"type": "ready"}))),
        (
            json!({"type": "ready", "mark": 1, "bytes": 7}),
            Some(json!({"type": "ready", "mark": 1})),
        ),
    ] {
        assert!(sample(message.clone(), short).is_some(), "{message}");
    }
}
