//! What is looked up in the running interpreter, and what the C library has.

use std::{
    ffi::{CStr, c_int, c_void},
    os::windows::io::RawHandle,
    ptr,
    sync::OnceLock,
};

use windows_sys::Win32::{
    Foundation::HMODULE,
    System::{
        LibraryLoader::GetProcAddress,
        ProcessStatus::K32EnumProcessModules,
        Threading::{GetCurrentProcess, GetCurrentThreadId},
    },
};

/// What only the interpreter's own library has: the one for the stable ABI passes on less.
const OF_INTERPRETER: &CStr = c"_PyOS_SigintEvent";
/// How many libraries are looked at.
const MOST_MODULES: usize = 1024;

/// Finds a symbol of the interpreter; null if there is none.
pub(crate) fn symbol(name: &CStr) -> *mut c_void {
    static INTERPRETER: OnceLock<usize> = OnceLock::new();
    let interpreter = *INTERPRETER.get_or_init(|| {
        modules().into_iter().find(|&module| !find(module, OF_INTERPRETER).is_null()).unwrap_or(0)
    });
    if interpreter == 0 { ptr::null_mut() } else { find(interpreter, name) }
}

fn find(module: usize, name: &CStr) -> *mut c_void {
    // SAFETY: the module stays loaded, as an interpreter's library does, and `name` is a C string.
    let found = unsafe { GetProcAddress(module as HMODULE, name.as_ptr().cast()) };
    found.map_or(ptr::null_mut(), |found| found as *mut c_void)
}

/// The libraries that this process has loaded.
fn modules() -> Vec<usize> {
    let mut modules = vec![0usize; MOST_MODULES];
    let (room, mut length) = (size_of_val(modules.as_slice()) as u32, 0);
    // SAFETY: there is room for as many as is said; `length` takes how much there would be.
    let told = unsafe {
        K32EnumProcessModules(GetCurrentProcess(), modules.as_mut_ptr().cast(), room, &mut length)
    };
    let count = if told == 0 { 0 } else { length as usize / size_of::<HMODULE>() };
    modules.truncate(count);
    modules
}

/// The event that CPython sets for an interrupt, by which `time.sleep` and the like end
/// (`_PyOS_SigintEvent` in Modules/signalmodule.c); `None` where there is none.
pub(super) fn interrupt_event() -> Option<RawHandle> {
    type Ask = unsafe extern "C" fn() -> RawHandle;
    let found = symbol(OF_INTERPRETER);
    if found.is_null() {
        return None;
    }
    // SAFETY: the function has this signature in every version, and gives a handle that stays open.
    let event = unsafe { std::mem::transmute::<*mut c_void, Ask>(found)() };
    (!event.is_null()).then_some(event)
}

/// The address of what the C library calls for a signal (`PyOS_getsig` in Python/pylifecycle.c), or the number
/// that stands for none; `None` where that can't be asked.
pub(super) fn signal_action(signal: c_int) -> Option<usize> {
    type Ask = unsafe extern "C" fn(c_int) -> usize;
    let found = symbol(c"PyOS_getsig");
    if found.is_null() {
        return None;
    }
    // SAFETY: the function takes and gives this in every version, a pointer of which only the address is
    // looked at; any thread may call it, without the GIL.
    Some(unsafe { std::mem::transmute::<*mut c_void, Ask>(found)(signal) })
}

/// The number that CPython gives the calling thread (Python/thread_nt.h, PyThread_get_thread_ident).
pub(crate) fn thread_number() -> usize {
    // SAFETY: no memory is taken.
    unsafe { GetCurrentThreadId() as usize }
}

/// Does nothing: the C library keeps nothing back that goes to a console (UCRT, `_stbuf`).
pub(crate) fn flush_c_streams() {}
