//! What a client is told: the server's name and instructions, and the tool's description.

use rmcp::model::{Implementation, ServerCapabilities, ServerConfig, Tool, ToolAnnotations};

use super::arguments::Arguments;

/// The name of the tool.
pub(super) const NAME: &str = "repl";

const INSTRUCTIONS: &str = "`repl` is a live Python session on a real terminal. State stays \
between calls; send \"\\u0003\" to interrupt and \"\\u0004\" for a fresh session.";

/// What an agent must know, in under 1,500 characters.
const DESCRIPTION: &str = r#"Runs Python in one lasting session on a real terminal. Variables, imports and the working directory stay between calls.

`input` goes to whatever the session waits for:
- Ready: it runs as one cell; the value of its last expression is shown.
- A program waits for input (`input()`, pdb, `help()`, a shell command): it is the answer; a missing final newline is added.
- Empty: sends nothing and returns what was printed since.
- "\u0003" first: interrupts, then sends the rest, if any.
- "\u0004" first: ends the session, starts a fresh one, then runs the rest in it.

The reply comes as soon as the work is done or waits for input. After `timeout_ms` (default 40000) it comes anyway while the work goes on: poll with an empty `input`, or interrupt.

The last line may say how things stand:
<<repl status: busy, elapsed_ms=N>>: still running; poll
<<repl status: idle>>: ready, nothing to show
<<repl status: waiting for input>>: send the answer (a visible prompt says the same)
[repl] input discarded while worker busy: it was NOT run; poll or interrupt, then send again
[repl] session ended (and how); [repl] new session started: earlier state is gone
[pager] or [screen]: a full-screen program is open; the line says what to send

Long output is shortened; the reply names the file with the full text. Plots come as images."#;

/// What the server says of itself in the handshake.
pub(super) fn server_info() -> ServerConfig {
    ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
        .with_server_info(Implementation::new("mcp-repl", env!("CARGO_PKG_VERSION")))
        .with_instructions(INSTRUCTIONS)
}

/// The tool, as `tools/list` shows it.
pub(super) fn definition() -> Tool {
    let annotations = ToolAnnotations::new()
        .read_only(false)
        .destructive(true)
        .idempotent(false)
        .open_world(true);
    Tool::new(NAME, DESCRIPTION, Arguments::schema())
        .with_title("Python session")
        .with_annotations(annotations)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_description_is_under_1500_characters() {
        assert!(super::DESCRIPTION.chars().count() < 1500);
    }
}
