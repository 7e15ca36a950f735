//! Where sessions are recorded, as the command line says it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use clap::{ArgAction, Args};
use mcp_repl_control::SessionOptions;

use crate::{cast::Version, remote, session::recording::RecordingFile};

/// What the names of recordings end with.
const END: &str = ".cast";
/// What is said where a place on another machine is not named by its whole path.
pub(super) const RELATIVE: &str =
    "--record names a directory of the machine that the session is on, by its whole path";
/// The most recordings of sessions of one name that began in the same millisecond.
const MOST_NUMBERED: usize = 1000;

/// Whether and how sessions are recorded.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct RecordArguments {
    /// Record each session in a file of its own in this directory, from its start:
    /// `NAME-TIME.cast` (asciicast), which `mcp-repl replay` shows. What ends in `.cast` is the file
    /// itself, which must not be there.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    #[command(flatten)]
    how: HowArguments,
}

/// How a session is recorded.
#[derive(Debug, Clone, Args)]
pub(super) struct HowArguments {
    /// Whether a recording has what is typed and sent (`yes`), or only what is shown (`no`). Secrets,
    /// typed where the terminal does not show it, are in none.
    #[arg(long, value_name = "WHETHER", default_value = "yes",
          action = ArgAction::Set, value_parser = yes_or_no)]
    record_input: bool,
    /// The version of asciicast that is recorded: `v3`, or `v2`, for old players; that can't be
    /// replayed as a session.
    #[arg(long, value_name = "VERSION", default_value = "v3", value_parser = version)]
    record_format: Version,
}

impl Default for HowArguments {
    fn default() -> HowArguments {
        HowArguments { record_input: true, record_format: Version::V3 }
    }
}

impl RecordArguments {
    /// A session is recorded in this file.
    pub(super) fn in_file(file: &Path, how: &HowArguments) -> Result<RecordArguments, String> {
        if !is_recording(file) {
            return Err(format!("{}: the name of a recording ends in {END}", file.display()));
        }
        Ok(RecordArguments { record: Some(file.to_owned()), how: how.clone() })
    }

    /// Whether sessions are recorded.
    pub(super) fn is_given(&self) -> bool {
        self.record.is_some()
    }

    /// Where recordings are: their directory, or the file of the only one.
    pub(super) fn place(&self) -> Option<PathBuf> {
        self.record.as_deref().map(absolute)
    }

    /// Whether it is one file that is named, and no directory.
    pub(super) fn is_file(&self) -> bool {
        self.place().is_some_and(|place| is_recording(&place))
    }

    /// The directory that recordings are made in; it is made.
    pub(super) fn directory(&self) -> Result<Option<PathBuf>, String> {
        let Some(place) = self.place() else { return Ok(None) };
        let directory = match place.parent() {
            Some(parent) if is_recording(&place) => parent.to_owned(),
            _ => place,
        };
        fs::create_dir_all(&directory)
            .map_err(|error| format!("no directory {}: {error}", directory.display()))?;
        Ok(Some(directory))
    }

    /// Whether a place on another machine is meant by what is a place here.
    pub(super) fn is_relative(&self) -> bool {
        self.record.as_ref().is_some_and(|path| path.is_relative())
    }

    /// Adds how sessions are recorded to what a host is told.
    pub(super) fn add_to(&self, options: &mut SessionOptions) {
        let Some(directory) = &self.record else { return };
        options.record = Some(absolute(directory).to_string_lossy().into_owned());
        options.record_input = (!self.how.record_input).then_some(false);
        options.record_format = match self.how.record_format {
            Version::V3 => None,
            Version::V2 => Some("v2".into()),
        };
    }

