//! The worker: an extension module that turns the user's own CPython into a session's program.
//!
//! The bootstrap (`src/session/launch/program.rs` gives it to `python -c`) loads this module and calls
//! `boot`. Python then takes us for its interactive hook and calls `main_loop::run` at the place
//! where it would start its own prompt: below it there is no Python frame, so none of ours can
//! show in a traceback, a debugger or `inspect.stack()`.
//!
//! The modules stand in layers, declared below in this order. Each uses only modules declared
//! before it, which `tests/it/architecture.rs` checks:
//!
//! 1. What the `system` gives, behind the platform door, and what CPython gives: `capi`.
//! 2. What all threads share: the `channel` (the terminal and the sideband together), the `fifo` of
//!    payloads, and the `worker`, which holds them.
//! 3. The `reading_thread`: takes the server's messages and fills the `fifo`, without the GIL.
//! 4. The hooks Python calls to read: `input` waits for the `fifo` and the terminal; `readline`
//!    serves `input()` from it, `stdin` and `streams` serve `sys.stdin`, and `raw_reads` what is below
//!    that (Windows).
//! 5. Pictures: `import_hook` sees what the user imports, `pictures` sends what is to be looked at;
//!    `figures` knows matplotlib's, `matplotlib` is its backend; `rich` values have a picture or page,
//!    which the `display_hook` shows; the `browser` fetches pages.
//! 6. The loop: `cell` compiles and evaluates, `report` shows exceptions, with as much of their
//!    `tracebacks` as CPython shows, `hint` guesses what a cell was meant to be that did not compile;
//!    `completion` says what one that is still `unfinished` may go on with, `files` in a string `literal`
//!    among it, and keeps `quiet` with it;
//!    what a `debugger` left is cleared away; `interactive_hook` is where Python calls `main_loop`, which runs cells.
//! 7. `boot` puts all of them in place, and the `environment` that children get.

use pyo3::prelude::*;

// What the system and CPython give.
mod system;

mod capi;

// What all threads share.
mod channel;
mod fifo;

mod worker;

mod reading_thread;

// The hooks Python calls to read.
mod input;
#[cfg(windows)]
mod raw_reads;
mod readline;
mod stdin;
mod streams;

// Pictures.
mod import_hook;
mod pictures;

mod figures;

mod matplotlib;

mod rich;

mod display_hook;

mod browser;

// The loop.
mod cell;
mod interactive_hook;
mod tracebacks;

mod report;

mod files;
mod literal;
mod quiet;

mod unfinished;

mod completion;
mod debugger;
mod hint;

mod main_loop;

mod environment;

mod boot;

/// The module's only public face: `boot(globals, master, script)`.
#[pymodule]
fn _mcp_repl(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(boot::boot, module)?)
}
