//! The worker's top-level loop: takes cells from the queue, runs them, says when it is ready.

use std::{
    convert::Infallible,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use mcp_repl_sideband::{Hint, Outcome, ToServer};
use pyo3::{
    exceptions::{PyKeyboardInterrupt, PySystemExit},
    ffi,
    prelude::*,
    types::PyDict,
};

use crate::{
    browser,
    cell::{self, Compiler},
    completion::Completer,
    debugger,
    display_hook::DisplayHook,
    fifo::Next,
    figures, hint, interactive_hook, matplotlib,
    report::Reporter,
    stdin,
    streams::Streams,
    system::{Woken, fork, signals, symbols, waker::wait},
    worker::{Worker, worker},
};

/// How long a thread has for what it does at once: one that a cell started, at the cell's end, and
/// one that took an answer. That is its turn in which no other thread interrupts it
/// (`sys.getswitchinterval`).
const AT_ONCE: Duration = Duration::from_millis(5);
/// How often it is looked whether all that a cell started have ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// What only the top-level loop uses, always with the GIL.
#[derive(Debug)]
pub(crate) struct Interpreter {
    pub(crate) compiler: Compiler,
    pub(crate) completer: Completer,
    pub(crate) reporter: Reporter,
    pub(crate) display_hook: DisplayHook,
    pub(crate) streams: Streams,
    pub(crate) builtins: Py<PyModule>,
    /// `_thread._count`: how many threads of Python's there are besides the main one.
    pub(crate) thread_count: Py<PyAny>,
    /// The namespace of `__main__`.
    pub(crate) globals: Py<PyDict>,
    /// The file whose parts the cells are, its lines where they are in it.
    pub(crate) script: Option<String>,
}

static INTERPRETER: Mutex<Option<Interpreter>> = Mutex::new(None);

/// Gives [`run`] what it needs.
pub(crate) fn install(interpreter: Interpreter) {
    *INTERPRETER.lock().unwrap_or_else(PoisonError::into_inner) = Some(interpreter);
}

/// The session. Called by Python where it would start its own prompt; does not return.
#[pyfunction]
pub(crate) fn run(py: Python<'_>) -> PyResult<()> {
    let sys = py.import("sys")?;
    interactive_hook::remove(&sys)?;
    let interpreter = INTERPRETER.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (Some(worker), Some(mut interpreter)) = (worker(), interpreter) else { return Ok(()) };
    py.detach(|| worker.channel.send_ready(0));
    let Err(end) = interpreter.run_cells(&sys, worker);
    // Python finalises the objects of `__main__` when it lets go of its namespace, so nothing of
    // ours may hold that.
    drop(interpreter);
    exit(&sys, worker, end)
}

impl Interpreter {
    /// Runs cells until one ends the session.
    ///
    /// # Errors
    /// The SystemExit that ends it.
    fn run_cells(
        &mut self,
        sys: &Bound<'_, PyModule>,
        worker: &'static Worker,
    ) -> PyResult<Infallible> {
        let py = sys.py();
        loop {
            // A signal from before the cell is not the cell's.
            run_signal_handlers(py)?;
            match py.detach(|| worker.fifo.next()) {
                Next::Cell { id, source, interrupted } => {
                    if interrupted {
                        // SAFETY: the GIL is held. The cell finds the signal at its first step.
                        unsafe { ffi::PyErr_SetInterrupt() };
                    }
                    self.run_cell(sys, worker, id, &source)?;
                }
                Next::Shutdown => return Err(PySystemExit::new_err(0)),
                Next::Ready => py.detach(|| {
                    worker.fifo.wait_for_answered(AT_ONCE);
                    worker.channel.send_ready(0);
                }),
                Next::Complete => self.complete(sys, worker)?,
                Next::Wait => py.detach(|| {
                    if wait(&worker.fifo.loop_waker, false) == Woken::Waker {
                        worker.fifo.loop_waker.reset();
                    }
                }),
            }
        }
    }

    /// Runs a cell to its end and says so.
    ///
    /// # Errors
    /// SystemExit.
    fn run_cell(
        &mut self,
        sys: &Bound<'_, PyModule>,
        worker: &Worker,
        id: u64,
        source: &str,
    ) -> PyResult<()> {
        let py = sys.py();
        let threads = self.threads(py);
        let mut hint = None;
        let outcome = match self.evaluate(sys, id, source, &mut hint) {
            Ok(()) => Outcome::Ok,
            Err(error) => self.show_error(sys, worker, error)?,
        };
        // Without it, interrupts go on as they are.
        let _ = debugger::give_interrupts_back(sys);
        let outcome = self.show_figures(sys, worker, outcome)?;
        browser::wait_for_pages(py);
        py.detach(|| worker.channel.terminal.resume_output());
        self.streams.flush(sys);
        if let Some(hint) = hint {
            py.detach(|| worker.channel.hint(hint));
        }
        if fork::is_child() {
            // A forked child came back from the cell: its work is done.
            // SAFETY: the GIL is held.
            unsafe { ffi::Py_Exit(i32::from(outcome != Outcome::Ok)) }
        }
        if self.let_threads_ask(py, worker, threads) {
            self.streams.flush(sys);
        }
        self.streams.repair(sys);
        // A thread that reads holds the stream's lock.
        let is_read = worker.fifo.has_readers() || stdin::is_being_read();
        let unread = if is_read { 0 } else { self.streams.discard_input(py) };
        // Signals a cell left blocked would keep interrupts from the next one.
        signals::unblock_all();
        py.detach(|| {
            symbols::flush_c_streams();
            worker.channel.terminal.restore();
            worker.channel.tell_directory();
            worker.channel.send_marked(b"", |mark| {
                // In one with the messages: readers in the background say what they took before or
                // after, and whether a cell ran then.
                let discarded_bytes = worker.fifo.end_cell(unread);
                [
                    ToServer::CellDone { id, mark, outcome },
                    ToServer::Ready { mark, discarded_bytes },
                ]
            });
        });
        // An interrupt that came as the cell ended was too late for it.
        run_signal_handlers(py)?;
        // Interrupted, it is tried again behind the next cell.
        let _ = self.reporter.load(sys);
        Ok(())
    }

    /// Looks for a completion. It is no cell: nothing of it is shown.
    ///
    /// # Errors
    /// SystemExit, which a signal's handler raised.
    fn complete(&mut self, sys: &Bound<'_, PyModule>, worker: &'static Worker) -> PyResult<()> {
        let py = sys.py();
        let globals = self.globals.bind(py);
        let has_builtins = self.give_builtins(globals);
        let settle = || run_signal_handlers(py);
        let Interpreter { completer, compiler, .. } = self;
        let answered =
            has_builtins.and_then(|()| completer.answer(sys, worker, globals, compiler, settle));
        self.streams.repair(sys);
        let Err(error) = answered else { return Ok(()) };
        py.detach(|| worker.fifo.drop_completion());
        if error.is_instance_of::<PySystemExit>(py) { Err(error) } else { Ok(()) }
    }

    /// Code finds its builtins in its globals; without the name it would have none (3.9).
    fn give_builtins(&self, globals: &Bound<'_, PyDict>) -> PyResult<()> {
        if globals.contains("__builtins__")? {
            return Ok(());
        }
        globals.set_item("__builtins__", &self.builtins)
    }

    /// How many threads there are besides this one.
    fn threads(&self, py: Python<'_>) -> u64 {
        self.thread_count.call0(py).and_then(|count| count.extract(py)).unwrap_or(0)
    }

    /// What a thread asks at once belongs to the cell that started it. Whether there was a thread to
    /// wait for; a cell that leaves none is not held up.
    fn let_threads_ask(&self, py: Python<'_>, worker: &Worker, before: u64) -> bool {
        let has_started = || self.threads(py) > before;
        if !has_started() && !worker.fifo.is_reader_coming() {
            return false;
        }
        let deadline = Instant::now() + AT_ONCE;
        while !py.detach(|| worker.fifo.wait_for_reader(LOOK_INTERVAL))
            && has_started()
            && Instant::now() < deadline
        {}
        true
    }

    /// Shows what a cell raised, and says how the cell ended by that.
    ///
    /// # Errors
    /// SystemExit.
    fn show_error(
        &mut self,
        sys: &Bound<'_, PyModule>,
        worker: &Worker,
        error: PyErr,
    ) -> PyResult<Outcome> {
        let py = sys.py();
        if error.is_instance_of::<PySystemExit>(py) {
            return Err(error);
        }
        let interrupted = error.is_instance_of::<PyKeyboardInterrupt>(py);
        if interrupted {
            py.detach(|| worker.fifo.stop_interrupts());
            run_signal_handlers(py)?;
        }
        // Lines of an error are read as lines, whatever the cell did to the terminal.
        py.detach(|| worker.channel.terminal.restore_modes());
        self.reporter.show(sys, error);
        Ok(if interrupted { Outcome::Interrupted } else { Outcome::Error })
    }

    /// Shows the figures that the cell changed and has not shown, and says how the cell ended by
    /// that. Who interrupted it wants no more of it: they are shown at the end of the next one.
    ///
    /// # Errors
    /// SystemExit.
    fn show_figures(
        &mut self,
        sys: &Bound<'_, PyModule>,
        worker: &Worker,
        mut outcome: Outcome,
    ) -> PyResult<Outcome> {
        let py = sys.py();
        if !matplotlib::is_imported() || fork::is_child() {
            return Ok(outcome);
        }
        if outcome == Outcome::Interrupted {
            let _ = figures::keep_changed(py);
            return Ok(outcome);
        }
        let changed = match figures::changed(py) {
            Ok(changed) => changed,
            Err(error) => return self.show_error(sys, worker, error),
        };
        for figure in changed {
            if let Err(error) = figures::show_if_new(&figure) {
                outcome = self.show_error(sys, worker, error)?;
            }
            if outcome == Outcome::Interrupted {
                break;
            }
        }
        Ok(outcome)
    }

    /// Compiles and runs a cell; if it does not compile, `hint` is what it was meant to be.
    fn evaluate(
        &mut self,
        sys: &Bound<'_, PyModule>,
        id: u64,
        source: &str,
        hint: &mut Option<Hint>,
    ) -> PyResult<()> {
        let py = sys.py();
        let name = self.script.clone().unwrap_or_else(|| format!("<cell {id}>"));
        let globals = self.globals.bind(py);
        self.give_builtins(globals)?;
        let codes = match self.compiler.compile(py, source, &name) {
            Ok(codes) => codes,
            Err(error) => {
                *hint = hint::of(&self.compiler, source, error.value(py))?;
                return Err(error);
            }
        };
        if matplotlib::is_imported()
            && let Err(error) = figures::begin_cell(py)
            && error.is_instance_of::<PyKeyboardInterrupt>(py)
        {
            return Err(error);
        }
        // That of a file is read there, all of it.
        if self.script.is_none() {
            self.reporter.register(sys, &name, source)?;
        }
        if let Some(body) = codes.body {
            cell::evaluate(&body, self.globals.bind(py))?;
        }
        let Some(value) = codes.value else { return Ok(()) };
        self.display_hook.during(sys, || cell::evaluate(&value, self.globals.bind(py)))
    }
}

/// Runs the Python handlers of signals that arrived between cells. An interrupt is consumed;
/// what a handler of the user's raises is shown.
///
/// # Errors
/// SystemExit, which a handler raised.
fn run_signal_handlers(py: Python<'_>) -> PyResult<()> {
    while let Err(error) = py.check_signals() {
        if error.is_instance_of::<PySystemExit>(py) {
            return Err(error);
        }
        if !error.is_instance_of::<PyKeyboardInterrupt>(py) {
            error.print(py);
        }
    }
    Ok(())
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
