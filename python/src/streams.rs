//! Python's standard streams: ours in place of `sys.stdin`, and all of them after a cell.

use pyo3::{prelude::*, types::PyDict};

use crate::stdin;

/// The classes of `io`, captured before the program could get in the way of their import.
#[derive(Debug)]
struct Classes {
    file: Py<PyAny>,
    reader: Py<PyAny>,
    writer: Py<PyAny>,
    text: Py<PyAny>,
    /// Ours, over the queue and the terminal.
    terminal_reader: Py<PyAny>,
}

/// The streams as a cell finds them.
#[derive(Debug)]
pub(crate) struct Streams {
    classes: Classes,
    stdin: Py<PyAny>,
    stdout: Py<PyAny>,
    stderr: Py<PyAny>,
}

/// The keyword arguments that make a text stream like `stream`.
fn text_arguments<'py>(stream: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let arguments = PyDict::new(stream.py());
    arguments.set_item("encoding", stream.getattr("encoding")?)?;
    arguments.set_item("errors", stream.getattr("errors")?)?;
    arguments.set_item("newline", "\n")?;
    arguments.set_item("line_buffering", true)?;
    Ok(arguments)
}

impl Classes {
    fn capture(py: Python<'_>) -> PyResult<Classes> {
        let io = py.import("io")?;
        Ok(Classes {
            file: io.getattr("FileIO")?.unbind(),
            reader: io.getattr("BufferedReader")?.unbind(),
            writer: io.getattr("BufferedWriter")?.unbind(),
            text: io.getattr("TextIOWrapper")?.unbind(),
            terminal_reader: stdin::reader_class(&io)?.unbind(),
        })
    }

    /// A text stream over a raw reader of ours, as Python makes one over a `FileIO`
    /// (`create_stdio` in Python/pylifecycle.c).
    fn stdin<'py>(&self, model: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = model.py();
        let buffer = self.reader.bind(py).call1((self.terminal_reader.bind(py).call0()?,))?;
        let stream = self.text.bind(py).call((buffer,), Some(&text_arguments(model)?))?;
        stream.setattr("mode", "r")?;
        Ok(stream)
    }

    /// A text stream for an output descriptor, in place of one that was closed.
    fn output<'py>(&self, model: &Bound<'py, PyAny>, number: i32) -> PyResult<Bound<'py, PyAny>> {
        let py = model.py();
        let raw = self.file.bind(py).call1((number, "wb", false))?;
        raw.setattr("name", if number == 1 { "<stdout>" } else { "<stderr>" })?;
        let buffer = self.writer.bind(py).call1((raw,))?;
        let stream = self.text.bind(py).call((buffer,), Some(&text_arguments(model)?))?;
        stream.setattr("mode", "w")?;
        Ok(stream)
    }
}

impl Streams {
    /// Puts our `sys.stdin` in place and remembers the others.
    pub(crate) fn install(sys: &Bound<'_, PyModule>) -> PyResult<Streams> {
        let classes = Classes::capture(sys.py())?;
        let stdin = classes.stdin(&sys.getattr("stdin")?)?;
        sys.setattr("stdin", &stdin)?;
        sys.setattr("__stdin__", &stdin)?;
        Ok(Streams {
            classes,
            stdin: stdin.unbind(),
            stdout: sys.getattr("stdout")?.unbind(),
            stderr: sys.getattr("stderr")?.unbind(),
        })
    }

    /// Flushes the current and the original streams. Errors are the program's own making.
    pub(crate) fn flush(&self, sys: &Bound<'_, PyModule>) {
        let py = sys.py();
        for (name, original) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            let original = original.bind(py);
            let _ = original.call_method0("flush");
            if let Ok(current) = sys.getattr(name)
                && !current.is(original)
            {
                let _ = current.call_method0("flush");
            }
        }
    }

    /// Puts back a stream that is missing or closed; one that was replaced stays.
    pub(crate) fn repair(&mut self, sys: &Bound<'_, PyModule>) {
        let Streams { classes, stdin, stdout, stderr } = self;
        let _ = repair_one(sys, "stdin", stdin, |model| classes.stdin(model));
        let _ = repair_one(sys, "stdout", stdout, |model| classes.output(model, 1));
        let _ = repair_one(sys, "stderr", stderr, |model| classes.output(model, 2));
    }

    /// Throws away what our `sys.stdin` has read ahead; returns the count of bytes.
    ///
    /// Must not be called while a thread waits in a read: the stream is locked then.
    pub(crate) fn discard_input(&self, py: Python<'_>) -> u64 {
        stdin::discard_buffered(self.stdin.bind(py))
    }
}

fn repair_one<'py>(
    sys: &Bound<'py, PyModule>,
    name: &str,
    original: &mut Py<PyAny>,
    make: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<()> {
    let py = sys.py();
    if is_closed(original.bind(py)) {
        let fresh = make(original.bind(py))?;
        sys.setattr(format!("__{name}__"), &fresh)?;
        *original = fresh.unbind();
    }
    match sys.getattr(name) {
        Ok(current) if !is_closed(&current) => Ok(()),
        _ => sys.setattr(name, original.bind(py)),
    }
}

/// Whether a stream can't be used any more: closed, or detached from its buffer.
fn is_closed(stream: &Bound<'_, PyAny>) -> bool {
    match stream.getattr("closed") {
        Ok(closed) => closed.is_truthy().unwrap_or(false),
        // A detached text stream raises ValueError; a stand-in without the attribute is fine.
        Err(error) => error.is_instance_of::<pyo3::exceptions::PyValueError>(stream.py()),
    }
}
