//! The server against a fake engine: lines of JSON in, lines of JSON out.
//!
//! A test plays both the client and the engine, so it says exactly when a call is answered. It
//! waits for messages and never for time to pass.

mod calls;
mod handshake;
mod sessions;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::reply::{Content, Reply, Status};
use crate::session::client::{Answer, EngineCommand, Handle, Request};
use crate::session::rules::payload::Payload;
use crate::session::rules::state::ClientId;

use super::{OnCancel, Sessions, WorkerText};

/// What the client is told of the program in the session.
const WORKER: WorkerText =
    WorkerText { session: "Python session", runs: "Python", ..WorkerText::ANY };

/// Waits for what must come; a test fails when it does not, instead of hanging.
pub(super) async fn soon<F: Future>(event: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), event).await.expect("something comes in a minute")
}

/// Both ends of a server: the client's streams and the engine's commands.
pub(super) struct Harness {
    pub(super) input: DuplexStream,
    pub(super) output: BufReader<DuplexStream>,
    pub(super) commands: mpsc::UnboundedReceiver<EngineCommand>,
    /// By which replies go back.
    pub(super) session: mpsc::WeakUnboundedSender<EngineCommand>,
    pub(super) server: JoinHandle<io::Result<()>>,
}

/// A call that waits for the engine's answer.
pub(super) struct Call {
    pub(super) request: Request,
    pub(super) client: ClientId,
    pub(super) reply: oneshot::Sender<Answer>,
}

impl Call {
    /// What was sent, as the client wrote it.
    pub(super) fn input(&self) -> String {
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

    pub(super) fn answer(self, text: &str) {
        self.send(text_reply(text));
    }

    pub(super) fn send(self, reply: Reply) {
        self.reply.send(reply.into()).expect("the server waits for the reply");
    }

    /// Answers as the engine does, which takes back what does not reach the client.
    pub(super) fn answer_with_receipt(self, text: &str, harness: &Harness) {
        let answer = Answer::new(self.client, text_reply(text), harness.session.clone());
        let _ = self.reply.send(answer);
    }
}

fn text_reply(text: &str) -> Reply {
    Reply { content: vec![Content::Text(text.to_owned())], status: Status::Ready { outcome: None } }
}

impl Harness {
    /// A server no message has reached yet.
    pub(super) fn start() -> Self {
        Harness::start_with(OnCancel::default())
    }

    /// The same, whose cancelled calls do this to their cells.
    pub(super) fn start_with(on_cancel: OnCancel) -> Self {
        let (session, commands) = Handle::new();
        Harness::serve(Sessions::only(session.clone()), on_cancel, session.downgrade(), commands)
    }

    /// A server of these sessions; what reaches one of them is heard by `commands`.
    fn serve(
        sessions: Arc<Sessions>,
        on_cancel: OnCancel,
        back: mpsc::WeakUnboundedSender<EngineCommand>,
        commands: mpsc::UnboundedReceiver<EngineCommand>,
    ) -> Self {
        let (input, server_input) = tokio::io::duplex(64 * 1024);
        let (output, server_output) = tokio::io::duplex(64 * 1024);
        let server = super::serve_on(sessions, &WORKER, on_cancel, server_input, server_output);
        let server = tokio::spawn(server);
        Harness { input, output: BufReader::new(output), commands, session: back, server }
    }

    /// A server that has shaken hands with a client of 2025-11-25.
    pub(super) async fn initialized() -> Self {
        Harness::of_version("2025-11-25").await
    }

    /// A server that has shaken hands with a client of this version.
    pub(super) async fn of_version(version: &str) -> Self {
        let mut harness = Harness::start();
        harness.send(initialize(version)).await;
        harness.receive().await;
        harness.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        harness
    }

    pub(super) async fn send(&mut self, message: Value) {
        self.send_raw(format!("{message}\n")).await;
    }

    pub(super) async fn send_raw(&mut self, bytes: impl AsRef<[u8]>) {
        self.input.write_all(bytes.as_ref()).await.expect("the server reads");
    }

    /// The next message of the server.
    pub(super) async fn receive(&mut self) -> Value {
        let mut line = String::new();
        soon(self.output.read_line(&mut line)).await.expect("the server writes UTF-8");
        assert!(line.ends_with('\n'), "the server closed its output after {line:?}");
        serde_json::from_str(&line).expect("the server writes JSON")
    }

    pub(super) async fn ask(&mut self, message: Value) -> Value {
        self.send(message).await;
        self.receive().await
    }

    /// The next call that reaches the engine.
    pub(super) async fn call(&mut self) -> Call {
        match soon(self.commands.recv()).await {
            Some(EngineCommand::Call { client, request, reply }) => Call { client, request, reply },
            other => panic!("expected a call, got {other:?}"),
        }
    }

    /// The text of the next reply that goes back to the engine.
    pub(super) async fn returned(&mut self) -> String {
        match soon(self.commands.recv()).await {
            Some(EngineCommand::Return { reply, .. }) => match &reply.content[..] {
                [Content::Text(text)] => text.clone(),
                other => panic!("no text: {other:?}"),
            },
            other => panic!("expected a reply, got {other:?}"),
        }
    }

    /// Whether no call reached the engine.
    pub(super) fn has_no_call(&mut self) -> bool {
        self.commands.try_recv().is_err()
    }

    /// Closes the client's input and waits for the server to return; gives what was left to read.
    pub(super) async fn end(self) -> String {
        let Harness { input, mut output, server, .. } = self;
        drop(input);
        let mut rest = String::new();
        soon(output.read_to_string(&mut rest)).await.expect("the server writes UTF-8");
        soon(server).await.expect("the server does not panic").expect("the server ends well");
        rest
    }

    /// Shows that the server still serves.
    pub(super) async fn assert_alive(&mut self) {
        let pong = self.ask(json!({"jsonrpc": "2.0", "id": "alive?", "method": "ping"})).await;
        assert_eq!(pong, json!({"jsonrpc": "2.0", "id": "alive?", "result": {}}));
    }
}

pub(super) fn initialize(version: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}
    }})
}

/// A `tools/call` of `repl`.
pub(super) fn repl(id: i64, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
           "params": {"name": "repl", "arguments": arguments}})
}

/// The text of a tool result of one block.
pub(super) fn text(message: &Value) -> &str {
    let content = message["result"]["content"].as_array().expect("a result with content");
    assert_eq!(content.len(), 1, "{message}");
    content[0]["text"].as_str().expect("a text block")
}
