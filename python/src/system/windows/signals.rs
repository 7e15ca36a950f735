//! Signal masks: there are none.

/// Calls `action`.
pub(crate) fn with_all_blocked<T>(action: impl FnOnce() -> T) -> T {
    action()
}

/// Does nothing.
pub(crate) fn unblock_all() {}
