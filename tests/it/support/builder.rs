//! How a server is to be started.

use std::{
    ffi::OsString,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use super::{
    Pid, Runtime, Server, process, python, quoted,
    runtime::{lend, use_runtime},
};

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_mcp-repl");

/// Variables that would choose a Python.
pub(crate) const CHOOSERS: [&str; 3] = ["MCP_REPL_PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX"];

/// A variable of the build, which cargo hands on to tests.
const OF_THE_BUILD: &str = "MCP_REPL_EXTENSION_FILE";

/// Set to have the sessions of all servers in hosts.
const ALL_HOSTED: &str = "MCP_REPL_TEST_HOSTED";

/// The variables that name the directory for temporary files.
#[cfg(has = "posix")]
const TEMPORARY: &[&str] = &["TMPDIR"];
#[cfg(not(has = "posix"))]
const TEMPORARY: &[&str] = &["TMP", "TEMP"];

/// Has a command write its temporary files to this directory.
pub(super) fn use_temporary(directory: &Path, command: &mut Command) {
    for name in TEMPORARY {
        command.env(name, directory);
    }
}

/// Has a command find no settings file of the machine's user. Other programs may write theirs there.
pub(super) fn without_settings(command: &mut Command) {
    command.env("XDG_CONFIG_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/settings"));
}

/// Set to have the sessions of all servers in a sandbox, but for those whose test says another.
const ALL_SANDBOXED: &str = "MCP_REPL_TEST_SANDBOXED";

/// Where the sessions of a server are.
enum Place {
    /// In its own process, unless all tests are run with hosts.
    Usual,
    /// In hosts of a run-time directory that the test shares, by its path.
    Shared(PathBuf),
    /// In hosts of a run-time directory of its own.
    Hosted,
}

/// A command line of the binary and the conditions it is started in.
pub(crate) struct Builder {
    python: Option<PathBuf>,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, Option<OsString>)>,
    clear_environment: bool,
    directory: Option<PathBuf>,
    conditions: Vec<String>,
    place: Place,
    client: String,
    #[cfg(has = "proc")]
    under_another: bool,
}

impl Builder {
    /// The binary with the default Python of the machine, in an empty directory.
    pub(crate) fn new() -> Builder {
        Builder {
            python: Some(python::default()),
            arguments: Vec::new(),
            environment: Vec::new(),
            clear_environment: false,
            directory: None,
            conditions: Vec::new(),
            place: Place::Usual,
            client: "test".to_owned(),
            #[cfg(has = "proc")]
            under_another: false,
        }
    }

    /// With its sessions in hosts, which are killed when the server is dropped.
    pub(crate) fn hosted(mut self) -> Builder {
        self.place = Place::Hosted;
        self
    }

    /// With its sessions in hosts of this directory.
    pub(crate) fn runtime(mut self, runtime: &Runtime) -> Builder {
        self.place = Place::Shared(runtime.path().to_owned());
        self
    }

    /// Spoken to by a client of this name.
    pub(crate) fn client(mut self, name: &str) -> Builder {
        self.client = name.to_owned();
        self
    }

    /// As the child of another process than the test, which only waits for its end.
    #[cfg(has = "proc")]
    pub(crate) fn under_another(mut self) -> Builder {
        self.under_another = true;
        self.condition("if os.fork(): os.wait(); os._exit(0)")
    }

    /// With this Python, named by `--python`.
    pub(crate) fn python(mut self, file: impl Into<PathBuf>) -> Builder {
        self.python = Some(file.into());
        self
    }

    /// With the Python that the binary chooses.
    pub(crate) fn any_python(mut self) -> Builder {
        self.python = None;
        self
    }

    /// With the program of this command line as the worker, in place of Python.
    pub(crate) fn worker<W: AsRef<str>>(self, words: impl IntoIterator<Item = W>) -> Builder {
        self.any_python().arg("--worker").arg(shell_words::join(words))
    }

    /// With one more argument.
    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Builder {
        self.arguments.push(argument.into());
        self
    }

    /// With more arguments.
    pub(crate) fn args<A: Into<OsString>>(mut self, more: impl IntoIterator<Item = A>) -> Builder {
        self.arguments.extend(more.into_iter().map(Into::into));
        self
    }

