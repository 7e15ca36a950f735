//! Completions: what may stand at the cursor of a cell that is still being written, by what lives in
//! `__main__`, as the standard library's `rlcompleter` has it.
//!
//! Code of the program's may run for it (`__getattr__`, `__dir__`): it is struck when something else
//! comes or its time is up (`fifo`), and what it prints and raises goes nowhere.

use mcp_repl_sideband::ToServer;
use pyo3::{
    exceptions::PyImportError,
    ffi,
    prelude::*,
    types::{PyCFunction, PyDict, PyString},
};

use crate::{
    cell::{self, Compiler},
    files,
    quiet::{Interrupts, without_output},
    report::without_working_directory,
    system::fork,
    unfinished::{Path, Place},
    worker::Worker,
};

/// The most that is told of a place.
const MOST_MATCHES: usize = 500;
/// From this Python on, strings in the expressions of formatted ones may have any quotes (PEP 701).
const NESTS_STRINGS: (u8, u8) = (3, 12);

/// Where what is to be replaced begins, in characters, and what may stand there.
type Found = (usize, Vec<String>);

/// Finds completions.
#[derive(Debug)]
pub(crate) struct Completer {
    interrupts: Interrupts,
    /// `rlcompleter.Completer`, once loaded.
    class: Option<Py<PyAny>>,
}

impl Completer {
    /// Captures what the program could change. The rest is loaded when it is needed.
    pub(crate) fn new(py: Python<'_>) -> PyResult<Completer> {
        Ok(Completer { interrupts: Interrupts::new(py)?, class: None })
    }

    /// Answers what the server asked last, if that is still worth something. `settle` handles the
    /// signals that came meanwhile.
    ///
    /// # Errors
    /// That of `settle`, and when the program's streams can't be replaced.
    pub(crate) fn answer(
        &mut self,
        sys: &Bound<'_, PyModule>,
        worker: &'static Worker,
        globals: &Bound<'_, PyDict>,
        compiler: &Compiler,
        settle: impl FnOnce() -> PyResult<()>,
    ) -> PyResult<()> {
        let py = sys.py();
        let Completer { interrupts, class } = self;
        let find = || {
            let asked = py.detach(|| worker.fifo.begin_completion())?;
            let found = without_output(sys, || {
                let is_incomplete = compiler.is_incomplete(py, &asked.text);
                // What it raised is let go of here, where a finaliser prints nothing either.
                let nests_strings = py.version_info() >= NESTS_STRINGS;
                let found = Place::of(&asked.text, asked.cursor, nests_strings)
                    .and_then(|place| find(class, sys, worker, globals, place).ok())
                    .unwrap_or_default();
                if fork::is_child() {
                    // A forked child came back: its work is done.
                    // SAFETY: the GIL is held.
                    unsafe { ffi::Py_Exit(0) }
                }
                (found, is_incomplete)
            });
            py.detach(|| worker.fifo.end_completion());
            Some((asked.id, found))
        };
        let answer = interrupts.raise_during(py, find, settle)?;
        let Some((id, found)) = answer else { return Ok(()) };
        let ((start, matches), is_incomplete) = found?;
        let (start, matches) = (start as u64, shown(matches));
        let answer = ToServer::Completion { id, start, matches, is_incomplete };
        py.detach(|| worker.channel.send(&answer));
        Ok(())
    }
}

fn find(
    class: &mut Option<Py<PyAny>>,
    sys: &Bound<'_, PyModule>,
    worker: &'static Worker,
    globals: &Bound<'_, PyDict>,
    place: Place,
) -> PyResult<Found> {
    let py = sys.py();
    Ok(match place {
        Place::Name { start, word } => {
            let loaded = match class.take() {
                Some(loaded) => loaded,
                None => load(sys)?.unbind(),
            };
            let loaded = class.insert(loaded).bind(py);
            let completer = loaded.call1((globals,))?;
            completer.call_method1("complete", (word, 0))?;
            (start, texts(&completer.getattr("matches")?)?)
        }
        Place::Module { start, word } => (start, modules(sys, &word)?),
        Place::Member { start, module, word } => (start, members(sys, &module, &word)?),
        Place::Path(path) => {
            let look = || files::names(worker, &path.directory, &path.word, MOST_MATCHES);
            (path.start, written(py, py.detach(look), &path))
        }
    })
}

/// Those of some objects that are strings.
fn texts(names: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let texts =
        names.try_iter()?.filter_map(|name| name.map(|name| name.extract().ok()).transpose());
    texts.collect()
}

/// A `rlcompleter.Completer` of our own: the module is not among the program's, and does not find
/// `readline`, whose completer it would take the place of.
fn load<'py>(sys: &Bound<'py, PyModule>) -> PyResult<Bound<'py, PyAny>> {
    let code = without_working_directory(sys, |py| {
        // What it imports only when it is asked.
        for name in ["keyword", "re"] {
            py.import(name)?;
        }
        let spec = path_finder(py)?.call_method1("find_spec", ("rlcompleter",))?;
        spec.getattr("loader")?.call_method1("get_code", ("rlcompleter",))
    })?;
    let py = sys.py();
    let builtins = py.import("builtins")?.dict().copy()?;
    let import = builtins.as_any().get_item("__import__")?;
    builtins.set_item("__import__", without_readline(&import)?)?;
    let namespace = PyDict::new(py);
    namespace.set_item("__name__", "rlcompleter")?;
    namespace.set_item("__builtins__", &builtins)?;
    without_working_directory(sys, |_| cell::evaluate(&code, &namespace))?;
    builtins.set_item("__import__", import)?;
    namespace.as_any().get_item("Completer")
}

