//! Reads of the console below `sys.stdin`, on Windows: `os.read(0, …)`, and the keys of `msvcrt`, from
//! which `getpass` reads. Nobody there tells who waits for a console, so these say so before they wait,
//! and take what is in the queue.

use std::{ffi::c_int, sync::OnceLock};

use mcp_repl_sideband::Reader;
use pyo3::{
    prelude::*,
    types::{PyBytes, PyModule},
};

use crate::{
    capi::Raised,
    input::read_input,
    worker::{Worker, worker},
};

/// `os.read` as it was.
static OS_READ: OnceLock<Py<PyAny>> = OnceLock::new();

/// The most bytes of a character in UTF-8.
const LONGEST: usize = 4;

/// Puts ours in the place of those.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let os = py.import("os")?;
    let _ = OS_READ.set(os.getattr("read")?.unbind());
    os.setattr("read", wrap_pyfunction!(read, py)?)?;
    let keys = py.import("msvcrt")?;
    let set = |keys: &Bound<'_, PyModule>, name: &str, function| keys.setattr(name, function);
    set(&keys, "getwch", wrap_pyfunction!(getwch, py)?)?;
    set(&keys, "getwche", wrap_pyfunction!(getwche, py)?)?;
    set(&keys, "getch", wrap_pyfunction!(getch, py)?)?;
    set(&keys, "getche", wrap_pyfunction!(getche, py)?)
}

/// The worker, if standard input is its console.
fn on_console() -> Option<&'static Worker> {
    worker().filter(|worker| worker.channel.terminal.is_standard_input())
}

/// `os.read(fd, length)`.
#[pyfunction]
#[pyo3(signature = (fd, length, /))]
fn read<'py>(py: Python<'py>, fd: c_int, length: isize) -> PyResult<Bound<'py, PyAny>> {
    match (on_console(), usize::try_from(length)) {
        (Some(worker), Ok(limit)) if fd == 0 && limit > 0 => {
            let read = py.detach(|| read_input(worker, Reader::Stdin, b"", limit));
            let Ok(bytes) = read else { return Err(PyErr::fetch(py)) };
            Ok(PyBytes::new(py, &bytes).into_any())
        }
        _ => {
            let original = OS_READ.get().map(|original| original.bind(py));
            original.map_or_else(|| Ok(py.None().into_bound(py)), |it| it.call1((fd, length)))
        }
    }
}

/// `msvcrt.getwch()`: a key, which is not shown.
#[pyfunction]
fn getwch(py: Python<'_>) -> PyResult<String> {
    key(py, false)
}

/// `msvcrt.getwche()`: a key, which is shown.
#[pyfunction]
fn getwche(py: Python<'_>) -> PyResult<String> {
    key(py, true)
}

/// `msvcrt.getch()`: a key as bytes, which is not shown.
#[pyfunction]
fn getch(py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
    key(py, false).map(|key| PyBytes::new(py, key.as_bytes()))
}

/// `msvcrt.getche()`: a key as bytes, which is shown.
#[pyfunction]
fn getche(py: Python<'_>) -> PyResult<Bound<'_, PyBytes>> {
    key(py, true).map(|key| PyBytes::new(py, key.as_bytes()))
}

/// A character; none at the end of the input.
fn key(py: Python<'_>, is_shown: bool) -> PyResult<String> {
    let Some(worker) = worker() else { return Ok(String::new()) };
    let terminal = &worker.channel.terminal;
    let read: Result<Vec<u8>, Raised> = py.detach(|| {
        terminal.while_keys_come(|| {
            let mut character = read_input(worker, Reader::Stdin, b"", 1)?;
            while std::str::from_utf8(&character).is_err() && character.len() < LONGEST {
                match read_input(worker, Reader::Stdin, b"", 1)? {
                    rest if rest.is_empty() => break,
                    rest => character.extend(rest),
                }
            }
            if is_shown {
                terminal.write(&character);
            }
            Ok(character)
        })
    });
    match read {
        Ok(character) => Ok(String::from_utf8_lossy(&character).into_owned()),
        Err(_) => Err(PyErr::fetch(py)),
    }
}
