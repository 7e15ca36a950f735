//! Forked children: they never speak for the session.

use std::{
    ffi::{c_int, c_void},
    sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering},
};

use crate::capi::{self, ReadlineFunction};

static IS_CHILD: AtomicBool = AtomicBool::new(false);
/// What a child closes; -1 for a free place. A child that gets no place for one keeps it.
static DESCRIPTORS: [AtomicI32; 128] = [const { AtomicI32::new(-1) }; 128];
/// The readline function from before ours; null for none.
static BEFORE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// The interpreter's variable that holds the readline function; null for none.
static READLINE: AtomicPtr<Option<ReadlineFunction>> = AtomicPtr::new(std::ptr::null_mut());

/// Whether this process is a fork of the worker.
pub(crate) fn is_child() -> bool {
    IS_CHILD.load(Ordering::Relaxed)
}

/// Keeps a descriptor of ours from forked children.
pub(crate) fn keep(descriptor: c_int) {
    replace(-1, descriptor);
}

/// Forgets a descriptor that was closed.
pub(crate) fn forget(descriptor: c_int) {
    replace(descriptor, -1);
}

fn replace(old: i32, new: i32) {
    let order = Ordering::Relaxed;
    let _ = DESCRIPTORS.iter().find(|slot| slot.compare_exchange(old, new, order, order).is_ok());
}

/// Sees to it that children close what is ours and read the terminal as Python does alone.
pub(crate) fn register(readline_before: Option<ReadlineFunction>) {
    let before = readline_before.map_or(std::ptr::null_mut(), |function| function as *mut c_void);
    BEFORE.store(before, Ordering::Relaxed);
    let pointer = capi::readline_pointer().unwrap_or(std::ptr::null_mut());
    READLINE.store(pointer, Ordering::Relaxed);
    // SAFETY: the handler does only what is safe after a fork (see below).
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
}

/// Runs in the child right after the fork, where other threads' locks may be held for ever:
/// no allocation, no lock, only atomics, close(2) and one store.
unsafe extern "C" fn in_child() {
    IS_CHILD.store(true, Ordering::Relaxed);
    for slot in &DESCRIPTORS {
        let descriptor = slot.swap(-1, Ordering::Relaxed);
        if descriptor >= 0 {
            // SAFETY: the descriptor is the child's copy of ours.
            unsafe { libc::close(descriptor) };
        }
    }
    let pointer = READLINE.load(Ordering::Relaxed);
    if !pointer.is_null() {
        let before = BEFORE.load(Ordering::Relaxed);
        // SAFETY: the variable lives as long as the interpreter; its value is null or was a readline function when it was stored; only the
        // forking thread exists in the child, so nobody else reads the variable.
        unsafe { *pointer = std::mem::transmute::<*mut c_void, Option<ReadlineFunction>>(before) };
    }
}
