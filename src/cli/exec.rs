//! `mcp-repl exec`: run cells in a fresh session and print what they print.
//!
//! Standard output gets what the program printed and nothing else; prompts and the bridge's
//! own lines go to standard error.

use std::{
    io::{self, BufRead, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use mcp_repl_sideband::Outcome;
use serde_json::json;
use tokio::sync::mpsc;

use super::{config, with_session};
use crate::{
    pty,
    reply::{Content, Exit, Reply, Status},
    session::{
        client::{Client, Handle, Request},
        launch::Target,
        rules::{
            payload::{Keys, Payload},
            state::Paging,
        },
    },
};

/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// What begins a line that parts a script into cells, as editors have it.
const MARKER: &str = "# %%";

/// How often the program is told of the end of its input before it is ended.
const LONGEST_END: u32 = 100;

/// The arguments of `exec`.
#[derive(Debug, Args)]
pub(super) struct ExecArguments {
    /// Cells, run one after the other. Without any, and without --file, standard input is the
    /// cell.
    cells: Vec<String>,
    /// A file to run; lines that begin with `# %%` part it into cells. `-` is standard input.
    #[arg(long, short, value_name = "FILE", conflicts_with = "cells")]
    file: Option<PathBuf>,
    /// Print each reply as a JSON object on a line of its own.
    #[arg(long)]
    json: bool,
}

/// Runs the cells. The exit status is 1 when one raised, its own when the program exited.
pub(super) fn exec(target: Target, arguments: &ExecArguments) -> Result<ExitCode, String> {
    let cells = cells(arguments)?;
    with_session(config(target, Paging::Through, usize::MAX)?, async |session: Handle| {
        let client = session.join();
        tokio::select! {
            result = run(&client, cells, arguments.json) => result,
            _ = pty::asked_to_end() => Ok(ExitCode::FAILURE),
        }
    })
}

fn cells(arguments: &ExecArguments) -> Result<Vec<String>, String> {
    if !arguments.cells.is_empty() {
        return Ok(arguments.cells.clone());
    }
    let text = match arguments.file.as_deref() {
        Some(file) if file != Path::new("-") => std::fs::read(file)
            .map_err(|error| format!("{} can't be read: {error}", file.display()))?,
        _ => {
            let mut text = Vec::new();
            let read = io::stdin().lock().read_to_end(&mut text);
            read.map_err(|error| format!("standard input can't be read: {error}"))?;
            text
        }
    };
    Ok(split_cells(&String::from_utf8_lossy(&text)))
}

/// Parts a script at its `# %%` lines, each cell padded so that tracebacks name the lines of
/// the file.
fn split_cells(text: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.starts_with(MARKER) {
            cells.push("\n".repeat(number));
        }
        if let Some(cell) = cells.last_mut() {
            cell.push_str(line);
        }
    }
    let is_code = |line: &str| !line.trim().is_empty() && !line.starts_with(MARKER);
    cells.retain(|cell| cell.lines().any(is_code));
    cells
}

async fn run(session: &Client, cells: Vec<String>, json: bool) -> Result<ExitCode, String> {
    let mut answers = Answers::default();
    let mut raised = false;
    let mut ends = 0;
    for cell in cells {
        let mut payload = Payload::Text(cell);
        loop {
            let request = Request { payload, timeout: FOR_EVER, progress: None };
            let reply = session.call(request).await.ok_or("the session is gone")?;
            print(&reply, json).map_err(|error| format!("can't print: {error}"))?;
            match &reply.status {
                // There is room for all of a text, so a pager that stays open has none to turn.
                Status::Pager { .. } => payload = Payload::Text("q".into()),
                Status::Waiting { .. } | Status::Reading { .. } | Status::FullScreen { .. } => {
                    payload = match answers.next().await {
                        Some(line) => Payload::Text(line),
                        // A program that reads single keys may take the key of the end for any.
                        None if ends == LONGEST_END => return Ok(ExitCode::FAILURE),
                        // The end of the input, as a person types it.
                        None => {
                            ends += 1;
                            Payload::Keys(Keys(vec!["C-d".to_owned()]))
                        }
                    };
                }
                Status::Ready { outcome } => {
                    raised |= !matches!(outcome, Some(Outcome::Ok) | None);
                    break;
                }
                Status::Ended { exit: Exit::Status(status) } => {
                    return Ok(ExitCode::from(u8::try_from(*status).unwrap_or(1)));
                }
                Status::Ended { .. } | Status::Failed { .. } | Status::Busy { .. } => {
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
    }
    Ok(if raised { ExitCode::FAILURE } else { ExitCode::SUCCESS })
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

fn print(reply: &Reply, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &as_json(reply))?;
        out.write_all(b"\n")?;
        return out.flush();
    }
    let waiting = matches!(reply.status, Status::Waiting { .. } | Status::Reading { .. });
    let texts = reply.content.iter().filter(|part| matches!(part, Content::Text(_))).count();
    let mut seen = 0;
    for part in &reply.content {
        match part {
            Content::Text(text) => {
                seen += 1;
                // A prompt is what stands on the last line when the program waits.
                let prompt = if waiting && seen == texts {
                    text.rfind('\n').map_or(0, |at| at + 1)
                } else {
                    text.len()
                };
                out.write_all(&text.as_bytes()[..prompt])?;
                out.flush()?;
                note(&text[prompt..]);
            }
            Content::Status(_) if is_plain(&reply.status) => {}
            Content::Status(line) => note(&format!("{line}\n")),
            Content::Notice(notice) => note(&format!("{}\n", notice.line())),
            Content::Image { mime, .. } => note(&format!("[repl] a picture ({mime})\n")),
        }
    }
    out.flush()
}

/// Whether a person sees what happens how things stand: the line that says so is for agents.
fn is_plain(status: &Status) -> bool {
    match status {
        Status::Ready { .. }
        | Status::Waiting { .. }
        | Status::Reading { .. }
        | Status::Busy { .. } => true,
        Status::Pager { .. }
        | Status::FullScreen { .. }
        | Status::Ended { .. }
        | Status::Failed { .. } => false,
    }
}

fn note(text: &str) {
    // Standard error may be closed.
    let _ = io::stderr().write_all(text.as_bytes());
    if io::stderr().is_terminal() {
        let _ = io::stderr().flush();
    }
}

fn as_json(reply: &Reply) -> serde_json::Value {
    let part = |part: &Content| match part {
        Content::Text(text) => json!({"type": "text", "text": text}),
        Content::Notice(notice) => json!({"type": "notice", "text": notice.line()}),
        Content::Status(line) => json!({"type": "notice", "text": line}),
        Content::Image { mime, data } => json!({"type": "image", "mimeType": mime, "data": data}),
    };
    let status = match &reply.status {
        Status::Ready { outcome } => json!({"state": "ready", "outcome": outcome}),
        Status::Waiting { echo } => json!({"state": "waiting", "echo": echo}),
        Status::Reading { program, canonical, echo, .. } => {
            json!({"state": "reading", "program": program, "lines": canonical, "echo": echo})
        }
        Status::Pager { program, prompt, .. } => {
            json!({"state": "pager", "program": program, "prompt": prompt})
        }
        Status::FullScreen { program, .. } => json!({"state": "screen", "program": program}),
        Status::Busy { elapsed, .. } => {
            json!({"state": "busy", "elapsed_ms": elapsed.as_millis() as u64})
        }
        Status::Ended { exit } => json!({"state": "ended", "exit": exit.to_string()}),
        Status::Failed { failure } => json!({"state": "failed", "error": failure.to_string()}),
    };
    json!({
        "content": reply.content.iter().map(part).collect::<Vec<_>>(),
        "status": status,
        "isError": reply.is_error(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_parted_at_its_markers_and_keeps_its_line_numbers() {
        let cells = split_cells("a = 1\n# %% two\nb = 2\n# %%\n\n# %%\nc\n");
        assert_eq!(cells, ["a = 1\n", "\n# %% two\nb = 2\n", "\n\n\n\n\n# %%\nc\n"]);
    }

    #[test]
    fn a_script_without_markers_is_one_cell() {
        assert_eq!(split_cells("a\nb"), ["a\nb"]);
        assert!(split_cells("").is_empty());
    }
}
