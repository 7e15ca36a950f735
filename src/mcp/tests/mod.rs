//! The server against a fake engine: lines of JSON in, lines of JSON out.
//!
//! A test plays both the client and the engine, so it says exactly when a call is answered. It
//! waits for messages and never for time to pass.

mod calls;
mod handshake;
mod robustness;

use std::io;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::reply::{Content, Reply, Status};
use crate::session::client::{Command, Handle, Request};
use crate::session::rules::payload::Payload;

/// Waits for what must come; a test fails when it does not, instead of hanging.
async fn soon<F: Future>(event: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), event).await.expect("something comes in a minute")
}

/// Both ends of a server: the client's streams and the engine's commands.
struct Played {
    input: DuplexStream,
    output: BufReader<DuplexStream>,
    commands: mpsc::UnboundedReceiver<Command>,
    server: JoinHandle<io::Result<()>>,
}

/// A call that waits for the engine's answer.
struct Call {
    request: Request,
    reply: oneshot::Sender<Reply>,
}

impl Call {
    /// What was sent, as the client wrote it.
    fn input(&self) -> String {
        fn write(payload: &Payload) -> String {
            match payload {
                Payload::Text(text) => text.clone(),
                Payload::Interrupt(rest) => format!("\u{3}{}", write(rest)),
                Payload::Reset(rest) => format!("\u{4}{}", write(rest)),
                Payload::Keys(keys) => panic!("{keys:?} is no text"),
            }
        }
        write(&self.request.payload)
    }

    fn answer(self, text: &str) {
        self.reply.send(text_reply(text)).expect("the server waits for the reply");
    }
}

fn text_reply(text: &str) -> Reply {
    Reply { content: vec![Content::Text(text.to_owned())], status: Status::Ready { outcome: None } }
}

impl Played {
    /// A server no message has reached yet.
    fn start() -> Self {
        let (session, commands) = Handle::new();
        let (input, server_input) = tokio::io::duplex(64 * 1024);
        let (output, server_output) = tokio::io::duplex(64 * 1024);
        let server = tokio::spawn(super::serve_on(session, server_input, server_output));
        Played { input, output: BufReader::new(output), commands, server }
    }

    /// A server that has shaken hands with a client of 2025-11-25.
    async fn initialized() -> Self {
        let mut played = Played::start();
        played.send(initialize("2025-11-25")).await;
        played.receive().await;
        played.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        played
    }

    async fn send(&mut self, message: Value) {
        self.send_raw(format!("{message}\n")).await;
    }

    async fn send_raw(&mut self, bytes: impl AsRef<[u8]>) {
        self.input.write_all(bytes.as_ref()).await.expect("the server reads");
    }

    /// The next message of the server.
    async fn receive(&mut self) -> Value {
        let mut line = String::new();
        soon(self.output.read_line(&mut line)).await.expect("the server writes UTF-8");
        assert!(line.ends_with('\n'), "the server closed its output after {line:?}");
        serde_json::from_str(&line).expect("the server writes JSON")
    }

    async fn ask(&mut self, message: Value) -> Value {
        self.send(message).await;
        self.receive().await
    }

    /// The next call that reaches the engine.
    async fn call(&mut self) -> Call {
        let mut next = soon(self.commands.recv()).await;
        if let Some(Command::Join { .. }) = next {
            next = soon(self.commands.recv()).await;
        }
        match next {
            Some(Command::Call { request, reply, .. }) => Call { request, reply },
            other => panic!("expected a call, got {other:?}"),
        }
    }

    /// Whether nothing reached the engine but that the client came.
    fn has_no_call(&mut self) -> bool {
        match self.commands.try_recv() {
            Ok(Command::Join { .. }) => self.commands.try_recv().is_err(),
            other => other.is_err(),
        }
    }

    /// Closes the client's input and waits for the server to return; gives what was left to read.
    async fn end(self) -> String {
        let Played { input, mut output, server, .. } = self;
        drop(input);
        let mut rest = String::new();
        soon(output.read_to_string(&mut rest)).await.expect("the server writes UTF-8");
        soon(server).await.expect("the server does not panic").expect("the server ends well");
        rest
    }

    /// Shows that the server still serves.
    async fn assert_alive(&mut self) {
        let pong = self.ask(json!({"jsonrpc": "2.0", "id": "alive?", "method": "ping"})).await;
        assert_eq!(pong, json!({"jsonrpc": "2.0", "id": "alive?", "result": {}}));
    }
}

fn initialize(version: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}
    }})
}

/// A `tools/call` of `repl`.
fn repl(id: i64, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
           "params": {"name": "repl", "arguments": arguments}})
}

/// The text of a tool result of one block.
fn text(message: &Value) -> &str {
    let content = message["result"]["content"].as_array().expect("a result with content");
    assert_eq!(content.len(), 1, "{message}");
    content[0]["text"].as_str().expect("a text block")
}
