//! The messages of both directions.

use serde::{Deserialize, Serialize};

use crate::{
    Decision, Deed, Hands, Open, PROTOCOL, Part, Reply, Sandbox, SessionInfo, SessionState,
};

/// What a client says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToHost {
    /// The first message to `mcp-repl host --stdio`, which finds or starts the session and says
    /// hello to it. A host itself takes no such message.
    Open(Box<Open>),
    /// The first message to a host.
    Hello(Hello),
    /// Make a call. `Reply` follows, once, unless it is cancelled.
    Call {
        /// The client's number for it, used once in a connection.
        id: u64,
        /// What is sent: a cell, an answer, nothing for a poll; control characters in front mean
        /// what they mean to the tool.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        input: String,
        /// Keys to be typed, by their names; not together with `input`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keys: Vec<String>,
        /// How long the caller waits, in milliseconds.
        timeout_ms: u64,
        /// Whether the last line on the screen is to be told while the call waits.
        #[serde(default)]
        progress: bool,
        /// What a person is asked for with the reply.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        person: Option<String>,
    },
    /// The call is given up: no reply is wanted.
    Cancel {
        /// Its number.
        id: u64,
        /// Whether its cell is to be interrupted, too.
        #[serde(default)]
        interrupt: bool,
    },
    /// The reply has reached whom it was for.
    Told {
        /// Its call's number.
        id: u64,
    },
    /// The reply could not be handed on: it comes first in the next one.
    Untold {
        /// Its call's number.
        id: u64,
    },
    /// Type these bytes into the terminal; they follow the line. `Typed` follows when not too much
    /// waits to be typed.
    Type {
        /// How many bytes follow.
        length: usize,
        /// Whether no `Typed` is to follow: the next one that follows another says it of this, too.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        quiet: bool,
    },
    /// Interrupt what runs, as Ctrl-C does.
    Interrupt,
    /// Give the terminal another size.
    Resize {
        /// Its width.
        columns: u16,
        /// Its height.
        rows: u16,
        /// Whether it keeps that until this client or its people go, whatever others wish.
        #[serde(default)]
        pin: bool,
    },
    /// People sit at this client's terminal, or have left it.
    People {
        /// Whether there is one.
        attached: bool,
    },
    /// Take the session over, so that the calls of clients that are no people wait, or give it back.
    Hold {
        /// Whether it is taken over.
        on: bool,
    },
    /// Be asked before each cell of a client that is no person, or no longer.
    Approve {
        /// Whether to be asked.
        on: bool,
    },
    /// Say what becomes of a cell that was proposed.
    Decide {
        /// The number that the proposal has.
        id: u64,
        /// What.
        decision: Decision,
    },
    /// Be told what happens, and be shown the screen. `Repaint` follows, then the others.
    Subscribe {
        /// Whether the screen is shown; without it `State` follows, then what is none of the screen.
        #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
        screen: bool,
        /// Whether pictures come with their data.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        pictures: bool,
    },
    /// Complete a name. `Completion` follows.
    Complete {
        /// The client's number for it.
        id: u64,
        /// The cell so far.
        text: String,
        /// Where in it, in characters.
        cursor: usize,
    },
    /// Show a part of a long output that was kept. `Shown` follows.
    Show {
        /// The client's number for it.
        id: u64,
        /// Which part, as the tool's argument `show` has it.
        part: String,
    },
    /// Tell of the session. `Session` follows.
    Describe,
    /// End the session and its host. The connection is closed when all is over.
    End,
}

