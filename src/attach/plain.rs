//! A person at a terminal that prints lines and no more (`TERM=dumb`): a prompt, cells and answers, line
//! by line as the terminal gives them.

use std::{
    collections::VecDeque,
    io::{self, BufRead, Write},
    time::Duration,
};

use tokio::sync::mpsc;

use super::{Attachment, Left, editor::ends_block, exit_status};
use crate::{
    pty::{self, Request as Asked, Requests},
    reply::{Content, MORE, PROMPT, Reply, Status},
    session::{
        client::{Client, FOR_EVER, Request},
        rules::payload::{Keys, Payload},
    },
};

/// How long Python may take to say whether a cell goes on.
const PATIENCE: Duration = Duration::from_millis(300);
/// The escape key, Ctrl-], at the beginning of a line.
const ESCAPE: char = '\x1d';
const HELP: &str = "[repl] Ctrl-C interrupts, Ctrl-D leaves; Ctrl-] at the beginning of a line, and then: \
                    d detaches, r starts a fresh session, ? is this help\n";

/// Has the person take part in the session, line by line.
///
/// # Errors
/// When the terminal can't be used.
pub async fn attach_plain(attachment: &Attachment) -> io::Result<Left> {
    let client = attachment.handle.join();
    if let Some(size) = attachment.pin {
        client.pin(size);
    }
    let mut visit = Plain {
        attachment,
        client,
        requests: Requests::new()?,
        lines: read_lines()?,
        is_at_start: true,
    };
    visit.run().await.map(|end| match end {
        Ok(left) | Err(left) => left,
    })
}

/// What the person typed: lines, and `None` for each end of the input, which a terminal can go on behind.
fn read_lines() -> io::Result<mpsc::Receiver<Option<String>>> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::Builder::new().name("lines".into()).spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let Ok(length) = input.read_until(b'\n', &mut line) else { return };
            let line = (length > 0).then(|| String::from_utf8_lossy(&line).into_owned());
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(lines)
}

struct Plain<'a> {
    attachment: &'a Attachment,
    client: Client,
    requests: Requests,
    lines: mpsc::Receiver<Option<String>>,
    /// Whether what was printed ends a line.
    is_at_start: bool,
}

/// What the person does next.
enum Heard {
    Line(String),
    End,
    Interrupt,
    /// Nothing of what is asked.
    Again,
}

/// The session or the visit is over.
type Step<T> = io::Result<Result<T, Left>>;

