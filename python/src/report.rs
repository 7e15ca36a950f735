//! Exceptions that reach the top: shown as Python's own prompt shows them, with source lines.

use pyo3::{
    exceptions::PyKeyboardInterrupt,
    prelude::*,
    types::{PyDict, PyList},
};

use crate::tracebacks::{self, Cut};

/// Shows exceptions and keeps the source of cells for whoever looks for it.
#[derive(Debug)]
pub(crate) struct Reporter {
    /// `sys.excepthook` as Python made it.
    excepthook: Py<PyAny>,
    /// `traceback.print_exception`, once loaded.
    print_exception: Option<Py<PyAny>>,
    /// `BaseExceptionGroup` (3.11 and newer).
    group: Option<Py<PyAny>>,
    /// The sources of the cells as `linecache` keeps them, until that is loaded.
    sources: Py<PyDict>,
    /// `linecache`, once loaded. Its `cache` is looked up each time: a reload makes a new one.
    linecache: Option<Py<PyModule>>,
    /// The name of the last cell, whose source is in the cache unless all are lost.
    last: String,
    /// Whether the interpreter's own display finds sources in `linecache` (3.13 and newer).
    finds_sources: bool,
    /// Whether the interpreter keeps `sys.last_exc` (3.12 and newer).
    keeps_last_exc: bool,
}

impl Reporter {
    /// Captures the original hook. `sys.excepthook` may be `sitecustomize`'s by now.
    pub(crate) fn new(sys: &Bound<'_, PyModule>) -> PyResult<Reporter> {
        let version: u32 = sys.getattr("hexversion")?.extract()?;
        Ok(Reporter {
            excepthook: sys.getattr("__excepthook__")?.unbind(),
            print_exception: None,
            group: sys
                .py()
                .import("builtins")?
                .getattr("BaseExceptionGroup")
                .ok()
                .map(Bound::unbind),
            sources: PyDict::new(sys.py()).unbind(),
            linecache: None,
            last: String::new(),
            finds_sources: version >= 0x030D_0000,
            keeps_last_exc: version >= 0x030C_0000,
        })
    }

    /// Loads `traceback` and `linecache`, which take longer than all the rest of the worker's
    /// start: called when there is time, or need.
    ///
    /// The working directory is left out of the path, so that no file there is taken for them.
    ///
    /// # Errors
    /// KeyboardInterrupt, which is the cell's if one is about to run.
    pub(crate) fn load(&mut self, sys: &Bound<'_, PyModule>) -> PyResult<()> {
        if self.linecache.is_some() {
            return Ok(());
        }
        let loaded = without_working_directory(sys, |py| {
            let linecache = py.import("linecache")?;
            let print = py.import("traceback")?.getattr("print_exception")?;
            Ok((linecache.unbind(), print.unbind()))
        });
        match loaded {
            Ok((linecache, print)) => {
                self.linecache = Some(linecache);
                self.print_exception = Some(print);
                self.fill_cache(sys.py());
                Ok(())
            }
            Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(sys.py()) => Err(error),
            // Without them there are no source lines; everything else works.
            Err(_) => Ok(()),
        }
    }

    /// Registers the source of a cell, for tracebacks, `inspect.getsource` and `pdb`.
    ///
    /// # Errors
    /// As [`Reporter::load`].
    pub(crate) fn register(
        &mut self,
        sys: &Bound<'_, PyModule>,
        name: &str,
        source: &str,
    ) -> PyResult<()> {
        let py = sys.py();
        if self.linecache.is_none() && looks_at_sources(source) {
            self.load(sys)?;
        }
        // The lines of a file end with a newline, the last one too.
        let newline = if source.ends_with('\n') { "" } else { "\n" };
        let text = format!("{source}{newline}");
        let lines = PyList::new(py, text.split_inclusive('\n'));
        // An entry without a time is never taken for stale (`linecache.checkcache`).
        let entry = lines.map(|lines| (text.len(), py.None(), lines, name));
        if let Ok(entry) = entry {
            self.refill_cache(py);
            let _ = self.sources.bind(py).set_item(name, &entry);
            if let Some(cache) = self.cache(py) {
                let _ = cache.set_item(name, &entry);
            }
            name.clone_into(&mut self.last);
        }
        Ok(())
    }

