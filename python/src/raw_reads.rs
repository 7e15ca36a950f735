//! Reads of the console below `sys.stdin`, on Windows: `os.read(0, …)`, and the keys of `msvcrt`, from
//! which `getpass` reads. Nobody there tells who waits for a console, so these say so before they wait,
//! and take what is in the queue.

use std::{ffi::c_int, sync::OnceLock};

use mcp_repl_sideband::Reader;
use pyo3::{
    exceptions::PyRuntimeError,
    prelude::*,
    types::{PyBool, PyBytes, PyString},
};

use crate::{
    capi::Raised,
    input::read_input,
    worker::{Worker, worker},
};

/// `os.read`, and `msvcrt`'s functions in the order of [`KEYS`], as they were.
static BEFORE: OnceLock<[Py<PyAny>; 6]> = OnceLock::new();

/// Those of `msvcrt` that give a key, and the one that tells whether there is one.
const KEYS: [&str; 5] = ["getwch", "getwche", "getch", "getche", "kbhit"];

/// What begins a key that a terminal sends and that gives no character.
const ESCAPE: char = '\u{1b}';

/// The most bytes of a character in UTF-8.
const LONGEST: usize = 4;

/// Puts ours in the place of those.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let (os, msvcrt) = (py.import("os")?, py.import("msvcrt")?);
    let [a, b, c, d, e] = KEYS.map(|name| msvcrt.getattr(name).map(Bound::unbind));
    let _ = BEFORE.set([os.getattr("read")?.unbind(), a?, b?, c?, d?, e?]);
    os.setattr("read", wrap_pyfunction!(read, py)?)?;
    msvcrt.setattr(KEYS[0], wrap_pyfunction!(getwch, py)?)?;
    msvcrt.setattr(KEYS[1], wrap_pyfunction!(getwche, py)?)?;
    msvcrt.setattr(KEYS[2], wrap_pyfunction!(getch, py)?)?;
    msvcrt.setattr(KEYS[3], wrap_pyfunction!(getche, py)?)?;
    msvcrt.setattr(KEYS[4], wrap_pyfunction!(kbhit, py)?)
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

/// `msvcrt.getwch()`: a key, which is not shown. One that gives no character is two, one after the other.
#[pyfunction]
fn getwch(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    key(py, false, |key| text(py, key)).unwrap_or_else(|| before(py, 1)?.call0())
}

/// `msvcrt.getwche()`: a key, which is shown.
#[pyfunction]
fn getwche(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    key(py, true, |key| text(py, key)).unwrap_or_else(|| before(py, 2)?.call0())
}

/// `msvcrt.getch()`: a key as bytes, which is not shown.
#[pyfunction]
fn getch(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    key(py, false, |key| bytes(py, key)).unwrap_or_else(|| before(py, 3)?.call0())
}

/// `msvcrt.getche()`: a key as bytes, which is shown.
#[pyfunction]
fn getche(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    key(py, true, |key| bytes(py, key)).unwrap_or_else(|| before(py, 4)?.call0())
}

/// `msvcrt.kbhit()`: whether there is a key.
#[pyfunction]
fn kbhit(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let is_there = |worker: &Worker| worker.channel.terminal.has_left() || worker.fifo.has_input();
    match on_console().is_some_and(is_there) {
        true => Ok(PyBool::new(py, true).to_owned().into_any()),
        false => before(py, 5)?.call0(),
    }
}

/// None at the end of the input.
fn text(py: Python<'_>, key: Option<char>) -> Bound<'_, PyAny> {
    PyString::new(py, &key.map(String::from).unwrap_or_default()).into_any()
}

/// In UTF-8, but for the two of a key that gives no character: each is a byte.
fn bytes(py: Python<'_>, key: Option<char>) -> Bound<'_, PyAny> {
    let bytes = match key {
        Some(key @ ('\u{80}'..='\u{9f}' | '\u{e0}')) => vec![key as u8],
        Some(key) => String::from(key).into_bytes(),
        None => Vec::new(),
    };
    PyBytes::new(py, &bytes).into_any()
}

/// A character, made into what is returned. `None` where standard input is not the worker's console.
fn key<'py>(
    py: Python<'py>,
    is_shown: bool,
    made: impl FnOnce(Option<char>) -> Bound<'py, PyAny>,
) -> Option<PyResult<Bound<'py, PyAny>>> {
    let worker = on_console()?;
    let terminal = &worker.channel.terminal;
    if let Some(second) = terminal.take_left() {
        return Some(Ok(made(Some(second))));
    }
    let read = py.detach(|| terminal.while_keys_come(|| read_character(worker)));
    Some(match read {
        Ok(Some(ESCAPE)) => {
            let more = || worker.fifo.take_input(1).and_then(|byte| byte.first().copied());
            Ok(made(Some(terminal.key_sent(ESCAPE, more))))
        }
        Ok(key) => {
            // One that gives no character has two of them here, and shows nothing.
            if let Some(key) = key.filter(|_| is_shown && !terminal.has_left()) {
                py.detach(|| terminal.write(key.encode_utf8(&mut [0; 4]).as_bytes()));
            }
            Ok(made(key))
        }
        Err(Raised) => Err(PyErr::fetch(py)),
    })
}

/// Waits for a character; none at the end of the input.
fn read_character(worker: &Worker) -> Result<Option<char>, Raised> {
    let mut character = read_input(worker, Reader::Stdin, b"", 1)?;
    while std::str::from_utf8(&character).is_err() && character.len() < LONGEST {
        match read_input(worker, Reader::Stdin, b"", 1)? {
            rest if rest.is_empty() => break,
            rest => character.extend(rest),
        }
    }
    Ok(String::from_utf8_lossy(&character).chars().next())
}
