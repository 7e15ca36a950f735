//! What a client of this machine would get: the server, started with an empty environment, and one
//! call of its tool.
//!
//! Clients hand down little of their environment, and some nothing (the MCP SDKs, docs/clients.md), so
//! that another Python may be found there than in a terminal.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::pty;

/// The most that is told of what the server wrote to standard error, in bytes.
const LONGEST_ERRORS: u64 = 4096;
/// How long the server may take to end when its input has; a worker that hangs is killed by it sooner.
const END: Duration = Duration::from_secs(5);

/// Why the call gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientTrouble {
    /// The server can't be started.
    #[error("the server does not start: {0}")]
    NotStarted(#[from] std::io::Error),
    /// It said nothing in time.
    #[error("no answer after {} seconds{}", .0.as_secs(), said(.1))]
    Late(Duration, String),
    /// It ended without an answer.
    #[error("the server ended without an answer{}", said(.0))]
    Ended(String),
    /// It answered with an error, or the tool did.
    #[error("{}", .0.trim_end())]
    Refused(String),
}

fn said(errors: &str) -> String {
    if errors.is_empty() { String::new() } else { format!(": {errors}") }
}

/// The Python that a client's session runs (`sys.executable`), and how long the call took, with the
/// start.
///
/// # Errors
/// When that does not come within `patience`.
pub(super) fn python_of_a_client(
    options: &[&OsStr],
    patience: Duration,
) -> Result<(String, Duration), ClientTrouble> {
    let began = Instant::now();
    let mut server = Command::new(pty::own_program()?)
        .args(["--grace", "0"])
        .args(options)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let errors = read_errors(&mut server);
    let answers = read_lines(&mut server);
    let mut input = server.stdin.take();
    if let Some(input) = &mut input {
        // One that has ended says so by what follows.
        let _ = input.write_all(requests().as_bytes());
    }
    let answer = answer(&answers, began + patience);
    let took = began.elapsed();
    // The end of its input ends the server; one that hangs is killed, and its worker goes with it.
    drop(input);
    if !ends(&answers) {
        let _ = server.kill();
    }
    let _ = server.wait();
    let errors = || errors.recv_timeout(END).unwrap_or_default().trim().to_owned();
    match answer {
        Ok(Some(answer)) => Ok((text_of(&answer)?.trim_end().to_owned(), took)),
        Ok(None) => Err(ClientTrouble::Ended(errors())),
        Err(_late) => Err(ClientTrouble::Late(patience, errors())),
    }
}

/// Whether the server ends in the time that a clean end takes.
fn ends(answers: &mpsc::Receiver<Value>) -> bool {
    loop {
        match answers.recv_timeout(END) {
            Ok(_) => {}
            Err(error) => return error == mpsc::RecvTimeoutError::Disconnected,
        }
    }
}

/// What a client says: the handshake, and the call.
fn requests() -> String {
    let hello = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": { "name": "mcp-repl doctor", "version": env!("CARGO_PKG_VERSION") },
    });
    let call =
        json!({ "name": "repl", "arguments": { "input": "import sys; print(sys.executable)" } });
    let messages = [
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call }),
    ];
    messages.map(|message| format!("{message}\n")).concat()
}

/// The answer to the call; `None` when the server says no more.
fn answer(
    answers: &mpsc::Receiver<Value>,
    until: Instant,
) -> Result<Option<Value>, mpsc::RecvTimeoutError> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let message = match answers.recv_timeout(left) {
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
            message => message?,
        };
        // An error of the handshake is the last word, too.
        if message["id"] == 2 || message.get("error").is_some() {
            return Ok(Some(message));
        }
    }
}

/// The text of the tool's result.
fn text_of(answer: &Value) -> Result<String, ClientTrouble> {
    let result = &answer["result"];
    match result["content"][0]["text"].as_str() {
        Some(text) if result["isError"] == false => Ok(text.to_owned()),
        Some(text) => Err(ClientTrouble::Refused(text.to_owned())),
        None => Err(ClientTrouble::Refused(answer.to_string())),
    }
}

/// The messages that the server writes, as they come; the end closes the channel.
fn read_lines(server: &mut Child) -> mpsc::Receiver<Value> {
    let (tell, told) = mpsc::channel();
    if let Some(output) = server.stdout.take() {
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            let messages = lines.filter_map(|line| serde_json::from_str(&line).ok());
            for message in messages {
                if tell.send(message).is_err() {
                    return;
                }
            }
        });
    }
    told
}

/// What it writes to standard error, when that has its end.
fn read_errors(server: &mut Child) -> mpsc::Receiver<String> {
    let (tell, told) = mpsc::channel();
    if let Some(errors) = server.stderr.take() {
        thread::spawn(move || {
            let mut text = Vec::new();
            let _ = errors.take(LONGEST_ERRORS).read_to_end(&mut text);
            let _ = tell.send(String::from_utf8_lossy(&text).into_owned());
        });
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_that_to_the_call() {
        let (tell, told) = mpsc::channel();
        let until = Instant::now() + Duration::from_secs(60);
        tell.send(json!({ "id": 1, "result": {} })).unwrap();
        tell.send(json!({ "method": "notifications/progress" })).unwrap();
        let content = json!([{ "type": "text", "text": "/bin/python\n" }]);
        tell.send(json!({ "id": 2, "result": { "content": content, "isError": false } })).unwrap();
        let got = answer(&told, until).unwrap().unwrap();
        assert_eq!(text_of(&got).unwrap(), "/bin/python\n");
        let failed = json!({ "id": 2, "result": { "content": content, "isError": true } });
        assert_eq!(text_of(&failed).unwrap_err().to_string(), "/bin/python");
        tell.send(json!({ "id": 1, "error": { "message": "no" } })).unwrap();
        let error = answer(&told, until).unwrap().unwrap();
        assert!(text_of(&error).unwrap_err().to_string().contains("\"no\""));
        drop(tell);
        assert!(answer(&told, until).unwrap().is_none());
    }

    #[test]
    fn what_does_not_come_is_waited_for_no_longer() {
        let (_tell, told) = mpsc::channel();
        assert_eq!(answer(&told, Instant::now()), Err(mpsc::RecvTimeoutError::Timeout));
    }
}
