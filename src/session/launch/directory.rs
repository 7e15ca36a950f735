//! The private directories: one a server, in it one a session, in that one a worker. Everything
//! that is written is in them, and goes with them.

use std::{
    ffi::OsString,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use mcp_repl_sideband::{NONCE_VARIABLE, SOCKET_VARIABLE};
use tempfile::TempDir;

use super::WorkerProgram;
use crate::{
    pty::{self, Program},
    session::rules::state::Paging,
};

/// The worker's extension, which the binary carries.
const EXTENSION: &[u8] = include_bytes!(env!("MCP_REPL_EXTENSION_FILE"));

/// The longest path of a socket that all platforms take (macOS: 104 with the final NUL).
const LONGEST_SOCKET_PATH: usize = 100;
/// What a socket's path has behind the place for temporary files, at most.
const LONGEST_SOCKET_NAME: usize = 50;

/// What the names of servers' directories begin with.
const DIRECTORY_PREFIX: &str = "mcp-repl-";
/// The extension's file in a server's directory.
const EXTENSION_FILE: &str = "worker.so";
/// The file in a server's directory that it holds a lock on.
const LOCK: &str = "lock";

/// The options of `less` where the user has none: those git sets (end by itself if the text fits
/// on the screen, show colours, leave the text on the screen), and a prompt that tells the place.
const LESS: &str = "-FRXM";

/// A server's directory, which only this user can enter. Clones are the same one; it goes with
/// the last of them and of its sessions'.
#[derive(Debug, Clone)]
pub struct RuntimeDirectory {
    /// Replaced when somebody removed it.
    root: Arc<Mutex<Arc<Root>>>,
}

#[derive(Debug)]
struct Root {
    directory: TempDir,
    sessions: AtomicU64,
    /// Held while this process lives: the directory of a server that was killed has none.
    _lock: File,
}

/// A session's directory: for the texts of long replies, and its workers'.
#[derive(Debug)]
pub struct SessionDirectory {
    root: Arc<Root>,
    directory: TempDir,
    launches: u64,
}

/// One launch. Its directory goes when it is dropped.
#[derive(Debug)]
pub struct Launch {
    program: Program,
    own_threads: u64,
    nonce: String,
    socket: PathBuf,
    /// Holds the socket and the worker's temporary files.
    _directory: TempDir,
}

impl RuntimeDirectory {
    /// Makes the directory and writes the extension there.
    ///
    /// # Errors
    /// When none of the usual places for temporary files can be written.
    pub fn new() -> io::Result<RuntimeDirectory> {
        Ok(RuntimeDirectory { root: Arc::new(Mutex::new(Arc::new(Root::new()?))) })
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.root().directory.path().to_owned()
    }

    /// Makes a directory for a session. Makes the server's anew if somebody removed it.
    ///
    /// # Errors
    /// When that can't be written.
    pub fn session(&self) -> io::Result<SessionDirectory> {
        let root = self.root();
        let made = SessionDirectory::new(root.clone());
        if made.is_ok() || root.directory.path().join(EXTENSION_FILE).exists() {
            return made;
        }
        let root = Arc::new(Root::new()?);
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = root.clone();
        SessionDirectory::new(root)
    }

    fn root(&self) -> Arc<Root> {
        self.root.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Root {
    fn new() -> io::Result<Root> {
        let prefix = format!("{DIRECTORY_PREFIX}{}-", std::process::id());
        let mut places = vec![std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()];
        places.extend(std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from));
        let mut last = io::Error::other("no directory for temporary files");
        for place in places {
            let longest = place.as_os_str().len() + LONGEST_SOCKET_NAME;
            if longest > LONGEST_SOCKET_PATH || !place.is_absolute() {
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
                    let lock = lock(directory.path())?;
                    let sweep = std::thread::Builder::new().name("sweep".into());
                    let _ = sweep.spawn(move || remove_stale(&place));
                    std::fs::write(directory.path().join(EXTENSION_FILE), EXTENSION)?;
                    return Ok(Root { directory, sessions: AtomicU64::new(0), _lock: lock });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl SessionDirectory {
    fn new(root: Arc<Root>) -> io::Result<SessionDirectory> {
        let number = root.sessions.fetch_add(1, Ordering::Relaxed) + 1;
        let name = number.to_string();
        let place = root.directory.path();
        let directory = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir_in(place)?;
        Ok(SessionDirectory { root, directory, launches: 0 })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Prepares to launch `program`.
    ///
    /// # Errors
    /// When the worker's directory can't be made, or the system gives no random bits.
    pub fn launch(&mut self, program: &WorkerProgram, paging: Paging) -> io::Result<Launch> {
        self.launches += 1;
        let prefix = format!("{}-", self.launches);
        let directory = tempfile::Builder::new().prefix(&prefix).tempdir_in(self.path())?;
        let socket = directory.path().join("sideband");
        let temporary = directory.path().join("tmp");
        std::fs::create_dir(&temporary)?;
        let nonce = nonce()?;
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
        if let Some(name) = program.extension_variable {
            let extension = self.root.directory.path().join(EXTENSION_FILE);
            environment.push(set(name, extension.into()));
        }
        let own = program.environment.iter();
        environment.extend(own.map(|(name, value)| ((*name).into(), value.clone())));
        let WorkerProgram { file, arguments, own_threads, master_variable, .. } = program.clone();
        let program = Program { file, arguments, environment, master_variable };
        Ok(Launch { program, own_threads, nonce, socket, _directory: directory })
    }
}

impl Launch {
    /// What to execute.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// How many threads the program has by itself.
    pub fn own_threads(&self) -> u64 {
        self.own_threads
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
/// is locked, so that no other server takes the directory for one that nobody has.
fn lock(directory: &Path) -> io::Result<File> {
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

/// 128 bits from the operating system's generator, in hexadecimal.
fn nonce() -> io::Result<String> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_that_start_at_the_same_time_leave_each_others_directories_alone() {
        let start = || {
            for _ in 0..100 {
                let mut session = RuntimeDirectory::new().unwrap().session().unwrap();
                let program = WorkerProgram::custom("true".into(), Vec::new());
                session.launch(&program, Paging::Through).unwrap();
            }
        };
        std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(start))));
    }

    #[test]
    fn sessions_of_one_server_have_directories_of_their_own() {
        let runtime = RuntimeDirectory::new().unwrap();
        let (one, two) = (runtime.session().unwrap(), runtime.session().unwrap());
        assert_ne!(one.path(), two.path());
        assert!(one.path().starts_with(runtime.path()) && two.path().starts_with(runtime.path()));
        // Each stays as long as its session, whatever becomes of the handle.
        let (root, place) = (runtime.path(), one.path().to_owned());
        drop(runtime);
        drop(two);
        assert!(place.exists());
        drop(one);
        assert!(!root.exists());
    }

    #[test]
    fn a_directory_that_somebody_removed_is_made_anew() {
        let runtime = RuntimeDirectory::new().unwrap();
        let before = runtime.path();
        std::fs::remove_dir_all(&before).unwrap();
        assert!(runtime.session().unwrap().path().exists());
        assert_ne!(runtime.path(), before);
    }
}
