//! What `exec` prints of a reply: the program's text on standard output, the rest on standard error.

use std::io::{self, IsTerminal, Write};

use serde_json::json;

use super::attachments::Attachments;
use crate::reply::{Content, Reply, Status};

/// Prints a reply, as text or as an object on a line of its own.
pub(super) fn print(reply: &Reply, json: bool, attachments: &Attachments) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &as_json(reply, attachments))?;
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
            Content::Attachment(one) => note(&format!("{}\n", attachments.keep(one))),
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

fn as_json(reply: &Reply, attachments: &Attachments) -> serde_json::Value {
    let part = |part: &Content| match part {
        Content::Text(text) => json!({"type": "text", "text": text}),
        Content::Notice(notice) => json!({"type": "notice", "text": notice.line()}),
        Content::Status(line) => json!({"type": "notice", "text": line}),
        Content::Attachment(one) => attachments.json(one),
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
