//! Where the user's state is: the history of `attach`, and what the user has consented to.

use std::{env, path::PathBuf};

/// The directory of what is kept from one time to the next (XDG Base Directory Specification), which need
/// not be there; `None` where there is no place for it.
pub(super) fn state_directory() -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let named = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(absolute);
    let state =
        named.or_else(|| Some(env::home_dir().filter(absolute)?.join(".local").join("state")))?;
    Some(state.join("mcp-repl"))
}
