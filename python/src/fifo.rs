//! The queue of payloads and those who wait for them.
//!
//! The top-level loop takes a payload as a cell. A Python read that waits takes one as input:
//! readers of the main thread first, then the others in the order they came. Only the first
//! in line watches the terminal, so that a typed line goes to one reader.
//!
//! Nothing here takes the GIL, and no caller holds it.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::stdio::stdin;

use crate::waker::{Waker, Woken, wait};

/// The queue. One a worker.
#[derive(Debug)]
pub(crate) struct Fifo {
    state: Mutex<Queue>,
    /// Wakes the top-level loop.
    pub(crate) loop_waker: Waker,
}

#[derive(Debug, Default)]
struct Queue {
    cells: VecDeque<(u64, String)>,
    input: VecDeque<u8>,
    readers: Vec<Reader>,
    waits: u64,
    /// Whether a cell runs: only then is an interrupt sent.
    in_cell: bool,
    /// Whether an interrupt was sent that the main thread's reader has not looked for since.
    interrupted: bool,
    /// Whether an interrupt came for the cell that is first in the queue.
    next_cell_interrupted: bool,
    shutdown: bool,
    /// Bytes dropped since the last `ready`.
    discarded: u64,
}

#[derive(Debug)]
struct Reader {
    wait: u64,
    main: bool,
    waker: Arc<Waker>,
}

/// What the top-level loop does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Run this cell, which was interrupted before it began if `interrupted`.
    Cell { id: u64, source: String, interrupted: bool },
    /// End the session.
    Shutdown,
    /// Wait for `loop_waker`.
    Wait,
}

/// What ended a reader's wait.
#[derive(Debug)]
pub(crate) enum ReaderEvent {
    /// Input from the queue.
    Input(Vec<u8>),
    /// The terminal has something for it.
    Terminal,
    /// Something else, perhaps a signal: look for one, then wait again.
    Retry,
    /// The session ends.
    Shutdown,
}

impl Fifo {
    /// An empty queue.
    pub(crate) fn new() -> io::Result<Fifo> {
        Ok(Fifo { state: Mutex::default(), loop_waker: Waker::new()? })
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic under the lock leaves the plain data as it is.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a cell.
    pub(crate) fn push_cell(&self, id: u64, source: String) {
        self.lock().cells.push_back((id, source));
        self.loop_waker.wake();
    }

    /// Adds input. Returns the count of bytes dropped if nobody can ever read it: between
    /// cells, when the reader it was sent for is gone.
    pub(crate) fn push_input(&self, data: &[u8]) -> Option<u64> {
        let mut state = self.lock();
        if !state.in_cell && state.readers.is_empty() {
            return Some(data.len() as u64 + std::mem::take(&mut state.discarded));
        }
        state.input.extend(data);
        state.wake_first_reader();
        None
    }

    /// Calls `send_signal` if a cell runs; decided under the lock, so that the signal cannot
    /// reach the worker between cells, nor in the next cell. An interrupt for a cell that is
    /// still in the queue is kept until that begins.
    pub(crate) fn interrupt(&self, send_signal: impl FnOnce()) {
        let mut state = self.lock();
        if state.in_cell {
            send_signal();
            // The signal may come just before a reader goes to sleep: it has to look again.
            let main = state.readers.first().filter(|reader| reader.main);
            main.inspect(|reader| reader.waker.wake());
            state.interrupted = true;
        } else {
            state.next_cell_interrupted = !state.cells.is_empty();
        }
    }

    /// Calls `wake` if a cell runs.
    pub(crate) fn while_in_cell(&self, wake: impl FnOnce()) {
        let state = self.lock();
        if state.in_cell {
            wake();
        }
    }

    /// Whether an interrupt was sent since this was asked last, or since the main
    /// thread's reader left the line.
    pub(crate) fn take_interrupted(&self) -> bool {
        std::mem::take(&mut self.lock().interrupted)
    }

    /// Whether [`Fifo::take_interrupted`] has something to take.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.lock().interrupted
    }

