//! What a client is told: the server's name and instructions, and the tool's description.

use rmcp::model::{Implementation, ServerCapabilities, ServerConfig, Tool, ToolAnnotations};

use super::{arguments::Arguments, guide};
use crate::sandbox::{Mode, Network};

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
    /// What it may reach, where that is not all: its mode and its network.
    pub sandbox: Option<(Mode, Network)>,
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
        sandbox: None,
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
    let WorkerText { session, runs, takes_cells, .. } = worker;
    let is = match takes_cells {
        true => {
            "a cell, the answer when a program waits for input, or empty to poll work that goes on"
        }
        false => "typed when the program waits for input, or empty to see what it shows",
    };
    let what = guide::what(session, worker);
    let sandbox = worker.sandbox.map(guide::sandbox).unwrap_or_default();
    format!(
        r#"`{NAME}` executes {runs} in {what} `input` is {is}; "\u0003" interrupts, "\u0004" starts a fresh session. `session` names another session beside it; `show` reads what a long reply left out.{sandbox}"#
    )
}

/// What an agent must know. Clients pay for it in every conversation: under 1,500 characters.
fn description(worker: &WorkerText) -> String {
    let runs = worker.runs;
    let what = guide::what("session", worker);
    let (routes, states, reply) = (guide::routes(worker), guide::states(worker), guide::REPLY);
    format!(
        r#"Executes {runs} in {what}

`input` goes to whatever the session waits for:
{routes}

{reply}

The last line may say how things stand:
{states}

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
    fn a_sandbox_is_told_where_there_is_one() {
        assert!(!instructions(&WorkerText::ANY).contains("sandbox"));
        let told =
            |sandbox| instructions(&WorkerText { sandbox: Some(sandbox), ..WorkerText::ANY });
        let text = told((Mode::WorkspaceWrite, Network::Off));
        assert!(text.contains("writes only in its working directory and its temporary directory, and has no network"), "{text}");
        let text = told((Mode::ReadOnly, Network::On));
        assert!(text.contains("writes only in its temporary directory;"), "{text}");
    }

    #[test]
    fn a_program_that_takes_no_cells_is_offered_none() {
        for text in [description(&WorkerText::PROGRAM), instructions(&WorkerText::PROGRAM)] {
            assert!(!text.contains("cell") && !text.contains("idle"), "{text}");
            assert!(text.contains("real terminal") && text.contains("\\u0004"), "{text}");
        }
    }
}
