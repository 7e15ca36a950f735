//! Elsewhere: a session at the other end of a command, over its standard input and output.
//!
//! ```text
//! command    the words of --via, and how a program's are put behind them
//! launcher   the running command: its output, its end, what it prints to standard error
//! lines      what comes before the protocol
//! install    this binary, put there
//! trouble    what can go wrong, and what is to be done about it
//! ```

mod command;
mod install;
mod launcher;
mod lines;
mod trouble;

use mcp_repl_control::{Open, ToClient, ToHost, Welcome, encode};
use tokio::io::AsyncWriteExt;

use self::{launcher::Output, trouble::start_of};
use crate::{
    pty::{StdinStream, StdoutStream},
    reply::Exit,
};

pub(super) use self::lines::Lines;
pub use self::{
    command::ViaCommand,
    launcher::Launcher,
    trouble::{Said, ViaError},
};

/// What runs there and speaks the control protocol.
const HOST: [&str; 3] = ["mcp-repl", "host", "--stdio"];
/// How much may come before the protocol, in bytes: what a login shell prints, say.
const LONGEST_BANNER: usize = 64 << 10;

/// A running command that leads to where a session is, or will be.
#[derive(Debug)]
pub struct Link {
    output: Lines<Output>,
    input: Input,
    launcher: Launcher,
    command: String,
}

/// Where the command listens.
struct Input(StdoutStream);

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Input")
    }
}

impl Link {
    /// Runs the command. To be called in the running event loop.
    ///
    /// # Errors
    /// When it can't be run.
    pub fn new(via: &ViaCommand) -> Result<Link, ViaError> {
        let program: &[&str] = if via.installs() { &install::SHELL } else { &HOST };
        let command = via.to_string();
        let (output, input, launcher) = launcher::launch(&command, &via.running(program))
            .map_err(|error| ViaError::NotRun { command: command.clone(), error })?;
        Ok(Link { output: Lines::new(output), input: Input(input), launcher, command })
    }

    /// What is known of the command, now and when it has ended.
    pub fn launcher(&self) -> Launcher {
        self.launcher.clone()
    }

    /// Says which session is wanted, and waits for the answer as long as it takes. With
    /// `--via-install`, puts this binary there first where it is missing or another.
    ///
    /// # Errors
    /// When the command fails, leads to something else, or the host there refuses.
    pub async fn open(&mut self, via: &ViaCommand, open: Open) -> Result<Welcome, ViaError> {
        if via.installs() {
            self.install().await?;
        }
        self.write(&encode(&ToHost::Open(Box::new(open)), b"")).await;
        let mut banner = Vec::new();
        loop {
            let line = self.line(&mut banner).await?;
            match first_message(&line) {
                Some(First::Welcome(welcome)) => return Ok(*welcome),
                Some(First::Refused(message)) => return Err(ViaError::Refused { message }),
                Some(First::Echo) => {
                    return Err(ViaError::Terminal { command: self.command.clone() });
                }
                None => {
                    banner.extend_from_slice(&line);
                    banner.push(b'\n');
                }
            }
        }
    }

    /// Ends the session that let this client in.
    pub async fn end(&mut self) {
        self.write(&encode(&ToHost::End, b"")).await;
    }

    /// What is said there from here on, and where it listens. Both are dropped to end the command.
    pub fn into_streams(self) -> (StdinStream, StdoutStream) {
        (Box::new(self.output.into_reader()), self.input.0)
    }

    /// Writes; that nobody reads any more is told by the end of the output.
    async fn write(&mut self, bytes: &[u8]) {
        if self.input.0.write_all(bytes).await.is_ok() {
            let _ = self.input.0.flush().await;
        }
    }

    /// The next line, after those of `banner`.
    async fn line(&mut self, banner: &mut Vec<u8>) -> Result<Vec<u8>, ViaError> {
        let room = LONGEST_BANNER.saturating_sub(banner.len());
        // An error of the stream is its end.
        let line = self.output.next(room).await.unwrap_or_default();
        let garbage = |start: &[u8]| ViaError::Garbage {
            command: self.command.clone(),
            start: start_of(start),
            said: self.launcher.said(),
        };
        match line {
            Some(line) if line.len() <= room => Ok(line),
            Some(line) => {
                banner.extend_from_slice(&line);
                Err(garbage(banner))
            }
            None => match self.launcher.trouble(banner) {
                ViaError::Ended { exit: Exit::Status(0), .. } if !start_of(banner).is_empty() => {
                    Err(garbage(banner))
                }
                trouble => Err(trouble),
            },
        }
    }
}

/// What a line at the start is, if it is no part of a banner.
enum First {
    Welcome(Box<Welcome>),
    Refused(String),
    /// What was said here: a terminal shows it.
    Echo,
}

fn first_message(line: &[u8]) -> Option<First> {
    if !line.starts_with(br#"{"type":""#) {
        return None;
    }
    match serde_json::from_slice(line) {
        Ok(ToClient::Welcome(welcome)) => Some(First::Welcome(Box::new(welcome))),
        Ok(ToClient::Error { message }) => Some(First::Refused(message)),
        // A terminal cuts a long line short.
        _ => line.starts_with(br#"{"type":"open""#).then_some(First::Echo),
    }
}

#[cfg(all(test, has = "posix"))]
mod tests;
