//! Python's own reads: `input()` through the readline function, and `sys.stdin`.
//!
//! Both wait for the queue of payloads and for the terminal at the same time. They work
//! without the GIL and take it only to look at a signal, with no lock of ours held.

use std::{
    cell::RefCell,
    ffi::{CStr, c_char, c_int},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use mcp_repl_sideband::{Reader, ToServer};
use pyo3::{
    exceptions::{PyOSError, PySystemExit},
    ffi,
    prelude::*,
    types::{PyBytes, PySlice},
};

use crate::{
    capi::{self, errno},
    fifo::Turn,
    fork,
    session::{self, Worker},
    wake::Waker,
};

thread_local! {
    /// Each thread keeps the waker of its first wait for the next.
    static WAKER: RefCell<Option<Arc<Waker>>> = const { RefCell::new(None) };
}

/// Set while what `sys.stdin` has buffered is thrown away: reads are at end of file then.
pub(crate) static DRAINING: AtomicBool = AtomicBool::new(false);
/// Whether `sys.stdin` was read since it was last drained.
pub(crate) static STDIN_READ: AtomicBool = AtomicBool::new(false);

/// How many threads are inside a read of `sys.stdin`, which holds the stream's own lock.
pub(crate) static READING: AtomicUsize = AtomicUsize::new(0);

/// A Python exception is set in this thread.
struct Raised;

/// `PyOS_ReadlineFunctionPointer`'s value: shows `prompt` and returns a line with its end, an
/// empty one at end of file, or null with an exception set.
///
/// Called without the GIL, one thread at a time (Parser/myreadline.c).
pub(crate) unsafe extern "C" fn readline(
    _stdin: *mut libc::FILE,
    _stdout: *mut libc::FILE,
    prompt: *const c_char,
) -> *mut c_char {
    let prompt = if prompt.is_null() {
        &[][..]
    } else {
        // SAFETY: the caller passes a C string that lives for the call.
        unsafe { CStr::from_ptr(prompt) }.to_bytes()
    };
    let Some(worker) = session::worker() else { return std::ptr::null_mut() };
    match read_input(worker, Reader::Readline, prompt, usize::MAX) {
        Ok(mut line) => {
            // The line travels as a C string, in which a NUL would end it.
            line.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b'?');
            if !line.is_empty() && !line.ends_with(b"\n") {
                line.push(b'\n');
            }
            capi::raw_malloc_string(&line)
        }
        Err(Raised) => std::ptr::null_mut(),
    }
}

/// `sys.stdin.buffer.raw.readinto`: reads at most a line, as a terminal gives it.
#[pyfunction]
pub(crate) fn readinto(py: Python<'_>, buffer: &Bound<'_, PyAny>) -> PyResult<usize> {
    let most = buffer.len()?;
    if most == 0 || DRAINING.load(Ordering::Relaxed) {
        return Ok(0);
    }
    let Some(worker) = session::worker() else { return Ok(0) };
    STDIN_READ.store(true, Ordering::Relaxed);
    READING.fetch_add(1, Ordering::Relaxed);
    let read = py.detach(|| {
        // A child reads as Python does alone; so does a program that put something else there.
        if fork::is_child() || !worker.channel.terminal.is_on(0) {
            return read_blocking(most);
        }
        read_input(worker, Reader::Stdin, b"", most)
    });
    READING.fetch_sub(1, Ordering::Relaxed);
    let Ok(bytes) = read else { return Err(PyErr::fetch(py)) };
    let end = isize::try_from(bytes.len()).unwrap_or(isize::MAX);
    buffer.set_item(PySlice::new(py, 0, end, 1), PyBytes::new(py, &bytes))?;
    Ok(bytes.len())
}

