//! What a client is told: the server's name and instructions, and the tool's description.

use rmcp::model::{Implementation, ServerCapabilities, ServerConfig, Tool, ToolAnnotations};

use super::arguments::Arguments;

/// The name of the tool.
pub(super) const NAME: &str = "repl";

/// What the texts say of the program that runs in the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerText {
    /// What kind of session it is, a title: `Python session`.
    pub session: &'static str,
    /// What it runs: `Python`.
    pub runs: &'static str,
    /// What agents know that is like it, and when it is to be preferred, in front of a full stop.
    pub like: &'static str,
    /// What stays from one call to the next, as the beginning of a sentence.
    pub keeps: &'static str,
    /// What a cell shows besides what it prints, as the end of a sentence: `; its value is shown`.
    pub shows: &'static str,
    /// Examples of what waits for input, in parentheses with a blank in front: ` (a shell)`.
    pub waits: &'static str,
    /// Whether it is given cells to run; else it is a program that runs from the start, and gets what is
    /// typed.
    pub takes_cells: bool,
}

impl WorkerText {
    /// The text for a program of which nothing is known.
    pub const ANY: WorkerText = WorkerText {
        session: "REPL session",
        runs: "code",
        like: "",
        keeps: "State stays",
        shows: "",
        waits: "",
        takes_cells: true,
    };

    /// The text for any program that runs in place of one that takes cells.
    pub const PROGRAM: WorkerText = WorkerText {
        session: "Terminal session",
        runs: "a program",
        keeps: "It goes on",
        takes_cells: false,
        ..WorkerText::ANY
    };
}

/// What the server says of itself in the handshake.
pub(super) fn server_info(worker: &WorkerText) -> ServerConfig {
    ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
        .with_server_info(Implementation::new("mcp-repl", env!("CARGO_PKG_VERSION")))
        .with_instructions(instructions(worker))
}

/// The tool, as `tools/list` shows it.
pub(super) fn definition(worker: &WorkerText) -> Tool {
    let annotations = ToolAnnotations::with_title(worker.session)
        .read_only(false)
        .destructive(true)
        .idempotent(false)
        .open_world(true);
    Tool::new(NAME, description(worker), Arguments::schema())
        .with_title(worker.session)
        .with_annotations(annotations)
}

/// What an agent knows of the tool before it asks for the description, which clients put off: what
/// the tool is for and how it is used.
fn instructions(worker: &WorkerText) -> String {
    let WorkerText { session, runs, like, keeps, takes_cells, .. } = worker;
    let is = match takes_cells {
        true => {
            "a cell, the answer when a program waits for input, or empty to poll work that goes on"
        }
        false => "typed when the program waits for input, or empty to see what it shows",
    };
    format!(
        r#"`repl` executes {runs} in one lasting {session} on a real terminal{like}. {keeps} between calls. `input` is {is}; "\u0003" interrupts, "\u0004" starts a fresh session. `session` names another session beside it; `show` reads what a long reply left out."#
    )
}

/// What an agent must know. Clients pay for it in every conversation: under 1,500 characters.
fn description(worker: &WorkerText) -> String {
    let WorkerText { runs, like, keeps, shows, waits, takes_cells, .. } = worker;
    let (ready, rest, idle) = match takes_cells {
        true => (
            format!("- Ready: it runs as one cell{shows}.\n"),
            "then runs the rest in it",
            "<<repl status: idle>>: ready, nothing to show\n",
        ),
        false => (String::new(), "then types the rest when that asks", ""),
    };
    format!(
        r#"Executes {runs} in one lasting session on a real terminal{like}. {keeps} between calls.

`input` goes to whatever the session waits for:
{ready}- A program waits for input{waits}: it is the answer; a missing final newline is added.
- Empty: what was printed since.
- "\u0003" first: interrupts, then sends the rest, if any.
- "\u0004" first: ends the session, starts a fresh one, {rest}.

The reply comes when the work is done or waits for input, after `timeout_ms` (default 40000) anyway: poll or interrupt.

The last line may say how things stand:
<<repl status: busy, elapsed_ms=N>>: still running; poll
{idle}<<repl status: waiting for input>>: send the answer (a visible prompt says the same)
[repl] input discarded while worker busy: it was NOT run; send it again later
[repl] session ended (and how); [repl] new session started: earlier state is gone
[pager] or [screen]: a full-screen program is open; the line says what to send
A program's own line that begins so has a \ in front.

`session` names another session, started if need be; `person` asks a person to come.
Long output is shortened (`show` reads the rest), plots are shown; replies name the files."#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_under_1500_characters() {
        assert!(description(&WorkerText::ANY).chars().count() < 1500);
    }

    #[test]
    fn a_program_that_takes_no_cells_is_offered_none() {
        for text in [description(&WorkerText::PROGRAM), instructions(&WorkerText::PROGRAM)] {
            assert!(!text.contains("cell") && !text.contains("idle"), "{text}");
            assert!(text.contains("real terminal") && text.contains("\\u0004"), "{text}");
        }
    }
}