    /// The file of a session of this name, whose directory is made; `None` where it is not to be
    /// recorded.
    pub(super) fn file(&self, name: &str) -> Result<Option<RecordingFile>, String> {
        let (Some(place), Some(directory)) = (self.place(), self.directory()?) else {
            return Ok(None);
        };
        if is_recording(&place) {
            if place.exists() {
                return Err(format!("{} is there already", place.display()));
            }
            return Ok(Some(self.how.file(place, Some(name.to_owned()))));
        }
        let now = file_time(&remote::utc_now());
        let path = |end: String| directory.join(format!("{name}-{now}{end}{END}"));
        let ends = (1..MOST_NUMBERED).map(|n| if n == 1 { String::new() } else { format!("-{n}") });
        let free = ends.map(path).find(|path| !path.exists());
        let path = free.unwrap_or_else(|| path(format!("-{MOST_NUMBERED}")));
        Ok(Some(self.how.file(path, Some(name.to_owned()))))
    }
}

impl HowArguments {
    /// Whether a recording has what is sent and typed.
    pub(super) fn records_input(&self) -> bool {
        self.record_input
    }

    /// A recording in this file.
    pub(super) fn file(&self, path: PathBuf, title: Option<String>) -> RecordingFile {
        let HowArguments { record_input, record_format } = *self;
        RecordingFile { path, records_input: record_input, version: record_format, title }
    }
}

/// What a host was told of it.
///
/// # Errors
/// In the words of the command line.
pub(super) fn of_options(options: &SessionOptions) -> Result<RecordArguments, String> {
    let record_format = match &options.record_format {
        None => Version::V3,
        Some(word) => version(word)
            .map_err(|why| format!("invalid value '{word}' for '--record-format': {why}"))?,
    };
    let record_input = options.record_input.unwrap_or(true);
    let how = HowArguments { record_input, record_format };
    Ok(RecordArguments { record: options.record.as_ref().map(PathBuf::from), how })
}

/// Whether a path is the file of a recording, and no directory of them.
fn is_recording(path: &Path) -> bool {
    path.to_string_lossy().ends_with(END)
}

fn absolute(path: &Path) -> PathBuf {
    env::current_dir().map_or_else(|_| path.to_owned(), |here| here.join(path))
}

/// A time in UTC as names of files have it on all systems.
fn file_time(time: &str) -> String {
    time.replace(':', "-")
}

fn yes_or_no(value: &str) -> Result<bool, String> {
    match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("it is one of `yes` and `no`".into()),
    }
}

/// A version of asciicast.
pub(super) fn version(value: &str) -> Result<Version, String> {
    match value {
        "v2" | "2" => Ok(Version::V2),
        "v3" | "3" => Ok(Version::V3),
        _ => Err("it is one of `v3` and `v2`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_session_and_start_and_never_overwritten() {
        assert_eq!(file_time("2026-11-26T20:18:14.250Z"), "2026-11-26T20-18-14.250Z");
        let directory = tempfile::tempdir().unwrap();
        let record = RecordArguments {
            record: Some(directory.path().join("new")),
            how: HowArguments::default(),
        };
        let paths: Vec<PathBuf> = (0..3)
            .map(|_| {
                let path = record.file("main").unwrap().unwrap().path;
                fs::write(&path, "").unwrap();
                path
            })
            .collect();
        assert!(paths.iter().all(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("main-2") && name.ends_with(".cast")
        }));
        assert!(paths[0] != paths[1] && paths[1] != paths[2] && paths[0] != paths[2]);
    }

    #[test]
    fn how_sessions_are_recorded_travels_to_a_host() {
        let mut options = SessionOptions::default();
        RecordArguments::default().add_to(&mut options);
        assert_eq!(options, SessionOptions::default());
        let how = HowArguments { record_input: false, record_format: Version::V2 };
        let record =
            RecordArguments { record: Some(std::path::absolute("/tmp/casts").unwrap()), how };
        record.add_to(&mut options);
        let told = of_options(&options).unwrap();
        assert_eq!(told.record, record.record);
        assert!(!told.how.record_input && told.how.record_format == Version::V2);
        options.record_format = Some("v9".into());
        let refused = of_options(&options).unwrap_err();
        assert_eq!(refused, "invalid value 'v9' for '--record-format': it is one of `v3` and `v2`");
    }
}