    /// Ends the session: readers and the top-level loop are told.
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        state.shutdown = true;
        state.readers.iter().for_each(|reader| reader.waker.wake());
        self.loop_waker.wake();
    }

    /// What the top-level loop does next. A cell counts as running from here on, and what
    /// was left of the input before it is gone.
    pub(crate) fn next(&self) -> Next {
        let mut state = self.lock();
        if state.shutdown {
            return Next::Shutdown;
        }
        let Some((id, source)) = state.cells.pop_front() else { return Next::Wait };
        state.in_cell = true;
        state.discard();
        let interrupted = std::mem::take(&mut state.next_cell_interrupted);
        Next::Cell { id, source, interrupted }
    }

    /// The cell was interrupted: no more interrupts are sent while that is shown.
    pub(crate) fn stop_interrupts(&self) {
        self.lock().in_cell = false;
    }

    /// The cell is over: no interrupt is sent from here on. Returns the count of bytes of
    /// input that were dropped, `more` bytes from elsewhere included.
    pub(crate) fn end_cell(&self, more: u64) -> u64 {
        let mut state = self.lock();
        state.in_cell = false;
        // A reader in a background thread may be about to take what is there.
        if state.readers.is_empty() {
            state.discard();
        }
        std::mem::take(&mut state.discarded) + more
    }

    /// Whether no input is left.
    pub(crate) fn has_no_input(&self) -> bool {
        self.lock().input.is_empty()
    }

    /// Whether this wait is the first in line.
    pub(crate) fn is_first(&self, wait: u64) -> bool {
        self.lock().readers.first().is_some_and(|first| first.wait == wait)
    }

    /// Whether a reader waits.
    pub(crate) fn has_readers(&self) -> bool {
        !self.lock().readers.is_empty()
    }

    /// Input that is there already, when no reader waits for it: at most `limit` bytes.
    pub(crate) fn take_input(&self, limit: usize) -> Option<Vec<u8>> {
        let mut state = self.lock();
        if state.readers.is_empty() { state.take_line(limit) } else { None }
    }

    /// Puts a reader in line, which `waker` wakes. Returns the number of the wait.
    pub(crate) fn add_reader(&self, main: bool, waker: Arc<Waker>) -> u64 {
        let mut state = self.lock();
        state.waits += 1;
        let reader = Reader { wait: state.waits, main, waker };
        let place = if main {
            state.readers.iter().position(|other| !other.main).unwrap_or(state.readers.len())
        } else {
            state.readers.len()
        };
        state.readers.insert(place, reader);
        // Who was first may be so no longer, and must leave the terminal.
        state.readers.iter().skip(place + 1).for_each(|reader| reader.waker.wake());
        state.waits
    }

    /// Takes a reader out of the line. Returns whether no cell runs, so that it has to be said
    /// anew that the worker is ready.
    pub(crate) fn remove_reader(&self, wait: u64) -> bool {
        let mut state = self.lock();
        if let Some(place) = state.readers.iter().position(|reader| reader.wait == wait)
            && state.readers.remove(place).main
        {
            // An interrupt that ended this wait is none for the next.
            state.interrupted = false;
        }
        state.wake_first_reader();
        !state.in_cell
    }

    /// Waits for input of at most `limit` bytes, for the terminal, or for a signal.
    pub(crate) fn wait_for_input(
        &self,
        wait_number: u64,
        waker: &Waker,
        limit: usize,
    ) -> ReaderEvent {
        let terminal = {
            let mut state = self.lock();
            if state.shutdown {
                return ReaderEvent::Shutdown;
            }
            let first = state.readers.first().is_some_and(|first| first.wait == wait_number);
            if first && let Some(input) = state.take_line(limit) {
                return ReaderEvent::Input(input);
            }
            first.then_some(stdin())
        };
        match wait(waker, terminal) {
            Woken::Waker => {
                waker.reset();
                ReaderEvent::Retry
            }
            Woken::Other => ReaderEvent::Terminal,
            Woken::Signal => ReaderEvent::Retry,
        }
    }
}

impl Queue {
    /// Takes a line, its end included, of at most `limit` bytes, as a terminal gives it.
    fn take_line(&mut self, limit: usize) -> Option<Vec<u8>> {
        if self.input.is_empty() {
            return None;
        }
        let line = self.input.iter().take(limit).position(|&byte| byte == b'\n');
        let length = line.map_or(self.input.len(), |end| end + 1).min(limit);
        Some(self.input.drain(..length).collect())
    }

    fn discard(&mut self) {
        self.discarded += self.input.len() as u64;
        self.input.clear();
    }

    fn wake_first_reader(&self) {
        if let Some(first) = self.readers.first() {
            first.waker.wake();
        }
    }
}
