//! `mcp-repl exec`: run cells in a fresh session and print what they print.
//!
//! Standard output gets what the program printed and nothing else; prompts and the bridge's
//! own lines go to standard error.

mod attachments;
mod print;
mod source;

use std::{
    ffi::OsString,
    io::{self, BufRead},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use mcp_repl_sideband::Outcome;
use tokio::sync::mpsc;

use self::{attachments::Attachments, print::print, source::Source};
use super::{config, with_session};
use crate::{
    pty::{self, Request as Asked, Requests},
    reply::{AttachmentRoom, Budget, Content, Exit, Reply, Status},
    session::{
        client::{Client, Handle, Request},
        launch::{Script, Target},
        rules::{
            payload::{INTERRUPT, Keys, Payload},
            state::Paging,
        },
    },
};

/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// How often the program is told of the end of its input before it is ended.
const LONGEST_END: u32 = 100;

/// What a shell adds to a signal's number for the exit status of what it killed (POSIX: more than
/// 128).
const KILLED: u8 = 128;

/// The arguments of `exec`.
#[derive(Debug, Args)]
pub(super) struct ExecArguments {
    /// Cells, run one after the other. Without any, and without --file, or for `-`, standard
    /// input is the cell.
    cells: Vec<String>,
    /// A file to run; lines that begin with `# %%` part it into cells. `-` is standard input.
    #[arg(long, short, value_name = "FILE", conflicts_with = "cells")]
    file: Option<PathBuf>,
    /// Print each reply as a JSON object on a line of its own.
    #[arg(long)]
    json: bool,
    /// Write pictures and documents to files in this directory: `picture-1.png`, `page-2.html`.
    /// Those of an earlier run are replaced.
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Run no cell behind one that raised. The default for a file and for standard input.
    #[arg(long, overrides_with = "keep_going")]
    stop_on_error: bool,
    /// Run the cells behind one that raised, too. The default for cells that are arguments.
    #[arg(long, overrides_with = "stop_on_error")]
    keep_going: bool,
    /// What the program finds in `sys.argv[1:]`.
    #[arg(last = true, value_name = "ARG")]
    arguments: Vec<OsString>,
}

/// Runs the cells. The exit status is 1 when one raised, its own when the program exited, and as
/// a shell has it when a signal killed it.
pub(super) fn exec(target: Target, arguments: &ExecArguments) -> Result<ExitCode, String> {
    let source = Source::new(&arguments.cells, arguments.file.as_deref());
    let cells = source.cells()?;
    let stops = match source {
        Source::Arguments(_) => arguments.stop_on_error,
        Source::File(_) | Source::StandardInput => !arguments.keep_going,
    };
    let target = with_arguments(target, source, &arguments.arguments);
    let attachments = Attachments::new(arguments.images.as_deref())?;
    let budget = Budget { text: usize::MAX, attachments: AttachmentRoom::All };
    with_session(config(target, Paging::Through, budget)?, async |session: Handle| {
        let requests = Requests::new().map_err(|error| format!("no signals: {error}"))?;
        let (client, json) = (session.join(), arguments.json);
        let mut run = Run { client, requests, json, attachments, stops };
        match run.all(cells).await {
            Ok(code) => Ok(code),
            Err(Stop::Asked { signal }) => Ok(killed_by(signal)),
            // As for any program that writes into a pipe nobody reads.
            Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                Ok(killed_by("SIGPIPE"))
            }
            Err(stop) => Err(stop.to_string()),
        }
    })
}

/// The same program, which is told what it is and what it is given.
fn with_arguments(target: Target, source: Source, given: &[OsString]) -> Target {
    let file = match source {
        Source::File(file) => Some(file),
        Source::Arguments(_) | Source::StandardInput => None,
    };
    match target {
        Target::Python(search) | Target::Script(search, _) => {
            let name = file.clone().unwrap_or_default().into_os_string();
            let arguments = [name].into_iter().chain(given.iter().cloned()).collect();
            let file = file.map(|file| std::path::absolute(&file).unwrap_or(file));
            Target::Script(search, Script { file, arguments })
        }
        Target::Custom(file, mut arguments) => {
            arguments.extend_from_slice(given);
            Target::Custom(file, arguments)
        }
    }
}

