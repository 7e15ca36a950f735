//! `--via` and `--via-install`: sessions that are elsewhere.

use clap::Args;

use crate::remote::{Place, via::ViaCommand};

/// Where sessions are.
#[derive(Debug, Args)]
pub(super) struct ViaArguments {
    /// Sessions are where this command leads: `ssh gpu`, `docker exec -i box`, `sh -c`. It is run
    /// with `mcp-repl host --stdio` behind it (docs/remote.md).
    #[arg(long, global = true, value_name = "COMMAND")]
    via: Option<String>,
    /// Put this binary there, in ~/.local/bin, where it is missing or another.
    #[arg(long, global = true, requires = "via")]
    via_install: bool,
}

impl ViaArguments {
    /// Whether they are elsewhere.
    pub(super) fn is_given(&self) -> bool {
        self.via.is_some()
    }

    /// Where they are.
    pub(super) fn place(&self) -> Result<Place, String> {
        let Some(command) = &self.via else { return Ok(Place::Here) };
        let command = ViaCommand::new(command, self.via_install);
        command.map(Place::Via).map_err(|error| error.to_string())
    }
}
