//! `mcp-repl config trust`: the user's consent to a project's file, given and taken back.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use super::super::settings::{self, Found};
use crate::{
    reply::printable,
    settings::{Origin, PROJECT_FILE, State, read_file},
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
pub(super) fn trust(wanted: &TrustArguments, found: &Found) -> Result<ExitCode, String> {
    let file = match (&wanted.file, &found.files.project) {
        (Some(file), _) => real(file)?,
        (None, Some(project)) => project.path.clone(),
        (None, None) => return Err(format!("there is no {PROJECT_FILE} here or above")),
    };
    let shown = printable(&file.to_string_lossy());
    if wanted.revoke {
        let taken = settings::trust().take(&file).map_err(|error| error.to_string())?;
        return super::super::print(
            match taken {
                true => format!("You no longer consent to {shown}.\n").as_bytes().to_owned(),
                false => format!("You have not consented to {shown}.\n").as_bytes().to_owned(),
            }
            .as_slice(),
        );
    }
    let text = read_file(&file).map_err(|why| format!("{shown}: {why}"))?;
    let text = text.ok_or_else(|| format!("{shown} is not there"))?;
    settings::trust().give(&file, &text.bytes).map_err(|error| error.to_string())?;
    super::super::print(told(&file, found).as_bytes())
}

/// What was consented to.
fn told(file: &Path, found: &Found) -> String {
    let shown = printable(&file.to_string_lossy());
    let mut told = format!("You consent to {shown}, as it is now");
    let project = found.files.project.as_ref().filter(|project| project.path == file);
    let Some(project) = project else { return told + ".\n" };
    let problems = match &project.state {
        State::Broken(problems) => &problems[..],
        _ => &[],
    };
    let withheld = &found.layers.withheld;
    told += if withheld.is_empty() { ".\n" } else { ":\n" };
    for setting in withheld {
        let line = setting.origins.first().map(Origin::to_string).unwrap_or_default();
        let line = format!("{} = {}  ({line})", setting.key, setting.value);
        let _ = writeln!(told, "  {}", printable(&line));
    }
    if let Some(problem) = problems.first() {
        let _ = writeln!(told, "It is wrong in line {}, though: {problem}", problem.line);
    }
    told
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
