//! Forked children: there are none.

use super::super::ReadlineFunction;

/// False.
pub(crate) fn is_child() -> bool {
    false
}

/// Does nothing.
pub(crate) fn register(
    _variable: Option<*mut Option<ReadlineFunction>>,
    _previous_readline: Option<ReadlineFunction>,
) {
}
