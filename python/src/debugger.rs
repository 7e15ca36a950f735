//! What a debugger leaves behind at the end of a cell.

use pyo3::{intern, prelude::*, types::PyDict};

/// Puts back the handler of SIGINT that `pdb` has found. `continue` installs one of its own, which
/// stays when the program has ended: the next interrupt would not end its cell. A handler that is
/// anybody else's stays.
///
/// # Errors
/// What a `pdb` that is not CPython's lacks.
pub(crate) fn give_interrupts_back(sys: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = sys.py();
    let modules = sys.getattr(intern!(py, "modules"))?.cast_into::<PyDict>()?;
    let Some(pdb) = modules.get_item(intern!(py, "pdb"))? else { return Ok(()) };
    let signal = py.import("_signal")?;
    let method = py.import("types")?.getattr("MethodType")?;
    let debugger = pdb.getattr("Pdb")?;
    let own = debugger.getattr("sigint_handler")?;
    let is_own = |handler: &Bound<'_, PyAny>| -> PyResult<bool> {
        Ok(handler.get_type().is(&method) && handler.getattr("__func__")?.is(&own))
    };
    if !is_own(&signal.call_method1("getsignal", (libc::SIGINT,))?)? {
        return Ok(());
    }
    let before = debugger.getattr("_previous_sigint_handler")?;
    let before = if before.is_none() || is_own(&before)? {
        signal.getattr("default_int_handler")?
    } else {
        before
    };
    signal.call_method1("signal", (libc::SIGINT, before))?;
    debugger.setattr("_previous_sigint_handler", py.None())
}
