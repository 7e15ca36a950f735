//! The signal mask of the calling thread, for which there is no safe wrapper in use here.

use std::{ffi::c_int, mem::MaybeUninit, ptr};

use libc::sigset_t;

/// Calls `action` with all signals blocked in this thread. A thread started meanwhile inherits
/// that for good.
pub(crate) fn with_all_blocked<T>(action: impl FnOnce() -> T) -> T {
    let mut all = MaybeUninit::uninit();
    // SAFETY: sigfillset initialises the set it is given.
    let all = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        all.assume_init()
    };
    with_mask(&all, action)
}

/// Calls `action` with `signal` blocked in this thread, beside those that are.
pub(crate) fn with_blocked<T>(signal: c_int, action: impl FnOnce() -> T) -> T {
    let mut one = no_signals();
    // SAFETY: the set is initialised; a number that is no signal leaves it as it is.
    unsafe { libc::sigaddset(&mut one, signal) };
    with_mask(&one, action)
}

/// Unblocks all signals in this thread.
pub(crate) fn unblock_all() {
    set_mask(libc::SIG_SETMASK, &no_signals());
}

fn with_mask<T>(blocked: &sigset_t, action: impl FnOnce() -> T) -> T {
    let before = set_mask(libc::SIG_BLOCK, blocked);
    let result = action();
    set_mask(libc::SIG_SETMASK, &before);
    result
}

fn no_signals() -> sigset_t {
    let mut none = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the set it is given.
    unsafe {
        libc::sigemptyset(none.as_mut_ptr());
        none.assume_init()
    }
}

/// Changes the mask as `how` says; returns the one from before.
fn set_mask(how: c_int, set: &sigset_t) -> sigset_t {
    let mut before = no_signals();
    // SAFETY: both sets are initialised; only this thread's mask changes.
    unsafe { libc::pthread_sigmask(how, ptr::from_ref(set), &mut before) };
    before
}
