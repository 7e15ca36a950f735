//! What is run as the worker, described as data.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    layout::ignores_environment,
    python::{Choice, ChooseError, PythonSearch},
};

/// The environment variable that names the extension's file to [`BOOTSTRAP`].
const EXTENSION_VARIABLE: &str = "MCP_REPL_EXTENSION";

/// The environment variable that names the inherited descriptor of the terminal's master side
/// to [`BOOTSTRAP`]; not there where terminals have none. While the worker holds that, the kernel
/// does not hang up when the server is gone, and the worker ends its session in order.
const MASTER_VARIABLE: &str = "MCP_REPL_MASTER";

/// The environment variable that names the file whose parts the cells are to [`BOOTSTRAP`].
const SCRIPT_VARIABLE: &str = "MCP_REPL_SCRIPT";

/// Loads the extension and hands Python over to it. Runs under any Python, so that an old one
/// can be told apart from a broken one. The variables above are for it alone and gone from
/// the environment when it ends.
///
/// A Python that was told to go on to its prompt, by [`GO_ON`], would do so as well when this fails.
const BOOTSTRAP: &str = "\
import sys
e = __import__('os').environ
def f(m):
    sys.stderr.write(m % sys.executable + '\\n')
    sys.stderr.flush()
    __import__('os')._exit(1)
if sys.version_info < (3, 9) or sys.implementation.name != 'cpython':
    f('mcp-repl needs CPython 3.9 or newer, but %s is ' + sys.version.split()[0])
if 't' in getattr(sys, 'abiflags', ''):
    f('mcp-repl needs a Python with the GIL, but %s is a free-threaded build')
if sys.flags.ignore_environment and not sys.flags.inspect:
    f('mcp-repl needs a Python that heeds PYTHONINSPECT, but %s was started with -E or -I')
try:
    m = __import__('_imp').create_dynamic(__import__('_frozen_importlib').ModuleSpec(
        '_mcp_repl', None, origin=e.pop('MCP_REPL_EXTENSION')))
    __import__('_imp').exec_dynamic(m)
    m.boot(globals(), int(e.pop('MCP_REPL_MASTER', '-1')), e.pop('MCP_REPL_SCRIPT', None))
except BaseException:
    if not sys.flags.inspect:
        raise
    sys.excepthook(*sys.exc_info())
    __import__('os')._exit(1)
";

/// Makes a Python go on to its prompt behind `-c` that takes no word for it from its environment.
const GO_ON: &str = "-i";

/// A worker's program, and what has to be known of it to run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerProgram {
    /// Its file; looked up on `PATH` when it has no slash.
    pub file: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// How many threads it has by itself: more, or children, may read the terminal in the
    /// background. 0 for one that is no worker, all of whose threads are the program's.
    pub own_threads: u64,
    /// Whether it speaks the sideband protocol, as a worker does.
    pub has_sideband: bool,
    /// The name of the variable by which it is told the file of the extension, if it loads that.
    pub extension_variable: Option<&'static str>,
    /// The name of the variable by which it is told the number of a descriptor of the terminal's
    /// master side, if it wants one.
    pub master_variable: Option<&'static str>,
    /// Variables of its environment beyond those every worker has; `None` to leave one out.
    pub environment: Vec<(&'static str, Option<OsString>)>,
}

/// What a session that runs a script tells the script of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// The file, if it is one: `__file__`, and what tracebacks name.
    pub file: Option<PathBuf>,
    /// `sys.argv`, the name as it was given first; empty for that of a prompt.
    pub arguments: Vec<OsString>,
}

impl WorkerProgram {
    /// A Python interpreter, with the extension, whose cells are this script's.
    pub fn python(file: PathBuf, script: Script) -> WorkerProgram {
        let mut arguments: Vec<OsString> = Vec::new();
        if ignores_environment(&file) {
            arguments.push(GO_ON.into());
        }
        arguments.extend(["-c".into(), BOOTSTRAP.into()]);
        arguments.extend(script.arguments);
        WorkerProgram {
            file,
            arguments,
            environment: vec![(SCRIPT_VARIABLE, script.file.map(PathBuf::into_os_string))],
            // The main one, and the one that reads the sideband.
            own_threads: 2,
            has_sideband: true,
            extension_variable: Some(EXTENSION_VARIABLE),
            master_variable: Some(MASTER_VARIABLE),
        }
    }

    /// A program that speaks the sideband protocol itself.
    pub fn custom(file: PathBuf, arguments: Vec<OsString>) -> WorkerProgram {
        WorkerProgram {
            file,
            arguments,
            own_threads: 1,
            has_sideband: true,
            extension_variable: None,
            master_variable: None,
            environment: Vec::new(),
        }
    }

    /// Any program, in place of a worker.
    pub fn plain(file: PathBuf, arguments: Vec<OsString>) -> WorkerProgram {
        let (own_threads, has_sideband) = (0, false);
        WorkerProgram { own_threads, has_sideband, ..WorkerProgram::custom(file, arguments) }
    }
}

