//! Which keys the line editor has.

use std::str::FromStr;

/// The keys of the line editor, as readline(3) has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EditKeys {
    /// Those of Emacs.
    #[default]
    Emacs,
    /// Those of vi; a line begins in insert mode.
    Vi,
}

/// What is no name of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("they are `emacs` or `vi`")]
pub struct EditKeysError;

impl FromStr for EditKeys {
    type Err = EditKeysError;

    fn from_str(text: &str) -> Result<EditKeys, EditKeysError> {
        match text {
            "emacs" => Ok(EditKeys::Emacs),
            "vi" => Ok(EditKeys::Vi),
            _ => Err(EditKeysError),
        }
    }
}
