//! `mcp-repl verify`: whether recorded sessions still give what they gave, and scripts what they say.

mod recordings;
mod report;
mod scripts;
mod sessions;

pub(super) use scripts::record;

use std::{
    fs,
    io::{self, Write},
    num::NonZero,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use clap::Args;

use self::{
    report::{Outcome, Verified},
    sessions::Live,
};
use super::{
    WorkerArguments,
    sandbox_options::{SandboxArguments, sandbox},
};
use crate::{
    remote::Place,
    sandbox::Mode,
    terminal,
    verify::{diff::Paint, markdown::is_script},
};

/// The arguments of `verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// Recordings of sessions (`.cast`), scripts (`.md`), and directories, in which all recordings are
    /// looked for, and all Markdown files that have a `reply` block.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write what they give as what is expected from now on: beside a recording, in a script in place.
    #[arg(long)]
    accept: bool,
    /// Send what was sent in recordings to a session that runs, too, and compare the replies with the
    /// recorded ones. Scripts are always run.
    #[arg(long, conflicts_with = "accept")]
    live: bool,
    /// How many are looked at side by side; as many as there are processors without it.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Write a report for a CI, as JUnit has it.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    pub(super) sandbox: SandboxArguments,
}

impl VerifyArguments {
    /// Whether sessions are run in this process, as far as the arguments tell.
    pub(super) fn holds_sessions(&self) -> bool {
        self.live || self.paths.iter().any(|path| is_markdown(path) || path.is_dir())
    }
}

/// Looks at all of them. The exit status is that of the worst one: 2 for what can't be read, else 1 for
/// what differs, else 3 for what did not come in its time.
pub(super) fn verify(
    arguments: &VerifyArguments,
    worker: &WorkerArguments,
) -> Result<ExitCode, String> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        find(path, path, &mut files).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Err(
            "there is no recording (`.cast`) and no script (`.md` with a `reply` block) in \
                    what was named"
                .into(),
        );
    }
    let settings = arguments.sandbox.settings(Mode::Off, &Place::Here)?;
    let mut live = Live::new(worker.target()?);
    live.sandbox = sandbox(settings, None);
    let started = Instant::now();
    let paint = match terminal::takes_colors() {
        true => Paint::Colors,
        false => Paint::Plain,
    };
    let jobs = arguments.jobs.or_else(|| std::thread::available_parallelism().ok());
    let verified = in_parallel(&files, jobs.map_or(1, NonZero::get), |file| {
        let started = Instant::now();
        let outcome = if is_markdown(file) {
            scripts::verify(file, &live, arguments.accept, paint)
        } else if arguments.live {
            recordings::verify_live(file, &live, paint)
        } else {
            recordings::verify(file, arguments.accept, paint)
        };
        Verified { file: file.clone(), outcome, took: started.elapsed() }
    });
    let told = report::text(&verified, started.elapsed());
    // Who reads it may be gone, which is no reason to say that something is wrong.
    let _ = io::stdout().lock().write_all(told.as_bytes());
    if let Some(file) = &arguments.junit {
        let report = report::junit(&verified, started.elapsed())?;
        fs::write(file, report).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(ExitCode::from(status(verified.iter().map(|one| &one.outcome))))
}

fn status<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> u8 {
    // The order is that in which they count.
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Passed | Outcome::Skipped(_) => (0, 0),
        Outcome::TimedOut(_) => (1, 3),
        Outcome::Differs(_) => (2, 1),
        Outcome::Unreadable(_) => (3, 2),
    };
    outcomes.map(rank).max().map_or(0, |(_, status)| status)
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "md")
}

fn is_in_directory(path: &Path) -> bool {
    match path.extension() {
        Some(end) if end == "cast" => true,
        _ if is_markdown(path) => fs::read_to_string(path).is_ok_and(|text| is_script(&text)),
        _ => false,
    }
}

/// Adds the recordings and scripts below a path. One that was named by itself is taken whatever its name is.
fn find(path: &Path, named: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        if path == named || is_in_directory(path) {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        // A link may lead back here.
        if !entry.file_type()?.is_symlink() {
            find(&entry.path(), named, files)?;
        }
    }
    Ok(())
}

/// What `check` says of each, in their order.
fn in_parallel<T: Send>(
    files: &[PathBuf],
    jobs: usize,
    check: impl Fn(&PathBuf) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some((n, file)) = {
            let n = next.fetch_add(1, Ordering::Relaxed);
            files.get(n).filter(|_| !sessions::is_stopped()).map(|file| (n, file))
        } {
            done.push((n, check(file)));
        }
        done
    };
    let mut all = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.min(files.len())).map(|_| scope.spawn(work)).collect();
        let done = threads.into_iter().flat_map(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done.collect::<Vec<_>>()
    });
    all.sort_by_key(|(n, _)| *n);
    all.into_iter().map(|(_, verified)| verified).collect()
}