/// What a host says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToClient {
    /// The first message to a client that is let in.
    Welcome(Welcome),
    /// What the client said can't be taken, and the connection is closed.
    Error {
        /// Why, and what to do about it.
        message: String,
    },
    /// What the client said is not done; the connection goes on. Comes in the place of the answer
    /// to what has a number.
    Refused {
        /// The number of the call or request, of what has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// Why.
        message: String,
    },
    /// The answer to a call. `Told` or `Untold` is expected.
    Reply {
        /// The call's number.
        id: u64,
        /// The answer.
        reply: Reply,
    },
    /// How a call goes on that asked for it.
    Progress {
        /// The call's number.
        id: u64,
        /// The last line on the screen; empty while nothing was printed since the call came.
        line: String,
    },
    /// The bytes of the last `Type` were taken.
    Typed,
    /// The whole screen: escape sequences that make a fresh terminal of this size equal to it,
    /// modes included. The bytes follow the line.
    Repaint {
        /// Its width.
        columns: u16,
        /// Its height.
        rows: u16,
        /// How many bytes follow.
        length: usize,
    },
    /// What programs printed. The bytes follow the line.
    Output {
        /// How many bytes follow.
        length: usize,
        /// Whether no program printed it: a cell that begins, as it would stand at a prompt, a mark
        /// where one is over, or the working directory.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        echo: bool,
    },
    /// How things stand from here on; only to one that subscribed.
    State {
        /// How.
        state: SessionState,
    },
    /// What a client did; only to one that subscribed.
    Did(Deed),
    /// A program gave a picture or document; only to one that subscribed.
    Attached {
        /// It, as a reply has it; with its data where that was asked for, it is a picture, and the
        /// client is not far behind.
        attachment: Part,
    },
    /// Who is there, after each repaint and when that has changed; only to one that subscribed.
    Here {
        /// Clients and observers, in the order in which they came.
        members: Vec<Member>,
    },
    /// In whose hands the session is; only to one that subscribed.
    Hands(Hands),
    /// A cell waits for the word of this client, which approves. `Decide` is expected.
    Proposed {
        /// The proposal's number.
        id: u64,
        /// The name of the client whose cell it is; may be empty.
        client: String,
        /// The cell.
        source: String,
    },
    /// A proposal waits no more: it was decided or withdrawn.
    Settled {
        /// Its number.
        id: u64,
    },
    /// Something was left out here, since the client was behind; only to one that subscribed without
    /// the screen. `State` follows.
    Missed,
    /// What may stand in the place of a name.
    Completion {
        /// The number of the client's request.
        id: u64,
        /// Where the text to be replaced begins, in characters.
        start: usize,
        /// What may take its place; empty when nothing is known, or it took too long.
        matches: Vec<String>,
        /// Whether the cell as it stands has no end yet, so that running it would be an error.
        #[serde(default)]
        is_incomplete: bool,
    },
    /// A part of a long output.
    Shown {
        /// The number of the client's request.
        id: u64,
        /// The text, or why there is none.
        text: String,
        /// Whether there is none.
        #[serde(default)]
        failed: bool,
    },
    /// What there is to tell of the session.
    Session(Box<SessionInfo>),
}

fn yes() -> bool {
    true
}

/// Of a message: how many bytes of the terminal's follow its line.
pub trait Bytes {
    /// How many; 0 where none do.
    fn length(&self) -> usize;
}

impl Bytes for ToHost {
    fn length(&self) -> usize {
        match self {
            ToHost::Type { length, .. } => *length,
            _ => 0,
        }
    }
}

impl Bytes for ToClient {
    fn length(&self) -> usize {
        match self {
            ToClient::Repaint { length, .. } | ToClient::Output { length, .. } => *length,
            _ => 0,
        }
    }
}

/// What a client says first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// What is in the session's token file.
    pub token: String,
    /// What the client is for.
    pub role: Role,
    /// Who it is, for others to read: `claude-code`, `exec`.
    pub name: String,
    /// What its replies have room for.
    #[serde(default)]
    pub budget: Option<Budget>,
    /// The session is to live until it was idle and without clients for so long.
    #[serde(default)]
    pub keep_ms: Option<u64>,
    /// What an earlier welcome gave: this client goes on where that one was cut off.
    #[serde(default)]
    pub resume: Option<String>,
    /// Let in only if no client or observer is there, or the host knows what `resume` says.
    #[serde(default)]
    pub only_waiting: bool,
    /// Nobody comes back as this client: nothing is kept for it once its connection has ended.
    #[serde(default)]
    pub once: bool,
    /// What a person runs to come to a session, where this client is, in front of its name: the
    /// client's replies say so when one is needed, and its polls wait for them.
    #[serde(default)]
    pub attach: Option<String>,
}

impl Hello {
    /// That of a new client, which asks for nothing in particular. Its token is still to be filled in.
    pub fn new(role: Role, name: impl Into<String>) -> Hello {
        Hello {
            protocol: PROTOCOL,
            token: String::new(),
            role,
            name: name.into(),
            budget: None,
            keep_ms: None,
            resume: None,
            only_waiting: false,
            once: false,
            attach: None,
        }
    }
}

