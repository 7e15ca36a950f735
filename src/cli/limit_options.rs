//! How much a session's programs may take: the options of the command line.

use clap::Args;

use super::size;
use crate::pty::Limits;

/// How much the programs of a fresh session may take.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct LimitArguments {
    /// How much memory the programs of a fresh session may take: bytes, or with a unit (`500M`, `8G`). One that
    /// wants more is refused it: in Python, MemoryError. Where the system lets mcp-repl make a control group, it is
    /// a limit of all together, and the session is ended if they use all of it; elsewhere it is one of each.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) memory: Option<u64>,
    /// How many processes a fresh session may have, their threads included: 10 or more. `mcp-repl doctor` shows
    /// what holds it.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(10..))]
    pub(super) max_processes: Option<u32>,
}

impl LimitArguments {
    /// As a session is given them.
    pub(super) fn limits(self) -> Limits {
        Limits { memory: self.memory, processes: self.max_processes }
    }
}