/// Why the cells are not run to their end.
#[derive(Debug, thiserror::Error)]
enum Stop {
    /// Somebody asked for it.
    #[error("ended by {signal}")]
    Asked {
        /// The name of the signal.
        signal: &'static str,
    },
    #[error("can't print: {0}")]
    Output(#[from] io::Error),
    #[error("the session is gone")]
    Gone,
}

/// Cells on their way through a session.
struct Run {
    client: Client,
    requests: Requests,
    json: bool,
    attachments: Attachments,
    /// Whether no cell is run behind one that raised.
    stops: bool,
}

impl Run {
    async fn all(&mut self, cells: Vec<String>) -> Result<ExitCode, Stop> {
        if let Some(code) = self.start().await? {
            return Ok(code);
        }
        let mut answers = Answers::default();
        let mut raised = false;
        for cell in cells {
            match self.cell(cell, &mut answers).await? {
                CellEnd::Done(Some(Outcome::Interrupted)) => return Ok(killed_by("SIGINT")),
                CellEnd::Done(Some(Outcome::Error)) => {
                    raised = true;
                    if self.stops {
                        break;
                    }
                }
                CellEnd::Done(Some(Outcome::Ok) | None) => {}
                CellEnd::Over(code) => return Ok(code),
            }
        }
        Ok(if raised { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    /// Waits until the session takes cells. The exit status, when it will not.
    async fn start(&mut self) -> Result<Option<ExitCode>, Stop> {
        let reply = tokio::select! {
            reply = self.client.call(request(Payload::poll())) => reply.ok_or(Stop::Gone)?,
            asked = self.requests.next() => return Err(match asked {
                Asked::Interrupt => Stop::Asked { signal: "SIGINT" },
                Asked::End { signal } => Stop::Asked { signal },
            }),
        };
        // The first cell starts another session, or says why there is none.
        if let Status::Ended { .. } = reply.status {
            return Ok(None);
        }
        let is_ready = matches!(reply.status, Status::Ready { .. });
        if !is_ready || !reply.content.iter().all(|part| matches!(part, Content::Status(_))) {
            print(&reply, self.json, &self.attachments)?;
        }
        Ok(if is_ready { None } else { ended(&reply.status) })
    }

    /// Runs a cell to its end, and gives the program what it asks for.
    async fn cell(&mut self, cell: String, answers: &mut Answers) -> Result<CellEnd, Stop> {
        let mut payload = Payload::Text(cell);
        let mut ends = 0;
        loop {
            let reply = self.call(payload).await?;
            print(&reply, self.json, &self.attachments)?;
            payload = match &reply.status {
                // There is room for all of a text, so a pager that stays open has none to turn.
                Status::Pager { .. } => Payload::Text("q".into()),
                Status::Waiting { .. } | Status::Reading { .. } | Status::FullScreen { .. } => {
                    match self.answer(answers).await? {
                        Some(payload) => payload,
                        // A program that reads single keys may take the key of the end for any.
                        None if ends == LONGEST_END => {
                            return Ok(CellEnd::Over(ExitCode::FAILURE));
                        }
                        // The end of the input, as a person types it.
                        None => {
                            ends += 1;
                            Payload::Keys(Keys(vec!["C-d".to_owned()]))
                        }
                    }
                }
                Status::Ready { outcome } => return Ok(CellEnd::Done(*outcome)),
                status => return Ok(CellEnd::Over(ended(status).unwrap_or(ExitCode::FAILURE))),
            };
        }
    }

    /// Makes a call. What interrupts this process meanwhile interrupts the program, which may
    /// handle it.
    async fn call(&mut self, payload: Payload) -> Result<Reply, Stop> {
        let Run { client, requests, .. } = self;
        let mut call = std::pin::pin!(client.call(request(payload)));
        loop {
            tokio::select! {
                reply = &mut call => return reply.ok_or(Stop::Gone),
                asked = requests.next() => match asked {
                    Asked::Interrupt => client.type_bytes(vec![INTERRUPT as u8]).await,
                    Asked::End { signal } => return Err(Stop::Asked { signal }),
                },
            }
        }
    }

    /// What the program that waits is given: a line, or an interrupt. `None` at the end of
    /// standard input.
    async fn answer(&mut self, answers: &mut Answers) -> Result<Option<Payload>, Stop> {
        tokio::select! {
            line = answers.next() => Ok(line.map(Payload::Text)),
            asked = self.requests.next() => match asked {
                Asked::Interrupt => Ok(Some(Payload::Interrupt(Box::new(Payload::poll())))),
                Asked::End { signal } => Err(Stop::Asked { signal }),
            },
        }
    }
}

/// How a cell ended.
enum CellEnd {
    /// The session takes the next one.
    Done(Option<Outcome>),
    /// There is no session any more: the exit status.
    Over(ExitCode),
}

fn request(payload: Payload) -> Request {
    Request { payload, timeout: FOR_EVER, progress: None }
}

/// The exit status where the session has ended.
fn ended(status: &Status) -> Option<ExitCode> {
    match status {
        Status::Ended { exit: Exit::Status(status) } => {
            Some(ExitCode::from(u8::try_from(*status).unwrap_or(1)))
        }
        Status::Ended { exit: Exit::Signal(name) } => Some(killed_by(name)),
        Status::Ended { exit: Exit::Unknown } | Status::Failed { .. } | Status::Busy { .. } => {
            Some(ExitCode::FAILURE)
        }
        _ => None,
    }
}

/// The exit status of what this signal killed, as a shell has it.
fn killed_by(signal: &str) -> ExitCode {
    let number = pty::signal_number(signal);
    number.map_or(ExitCode::FAILURE, |number| ExitCode::from(KILLED + number))
}

/// Lines of standard input, read only once the program asks for the first.
#[derive(Debug, Default)]
struct Answers {
    lines: Option<mpsc::Receiver<String>>,
}

impl Answers {
    async fn next(&mut self) -> Option<String> {
        let lines = self.lines.get_or_insert_with(|| {
            let (sender, lines) = mpsc::channel(1);
            std::thread::spawn(move || {
                for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).into_owned() + "\n";
                    if sender.blocking_send(line).is_err() {
                        return;
                    }
                }
            });
            lines
        });
        lines.recv().await
    }
}
