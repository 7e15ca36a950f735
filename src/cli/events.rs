//! `mcp-repl events`: what happens in a session as JSON lines, for status bars and scripts.

use std::{io, process::ExitCode};

use clap::Args;
use mcp_repl_control::{Hello, Open, Role, Sandbox, SessionOptions, Wanted};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, Stdout};

use super::runtime;
use crate::{
    host::state,
    pty,
    registry::SessionName,
    remote::{self, End, Opened, Place, Underway},
    reply::{Attachment, FilePlace},
    session::{
        client::{Present, ScreenUpdate},
        pipeline::Hands,
        rules::hands::Needed,
    },
};

/// Of which session.
#[derive(Debug, Args)]
pub(super) struct EventsArguments {
    /// The session, as `mcp-repl ls` shows it.
    name: SessionName,
}

/// Prints what happens until the session ends, or nobody reads it any more.
pub(super) fn events(place: &Place, arguments: &EventsArguments) -> Result<ExitCode, String> {
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = print(place, &arguments.name) => result,
            () = pty::reader_has_gone() => Ok(ExitCode::SUCCESS),
        }
    });
    runtime.shutdown_background();
    result
}

async fn print(place: &Place, name: &SessionName) -> Result<ExitCode, String> {
    let opened = remote::open(place, open(name), &Underway::default()).await;
    let Opened { handle, welcome, connection } = opened.map_err(|error| error.to_string())?;
    let client = handle.join();
    drop(handle);
    let mut out = Out { out: tokio::io::stdout(), session: welcome.session };
    if let Some(Sandbox { mode, network, .. }) = welcome.sandbox {
        let fields = json!({"mode": mode, "network": network});
        if out.print(Event { event: "sandbox", fields }).await.is_err() {
            return Ok(ExitCode::SUCCESS);
        }
    }
    if let Some(mut subscription) = client.watch().await {
        while let Some(update) = subscription.next().await {
            let Some(event) = event(update) else { continue };
            if out.print(event).await.is_err() {
                // Nobody reads it any more.
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
    match connection.ended().await {
        End::Closed => {
            let _ = out.print(Event::of("end")).await;
            Ok(ExitCode::SUCCESS)
        }
        end => Err(format!("the session {name} may go on, and is not heard of: {end}")),
    }
}

/// The session of this name, if it lives; who asks so keeps it alive no longer.
fn open(name: &SessionName) -> Open {
    Open {
        wanted: Wanted::Named { name: name.to_string(), start: false },
        options: SessionOptions::default(),
        hello: Hello::new(Role::Status, "events"),
    }
}

/// Where the lines go.
struct Out {
    out: Stdout,
    session: String,
}

impl Out {
    async fn print(&mut self, event: Event) -> io::Result<()> {
        let line = line(&remote::utc_now(), &self.session, &event)?;
        self.out.write_all(line.as_bytes()).await?;
        self.out.flush().await
    }
}

/// Something that happened.
#[derive(Debug, Serialize)]
struct Event {
    event: &'static str,
    /// What goes with it.
    #[serde(flatten)]
    fields: Value,
}

impl Event {
    /// One of which there is no more to say.
    fn of(event: &'static str) -> Event {
        Event { event, fields: json!({}) }
    }
}

/// One line, in which no character is one that a terminal would obey: JSON lets DEL and C1 (ECMA-48)
/// stand as they are.
fn line(time: &str, session: &str, event: &Event) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Line<'a> {
        time: &'a str,
        session: &'a str,
        #[serde(flatten)]
        event: &'a Event,
    }
    let text = serde_json::to_string(&Line { time, session, event })?;
    let mut line = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        match c.is_control() {
            true => line += &format!("\\u{:04x}", u32::from(c)),
            false => line.push(c),
        }
    }
    line.push('\n');
    Ok(line)
}

/// What happened; `None` of what is on the screen.
fn event(update: ScreenUpdate) -> Option<Event> {
    Some(match update {
        ScreenUpdate::Standing(standing) => {
            Event { event: "state", fields: json!(state(standing)) }
        }
        ScreenUpdate::Did { client, deed } => match deed.words() {
            (event, "") => Event { event, fields: json!({"client": client}) },
            (event, text) => Event { event, fields: json!({"client": client, "text": text}) },
        },
        ScreenUpdate::Hands(Hands { holder, approver, needed, .. }) => {
            let needed =
                needed.map(|Needed { why, asked_by }| json!({"why": why, "asked_by": asked_by}));
            let fields = json!({"holder": holder, "approver": approver, "needed": needed});
            Event { event: "hands", fields }
        }
        ScreenUpdate::Attached(Attachment { file, mime, .. }) => {
            let path = match file.place {
                FilePlace::At(path) => Some(path),
                FilePlace::Failed(_) | FilePlace::Nowhere => None,
            };
            let fields = json!({"file": file.name, "mime": mime, "path": path});
            Event { event: "attached", fields }
        }
        ScreenUpdate::Here(here) => {
            let member = |Present { name, looks_on, is_person, .. }| {
                let role = if looks_on { "observer" } else { "client" };
                json!({"name": name, "role": role, "person": is_person})
            };
            let members: Vec<Value> = here.into_iter().map(member).collect();
            Event { event: "here", fields: json!({"members": members}) }
        }
        ScreenUpdate::Missed => Event::of("missed"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{reply::Deed, screen::Size, session::pipeline::Standing};

    fn printed(update: ScreenUpdate) -> String {
        event(update).map(|event| line("T", "work", &event).unwrap()).unwrap_or_default()
    }

    #[test]
    fn each_is_one_object_on_one_line() {
        let elapsed = Duration::from_millis(1500);
        let running = Standing::Running { elapsed, client: "a".into() };
        assert_eq!(
            printed(ScreenUpdate::Standing(running)),
            "{\"time\":\"T\",\"session\":\"work\",\"event\":\"state\",\"client\":\"a\",\
             \"since_ms\":1500,\"state\":\"running\"}\n"
        );
        let deed = Deed::Answered { text: None };
        assert_eq!(
            printed(ScreenUpdate::Did { client: "a".into(), deed }),
            "{\"time\":\"T\",\"session\":\"work\",\"event\":\"answered\",\"client\":\"a\"}\n"
        );
        let size = Size::default();
        assert_eq!(printed(ScreenUpdate::Repaint { size, bytes: Vec::new() }), "");
    }

    #[test]
    fn nothing_in_it_moves_a_cursor() {
        let source = "a\x1b[2J\n\u{9b}2J\x7f\u{85}é".to_owned();
        let deed = Deed::Ran { source: source.clone() };
        let line = printed(ScreenUpdate::Did { client: String::new(), deed });
        assert!(!line.trim_end_matches('\n').contains(char::is_control), "{line:?}");
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["text"], source);
    }
}
