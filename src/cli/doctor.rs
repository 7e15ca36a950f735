//! `mcp-repl doctor`: which Python is chosen, why, whether a session with it works, which sessions
//! live, in which clients the server is configured, and what a client would get.

mod as_a_client;
mod clients;
mod sandbox;

use std::{ffi::OsStr, io::Write, path::Path, process::ExitCode, time::Duration};

use super::{
    config,
    config::state,
    ls,
    sessions::{self, with_registry},
    settings::{Found, NotInUse},
    with_session,
};
use crate::{
    install::Surroundings,
    reply::{Block, Failure, Reply, Status, printable},
    session::{
        client::{Handle, Request},
        launch::{Target, python::PythonSearch},
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
    /// The worker's `sys.executable`, once it runs.
    executable: Option<String>,
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

/// Why a session with a program does not work.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The program can't be executed, or ends before it is ready.
    #[error("{0}")]
    DoesNotRun(String),
    #[error("{0}")]
    Failed(String),
    #[error("not ready after {} seconds", PATIENCE.as_secs())]
    Late,
    #[error("the session is gone")]
    Gone,
}

/// Prints the report. The exit status is 1 when a session could not start, or could not be listed, or a
/// client would get none. `python` is the one that was asked for.
pub(super) fn doctor(
    target: &Target,
    python: Option<&Path>,
    found: Option<&Found>,
    not_in_use: &[NotInUse],
) -> Result<ExitCode, String> {
    let mut report = Report::default();
    report.row("mcp-repl", env!("CARGO_PKG_VERSION"));
    let are_files_right = found.is_none_or(|found| settings(found, not_in_use, &mut report));
    let result = examine(target, &mut report);
    match &result {
        Ok(()) => report.row("session", "ok"),
        Err(why) => report.row("session", format!("FAILED: {why}")),
    }
    // Of one that does not work without it there is nothing to be learnt.
    if result.is_ok() {
        let python = report.executable.as_deref().map(|file| PythonSearch::named(file.into()));
        let target = match (target, python) {
            (Target::Python(_), Some(python)) => Target::Python(python),
            (target, _) => target.clone(),
        };
        sandbox::examine(&target, &mut report);
    }
    sandbox::limits(&mut report);
    let listed = list(&mut report);
    if let Err(why) = &listed {
        report.row("sessions", format!("FAILED: {why}"));
    }
    if let Some(around) = Surroundings::of_process() {
        let lines = clients::lines(&around);
        report.row("clients", if lines.is_empty() { "none".into() } else { lines.join("\n") });
    }
    let is_served = match (target, &result) {
        (Target::Python(_), Ok(())) => try_as_a_client(python, &mut report),
        _ => true,
    };
    report.print();
    let all_well = result.is_ok() && listed.is_ok() && is_served && are_files_right;
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether the files of settings are right.
fn settings(found: &Found, not_in_use: &[NotInUse], report: &mut Report) -> bool {
    let problems = found.problems();
    let files = found.files.all().map(|file| {
        format!(
            "{} ({}): {}",
            printable(&file.path.to_string_lossy()),
            file.level.name(),
            state(file)
        )
    });
    let mut lines: Vec<String> = files.collect();
    lines.extend(not_in_use.iter().map(NotInUse::to_string));
    lines.extend(problems.iter().map(|problem| format!("FAILED: {problem}")));
    let none = "no files; mcp-repl config shows what holds";
    report.row("settings", if lines.is_empty() { none.into() } else { lines.join("\n") });
    problems.is_empty()
}

/// Whether a client that hands down nothing of its environment has its calls answered.
fn try_as_a_client(python: Option<&Path>, report: &mut Report) -> bool {
    let options: Vec<&OsStr> =
        python.iter().flat_map(|python| [OsStr::new("--python"), python.as_os_str()]).collect();
    let result = as_a_client::python_of_a_client(&options, PATIENCE);
    let text = match &result {
        Ok((python, took)) if report.executable.as_ref() == Some(python) => {
            format!("ok, a first call took {} ms", took.as_millis())
        }
        Ok((python, _)) => format!(
            "ok, with another Python: {python} is what a client gets that hands down no environment; \
             `--python` names one"
        ),
        Err(why) => format!("FAILED without an environment: {why}"),
    };
    report.row("as a client", text);
    result.is_ok()
}

/// Where the sessions of this user are listed, and those that live.
fn list(report: &mut Report) -> Result<(), String> {
    with_registry(async |registry| {
        report.row("listed in", registry.path().display().to_string());
        let lines: Vec<String> = sessions::all(&registry).await.iter().map(ls::line).collect();
        report.row("sessions", if lines.is_empty() { "none".into() } else { lines.join("\n") });
    })
}

fn examine(target: &Target, report: &mut Report) -> Result<(), String> {
    let mut resolved = target.resolve().map_err(|error| error.to_string())?;
    let runs_python = matches!(target, Target::Python(_));
    let mut passed_over = Vec::new();
    loop {
        passed_over.append(&mut resolved.passed_over);
        let file = resolved.program.file.clone();
        // This one alone, so that what is wrong with it is seen.
        let target = match target {
            Target::Python(_) => Target::Python(PythonSearch::named(file.clone())),
            Target::Script(..) | Target::Custom(..) | Target::Program(..) => target.clone(),
        };
        let mut tried = Report::default();
        tried.row(if runs_python { "python" } else { "worker" }, file.display().to_string());
        tried.row("chosen by", resolved.reason.clone());
        let config = config(target, Paging::Through, LONGEST_TEXT)?;
        tried.row("directory", config.runtime.path().display().to_string());
        let mut result = Ok(());
        with_session(config, async |session: Handle| {
            result = try_session(&session, &mut tried).await;
            Ok(ExitCode::SUCCESS)
        })?;
        let next = match &result {
            Err(Trouble::DoesNotRun(why)) => resolved.next(why),
            _ => None,
        };
        let Some(next) = next else {
            report.rows.append(&mut tried.rows);
            report.executable = tried.executable;
            passed_over.into_iter().for_each(|note| report.row("passed over", note));
            return result.map_err(|trouble| trouble.to_string());
        };
        resolved = next;
    }
}

async fn try_session(session: &Handle, report: &mut Report) -> Result<(), Trouble> {
    let client = session.join();
    let reply = client.call(Request::new(Payload::poll(), PATIENCE)).await.ok_or(Trouble::Gone)?;
    if let Some(worker) = session.worker().await {
        report.row("terminal", "ok");
        report.row("sideband", "ok");
        let (implementation, version) = (worker.implementation, worker.version);
        report.row("version", format!("{implementation} {version} ({})", worker.executable));
        report.executable = Some(worker.executable);
    }
    let result = match &reply.status {
        Status::Ready { .. } => {
            report.row("extension", "ok");
            Ok(())
        }
        Status::Failed {
            failure: failure @ (Failure::EndedAtStart { .. } | Failure::NotStarted { .. }),
        } => Err(Trouble::DoesNotRun(failure.to_string())),
        Status::Failed { failure } => Err(Trouble::Failed(failure.to_string())),
        Status::Busy { .. } => Err(Trouble::Late),
        Status::StartWaits { .. } => {
            Err(Trouble::Failed("its start waits for input: `sitecustomize` asks, say".to_owned()))
        }
        status => Err(Trouble::Failed(format!("not ready, but {status:?}"))),
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
