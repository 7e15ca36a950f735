//! How a worker is launched: its program, its environment, its private directory.

use std::{
    ffi::OsString,
    fs::File,
    hash::{BuildHasher, Hasher, RandomState},
    io,
    path::{Path, PathBuf},
};

use mcp_repl_sideband::{NONCE_VARIABLE, SOCKET_VARIABLE};
use tempfile::TempDir;

use super::{
    python::{Choice, Surroundings},
    state::Paging,
};
use crate::pty::{self, Program};

/// The worker's extension, which the binary carries.
const EXTENSION: &[u8] = include_bytes!(env!("MCP_REPL_EXTENSION_FILE"));

/// The environment variable that names the extension's file to [`BOOTSTRAP`].
const EXTENSION_VARIABLE: &str = "MCP_REPL_EXTENSION";

/// The environment variable that names the inherited descriptor of the terminal's master side
/// to [`BOOTSTRAP`]. While the worker holds that, the kernel does not hang up when the server is
/// gone, and the worker ends its session in order.
const MASTER_VARIABLE: &str = "MCP_REPL_MASTER";

/// Loads the extension and hands Python over to it. Runs under any Python, so that an old one
/// can be told apart from a broken one. The two variables above are for it alone and gone from
/// the environment when it ends.
const BOOTSTRAP: &str = "\
import sys
if sys.version_info < (3, 9) or sys.implementation.name != 'cpython':
    sys.exit('mcp-repl needs CPython 3.9 or newer, but %s is %s' % (sys.executable, sys.version.split()[0]))
if 't' in getattr(sys, 'abiflags', ''):
    sys.exit('mcp-repl needs a Python with the GIL, but %s is a free-threaded build' % sys.executable)
e = __import__('os').environ
m = __import__('_imp').create_dynamic(__import__('_frozen_importlib').ModuleSpec(
    '_mcp_repl', None, origin=e.pop('MCP_REPL_EXTENSION')))
__import__('_imp').exec_dynamic(m)
m.boot(globals(), int(e.pop('MCP_REPL_MASTER')))
";

/// The longest path of a socket that all platforms take (macOS: 104 with the final NUL).
const LONGEST_SOCKET_PATH: usize = 100;

/// What the names of private directories begin with.
const DIRECTORY_PREFIX: &str = "mcp-repl-";

/// The options of `less` where the user has none: those git sets (end by itself if the text fits
/// on the screen, show colours, leave the text on the screen), and a prompt that tells the place.
const LESS: &str = "-FRXM";

/// The file in a private directory that its server holds a lock on.
const LOCK: &str = "lock";

/// What to run as the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerProgram {
    /// A Python interpreter, with the extension.
    Python(PathBuf),
    /// A program that speaks the sideband protocol itself, with its arguments.
    Custom(PathBuf, Vec<OsString>),
}

/// What to run, before it is looked for.
#[derive(Debug, Clone)]
pub enum Target {
    /// A Python, chosen anew for every session: one that was just made is found.
    Python(Surroundings),
    /// A program that speaks the sideband protocol itself, with its arguments.
    Custom(PathBuf, Vec<OsString>),
}

/// What was found for a [`Target`].
#[derive(Debug, Clone)]
pub struct Resolved {
    /// What to run.
    pub program: WorkerProgram,
    /// Why this one.
    pub reason: String,
    /// What came first and can't be run, each with the reason.
    pub passed_over: Vec<String>,
}

impl Target {
    /// Looks for the program.
    ///
    /// # Errors
    /// A text that says what was looked for and what to do.
    pub fn resolve(&self) -> Result<Resolved, String> {
        match self {
            Target::Python(surroundings) => {
                let Choice { file, source, passed_over } = surroundings.choose()?;
                let program = WorkerProgram::Python(file);
                Ok(Resolved { program, reason: source.to_string(), passed_over })
            }
            Target::Custom(file, arguments) => Ok(Resolved {
                program: WorkerProgram::Custom(file.clone(), arguments.clone()),
                reason: "--worker".into(),
                passed_over: Vec::new(),
            }),
        }
    }
}

/// The server's private directory: everything it writes is in here, and goes with it.
#[derive(Debug)]
pub struct Home {
    directory: TempDir,
    launches: u64,
    /// Held while this process lives: the directory of a server that was killed has none.
    _lock: File,
}

/// One launch. Its directory goes when it is dropped.
#[derive(Debug)]
pub struct Launch {
    program: Program,
    nonce: String,
    socket: PathBuf,
    /// Holds the socket and the worker's temporary files.
    _directory: TempDir,
}

