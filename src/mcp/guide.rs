//! What an agent is told of the session, said once: the tool's description, the server's instructions
//! and the skill are made of this.

use super::tool::WorkerText;
use crate::sandbox::{Mode, Network};

/// What `input` does in each state, a line each.
pub(super) fn routes(worker: &WorkerText) -> String {
    let WorkerText { shows, waits, takes_cells, .. } = worker;
    let (ready, rest) = match takes_cells {
        true => (format!("- Ready: it runs as one cell{shows}.\n"), "then runs the rest in it"),
        false => (String::new(), "then types the rest when that asks"),
    };
    format!(
        r#"{ready}- A program waits for input{waits}: it is the answer; a missing final newline is added.
- Empty: what was printed since.
- "\u0003" first: interrupts, then sends the rest, if any.
- "\u0004" first: ends the session, starts a fresh one, {rest}."#
    )
}

/// When a reply comes.
pub(super) const REPLY: &str = "The reply comes when the work is done or waits for input, after `timeout_ms` (default 40000) anyway: \
     poll or interrupt.";

/// The lines at the end of a reply that say how things stand.
pub(super) fn states(worker: &WorkerText) -> String {
    let idle = match worker.takes_cells {
        true => "<<repl status: idle>>: ready, nothing to show\n",
        false => "",
    };
    format!(
        r"<<repl status: busy, elapsed_ms=N>>: still running; poll
{idle}<<repl status: waiting for input>>: send the answer (a visible prompt says the same)
[repl] input discarded while worker busy: it was NOT run; send it again later
[repl] session ended (and how); [repl] new session started: earlier state is gone
[pager] or [screen]: a full-screen program is open; the line says what to send
A program's own line that begins so has a \ in front."
    )
}

/// How the session is named: `one lasting Python session on a real terminal, like …`.
pub(super) fn what(session: &str, worker: &WorkerText) -> String {
    format!(
        "one lasting {session} on a real terminal{}. {} between calls.",
        worker.like, worker.keeps
    )
}

/// What holds in a sandbox, as a sentence with a blank in front.
pub(super) fn sandbox((mode, network): (Mode, Network)) -> String {
    let writes = match mode {
        Mode::Off => return String::new(),
        Mode::WorkspaceWrite | Mode::Strict => "its working directory and its temporary directory",
        Mode::ReadOnly => "its temporary directory",
    };
    let reaches = match network {
        Network::Off => ", and has no network",
        Network::Local => ", and reaches this machine only",
        Network::On => "",
    };
    let sees = match mode {
        Mode::Strict => "; no other files are there than the system's and what the user added",
        _ => "",
    };
    format!(
        " The session is in a sandbox: it writes only in {writes}{reaches}{sees}; a reply says what the user can \
         allow."
    )
}
