//! What happens to a session, as a recording has it beside what the terminal prints. Pure.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use mcp_repl_sideband::ToServer;
use serde::{Deserialize, Serialize};

use crate::{
    reply::{self, Budget, Exit, Failure, Notice, Reply},
    screen::{Marks, Size},
    session::{
        pipeline::{ClientInfo, Found, Input},
        rules::{
            hands::{Decision, PersonAct},
            keys,
            payload::{Keys, Payload},
            state::{CallId, ClientId, Time},
        },
    },
};

/// One line of a recording that is no event of the terminal. Times are in microseconds since the
/// start. Those of [`Input`] have its names; [`Step::Shown`], [`Step::Bytes`] and [`Step::Reply`] are
/// the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// The `o` behind this is what the session shows by itself, the echo of a cell: for players.
    Shown,
    /// The terminal printed these bytes, which are no UTF-8; the `o` behind this is for players.
    Bytes {
        /// In base64 (RFC 4648, section 4).
        base64: String,
    },
    /// A call was answered.
    Reply {
        call: CallId,
        client: ClientId,
        /// As an agent reads it, but for the names of files.
        text: String,
    },
    Introduce {
        client: ClientId,
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        budget: Option<Budget>,
        #[serde(default, skip_serializing_if = "is_false")]
        person: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attach: Option<String>,
    },
    Leave {
        client: ClientId,
    },
    Call {
        id: CallId,
        client: ClientId,
        payload: Payload,
        /// Whether each character of the payload stands for one that is not recorded.
        #[serde(default, skip_serializing_if = "is_false")]
        hidden: bool,
        deadline: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        background: Option<Found>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<String>,
    },
    Follow {
        client: ClientId,
        answers: bool,
    },
    Keystrokes {
        client: ClientId,
        typed: Typed,
        /// Whether each character stands for one that is not recorded.
        #[serde(default, skip_serializing_if = "is_false")]
        hidden: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        background: Option<Found>,
    },
    Resize(Size),
    Pin {
        client: ClientId,
        size: Size,
    },
    PinOwn,
    People {
        attached: bool,
    },
    Person {
        client: ClientId,
        act: PersonAct,
    },
    Cancel {
        id: CallId,
        interrupt: bool,
    },
    Returned {
        client: ClientId,
        /// As docs/control.md has replies.
        reply: serde_json::Value,
    },
    Started {
        nonce: String,
        size: Size,
        #[serde(default, skip_serializing_if = "are_in_stream")]
        marks: Marks,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        passed_over: Vec<String>,
    },
    RunsProgram {
        file: String,
    },
    Confined,
    /// What is said of something that was denied.
    Explained {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<String>,
    },
    Resized(Size),
    Message(ToServer),
    SidebandClosed,
    InterruptTyped,
    InputDropped {
        bytes: u64,
    },
    Looked {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<Found>,
        #[serde(default, skip_serializing_if = "is_false")]
        holds_input: bool,
        took: u64,
    },
    ProcessOver,
    Exited {
        exit: Exit,
        #[serde(default, skip_serializing_if = "is_false")]
        missed_input: bool,
    },
    GivenUp,
    Failed(Failure),
    /// All clients are told this line.
    Tell {
        line: String,
    },
    Shutdown,
    Tick,
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Typed {
    /// It is UTF-8.
    Text(String),
    /// It is not.
    Bytes {
        /// In base64 (RFC 4648, section 4).
        base64: String,
    },
}

/// Why a step is none that a session could have had.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    /// Data is no base64.
    #[error("data is no base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// A reply that came back is none.
    #[error("a reply is none: {0}")]
    Reply(serde_json::Error),
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn are_in_stream(marks: &Marks) -> bool {
    *marks == Marks::InStream
}

pub(super) fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// What was typed, each character but the control characters, by which it is routed, an asterisk.
pub fn hide(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c } else { '*' }).collect()
}

