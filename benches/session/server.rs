//! The server under test, and a client that speaks as little MCP as it takes.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::runtime::Runtime;

/// Long enough for any call here, also on a loaded machine.
const TIMEOUT_MS: u64 = 600_000;

/// Makes Python write in small pieces. No person's terminal has it set, but many a container,
/// so it is left out of every environment here, the baselines' too.
pub(crate) const UNBUFFERED: &str = "PYTHONUNBUFFERED";

/// The program under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_mcp-repl");

/// A user's directory of settings in which there are none of the binary's.
pub(crate) const NO_SETTINGS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/settings");

const NO_SANDBOX: [&str; 2] = ["--sandbox", "off"];

/// A server with one client.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    line: Vec<u8>,
}

/// What a call gave: the reply's text, how many pictures it has, and how long it took to come.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pictures: usize,
    pub(crate) time: Duration,
}

/// A call, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Call(Vec<u8>);

impl Call {
    pub(crate) fn new(input: &str) -> Call {
        Call::of(&json!({ "input": input, "timeout_ms": TIMEOUT_MS }))
    }

    /// One on the session of this name.
    pub(crate) fn on(session: &str, input: &str) -> Call {
        Call::of(&json!({ "session": session, "input": input, "timeout_ms": TIMEOUT_MS }))
    }

    fn of(arguments: &Value) -> Call {
        let params = json!({ "name": "repl", "arguments": arguments });
        Call(request(1, "tools/call", &params))
    }
}

impl Server {
    /// Starts a server that holds its session itself, and shakes hands with it, as a client does:
    /// it waits for the answer. Without a sandbox, as what it is compared with is; what one costs is a
    /// topic of its own.
    pub(crate) fn start(python: &Path) -> io::Result<Server> {
        Server::start_as(
            Command::new(BINARY)
                .env("MCP_REPL_GRACE", "0")
                .env("XDG_CONFIG_HOME", NO_SETTINGS)
                .args(NO_SANDBOX),
            python,
        )
    }

    /// Starts a server whose sessions are in hosts, without a sandbox, with more arguments.
    pub(crate) fn start_hosted(
        python: &Path,
        runtime: &Runtime,
        arguments: &[&str],
    ) -> io::Result<Server> {
        Server::start_as(runtime.command().args(NO_SANDBOX).args(arguments), python)
    }

    /// Starts the server that a command names.
    pub(crate) fn start_as(command: &mut Command, python: &Path) -> io::Result<Server> {
        let mut child = command
            .arg("--python")
            .arg(python)
            .env_remove(UNBUFFERED)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the server has no pipes"));
        };
        let output = BufReader::with_capacity(64 * 1024, output);
        let mut server = Server { child, input, output, line: Vec::new() };
        let client = json!({ "name": "bench", "version": "0" });
        let params =
            json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
        server.input.write_all(&request(0, "initialize", &params))?;
        server.read_line()?;
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        server.input.write_all(&line(&initialized))?;
        Ok(server)
    }

    /// Makes a call.
    pub(crate) fn call(&mut self, call: &Call) -> io::Result<Answer> {
        let start = Instant::now();
        self.input.write_all(&call.0)?;
        self.read_line()?;
        let time = start.elapsed();
        let (text, pictures) = content(&self.line)?;
        Ok(Answer { text, pictures, time })
    }

    /// Runs a cell, or sends any other payload.
    pub(crate) fn repl(&mut self, input: &str) -> io::Result<Answer> {
        self.call(&Call::new(input))
    }

    /// As [`Server::repl`], for a reply that must contain `expected`.
    pub(crate) fn expect(&mut self, input: &str, expected: &str) -> io::Result<Answer> {
        self.repl(input)?.containing(expected)
    }

    /// The kernel's number of the worker.
    pub(crate) fn worker(&mut self) -> io::Result<u32> {
        let text = self.repl("import os; os.getpid()")?.text;
        text.trim().parse().map_err(|_| io::Error::other(format!("no process number: {text:?}")))
    }

    /// The kernel's number of the server.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Hangs up and waits for the server's end.
    pub(crate) fn end(self) -> io::Result<()> {
        let Server { mut child, input, mut output, .. } = self;
        drop(input);
        output.read_to_end(&mut Vec::new())?;
        child.wait().map(drop)
    }

    fn read_line(&mut self) -> io::Result<()> {
        self.line.clear();
        match self.output.read_until(b'\n', &mut self.line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

impl Answer {
    /// This answer, if it has one picture.
    pub(crate) fn with_picture(self) -> io::Result<Answer> {
        let Answer { text, pictures, .. } = &self;
        let wrong = || io::Error::other(format!("{pictures} pictures, and {text:?}"));
        if *pictures == 1 { Ok(self) } else { Err(wrong()) }
    }

    /// This answer, if it contains `expected`: a bench of a wrong answer measures nothing.
    pub(crate) fn containing(self, expected: &str) -> io::Result<Answer> {
        if self.text.contains(expected) {
            return Ok(self);
        }
        let text: String = self.text.chars().take(500).collect();
        Err(io::Error::other(format!("expected {expected:?} in the reply {text:?}")))
    }
}

fn request(id: u64, method: &str, params: &Value) -> Vec<u8> {
    line(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
}

fn line(message: &Value) -> Vec<u8> {
    format!("{message}\n").into_bytes()
}

/// The text blocks of a reply, and how many pictures it has.
fn content(line: &[u8]) -> io::Result<(String, usize)> {
    let message: Value = serde_json::from_slice(line)?;
    let blocks = message["result"]["content"].as_array();
    let blocks = blocks.ok_or_else(|| io::Error::other(format!("no reply: {message}")))?;
    let pictures = blocks.iter().filter(|block| block["type"] == "image").count();
    Ok((blocks.iter().filter_map(|block| block["text"].as_str()).collect(), pictures))
}

/// The interpreter itself: what is on `PATH` may be a script that looks for it.
pub(crate) fn python() -> io::Result<PathBuf> {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let path = String::from_utf8_lossy(&output?.stdout).trim().to_owned();
    if path.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(path.into()) }
}
