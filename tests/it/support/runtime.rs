//! A run-time directory of the test's own, with the hosts and workers that belong to it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::mpsc,
    time::Instant,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    BINARY, Builder, HANG, Pid, Server,
    builder::{use_temporary, without_settings},
    gone, kill,
};

/// The variable that names the run-time directory; hosts, workers and their children inherit it,
/// so it also tells whose a process is.
pub(super) const RUNTIME: &str = "MCP_REPL_RUNTIME_DIR";

/// The directory for temporary files, beside a run-time directory.
const TEMPORARY: &str = "tmp";

/// Has a command run for this run-time directory, and write what lives as long as that beside it.
pub(super) fn lend(run: &Path, command: &mut Command) {
    use_runtime(run, command);
    use_temporary(&run.with_file_name(TEMPORARY), command);
}

/// Has a command run for this run-time directory.
pub(super) fn use_runtime(run: &Path, command: &mut Command) {
    command.env(RUNTIME, run).env_remove("MCP_REPL_GRACE");
}

/// A run-time directory, and one for temporary files, which sessions have as long as they live. What
/// runs for it is killed when the test is done.
pub(crate) struct Runtime {
    root: TempDir,
    run: PathBuf,
}

/// A process that runs for a run-time directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    /// Its command line, as far as it helps to find out what is left.
    pub(crate) command: String,
}

impl Runtime {
    /// A new one, in which no session is.
    pub(crate) fn new() -> Runtime {
        let root = short_directory();
        let run = root.path().join("run");
        fs::create_dir(run.with_file_name(TEMPORARY)).unwrap();
        Runtime { root, run }
    }

    /// The directory itself, which the first host or client makes.
    pub(crate) fn path(&self) -> &Path {
        &self.run
    }

    /// Lets other users get to the directory.
    #[cfg(has = "posix")]
    pub(crate) fn open_to_all(&self) {
        for place in [self.root.path(), &self.run] {
            let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(place, all).unwrap();
        }
    }

    /// A server whose sessions are here.
    pub(crate) fn server(&self) -> Builder {
        Builder::new().runtime(self)
    }

    /// An agent in a session `work`.
    #[track_caller]
    pub(crate) fn agent(&self) -> Server {
        self.server().client("agent").args(["--session", "work"]).start()
    }

    /// The binary with these arguments.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.env(RUNTIME, self.path()).env_remove("MCP_REPL_GRACE").args(arguments);
        without_settings(&mut command);
        command
    }

    /// Runs the binary with these arguments to its end.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.stdin(std::process::Stdio::null());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(command.output().unwrap()));
        told.recv_timeout(HANG).unwrap_or_else(|_| panic!("{arguments:?} does not end"))
    }

    /// Runs the binary with these arguments, which succeeds; gives what it printed.
    #[track_caller]
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {}: {stderr}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// What `ls --json` shows, a session an element.
    #[track_caller]
    pub(crate) fn ls(&self) -> Vec<Value> {
        let said = self.says(&["ls", "--json"]);
        match serde_json::from_str(&said) {
            Ok(Value::Array(sessions)) => sessions,
            _ => panic!("no list: {said}"),
        }
    }

    /// The names of the sessions that `ls` shows, in order.
    #[track_caller]
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.ls().iter().map(|session| session["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// The files of sessions that are here, living or stale.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path()).into_iter().flatten().map(|entry| entry.unwrap());
        // A hidden one is no session's.
        let entries =
            entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    /// The host of a session, by its entry.
    #[track_caller]
    pub(crate) fn host(&self, name: &str) -> Pid {
        let entry = fs::read(self.path().join(format!("{name}.session"))).unwrap();
        let entry: Value = serde_json::from_slice(&entry).unwrap();
        Pid::from_raw(entry["host_pid"].as_i64().unwrap().try_into().unwrap()).unwrap()
    }

    /// The processes that run for this directory: servers, hosts, their guards, workers and children
    /// that kept their environment. Those that have ended and only wait to be collected are none.
    #[cfg(has = "proc")]
    pub(crate) fn processes(&self) -> Vec<Process> {
        let mark = [RUNTIME.as_bytes(), b"=", self.path().as_os_str().as_encoded_bytes()].concat();
        let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
        let found = all.filter_map(|entry| {
            let place = entry.ok()?.path();
            let pid = Pid::from_raw(place.file_name()?.to_str()?.parse().ok()?)?;
            let environment = fs::read(place.join("environ")).ok()?;
            if !environment.split(|&byte| byte == 0).any(|variable| variable == mark) {
                return None;
            }
            let command = fs::read(place.join("cmdline")).ok()?;
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            Some(Process { pid, command: command.chars().take(200).collect() })
        });
        found.collect()
    }

    /// The hosts that are listed: nothing tells who else runs for this directory.
    #[cfg(not(has = "proc"))]
    pub(crate) fn processes(&self) -> Vec<Process> {
        let hosts = self.files().into_iter().filter_map(|file| {
            let entry: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
            let number: u32 = entry["host_pid"].as_u64()?.try_into().ok()?;
            mcp_repl::pty::process_identity(number)?;
            Some(Process { pid: Pid::from_raw(number.cast_signed())?, command: "a host".into() })
        });
        hosts.collect()
    }

    /// Waits until nothing runs for this directory any more.
    #[track_caller]
    pub(crate) fn wait_until_empty(&self) {
        let end = Instant::now() + HANG;
        loop {
            let left = self.processes();
            let Some(first) = left.first() else { return };
            assert!(Instant::now() < end && gone(first.pid), "they are still there: {left:?}");
        }
    }

    /// Fails if a session, or a file of one, is here after `ls` has cleaned up.
    #[track_caller]
    pub(crate) fn has_nothing(&self) {
        assert_eq!(self.names(), Vec::<String>::new());
        assert_eq!(self.files(), Vec::<PathBuf>::new());
    }

    /// Kills what runs for this directory.
    pub(crate) fn kill_all(&self) {
        let end = Instant::now() + HANG;
        // A process that is about to start another may be faster than one look.
        loop {
            let left = self.processes();
            for process in &left {
                kill(process.pid);
            }
            if left.is_empty() || Instant::now() > end {
                return;
            }
            left.iter().for_each(|process| _ = gone(process.pid));
        }
    }
}

/// A new directory whose path is short, as those of sockets are.
pub(super) fn short_directory() -> TempDir {
    if cfg!(has = "posix") { tempfile::tempdir_in("/tmp") } else { tempfile::tempdir() }.unwrap()
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.kill_all();
    }
}
