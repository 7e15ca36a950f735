//! Parts of long outputs that were kept: which one is asked for, and what is read of it.

mod read;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use regex::bytes::{Regex, RegexBuilder};
use tokio::sync::{Semaphore, oneshot};

use read::read;

/// How long a file is read before what was found is shown.
const READING_TIME: Duration = Duration::from_secs(10);
/// How long the disk has beyond that.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many files are read at once; more wait.
const MOST_AT_ONCE: usize = 4;
/// The most that a compiled regular expression may take, in bytes.
const LARGEST_REGEX: usize = 1 << 20;
/// The most that is shown at once, in characters, whatever a client has room for.
const MOST_SHOWN: usize = 1 << 20;

/// Reads parts of long outputs, each in a thread: a disk that hangs costs an answer, and never
/// hangs the session.
#[derive(Debug)]
pub(super) struct Shows {
    readers: Arc<Semaphore>,
}

/// Which part of an output, and of which.
#[derive(Debug)]
struct Wanted {
    /// Its number; `None` for the last one.
    output: Option<u64>,
    part: Part,
}

/// A part of an output.
#[derive(Debug)]
enum Part {
    /// From one line to another, counted from 1.
    Lines { first: u64, last: u64 },
    /// The lines that match, from a line on.
    Matches { regex: Regex, from: u64 },
    /// So many lines at the end.
    Tail { lines: u64 },
}

/// Why nothing is shown.
#[derive(Debug, thiserror::Error)]
enum ShowError {
    #[error(
        r#"`show` takes "lines 2000-2100", "/regex/" (or "/regex/ from 2000") or "tail 200", with "output-3 " in front where it is not the last long output that is meant; not {0:?}"#
    )]
    NotAPart(String),
    #[error("the regular expression can't be used: {0}")]
    BadRegex(String),
    #[error(
        r#"no reply to this client has left anything out yet; another output is named by its number: "output-3 lines 1-100""#
    )]
    NoneYet,
    #[error("{0} is not there: it was deleted to make room for newer ones, or never was")]
    Gone(String),
    #[error("{name} ends with line {lines}")]
    BehindEnd { name: String, lines: u64 },
    #[error("{name} can't be read: {error}")]
    Io { name: String, error: std::io::Error },
    #[error("{0} can't be read: the disk does not answer")]
    NoAnswer(String),
}

impl Default for Shows {
    fn default() -> Shows {
        Shows { readers: Arc::new(Semaphore::new(MOST_AT_ONCE)) }
    }
}

impl Shows {
    /// Answers with a part of an output in `directory`, in at most `room` characters and a few
    /// lines of its own. `last` is that of the last long reply to who asks.
    pub(super) fn show(
        &self,
        part: &str,
        directory: &Path,
        last: Option<PathBuf>,
        room: usize,
        answer: oneshot::Sender<Result<String, String>>,
    ) {
        let wanted = match Wanted::parse(part) {
            Ok(wanted) => wanted,
            Err(error) => {
                let _ = answer.send(Err(error.to_string()));
                return;
            }
        };
        let numbered = wanted.output.map(|number| directory.join(format!("output-{number}.txt")));
        let Some(path) = numbered.or(last) else {
            let _ = answer.send(Err(ShowError::NoneYet.to_string()));
            return;
        };
        let readers = self.readers.clone();
        tokio::spawn(async move {
            let Ok(_turn) = readers.acquire_owned().await else { return };
            let shown = shown(path, wanted.part, room.min(MOST_SHOWN)).await;
            let _ = answer.send(shown.map_err(|error| error.to_string()));
        });
    }
}

/// Reads a part of a file in a thread.
async fn shown(path: PathBuf, part: Part, room: usize) -> Result<String, ShowError> {
    let name = name_of(&path);
    let (done, is_done) = oneshot::channel();
    let reader = std::thread::Builder::new().name("show".into());
    // Without a thread nothing is sent, which is seen below.
    let _ = reader.spawn(move || {
        let _ = done.send(read(&path, &part, room, Instant::now() + READING_TIME));
    });
    match tokio::time::timeout(READING_TIME + PATIENCE, is_done).await {
        Ok(Ok(shown)) => shown,
        Ok(Err(_)) | Err(_) => Err(ShowError::NoAnswer(name)),
    }
}

/// What a client knows a file by.
fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

impl Wanted {
    fn parse(text: &str) -> Result<Wanted, ShowError> {
        let mut rest = text.trim();
        let mut output = None;
        if let Some(numbered) = rest.strip_prefix("output-") {
            let (name, part) = numbered.split_once(char::is_whitespace).unwrap_or((numbered, ""));
            output = number(name.trim_end_matches(".txt"));
            if output.is_none() {
                return Err(ShowError::NotAPart(text.into()));
            }
            rest = part.trim();
        }
        let part = if let Some(pattern) = rest.strip_prefix('/') {
            Part::parse_matches(pattern)?
        } else {
            Part::parse_lines(rest)
        };
        let part = part.ok_or_else(|| ShowError::NotAPart(text.into()))?;
        Ok(Wanted { output, part })
    }
}

impl Part {
    fn parse_lines(text: &str) -> Option<Part> {
        let (word, numbers) = text.split_once(char::is_whitespace)?;
        let numbers = numbers.trim();
        match word {
            "tail" => Some(Part::Tail { lines: number(numbers)? }),
            "line" | "lines" => {
                let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
                let first = number(first.trim())?;
                let last = match last.trim() {
                    "" => u64::MAX,
                    last => number(last)?,
                };
                (first <= last).then_some(Part::Lines { first, last })
            }
            _ => None,
        }
    }

    /// What stands behind the first slash.
    fn parse_matches(text: &str) -> Result<Option<Part>, ShowError> {
        let Some((pattern, from)) = text.rsplit_once('/') else { return Ok(None) };
        let from = match from.trim() {
            "" => Some(1),
            from => from.strip_prefix("from").and_then(|from| number(from.trim())),
        };
        let Some(from) = from.filter(|_| !pattern.is_empty()) else { return Ok(None) };
        let built = RegexBuilder::new(pattern)
            .size_limit(LARGEST_REGEX)
            .dfa_size_limit(LARGEST_REGEX)
            .build();
        match built {
            Ok(regex) => Ok(Some(Part::Matches { regex, from })),
            Err(error) => {
                // What is wrong stands behind a drawing of where.
                let error = error.to_string();
                let why = error.lines().last().unwrap_or_default();
                Err(ShowError::BadRegex(why.trim_start_matches("error: ").to_owned()))
            }
        }
    }
}

/// A number from 1.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|&number| number > 0)
}

#[cfg(test)]
mod tests;
