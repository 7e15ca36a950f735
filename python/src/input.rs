//! Waiting for input: for the queue of payloads and for the terminal at the same time.
//!
//! Works without the GIL and takes it only to look at a signal, with no lock of ours held.

use std::{
    cell::{Cell, RefCell},
    io, mem,
    sync::Arc,
    thread,
    time::Duration,
};

use mcp_repl_sideband::{Reader, ToServer};
use pyo3::exceptions::{PyOSError, PySystemExit};

use crate::{
    capi::{Raised, check_signals, raise, thread_name, with_gil},
    fifo::ReaderEvent,
    system::{fork, waker::Waker},
    worker::{Worker, worker},
};

/// A thread that has read.
struct ReadingThread {
    /// The waker of its first wait, kept for the next.
    waker: RefCell<Option<Arc<Waker>>>,
    /// Its last wait.
    last_wait: Cell<u64>,
}

impl Drop for ReadingThread {
    /// The thread ends.
    fn drop(&mut self) {
        if fork::is_child() {
            // The descriptors are closed already, and there may be others by that number.
            mem::forget(self.waker.take());
        } else if let Some(worker) = worker() {
            worker.fifo.thread_ended(self.last_wait.get());
        }
    }
}

thread_local! {
    static THREAD: ReadingThread = const {
        ReadingThread { waker: RefCell::new(None), last_wait: Cell::new(0) }
    };
}

/// Reads from the queue or the terminal, whichever has something first: at most `limit` bytes,
/// none at end of file. Shows `prompt` before, and what came from the queue. Without the GIL.
///
/// For a completion nobody is asked: it reads the end of file.
///
/// # Errors
/// When an exception is set: what a signal's handler raised, the end of the session, or what
/// reading the terminal failed with.
pub(crate) fn read_input(
    worker: &Worker,
    reader: Reader,
    prompt: &[u8],
    limit: usize,
) -> Result<Vec<u8>, Raised> {
    let channel = &worker.channel;
    let is_main = worker.main_thread.is_current();
    if is_main && worker.fifo.is_in_completion() {
        return Ok(Vec::new());
    }
    if let Some(line) = worker.fifo.take_input(limit) {
        channel.terminal.write(prompt);
        echo(worker, &line);
        return Ok(line);
    }
    let waker = thread_waker().map_err(|error| raise(|_| PyOSError::new_err(error.to_string())))?;
    let wait = worker.fifo.add_reader(is_main, limit, waker.clone());
    THREAD.with(|thread| thread.last_wait.set(wait));
    // Not while an interrupt is there for this wait: that is to be seen first.
    let announce = |text: &[u8]| {
        let wanted = || !(is_main && worker.fifo.is_interrupted());
        channel.send_marked_if(wanted, text, |mark| {
            [ToServer::InputWait {
                mark,
                wait,
                reader,
                prompt: String::from_utf8_lossy(prompt).into_owned(),
                echo: channel.terminal.echoes(),
            }]
        })
    };
    let mut announced = false;
    // What of the prompt is not shown yet.
    let mut prompt_left = prompt;
    // A line of the terminal that has no end yet.
    let mut partial = Vec::new();
    let (result, bytes) = 'wait: loop {
        // Who gets in line while there is input, here or in the terminal, waits for nobody. But
        // where another is in line, too, the server has to know who took it.
        let is_served = || {
            worker.fifo.is_served_alone(wait)
                || worker.fifo.is_first(wait) && channel.terminal.has_input()
        };
        if !announced && !is_served() {
            // The signal of an interrupt that is there has come: Python sees it now.
            if is_main
                && worker.fifo.take_interrupted()
                && let Err(raised) = check_signals()
            {
                break (Err(raised), 0);
            }
            announced = announce(prompt_left);
            if !announced {
                continue;
            }
            worker.fifo.set_announced(wait);
            prompt_left = &[];
        }
        match worker.fifo.wait_for_input(wait, &waker) {
            ReaderEvent::Input(line) => {
                channel.terminal.write(prompt_left);
                echo(worker, &line);
                let bytes = line.len() as u64;
                partial.extend(line);
                break (Ok(partial), bytes);
            }
            ReaderEvent::Terminal => match channel.terminal.read(limit.min(4096)) {
                Ok(mut bytes) => {
                    channel.terminal.write(mem::take(&mut prompt_left));
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
            ReaderEvent::Retry if !is_main => {}
            ReaderEvent::Retry => {
                if let Err(raised) = check_signals() {
                    break (Err(raised), 0);
                }
                // A handler of the user's dealt with the interrupt, and the wait goes on.
                while announced && worker.fifo.take_interrupted() {
                    if let Err(raised) = wait_for_signal() {
                        break 'wait (Err(raised), 0);
                    }
                    announce(b"");
                }
            }
            // A waiting cell unwinds; a waiting thread sees end of file.
            ReaderEvent::Shutdown if is_main => {
                break (Err(raise(|_| PySystemExit::new_err(0))), 0);
            }
            ReaderEvent::Shutdown => break (Ok(Vec::new()), 0),
        }
    };
    if announced {
        let thread = if bytes > 0 && !is_main { with_gil(thread_name) } else { None };
        let mut is_between_cells = false;
        channel.acknowledge(&ToServer::InputTaken { wait, bytes, thread }, || {
            is_between_cells = worker.fifo.remove_reader(wait);
        });
        if is_between_cells && bytes > 0 && !is_main {
            worker.fifo.set_answered(wait);
        } else if is_between_cells {
            channel.send_ready(0);
        }
    } else {
        worker.fifo.remove_reader(wait);
    }
    result
}

/// Shows what was taken from the queue, unless the program asked not to show what is typed.
fn echo(worker: &Worker, line: &[u8]) {
    if worker.channel.terminal.echoes() {
        worker.channel.echo(line);
    }
}

fn thread_waker() -> io::Result<Arc<Waker>> {
    THREAD.with(|thread| {
        let mut kept = thread.waker.borrow_mut();
        if let Some(waker) = &*kept {
            return Ok(waker.clone());
        }
        let waker = Arc::new(Waker::new()?);
        *kept = Some(waker.clone());
        Ok(waker)
    })
}

/// The kernel may give the signal of an interrupt to another thread of the program, when this
/// one has another pending, SIGCHLD, say (`complete_signal` in Linux's kernel/signal.c). Its
/// handler then runs a moment later, without waking this thread.
fn wait_for_signal() -> Result<(), Raised> {
    for _ in 0..50 {
        thread::sleep(Duration::from_millis(2));
        check_signals()?;
    }
    Ok(())
}
