//! Python's main thread: who it is, and how to wake it.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, ThreadId},
    time::Duration,
};

use windows_sys::Win32::System::{
    Console::{CTRL_C_EVENT, GenerateConsoleCtrlEvent, SetConsoleCtrlHandler},
    Threading::SetEvent,
};

use super::symbols::interrupt_event;

/// How long after an interrupt the main thread is woken first, and how long after that again: it may
/// have been about to wait.
pub(crate) const WAKE_DELAYS: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(40),
    Duration::from_millis(160),
    Duration::from_millis(640),
];

static MAIN: OnceLock<ThreadId> = OnceLock::new();

/// How many times Ctrl-C is on its way that this process sent, for the others on the console.
static SENT: AtomicU32 = AtomicU32::new(0);

/// The thread that Python runs signal handlers in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MainThread(ThreadId);

impl MainThread {
    /// The calling thread, which lives as long as the process.
    pub(crate) fn current() -> MainThread {
        let own = *MAIN.get_or_init(|| thread::current().id());
        // SAFETY: the handler may run in any thread at any time. It is asked before those that were there.
        unsafe { SetConsoleCtrlHandler(Some(passes_over_own), 1) };
        MainThread(own)
    }

    /// Whether it is the calling thread.
    pub(crate) fn is_current(&self) -> bool {
        thread::current().id() == self.0
    }

    /// Raises KeyboardInterrupt in it, if that is what the program does about interrupts.
    pub(crate) fn strike(&self) {
        strike();
    }

    /// Wakes it from a wait of Python's; Python looks for signals then and goes on.
    pub(crate) fn wake(&self) {
        wake();
    }
}

/// Raises KeyboardInterrupt in Python's main thread, if that is what the program does about interrupts.
pub(super) fn strike() {
    // SAFETY: the function does what a signal's handler does (`trip_signal` in Modules/signalmodule.c):
    // any thread may call it, without the GIL.
    unsafe { pyo3::ffi::PyErr_SetInterrupt() };
    wake();
}

fn wake() {
    if let Some(event) = interrupt_event() {
        // SAFETY: the handle stays open; no memory is taken.
        unsafe { SetEvent(event) };
    }
}

/// Whether the calling thread is Python's main one.
pub(super) fn is_current() -> bool {
    MAIN.get().is_some_and(|&main| main == thread::current().id())
}

/// Interrupts all other processes on the console, as that does for Ctrl-C.
pub(super) fn interrupt_others() {
    SENT.fetch_add(1, Ordering::Relaxed);
    // SAFETY: no memory is taken.
    if unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) } == 0 {
        SENT.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A handler of this process's console: what it sent itself is not for it.
unsafe extern "system" fn passes_over_own(event: u32) -> i32 {
    let less = |sent: u32| sent.checked_sub(1);
    let is_own = event == CTRL_C_EVENT
        && SENT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
    i32::from(is_own)
}