impl Home {
    /// Makes the directory, which only this user can enter, and writes the extension there.
    ///
    /// # Errors
    /// When none of the usual places for temporary files can be written.
    pub fn new() -> io::Result<Home> {
        let prefix = format!("{DIRECTORY_PREFIX}{}-", std::process::id());
        let mut places = vec![std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
        places.extend(std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from));
        let mut last = io::Error::other("no directory for temporary files");
        for place in places {
            // The socket's path has room for what comes behind.
            if place.as_os_str().len() + 50 > LONGEST_SOCKET_PATH || !place.is_absolute() {
                continue;
            }
            if !pty::allows_execution(&place) {
                let why = format!("{} is missing or mounted noexec", place.display());
                last = io::Error::other(why);
                continue;
            }
            // tempfile makes it with mode 0700.
            match tempfile::Builder::new().prefix(&prefix).tempdir_in(&place) {
                Ok(directory) => {
                    let lock = hold(directory.path())?;
                    let sweep = std::thread::Builder::new().name("sweep".into());
                    let _ = sweep.spawn(move || remove_stale(&place));
                    std::fs::write(directory.path().join("worker.so"), EXTENSION)?;
                    return Ok(Home { directory, launches: 0, _lock: lock });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Prepares to launch `program`.
    ///
    /// # Errors
    /// When the worker's directory can't be made.
    pub fn launch(&mut self, program: &WorkerProgram, paging: Paging) -> io::Result<Launch> {
        self.launches += 1;
        let prefix = format!("{}-", self.launches);
        let directory = tempfile::Builder::new().prefix(&prefix).tempdir_in(self.path())?;
        let socket = directory.path().join("sideband");
        let temporary = directory.path().join("tmp");
        std::fs::create_dir(&temporary)?;
        let nonce = nonce();
        let set = |name: &str, value: OsString| (name.into(), Some(value));
        let mut environment = vec![
            set(SOCKET_VARIABLE, socket.clone().into()),
            set(NONCE_VARIABLE, nonce.clone().into()),
            set("TERM", "xterm-256color".into()),
            set("TMPDIR", temporary.into()),
            // They would contradict the terminal's own size.
            ("COLUMNS".into(), None),
            ("LINES".into(), None),
        ];
        if paging == Paging::Plain {
            environment
                .extend(["PAGER", "MANPAGER", "GIT_PAGER"].map(|name| set(name, "cat".into())));
        }
        if std::env::var_os("LESS").is_none() {
            environment.push(set("LESS", LESS.into()));
        }
        let mut master_variable = None;
        let (file, arguments) = match program {
            WorkerProgram::Python(file) => {
                master_variable = Some(MASTER_VARIABLE);
                let extension = self.path().join("worker.so");
                environment.push(set(EXTENSION_VARIABLE, extension.into()));
                (file.clone(), vec!["-c".into(), BOOTSTRAP.into()])
            }
            WorkerProgram::Custom(file, arguments) => (file.clone(), arguments.clone()),
        };
        let program = Program { file, arguments, environment, master_variable };
        Ok(Launch { program, nonce, socket, _directory: directory })
    }
}

impl Launch {
    /// What to execute.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The secret that the worker's hello and marks carry.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Where the worker's sideband connects.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

/// Locks a new directory as long as the file given is open. The lock has its name only when it
/// is held, so that no other server takes the directory for one that nobody has.
fn hold(directory: &Path) -> io::Result<File> {
    let unnamed = directory.join("lock.new");
    let lock = File::create_new(&unnamed)?;
    lock.lock()?;
    std::fs::rename(unnamed, directory.join(LOCK))?;
    Ok(lock)
}

/// Removes the directories of servers that were killed: those whose lock nobody holds.
fn remove_stale(place: &Path) {
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let ours =
            entry.file_name().to_str().is_some_and(|name| name.starts_with(DIRECTORY_PREFIX));
        // That of another user can't be opened, and is not touched.
        if ours
            && let Ok(lock) = File::open(entry.path().join(LOCK))
            && lock.try_lock().is_ok()
        {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// 128 bits from the operating system's generator, which seeds the standard library's hashers.
fn nonce() -> String {
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bootstrap_takes_its_variables_out_of_the_environment() {
        for name in [EXTENSION_VARIABLE, MASTER_VARIABLE] {
            assert!(BOOTSTRAP.contains(&format!("e.pop('{name}')")), "{name}");
        }
    }

    #[test]
    fn servers_that_start_at_the_same_time_leave_each_others_directories_alone() {
        let start = || {
            for _ in 0..100 {
                let mut home = Home::new().unwrap();
                let program = WorkerProgram::Custom("true".into(), Vec::new());
                home.launch(&program, Paging::Through).unwrap();
            }
        };
        std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(start))));
    }
}
