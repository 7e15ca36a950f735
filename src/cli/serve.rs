//! `mcp-repl`: serve one MCP client over standard input and output.

use std::process::ExitCode;

use super::{config, with_session};
use crate::{
    mcp::{self, WorkerText},
    pty, reply,
    session::{launch::Target, output_disk::OutputDisk, rules::state::Paging},
};

/// What a client is told of a session that runs Python.
const PYTHON: WorkerText = WorkerText {
    session: "Python session",
    runs: "Python",
    keeps: "Variables, imports and the working directory stay",
    shows: "; the value of its last expression is shown",
    waits: " (`input()`, pdb, `help()`, a shell command)",
};

/// Serves until the client closes standard input, or a signal asks to end.
/// Files of long outputs take `output_disk` bytes at most.
pub(super) fn serve(target: Target, paging: Paging, output_disk: u64) -> Result<ExitCode, String> {
    let worker = match target {
        Target::Python(_) | Target::Script(..) => PYTHON,
        Target::Custom(..) => WorkerText::ANY,
    };
    let mut config = config(target, paging, reply::BUDGET)?;
    config.output_disk = OutputDisk::new(output_disk);
    with_session(config, async |session| {
        let result = tokio::select! {
            result = mcp::serve(session, &worker) => result,
            result = pty::asked_to_end() => result,
        };
        result.map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string())
    })
}
