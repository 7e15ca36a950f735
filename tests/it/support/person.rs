//! A person who attaches to a session, at a terminal of the test's.

use super::{Builder, IDLE, Runtime, Server, Terminal, python};

/// The line that begins a cell.
pub(crate) const PROMPT: &str = ">>>";

/// The name of the account of who attaches.
pub(crate) const PERSON: &str = "ann";

impl Runtime {
    /// An agent in a session `work`, and a person at the session's prompt.
    #[track_caller]
    pub(crate) fn agent_and_person(&self) -> (Server, Terminal) {
        let agent = self.agent();
        agent.still_works();
        let mut person = self.attach(&[]);
        person.is_at_prompt();
        (agent, person)
    }

    /// The same, where the person has attached from a shell with job control.
    #[track_caller]
    pub(crate) fn agent_and_shell(&self) -> (Server, Terminal) {
        let agent = self.agent();
        agent.gives("x = 1", IDLE);
        let mut person = Terminal::shell(self.attaching(&[]));
        person.ends_with("$");
        person.types("mcp-repl attach work --no-status\r");
        person.is_at_prompt();
        (agent, person)
    }

    /// `attach` with these arguments and without a status, on a terminal of 80 by 24.
    #[track_caller]
    pub(crate) fn attach(&self, arguments: &[&str]) -> Terminal {
        Terminal::run(self.attaching(arguments))
    }

    /// The same, not started yet.
    pub(crate) fn attaching(&self, arguments: &[&str]) -> Builder {
        self.attaching_with_status(arguments).arg("--no-status")
    }

    /// The same with a status.
    pub(crate) fn attaching_with_status(&self, arguments: &[&str]) -> Builder {
        let builder = Builder::new().any_python().runtime(self).arg("attach");
        let builder = builder.args(arguments.iter().copied());
        builder
            .env("MCP_REPL_PYTHON", python::default())
            .env("USER", PERSON)
            .env("XDG_STATE_HOME", self.path().with_file_name("state"))
    }
}

impl Terminal {
    /// Waits until the person is at an empty prompt.
    #[track_caller]
    pub(crate) fn is_at_prompt(&mut self) {
        self.ends_with(PROMPT);
    }

    /// Waits for an empty prompt and types a cell at it.
    #[track_caller]
    pub(crate) fn runs(&mut self, cell: &str) {
        self.is_at_prompt();
        self.types(&format!("{cell}\r"));
    }
}
