//! Something a thread can wait for together with the console.

use std::{io, os::windows::io::RawHandle, thread, time::Duration};

use windows_sys::Win32::{
    Foundation::{WAIT_FAILED, WAIT_OBJECT_0},
    System::Threading::{INFINITE, ResetEvent, WaitForMultipleObjects},
};

use super::super::Woken;
use super::{event::Event, main_thread, stdin, symbols::interrupt_event, typed};

/// Wakes the thread that waits on it. A wake before the wait is not lost.
#[derive(Debug)]
pub(crate) struct Waker(Event);

impl Waker {
    /// A new one, not awake.
    ///
    /// # Errors
    /// When the process has as many handles as it may.
    pub(crate) fn new() -> io::Result<Waker> {
        Event::new().map(Waker)
    }

    /// Wakes the waiter. May be called from any thread.
    pub(crate) fn wake(&self) {
        self.0.set();
    }

    /// Forgets that it was woken.
    pub(crate) fn reset(&self) {
        self.0.reset();
    }
}

/// Waits for `waker` and, if that is wanted, for what is typed at the console on standard input. Without
/// the GIL. Python's main thread is woken by interrupts, too.
pub(crate) fn wait(waker: &Waker, and_stdin: bool) -> Woken {
    if and_stdin && typed::is_there() {
        return Woken::Stdin;
    }
    let mut waits: Vec<(Woken, RawHandle)> = vec![(Woken::Waker, waker.0.handle())];
    let interrupt = interrupt_event().filter(|_| main_thread::is_current());
    waits.extend(interrupt.map(|event| (Woken::Signal, event)));
    waits.extend(stdin::handle().filter(|_| and_stdin).map(|input| (Woken::Stdin, input)));
    let handles: Vec<RawHandle> = waits.iter().map(|(_, handle)| *handle).collect();
    // SAFETY: the handles are open, and there are as many as is said.
    let woken =
        unsafe { WaitForMultipleObjects(handles.len() as u32, handles.as_ptr(), 0, INFINITE) };
    if woken == WAIT_FAILED {
        // The program took away what the wait needs, standard input, say. Look around every now and
        // then.
        thread::sleep(Duration::from_millis(50));
        return Woken::Signal;
    }
    match waits.get(woken.wrapping_sub(WAIT_OBJECT_0) as usize) {
        Some((Woken::Signal, event)) => {
            // As Python does before it waits: what was set is looked at now.
            // SAFETY: the handle stays open; no memory is taken.
            unsafe { ResetEvent(*event) };
            Woken::Signal
        }
        Some((woken, _)) => *woken,
        None => Woken::Signal,
    }
}
