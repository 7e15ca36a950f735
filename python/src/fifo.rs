//! The queue of payloads and those who wait for them.
//!
//! The top-level loop takes a payload as a cell. A Python read that waits takes one as input:
//! readers of the main thread first, then the others in the order they came. A line is given to its
//! reader when both are there, and to no other from then on: neither a cell that begins nor a
//! reader that comes later takes it away. Only the first in line watches the terminal, so that a
//! typed line goes to one reader.
//!
//! Nothing here takes the GIL, and no caller holds it.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::system::{
    Woken,
    waker::{Waker, wait},
};

/// How long a reader that is in line may take to be announced. It needs no more than to be
/// scheduled, and to write to the terminal.
const LONGEST_ANNOUNCEMENT: Duration = Duration::from_secs(1);

/// The queue. One a worker.
#[derive(Debug)]
pub(crate) struct Fifo {
    state: Mutex<Queue>,
    /// Told when a reader was announced, a thread that took an answer ended, something came for the
    /// top-level loop, or what a completion waits for is there or no longer waited for.
    changed: Condvar,
    /// Wakes the top-level loop.
    pub(crate) loop_waker: Waker,
}

#[derive(Debug, Default)]
struct Queue {
    cells: VecDeque<(u64, String)>,
    input: VecDeque<u8>,
    readers: Vec<Reader>,
    waits: u64,
    /// The thread that last took an answer between cells, until it is known what it does at once.
    answered: Option<Answered>,
    /// Whether a cell runs: only then is an interrupt sent.
    in_cell: bool,
    /// Whether an interrupt was sent that the main thread's reader has not looked for since.
    interrupted: bool,
    /// Whether an interrupt came for the cell that is first in the queue.
    next_cell_interrupted: bool,
    /// What is asked while no cell is there.
    completion: Option<Unfinished>,
    /// Whether the main thread looks for that.
    in_completion: bool,
    /// Whether that was struck.
    is_struck: bool,
    shutdown: bool,
    /// Bytes dropped since the last `ready`.
    discarded: u64,
}

#[derive(Debug)]
struct Reader {
    wait: u64,
    main: bool,
    /// The most it takes, in bytes.
    limit: usize,
    /// What it is to take.
    line: Option<Vec<u8>>,
    /// Whether the server was told of it.
    announced: bool,
    waker: Arc<Waker>,
}

#[derive(Debug)]
struct Answered {
    /// Its wait.
    wait: u64,
    /// Whether it ended.
    ended: bool,
}

/// A cell that is still being written, for which the server wants a completion.
#[derive(Debug)]
pub(crate) struct Unfinished {
    /// The server's number for it.
    pub(crate) id: u64,
    /// Its text.
    pub(crate) text: String,
    /// Where in it, in characters.
    pub(crate) cursor: usize,
}