/// What a client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// All.
    Client,
    /// To look on: what it types, calls and resizes is refused.
    Observer,
    /// To ask about the session and to end it; it keeps no session alive.
    Status,
}

/// What a client's replies have room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// How much text, in characters. A host takes more than [`MOST_TEXT`](crate::MOST_TEXT) as
    /// that.
    pub text: usize,
    /// What becomes of pictures and documents.
    #[serde(default)]
    pub attachments: Attachments,
}

/// What becomes of pictures and documents in a reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attachments {
    /// They are named.
    Named,
    /// They are named, and some pictures are shown.
    #[default]
    Shown,
    /// All of them come, with their data.
    All,
}

/// What a host says first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// The version of `mcp-repl` there.
    pub version: String,
    /// The session's name.
    pub session: String,
    /// When the session was started, in milliseconds since 1970-01-01 UTC.
    pub started_ms: u64,
    /// Whether anybody had made a call, or typed, before this one came.
    pub had_clients: bool,
    /// How many others are there now.
    pub others: usize,
    /// Whether there is a worker: what its variables were is still there.
    pub is_alive: bool,
    /// What a later hello says to go on as this client.
    pub resume: String,
    /// What the session's program may reach, where that is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
}

/// One who is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its name, for others to read.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Whether people sit at its terminal.
    #[serde(default)]
    pub person: bool,
    /// Whether it is the one who is told this.
    #[serde(default)]
    pub own: bool,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;
    use crate::{Decoder, encode};

    const PAGE: &str = include_str!("../../../docs/control.md");
    const OPEN: &[u8] = include_bytes!("../../../fuzz/corpus/control_messages/open");
    const TO_HOST: &[u8] = include_bytes!("../../../fuzz/corpus/control_messages/to-host");
    const TO_CLIENT: &[u8] = include_bytes!("../../../fuzz/corpus/control_messages/to-client");
    const REPLIES: &[u8] = include_bytes!("../../../fuzz/corpus/control_messages/replies");
    /// What a fuzz target takes from the front of its data.
    const SIZES: usize = 5;

    /// The messages of what fuzzing begins with, as they are written.
    fn samples<M: Serialize + DeserializeOwned + Bytes>(streams: &[&[u8]]) -> Vec<Value> {
        let mut decoder = Decoder::<M>::new(4096, 100);
        streams.iter().for_each(|stream| decoder.push(&stream[SIZES..]));
        let mut messages = Vec::new();
        while let Some((message, _)) = decoder.next_message().unwrap() {
            messages.push(serde_json::from_slice(&encode(&message, &[])).unwrap());
        }
        messages
    }

    /// The names of all types of message, by what the parser says of another one.
    fn types<M: DeserializeOwned + std::fmt::Debug>() -> BTreeSet<String> {
        let error = serde_json::from_value::<M>(json!({"type": "-"})).unwrap_err().to_string();
        error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
    }

    /// All names of fields, however deep.
    fn fields(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields_of_it) => fields_of_it.iter().for_each(|(name, value)| {
                found.insert(name.clone());
                fields(value, found);
            }),
            Value::Array(values) => values.iter().for_each(|value| fields(value, found)),
            _ => {}
        }
    }

    #[test]
    fn the_page_has_every_message_and_field() {
        let to_host = samples::<ToHost>(&[OPEN, TO_HOST]);
        let to_client = samples::<ToClient>(&[TO_CLIENT, REPLIES]);
        let (mut names, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for message in to_host.iter().chain(&to_client) {
            fields(message, &mut names);
            seen.insert(message["type"].as_str().unwrap().to_owned());
        }
        let types = &types::<ToHost>() | &types::<ToClient>();
        assert_eq!(types, seen);
        assert!(types.len() > 25 && names.len() > 60, "{types:?} {names:?}");
        for name in types.iter().chain(&names) {
            let is_told = [format!("`{name}`"), format!("\"{name}\"")];
            assert!(is_told.iter().any(|form| PAGE.contains(form)), "docs/control.md: no {name}");
        }
    }
}
