//! `mcp-repl`: serve one MCP client over standard input and output.

use std::{io, process::ExitCode};

use mcp_repl_sideband::PictureLimit;

use super::{config, with_session};
use crate::{
    mcp::{self, WorkerText},
    pty,
    reply::Budget,
    session::{engine::Attachments, launch::Target, output_disk::OutputDisk, rules::state::Paging},
};

/// What a client is told of a session that runs Python.
const PYTHON: WorkerText = WorkerText {
    session: "Python session",
    runs: "Python code",
    like: ", like a Jupyter notebook or IPython. Prefer it to `python -c` and scripts for data \
           analysis, debugging and work in several steps",
    keeps: "Variables, imports and the working directory stay",
    shows: "; the value of its last expression is shown",
    waits: " (`input()`, pdb, `help()`, a shell command)",
};

/// How much a client is given at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// What is done about pagers.
    pub(super) pager: Paging,
    /// What a reply has room for.
    pub(super) budget: Budget,
    /// How large pictures may be.
    pub(super) pictures: PictureLimit,
    /// How much the files of long outputs, pictures and documents may take, in bytes.
    pub(super) max_output_disk: u64,
}

/// What is said to who starts the server with nobody to serve.
const NO_CLIENT: &str = "an MCP client is to talk to the server there. Cells are run from the shell \
                         by `mcp-repl exec`";

/// Serves until the client closes standard input, or a signal asks to end.
pub(super) fn serve(target: Target, limits: Limits) -> Result<ExitCode, String> {
    let worker = match target {
        Target::Python(_) | Target::Script(..) => PYTHON,
        Target::Custom(..) => WorkerText::ANY,
    };
    let mut config = config(target, limits.pager, limits.budget)?;
    config.attachments = Attachments::Kept(limits.pictures);
    config.output_disk = OutputDisk::new(limits.max_output_disk);
    with_session(config, async |session| {
        let result = tokio::select! {
            result = mcp::serve(session, &worker) => result,
            result = pty::asked_to_end() => result,
        };
        result.map(|()| ExitCode::SUCCESS).map_err(|error| match error.kind() {
            io::ErrorKind::NotConnected => format!("{error}; {NO_CLIENT}"),
            _ => error.to_string(),
        })
    })
}