fn hide_payload(payload: &Payload) -> Payload {
    match payload {
        Payload::Text(text) => Payload::Text(hide(text)),
        Payload::Keys(Keys(words)) => {
            let hidden = |word: &String| match keys::is_control(word) {
                true => word.clone(),
                false => hide(word),
            };
            Payload::Keys(Keys(words.iter().map(hidden).collect()))
        }
        Payload::Interrupt(rest) => Payload::Interrupt(Box::new(hide_payload(rest))),
        Payload::Reset(rest) => Payload::Reset(Box::new(hide_payload(rest))),
    }
}

/// What a person says, but for their words.
fn hide_act(act: PersonAct) -> PersonAct {
    match act {
        PersonAct::Decide { proposal, decision } => {
            let decision = match decision {
                Decision::Run => Decision::Run,
                Decision::Edited(text) => Decision::Edited(hide(&text)),
                Decision::Refused(text) => Decision::Refused(hide(&text)),
            };
            PersonAct::Decide { proposal, decision }
        }
        act => act,
    }
}

/// Which of what is typed and sent is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::session) enum Hidden {
    /// Nothing.
    Nothing,
    /// What goes to a program that asks for a secret now: nothing behind an interrupt or a reset.
    Secret,
    /// All of it.
    Everything,
}

impl Hidden {
    fn hides(self, payload: &Payload) -> bool {
        match self {
            Hidden::Nothing => false,
            Hidden::Secret => !matches!(payload, Payload::Interrupt(_) | Payload::Reset(_)),
            Hidden::Everything => true,
        }
    }
}

impl Step {
    /// The step that an input is; `None` for what the terminal printed, which is an event of its own,
    /// and for completions, which move no state and are in no reply.
    pub(super) fn of(input: &Input<'_>, hidden: Hidden) -> Option<Step> {
        Some(match input.clone() {
            Input::Output(_)
            | Input::Complete { .. }
            | Input::Message(ToServer::Completion { .. }) => return None,
            Input::Introduce { client, who } => {
                let ClientInfo { name, budget, is_person, attach } = who;
                Step::Introduce { client, name, budget, person: is_person, attach }
            }
            Input::Leave { client } => Step::Leave { client },
            Input::Call { id, client, payload, deadline, background, person } => {
                let hidden = payload != Payload::poll() && hidden.hides(&payload);
                let payload = if hidden { hide_payload(&payload) } else { payload };
                let deadline = microseconds(deadline);
                Step::Call { id, client, payload, hidden, deadline, background, person }
            }
            Input::Follow { client, answers } => Step::Follow { client, answers },
            Input::Keystrokes { client, bytes, background } => {
                let hidden = hidden != Hidden::Nothing;
                let typed = match String::from_utf8(bytes.into_owned()) {
                    Ok(text) if hidden => Typed::Text(hide(&text)),
                    Ok(text) => Typed::Text(text),
                    Err(error) if hidden => {
                        Typed::Text(hide(&String::from_utf8_lossy(error.as_bytes())))
                    }
                    Err(error) => Typed::Bytes { base64: BASE64_STANDARD.encode(error.as_bytes()) },
                };
                Step::Keystrokes { client, typed, hidden, background }
            }
            Input::Resize(size) => Step::Resize(size),
            Input::Pin { client, size } => Step::Pin { client, size },
            Input::PinOwn => Step::PinOwn,
            Input::People { attached } => Step::People { attached },
            Input::Person { client, act } => {
                let act = if hidden == Hidden::Everything { hide_act(act) } else { act };
                Step::Person { client, act }
            }
            Input::Cancel { id, interrupt } => Step::Cancel { id, interrupt },
            Input::Returned { client, mut reply } => {
                if hidden == Hidden::Everything {
                    // It may quote what was sent.
                    reply.content.clear();
                }
                Step::Returned { client, reply: reply::to_json(&reply) }
            }
            Input::Started { nonce, size, marks, passed_over } => {
                Step::Started { nonce, size, marks, passed_over }
            }
            Input::RunsProgram { file } => Step::RunsProgram { file },
            Input::Confined => Step::Confined,
            Input::Explained(notice) => {
                Step::Explained { line: notice.map(|notice| notice.line()) }
            }
            Input::Resized(size) => Step::Resized(size),
            Input::Message(message) => Step::Message(message),
            Input::SidebandClosed => Step::SidebandClosed,
            Input::InterruptTyped => Step::InterruptTyped,
            Input::InputDropped { bytes } => Step::InputDropped { bytes },
            Input::Looked { found, holds_input, took } => {
                Step::Looked { found, holds_input, took: microseconds(took) }
            }
            Input::ProcessOver => Step::ProcessOver,
            Input::Exited { exit, missed_input } => Step::Exited { exit, missed_input },
            Input::GivenUp => Step::GivenUp,
            Input::Failed(failure) => Step::Failed(failure),
            Input::Tell(notice) => Step::Tell { line: notice.line() },
            Input::Shutdown => Step::Shutdown,
            Input::Tick => Step::Tick,
        })
    }

