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
    #[arg(long, global = true)]
    via_install: bool,
}

impl ViaArguments {
    /// Whether they are elsewhere.
    pub(super) fn is_given(&self) -> bool {
        self.via.is_some()
    }

    /// Where they are.
    pub(super) fn place(&self) -> Result<Place, String> {
        // Not of clap's, for which a file's `via` is none.
        let Some(command) = &self.via else {
            return match self.via_install {
                true => Err("--via-install needs --via <COMMAND>, which says where".into()),
                false => Ok(Place::Here),
            };
        };
        let command = ViaCommand::new(command, self.via_install);
        command.map(Place::Via).map_err(|error| error.to_string())
    }
}
