//! Where the user's state is: the history of `attach`, and what the user has consented to.

use std::{env, path::PathBuf};

use crate::pty;

/// The directory of what is kept from one time to the next, which need not be there: where `XDG_STATE_HOME`
/// says, on all systems, else where the system has such things; `None` where there is no place for it.
pub(super) fn state_directory() -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let named = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(absolute);
    let state = named.or_else(|| Some(pty::state_place(&env::home_dir().filter(absolute)?)))?;
    Some(state.join("mcp-repl"))
}
