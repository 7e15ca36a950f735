//! `mcp-repl`: serve one MCP client over standard input and output.

use std::process::ExitCode;

use super::with_session;
use crate::{
    mcp, pty, reply,
    screen::Size,
    session::{engine::Config, launch::Target, state::Paging},
};

/// Serves until the client closes standard input, or a signal asks to end.
pub(super) fn serve(target: Target, paging: Paging) -> Result<ExitCode, String> {
    let config = Config { target, size: Size::default(), budget: reply::BUDGET, paging };
    with_session(config, async |session| {
        let result = tokio::select! {
            result = mcp::serve(session) => result,
            result = pty::asked_to_end() => result,
        };
        result.map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string())
    })
}
