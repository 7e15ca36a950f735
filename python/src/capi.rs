//! What PyO3 does not offer of CPython's C API.
//!
//! Symbols outside the limited API are looked up in the running interpreter: they exist in every
//! CPython since 3.9, but the stable ABI does not name them, so linking against them would tie
//! the extension to one version.

use std::ffi::{c_char, c_void};

use pyo3::{ffi, prelude::*};

use crate::system::{
    ReadlineFunction,
    symbols::{symbol, thread_number},
};

/// The variable that holds the readline function.
pub(crate) fn readline_variable() -> Option<*mut Option<ReadlineFunction>> {
    let found = symbol(c"PyOS_ReadlineFunctionPointer").cast::<Option<ReadlineFunction>>();
    (!found.is_null()).then_some(found)
}

/// A copy of `bytes` with a final NUL, as the caller of a readline function frees it.
///
/// Null when memory is short, as the function itself answers then.
pub(crate) fn raw_malloc_string(bytes: &[u8]) -> *mut c_char {
    type Malloc = unsafe extern "C" fn(usize) -> *mut c_void;
    let found = symbol(c"PyMem_RawMalloc");
    if found.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: PyMem_RawMalloc has this signature (Include/pymem.h) in every version.
    let malloc: Malloc = unsafe { std::mem::transmute(found) };
    // SAFETY: the function may be called without the GIL.
    let copy = unsafe { malloc(bytes.len() + 1) }.cast::<u8>();
    if !copy.is_null() {
        // SAFETY: the block has room for the bytes and the NUL, and is ours alone.
        unsafe {
            copy.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            *copy.add(bytes.len()) = 0;
        }
    }
    copy.cast()
}

/// Takes the GIL, which the calling thread does not hold.
///
/// `Python::attach` will not do: PyO3 counts on its own who holds the GIL, and does not see
/// that CPython released it around the readline function.
pub(crate) fn with_gil<T>(action: impl FnOnce(Python<'_>) -> T) -> T {
    // SAFETY: any thread may call PyGILState_Ensure; the pair brackets the action, which is the
    // only code that gets the token.
    unsafe {
        let state = ffi::PyGILState_Ensure();
        let result = action(Python::assume_attached());
        ffi::PyGILState_Release(state);
        result
    }
}

/// A Python exception is set in this thread.
pub(crate) struct Raised;

/// Runs the Python handlers of signals that arrived. Takes the GIL.
///
/// # Errors
/// When one raised.
pub(crate) fn check_signals() -> Result<(), Raised> {
    with_gil(|py| {
        py.check_signals().map_err(|error| {
            error.restore(py);
            Raised
        })
    })
}

/// Sets an exception in this thread. Takes the GIL.
pub(crate) fn raise(error: impl FnOnce(Python<'_>) -> PyErr) -> Raised {
    with_gil(|py| error(py).restore(py));
    Raised
}

/// The name of the calling thread, if `threading` knows it. Nothing is made or imported for that.
pub(crate) fn thread_name(py: Python<'_>) -> Option<String> {
    let modules = py.import("sys").and_then(|sys| sys.getattr("modules"));
    let threading = modules.and_then(|modules| modules.get_item("threading"));
    let thread =
        threading.and_then(|threading| threading.getattr("_active")?.get_item(thread_number()));
    thread.and_then(|thread| thread.getattr("name")?.extract()).ok()
}