/// What the top-level loop does next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Run this cell, which was interrupted before it began if `interrupted`.
    Cell { id: u64, source: String, interrupted: bool },
    /// End the session.
    Shutdown,
    /// Say anew that the worker is ready, when what a thread does at once with its answer is done:
    /// see [`Fifo::wait_for_answered`].
    Ready,
    /// Look for a completion: see [`Fifo::begin_completion`].
    Complete,
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
        let loop_waker = Waker::new()?;
        Ok(Fifo { state: Mutex::default(), changed: Condvar::new(), loop_waker })
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic under the lock leaves the plain data as it is.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a cell. A completion is worth nothing then: calls `strike` if one is being looked for.
    pub(crate) fn push_cell(&self, id: u64, source: String, strike: impl FnOnce()) {
        let mut state = self.lock();
        state.cells.push_back((id, source));
        state.completion = None;
        self.strike(&mut state, strike);
        self.changed.notify_all();
        self.loop_waker.wake();
    }

    /// Asks for a completion, in place of what was asked before: calls `strike` if that is being
    /// looked for. A cell that is there or runs comes first, and makes it worth nothing.
    pub(crate) fn push_completion(&self, unfinished: Unfinished, strike: impl FnOnce()) {
        let mut state = self.lock();
        if state.in_cell || !state.cells.is_empty() {
            return;
        }
        state.completion = Some(unfinished);
        self.strike(&mut state, strike);
        self.loop_waker.wake();
    }

    /// Calls `strike` if a completion is being looked for.
    pub(crate) fn strike_completion(&self, strike: impl FnOnce()) {
        self.strike(&mut self.lock(), strike);
    }

    /// Decided under the lock, so that no interrupt can reach what comes next.
    fn strike(&self, state: &mut Queue, strike: impl FnOnce()) {
        if state.in_completion {
            state.is_struck = true;
            self.changed.notify_all();
            strike();
        }
    }

    /// Waits until what a thread looks for, for a completion, is there, or the completion is struck.
    pub(crate) fn wait_in_completion(&self, is_there: impl Fn() -> bool) {
        let goes_on = |state: &mut Queue| !state.is_struck && !state.shutdown && !is_there();
        drop(self.changed.wait_while(self.lock(), goes_on));
    }

    /// What a thread looks for is there.
    pub(crate) fn wake_completion(&self) {
        let _state = self.lock();
        self.changed.notify_all();
    }

    /// What a completion is to be looked for, if one still is. An interrupt strikes it from here on.
    pub(crate) fn begin_completion(&self) -> Option<Unfinished> {
        let mut state = self.lock();
        let unfinished = state.completion.take();
        state.in_completion = unfinished.is_some();
        state.is_struck = false;
        unfinished
    }

    /// It was looked for: no interrupt is sent from here on.
    pub(crate) fn end_completion(&self) {
        self.lock().in_completion = false;
    }

    /// Nothing is looked for, since that failed.
    pub(crate) fn drop_completion(&self) {
        let mut state = self.lock();
        (state.completion, state.in_completion) = (None, false);
    }

    /// Whether the main thread looks for a completion, so that nobody is to be asked for input.
    pub(crate) fn is_in_completion(&self) -> bool {
        self.lock().in_completion
    }

    /// Adds input. Returns the count of bytes dropped if nobody can ever read it: between
    /// cells, when the reader it was sent for is gone.
    pub(crate) fn push_input(&self, data: &[u8]) -> Option<u64> {
        let mut state = self.lock();
        if !state.in_cell && state.readers.is_empty() {
            return Some(data.len() as u64 + std::mem::take(&mut state.discarded));
        }
        state.input.extend(data);
        state.give_lines();
        None
    }

    /// Calls `send_signal` if a cell runs; decided under the lock, so that the signal cannot
    /// reach the worker between cells, nor in the next cell. An interrupt for a cell that is
    /// still in the queue is kept until that begins; what holds that up, a completion, is struck.
    pub(crate) fn interrupt(&self, send_signal: impl FnOnce(), strike: impl FnOnce()) {
        let mut state = self.lock();
        if state.in_cell {
            send_signal();
            // The signal may come just before a reader goes to sleep: it has to look again.
            let main = state.readers.first().filter(|reader| reader.main);
            main.inspect(|reader| reader.waker.wake());
            state.interrupted = true;
        } else {
            state.next_cell_interrupted = !state.cells.is_empty();
            self.strike(&mut state, strike);
        }
    }

    /// Calls `wake` if a cell runs, or a completion is being looked for.
    pub(crate) fn while_running(&self, wake: impl FnOnce()) {
        let state = self.lock();
        if state.in_cell || state.in_completion {
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

    /// Ends the session: readers and the top-level loop are told, and `strike` is called if a
    /// completion is being looked for.
    pub(crate) fn shut_down(&self, strike: impl FnOnce()) {
        let mut state = self.lock();
        state.shutdown = true;
        self.strike(&mut state, strike);
        state.readers.iter().for_each(|reader| reader.waker.wake());
        self.changed.notify_all();
        self.loop_waker.wake();
    }

    /// What the top-level loop does next. A cell counts as running from here on, and what
    /// was left of the input before it, for no reader in line, is gone.
    pub(crate) fn next(&self) -> Next {
        let mut state = self.lock();
        if state.shutdown {
            return Next::Shutdown;
        }
        let Some((id, source)) = state.cells.pop_front() else {
            return match state.completion {
                _ if state.answered.is_some() => Next::Ready,
                Some(_) => Next::Complete,
                None => Next::Wait,
            };
        };
        state.in_cell = true;
        state.answered = None;
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

    /// Whether there is input for this wait, and nobody else waits who may have been meant: nobody
    /// has to be told of it.
    pub(crate) fn is_served_alone(&self, wait: u64) -> bool {
        let state = self.lock();
        matches!(&*state.readers, [only] if only.wait == wait && only.line.is_some())
    }

    /// The server was told of this wait.
    pub(crate) fn set_announced(&self, wait: u64) {
        let mut state = self.lock();
        let reader = state.readers.iter_mut().find(|reader| reader.wait == wait);
        reader.into_iter().for_each(|reader| reader.announced = true);
        self.changed.notify_all();
    }

    /// Whether this wait is the first in line.
    pub(crate) fn is_first(&self, wait: u64) -> bool {
        self.lock().readers.first().is_some_and(|first| first.wait == wait)
    }

    /// Whether a reader waits.
    pub(crate) fn has_readers(&self) -> bool {
        !self.lock().readers.is_empty()
    }

    /// Whether there is input when no reader waits for it.
    #[cfg(windows)]
    pub(crate) fn has_input(&self) -> bool {
        let state = self.lock();
        state.readers.is_empty() && !state.input.is_empty()
    }

    /// Input that is there already, when no reader waits for it: at most `limit` bytes.
    pub(crate) fn take_input(&self, limit: usize) -> Option<Vec<u8>> {
        let mut state = self.lock();
        if state.readers.is_empty() { state.take_line(limit) } else { None }
    }

    /// Puts a reader in line, which takes at most `limit` bytes and which `waker` wakes. Returns the
    /// number of the wait.
    pub(crate) fn add_reader(&self, main: bool, limit: usize, waker: Arc<Waker>) -> u64 {
        let mut state = self.lock();
        state.waits += 1;
        let wait = state.waits;
        let reader = Reader { wait, main, limit, line: None, announced: false, waker };
        let place = if main {
            state.readers.iter().position(|other| !other.main).unwrap_or(state.readers.len())
        } else {
            state.readers.len()
        };
        state.readers.insert(place, reader);
        // Who was first may be so no longer, and must leave the terminal.
        state.readers.iter().skip(place + 1).for_each(|reader| reader.waker.wake());
        state.give_lines();
        wait
    }

    /// Takes a reader out of the line. Returns whether no cell runs, so that it has to be said
    /// anew that the worker is ready.
    pub(crate) fn remove_reader(&self, wait: u64) -> bool {
        let mut state = self.lock();
        if let Some(place) = state.readers.iter().position(|reader| reader.wait == wait) {
            let Reader { main, line, .. } = state.readers.remove(place);
            if main {
                // An interrupt that ended this wait is none for the next.
                state.interrupted = false;
            }
            // What it did not take is for the next.
            line.into_iter().flatten().rev().for_each(|byte| state.input.push_front(byte));
        }
        state.give_lines();
        if let Some(first) = state.readers.first() {
            first.waker.wake();
        }
        self.changed.notify_all();
        !state.in_cell
    }

    /// A thread other than the main one took the answer to this wait, between cells.
    pub(crate) fn set_answered(&self, wait: u64) {
        self.lock().answered = Some(Answered { wait, ended: false });
        self.loop_waker.wake();
    }

    /// The thread whose last wait this was has ended.
    pub(crate) fn thread_ended(&self, wait: u64) {
        let mut state = self.lock();
        let answered = state.answered.as_mut().filter(|answered| answered.wait == wait);
        answered.into_iter().for_each(|answered| answered.ended = true);
        self.changed.notify_all();
    }

    /// Waits for what the thread that took an answer does at once: until it has ended or waits for
    /// more, or something else is to be done; for `most` at most.
    pub(crate) fn wait_for_answered(&self, most: Duration) {
        let mut state = self.wait_while(most, |state| {
            let goes_on = state.answered.as_ref().is_some_and(|answered| !answered.ended);
            goes_on && state.cells.is_empty() && !state.waits_again()
        });
        state.answered = None;
    }

    /// Waits until a reader is in line of which the server was told; for `most` at most. Whether
    /// there is one.
    pub(crate) fn wait_for_reader(&self, most: Duration) -> bool {
        let is_announced = |state: &Queue| state.readers.iter().any(|reader| reader.announced);
        is_announced(&self.wait_while(most, |state| !is_announced(state)))
    }

    /// Whether a reader is in line of which the server is about to be told.
    pub(crate) fn is_reader_coming(&self) -> bool {
        self.lock().is_reader_coming()
    }

    /// Waits while this holds, for `most` at most; then for a reader that is in line and about to be
    /// announced.
    fn wait_while(
        &self,
        most: Duration,
        mut condition: impl FnMut(&Queue) -> bool,
    ) -> MutexGuard<'_, Queue> {
        let waiting = self
            .changed
            .wait_timeout_while(self.lock(), most, |state| !state.shutdown && condition(state));
        let (state, _) = waiting.unwrap_or_else(PoisonError::into_inner);
        let waiting = self.changed.wait_timeout_while(state, LONGEST_ANNOUNCEMENT, |state| {
            !state.shutdown && state.is_reader_coming()
        });
        waiting.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits for input, for the terminal, or for a signal.
    pub(crate) fn wait_for_input(&self, wait_number: u64, waker: &Waker) -> ReaderEvent {
        let is_first = {
            let mut state = self.lock();
            if state.shutdown {
                return ReaderEvent::Shutdown;
            }
            let own = state.readers.iter_mut().find(|reader| reader.wait == wait_number);
            if let Some(line) = own.and_then(|reader| reader.line.take()) {
                return ReaderEvent::Input(line);
            }
            state.readers.first().is_some_and(|first| first.wait == wait_number)
        };
        match wait(waker, is_first) {
            Woken::Waker => {
                waker.reset();
                ReaderEvent::Retry
            }
            Woken::Stdin => ReaderEvent::Terminal,
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

    /// Whether a reader is in line that is about to be announced.
    fn is_reader_coming(&self) -> bool {
        self.readers.iter().any(|reader| !reader.announced && reader.line.is_none())
    }

    /// Whether a reader was announced since the last answer was taken.
    fn waits_again(&self) -> bool {
        let last = self.answered.as_ref().map_or(0, |answered| answered.wait);
        self.readers.iter().any(|reader| reader.announced && reader.wait > last)
    }

    /// Gives each reader in line that has none a line, as long as there are some.
    fn give_lines(&mut self) {
        for place in 0..self.readers.len() {
            if self.readers[place].line.is_none()
                && let Some(line) = self.take_line(self.readers[place].limit)
            {
                let reader = &mut self.readers[place];
                reader.line = Some(line);
                reader.waker.wake();
            }
        }
    }
}
