//! `mcp-repl`: serve one MCP client over standard input and output.

use std::{io, process::ExitCode};

use mcp_repl_sideband::PictureLimit;

use super::{config, with_session};
use crate::{
    mcp::{self, OnCancel, WorkerText},
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

/// What a client is given, and what is done for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientOptions {
    /// What is done about pagers.
    pub(super) pager: Paging,
    /// What a reply has room for.
    pub(super) budget: Budget,
    /// How large pictures may be.
    pub(super) pictures: PictureLimit,
    /// How much the files of long outputs, pictures and documents may take, in bytes.
    pub(super) max_output_disk: u64,
    /// What a cancelled call does to its cell.
    pub(super) on_cancel: OnCancel,
}

/// What is said to who starts the server with nobody to serve.
const NO_CLIENT: &str = "an MCP client is to talk to the server there. Cells are run from the shell \
                         by `mcp-repl exec`";

/// Serves until the client closes standard input, or a signal asks to end.
pub(super) fn serve(target: Target, options: ClientOptions) -> Result<ExitCode, String> {
    let worker = match target {
        Target::Python(_) | Target::Script(..) => PYTHON,
        Target::Custom(..) => WorkerText::ANY,
    };
    let mut config = config(target, options.pager, options.budget)?;
    config.attachments = Attachments::Kept(options.pictures);
    config.output_disk = OutputDisk::new(options.max_output_disk);
    with_session(config, async |session| {
        let result = tokio::select! {
            result = mcp::serve(session, &worker, options.on_cancel) => result,
            result = pty::asked_to_end() => result,
        };
        result.map(|()| ExitCode::SUCCESS).map_err(|error| match error.kind() {
            io::ErrorKind::NotConnected => format!("{error}; {NO_CLIENT}"),
            _ => error.to_string(),
        })
    })
}
