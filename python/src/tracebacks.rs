//! How much of a traceback is shown: the last entries, as CPython's own display has it
//! (`_PyTraceBack_Print` in Python/traceback.c). `traceback` looks at the code of each entry before
//! it drops it, which takes minutes where a recursion went a million deep.

use std::collections::HashSet;

use pyo3::{
    exceptions::PyBaseException,
    ffi, intern,
    prelude::*,
    types::{PyInt, PyTraceback},
};

/// How many entries of a traceback are shown: `PyTraceBack_LIMIT` in Python/traceback.c.
const LIMIT: isize = 1000;

/// How many entries of a traceback are shown, by `sys.tracebacklimit` if that is an integer; none if
/// not above 0.
pub(crate) fn limit(sys: &Bound<'_, PyModule>) -> isize {
    let set = sys.getattr(intern!(sys.py(), "tracebacklimit")).ok();
    let set = set.and_then(|set| set.cast_into::<PyInt>().ok());
    set.map_or(LIMIT, |set| set.extract().unwrap_or(isize::MAX))
}

/// Exceptions whose tracebacks have no more than so many entries, for as long as this lives: then
/// they get back what they had.
pub(crate) struct Cut<'py> {
    exceptions: Vec<(Bound<'py, PyBaseException>, Traceback<'py>)>,
}

/// A traceback in two lengths.
struct Traceback<'py> {
    whole: Bound<'py, PyAny>,
    /// `None` if nothing of it is shown.
    end: Option<Bound<'py, PyAny>>,
}

impl<'py> Cut<'py> {
    /// Cuts the tracebacks of an exception and of all it came from or is made of. `group` is
    /// `BaseExceptionGroup`, where there is one.
    ///
    /// No code of the program's runs, so nothing interrupts it.
    pub(crate) fn new(
        exception: &Bound<'py, PyBaseException>,
        limit: isize,
        group: Option<&Bound<'py, PyAny>>,
    ) -> Cut<'py> {
        let mut cut = Cut { exceptions: Vec::new() };
        let mut seen = HashSet::new();
        let mut left = vec![exception.clone()];
        while let Some(exception) = left.pop() {
            if !seen.insert(exception.as_ptr()) {
                continue;
            }
            left.extend(origins(&exception));
            left.extend(group.into_iter().flat_map(|group| members(&exception, group)));
            if let Some(whole) = get(&exception)
                && let Some(end) = last_entries(&whole, limit)
            {
                set(&exception, end.as_ref());
                cut.exceptions.push((exception, Traceback { whole, end }));
            }
        }
        cut
    }
}

impl Drop for Cut<'_> {
    fn drop(&mut self) {
        for (exception, Traceback { whole, end }) in &self.exceptions {
            // What is shown runs code of the program's, which may set another one.
            let is_ours = match (get(exception), end) {
                (Some(now), Some(end)) => now.is(end),
                (None, None) => true,
                _ => false,
            };
            if is_ours {
                set(exception, Some(whole));
            }
        }
    }
}

/// The cause and the context of an exception.
fn origins<'py>(
    exception: &Bound<'py, PyBaseException>,
) -> impl Iterator<Item = Bound<'py, PyBaseException>> {
    let py = exception.py();
    // SAFETY: the GIL is held and `exception` is one; the results are new references or null.
    let origins = unsafe {
        [
            Bound::from_owned_ptr_or_opt(py, ffi::PyException_GetCause(exception.as_ptr())),
            Bound::from_owned_ptr_or_opt(py, ffi::PyException_GetContext(exception.as_ptr())),
        ]
    };
    origins.into_iter().flatten().filter_map(|origin| origin.cast_into().ok())
}

/// What an exception group is made of.
fn members<'py>(
    exception: &Bound<'py, PyBaseException>,
    group: &Bound<'py, PyAny>,
) -> Vec<Bound<'py, PyBaseException>> {
    if !exception.get_type().is_subclass(group).unwrap_or(false) {
        return Vec::new();
    }
    // The slot, whatever a class of the program's calls `exceptions`.
    let members = group
        .getattr("exceptions")
        .and_then(|slot| slot.call_method1("__get__", (exception,)))
        .and_then(|members| members.extract::<Vec<Bound<'py, PyAny>>>());
    members.into_iter().flatten().filter_map(|member| member.cast_into().ok()).collect()
}

/// Where the last entries begin of a traceback with more than so many: `Some(None)` if none is
/// among them.
fn last_entries<'py>(
    traceback: &Bound<'py, PyAny>,
    limit: isize,
) -> Option<Option<Bound<'py, PyAny>>> {
    let name = intern!(traceback.py(), "tb_next");
    let next = |entry: &Bound<'py, PyAny>| entry.getattr(name).ok().filter(|next| !next.is_none());
    if limit <= 0 {
        return Some(None);
    }
    let mut ahead = traceback.clone();
    for _ in 0..limit {
        ahead = next(&ahead)?;
    }
    let mut first = traceback.clone();
    loop {
        first = next(&first)?;
        match next(&ahead) {
            Some(entry) => ahead = entry,
            None => return Some(Some(first)),
        }
    }
}

/// The traceback of an exception, whatever a class of the program's calls `__traceback__`.
pub(crate) fn get<'py>(exception: &Bound<'py, PyBaseException>) -> Option<Bound<'py, PyAny>> {
    // SAFETY: the GIL is held and `exception` is one; the result is a new reference or null.
    unsafe {
        let traceback = ffi::PyException_GetTraceback(exception.as_ptr());
        Bound::from_owned_ptr_or_opt(exception.py(), traceback)
    }
}

/// Gives an exception a traceback, or takes it away.
pub(crate) fn set(exception: &Bound<'_, PyBaseException>, traceback: Option<&Bound<'_, PyAny>>) {
    let py = exception.py();
    let none = py.None();
    let traceback = traceback.unwrap_or(none.bind(py));
    debug_assert!(traceback.is_none() || traceback.is_instance_of::<PyTraceback>());
    // SAFETY: the GIL is held and `exception` is one, which takes a reference of its own.
    unsafe { ffi::PyException_SetTraceback(exception.as_ptr(), traceback.as_ptr()) };
}