/// What to run, before it is looked for.
#[derive(Debug, Clone)]
pub enum Target {
    /// A Python, chosen anew for every session: one that was just made is found.
    Python(PythonSearch),
    /// The same, for the cells of a script.
    Script(PythonSearch, Script),
    /// A program that speaks the sideband protocol itself, with its arguments.
    Custom(PathBuf, Vec<OsString>),
    /// Any program, with its arguments, that runs on the terminal in place of a worker.
    Program(PathBuf, Vec<OsString>),
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
    /// The Python, among others that may be taken in its place.
    choice: Option<Choice>,
    script: Script,
}

impl Resolved {
    /// The program's file, and those that may be taken in its place.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let others = self.choice.iter().flat_map(Choice::others);
        std::iter::once(&*self.program.file).chain(others)
    }

    /// The next best program, for one that does not run, and why. `None` when there is no other, or
    /// this one was asked for by name.
    pub fn next(self, why: &str) -> Option<Resolved> {
        let script = self.script;
        self.choice?.next(why).map(|choice| Resolved::python(choice, script))
    }

    /// One that this option names.
    fn named(program: WorkerProgram, option: &str) -> Resolved {
        Resolved {
            program,
            reason: option.to_owned(),
            passed_over: Vec::new(),
            choice: None,
            script: Script::default(),
        }
    }

    fn python(mut choice: Choice, script: Script) -> Resolved {
        Resolved {
            program: WorkerProgram::python(choice.file.clone(), script.clone()),
            reason: choice.source.to_string(),
            passed_over: std::mem::take(&mut choice.passed_over),
            choice: Some(choice),
            script,
        }
    }
}

impl Target {
    /// What is chosen, in words that are equal when the choice is, whatever was said to choose it:
    /// another connection that means the same session finds it by them.
    pub fn identity(&self) -> String {
        match self {
            Target::Python(search) | Target::Script(search, _) => match search.choose() {
                Ok(Choice { file, .. }) => {
                    let file = std::path::absolute(&file).unwrap_or(file);
                    format!("python {}", file.display())
                }
                Err(why) => format!("python: {why}"),
            },
            Target::Custom(file, arguments) => format!("worker {}", joined(file, arguments)),
            Target::Program(file, arguments) => format!("program {}", joined(file, arguments)),
        }
    }

    /// Looks for the program.
    ///
    /// # Errors
    /// When there is none.
    pub fn resolve(&self) -> Result<Resolved, ChooseError> {
        Ok(match self {
            Target::Python(search) => Resolved::python(search.choose()?, Script::default()),
            Target::Script(search, script) => Resolved::python(search.choose()?, script.clone()),
            Target::Custom(file, arguments) => {
                Resolved::named(WorkerProgram::custom(file.clone(), arguments.clone()), "--worker")
            }
            Target::Program(file, arguments) => {
                Resolved::named(WorkerProgram::plain(file.clone(), arguments.clone()), "--run")
            }
        })
    }
}

/// A command as a shell would be given it.
fn joined(file: &Path, arguments: &[OsString]) -> String {
    let words = [file.as_os_str()].into_iter().chain(arguments.iter().map(|a| &**a));
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    shell_words::join(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_is_that_of_the_choice() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("python3");
        std::fs::write(&file, "").unwrap();
        crate::pty::testing::make_executable(&file).unwrap();
        let path = vec![root.path().to_owned()];
        let identity = |option: Option<&str>, virtual_env: Option<&str>| {
            Target::Python(PythonSearch {
                option: option.map(PathBuf::from),
                virtual_env: virtual_env.map(PathBuf::from),
                path: path.clone(),
                ..PythonSearch::default()
            })
            .identity()
        };
        let chosen = identity(None, None);
        assert_eq!(chosen, format!("python {}", file.display()));
        assert_eq!(identity(Some("python3"), None), chosen);
        assert_eq!(identity(file.to_str(), Some("/nowhere")), chosen);
        assert_ne!(identity(Some("/nowhere/python"), None), chosen);
        let custom = |arguments: &[&str]| {
            Target::Custom("w".into(), arguments.iter().map(OsString::from).collect()).identity()
        };
        assert_eq!(custom(&["a b"]), "worker w 'a b'");
        assert_ne!(custom(&["a b"]), custom(&["a", "b"]));
        assert_eq!(Target::Program("w".into(), Vec::new()).identity(), "program w");
    }

    #[test]
    fn the_bootstrap_takes_its_variables_out_of_the_environment() {
        for name in [EXTENSION_VARIABLE, MASTER_VARIABLE, SCRIPT_VARIABLE] {
            assert!(BOOTSTRAP.contains(&format!("e.pop('{name}'")), "{name}");
        }
    }
}
