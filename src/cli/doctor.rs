//! `mcp-repl doctor`: which Python is chosen, why, and whether a session with it works.

use std::{io::Write, process::ExitCode, time::Duration};

use mcp_repl_sideband::ToServer;

use super::runtime;
use crate::{
    screen::Size,
    session::{
        launch::{Home, Target, WorkerProgram},
        state::Paging,
        worker::{Worker, WorkerEvent},
    },
};

/// How long a worker may take to become ready before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(20);

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
    let resolved = target.resolve()?;
    match &resolved.program {
        WorkerProgram::Python(file) => report.row("python", file.display().to_string()),
        WorkerProgram::Custom(file, _) => report.row("worker", file.display().to_string()),
    }
    report.row("chosen by", resolved.reason);
    for note in resolved.passed_over {
        report.row("passed over", note);
    }
    let mut home = Home::new().map_err(|error| format!("no private directory: {error}"))?;
    report.row("directory", home.path().display().to_string());
    let launch =
        home.launch(&resolved.program, Paging::Through).map_err(|error| error.to_string())?;
    runtime()?.block_on(async {
        let mut worker =
            Worker::start(launch, Size::default()).map_err(|error| error.to_string())?;
        report.row("terminal", "ok");
        let ready = tokio::time::timeout(PATIENCE, become_ready(&mut worker, report)).await;
        let result = ready
            .unwrap_or_else(|_| Err(format!("not ready after {} seconds", PATIENCE.as_secs())));
        let mut printed = String::new();
        worker.screen.report(&mut printed);
        if !printed.trim().is_empty() {
            report.row("it printed", printed);
        }
        worker.kill();
        worker.sweep().await;
        result
    })
}

async fn become_ready(worker: &mut Worker, report: &mut Report) -> Result<(), String> {
    loop {
        match worker.next().await {
            WorkerEvent::Message(ToServer::Hello {
                implementation, version, executable, ..
            }) => {
                report.row("sideband", "ok");
                report.row("version", format!("{implementation} {version} ({executable})"));
            }
            WorkerEvent::Message(ToServer::Ready { .. }) => {
                report.row("extension", "ok");
                return Ok(());
            }
            WorkerEvent::Message(_) | WorkerEvent::Output => {}
            WorkerEvent::Broken(why) => return Err(why),
            WorkerEvent::Ended { exit, .. } => {
                return Err(format!("it ended while it started: {exit}"));
            }
        }
    }
}