/// `import`, as `__import__`, by which nothing finds `readline`.
fn without_readline<'py>(import: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyCFunction>> {
    let (py, import) = (import.py(), import.clone().unbind());
    PyCFunction::new_closure(py, None, None, move |arguments, keywords| -> PyResult<Py<PyAny>> {
        if arguments.get_item(0)?.eq("readline")? {
            return Err(PyImportError::new_err("not here"));
        }
        import.call(arguments.py(), arguments, keywords)
    })
}

/// `importlib.machinery.PathFinder`, which loads nothing.
fn path_finder(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import("_frozen_importlib_external")?.getattr("PathFinder")
}

/// Modules that can be imported, by the beginning of the name. None is.
fn modules(sys: &Bound<'_, PyModule>, word: &str) -> PyResult<Vec<String>> {
    let Some((package, word)) = word.rsplit_once('.') else {
        let mut names = submodules(sys, None)?;
        names.extend(texts(&sys.getattr("builtin_module_names")?)?);
        return Ok(beginning_with(names, word).collect());
    };
    let names = match package_path(sys, package)? {
        Some(path) => submodules(sys, Some(&path))?,
        None => Vec::new(),
    };
    Ok(beginning_with(names, word).map(|name| format!("{package}.{name}")).collect())
}

/// What can be imported from a module: what it has, if it is loaded, and its submodules.
fn members(sys: &Bound<'_, PyModule>, module: &str, word: &str) -> PyResult<Vec<String>> {
    let mut names = Vec::new();
    if let Ok(loaded) = sys.getattr("modules")?.get_item(module) {
        names.extend(texts(loaded.dir()?.as_any())?);
    }
    if let Some(path) = package_path(sys, module)? {
        names.extend(submodules(sys, Some(&path))?);
    }
    Ok(beginning_with(names, word).collect())
}

/// Those that a word may become; names that begin with `_` are shown to who asks for one.
fn beginning_with(names: Vec<String>, word: &str) -> impl Iterator<Item = String> {
    let is_name = |name: &String| name.chars().all(|part| part.is_alphanumeric() || part == '_');
    names.into_iter().filter(move |name| {
        name.starts_with(word) && is_name(name) && (!word.is_empty() || !name.starts_with('_'))
    })
}

/// The modules that a package has; those of `sys.path` without one.
fn submodules(sys: &Bound<'_, PyModule>, path: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    let pkgutil = without_working_directory(sys, |py| {
        py.import("inspect")?;
        py.import("pkgutil")
    })?;
    let found = pkgutil.call_method1("iter_modules", (path,))?;
    found.try_iter()?.map(|module| module?.getattr("name")?.extract()).collect()
}

/// Where the modules of a package are; `None` if it is no package. What is not loaded stays so.
fn package_path<'py>(
    sys: &Bound<'py, PyModule>,
    package: &str,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = sys.py();
    if let Ok(loaded) = sys.getattr("modules")?.get_item(package) {
        return Ok(loaded.getattr("__path__").ok());
    }
    let finder = path_finder(py)?;
    let mut path = py.None().into_bound(py);
    let ends = package.match_indices('.').map(|(end, _)| end).chain([package.len()]);
    for end in ends {
        let spec = finder.call_method1("find_spec", (&package[..end], &path))?;
        if spec.is_none() {
            return Ok(None);
        }
        path = spec.getattr("submodule_search_locations")?;
        if path.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(path))
}

/// What of these names can stand in a string, as it is written there.
fn written(py: Python<'_>, names: Vec<Vec<u8>>, path: &Path) -> Vec<String> {
    let is_printable = |character: char| match character {
        '\0'..='\u{7f}' => !character.is_ascii_control(),
        _ => {
            let text = PyString::new(py, character.encode_utf8(&mut [0; 4]));
            text.call_method0("isprintable").is_ok_and(|is| is.is_truthy().unwrap_or_default())
        }
    };
    let write = |text: &[u8]| path.form.write(text, is_printable);
    let goes_on = |name: &Vec<u8>| {
        // A backslash, say, that was typed.
        path.begun.is_empty()
            || write(&name[path.word.len()..]).is_some_and(|rest| rest.starts_with(&path.begun))
    };
    names.into_iter().filter(goes_on).filter_map(|name| write(&name)).collect()
}

/// Sorted, and no more than are told: the first ones and the last, so that what all of them begin with
/// is what those begin with.
fn shown(mut matches: Vec<String>) -> Vec<String> {
    matches.sort_unstable();
    matches.dedup();
    if matches.len() > MOST_MATCHES {
        matches.swap_remove(MOST_MATCHES - 1);
        matches.truncate(MOST_MATCHES);
    }
    matches
}
