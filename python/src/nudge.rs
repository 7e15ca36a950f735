//! A signal that strikes just before a system call blocks does not wake it: Python has noted the
//! interrupt, and sees it when the call returns, which may be never. So the main thread is woken
//! a few times after an interrupt, by a signal that does nothing.

use std::{mem::MaybeUninit, time::Duration};

use libc::c_int;

/// How long after an interrupt, or the last time, the main thread is woken.
pub(crate) const PACES: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(40),
    Duration::from_millis(160),
    Duration::from_millis(640),
];

/// A signal that programs hardly use; a program's own handler for it is left alone.
fn signal() -> c_int {
    #[cfg(target_os = "linux")]
    {
        libc::SIGRTMAX() - 1
    }
    #[cfg(not(target_os = "linux"))]
    {
        libc::SIGURG
    }
}

extern "C" fn nothing(_: c_int) {}

/// The thread that is woken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sleeper(libc::pthread_t);

impl Sleeper {
    /// The calling thread, which lives as long as the process.
    pub(crate) fn current() -> Sleeper {
        // SAFETY: the handler does nothing; without SA_RESTART it ends a system call. The
        // structures are whole ones.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = nothing as extern "C" fn(c_int) as usize;
            libc::sigaction(signal(), &action, std::ptr::null_mut());
            Sleeper(libc::pthread_self())
        }
    }

    /// Wakes it from a system call; Python looks for signals then and goes on.
    pub(crate) fn wake(self) {
        let mut action = MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: sigaction fills the structure when it returns 0, and the thread lives.
        unsafe {
            if libc::sigaction(signal(), std::ptr::null(), action.as_mut_ptr()) == 0
                && action.assume_init().sa_sigaction == nothing as extern "C" fn(c_int) as usize
            {
                libc::pthread_kill(self.0, signal());
            }
        }
    }
}
