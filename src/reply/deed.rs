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

impl fmt::Display for Deed {
    /// What stands behind who did it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (did, text) = match self {
            Deed::Ran { .. } => return f.write_str("ran:"),
            Deed::Interrupted => return f.write_str("interrupted"),
            Deed::Reset => return f.write_str("reset the session"),
            Deed::Answered { text } => ("answered", text),
            Deed::Typed { text } => ("typed", text),
            Deed::TypedKeys { keys } => ("typed the keys", keys),
        };
        let Some(text) = text else { return write!(f, "{did} what is not shown") };
        let mut told: String = text.chars().take(LONGEST_TOLD).collect();
        if told.len() < text.len() {
            told.push('…');
        }
        write!(f, "{did}: {told}")
    }
}
