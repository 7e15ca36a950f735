//! `mcp-repl skill`: what an agent reads before it works in a session for longer.

use std::process::ExitCode;

use super::serve::PYTHON;
use crate::mcp;

/// The skill, as clients take it from a file.
pub(super) fn text() -> String {
    mcp::skill(&PYTHON)
}

/// Prints it.
pub(super) fn skill() -> Result<ExitCode, String> {
    super::print(text().as_bytes())
}
