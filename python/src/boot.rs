//! Setting up: everything between Python's own start and the first cell.

use std::{env, ffi::OsString, sync::Mutex};

use mcp_repl_sideband::{NONCE_VARIABLE, SOCKET_VARIABLE};
use pyo3::{
    exceptions::PyConnectionError,
    prelude::*,
    types::{PyDict, PyList},
};

use crate::{
    capi,
    cell::Compiler,
    channel::{Channel, Identity, read_messages},
    fifo::Fifo,
    fork, reads,
    report::{Reporter, without_working_directory},
    session::{self, Interpreter, Worker},
    streams::Streams,
};

/// Set, it makes `python -c` go on to its prompt, where it calls the interactive hook.
const INSPECT: &str = "PYTHONINSPECT";

/// What [`finish`] undoes.
static BEFORE: Mutex<Option<Before>> = Mutex::new(None);

#[derive(Debug)]
struct Before {
    hook: Option<Py<PyAny>>,
    inspect: Option<OsString>,
}

/// Called by the bootstrap with its globals, the user's `__main__`, and the descriptor of the
/// terminal's master side.
///
/// Connects to the server and makes Python call [`session::run`] in place of its prompt.
#[pyfunction]
pub(crate) fn boot(py: Python<'_>, globals: Bound<'_, PyDict>, master: i32) -> PyResult<()> {
    let sys = py.import("sys")?;
    // What the bootstrap left there.
    for name in globals.keys() {
        if !name.extract::<String>()?.starts_with("__") {
            globals.del_item(name)?;
        }
    }
    // Loaded later, readline would take the place of our readline function. It may be missing.
    let _ = without_working_directory(&sys, |py| py.import("readline"));
    let interpreter = Interpreter {
        compiler: Compiler::new(py)?,
        reporter: Reporter::new(&sys)?,
        streams: Streams::install(&sys)?,
        builtins: py.import("builtins")?.unbind(),
        globals: globals.unbind(),
    };
    let (channel, socket) = Channel::connect(identity(&sys)?, master)
        .map_err(|error| PyConnectionError::new_err(format!("mcp-repl: {error}")))?;
    let before = capi::readline_pointer().and_then(|pointer| {
        // SAFETY: the GIL is held, which guards the variable (Parser/myreadline.c).
        unsafe { (*pointer).replace(reads::readline) }
    });
    channel.descriptors().into_iter().for_each(fork::keep);
    fork::register(before);
    let worker = session::install(Worker::new(channel, Fifo::new()?), interpreter);
    start_reading(worker, socket)?;
    // From here on the reading thread sees the server's end, and does better than a kill.
    #[cfg(target_os = "linux")]
    // SAFETY: prctl with this option takes no memory.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, 0)
    };
    tidy(py, &sys)?;
    hook_prompt(py, &sys)
}

fn identity(sys: &Bound<'_, PyModule>) -> PyResult<Identity> {
    let version = sys.getattr("version")?.extract::<String>()?;
    Ok(Identity {
        version: version.split_whitespace().next().unwrap_or_default().to_owned(),
        executable: sys.getattr("executable")?.extract().unwrap_or_default(),
    })
}

/// Starts the thread that reads the sideband, deaf to signals: they are for Python's threads.
fn start_reading(worker: &'static Worker, socket: std::os::unix::net::UnixStream) -> PyResult<()> {
    let mut all = std::mem::MaybeUninit::uninit();
    let mut before = std::mem::MaybeUninit::uninit();
    // SAFETY: sigfillset fills the first set, pthread_sigmask the second.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
    }
    let started = std::thread::Builder::new()
        .name("mcp-repl".into())
        .spawn(move || read_messages(worker, socket));
    // SAFETY: the set was filled above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
    started.map(drop).map_err(PyErr::from)
}

/// Makes things look as at Python's own prompt.
fn tidy(py: Python<'_>, sys: &Bound<'_, PyModule>) -> PyResult<()> {
    let environment = py.import("os")?.getattr("environ")?;
    for name in [SOCKET_VARIABLE, NONCE_VARIABLE] {
        environment.call_method1("pop", (name, py.None()))?;
    }
    sys.setattr("argv", PyList::new(py, [""])?)?;
    if let Ok(original) = sys.getattr("orig_argv") {
        sys.setattr("orig_argv", PyList::new(py, [original.get_item(0)?])?)?;
    }
    sys.setattr("ps1", ">>> ")?;
    sys.setattr("ps2", "... ")
}

/// Puts [`session::run`] where Python calls it with no frame below (`pymain_repl` in
/// Modules/main.c), until [`finish`].
fn hook_prompt(py: Python<'_>, sys: &Bound<'_, PyModule>) -> PyResult<()> {
    let before = Before {
        hook: sys.getattr("__interactivehook__").ok().map(Bound::unbind),
        inspect: env::var_os(INSPECT),
    };
    sys.setattr("__interactivehook__", wrap_pyfunction!(session::run, py)?)?;
    set_variable(INSPECT, Some("1".into()));
    if let Ok(mut slot) = BEFORE.lock() {
        *slot = Some(before);
    }
    Ok(())
}

/// Undoes what made Python call us. Called first thing by [`session::run`].
pub(crate) fn finish(sys: &Bound<'_, PyModule>) -> PyResult<()> {
    let Some(before) = BEFORE.lock().ok().and_then(|mut slot| slot.take()) else { return Ok(()) };
    set_variable(INSPECT, before.inspect);
    match before.hook {
        Some(hook) => sys.setattr("__interactivehook__", hook),
        None => sys.delattr("__interactivehook__"),
    }
}

fn set_variable(name: &str, value: Option<OsString>) {
    // SAFETY: the GIL is held and no code but Python's start has run, so the one other thread,
    // ours, is all that could read the environment, and it does not.
    unsafe {
        match value {
            Some(value) => env::set_var(name, value),
            None => env::remove_var(name),
        }
    }
}
