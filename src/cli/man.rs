//! `mcp-repl man DIR`: the manual pages, one for the program and one for each subcommand.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

/// Where to.
#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// A directory that is there: it gets mcp-repl.1, mcp-repl-attach.1 and so on.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Writes them.
pub(super) fn man(arguments: &ManArguments) -> Result<ExitCode, String> {
    let ManArguments { directory } = arguments;
    clap_mangen::generate_to(super::command_line(), directory)
        .map_err(|error| format!("{}: {error}", directory.display()))?;
    Ok(ExitCode::SUCCESS)
}
