//! The escape key: which it is, and how it is written.

use std::{fmt, str::FromStr};

/// The key that is for this process whatever runs: Ctrl with a character, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EscapeKey(Option<char>);

/// What is no escape key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EscapeKeyError {
    /// It is written otherwise.
    #[error(
        "it is `ctrl-` and a letter or one of `\\`, `]`, `^`, as in `ctrl-a` and `ctrl-]`, or `none`"
    )]
    Form,
    /// Terminals send the same for another key.
    #[error("terminals send the same for {0}")]
    Taken(&'static str),
}

impl Default for EscapeKey {
    /// `ctrl-]`, as telnet has it.
    fn default() -> EscapeKey {
        EscapeKey(Some(']'))
    }
}

impl FromStr for EscapeKey {
    type Err = EscapeKeyError;

    fn from_str(text: &str) -> Result<EscapeKey, EscapeKeyError> {
        let text = text.to_ascii_lowercase();
        if text == "none" {
            return Ok(EscapeKey(None));
        }
        let mut chars = text.strip_prefix("ctrl-").ok_or(EscapeKeyError::Form)?.chars();
        match (chars.next(), chars.next()) {
            (Some('i'), None) => Err(EscapeKeyError::Taken("Tab")),
            (Some('j' | 'm'), None) => Err(EscapeKeyError::Taken("Enter")),
            (Some(c @ ('a'..='z' | '\\' | ']' | '^')), None) => Ok(EscapeKey(Some(c))),
            _ => Err(EscapeKeyError::Form),
        }
    }
}

impl fmt::Display for EscapeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(c) => write!(f, "Ctrl-{}", c.to_ascii_uppercase()),
            None => f.write_str("none"),
        }
    }
}

impl EscapeKey {
    /// Its character, as it is without Ctrl.
    pub(super) fn character(self) -> Option<char> {
        self.0
    }

    /// What terminals send for it unless they were asked for another encoding (ECMA-48's C0).
    pub(super) fn byte(self) -> Option<u8> {
        self.0.map(|c| c as u8 & 0x1f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_and_others_refused() {
        for (text, byte, shown) in [
            ("ctrl-]", Some(0x1d), "Ctrl-]"),
            ("ctrl-a", Some(1), "Ctrl-A"),
            ("CTRL-Z", Some(0x1a), "Ctrl-Z"),
            ("ctrl-\\", Some(0x1c), "Ctrl-\\"),
            ("ctrl-^", Some(0x1e), "Ctrl-^"),
            ("none", None, "none"),
        ] {
            let key: EscapeKey = text.parse().unwrap();
            assert_eq!((key.byte(), &*key.to_string()), (byte, shown), "{text}");
        }
        for text in ["", "a", "ctrl-", "ctrl-ab", "ctrl-[", "ctrl-1", "ctrl-é", "^]"] {
            assert_eq!(text.parse::<EscapeKey>(), Err(EscapeKeyError::Form), "{text:?}");
        }
        assert_eq!("ctrl-m".parse::<EscapeKey>(), Err(EscapeKeyError::Taken("Enter")));
    }
}
