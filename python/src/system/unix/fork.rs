//! Forked children: they never speak for the session.

use std::{
    ffi::c_int,
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering},
    },
};

use super::super::ReadlineFunction;

static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// What a child closes; -1 for a free place. A child that gets no place for one keeps it.
static DESCRIPTORS: [AtomicI32; 128] = [const { AtomicI32::new(-1) }; 128];

/// The interpreter's variable that holds the readline function; null for none.
static READLINE_VARIABLE: AtomicPtr<Option<ReadlineFunction>> = AtomicPtr::new(ptr::null_mut());

/// What it held before our function.
static PREVIOUS_READLINE: OnceLock<Option<ReadlineFunction>> = OnceLock::new();

/// Whether this process is a fork of the worker.
pub(crate) fn is_child() -> bool {
    IS_CHILD.load(Ordering::Relaxed)
}

/// Has forked children close a descriptor of ours.
pub(crate) fn close_in_children(descriptor: c_int) {
    replace(-1, descriptor);
}

/// Forgets a descriptor that is about to be closed.
pub(crate) fn forget(descriptor: c_int) {
    replace(descriptor, -1);
}

fn replace(old: c_int, new: c_int) {
    let order = Ordering::Relaxed;
    let _ = DESCRIPTORS.iter().find(|slot| slot.compare_exchange(old, new, order, order).is_ok());
}

/// Sees to it that children close what is ours and read the terminal as Python does alone, with
/// the readline function in `variable` that was there before ours.
pub(crate) fn register(
    variable: Option<*mut Option<ReadlineFunction>>,
    previous_readline: Option<ReadlineFunction>,
) {
    let _ = PREVIOUS_READLINE.set(previous_readline);
    let variable = variable.unwrap_or(ptr::null_mut());
    READLINE_VARIABLE.store(variable, Ordering::Relaxed);
    // SAFETY: the handler does only what is safe after a fork (see there).
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}

/// Runs in the child right after the fork, where other threads' locks may be held for ever:
/// no allocation, no lock, only atomics (a set `OnceLock` is read by one), close(2) and one store.
unsafe extern "C" fn in_child() {
    IS_CHILD.store(true, Ordering::Relaxed);
    for slot in &DESCRIPTORS {
        let descriptor = slot.swap(-1, Ordering::Relaxed);
        if descriptor >= 0 {
            // SAFETY: the descriptor is the child's copy of ours, which nothing in the child uses:
            // those who would ask `is_child` first.
            unsafe { libc::close(descriptor) };
        }
    }
    let variable = READLINE_VARIABLE.load(Ordering::Relaxed);
    if let Some(&previous) = PREVIOUS_READLINE.get()
        && !variable.is_null()
    {
        // SAFETY: the variable lives as long as the interpreter; only the forking thread exists
        // in the child, so nobody else reads it.
        unsafe { *variable = previous };
    }
}
