//! The platform door: what the worker has of its system. Everything else of it is the same everywhere.
//!
//! Both folders have the same modules, with the same items.
//!
//! ```text
//! connection   the sideband's stream
//! terminal     the worker's hold on its terminal
//! waker        what a thread waits for, together with the terminal
//! main_thread  Python's main thread, and how it is woken
//! signals      signal masks
//! fork         forked children
//! processes    the end of the session
//! stdin        standard input as any program has it
//! file_name    the names of files as bytes
//! symbols      what the interpreter and the C library have
//! ```

use std::ffi::c_char;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{
    connection, file_name, fork, main_thread, processes, signals, stdin, symbols, terminal, waker,
};
#[cfg(windows)]
pub(crate) use windows::{
    connection, file_name, fork, main_thread, processes, signals, stdin, symbols, terminal, waker,
};

/// `PyOS_ReadlineFunctionPointer` (Include/pythonrun.h): reads a line after showing a prompt.
pub(crate) type ReadlineFunction =
    unsafe extern "C" fn(*mut libc::FILE, *mut libc::FILE, *const c_char) -> *mut c_char;

/// What a wait for a waker ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// The waker was woken.
    Waker,
    /// Standard input is readable, or at its end.
    Stdin,
    /// A signal arrived.
    Signal,
}
