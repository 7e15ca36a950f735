//! Python's main thread: who it is, and how to wake it.

use std::{
    ffi::c_int,
    sync::{Mutex, OnceLock, PoisonError},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use windows_sys::Win32::System::{
    Console::{
        CTRL_C_EVENT, GenerateConsoleCtrlEvent, GetConsoleProcessList, SetConsoleCtrlHandler,
    },
    Threading::SetEvent,
};

use super::symbols::{interrupt_event, signal_action};

/// The number of the signal, and what there is to be done about it by default, as the C library has them.
const SIGINT: c_int = 2;
const SIG_DFL: usize = 0;

static MAIN: OnceLock<ThreadId> = OnceLock::new();

/// When this process sent a Ctrl-C that it was not told of yet, for the others on the console.
static SENT: Mutex<Option<Instant>> = Mutex::new(None);
/// How long that may take. One that comes later is a person's.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

/// The thread that Python runs signal handlers in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MainThread(ThreadId);

impl MainThread {
    /// The calling thread, which lives as long as the process.
    pub(crate) fn current() -> MainThread {
        let own = *MAIN.get_or_init(|| thread::current().id());
        // SAFETY: the handler may run in any thread at any time. It is asked before those that were there.
        // A starter may have had its children ignore Ctrl-C, which they inherit.
        unsafe {
            SetConsoleCtrlHandler(None, 0);
            SetConsoleCtrlHandler(Some(passes_over_own), 1);
        }
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
    // Where an interrupt ends the program, CPython since 3.10 compares objects here without the GIL, and
    // crashes.
    if !ends_the_program() {
        // SAFETY: the function does what a signal's handler does (`trip_signal` in Modules/signalmodule.c):
        // any thread may call it, without the GIL.
        unsafe { pyo3::ffi::PyErr_SetInterrupt() };
    }
    wake();
}

/// Whether an interrupt is for the system, which ends the program (`signal.SIG_DFL`). To be asked only where
/// there is one: who asks has it ignored for a moment.
pub(super) fn ends_the_program() -> bool {
    signal_action(SIGINT) == Some(SIG_DFL)
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
    let mut numbers = [0; 2];
    // SAFETY: there is room for as many numbers as is said. More are counted, and not told.
    let count = unsafe { GetConsoleProcessList(numbers.as_mut_ptr(), numbers.len() as u32) };
    if count < 2 {
        return;
    }
    *SENT.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    // SAFETY: no memory is taken.
    unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) };
}

/// A handler of this process's console: what it sent itself is not for it.
unsafe extern "system" fn passes_over_own(event: u32) -> i32 {
    if event != CTRL_C_EVENT {
        return 0;
    }
    let sent = SENT.lock().unwrap_or_else(PoisonError::into_inner).take();
    i32::from(sent.is_some_and(|sent| sent.elapsed() < ON_ITS_WAY))
}
