//! `mcp-repl doctor`: which Python is chosen, why, and whether a session with it works.

use std::{io::Write, process::ExitCode, time::Duration};

use super::{config, with_session};
use crate::{
    reply::{Block, Reply, Status},
    session::{
        client::{Handle, Request},
        launch::Target,
        rules::{payload::Payload, state::Paging},
    },
};

/// How long a worker may take to become ready before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most that is shown of what a broken worker printed, in bytes.
const LONGEST_TEXT: usize = 20_000;

/// What was found out, a row a line.
#[derive(Debug, Default)]
struct Report {
    rows: Vec<(&'static str, String)>,
}

impl Report {
    fn row(&mut self, name: &'static str, value: impl Into<String>) {
        self.rows.push((name, value.into()));
    }

    fn print(&self) {
        let mut out = std::io::stdout().lock();
        for (name, value) in &self.rows {
            let mut name = *name;
            for line in value.lines() {
                let _ = writeln!(out, "{name:<12}{line}");
                name = "";
            }
        }
    }
}

/// Prints the report. The exit status is 1 when a session could not start.
pub(super) fn doctor(target: &Target) -> Result<ExitCode, String> {
    let mut report = Report::default();
    report.row("mcp-repl", env!("CARGO_PKG_VERSION"));
    let result = examine(target, &mut report);
    match &result {
        Ok(()) => report.row("session", "ok"),
        Err(why) => report.row("session", format!("FAILED: {why}")),
    }
    report.print();
    Ok(if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn examine(target: &Target, report: &mut Report) -> Result<(), String> {
    let resolved = target.resolve().map_err(|error| error.to_string())?;
    let file = resolved.program.file.display().to_string();
    report.row(if matches!(target, Target::Python(_)) { "python" } else { "worker" }, file);
    report.row("chosen by", resolved.reason);
    for note in resolved.passed_over {
        report.row("passed over", note);
    }
    let config = config(target.clone(), Paging::Through, LONGEST_TEXT)?;
    report.row("directory", config.runtime.path().display().to_string());
    let mut result = Err(String::new());
    with_session(config, async |session: Handle| {
        result = try_session(&session, report).await;
        Ok(ExitCode::SUCCESS)
    })?;
    result
}

async fn try_session(session: &Handle, report: &mut Report) -> Result<(), String> {
    let client = session.join();
    let poll = Request { payload: Payload::poll(), timeout: PATIENCE, progress: None };
    let reply = client.call(poll).await.ok_or("the session is gone")?;
    if let Some(worker) = session.worker().await {
        report.row("terminal", "ok");
        report.row("sideband", "ok");
        let (implementation, version) = (worker.implementation, worker.version);
        report.row("version", format!("{implementation} {version} ({})", worker.executable));
    }
    let result = match &reply.status {
        Status::Ready { .. } => {
            report.row("extension", "ok");
            Ok(())
        }
        Status::Failed { failure } => Err(failure.to_string()),
        Status::Busy { .. } => Err(format!("not ready after {} seconds", PATIENCE.as_secs())),
        status => Err(format!("not ready, but {status:?}")),
    };
    if result.is_err() {
        report.row("it printed", printed(reply));
    }
    result
}

/// What the program printed.
fn printed(mut reply: Reply) -> String {
    reply.content.retain(|part| matches!(part, crate::reply::Content::Text(_)));
    let text = |block| match block {
        Block::Text(text) => text,
        Block::Image { .. } => String::new(),
    };
    reply.merged().into_iter().map(text).collect::<String>().trim_end().to_owned()
}
