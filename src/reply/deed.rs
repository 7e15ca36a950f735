//! What a client did, as the others of its session are told.

use std::fmt;

/// The most that is told of what was typed, in characters.
const LONGEST_TOLD: usize = 200;

/// What a client did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// It ran a cell.
    Ran {
        /// Its source.
        source: String,
    },
    /// It answered a read of the program's own.
    Answered {
        /// With what; `None` of what the terminal does not show: it may be a secret.
        text: Option<String>,
    },
    /// It typed text.
    Typed {
        /// Which; `None` of what the terminal does not show.
        text: Option<String>,
    },
    /// It typed keys.
    TypedKeys {
        /// Their names; `None` where the terminal does not show what is typed.
        keys: Option<String>,
    },
    /// It interrupted what ran.
    Interrupted,
    /// It had the session end and a fresh one start.
    Reset,
}

impl Deed {
    /// As much as is told of a text that was typed.
    pub fn told_of(text: &str) -> String {
        let text = text.trim_end_matches('\n');
        let mut told: String = text.chars().take(LONGEST_TOLD).collect();
        if told.len() < text.len() {
            told.push('…');
        }
        told
    }

    /// What it is in one word, and the text that goes with it, if it is told: as protocols have it.
    pub fn words(&self) -> (&'static str, &str) {
        fn text(told: &Option<String>) -> &str {
            told.as_deref().unwrap_or_default()
        }
        match self {
            Deed::Ran { source } => ("ran", source),
            Deed::Answered { text: told } => ("answered", text(told)),
            Deed::Typed { text: told } => ("typed", text(told)),
            Deed::TypedKeys { keys } => ("keys", text(keys)),
            Deed::Interrupted => ("interrupted", ""),
            Deed::Reset => ("reset", ""),
        }
    }

    /// What these words say; `None` where they say nothing that is known.
    pub fn of_words(what: &str, text: String) -> Option<Deed> {
        let told = |text: String| Some(text).filter(|text| !text.is_empty());
        Some(match what {
            "ran" => Deed::Ran { source: text },
            "answered" => Deed::Answered { text: told(text) },
            "typed" => Deed::Typed { text: told(text) },
            "keys" => Deed::TypedKeys { keys: told(text) },
            "interrupted" => Deed::Interrupted,
            "reset" => Deed::Reset,
            _ => return None,
        })
    }
}

impl fmt::Display for Deed {
    /// What stands behind who did it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (did, text) = match self {
            Deed::Ran { .. } => return f.write_str("ran:"),
            Deed::Interrupted => return f.write_str("interrupted"),
            Deed::Reset => return f.write_str("reset the session"),
            Deed::Answered { text } => ("answered", text),
            Deed::Typed { text } => ("typed", text),
            Deed::TypedKeys { keys: None } => return f.write_str("typed keys that are not shown"),
            Deed::TypedKeys { keys } => ("typed the keys", keys),
        };
        match text {
            Some(text) => write!(f, "{did}: {}", Deed::told_of(text)),
            None => write!(f, "{did} what is not shown"),
        }
    }
}
