//! What children inherit: the names by which they find this interpreter.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use pyo3::prelude::*;

/// Puts the interpreter's directory in front of `PATH` and sets `VIRTUAL_ENV`, as a virtual
/// environment's `activate` does, so that `python`, `pip` and what else is installed there are
/// the session's in a child. Only Python itself knows its file: what was started may be a script
/// or a pyenv shim.
pub(crate) fn put_interpreter_first(sys: &Bound<'_, PyModule>) -> PyResult<()> {
    let os = sys.py().import("os")?;
    let environment = os.getattr("environ")?;
    let executable = sys.getattr("executable")?.extract::<Option<PathBuf>>()?.unwrap_or_default();
    let directory = executable.parent().filter(|directory| directory.is_absolute());
    let path = environment.call_method1("get", ("PATH",))?.extract::<Option<OsString>>()?;
    // Without one, programs are looked for there all the same.
    let path = match path.filter(|path| !path.is_empty()) {
        Some(path) => path,
        None => os.getattr("defpath")?.extract()?,
    };
    if let Some(path) = directory.and_then(|directory| with_first(directory, &path)) {
        environment.set_item("PATH", path)?;
    }
    let prefix = sys.getattr("prefix")?;
    if prefix.eq(sys.getattr("base_prefix")?)? {
        // That of another interpreter would lead `uv` and the like to install there.
        environment.call_method1("pop", ("VIRTUAL_ENV", sys.py().None()))?;
    } else {
        environment.set_item("VIRTUAL_ENV", prefix)?;
    }
    Ok(())
}

/// `path` beginning with `directory`; `None` if it does, or can't: a colon parts directories.
fn with_first(directory: &Path, path: &OsString) -> Option<OsString> {
    if env::split_paths(path).next().as_deref() == Some(directory) {
        return None;
    }
    env::join_paths([directory.to_owned()].into_iter().chain(env::split_paths(path))).ok()
}
