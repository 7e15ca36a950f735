//! The worker's top-level loop: takes cells from the queue, runs them, says when it is ready.

use std::{
    sync::atomic::Ordering,
    sync::{Mutex, OnceLock, PoisonError},
    thread::{self, ThreadId},
};

use mcp_repl_sideband::{Outcome, ToServer};
use pyo3::{
    exceptions::{PyKeyboardInterrupt, PySystemExit},
    ffi,
    prelude::*,
    types::PyDict,
};

use crate::{
    boot, capi,
    cell::{self, Compiler},
    channel::Channel,
    fifo::{Fifo, Next},
    fork,
    nudge::Sleeper,
    reads,
    report::Reporter,
    streams::Streams,
    wake,
};

/// What all threads share.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) channel: Channel,
    pub(crate) fifo: Fifo,
    main_thread: ThreadId,
    pub(crate) sleeper: Sleeper,
}

/// What only the top-level loop uses, always with the GIL.
#[derive(Debug)]
pub(crate) struct Interpreter {
    pub(crate) compiler: Compiler,
    pub(crate) reporter: Reporter,
    pub(crate) streams: Streams,
    pub(crate) builtins: Py<PyModule>,
    /// The namespace of `__main__`.
    pub(crate) globals: Py<PyDict>,
}

static WORKER: OnceLock<Worker> = OnceLock::new();
static INTERPRETER: Mutex<Option<Interpreter>> = Mutex::new(None);

impl Worker {
    /// A worker whose main thread is the calling one.
    pub(crate) fn new(channel: Channel, fifo: Fifo) -> Worker {
        Worker { channel, fifo, main_thread: thread::current().id(), sleeper: Sleeper::current() }
    }

    /// Whether the calling thread is Python's main thread, which signals are for.
    pub(crate) fn is_main_thread(&self) -> bool {
        thread::current().id() == self.main_thread
    }
}

/// The process's worker, once installed.
pub(crate) fn worker() -> Option<&'static Worker> {
    WORKER.get()
}

/// Makes `worker` and `interpreter` the process's.
pub(crate) fn install(worker: Worker, interpreter: Interpreter) -> &'static Worker {
    *INTERPRETER.lock().unwrap_or_else(PoisonError::into_inner) = Some(interpreter);
    WORKER.get_or_init(|| worker)
}

/// The session. Called by Python where it would start its own prompt; does not return.
#[pyfunction]
pub(crate) fn run(py: Python<'_>) -> PyResult<()> {
    let sys = py.import("sys")?;
    boot::finish(&sys)?;
    let interpreter = INTERPRETER.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (Some(worker), Some(mut interpreter)) = (worker(), interpreter) else { return Ok(()) };
    py.detach(|| {
        worker.channel.send_marked(b"", |mark| [ToServer::Ready { mark, discarded_bytes: 0 }]);
    });
    loop {
        // A signal from before the cell is not the cell's.
        run_signal_handlers(&sys, worker);
        match py.detach(|| worker.fifo.next()) {
            Next::Cell { id, source, interrupted } => {
                if interrupted {
                    // SAFETY: the GIL is held. The cell finds the signal at its first step.
                    unsafe { ffi::PyErr_SetInterrupt() };
                }
                interpreter.run_cell(&sys, worker, id, &source);
            }
            Next::Shutdown => exit(&sys, worker, PySystemExit::new_err(0)),
            Next::Nothing => {
                py.detach(|| {
                    if wake::wait(&worker.fifo.top, None) == wake::Woken::Waker {
                        worker.fifo.top.rest();
                    }
                });
            }
        }
    }
}

