//! What `exec` prints: the program's text on standard output, the rest on standard error.

use std::io::{self, IsTerminal, Write};

use serde_json::json;
use tokio::io::{AsyncWriteExt, Stdout};

use crate::reply::{Content, Reply, Status};

/// Prints as a program is told of what happens: what can't be written yet holds nothing else up.
#[derive(Debug)]
pub(super) struct Printer {
    out: Stdout,
}

impl Printer {
    pub(super) fn new() -> Printer {
        Printer { out: tokio::io::stdout() }
    }

    /// Prints a reply: what was not printed of it before, and how things stand where a person does
    /// not see that.
    pub(super) async fn reply(&mut self, reply: &Reply) -> io::Result<()> {
        let is_waiting = matches!(reply.status, Status::Waiting { .. } | Status::Reading { .. });
        let mut content = reply.content.clone();
        content.retain(|part| !(matches!(part, Content::Status(_)) && is_plain(&reply.status)));
        // A prompt is what stands on the last line when the program waits.
        let last = content.iter_mut().rev().find_map(|part| match part {
            Content::Text(text) if is_waiting => Some(text),
            _ => None,
        });
        let prompt = last.map(|text| text.split_off(text.rfind('\n').map_or(0, |at| at + 1)));
        self.content(&content).await?;
        note(&prompt.unwrap_or_default());
        Ok(())
    }

    /// Prints what a reply is made of, in its order.
    pub(super) async fn content(&mut self, content: &[Content]) -> io::Result<()> {
        for part in content {
            match part {
                Content::Text(text) => {
                    self.out.write_all(text.as_bytes()).await?;
                    // What comes next may go elsewhere.
                    self.out.flush().await?;
                }
                Content::Status(line) => note(&format!("{line}\n")),
                Content::Notice(notice) => note(&format!("{}\n", notice.line())),
                Content::Image { mime, .. } => note(&format!("[repl] a picture ({mime})\n")),
            }
        }
        Ok(())
    }

    /// Prints a reply as an object on a line of its own.
    pub(super) async fn json(&mut self, reply: &Reply) -> io::Result<()> {
        let mut line = serde_json::to_vec(&as_json(reply))?;
        line.push(b'\n');
        self.out.write_all(&line).await?;
        self.out.flush().await
    }
}

/// Whether a person sees how things stand: the line that says so is for agents.
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
