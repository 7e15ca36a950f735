//! What `exec` prints: the program's text on standard output, the rest on standard error; on a
//! terminal, what the session's terminal shows.

use std::io::{self, IsTerminal, Write};

use serde_json::json;
use tokio::io::{AsyncWriteExt, Stdout};

use super::attachments::Attachments;
use crate::{
    cli::terminal::Shown,
    reply::{Content, Reply, Status, Whose, with_whose},
    session::client::Piece,
};

/// Prints as a program is told of what happens: what can't be written yet holds nothing else up.
#[derive(Debug)]
pub(super) struct Printer {
    pub(super) out: Out,
    /// What is done with pictures and documents.
    pub(super) attachments: Attachments,
}

/// Where it is printed.
#[derive(Debug)]
pub(super) enum Out {
    /// Text, in its order and once.
    Text(Stdout),
    /// Whole replies, an object each.
    Json(Stdout),
    /// A terminal, which shows what the session's does.
    Terminal(Box<Shown>),
}

impl Printer {
    /// Whether what is told ahead of a reply is not printed, nor what comes behind the last one by itself.
    pub(super) fn prints_whole_replies(&self) -> bool {
        matches!(self.out, Out::Json(_))
    }

    /// Prints what is told ahead of a reply.
    pub(super) async fn piece(&mut self, piece: &Piece) -> io::Result<()> {
        let Printer { out, attachments } = self;
        match (out, piece) {
            (Out::Text(out), Piece::Content(content)) => {
                print(out, content, attachments, true).await
            }
            (Out::Terminal(shown), Piece::Bytes(bytes)) => shown.bytes(bytes).await,
            (Out::Terminal(shown), Piece::Content(content)) => {
                notes(shown, content, attachments).await
            }
            _ => Ok(()),
        }
    }

    /// Prints a reply: what was not printed of it before, and how things stand where a person does
    /// not see that.
    /// `is_own` is whether it has anything of the client's own cells, and not only of what was before.
    pub(super) async fn reply(&mut self, reply: &Reply, is_own: bool) -> io::Result<()> {
        // Who sits at the terminal sees what waits there.
        let is_seen = matches!(self.out, Out::Terminal(_)) && reply.status.asks_for_input();
        let is_plain = is_plain(&reply.status) || is_seen;
        let mut content = reply.content.clone();
        content.retain(|part| !(is_plain && matches!(part, Content::Status(_))));
        let Printer { out, attachments } = self;
        match out {
            Out::Text(out) => {
                let prompt = split_prompt(&mut content, &reply.status);
                print(out, &content, attachments, is_own).await?;
                note(&prompt);
                Ok(())
            }
            Out::Json(out) => {
                let mut line = serde_json::to_vec(&as_json(reply, attachments))?;
                line.push(b'\n');
                out.write_all(&line).await?;
                out.flush().await
            }
            Out::Terminal(shown) => {
                if !reply.status.asks_for_input() {
                    shown.restore().await?;
                }
                notes(shown, &content, attachments).await
            }
        }
    }

    /// Nothing more is printed.
    pub(super) async fn end(self) {
        if let Out::Terminal(shown) = self.out {
            shown.end().await;
        }
    }
}

/// Cuts off what stands on the last line when the program waits: a prompt.
fn split_prompt(content: &mut [Content], status: &Status) -> String {
    let is_waiting = matches!(
        status,
        Status::Waiting { .. } | Status::Reading { .. } | Status::StartWaits { .. }
    );
    let last = content.iter_mut().rev().find_map(|part| match part {
        Content::Text(text) if is_waiting => Some(text),
        _ => None,
    });
    last.map(|text| text.split_off(text.rfind('\n').map_or(0, |at| at + 1))).unwrap_or_default()
}

/// Prints what a reply is made of, in its order; what is not of the client's own cells goes to
/// standard error, and nothing of it is kept.
async fn print(
    out: &mut Stdout,
    content: &[Content],
    attachments: &Attachments,
    is_own: bool,
) -> io::Result<()> {
    for (part, whose) in with_whose(content) {
        let is_own = is_own && whose == Whose::Own;
        match part {
            Content::Text(text) if !is_own => note(text),
            Content::Attachment(attachment) if !is_own => note(&(attachment.line() + "\n")),
            Content::Text(text) => {
                out.write_all(text.as_bytes()).await?;
                // What comes next may go elsewhere.
                out.flush().await?;
            }
            part => note(&(line(part, attachments) + "\n")),
        }
    }
    Ok(())
}

/// Shows what is not on the session's terminal: on this one, or where standard error goes.
async fn notes(
    shown: &mut Shown,
    content: &[Content],
    attachments: &Attachments,
) -> io::Result<()> {
    for part in content.iter().filter(|part| !matches!(part, Content::Text(_))) {
        match io::stderr().is_terminal() {
            true => shown.line(&line(part, attachments)).await?,
            false => note(&(line(part, attachments) + "\n")),
        }
    }
    Ok(())
}

/// What is said of a piece that is no text.
fn line(part: &Content, attachments: &Attachments) -> String {
    match part {
        Content::Text(text) | Content::Status(text) => text.clone(),
        Content::Notice(notice) => notice.line(),
        Content::Attachment(attachment) => attachments.keep(attachment),
    }
}

/// Whether a person sees how things stand: the line that says so is for agents.
fn is_plain(status: &Status) -> bool {
    match status {
        Status::Ready { .. }
        | Status::Waiting { .. }
        | Status::Reading { .. }
        | Status::StartWaits { .. }
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
        Status::StartWaits { echo, .. } => json!({"state": "waiting", "echo": echo}),
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
