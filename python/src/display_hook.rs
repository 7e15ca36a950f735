//! Where values are shown: at the end of a cell, and by IPython's `display`.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::rich::{self, Form};

/// `sys.displayhook` as Python made it.
static ORIGINAL: Mutex<Option<Py<PyAny>>> = Mutex::new(None);

fn original(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let original = ORIGINAL.lock().unwrap_or_else(PoisonError::into_inner);
    original.as_ref().map(|original| original.bind(py).clone())
}

/// Stands in for Python's own display hook while the last expression of a cell is evaluated.
#[derive(Debug)]
pub(crate) struct DisplayHook(Py<PyAny>);

impl DisplayHook {
    /// Captures Python's own.
    pub(crate) fn new(sys: &Bound<'_, PyModule>) -> PyResult<DisplayHook> {
        let original = sys.getattr("displayhook")?.unbind();
        *ORIGINAL.lock().unwrap_or_else(PoisonError::into_inner) = Some(original);
        Ok(DisplayHook(wrap_pyfunction!(displayhook, sys.py())?.into_any().unbind()))
    }

    /// Calls `action` with ours in its place; one of the user's stays where it is.
    pub(crate) fn during<T>(
        &self,
        sys: &Bound<'_, PyModule>,
        action: impl FnOnce() -> PyResult<T>,
    ) -> PyResult<T> {
        let (ours, Some(original)) = (self.0.bind(sys.py()), original(sys.py())) else {
            return action();
        };
        let is_current = |hook: &Bound<'_, PyAny>| {
            sys.getattr("displayhook").is_ok_and(|current| current.is(hook))
        };
        if !is_current(&original) {
            return action();
        }
        sys.setattr("displayhook", ours)?;
        let result = action();
        if is_current(ours) {
            sys.setattr("displayhook", original)?;
        }
        result
    }
}

/// Shows a value as a picture, if it has one, else as Python does. `_` is the value in any case.
#[pyfunction]
#[pyo3(signature = (object, /))]
fn displayhook(object: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = object.py();
    let Some(original) = original(py) else { return Ok(()) };
    if object.is_none() {
        return original.call1((object,)).map(drop);
    }
    match rich::form_of(object)? {
        Form::Text(more) => {
            original.call1((object,))?;
            more.map_or(Ok(()), |more| more.send(py))
        }
        picture => {
            rich::send_picture(py, &picture)?;
            py.import("builtins")?.setattr("_", object)
        }
    }
}

/// Has `display` show pictures, too, where IPython is a library only. It prints what it is given
/// then, and finds this `print` in its module before Python's. Called when the module of IPython's
/// that defines it was imported.
pub(crate) fn prepare_ipython(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let is_here = module.dict().get_item("display")?.is_some_and(|display| {
        let home = display.getattr("__module__").and_then(|home| home.extract::<String>());
        home.ok() == module.name().ok().map(|name| name.to_string_lossy().into_owned())
    });
    if is_here { module.add("print", wrap_pyfunction!(print, module)?) } else { Ok(()) }
}

/// Prints, and shows what has a picture as that.
#[pyfunction]
#[pyo3(signature = (*objects, **options))]
fn print(objects: &Bound<'_, PyTuple>, options: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
    let py = objects.py();
    let print = py.import("builtins")?.getattr("print")?;
    if options.is_some_and(|options| !options.is_empty()) {
        return print.call(objects, options).map(drop);
    }
    let mut texts = Vec::new();
    let print_texts = |texts: &mut Vec<_>| match mem::take(texts) {
        none if none.is_empty() => Ok(()),
        objects => print.call1(PyTuple::new(py, objects)?).map(drop),
    };
    for object in objects {
        match rich::form_of(&object)? {
            Form::Text(more) => {
                texts.push(object);
                if let Some(more) = more {
                    print_texts(&mut texts)?;
                    more.send(py)?;
                }
            }
            picture => {
                print_texts(&mut texts)?;
                rich::send_picture(py, &picture)?;
            }
        }
    }
    if objects.is_empty() { print.call0().map(drop) } else { print_texts(&mut texts) }
}
