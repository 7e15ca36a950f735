//! Imports of the user's that something is to be done after: a finder in `sys.meta_path`.
//!
//! A module is found and executed by those that would do it without us, and its `__spec__` and
//! `__loader__` are theirs. All of this is native, so no frame of it shows.

use std::sync::OnceLock;

use pyo3::{
    exceptions::{PyAttributeError, PyKeyboardInterrupt},
    intern,
    prelude::*,
    types::{PyDict, PyList, PyString},
};

use crate::system::fork;

/// What is done with a module.
pub(crate) type Action = fn(&Bound<'_, PyModule>) -> PyResult<()>;

/// The modules that something is done with.
#[derive(Debug)]
pub(crate) struct Watched {
    /// What is done with modules of the user's after each import: a reload is one, too.
    pub(crate) after: Vec<(&'static str, Action)>,
    /// Modules of ours, and what fills them.
    pub(crate) own: Vec<(&'static str, Action)>,
}

static WATCHED: OnceLock<Watched> = OnceLock::new();

/// Watches imports from here on. What was imported already is seen to at once.
pub(crate) fn install(sys: &Bound<'_, PyModule>, watched: Watched) -> PyResult<()> {
    let watched = WATCHED.get_or_init(|| watched);
    let modules = sys.getattr("modules")?.cast_into::<PyDict>()?;
    for (name, action) in &watched.after {
        if let Some(module) = modules.get_item(name)? {
            act(*action, module.cast::<PyModule>()?)?;
        }
    }
    let finders = sys.getattr("meta_path")?.cast_into::<PyList>()?;
    finders.insert(0, Py::new(sys.py(), ImportHook)?)
}

fn find(modules: &[(&'static str, Action)], name: &str) -> Option<Action> {
    modules.iter().find(|(watched, _)| *watched == name).map(|(_, action)| *action)
}

/// Does what is to be done after an import. It fails only when interrupted: the import itself went
/// well.
fn act(action: Action, module: &Bound<'_, PyModule>) -> PyResult<()> {
    match action(module) {
        Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(module.py()) => Err(error),
        _ => Ok(()),
    }
}

/// The finder.
#[pyclass(frozen, module = "_mcp_repl")]
struct ImportHook;

#[pymethods]
impl ImportHook {
    /// Finds a watched module as the other finders do, and has us told when it was executed.
    #[pyo3(signature = (name, path = None, target = None))]
    fn find_spec<'py>(
        slf: &Bound<'py, Self>,
        name: &Bound<'py, PyString>,
        path: Option<Bound<'py, PyAny>>,
        target: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = slf.py();
        let Ok(text) = name.extract::<String>() else { return Ok(None) };
        let Some(watched) = WATCHED.get() else { return Ok(None) };
        if let Some(fill) = find(&watched.own, &text) {
            let loader = Py::new(py, OwnLoader { fill })?;
            let spec = py.import("_frozen_importlib")?.getattr("ModuleSpec")?;
            return spec.call1((name, loader)).map(Some);
        }
        // A child's modules are as they would be without us.
        let action = find(&watched.after, &text).filter(|_| !fork::is_child());
        let Some(action) = action else { return Ok(None) };
        // Python takes anything that can be iterated over, a tuple, say.
        for finder in py.import("sys")?.getattr("meta_path")?.try_iter()? {
            let finder = finder?;
            if finder.is(slf) {
                continue;
            }
            let Ok(find_spec) = finder.getattr(intern!(py, "find_spec")) else { continue };
            let spec = find_spec.call1((name, &path, &target))?;
            if spec.is_none() {
                continue;
            }
            let loader = spec.getattr("loader")?;
            if loader.hasattr("exec_module")? {
                let (spec, original) = (spec.clone().unbind(), loader.unbind());
                spec.setattr(py, "loader", Py::new(py, WatchedLoader { action, original })?)?;
            }
            return Ok(Some(spec));
        }
        Ok(None)
    }
}

/// Stands in for a module's own loader until that is called.
#[pyclass(frozen, module = "_mcp_repl")]
struct WatchedLoader {
    action: Action,
    original: Py<PyAny>,
}

#[pymethods]
impl WatchedLoader {
    fn create_module<'py>(&self, spec: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = spec.py();
        let original = self.original.bind(py);
        match original.getattr("create_module") {
            Ok(create) => create.call1((spec,)),
            Err(_) => Ok(py.None().into_bound(py)),
        }
    }

    fn exec_module(&self, module: &Bound<'_, PyAny>) -> PyResult<()> {
        let original = self.original.bind(module.py());
        module.getattr("__spec__")?.setattr("loader", original)?;
        module.setattr("__loader__", original)?;
        original.call_method1("exec_module", (module,))?;
        match module.cast::<PyModule>() {
            Ok(module) => act(self.action, module),
            Err(_) => Ok(()),
        }
    }

    /// Who only asks for the spec sees the loader through this one.
    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.original.bind(name.py()).getattr(name)
    }
}

/// Fills a module of ours.
#[pyclass(frozen, module = "_mcp_repl")]
struct OwnLoader {
    fill: Action,
}

#[pymethods]
impl OwnLoader {
    fn create_module(&self, _spec: &Bound<'_, PyAny>) {}

    fn exec_module(&self, module: &Bound<'_, PyAny>) -> PyResult<()> {
        let module = module.cast::<PyModule>();
        (self.fill)(module.map_err(|_| PyAttributeError::new_err("no module"))?)
    }
}
