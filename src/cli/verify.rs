//! `mcp-repl verify`: whether recorded sessions still give what they gave.

mod live;
mod report;

use std::{
    fs::{self, File},
    io::{self, BufReader, Write},
    num::NonZero,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use clap::Args;

use self::report::Verified;
use super::WorkerArguments;
use crate::{
    session::recording::Recording,
    terminal,
    verify::{
        diff::{Paint, diff},
        recorded::{self, Difference, Problem},
    },
};

/// What stands beside a recording has its name and this end.
const EXPECTED: &str = "reply.txt";

/// The arguments of `verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// Recordings of sessions (`.cast`), which are replayed, scripts in Markdown (`.md`), which are
    /// run, and directories, in which all are looked for.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write what they give as what is expected from now on.
    #[arg(long)]
    accept: bool,
    /// How many are looked at side by side; as many as there are processors without it.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Write a report for a CI, as JUnit has it.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Looks at all of them. The exit status is 1 where one is not as it should be.
pub(super) fn verify(
    worker: &WorkerArguments,
    arguments: &VerifyArguments,
) -> Result<ExitCode, String> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        find(path, path, &mut files).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Err(
            "there is no recording (`.cast`) and no script (`.md`) in what was named".into()
        );
    }
    let started = Instant::now();
    let paint = match terminal::takes_colors() {
        true => Paint::Colors,
        false => Paint::Plain,
    };
    let jobs = arguments.jobs.or_else(|| std::thread::available_parallelism().ok());
    let verified = in_parallel(&files, jobs.map_or(1, NonZero::get), |file| {
        let started = Instant::now();
        let result = match is_markdown(file) {
            true => live::one(file, worker, arguments.accept, paint),
            false => one(file, arguments.accept, paint),
        };
        Verified { file: file.clone(), result, took: started.elapsed() }
    });
    let told = report::text(&verified, started.elapsed());
    // Who reads it may be gone, which is no reason to say that something is wrong.
    let _ = io::stdout().lock().write_all(told.as_bytes());
    if let Some(file) = &arguments.junit {
        let report = report::junit(&verified, started.elapsed())?;
        fs::write(file, report).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let is_fine = verified.iter().all(|one| one.result.is_ok());
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Adds the recordings below a path. One that was named by itself is taken whatever its name is.
fn find(path: &Path, named: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        let is_script = || is_markdown(path) && !matches!(live::read(path), Ok(None));
        if path == named || path.extension().is_some_and(|end| end == "cast") || is_script() {
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

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "md")
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
            files.get(n).map(|file| (n, file))
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

/// Whether a recording is as it should be; else what is wrong, in lines.
fn one(file: &Path, accepts: bool, paint: Paint) -> Result<(), String> {
    let lines = File::open(file).map_err(|error| error.to_string())?;
    let recording = Recording::read(BufReader::new(lines)).map_err(|error| error.to_string())?;
    let place = file.with_extension(EXPECTED);
    let expected = match fs::read_to_string(&place) {
        Ok(expected) => Some(expected),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("{}: {error}", place.display())),
    };
    let mut problems = recorded::check(&recording, expected.as_deref());
    if accepts {
        let is_settled = |problem: &Problem| {
            matches!(problem, Problem::Unexpected(_) | Problem::NothingExpected)
        };
        let count = problems.len();
        problems.retain(|problem| !is_settled(problem));
        if problems.len() < count {
            fs::write(&place, recorded::text(&recording))
                .map_err(|error| format!("{}: {error}", place.display()))?;
        }
    }
    let told = problems.iter().map(|problem| words(problem, &place, paint));
    let told: String = told.collect();
    if told.is_empty() { Ok(()) } else { Err(told) }
}

fn words(problem: &Problem, place: &Path, paint: Paint) -> String {
    let place = place.display();
    let (line, difference) = match problem {
        Problem::Empty => {
            ("nothing in it can fail: no call was answered, and nothing printed".into(), None)
        }
        Problem::Replies(difference) => {
            ("its replay gives other replies than were recorded".to_owned(), Some(difference))
        }
        Problem::Cuts(difference) => {
            ("what comes of it depends on where reads of the terminal end".into(), Some(difference))
        }
        Problem::Unexpected(difference) => (format!("it differs from {place}"), Some(difference)),
        Problem::NothingExpected => {
            (format!("there is no {place}, which says what is expected; --accept writes it"), None)
        }
    };
    let difference = difference
        .map(|Difference { expected, found }| diff(expected, found, paint))
        .unwrap_or_default();
    format!("{line}\n{difference}")
}