    /// With this variable in the environment.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Builder {
        self.environment.push((name.into(), Some(value.into())));
        self
    }

    /// With this directory for temporary files.
    pub(crate) fn temporary(self, directory: &Path) -> Builder {
        TEMPORARY.iter().fold(self, |builder, name| builder.env(name, directory))
    }

    /// Without this variable in the environment.
    pub(crate) fn env_remove(mut self, name: &str) -> Builder {
        self.environment.push((name.into(), None));
        self
    }

    /// With nothing in the environment.
    pub(crate) fn env_clear(mut self) -> Builder {
        self.clear_environment = true;
        self
    }

    /// In this directory.
    pub(crate) fn directory(mut self, directory: impl Into<PathBuf>) -> Builder {
        self.directory = Some(directory.into());
        self
    }

    /// In the conditions that these Python statements make before the binary is executed
    /// (`os`, `signal` and `resource` are imported).
    #[cfg(has = "posix")]
    pub(crate) fn condition(mut self, statements: &str) -> Builder {
        self.conditions.push(statements.to_owned());
        self
    }

    /// Without the sandbox that all tests are run in, too, for a reason that lies in what it denies by design. How
    /// many there are is counted by `sandboxed::the_whole_suite_is_run_in_a_sandbox`.
    pub(crate) fn unconfined(self, why: &'static str) -> Builder {
        assert!(!why.is_empty(), "no reason");
        self.args(["--sandbox", "off"])
    }

    /// The command, and the directory to be kept while it runs.
    pub(crate) fn command(self) -> (Command, TempDir) {
        let own = tempfile::tempdir().unwrap();
        let mut command =
            if self.conditions.is_empty() { Command::new(BINARY) } else { self.launcher() };
        command.args(&self.arguments);
        if let Some(python) = &self.python {
            command.arg("--python").arg(python);
        }
        if self.clear_environment {
            command.env_clear();
        }
        if !self.clear_environment {
            // Nothing outside the test can remove what the server keeps there.
            let temporary = own.path().join("tmp");
            std::fs::create_dir(&temporary).unwrap();
            use_temporary(&temporary, &mut command);
        }
        for name in CHOOSERS.into_iter().chain([OF_THE_BUILD]) {
            command.env_remove(name);
        }
        // A home of the test's has files of the test's.
        if self.environment.iter().any(|(name, _)| name == "HOME") {
            command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_STATE_HOME");
        } else {
            without_settings(&mut command);
        }
        match &self.place {
            Place::Usual => drop(command.env("MCP_REPL_GRACE", "0")),
            Place::Shared(run) => lend(run, &mut command),
            Place::Hosted => {}
        }
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(self.directory.as_deref().unwrap_or(own.path()));
        (command, own)
    }

    /// Runs the binary to its end, with this as standard input.
    #[track_caller]
    pub(crate) fn output(self, stdin: &str) -> Output {
        let (mut command, _directory) = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that never reads it has closed it.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// A Python that makes the conditions and then becomes the binary.
    fn launcher(&self) -> Command {
        let mut program = vec![
            "import os, resource, signal, sys".to_owned(),
            // Python ignores it, and what is ignored stays so across exec.
            "signal.signal(signal.SIGPIPE, signal.SIG_DFL)".to_owned(),
        ];
        program.extend(self.conditions.iter().cloned());
        program.push(format!("os.execv({}, [{0}, *sys.argv[1:]])", quoted(BINARY)));
        let mut command = Command::new(python::default());
        command.args(["-I", "-S", "-c", &program.join("\n")]);
        command
    }

    /// Starts a server and shakes hands with it as a client of 2025-06-18.
    pub(crate) fn start(self) -> Server {
        let client = self.client.clone();
        let server = self.start_silent();
        server.initialize_as(&client, "2025-06-18");
        server
    }

    /// With the sandbox that all tests are run in, or none.
    fn in_usual_sandbox(self) -> Builder {
        if std::env::var_os(ALL_SANDBOXED).is_none() {
            return self.args(["--sandbox", "off"]);
        }
        // Tests speak with sessions over sockets, and lay files into temporary directories.
        let options = ["--sandbox", "workspace-write", "--network", "local", "--add-writable"];
        self.args(options).arg(std::env::temp_dir())
    }

    /// Starts a server and says nothing to it yet.
    pub(crate) fn start_silent(mut self) -> Server {
        let all_hosted = std::env::var_os(ALL_HOSTED).is_some();
        if matches!(self.place, Place::Usual) && all_hosted {
            self.place = Place::Hosted;
        }
        if !self.arguments.iter().any(|argument| argument == "--sandbox") {
            self = self.in_usual_sandbox();
        }
        let own = matches!(self.place, Place::Hosted).then(Runtime::new);
        #[cfg(has = "proc")]
        let under_another = self.under_another;
        let (mut command, directory) = self.command();
        if let Some(runtime) = &own {
            use_runtime(runtime.path(), &mut command);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        #[cfg(has = "proc")]
        let pid = if under_another { process::only_child(pid) } else { pid };
        Server::new(child, pid, directory, own)
    }
}
