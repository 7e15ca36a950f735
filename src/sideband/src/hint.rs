//! Hints: what a cell was meant to be that did not compile.

use serde::{Deserialize, Serialize};

/// The capability of a server that understands [`ToServer::Hint`](crate::ToServer::Hint).
pub const HINTS: &str = "hints";

/// What a cell was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Hint {
    /// A shell command: `!ls`.
    Shell {
        /// The command, without what marks it as one.
        command: String,
    },
    /// A magic of IPython: `%timeit f()`.
    Magic {
        /// Its name, `timeit`.
        name: String,
    },
    /// A question of IPython: `df?`.
    Help {
        /// What it is about, `df`.
        name: String,
        /// Whether it asks for the source: `df??`.
        of_source: bool,
    },
    /// A session with its prompts: `>>> f()`.
    Prompts,
    /// Python, all of it indented.
    Indented {
        /// By how many characters.
        columns: usize,
    },
    /// Python that awaits outside a coroutine.
    Await,
    /// One that this side does not know.
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_an_object_with_its_kind() {
        for (hint, text) in [
            (Hint::Shell { command: "ls".into() }, r#"{"kind":"shell","command":"ls"}"#),
            (Hint::Await, r#"{"kind":"await"}"#),
        ] {
            assert_eq!(serde_json::to_string(&hint).unwrap(), text);
            assert_eq!(serde_json::from_str::<Hint>(text).unwrap(), hint);
        }
    }

    #[test]
    fn a_hint_of_a_kind_nobody_knows_is_no_error() {
        let hint = r#"{"kind":"newer","more":[1]}"#;
        assert_eq!(serde_json::from_str::<Hint>(hint).unwrap(), Hint::Other);
    }
}
