//! `input()`: the readline function that CPython calls.

use std::{
    ffi::{CStr, c_char},
    ptr,
};

use mcp_repl_sideband::Reader;
use pyo3::Python;

use crate::{
    capi::{self, Raised},
    input::read_input,
    system::ReadlineFunction,
    worker::worker,
};

/// Makes [`readline`] the interpreter's readline function; returns the one from before.
pub(crate) fn install(_: Python<'_>) -> Option<ReadlineFunction> {
    let variable = capi::readline_variable()?;
    // SAFETY: the variable lives as long as the interpreter, and the GIL, which is held, guards
    // it (Parser/myreadline.c).
    unsafe { (*variable).replace(readline) }
}

/// `PyOS_ReadlineFunctionPointer`'s value: shows `prompt` and returns a line with its end, an
/// empty one at end of file, or null with an exception set.
///
/// Called without the GIL, one thread at a time (Parser/myreadline.c).
unsafe extern "C" fn readline(
    _stdin: *mut libc::FILE,
    _stdout: *mut libc::FILE,
    prompt: *const c_char,
) -> *mut c_char {
    let prompt = if prompt.is_null() {
        &[][..]
    } else {
        // SAFETY: the caller passes a C string that lives for the call.
        unsafe { CStr::from_ptr(prompt) }.to_bytes()
    };
    let Some(worker) = worker() else { return ptr::null_mut() };
    match read_input(worker, Reader::Readline, prompt, usize::MAX) {
        Ok(mut line) => {
            // The line travels as a C string, in which a NUL would end it.
            line.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = b'?');
            if !line.is_empty() && !line.ends_with(b"\n") {
                line.push(b'\n');
            }
            capi::raw_malloc_string(&line)
        }
        Err(Raised) => ptr::null_mut(),
    }
}
