//! Python's main thread: who it is, and how to wake it from a system call.
//!
//! A signal that arrives just before a system call blocks does not wake it: Python has noted the
//! interrupt, and sees it when the call returns, which may be never. So the main thread is woken
//! a few times after an interrupt, by a signal whose handler does nothing.

use std::{
    ffi::c_int,
    mem::{self, MaybeUninit},
    ptr,
    thread::{self, ThreadId},
};

/// A signal that programs hardly use; a program's own handler for it is left alone.
fn wake_signal() -> c_int {
    #[cfg(target_os = "linux")]
    {
        libc::SIGRTMAX() - 1
    }
    #[cfg(not(target_os = "linux"))]
    {
        libc::SIGURG
    }
}

extern "C" fn do_nothing(_: c_int) {}

fn handler() -> libc::sighandler_t {
    do_nothing as extern "C" fn(c_int) as libc::sighandler_t
}

/// The thread that Python runs signal handlers in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MainThread {
    id: ThreadId,
    handle: libc::pthread_t,
}

impl MainThread {
    /// The calling thread, which lives as long as the process. Installs the handler that
    /// [`MainThread::wake`] needs.
    pub(crate) fn current() -> MainThread {
        // SAFETY: an action of zeroes is one without flags: without SA_RESTART it ends a system
        // call. The handler does nothing, and pthread_self takes no memory.
        let handle = unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = handler();
            libc::sigaction(wake_signal(), &action, ptr::null_mut());
            libc::pthread_self()
        };
        MainThread { id: thread::current().id(), handle }
    }

    /// Whether it is the calling thread.
    pub(crate) fn is_current(&self) -> bool {
        thread::current().id() == self.id
    }

    /// Raises KeyboardInterrupt in it, if that is what the program does about interrupts: what a
    /// signal does, which would reach the program's children, too. Nothing where the program left SIGINT to
    /// the system or ignores it.
    pub(crate) fn strike(&self) {
        if heeds_interrupts() {
            // SAFETY: the function does what a signal's handler does (`trip_signal` in
            // Modules/signalmodule.c): any thread may call it, without the GIL. Only with no handler in place
            // would it use that (CPython since 3.10).
            unsafe { pyo3::ffi::PyErr_SetInterrupt() };
        }
        self.wake();
    }

    /// Wakes it from a system call; Python looks for signals then and goes on.
    pub(crate) fn wake(&self) {
        let mut action = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: sigaction fills the structure when it returns 0, and the thread lives.
        unsafe {
            if libc::sigaction(wake_signal(), ptr::null(), action.as_mut_ptr()) == 0
                && action.assume_init().sa_sigaction == handler()
            {
                libc::pthread_kill(self.handle, wake_signal());
            }
        }
    }
}

/// Whether Python has a handler for SIGINT.
fn heeds_interrupts() -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: sigaction fills the structure when it returns 0.
    unsafe {
        libc::sigaction(libc::SIGINT, ptr::null(), action.as_mut_ptr()) == 0
            && !matches!(action.assume_init().sa_sigaction, libc::SIG_DFL | libc::SIG_IGN)
    }
}
