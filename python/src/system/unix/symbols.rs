//! What is looked up in the running interpreter, and what the C library has.

use std::ffi::{CStr, c_void};

/// Finds a symbol of the interpreter; null if there is none.
pub(crate) fn symbol(name: &CStr) -> *mut c_void {
    // SAFETY: `name` is a C string, and RTLD_DEFAULT asks only what is loaded already.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// The number that CPython gives the calling thread (Python/thread_pthread.h,
/// PyThread_get_thread_ident).
pub(crate) fn thread_number() -> usize {
    // SAFETY: pthread_self takes no memory.
    unsafe { libc::pthread_self() as usize }
}

/// Flushes C's `stdout` and `stderr`.
///
/// Not `fflush(NULL)`: it takes the lock of every stream, also of a `stdin` that another
/// thread is blocked in.
pub(crate) fn flush_c_streams() {
    unsafe extern "C" {
        #[cfg_attr(target_os = "macos", link_name = "__stdoutp")]
        static stdout: *mut libc::FILE;
        #[cfg_attr(target_os = "macos", link_name = "__stderrp")]
        static stderr: *mut libc::FILE;
    }
    // SAFETY: the two streams exist for the life of the process and lock themselves.
    unsafe {
        libc::fflush(stdout);
        libc::fflush(stderr);
    }
}
