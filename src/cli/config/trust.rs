//! `mcp-repl config trust`: the user's consent to a project's file, given and taken back.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Command};

use super::super::settings::{self, Found};
use crate::{
    reply::printable,
    settings::{PROJECT_FILE, State, Written, needs_consent, read_file},
};

/// Which file.
#[derive(Debug, Args)]
pub(super) struct TrustArguments {
    /// The file; without it, the project's, looked for upward from here.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Take the consent back.
    #[arg(long)]
    revoke: bool,
}

/// How the user consents to a file.
pub(super) fn how(file: &Path) -> String {
    let file = file.to_string_lossy();
    format!("`mcp-repl config trust {}` consents to it.", shell_words::quote(&printable(&file)))
}

/// Gives the consent, or takes it back.
///
/// # Errors
/// When the file is wrong: what it says is not known, and mended it is another one.
pub(super) fn trust(
    wanted: &TrustArguments,
    command: &Command,
    found: &Found,
) -> Result<ExitCode, String> {
    let file = match (&wanted.file, &found.files.project) {
        (Some(file), _) => real(file)?,
        (None, Some(project)) => project.path.clone(),
        (None, None) => return Err(format!("there is no {PROJECT_FILE} here or above")),
    };
    let shown = printable(&file.to_string_lossy());
    let told = if wanted.revoke {
        match settings::trust().take(&file).map_err(|error| error.to_string())? {
            true => format!("You no longer consent to {shown}.\n"),
            false => format!("You have not consented to {shown}.\n"),
        }
    } else {
        let text = read_file(&file).map_err(|why| format!("{shown}: {why}"))?;
        let text = text.ok_or_else(|| format!("{shown} is not there"))?;
        let settings = settings::read(command, &file, &text.bytes)?;
        settings::trust().give(&file, &text.bytes).map_err(|error| error.to_string())?;
        told(&file, &settings, found)
    };
    super::super::print(told.as_bytes())
}

/// What was consented to.
fn told(file: &Path, settings: &[Written], found: &Found) -> String {
    let directory = file.parent().unwrap_or(file);
    let users = match found.files.user.as_ref().map(|file| &file.state) {
        Some(State::Read { settings, .. }) => &settings[..],
        _ => &[],
    };
    let needs = |one: &&Written| {
        let beneath = users.iter().find(|users| users.key == one.key).map(|users| &users.value);
        needs_consent(&one.key, &one.value, beneath, directory)
    };
    let lines: Vec<String> = settings
        .iter()
        .filter(needs)
        .map(|one| {
            format!(
                "  {}\n",
                printable(&format!("{} = {}  (line {})", one.key, one.value, one.line))
            )
        })
        .collect();
    let end = if lines.is_empty() { "." } else { ":" };
    let shown = printable(&file.to_string_lossy());
    format!("You consent to {shown}, as it is now{end}\n{}", lines.concat())
}

/// A file's path as it is found from its project: the directory's own path, whatever led there.
fn real(file: &Path) -> Result<PathBuf, String> {
    let failed = |error| format!("{}: {error}", printable(&file.to_string_lossy()));
    let absolute = std::path::absolute(file).map_err(failed)?;
    let (directory, name) = (absolute.parent(), absolute.file_name());
    match (directory, name) {
        (Some(directory), Some(name)) => Ok(directory.canonicalize().map_err(failed)?.join(name)),
        _ => Err(format!("{} is no file", printable(&file.to_string_lossy()))),
    }
}
