//! `sys.stdin`: the raw reader below it, over the queue of payloads and the terminal.

use std::{
    ffi::c_int,
    io,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use mcp_repl_sideband::Reader;
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict, PySlice, PyTuple, PyType},
};

use crate::{
    capi::{Raised, check_signals, raise},
    input::read_input,
    system::{
        fork,
        stdin::{is_terminal, read_once},
    },
    worker::worker,
};

/// Set while what `sys.stdin` has buffered is thrown away: reads are at end of file then.
static IS_DISCARDING: AtomicBool = AtomicBool::new(false);

/// Whether `sys.stdin` was read since its buffer was last thrown away.
static WAS_READ: AtomicBool = AtomicBool::new(false);

/// How many threads are inside a read of `sys.stdin`, which holds the stream's own lock.
static READERS: AtomicUsize = AtomicUsize::new(0);

/// The class of the raw reader, made with the module `io`.
pub(crate) fn reader_class<'py>(io: &Bound<'py, PyModule>) -> PyResult<Bound<'py, PyAny>> {
    let py = io.py();
    let members = PyDict::new(py);
    // Builtin functions are no descriptors, so they are called without `self`.
    members.set_item("readinto", wrap_pyfunction!(readinto, py)?)?;
    members.set_item("fileno", wrap_pyfunction!(fileno, py)?)?;
    members.set_item("isatty", wrap_pyfunction!(isatty, py)?)?;
    members.set_item("readable", wrap_pyfunction!(readable, py)?)?;
    members.set_item("name", "<stdin>")?;
    members.set_item("mode", "rb")?;
    let bases = PyTuple::new(py, [io.getattr("RawIOBase")?])?;
    py.get_type::<PyType>().call1(("TerminalReader", bases, members))
}

/// Whether a thread is inside a read.
pub(crate) fn is_being_read() -> bool {
    READERS.load(Ordering::Relaxed) > 0
}

/// Throws away what `stream`, over a reader of ours, has read ahead; returns the count of bytes.
pub(crate) fn discard_buffered(stream: &Bound<'_, PyAny>) -> u64 {
    if !WAS_READ.swap(false, Ordering::Relaxed) {
        return 0;
    }
    IS_DISCARDING.store(true, Ordering::Relaxed);
    let rest = stream.call_method0("read");
    IS_DISCARDING.store(false, Ordering::Relaxed);
    let text = rest.and_then(|rest| rest.extract::<String>());
    text.map_or(0, |text| text.len() as u64)
}

/// `sys.stdin.buffer.raw.readinto`: reads at most a line, as a terminal gives it.
#[pyfunction]
fn readinto(py: Python<'_>, buffer: &Bound<'_, PyAny>) -> PyResult<usize> {
    let limit = buffer.len()?;
    if limit == 0 || IS_DISCARDING.load(Ordering::Relaxed) {
        return Ok(0);
    }
    let Some(worker) = worker() else { return Ok(0) };
    WAS_READ.store(true, Ordering::Relaxed);
    READERS.fetch_add(1, Ordering::Relaxed);
    let read = py.detach(|| {
        // A child reads as Python does alone; so does a program that put something else there.
        if fork::is_child() || !worker.channel.terminal.is_standard_input() {
            return read_blocking(limit);
        }
        read_input(worker, Reader::Stdin, b"", limit)
    });
    READERS.fetch_sub(1, Ordering::Relaxed);
    let Ok(bytes) = read else { return Err(PyErr::fetch(py)) };
    let end = isize::try_from(bytes.len()).unwrap_or(isize::MAX);
    buffer.set_item(PySlice::new(py, 0, end, 1), PyBytes::new(py, &bytes))?;
    Ok(bytes.len())
}

/// Reads standard input as any program does.
fn read_blocking(limit: usize) -> Result<Vec<u8>, Raised> {
    loop {
        match read_once(limit) {
            Ok(bytes) => return Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => check_signals()?,
            Err(error) => return Err(raise(|_| error.into())),
        }
    }
}

/// `sys.stdin.fileno()`.
#[pyfunction]
fn fileno() -> c_int {
    0
}

/// `sys.stdin.isatty()`.
#[pyfunction]
fn isatty() -> bool {
    is_terminal()
}

/// `sys.stdin.readable()`.
#[pyfunction]
fn readable() -> bool {
    true
}
