//! The place where Python calls a function of ours with no frame below: `pymain_repl` in
//! Modules/main.c calls `sys.__interactivehook__` before it starts its prompt.

use std::{
    env,
    ffi::OsString,
    sync::{Mutex, PoisonError},
};

use pyo3::{prelude::*, types::PyCFunction};

/// Set, it makes `python -c` go on to its prompt, where it calls the interactive hook.
const INSPECT: &str = "PYTHONINSPECT";

/// What [`remove`] puts back.
static PREVIOUS: Mutex<Option<Previous>> = Mutex::new(None);

#[derive(Debug)]
struct Previous {
    hook: Option<Py<PyAny>>,
    inspect: Option<OsString>,
}

/// Makes Python call `hook` in place of its prompt, until [`remove`].
pub(crate) fn install(sys: &Bound<'_, PyModule>, hook: &Bound<'_, PyCFunction>) -> PyResult<()> {
    let previous = Previous {
        hook: sys.getattr("__interactivehook__").ok().map(Bound::unbind),
        inspect: env::var_os(INSPECT),
    };
    sys.setattr("__interactivehook__", hook)?;
    set_inspect(sys.py(), Some("1".into()))?;
    *PREVIOUS.lock().unwrap_or_else(PoisonError::into_inner) = Some(previous);
    Ok(())
}

/// Undoes what made Python call the hook. Called first thing by it.
pub(crate) fn remove(sys: &Bound<'_, PyModule>) -> PyResult<()> {
    let previous = PREVIOUS.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(previous) = previous else { return Ok(()) };
    set_inspect(sys.py(), previous.inspect)?;
    match previous.hook {
        Some(hook) => sys.setattr("__interactivehook__", hook),
        None => sys.delattr("__interactivehook__"),
    }
}

/// Sets the variable for the C library, where Python looks it up, and not in `os.environ`.
fn set_inspect(py: Python<'_>, value: Option<OsString>) -> PyResult<()> {
    let os = py.import("os")?;
    match value {
        Some(value) => os.call_method1("putenv", (INSPECT, value)),
        None => os.call_method1("unsetenv", (INSPECT,)),
    }
    .map(drop)
}
