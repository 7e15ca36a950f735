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

use super::{
    Surroundings, WorkerProgram, extension,
    sandbox::{Confinement, Explainer},
    strict,
};
use crate::{
    pty::{self, Lock, Program},
    session::rules::state::Paging,
};

/// The longest path of a socket that all platforms take (macOS: 104 with the final NUL).
const LONGEST_SOCKET_PATH: usize = 100;
/// What a socket's path has behind the place for temporary files, at most.
const LONGEST_SOCKET_NAME: usize = 50;

/// What the names of servers' directories begin with.
const DIRECTORY_PREFIX: &str = "mcp-repl-";
/// The longest name of one: a process's number has 7 digits at most, and 6 are random.
const LONGEST_DIRECTORY_NAME: usize = DIRECTORY_PREFIX.len() + 14;
/// The file in a server's directory that it holds a lock on.
const LOCK: &str = "lock";

/// What programs find in `TERM`.
pub const TERMINAL_TYPE: &str = "xterm-256color";

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
    /// The same of the directory around it, where this process is in name spaces ([`strict`]).
    _outer_lock: Option<File>,
}

/// A directory for the files of a host in name spaces, in which that has its own. It is the same place there and
/// outside, where replies name files in it.
#[derive(Debug)]
pub(super) struct OuterDirectory {
    directory: TempDir,
    /// Held until the host has one of its own.
    _lock: File,
}