/// Reads from the queue or the terminal, whichever has something first. Without the GIL.
///
/// Empty at end of file.
fn read_input(
    worker: &Worker,
    reader: Reader,
    prompt: &[u8],
    most: usize,
) -> Result<Vec<u8>, Raised> {
    let channel = &worker.channel;
    if let Some(line) = worker.fifo.take_now(most) {
        channel.terminal.write(prompt);
        echo(worker, &line);
        return Ok(line);
    }
    let waker = own_waker().map_err(|error| raise(|_| PyOSError::new_err(error.to_string())))?;
    let wait = worker.fifo.join(worker.is_main_thread(), waker.clone());
    let say_waiting = |shown: &[u8]| {
        channel.send_marked(shown, |mark| {
            [ToServer::InputWait {
                mark,
                wait,
                reader,
                prompt: String::from_utf8_lossy(prompt).into_owned(),
                echo: channel.terminal.echoes(),
            }]
        });
    };
    let mut announced = false;
    let mut unshown = prompt;
    // A line of the terminal that has no end yet.
    let mut partial = Vec::new();
    let (result, bytes) = loop {
        // Who gets in line while there is input, here or in the terminal, waits for nobody.
        if !announced
            && worker.fifo.has_no_input()
            && !(worker.fifo.is_first(wait) && channel.terminal.has_input())
        {
            say_waiting(std::mem::take(&mut unshown));
            announced = true;
        }
        match worker.fifo.turn(wait, &waker, most) {
            Turn::Input(line) => {
                channel.terminal.write(unshown);
                echo(worker, &line);
                let bytes = line.len() as u64;
                partial.extend(line);
                break (Ok(partial), bytes);
            }
            Turn::Terminal => match channel.terminal.read(most.min(4096)) {
                Ok(mut bytes) => {
                    channel.terminal.write(std::mem::take(&mut unshown));
                    let at_end = bytes.is_empty();
                    if matches!(reader, Reader::Readline) && channel.terminal.enter_is_return() {
                        // The key ends a line in `input()`, whatever the modes.
                        bytes
                            .iter_mut()
                            .filter(|byte| **byte == b'\r')
                            .for_each(|byte| *byte = b'\n');
                    }
                    partial.extend(bytes);
                    let whole = matches!(reader, Reader::Stdin) || partial.ends_with(b"\n");
                    if at_end || whole {
                        break (Ok(partial), 0);
                    }
                }
                // Somebody else has read it.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break (Err(raise(|_| error.into())), 0),
            },
            // Signals are for the main thread.
            Turn::Again if !worker.is_main_thread() => {}
            Turn::Again => {
                if let Err(raised) = check_signals() {
                    break (Err(raised), 0);
                }
                // A handler of the user's dealt with the interrupt, and the wait goes on.
                if announced && worker.fifo.take_struck() {
                    if let Err(raised) = await_signal() {
                        break (Err(raised), 0);
                    }
                    say_waiting(b"");
                }
            }
            // A waiting cell unwinds; a waiting thread sees end of file.
            Turn::Shutdown if worker.is_main_thread() => {
                break (Err(raise(|_| PySystemExit::new_err(0))), 0);
            }
            Turn::Shutdown => break (Ok(Vec::new()), 0),
        }
    };
    let at_rest = worker.fifo.leave(wait);
    if announced {
        channel.send(&ToServer::InputTaken { wait, bytes });
    }
    if announced && at_rest {
        channel.send_marked(b"", |mark| [ToServer::Ready { mark, discarded_bytes: 0 }]);
    }
    result
}

/// Shows what was taken from the queue, unless the program asked not to show what is typed.
fn echo(worker: &Worker, line: &[u8]) {
    if worker.channel.terminal.echoes() {
        worker.channel.echo(line);
    }
}

/// Reads standard input as any program does.
fn read_blocking(most: usize) -> Result<Vec<u8>, Raised> {
    let mut chunk = vec![0; most.min(1 << 16)];
    loop {
        // SAFETY: the buffer is live and of the length that is passed.
        let n = unsafe { libc::read(0, chunk.as_mut_ptr().cast(), chunk.len()) };
        match (usize::try_from(n), errno()) {
            (Ok(n), _) => {
                chunk.truncate(n);
                return Ok(chunk);
            }
            (Err(_), libc::EINTR) => check_signals()?,
            (Err(_), code) => return Err(raise(|_| io::Error::from_raw_os_error(code).into())),
        }
    }
}

fn own_waker() -> io::Result<Arc<Waker>> {
    WAKER.with_borrow_mut(|own| {
        if let Some(waker) = own {
            return Ok(waker.clone());
        }
        let waker = Arc::new(Waker::new()?);
        *own = Some(waker.clone());
        Ok(waker)
    })
}

/// The kernel may give the signal of an interrupt to another thread of the program, when this
/// one has another pending, SIGCHLD, say (`complete_signal` in Linux's kernel/signal.c). Its
/// handler then runs a moment later, without waking this thread.
fn await_signal() -> Result<(), Raised> {
    for _ in 0..50 {
        std::thread::sleep(std::time::Duration::from_millis(2));
        check_signals()?;
    }
    Ok(())
}

/// Runs the Python handlers of signals that arrived. Takes the GIL.
fn check_signals() -> Result<(), Raised> {
    capi::with_gil(|_| {
        // SAFETY: the GIL is held.
        if unsafe { ffi::PyErr_CheckSignals() } == 0 { Ok(()) } else { Err(Raised) }
    })
}

/// Sets an exception in this thread. Takes the GIL.
fn raise(error: impl FnOnce(Python<'_>) -> PyErr) -> Raised {
    capi::with_gil(|py| error(py).restore(py));
    Raised
}

/// `sys.stdin.fileno()`.
#[pyfunction]
pub(crate) fn fileno() -> c_int {
    0
}

/// `sys.stdin.isatty()`.
#[pyfunction]
pub(crate) fn isatty() -> bool {
    // SAFETY: isatty takes no memory.
    unsafe { libc::isatty(0) == 1 }
}

/// `sys.stdin.readable()`.
#[pyfunction]
pub(crate) fn readable() -> bool {
    true
}
