//! What is run as the worker, described as data.

use std::{ffi::OsString, path::PathBuf};

use super::python::{Choice, ChooseError, PythonSearch};

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

/// A worker's program, and what has to be known of it to run it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerProgram {
    /// Its file; looked up on `PATH` when it has no slash.
    pub file: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// How many threads it has by itself: more, or children, may read the terminal in the
    /// background.
    pub own_threads: u64,
    /// The name of the variable by which it is told the file of the extension, if it loads that.
    pub extension_variable: Option<&'static str>,
    /// The name of the variable by which it is told the number of a descriptor of the terminal's
    /// master side, if it wants one.
    pub master_variable: Option<&'static str>,
}

impl WorkerProgram {
    /// A Python interpreter, with the extension.
    pub fn python(file: PathBuf) -> WorkerProgram {
        WorkerProgram {
            file,
            arguments: vec!["-c".into(), BOOTSTRAP.into()],
            // The main one, and the one that reads the sideband.
            own_threads: 2,
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
            extension_variable: None,
            master_variable: None,
        }
    }
}

/// What to run, before it is looked for.
#[derive(Debug, Clone)]
pub enum Target {
    /// A Python, chosen anew for every session: one that was just made is found.
    Python(PythonSearch),
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
    /// The Python, among others that may be taken in its place.
    choice: Option<Choice>,
}

impl Resolved {
    /// The next best program, for one that does not run, and why. `None` when there is no other, or
    /// this one was asked for by name.
    pub fn next(self, why: &str) -> Option<Resolved> {
        self.choice?.next(why).map(Resolved::python)
    }

    fn python(mut choice: Choice) -> Resolved {
        Resolved {
            program: WorkerProgram::python(choice.file.clone()),
            reason: choice.source.to_string(),
            passed_over: std::mem::take(&mut choice.passed_over),
            choice: Some(choice),
        }
    }
}

impl Target {
    /// Looks for the program.
    ///
    /// # Errors
    /// When there is none.
    pub fn resolve(&self) -> Result<Resolved, ChooseError> {
        Ok(match self {
            Target::Python(search) => Resolved::python(search.choose()?),
            Target::Custom(file, arguments) => Resolved {
                program: WorkerProgram::custom(file.clone(), arguments.clone()),
                reason: "--worker".into(),
                passed_over: Vec::new(),
                choice: None,
            },
        })
    }
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
}
