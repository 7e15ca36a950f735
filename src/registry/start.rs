//! The start of a host: what is said to it, and what it says.
//!
//! The host is this program again, as `mcp-repl host --detached --session NAME`. It reads one line
//! from its standard input ([`StartRequest`]) and writes one ([`StartAnswer`]) when it is listed,
//! or can't be. From then on it holds nothing of who started it but the environment, the directory
//! and the limits. Whoever started it may be killed at any moment: the host ends by its grace if
//! nobody comes.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    process::{Child, Command, ExitStatus, Stdio},
};

use mcp_repl_control::{Identity, SessionOptions};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::SessionName;
use crate::{pty, sandbox::Mode};

/// The longest line that a host answers, in bytes.
const LONGEST_ANSWER: u64 = 64 * 1024;
/// The most that is told of what a host wrote that died, in bytes.
const LONGEST_TEXT: u64 = 4096;

/// What a host is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRequest {
    /// The session's name.
    pub name: SessionName,
    /// For whom it is; `None` when somebody named it.
    pub identity: Option<Identity>,
    /// What it runs.
    pub options: SessionOptions,
}

/// How a start went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartAnswer {
    /// It is listed and listens.
    Registered(bool),
    /// Another of this name was faster.
    Taken(bool),
    /// Why it can't start.
    Error(String),
}

/// A session of the name that was asked for is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It was started by this.
    Fresh,
    /// Another was faster.
    Taken,
}

/// Why there is no host.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It can't be executed.
    #[error("the session's host can't be started: {0}")]
    NotStarted(#[from] io::Error),
    /// It says why it can't start.
    #[error("{0}")]
    Refused(String),
    /// It ended without a word.
    #[error("the session's host ended before it was ready ({status}){}", said(text))]
    Died {
        /// How.
        status: ExitStatus,
        /// What it wrote to standard error; may be empty.
        text: String,
    },
    /// It says something else.
    #[error("the session's host answered {0:?}: it is of another version")]
    Unknown(String),
}

fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// Starts a host, in the environment, the directory and the limits of this process, and waits until
/// it is listed. Dropping that changes nothing.
///
/// # Errors
/// When it can't start, with its own words where it has any.
pub async fn start_host(
    name: &SessionName,
    identity: Option<&Identity>,
    options: &SessionOptions,
) -> Result<Started, StartError> {
    let (name, identity) = (name.clone(), identity.cloned());
    let request = StartRequest { name, identity, options: options.clone() };
    let (tell, told) = oneshot::channel();
    // What is spawned and reaped here blocks for a moment.
    std::thread::Builder::new().name("start".into()).spawn(move || start(&request, tell))?;
    told.await.unwrap_or_else(|_| Err(io::Error::other("it was given up").into()))
}

/// Starts a host, tells how that went, and reaps the process that was spawned for it.
fn start(request: &StartRequest, tell: oneshot::Sender<Result<Started, StartError>>) {
    let mut child = match spawn(request) {
        Ok(child) => child,
        Err(error) => return drop(tell.send(Err(error.into()))),
    };
    let _ = tell.send(hear(&mut child));
    // It leaves as soon as it has answered.
    let _ = child.wait();
}

fn spawn(request: &StartRequest) -> io::Result<Child> {
    let sandbox = request.options.sandbox.as_ref();
    let is_strict = sandbox.is_some_and(|sandbox| sandbox.mode == Mode::Strict.name());
    let mut child = Command::new(pty::own_program()?)
        .args(["host", "--detached", "--session", request.name.as_str()])
        // It has to know before it is by itself.
        .args(is_strict.then_some("--strict"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let line = serde_json::to_string(request)? + "\n";
    if let Some(mut input) = child.stdin.take() {
        // One that ended has its reason told by what follows.
        let _ = input.write_all(line.as_bytes());
    }
    Ok(child)
}

/// What a host answers.
fn hear(child: &mut Child) -> Result<Started, StartError> {
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output.take(LONGEST_ANSWER)).read_line(&mut line)?;
    }
    if line.is_empty() {
        let status = child.wait()?;
        let mut text = Vec::new();
        if let Some(errors) = child.stderr.take() {
            errors.take(LONGEST_TEXT).read_to_end(&mut text)?;
        }
        let text = String::from_utf8_lossy(&text).trim().to_owned();
        // What was to start the host in name spaces; it begins so what it says (bwrap(1)).
        if text.starts_with("bwrap: ") {
            return Err(StartError::Refused(format!(
                "no sandbox: `--sandbox strict` makes name spaces, and can't here: {text}; `mcp-repl doctor` \
                 tries it, `--sandbox workspace-write` does without them"
            )));
        }
        return Err(StartError::Died { status, text });
    }
    match serde_json::from_str(&line) {
        Ok(StartAnswer::Registered(_)) => Ok(Started::Fresh),
        Ok(StartAnswer::Taken(_)) => Ok(Started::Taken),
        Ok(StartAnswer::Error(why)) => Err(StartError::Refused(why)),
        Err(_) => Err(StartError::Unknown(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`fails_with_what_it_is_to_say`] says.
    const SAYS: &str = "MCP_REPL_TEST_SAYS";

    #[tokio::test]
    async fn a_host_that_dies_without_a_word_is_told_with_its_end() {
        // The program is this test, which knows no such arguments.
        let name = "proj".parse().unwrap();
        let error = start_host(&name, None, &SessionOptions::default()).await.unwrap_err();
        let StartError::Died { status, text } = &error else { panic!("{error}") };
        assert!(!status.success() && text.contains("detached"), "{error}");
        let told = error.to_string();
        assert!(told.contains(&format!("ended before it was ready ({status}): ")), "{told}");
        assert!(told.ends_with(&format!("): {text}")), "{told}");
    }

    /// A process of its own that fails with what it is to say.
    #[test]
    fn fails_with_what_it_is_to_say() {
        let Ok(text) = std::env::var(SAYS) else { return };
        eprintln!("{text}");
        std::process::exit(1);
    }

    #[test]
    fn what_makes_name_spaces_is_told_from_a_host() {
        let mut other = Command::new(std::env::current_exe().unwrap());
        other.args([
            "--exact",
            "registry::start::tests::fails_with_what_it_is_to_say",
            "--nocapture",
        ]);
        other.env(SAYS, "bwrap: No permissions to create new namespace");
        // What runs the test says something there.
        other.stdout(Stdio::null()).stderr(Stdio::piped());
        let error = hear(&mut other.spawn().unwrap()).unwrap_err().to_string();
        assert_eq!(
            error,
            "no sandbox: `--sandbox strict` makes name spaces, and can't here: bwrap: No permissions to create new \
             namespace; `mcp-repl doctor` tries it, `--sandbox workspace-write` does without them"
        );
    }

    #[test]
    fn answers_are_as_the_protocol_has_them() {
        let answers = [
            (StartAnswer::Registered(true), r#"{"registered":true}"#),
            (StartAnswer::Taken(true), r#"{"taken":true}"#),
            (StartAnswer::Error("why".into()), r#"{"error":"why"}"#),
        ];
        for (answer, text) in answers {
            assert_eq!(serde_json::to_string(&answer).unwrap(), text);
            assert_eq!(serde_json::from_str::<StartAnswer>(text).unwrap(), answer);
        }
    }
}
