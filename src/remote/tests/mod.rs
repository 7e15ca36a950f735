//! The client's side of the control protocol against hosts that the tests play.

mod connection;
mod open;

use std::time::Duration;

use mcp_repl_control::{
    Decoder, Hello, LONGEST_LINE, MOST_BYTES, PROTOCOL, Part, Reply, Role, Status, ToClient,
    ToHost, Welcome, encode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{Opened, connect};

/// Waits for what must come; a test fails when it does not, instead of hanging.
pub(crate) async fn soon<F: Future>(event: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), event).await.expect("something comes in a minute")
}

/// The host's end.
pub(crate) struct Host {
    pub(crate) stream: DuplexStream,
    decoder: Decoder<ToHost>,
}

impl Host {
    pub(crate) async fn heard(&mut self) -> ToHost {
        self.heard_with_bytes().await.0
    }

    pub(crate) async fn heard_with_bytes(&mut self) -> (ToHost, Vec<u8>) {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.decoder.next_message().expect("messages") {
                return message;
            }
            let length = soon(self.stream.read(&mut buffer)).await.expect("a whole stream");
            assert_ne!(length, 0, "the client closed the connection");
            self.decoder.push(&buffer[..length]);
        }
    }

    /// What is heard until the client closes.
    pub(crate) async fn rest(mut self) -> Vec<ToHost> {
        let mut buffer = Vec::new();
        soon(self.stream.read_to_end(&mut buffer)).await.expect("a whole stream");
        self.decoder.push(&buffer);
        std::iter::from_fn(|| self.decoder.next_message().expect("messages"))
            .map(|(message, _)| message)
            .collect()
    }

    pub(crate) async fn say(&mut self, message: ToClient) {
        self.say_with_bytes(message, b"").await;
    }

    pub(crate) async fn say_with_bytes(&mut self, message: ToClient, bytes: &[u8]) {
        soon(self.stream.write_all(&encode(&message, bytes))).await.expect("the client reads");
    }
}

pub(crate) fn hello() -> ToHost {
    ToHost::Hello(Hello { token: "token".into(), ..Hello::new(Role::Client, "test") })
}

pub(crate) fn welcome() -> Welcome {
    Welcome {
        protocol: PROTOCOL,
        version: "0.1.0".into(),
        session: "proj".into(),
        started_ms: 1,
        had_clients: false,
        others: 0,
        is_alive: true,
        resume: "again".into(),
        sandbox: None,
    }
}

/// The two ends of a connection whose pipe holds this many bytes.
pub(crate) fn pipe(holds: usize) -> (DuplexStream, Host) {
    let (client, stream) = tokio::io::duplex(holds);
    (client, Host { stream, decoder: Decoder::new(LONGEST_LINE, MOST_BYTES) })
}

/// A session whose host the test plays.
pub(crate) async fn opened() -> (Opened, Host) {
    opened_with(welcome()).await
}

/// The same whose host says this first.
pub(crate) async fn opened_with(welcome: Welcome) -> (Opened, Host) {
    let (client, mut host) = pipe(64 * 1024);
    let (reader, writer) = tokio::io::split(client);
    let hello = hello();
    let connecting = async {
        assert_eq!(host.heard().await, hello);
        host.say(ToClient::Welcome(welcome)).await;
        host
    };
    let (opened, host) = tokio::join!(connect(reader, writer, &hello), connecting);
    (opened.expect("a session"), host)
}

/// What a host hears of a call that waits 40 s.
pub(crate) fn call(id: u64, input: &str) -> ToHost {
    let (input, keys) = (input.to_owned(), Vec::new());
    ToHost::Call { id, input, keys, timeout_ms: 40_000, progress: false, person: None }
}

/// What a host says to one.
pub(crate) fn reply(id: u64, text: &str) -> ToClient {
    let content = vec![Part::Text(text.to_owned())];
    ToClient::Reply { id, reply: Reply { content, status: Status::Ready { outcome: None } } }
}
