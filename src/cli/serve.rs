//! `mcp-repl`: serve one MCP client over standard input and output.

use std::process::ExitCode;

use super::{config, with_session};
use crate::{
    mcp::{self, WorkerText},
    pty, reply,
    session::{launch::Target, rules::state::Paging},
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

/// Serves until the client closes standard input, or a signal asks to end.
pub(super) fn serve(target: Target, paging: Paging) -> Result<ExitCode, String> {
    let worker = match target {
        Target::Python(_) => PYTHON,
        Target::Custom(..) => WorkerText::ANY,
    };
    with_session(config(target, paging, reply::BUDGET)?, async |session| {
        let result = tokio::select! {
            result = mcp::serve(session, &worker) => result,
            result = pty::asked_to_end() => result,
        };
        result.map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string())
    })
}
