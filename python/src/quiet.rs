//! What surrounds code of the program's that runs though no cell does: what the main thread prints
//! meanwhile goes nowhere, and an interrupt strikes that code alone.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use pyo3::{
    exceptions::PyKeyboardInterrupt,
    prelude::*,
    types::{PyString, PyTuple},
};

use crate::worker::worker;

/// A stream in place of another: what the main thread writes is dropped, all else is the other's.
#[pyclass(frozen, module = "_mcp_repl")]
struct QuietStream {
    stream: Py<PyAny>,
    /// Whether it drops. Whoever keeps it for later has the other stream by another name.
    is_on: Arc<AtomicBool>,
}

impl QuietStream {
    fn drops(&self) -> bool {
        let is_main = || worker().is_some_and(|worker| worker.main_thread.is_current());
        self.is_on.load(Ordering::Relaxed) && is_main()
    }
}

#[pymethods]
impl QuietStream {
    fn write(&self, data: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = data.py();
        if self.drops() {
            return Ok(data.len()?.into_pyobject(py)?.into_any().unbind());
        }
        self.stream.call_method1(py, "write", (data,))
    }

    fn writelines(&self, lines: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.drops() {
            return Ok(());
        }
        self.stream.call_method1(lines.py(), "writelines", (lines,)).map(drop)
    }

    fn __getattr__(&self, name: &Bound<'_, PyString>) -> PyResult<Py<PyAny>> {
        let py = name.py();
        let value = self.stream.getattr(py, name)?;
        if name == "buffer" && self.drops() {
            let below = QuietStream { stream: value, is_on: self.is_on.clone() };
            return Ok(Py::new(py, below)?.into_any());
        }
        Ok(value)
    }

    fn __setattr__(&self, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.stream.bind(name.py()).setattr(name, value)
    }
}

/// Calls `action` with `sys.stdout` and `sys.stderr` quiet for the main thread. What it writes to
/// a stream that it has by another name, or to a descriptor, is shown.
pub(crate) fn without_output<T>(
    sys: &Bound<'_, PyModule>,
    action: impl FnOnce() -> T,
) -> PyResult<T> {
    let py = sys.py();
    let is_on = Arc::new(AtomicBool::new(true));
    let mut replaced = Vec::new();
    for name in ["stdout", "stderr"] {
        // A program may have none.
        if let Ok(stream) = sys.getattr(name)
            && !stream.is_none()
        {
            let stand_in = QuietStream { stream: stream.clone().unbind(), is_on: is_on.clone() };
            replaced.push((name, stream, Bound::new(py, stand_in)?));
        }
    }
    for (name, _, quiet) in &replaced {
        sys.setattr(*name, quiet)?;
    }
    let result = action();
    is_on.store(false, Ordering::Relaxed);
    for (name, stream, quiet) in replaced {
        // One that the program put there stays.
        if sys.getattr(name).is_ok_and(|current| current.is(&quiet)) {
            sys.setattr(name, stream)?;
        }
    }
    Ok(result)
}

/// What makes an interrupt a KeyboardInterrupt whatever the program does about interrupts,
/// captured before it could change that.
#[derive(Debug)]
pub(crate) struct Interrupts {
    getsignal: Py<PyAny>,
    signal: Py<PyAny>,
    default_int_handler: Py<PyAny>,
}

impl Interrupts {
    /// Captures what `signal` has.
    pub(crate) fn new(py: Python<'_>) -> PyResult<Interrupts> {
        let module = py.import("_signal")?;
        Ok(Interrupts {
            getsignal: module.getattr("getsignal")?.unbind(),
            signal: module.getattr("signal")?.unbind(),
            default_int_handler: module.getattr("default_int_handler")?.unbind(),
        })
    }

    /// Calls `action`, and `settle` for the signals that it did not see, while an interrupt raises
    /// KeyboardInterrupt. On the main thread.
    ///
    /// # Errors
    /// That of `settle`.
    pub(crate) fn raise_during<T>(
        &self,
        py: Python<'_>,
        action: impl FnOnce() -> T,
        settle: impl FnOnce() -> PyResult<()>,
    ) -> PyResult<T> {
        let handler = self.getsignal.call1(py, (libc::SIGINT,))?;
        // One that is not Python's could not be put back.
        let replaced = !handler.is_none(py) && !handler.is(&self.default_int_handler);
        if replaced {
            self.set(py, self.default_int_handler.bind(py))?;
        }
        let result = action();
        let settled = settle();
        // It looks for signals first, and an interrupt then leaves it undone.
        while replaced
            && let Err(error) = self.set(py, handler.bind(py))
            && error.is_instance_of::<PyKeyboardInterrupt>(py)
        {}
        settled.map(|()| result)
    }

    fn set(&self, py: Python<'_>, handler: &Bound<'_, PyAny>) -> PyResult<()> {
        let arguments = PyTuple::new(py, [libc::SIGINT.into_pyobject(py)?.as_any(), handler])?;
        self.signal.call1(py, arguments).map(drop)
    }
}
