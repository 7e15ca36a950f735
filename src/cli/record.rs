//! `mcp-repl record`: a fresh session in the file of a recording.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Args;

use super::{
    LONGEST_EDGE, config, picture_limit,
    record_options::{HowArguments, RecordArguments},
    with_session,
};
use crate::{
    pty,
    reply::{BUDGET, Status},
    session::{
        client::{Handle, Request},
        engine::Attachments,
        launch::Target,
        pipeline::ClientInfo,
        rules::{payload::Payload, state::Paging},
    },
};

/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The arguments of `record`.
#[derive(Debug, Args)]
pub(super) struct RecordCommand {
    /// The file, whose name ends in `.cast`.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    how: HowArguments,
    /// What is sent, one call after the other: cells, and answers to what they ask; with --run, what is
    /// typed for the program. Without any, a person is attached to the session.
    #[arg(value_name = "CELL")]
    pub(super) cells: Vec<String>,
}

impl RecordCommand {
    /// Where the session is recorded.
    ///
    /// # Errors
    /// When the file's name is none of a recording, or it is there and is to stay.
    pub(super) fn place(&self) -> Result<RecordArguments, String> {
        let place = RecordArguments::in_file(&self.output, &self.how)?;
        if self.overwrite
            && let Err(error) = fs::remove_file(&self.output)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(format!("{} can't be replaced: {error}", self.output.display()));
        }
        Ok(place)
    }

    /// Whether a person is to be in the session.
    ///
    /// # Errors
    /// When there is neither a cell nor a terminal.
    pub(super) fn is_for_person(&self) -> Result<bool, String> {
        if self.cells.is_empty() && !io::stdin().is_terminal() {
            return Err("there is nothing to record: give cells behind `--`, or call it on a \
                        terminal, to be in the session yourself"
                .into());
        }
        Ok(self.cells.is_empty())
    }
}

/// Sends the cells to a fresh session, and prints the replies, as an agent would be given them.
pub(super) fn record(target: Target, command: &RecordCommand) -> Result<ExitCode, String> {
    let is_program = matches!(target, Target::Program(..));
    let mut config = config(target, Paging::Through, BUDGET)?;
    config.attachments = Attachments::Kept(picture_limit(LONGEST_EDGE));
    config.recording = command.place()?.file("record")?;
    let cells = command.cells.iter().map(|cell| Payload::parse(cell, Vec::new()));
    // What a program shows by itself is a reply of its own.
    let first = is_program.then(|| Ok(Payload::poll()));
    let payloads: Result<Vec<Payload>, _> = first.into_iter().chain(cells).collect();
    let payloads = payloads.map_err(|error| error.to_string())?;
    with_session(config, async |session: Handle| {
        // Its cells stand at a prompt, as a person's do.
        let who = ClientInfo { is_person: true, ..ClientInfo::default() };
        let client = session.join_as(who);
        let all = async {
            for payload in payloads {
                let request = Request::new(payload, FOR_EVER);
                let Some(reply) = client.call(request).await else {
                    return Err("the session is gone".to_owned());
                };
                let is_failure = matches!(reply.status, Status::Failed { .. });
                // Who reads it may be gone: it is recorded all the same.
                let _ = io::stdout().lock().write_all(reply.text().as_bytes());
                if is_failure {
                    return Ok(ExitCode::FAILURE);
                }
            }
            Ok(ExitCode::SUCCESS)
        };
        tokio::select! {
            ended = all => ended,
            _ = pty::asked_to_end() => Ok(ExitCode::FAILURE),
        }
    })
}
