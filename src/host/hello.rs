//! The first message of a connection: who it is, and whether it may come in.

use std::{hint::black_box, time::Duration};

use mcp_repl_control::{Bytes, Decoder, FrameError, Hello, PROTOCOL};
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};

/// How long a connection may take to say who it is.
pub(super) const MOST_TIME: Duration = Duration::from_secs(10);
/// The longest hello, in bytes.
const LONGEST: usize = 16 * 1024;
/// The longest name of a client that others are shown, in characters.
const LONGEST_NAME: usize = 64;

/// The name of one that gives none.
const NO_NAME: &str = "a client";

/// Why one is not let in, in words for its user.
#[derive(Debug, thiserror::Error)]
pub(super) enum HelloError {
    #[error("the connection ended before a `hello`")]
    Ended,
    #[error("a `hello` was expected within {} seconds", MOST_TIME.as_secs())]
    Late,
    #[error("a `hello` was expected: {0}")]
    Frame(#[from] FrameError),
    #[error("a `hello` was expected first, not `{0}`")]
    NotFirst(String),
    #[error(
        "version {0} of the control protocol is spoken there, and version {PROTOCOL} by this host \
         (mcp-repl {version}); both sides have to be of one version of mcp-repl, or the session is \
         to be ended by the one that started it",
        version = env!("CARGO_PKG_VERSION")
    )]
    Version(Value),
    #[error("the `hello` can't be understood: {0}")]
    Malformed(serde_json::Error),
    #[error("the token is not that of this session")]
    Token,
}

/// A line whose form is not known yet.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Line(Value);

impl Bytes for Line {
    fn length(&self) -> usize {
        0
    }
}

/// Reads the hello of one who knows the token, and gives what was read behind it.
pub(super) async fn read<R: AsyncRead + Unpin>(
    reader: &mut R,
    token: &str,
) -> Result<(Hello, Vec<u8>), HelloError> {
    let read = tokio::time::timeout(MOST_TIME, read_line(reader));
    let (line, rest) = read.await.map_err(|_| HelloError::Late)??;
    Ok((parse(line, token)?, rest))
}

async fn read_line<R: AsyncRead + Unpin>(reader: &mut R) -> Result<(Value, Vec<u8>), HelloError> {
    let mut decoder = Decoder::<Line>::new(LONGEST, 0);
    let mut buffer = [0; 4096];
    loop {
        if let Some((Line(line), _)) = decoder.next_message()? {
            return Ok((line, decoder.into_rest()));
        }
        match reader.read(&mut buffer).await {
            Ok(0) | Err(_) => return Err(HelloError::Ended),
            Ok(length) => decoder.push(&buffer[..length]),
        }
    }
}

fn parse(line: Value, token: &str) -> Result<Hello, HelloError> {
    let kind = line["type"].as_str().unwrap_or_default();
    if kind != "hello" {
        return Err(HelloError::NotFirst(kind.chars().take(LONGEST_NAME).collect()));
    }
    // Before the rest, which other versions may write otherwise.
    if line["protocol"] != PROTOCOL {
        return Err(HelloError::Version(line["protocol"].clone()));
    }
    let mut hello: Hello = serde_json::from_value(line).map_err(HelloError::Malformed)?;
    if !is_equal(hello.token.as_bytes(), token.as_bytes()) {
        return Err(HelloError::Token);
    }
    hello.name.retain(|c| !c.is_control());
    if let Some((end, _)) = hello.name.char_indices().nth(LONGEST_NAME) {
        hello.name.truncate(end);
    }
    if hello.name.trim().is_empty() {
        hello.name = NO_NAME.into();
    }
    Ok(hello)
}

/// Compares in a time that says nothing of where two of one length differ.
fn is_equal(given: &[u8], token: &[u8]) -> bool {
    let differ = |all, (a, b): (&u8, &u8)| black_box(all | (a ^ b));
    !token.is_empty() && given.len() == token.len() && given.iter().zip(token).fold(0, differ) == 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(line: Value) -> String {
        parse(line, "secret").unwrap_err().to_string()
    }

    fn hello() -> Value {
        json!({"type": "hello", "protocol": 1, "token": "secret", "role": "client", "name": "me"})
    }

    #[test]
    fn who_knows_the_token_may_come_in() {
        assert_eq!(parse(hello(), "secret").unwrap().name, "me");
        assert!(!is_equal(b"", b""));
        for token in ["", "secre", "secreT", "secrett"] {
            let mut wrong = hello();
            wrong["token"] = token.into();
            assert_eq!(refusal(wrong), "the token is not that of this session");
        }
    }

    #[test]
    fn what_is_no_hello_is_told_so() {
        let other = json!({"type": "hello", "protocol": 2, "tokens": []});
        assert!(refusal(other).starts_with("version 2 of the control protocol is spoken there"));
        assert!(refusal(json!({"type": "describe"})).ends_with("first, not `describe`"));
        assert!(refusal(json!([1])).ends_with("first, not ``"));
        let mut role = hello();
        role["role"] = "king".into();
        assert!(refusal(role).contains("unknown variant `king`"));
    }

    #[test]
    fn names_are_made_fit_to_be_shown() {
        let mut long = hello();
        long["name"] = format!("\u{1b}[31m{}", "ä".repeat(100)).into();
        let name = parse(long, "secret").unwrap().name;
        assert_eq!(name, format!("[31m{}", "ä".repeat(60)));
        let mut none = hello();
        none["name"] = "\n ".into();
        assert_eq!(parse(none, "secret").unwrap().name, NO_NAME);
    }
}