    /// The input that the step is; `None` of one that is none.
    ///
    /// # Errors
    /// When what it has is not what it should be.
    pub(super) fn into_input(self) -> Result<Option<Input<'static>>, StepError> {
        Ok(Some(match self {
            Step::Shown | Step::Reply { .. } => return Ok(None),
            Step::Bytes { base64 } => Input::Output(BASE64_STANDARD.decode(base64)?.into()),
            Step::Introduce { client, name, budget, person, attach } => {
                let who = ClientInfo { name, budget, is_person: person, attach };
                Input::Introduce { client, who }
            }
            Step::Leave { client } => Input::Leave { client },
            Step::Call { id, client, payload, hidden: _, deadline, background, person } => {
                let deadline = Time::from_micros(deadline);
                Input::Call { id, client, payload, deadline, background, person }
            }
            Step::Follow { client, answers } => Input::Follow { client, answers },
            Step::Keystrokes { client, typed, hidden: _, background } => {
                let bytes = match typed {
                    Typed::Text(text) => text.into_bytes(),
                    Typed::Bytes { base64 } => BASE64_STANDARD.decode(base64)?,
                };
                Input::Keystrokes { client, bytes: bytes.into(), background }
            }
            Step::Resize(size) => Input::Resize(size),
            Step::Pin { client, size } => Input::Pin { client, size },
            Step::PinOwn => Input::PinOwn,
            Step::People { attached } => Input::People { attached },
            Step::Person { client, act } => Input::Person { client, act },
            Step::Cancel { id, interrupt } => Input::Cancel { id, interrupt },
            Step::Returned { client, reply } => {
                let reply: Reply = reply::from_json(reply).map_err(StepError::Reply)?;
                Input::Returned { client, reply }
            }
            Step::Started { nonce, size, marks, passed_over } => {
                Input::Started { nonce, size, marks, passed_over }
            }
            Step::RunsProgram { file } => Input::RunsProgram { file },
            Step::Confined => Input::Confined,
            Step::Explained { line } => Input::Explained(line.map(Notice::Told)),
            Step::Resized(size) => Input::Resized(size),
            Step::Message(message) => Input::Message(message),
            Step::SidebandClosed => Input::SidebandClosed,
            Step::InterruptTyped => Input::InterruptTyped,
            Step::InputDropped { bytes } => Input::InputDropped { bytes },
            Step::Looked { found, holds_input, took } => {
                Input::Looked { found, holds_input, took: Duration::from_micros(took) }
            }
            Step::ProcessOver => Input::ProcessOver,
            Step::Exited { exit, missed_input } => Input::Exited { exit, missed_input },
            Step::GivenUp => Input::GivenUp,
            Step::Failed(failure) => Input::Failed(failure),
            Step::Tell { line } => Input::Tell(Notice::Told(line)),
            Step::Shutdown => Input::Shutdown,
            Step::Tick => Input::Tick,
        }))
    }
}