impl OuterDirectory {
    /// Makes one, and removes what hosts left that have ended.
    ///
    /// # Errors
    /// When none of the usual places for temporary files can be written.
    pub(super) fn new() -> io::Result<OuterDirectory> {
        // The host's directory is one further down.
        let further = LONGEST_DIRECTORY_NAME + 1;
        in_first_place(|place| {
            let directory = directory_in(place, further)?;
            remove_stale(place);
            let lock = lock(directory.path())?;
            Ok(OuterDirectory { directory, _lock: lock })
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Leaves it to the host. When that has ended, the next one removes it.
    pub(super) fn leave(mut self) {
        self.directory.disable_cleanup(true);
    }
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
    has_sideband: bool,
    nonce: String,
    socket: PathBuf,
    confinement: Option<Confinement>,
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

    /// Makes a directory for a session. Makes the server's anew if somebody removed it, put
    /// something else in its place, or filled the file system it is on.
    ///
    /// # Errors
    /// When that can't be written.
    pub fn session(&self) -> io::Result<SessionDirectory> {
        let root = self.root();
        // One that was made for this has it, and a launch looks at it again.
        let is_new = root.sessions.load(Ordering::Relaxed) == 0;
        let is_whole = is_new || root.extension().is_ok();
        if let Ok(made) = SessionDirectory::new(root)
            && is_whole
        {
            return Ok(made);
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
    /// Makes one in the first of the usual places that has room for it.
    fn new() -> io::Result<Root> {
        let outer = strict::directory();
        let outer = outer.and_then(|outer| Root::in_place(outer, Some(lock(outer).ok()?)).ok());
        // It may be gone by now: what replies name is not to be seen outside then.
        outer.map_or_else(|| in_first_place(|place| Root::in_place(place, None)), Ok)
    }

    fn in_place(place: &Path, outer_lock: Option<File>) -> io::Result<Root> {
        let directory = directory_in(place, 0)?;
        let lock = lock(directory.path())?;
        extension::file_in(directory.path())?;
        let sessions = AtomicU64::new(0);
        Ok(Root { directory, sessions, _lock: lock, _outer_lock: outer_lock })
    }

    /// Removes what servers that were killed left beside it. A thread does it, which takes
    /// descriptors of its own: not before the event loop has those it needs.
    fn sweep(&self) {
        if let Some(place) = self.directory.path().parent().map(Path::to_owned) {
            let sweep = std::thread::Builder::new().name("sweep".into());
            let _ = sweep.spawn(move || remove_stale(&place));
        }
    }

    /// The extension's file, which is what this binary carries: written again if it is not.
    fn extension(&self) -> io::Result<PathBuf> {
        pty::keep_private(self.directory.path())?;
        extension::file_in(self.directory.path())
    }
}

/// What is made in the first of the usual places that has room for it.
fn in_first_place<T>(make: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    let mut why = Vec::new();
    for place in places() {
        match make(&place) {
            Ok(made) => return Ok(made),
            Err(error) => why.push(format!("{}: {error}", place.display())),
        }
    }
    Err(io::Error::other(why.join("; ")))
}

/// Makes a server's directory in a place, from which programs are run and whose sockets have a path that is not too
/// long, when so many bytes `further`.
fn directory_in(place: &Path, further: usize) -> io::Result<TempDir> {
    let longest = place.as_os_str().len() + further + LONGEST_SOCKET_NAME;
    if longest > LONGEST_SOCKET_PATH || !place.is_absolute() {
        return Err(io::Error::other("its path is relative or too long"));
    }
    if !pty::allows_execution(place) {
        return Err(io::Error::other("it is missing or mounted noexec"));
    }
    let prefix = format!("{DIRECTORY_PREFIX}{}-", std::process::id());
    pty::private_directory_in(tempfile::Builder::new().prefix(&prefix), place)
}

/// Where a server's directory may be, the best place first.
fn places() -> Vec<PathBuf> {
    let mut places = vec![std::env::temp_dir()];
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    for place in ["/tmp".into(), "/var/tmp".into()].into_iter().chain(runtime) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.sort_by_key(|place| pty::others_can_replace(place));
    places
}

impl SessionDirectory {
    fn new(root: Arc<Root>) -> io::Result<SessionDirectory> {
        let number = root.sessions.fetch_add(1, Ordering::Relaxed) + 1;
        let name = number.to_string();
        let place = root.directory.path();
        let directory =
            pty::private_directory_in(tempfile::Builder::new().prefix(&name).rand_bytes(0), place)?;
        if number == 1 {
            root.sweep();
        }
        Ok(SessionDirectory { root, directory, launches: 0 })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Prepares to launch `program`.
    ///
    /// # Errors
    /// When the worker's directory or the extension can't be written, or the system gives no random
    /// bits.
    pub fn launch(
        &mut self,
        program: &WorkerProgram,
        paging: Paging,
        around: &Surroundings,
    ) -> io::Result<Launch> {
        self.launches += 1;
        let extension = self.root.extension()?;
        pty::keep_private(self.path())?;
        let prefix = format!("{}-", self.launches);
        let directory =
            pty::private_directory_in(tempfile::Builder::new().prefix(&prefix), self.path())?;
        let socket = directory.path().join("sideband");
        let temporary = directory.path().join("tmp");
        pty::create_private_directory(&temporary)?;
        let nonce = nonce()?;
        let set = |name: &str, value: OsString| (name.into(), Some(value));
        let mut environment = around.environment.clone();
        environment.extend([
            set("TERM", TERMINAL_TYPE.into()),
            // They would contradict the terminal's own size.
            ("COLUMNS".into(), None),
            ("LINES".into(), None),
        ]);
        let places = pty::TEMPORARY_VARIABLES;
        environment.extend(places.iter().map(|name| set(name, temporary.clone().into())));
        if program.has_sideband {
            environment.push(set(SOCKET_VARIABLE, socket.clone().into()));
            environment.push(set(NONCE_VARIABLE, nonce.clone().into()));
        }
        if paging == Paging::Plain {
            let pager = pty::NO_PAGER;
            environment.extend(["PAGER", "MANPAGER"].map(|name| set(name, pager.into())));
            // git takes this as its own word for none, on all systems.
            environment.push(set("GIT_PAGER", "cat".into()));
        }
        if around.variable("LESS").is_none() {
            environment.push(set("LESS", LESS.into()));
        }
        if let Some(name) = program.extension_variable {
            environment.push(set(name, extension.into()));
        }
        let own = program.environment.iter();
        environment.extend(own.map(|(name, value)| ((*name).into(), value.clone())));
        let file = around.file(program.file.clone());
        let sandbox = around.sandbox.as_ref().map(|sandbox| {
            sandbox.prepare(&file, directory.path(), &temporary, around, &environment)
        });
        let (mut rules, mut confinement) = (None, None);
        if let Some(prepared) = sandbox.transpose()? {
            environment.extend(prepared.environment);
            (rules, confinement) = (Some(prepared.rules), Some(prepared.confinement));
        }
        let WorkerProgram { arguments, own_threads, has_sideband, master_variable, .. } =
            program.clone();
        let program = Program {
            file,
            arguments,
            directory: around.directory.clone(),
            environment,
            master_variable,
            sandbox: rules,
            limits: around.limits,
        };
        let _directory = directory;
        Ok(Launch { program, own_threads, has_sideband, nonce, socket, confinement, _directory })
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

    /// Whether the program speaks the sideband protocol.
    pub fn has_sideband(&self) -> bool {
        self.has_sideband
    }

    /// Whether there is something that the program may not reach.
    pub fn is_confined(&self) -> bool {
        self.program.sandbox.is_some()
    }

    /// Who knows what was denied to the program; `None` where nothing is.
    pub fn explainer(&self) -> Option<Explainer> {
        let (rules, confinement) = (self.program.sandbox.clone()?, self.confinement.clone()?);
        Some(Explainer { confinement, rules })
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
    let lock = pty::create_private_file(&unnamed)?;
    pty::lock_file(&lock, Lock::Exclusive)?;
    std::fs::rename(unnamed, directory.join(LOCK))?;
    Ok(lock)
}

/// Removes the directories of servers of this user that were killed: those whose lock nobody holds.
/// What others laid there is neither followed nor waited for.
fn remove_stale(place: &Path) {
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let is_named =
            entry.file_name().to_str().is_some_and(|name| name.starts_with(DIRECTORY_PREFIX));
        if is_named
            && pty::is_own_directory(&entry.path())
            && let Ok(lock) = pty::open_own_file(&entry.path().join(LOCK))
            && pty::try_lock_file(&lock, Lock::Exclusive).is_ok()
            // Another may have put its own in the place of one that was opened before.
            && pty::is_file_at(&lock, &entry.path().join(LOCK)).unwrap_or(false)
        {
            let _ = remove_lock_last(&entry.path());
        }
    }
}

/// Removes a directory; its lock only when all else is gone, so that what can't be removed now is
/// found by the next sweep.
fn remove_lock_last(directory: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != LOCK {
            std::fs::remove_file(entry.path())?;
        }
    }
    std::fs::remove_dir_all(directory)
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
                session.launch(&program, Paging::Through, &Surroundings::default()).unwrap();
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

    /// What a server that was killed leaves: a lock that nobody holds.
    fn leave(directory: &Path) {
        std::fs::create_dir(directory).unwrap();
        drop(pty::create_private_file(&directory.join(LOCK)).unwrap());
        std::fs::create_dir(directory.join("1")).unwrap();
    }

    #[test]
    fn what_others_laid_neither_keeps_the_sweep_nor_is_it_removed() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(format!("{DIRECTORY_PREFIX}{name}"));
        let elsewhere = tempfile::tempdir().unwrap();
        leave(&elsewhere.path().join("left"));
        pty::testing::link(&elsewhere.path().join("left"), &at("0-link")).unwrap();
        let has_fifos = pty::testing::make_fifo(&at("0-fifo"));
        std::fs::create_dir(at("0-trap")).unwrap();
        pty::testing::make_fifo(&at("0-trap").join(LOCK));
        std::fs::create_dir(at("0-linked-lock")).unwrap();
        let lock = elsewhere.path().join("left").join(LOCK);
        pty::testing::link(&lock, &at("0-linked-lock").join(LOCK)).unwrap();
        for number in 0..20 {
            leave(&at(&format!("{number}-left")));
        }
        let (tell, told) = std::sync::mpsc::channel();
        let swept = place.path().to_owned();
        std::thread::spawn(move || {
            remove_stale(&swept);
            tell.send(())
        });
        told.recv_timeout(std::time::Duration::from_secs(60)).expect("the sweep ends");
        let mut left: Vec<_> = std::fs::read_dir(place.path()).unwrap().flatten().collect();
        left.sort_by_key(std::fs::DirEntry::file_name);
        let left: Vec<_> = left.iter().map(std::fs::DirEntry::path).collect();
        let mut stay = vec!["0-link", "0-linked-lock", "0-trap"];
        if has_fifos {
            stay.insert(0, "0-fifo");
        }
        assert_eq!(left, stay.into_iter().map(at).collect::<Vec<_>>());
        assert!(elsewhere.path().join("left").join("1").exists());
    }

    #[test]
    fn the_extension_is_written_again_whatever_became_of_its_file() {
        let runtime = RuntimeDirectory::new().unwrap();
        let mut session = runtime.session().unwrap();
        let program = WorkerProgram::python("python3".into(), Default::default());
        let mut launch =
            || session.launch(&program, Paging::Through, &Surroundings::default()).unwrap();
        drop(launch());
        let file = runtime.root().extension().unwrap();
        let whole = std::fs::read(&file).unwrap();
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        let damages: [&dyn Fn(); 6] = [
            &|| {},
            &|| std::fs::write(&file, &whole[1..]).unwrap(),
            &|| std::fs::write(&file, vec![0; whole.len()]).unwrap(),
            &|| {
                if !pty::testing::make_fifo(&file) {
                    std::fs::write(&file, "").unwrap();
                }
            },
            &|| pty::testing::link(elsewhere.path(), &file).unwrap(),
            &|| std::fs::create_dir_all(file.join("below")).unwrap(),
        ];
        for damage in damages {
            std::fs::remove_file(&file).unwrap();
            damage();
            drop(launch());
            assert!(pty::open_own_file(&file).is_ok());
            assert!(std::fs::read(&file).unwrap() == whole);
        }
        assert_eq!(elsewhere.as_file().metadata().unwrap().len(), 0);
    }

    #[test]
    fn a_directory_that_somebody_put_in_our_place_is_left() {
        let runtime = RuntimeDirectory::new().unwrap();
        let mut session = runtime.session().unwrap();
        let (before, elsewhere) = (runtime.path(), tempfile::tempdir().unwrap());
        std::fs::remove_dir_all(&before).unwrap();
        pty::testing::link(elsewhere.path(), &before).unwrap();
        let program = WorkerProgram::custom("true".into(), Vec::new());
        assert!(session.launch(&program, Paging::Through, &Surroundings::default()).is_err());
        let mut session = runtime.session().unwrap();
        assert_ne!(runtime.path(), before);
        session.launch(&program, Paging::Through, &Surroundings::default()).unwrap();
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        std::fs::remove_file(before).unwrap();
    }
}
