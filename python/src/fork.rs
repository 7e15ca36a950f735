//! Forked children: they never speak for the session.

use std::{
    ffi::{c_int, c_void},
    sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering},
};

use crate::capi::{self, ReadlineFunction};

static IS_CHILD: AtomicBool = AtomicBool::new(false);
/// What a child closes: the sideband's descriptor and those of the terminal's two sides.
static DESCRIPTORS: [AtomicI32; 3] = [const { AtomicI32::new(-1) }; 3];
/// The readline function from before ours; null for none.
static BEFORE: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());

/// Whether this process is a fork of the worker.
pub(crate) fn is_child() -> bool {
    IS_CHILD.load(Ordering::Relaxed)
}

/// Sees to it that children close `descriptors` and read the terminal as Python does alone.
pub(crate) fn register(descriptors: [c_int; 3], readline_before: Option<ReadlineFunction>) {
    for (slot, descriptor) in DESCRIPTORS.iter().zip(descriptors) {
        slot.store(descriptor, Ordering::Relaxed);
    }
    let before = readline_before.map_or(std::ptr::null_mut(), |function| function as *mut c_void);
    BEFORE.store(before, Ordering::Relaxed);
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
    if let Some(pointer) = capi::readline_pointer() {
        let before = BEFORE.load(Ordering::Relaxed);
        // SAFETY: the pointer is null or was a readline function when it was stored; only the
        // forking thread exists in the child, so nobody else reads the variable.
        unsafe { *pointer = std::mem::transmute::<*mut c_void, Option<ReadlineFunction>>(before) };
    }
}
