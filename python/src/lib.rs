//! The worker: an extension module that turns the user's own CPython into a session's program.
