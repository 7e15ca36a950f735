//! `mcp-repl record`: a fresh session in the file of a recording, or of a script.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{ArgGroup, Args};

use super::{
    LONGEST_EDGE, config, picture_limit,
    record_options::{HowArguments, RecordArguments},
    sandbox_options::{self, SandboxArguments},
    verify, with_session,
};
use crate::{
    pty,
    remote::Place,
    reply::{BUDGET, Status},
    sandbox::Mode,
    session::{
        client::{FOR_EVER, Handle, Request},
        engine::Attachments,
        launch::{Sandbox, Target},
        pipeline::ClientInfo,
        recording::hide,
        rules::{payload::Payload, state::Paging},
    },
    verify::{
        rules::Rules,
        script::Settings,
        write::{Told, write},
    },
};

/// The arguments of `record`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("file").required(true).multiple(true))]
pub(super) struct RecordCommand {
    /// The file of the recording, whose name ends in `.cast`.
    #[arg(long, short, value_name = "FILE", group = "file")]
    output: Option<PathBuf>,
    /// Write a script in Markdown: what is sent and the replies, which `mcp-repl verify` runs again.
    #[arg(long, value_name = "FILE", group = "file")]
    md: Option<PathBuf>,
    /// Make the steps of this script in Markdown, in place of cells: `keys` and `wait` blocks, too.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cells", "md"])]
    pub(super) script: Option<PathBuf>,
    /// Replace a file that is there.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    how: HowArguments,
    #[command(flatten)]
    pub(super) sandbox: SandboxArguments,
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
        let Some(output) = &self.output else { return Ok(RecordArguments::default()) };
        let place = RecordArguments::in_file(output, &self.how)?;
        if self.overwrite
            && let Err(error) = fs::remove_file(output)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(format!("{} can't be replaced: {error}", output.display()));
        }
        Ok(place)
    }

    /// What the session may reach, where that is not all.
    ///
    /// # Errors
    /// When a path of it can't be used.
    fn session_sandbox(&self) -> Result<Option<Sandbox>, String> {
        let settings = self.sandbox.settings(Mode::Off, &Place::Here)?;
        Ok(sandbox_options::sandbox(settings, self.output.as_deref()))
    }

    /// The script's file.
    ///
    /// # Errors
    /// When it is there and is to stay.
    fn script(&self) -> Result<Option<&Path>, String> {
        match &self.md {
            Some(_) if !self.how.records_input() => {
                Err("--md writes what is sent, and --record-input=no leaves that out".into())
            }
            Some(file) if file.exists() && !self.overwrite => {
                Err(format!("{} is there already; --overwrite replaces it", file.display()))
            }
            file => Ok(file.as_deref()),
        }
    }

    /// Whether a person is to be in the session.
    ///
    /// # Errors
    /// When there is neither a cell nor a terminal.
    pub(super) fn is_for_person(&self) -> Result<bool, String> {
        if self.script.is_some() {
            return Ok(false);
        }
        if self.cells.is_empty() && !io::stdin().is_terminal() {
            return Err("there is nothing to record: give cells behind `--`, or call it on a \
                        terminal, to be in the session yourself"
                .into());
        }
        if self.cells.is_empty() && self.md.is_some() {
            return Err("--md is for cells, behind `--`: what a person types has no replies".into());
        }
        Ok(self.cells.is_empty())
    }
}

/// What is sent, and the replies so far.
type Script = Vec<Told>;

/// Writes a script.
fn write_script(file: &Path, run: Option<&str>, script: &Script) -> Result<(), String> {
    let settings = Settings { run: run.map(str::to_owned), ..Settings::default() };
    let rules = Rules::built_in().map_err(|error| error.to_string())?;
    let all: Script = script
        .iter()
        .map(|told| Told { reply: rules.apply(&told.reply), ..told.clone() })
        .collect();
    let text = write(&settings, &all).map_err(|error| error.to_string());
    text.and_then(|text| fs::write(file, text).map_err(|error| error.to_string()))
        .map_err(|why| format!("{}: {why}", file.display()))
}

/// Sends the cells to a fresh session, and prints the replies, as an agent would be given them. `run` is
/// the program of `target` as it was given, where that is none for cells.
pub(super) fn record(
    target: Target,
    run: Option<&str>,
    command: &RecordCommand,
) -> Result<ExitCode, String> {
    if let Some(script) = &command.script {
        let recording = command.place()?.file("record")?;
        let sandbox = command.session_sandbox()?;
        let replies = verify::record(script, target, recording, sandbox)?;
        let _ = io::stdout().lock().write_all(replies.concat().as_bytes());
        return Ok(ExitCode::SUCCESS);
    }
    let is_program = matches!(target, Target::Program(..));
    let mut config = config(target, Paging::Through, BUDGET)?;
    config.attachments = Attachments::Kept(picture_limit(LONGEST_EDGE));
    config.surroundings.sandbox = command.session_sandbox()?;
    let cells = command.cells.iter().map(|cell| Payload::parse(cell, Vec::new()));
    // What a program shows by itself is a reply of its own.
    let first = is_program.then(|| Ok(Payload::poll()));
    let payloads: Result<Vec<Payload>, _> = first.into_iter().chain(cells).collect();
    let payloads = payloads.map_err(|error| error.to_string())?;
    let file = command.script()?;
    // Last of all: it takes a file away that is to be replaced.
    config.recording = command.place()?.file("record")?;
    let mut script = Script::new();
    let status = with_session(config, async |session: Handle| {
        // Its cells stand at a prompt, as a person's do.
        let who = ClientInfo { is_person: true, ..ClientInfo::default() };
        let client = session.join_as(who);
        let all = async {
            let (mut is_answer, mut is_secret) = (is_program, false);
            for (n, payload) in payloads.into_iter().enumerate() {
                let request = Request::new(payload.clone(), FOR_EVER);
                let Some(mut reply) = client.call(request).await else {
                    return Err("the session is gone".to_owned());
                };
                let is_failure = matches!(reply.status, Status::Failed { .. });
                let asks = is_program || reply.status.asks_for_input();
                let printed = reply.clone().text();
                // Who reads it may be gone: it is recorded all the same.
                let _ = io::stdout().lock().write_all(printed.as_bytes());
                reply.forget_place_of_text();
                // A secret is in no file.
                let sent = match payload {
                    Payload::Text(text) if is_secret => Payload::Text(hide(&text)),
                    payload => payload,
                };
                let payload = (!is_program || n > 0).then_some(sent);
                is_secret = reply.status.asks_for_secret();
                script.push(Told { payload, is_answer, reply: reply.text() });
                is_answer = asks;
                if is_failure {
                    // Nothing happened that is worth a file in the way of the next try.
                    if let Some(file) = &command.output {
                        let _ = fs::remove_file(file);
                    }
                    return Ok(ExitCode::FAILURE);
                }
            }
            Ok(ExitCode::SUCCESS)
        };
        tokio::select! {
            ended = all => ended,
            _ = pty::asked_to_end() => Ok(ExitCode::FAILURE),
        }
    })?;
    match file {
        Some(file) => write_script(file, run, &script).map(|()| status),
        None => Ok(status),
    }
}