impl Interpreter {
    /// Runs a cell to its end and says so.
    fn run_cell(&mut self, sys: &Bound<'_, PyModule>, worker: &Worker, id: u64, source: &str) {
        let py = sys.py();
        let outcome = match self.evaluate(sys, id, source) {
            Ok(()) => Outcome::Ok,
            Err(error) if error.is_instance_of::<PySystemExit>(py) => exit(sys, worker, error),
            Err(error) => {
                let interrupted = error.is_instance_of::<PyKeyboardInterrupt>(py);
                if interrupted {
                    py.detach(|| worker.fifo.strike_no_more());
                    run_signal_handlers(sys, worker);
                }
                // Lines of an error are read as lines, whatever the cell did to the terminal.
                py.detach(|| worker.channel.terminal.restore_modes());
                self.reporter.show(sys, error);
                if interrupted { Outcome::Interrupted } else { Outcome::Error }
            }
        };
        py.detach(|| worker.channel.terminal.resume_output());
        self.streams.flush(sys);
        if fork::is_child() {
            // A forked child came back from the cell: its work is done.
            // SAFETY: the GIL is held.
            unsafe { ffi::Py_Exit(i32::from(outcome != Outcome::Ok)) }
        }
        self.streams.repair(sys);
        let reads = worker.fifo.has_readers() || reads::READING.load(Ordering::Relaxed) > 0;
        let unread = if reads { 0 } else { self.streams.drain(py) };
        unblock_signals();
        py.detach(|| {
            capi::flush_c_streams();
            worker.channel.terminal.restore();
            let discarded_bytes = worker.fifo.end_cell(unread);
            worker.channel.send_marked(b"", |mark| {
                [
                    ToServer::CellDone { id, mark, outcome },
                    ToServer::Ready { mark, discarded_bytes },
                ]
            });
        });
        // An interrupt that came as the cell ended has missed it.
        run_signal_handlers(sys, worker);
        // Interrupted, it is tried again behind the next cell.
        let _ = self.reporter.load(sys);
    }

    fn evaluate(&mut self, sys: &Bound<'_, PyModule>, id: u64, source: &str) -> PyResult<()> {
        let py = sys.py();
        let name = format!("<cell {id}>");
        let globals = self.globals.bind(py);
        // Code finds its builtins here; without the name it would have none (3.9).
        if !globals.contains("__builtins__")? {
            globals.set_item("__builtins__", &self.builtins)?;
        }
        let codes = self.compiler.compile(py, source, &name)?;
        self.reporter.register(sys, &name, source)?;
        codes.iter().try_for_each(|code| cell::evaluate(code, self.globals.bind(py)))
    }
}

/// Runs the Python handlers of signals that arrived between cells. An interrupt is consumed;
/// what a handler of the user's raises is shown.
fn run_signal_handlers(sys: &Bound<'_, PyModule>, worker: &Worker) {
    let py = sys.py();
    // SAFETY: the GIL is held.
    while unsafe { ffi::PyErr_CheckSignals() } != 0 {
        let error = PyErr::fetch(py);
        if error.is_instance_of::<PySystemExit>(py) {
            exit(sys, worker, error);
        }
        if !error.is_instance_of::<PyKeyboardInterrupt>(py) {
            error.print(py);
        }
    }
}

/// A cell that left signals blocked would leave the next one beyond the reach of an interrupt.
fn unblock_signals() {
    let mut none = std::mem::MaybeUninit::uninit();
    // SAFETY: the set is filled before it is used, and only this thread's mask changes.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// Ends the process as Python does for SystemExit: message, threads, `atexit`, status.
fn exit(sys: &Bound<'_, PyModule>, worker: &Worker, error: PyErr) -> ! {
    let py = sys.py();
    let status = exit_status(py, &error);
    if !fork::is_child() {
        py.detach(|| worker.channel.send(&ToServer::Exiting { status }));
    }
    error.restore(py);
    // SAFETY: the GIL is held and SystemExit is set: the function ends the process. Where it
    // does not (a program switched inspection on), the last call does.
    unsafe {
        ffi::PyErr_PrintEx(1);
        ffi::Py_Exit(status)
    }
}

/// The status Python makes of a SystemExit (`handle_system_exit` in Python/pythonrun.c).
fn exit_status(py: Python<'_>, error: &PyErr) -> i32 {
    match error.value(py).getattr("code") {
        Ok(code) if code.is_none() => 0,
        Ok(code) => code.extract::<i32>().unwrap_or(1),
        Err(_) => 1,
    }
}
