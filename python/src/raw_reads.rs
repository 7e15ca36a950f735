//! Reads of the console below `sys.stdin`, on Windows: `os.read(0, …)`, and the keys of `msvcrt`, from
//! which `getpass` reads. Nobody there tells who waits for a console, so these say so before they wait,
//! and take what is in the queue.

use std::{ffi::c_int, sync::OnceLock};

use mcp_repl_sideband::Reader;
use pyo3::{
    exceptions::PyRuntimeError,
    prelude::*,
    types::{PyBytes, PyString},
};

use crate::{
    capi::Raised,
    input::read_input,
    worker::{Worker, worker},
};

/// `os.read`, and `msvcrt`'s functions in the order of [`KEYS`], as they were.
static BEFORE: OnceLock<[Py<PyAny>; 5]> = OnceLock::new();

/// Those of `msvcrt` that give a key.
const KEYS: [&str; 4] = ["getwch", "getwche", "getch", "getche"];

/// The most bytes of a character in UTF-8.
const LONGEST: usize = 4;

/// Puts ours in the place of those.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let (os, msvcrt) = (py.import("os")?, py.import("msvcrt")?);
    let [a, b, c, d] = KEYS.map(|name| msvcrt.getattr(name).map(Bound::unbind));
    let _ = BEFORE.set([os.getattr("read")?.unbind(), a?, b?, c?, d?]);
    os.setattr("read", wrap_pyfunction!(read, py)?)?;
    msvcrt.setattr(KEYS[0], wrap_pyfunction!(getwch, py)?)?;
    msvcrt.setattr(KEYS[1], wrap_pyfunction!(getwche, py)?)?;
    msvcrt.setattr(KEYS[2], wrap_pyfunction!(getch, py)?)?;
    msvcrt.setattr(KEYS[3], wrap_pyfunction!(getche, py)?)
}

/// The function of this place in [`BEFORE`].
fn before<'py>(py: Python<'py>, place: usize) -> PyResult<Bound<'py, PyAny>> {
    let before = BEFORE.get().map(|all| all[place].bind(py).clone());
    before.ok_or_else(|| PyRuntimeError::new_err("mcp-repl: nothing was replaced"))
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
        _ => before(py, 0)?.call1((fd, length)),
    }
}

/// `msvcrt.getwch()`: a key, which is not shown.
#[pyfunction]
fn getwch(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    key(py, false, |key| PyString::new(py, key).into_any())
        .unwrap_or_else(|| before(py, 1)?.call0())
}

/// `msvcrt.getwche()`: a key, which is shown.
#[pyfunction]
fn getwche(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    key(py, true, |key| PyString::new(py, key).into_any()).unwrap_or_else(|| before(py, 2)?.call0())
}

/// `msvcrt.getch()`: a key as bytes, which is not shown.
#[pyfunction]
fn getch(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let bytes = |key: &str| PyBytes::new(py, key.as_bytes()).into_any();
    key(py, false, bytes).unwrap_or_else(|| before(py, 3)?.call0())
}

/// `msvcrt.getche()`: a key as bytes, which is shown.
#[pyfunction]
fn getche(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let bytes = |key: &str| PyBytes::new(py, key.as_bytes()).into_any();
    key(py, true, bytes).unwrap_or_else(|| before(py, 4)?.call0())
}

/// A character, made into what is returned; none of it at the end of the input. `None` where standard input
/// is not the worker's console.
fn key<'py>(
    py: Python<'py>,
    is_shown: bool,
    made: impl FnOnce(&str) -> Bound<'py, PyAny>,
) -> Option<PyResult<Bound<'py, PyAny>>> {
    let worker = on_console()?;
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
    Some(match read {
        Ok(character) => Ok(made(&String::from_utf8_lossy(&character))),
        Err(Raised) => Err(PyErr::fetch(py)),
    })
}
