//! The worker: an extension module that turns the user's own CPython into a session's program.
//!
//! The bootstrap (`src/session/launch.rs` gives it to `python -c`) loads this module and calls
//! `boot`. Python then takes us for its interactive hook and calls `session::run` at the place
//! where it would start its own prompt: below it there is no Python frame, so none of ours can
//! show in a traceback, a debugger or `inspect.stack()`.
//!
//! In the order of the files: `boot` sets up, `session` is the top-level loop, `cell` compiles
//! and runs, `report` shows exceptions, `reads` serves `input()` and `sys.stdin` from the `fifo`,
//! `channel` is the sideband, `terminal` and `streams` clean up behind a cell, `fork` and
//! `orphan` see to it that children never speak for us and that nobody is left behind.

use pyo3::prelude::*;

mod boot;
mod capi;
mod cell;
mod channel;
mod fifo;
mod fork;
mod nudge;
mod orphan;
mod reads;
mod report;
mod session;
mod streams;
mod terminal;
mod wake;

/// The module's only public face: `boot(globals, master)`.
#[pymodule]
fn _mcp_repl(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(boot::boot, module)?)
}