impl Plain<'_> {
    async fn run(&mut self) -> Step<Left> {
        let mut payload = Payload::poll();
        loop {
            let reply = match self.call(payload).await? {
                Ok(reply) => reply,
                Err(left) => return Ok(Err(left)),
            };
            let next = match &reply.status {
                Status::Ended { exit } if self.attachment.is_own => {
                    self.attachment.handle.shutdown();
                    return Ok(Ok(Left::Ended { status: exit_status(exit) }));
                }
                status if status.asks_for_input() => self.answer(status.asks_for_secret()).await?,
                _ => self.cell().await?,
            };
            payload = match next {
                Ok(payload) => payload,
                Err(left) => return Ok(Err(left)),
            };
        }
    }

    /// Sends this, and prints the reply: whole, since a connection tells nothing ahead of it. Ctrl-C
    /// interrupts.
    async fn call(&mut self, payload: Payload) -> Step<Reply> {
        let request = |payload| Request::new(payload, FOR_EVER);
        let mut calls = VecDeque::from([Box::pin(self.client.call(request(payload)))]);
        let mut last = None;
        while let Some(mut call) = calls.pop_front() {
            let reply = loop {
                tokio::select! {
                    biased;
                    asked = self.requests.next() => match asked {
                        Asked::Interrupt => {
                            let interrupt = Payload::Interrupt(Box::new(Payload::poll()));
                            calls.push_back(Box::pin(self.client.call(request(interrupt))));
                        }
                        Asked::End { signal } => return Ok(Err(Left::Asked { signal })),
                        Asked::Resize | Asked::Continue | Asked::Stop => {}
                    },
                    reply = &mut call => match reply {
                        Some(reply) => break reply,
                        None => return Ok(Err(Left::Gone)),
                    },
                }
            };
            if reply.status.asks_for_secret() && calls.is_empty() {
                // Before who sees the prompt can type.
                let _ = pty::show_typing(false);
            }
            self.print_content(&reply.content, &reply.status)?;
            last = Some(reply);
        }
        Ok(last.ok_or(Left::Gone))
    }

    /// What the person does next.
    async fn hear(&mut self) -> Step<Heard> {
        tokio::select! {
            biased;
            asked = self.requests.next() => Ok(Ok(match asked {
                Asked::Interrupt => {
                    self.print("\n")?;
                    Heard::Interrupt
                }
                Asked::End { signal } => return Ok(Err(Left::Asked { signal })),
                Asked::Resize | Asked::Continue | Asked::Stop => Heard::Again,
            })),
            line = self.lines.recv() => {
                // The terminal has shown it, with its end.
                self.is_at_start = true;
                Ok(match line {
                    Some(Some(line)) => Ok(Heard::Line(line)),
                    Some(None) => Ok(Heard::End),
                    None => Err(Left::Detached),
                })
            }
        }
    }

    /// A line for the program that asks.
    async fn answer(&mut self, is_secret: bool) -> Step<Payload> {
        let heard = loop {
            match self.hear().await {
                Ok(Ok(Heard::Again)) => {}
                heard => break heard,
            }
        };
        if is_secret {
            let _ = pty::show_typing(true);
            self.print("\n")?;
        }
        Ok(heard?.map(|heard| match heard {
            Heard::Line(line) => Payload::Text(line),
            Heard::End => Payload::Keys(Keys(vec!["C-d".into()])),
            Heard::Interrupt | Heard::Again => Payload::Interrupt(Box::new(Payload::poll())),
        }))
    }

    /// A cell, or what is to be done in its place.
    async fn cell(&mut self) -> Step<Payload> {
        let mut source = String::new();
        loop {
            self.fresh_line()?;
            self.print(if source.is_empty() { PROMPT } else { MORE })?;
            let line = match self.hear().await? {
                Ok(Heard::Line(line)) => line,
                Ok(Heard::Again) => continue,
                Ok(Heard::End) if source.is_empty() => match self.leave().await? {
                    Ok(()) => continue,
                    Err(left) => return Ok(Err(left)),
                },
                Ok(Heard::End | Heard::Interrupt) => {
                    source.clear();
                    continue;
                }
                Err(left) => return Ok(Err(left)),
            };
            if let Some(command) = line.strip_prefix(ESCAPE).filter(|_| source.is_empty()) {
                match command.trim() {
                    "d" => return Ok(Err(Left::Detached)),
                    "r" => return Ok(Ok(Payload::Reset(Box::new(Payload::poll())))),
                    _ => self.print(HELP)?,
                }
                continue;
            }
            let is_blank = line.trim().is_empty();
            if is_blank && source.is_empty() {
                continue;
            }
            source += &line;
            // A blank line ends a block.
            if is_blank || !self.goes_on(&source).await {
                return Ok(Ok(Payload::Text(source)));
            }
        }
    }

    /// Whether Python says that a cell has no end yet.
    async fn goes_on(&self, source: &str) -> bool {
        let source = source.trim_end_matches('\n');
        if !ends_block(source) {
            return true;
        }
        let asked = self.client.complete(source.to_owned(), source.chars().count());
        tokio::time::timeout(PATIENCE, asked).await.is_ok_and(|known| known.is_incomplete)
    }

    /// The person wants to leave; returns where they stay.
    async fn leave(&mut self) -> Step<()> {
        if !self.attachment.is_own {
            self.print("\n")?;
            return Ok(Err(Left::Detached));
        }
        let name = &self.attachment.name;
        let question = format!("\nEnd the session {name}? y ends it, d detaches, n goes on: ");
        self.print(&question)?;
        loop {
            match self.hear().await? {
                Ok(Heard::Line(line)) if line.trim() == "y" => {
                    self.attachment.handle.shutdown();
                    return Ok(Err(Left::Ended { status: 0 }));
                }
                Ok(Heard::Line(line)) if line.trim() == "d" => return Ok(Err(Left::Detached)),
                Ok(Heard::End) => return Ok(Err(Left::Detached)),
                Ok(Heard::Again) => {}
                Ok(Heard::Line(_) | Heard::Interrupt) => return Ok(Ok(())),
                Err(left) => return Ok(Err(left)),
            }
        }
    }

    /// Prints a part of a reply. Who sees a prompt need not be told that it waits.
    fn print_content(&mut self, content: &[Content], status: &Status) -> io::Result<()> {
        for part in content {
            let line = match part {
                Content::Text(text) => {
                    self.print(text)?;
                    continue;
                }
                Content::Status(_) if is_seen(status) => continue,
                Content::Notice(notice) => notice.line(),
                Content::Status(line) => line.clone(),
                Content::Attachment(attachment) => attachment.line(),
            };
            self.fresh_line()?;
            self.print(&format!("{line}\n"))?;
        }
        Ok(())
    }

    fn fresh_line(&mut self) -> io::Result<()> {
        if self.is_at_start { Ok(()) } else { self.print("\n") }
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        if let Some(last) = text.chars().last() {
            self.is_at_start = last == '\n';
        }
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

/// Whether how things stand can be seen by what stands there.
fn is_seen(status: &Status) -> bool {
    let asks = status.asks_for_input();
    let is_page = matches!(status, Status::Pager { .. } | Status::FullScreen { .. });
    matches!(status, Status::Ready { .. }) || asks && !is_page
}
