//! `mcp-repl`: serve one MCP client over standard input and output.

use std::{io, process::ExitCode};

use super::{config, with_session};
use crate::{
    mcp::{self, WorkerText},
    pty,
    session::{launch::Target, rules::state::Paging},
};

/// What a client is told of a session that runs Python.
const PYTHON: WorkerText = WorkerText {
    session: "Python session",
    runs: "Python",
    keeps: "Variables, imports and the working directory stay",
    shows: "; the value of its last expression is shown",
    waits: " (`input()`, pdb, `help()`, a shell command)",
};

/// What is said to who starts the server with nobody to serve.
const NO_CLIENT: &str = "an MCP client is to talk to the server there. Cells are run from the shell \
                         by `mcp-repl exec`";

/// Serves until the client closes standard input, or a signal asks to end.
pub(super) fn serve(target: Target, paging: Paging, reply_size: usize) -> Result<ExitCode, String> {
    let worker = match target {
        Target::Python(_) => PYTHON,
        Target::Custom(..) => WorkerText::ANY,
    };
    with_session(config(target, paging, reply_size)?, async |session| {
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
