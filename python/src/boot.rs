//! Setting up: everything between Python's own start and the first cell.

use std::{
    ffi::c_int,
    path::{Path, PathBuf},
};

use mcp_repl_sideband::{NONCE_VARIABLE, SOCKET_VARIABLE};
use pyo3::{
    exceptions::PyConnectionError,
    prelude::*,
    types::{PyDict, PyList, PyString},
};

#[cfg(windows)]
use crate::raw_reads;
use crate::{
    browser, capi,
    cell::Compiler,
    channel::{Channel, Identity},
    completion::Completer,
    display_hook::{self, DisplayHook},
    environment,
    fifo::Fifo,
    figures,
    import_hook::{self, Watched},
    interactive_hook,
    main_loop::{self, Interpreter},
    matplotlib, reading_thread, readline,
    report::{Reporter, without_working_directory},
    streams::Streams,
    system::{
        connection::{Master, outlive_server},
        fork,
        main_thread::MainThread,
    },
    worker::{self, Worker},
};

/// Called by the bootstrap with its globals, the user's `__main__`, and the number of the
/// descriptor it inherited of the terminal's master side; and with the file whose parts the cells
/// are, if they are a script's.
///
/// Connects to the server and makes Python call [`main_loop::run`] in place of its prompt.
#[pyfunction]
pub(crate) fn boot(
    py: Python<'_>,
    globals: Bound<'_, PyDict>,
    master: c_int,
    script: Option<Bound<'_, PyString>>,
) -> PyResult<()> {
    let sys = py.import("sys")?;
    // What the bootstrap left there.
    for name in globals.keys() {
        if !name.extract::<String>()?.starts_with("__") {
            globals.del_item(name)?;
        }
    }
    if let Some(script) = &script {
        imitate_script(&sys, &globals, script)?;
    }
    // Loaded later, readline would take the place of our readline function. It may be missing.
    let _ = without_working_directory(&sys, |py| py.import("readline"));
    main_loop::install(Interpreter {
        compiler: Compiler::new(py)?,
        completer: Completer::new(py)?,
        reporter: Reporter::new(&sys)?,
        display_hook: DisplayHook::new(&sys)?,
        streams: Streams::install(&sys)?,
        builtins: py.import("builtins")?.unbind(),
        thread_count: py.import("_thread")?.getattr("_count")?.unbind(),
        globals: globals.unbind(),
        script: script.map(|script| script.to_string_lossy().into_owned()),
    });
    let channel = Channel::connect(identity(&sys)?, Master::inherited(master))
        .map_err(|error| PyConnectionError::new_err(format!("mcp-repl: {error}")))?;
    #[cfg(windows)]
    raw_reads::install(py)?;
    fork::register(capi::readline_variable(), readline::install(py));
    let main_thread = MainThread::current();
    let worker = worker::install(Worker { channel, fifo: Fifo::new()?, main_thread });
    reading_thread::start(worker)?;
    outlive_server();
    imitate_prompt(py, &sys)?;
    environment::put_interpreter_first(&sys)?;
    import_hook::install(&sys, watched_imports())?;
    interactive_hook::install(&sys, &wrap_pyfunction!(main_loop::run, py)?)
}

/// The modules that show something, and what has to be done so that it is shown here.
fn watched_imports() -> Watched {
    Watched {
        after: vec![
            ("webbrowser", browser::register),
            ("matplotlib", matplotlib::choose_backend),
            ("IPython.core.display_functions", display_hook::prepare_ipython),
            // Before IPython 7.23.
            ("IPython.core.display", display_hook::prepare_ipython),
        ],
        own: vec![(figures::BACKEND, matplotlib::fill_backend)],
    }
}

fn identity(sys: &Bound<'_, PyModule>) -> PyResult<Identity> {
    let version = sys.getattr("version")?.extract::<String>()?;
    Ok(Identity {
        version: version.split_whitespace().next().unwrap_or_default().to_owned(),
        executable: sys.getattr("executable")?.extract().unwrap_or_default(),
    })
}

/// Makes things look as `python FILE` does: `__file__`, and modules beside the file are found.
fn imitate_script(
    sys: &Bound<'_, PyModule>,
    globals: &Bound<'_, PyDict>,
    script: &Bound<'_, PyString>,
) -> PyResult<()> {
    globals.set_item("__file__", script)?;
    let path = sys.getattr("path")?.cast_into::<PyList>()?;
    // Not with PYTHONSAFEPATH.
    if path.len() > 0 && path.get_item(0)?.eq("")? {
        let script = script.extract::<PathBuf>()?;
        path.set_item(0, script.parent().map(Path::as_os_str).unwrap_or_default())?;
    }
    Ok(())
}

/// Makes things look as at Python's own prompt.
fn imitate_prompt(py: Python<'_>, sys: &Bound<'_, PyModule>) -> PyResult<()> {
    let environment = py.import("os")?.getattr("environ")?;
    for name in [SOCKET_VARIABLE, NONCE_VARIABLE] {
        environment.call_method1("pop", (name, py.None()))?;
    }
    // Behind `-c` stands what a script is given, its name first.
    let argv = sys.getattr("argv")?.cast_into::<PyList>()?;
    let own = argv.get_slice(1, argv.len());
    sys.setattr("argv", if own.is_empty() { PyList::new(py, [""])? } else { own })?;
    if let Ok(original) = sys.getattr("orig_argv") {
        sys.setattr("orig_argv", PyList::new(py, [original.get_item(0)?])?)?;
    }
    sys.setattr("ps1", ">>> ")?;
    sys.setattr("ps2", "... ")
}