    /// `linecache`'s cache of today.
    fn cache<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyDict>> {
        self.linecache.as_ref()?.bind(py).getattr("cache").ok()?.cast_into().ok()
    }

    /// Puts the sources back into a cache that lost them: a reload, or `clearcache`, empties it.
    fn refill_cache(&self, py: Python<'_>) {
        let has_last = |cache: &Bound<'_, PyDict>| cache.contains(&self.last).unwrap_or(true);
        let shorter = |cache: &Bound<'_, PyDict>| cache.len() < self.sources.bind(py).len();
        if self.cache(py).is_some_and(|cache| !has_last(&cache) || shorter(&cache)) {
            self.fill_cache(py);
        }
    }

    fn fill_cache(&self, py: Python<'_>) {
        if let Some(cache) = self.cache(py) {
            let _ = cache.update(self.sources.bind(py).as_mapping());
        }
    }

    /// Shows an exception and sets `sys.last_value` and its kin.
    pub(crate) fn show(&mut self, sys: &Bound<'_, PyModule>, error: PyErr) {
        let py = sys.py();
        // Shown natively if it does not load.
        let _ = self.load(sys);
        self.refill_cache(py);
        let original =
            sys.getattr("excepthook").is_ok_and(|hook| hook.is(self.excepthook.bind(py)));
        if !original {
            return show_natively(error, py);
        }
        let (kind, value, traceback) = (error.get_type(py), error.value(py), error.traceback(py));
        let traceback = traceback.map(Bound::into_any);
        // As `PyErr_PrintEx` does: up to 3.11 an exception that nothing caught has none yet.
        tracebacks::set(value, traceback.as_ref());
        let keep = || {
            let _ = sys.setattr("last_type", &kind);
            let _ = sys.setattr("last_value", value);
            let _ = sys.setattr("last_traceback", &traceback);
            if self.keeps_last_exc {
                let _ = sys.setattr("last_exc", value);
            }
        };
        let natively = || {
            show_natively(PyErr::from_value(value.clone().into_any()), py);
            // It took the cut one for the exception's.
            keep();
        };
        let limit = tracebacks::limit(sys);
        let _cut = Cut::new(value, limit, self.group.as_ref().map(|group| group.bind(py)));
        let print = self.print_exception.as_ref().filter(|_| !self.finds_sources);
        let Some(print) = print else { return natively() };
        keep();
        // The last entries are a negative limit. There are no more now.
        let shown = (&kind, value, tracebacks::get(value), limit.saturating_neg());
        match print.bind(py).call1(shown) {
            Ok(_) => {}
            Err(interrupt) if interrupt.is_instance_of::<PyKeyboardInterrupt>(py) => {
                show_natively(interrupt, py);
            }
            // The program broke the display, by replacing a builtin it needs, say.
            Err(_) => natively(),
        }
    }
}

/// Shows an exception with the interpreter's own means, which run no Python code of a library.
///
/// It must not be SystemExit, on which `PyErr_PrintEx` ends the process.
fn show_natively(error: PyErr, py: Python<'_>) {
    error.print_and_set_sys_last_vars(py);
}

/// Whether a cell may look for the source of code within itself: then `linecache` must know it
/// before it runs.
fn looks_at_sources(source: &str) -> bool {
    ["import", "breakpoint", "help"].iter().any(|word| source.contains(word))
}

/// Calls `action` with the working directory taken out of the module search path, so that no
/// file there stands in for a module of the standard library.
pub(crate) fn without_working_directory<'py, T>(
    sys: &Bound<'py, PyModule>,
    action: impl FnOnce(Python<'py>) -> PyResult<T>,
) -> PyResult<T> {
    let path = sys.getattr("path")?.cast_into::<PyList>()?;
    let first = path.get_item(0).ok().filter(|first| first.eq("").unwrap_or(false));
    if first.is_some() {
        path.del_item(0)?;
    }
    let result = action(sys.py());
    if let Some(first) = first {
        path.insert(0, first)?;
    }
    result
}
