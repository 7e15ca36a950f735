//! Hints: what a cell that is not Python was meant to be, where that is sure.
//!
//! A guess is made from the line that the compiler stumbled over, and taken when the cell compiles
//! with what was guessed put right.

use mcp_repl_sideband::Hint;
use pyo3::{
    exceptions::{PyKeyboardInterrupt, PySyntaxError},
    prelude::*,
};

use crate::{
    cell::{Compiler, ONLY_AST},
    report::without_working_directory,
};

/// `PyCF_ALLOW_TOP_LEVEL_AWAIT` (Include/cpython/compile.h).
const ALLOW_TOP_LEVEL_AWAIT: i32 = 0x2000;

/// IPython's magics that agents and people use.
const MAGICS: [&str; 30] = [
    "alias",
    "autoreload",
    "bash",
    "capture",
    "cat",
    "cd",
    "conda",
    "config",
    "debug",
    "env",
    "html",
    "javascript",
    "load_ext",
    "ls",
    "matplotlib",
    "pip",
    "prun",
    "pwd",
    "pylab",
    "reload_ext",
    "reset",
    "run",
    "set_env",
    "sh",
    "system",
    "time",
    "timeit",
    "who",
    "whos",
    "writefile",
];

/// What a cell was meant to be that did not compile, for this reason.
///
/// # Errors
/// KeyboardInterrupt, should it strike here.
pub(crate) fn of(
    compiler: &Compiler,
    source: &str,
    error: &Bound<'_, PyAny>,
) -> PyResult<Option<Hint>> {
    if !error.is_instance_of::<PySyntaxError>() {
        return Ok(None);
    }
    let line = error.getattr("lineno").and_then(|line| line.extract::<usize>()).unwrap_or(0);
    let compiles = |source: &str, flags| compiler.compiles(error.py(), source, flags);
    match guess(source, line) {
        Some((hint, None)) => Ok(Some(hint)),
        Some((hint, Some(meant))) => Ok(compiles(&meant, ONLY_AST)?.then_some(hint)),
        None if source.contains("await") || source.contains("async") => {
            Ok(compiles(source, ALLOW_TOP_LEVEL_AWAIT)?.then_some(Hint::Await))
        }
        None => Ok(None),
    }
}

/// What may have been meant, and the source that has to compile for it.
fn guess(source: &str, line: usize) -> Option<(Hint, Option<String>)> {
    let first = source.lines().find(|line| !line.trim().is_empty())?;
    if first.trim_start().starts_with(">>> ") {
        return Some((Hint::Prompts, Some(without_prompts(source))));
    }
    let indent = &first[..first.len() - first.trim_start().len()];
    if !indent.is_empty() {
        let columns = indent.chars().count();
        return Some((Hint::Indented { columns }, Some(without_indent(source, indent)?)));
    }
    let stumbled = source.lines().nth(line.checked_sub(1)?)?;
    let hint = of_ipython(stumbled)?;
    // What is below the magic of a whole cell need not be Python.
    let is_whole_cell = stumbled.starts_with("%%") && std::ptr::eq(stumbled, first);
    Some((hint, (!is_whole_cell).then(|| without_ipython(source))))
}

/// The lines behind prompts; what they printed is left out.
fn without_prompts(source: &str) -> String {
    let code = |line: &str| {
        let line = line.trim_start();
        let rest = line.strip_prefix(">>>").or_else(|| line.strip_prefix("..."))?;
        Some(format!("{}\n", rest.strip_prefix(' ').unwrap_or(rest)))
    };
    source.lines().filter_map(code).collect()
}

/// The lines without their indent; `None` if one has another.
fn without_indent(source: &str, indent: &str) -> Option<String> {
    let dedented = |line: &str| match line.strip_prefix(indent) {
        Some(rest) => Some(format!("{rest}\n")),
        None => line.trim().is_empty().then(|| "\n".to_owned()),
    };
    source.lines().map(dedented).collect()
}

/// The source with a statement that does nothing in the place of each line of IPython's.
fn without_ipython(source: &str) -> String {
    let plain = |line: &str| match of_ipython(line) {
        Some(_) => format!("{}pass\n", &line[..line.len() - line.trim_start().len()]),
        None => format!("{line}\n"),
    };
    source.lines().map(plain).collect()
}

/// What a line means in IPython that is no Python.
fn of_ipython(line: &str) -> Option<Hint> {
    let line = line.trim();
    if let Some(command) = line.strip_prefix('!') {
        let command = command.trim_start_matches('!').trim();
        let is_command = !command.is_empty() && !command.starts_with('=');
        return is_command.then(|| Hint::Shell { command: command.to_owned() });
    }
    if let Some(magic) = line.strip_prefix('%') {
        let name = magic.trim_start_matches('%').split_whitespace().next()?;
        return MAGICS.contains(&name).then(|| Hint::Magic { name: name.to_owned() });
    }
    let name = line.trim_matches('?');
    let is_name = |part: &str| {
        let starts = part.starts_with(|c: char| c.is_alphabetic() || c == '_');
        starts && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let asks = name.len() < line.len() && name.split('.').all(is_name);
    asks.then(|| Hint::Help { name: name.to_owned(), of_source: line.contains("??") })
}

impl Compiler {
    /// Whether a source compiles with these flags, without a word about it.
    fn compiles(&self, py: Python<'_>, source: &str, flags: i32) -> PyResult<bool> {
        let sys = py.import("sys")?;
        let warnings = without_working_directory(&sys, |py| py.import("warnings"));
        let compiled = warnings.and_then(|warnings| {
            let quiet = warnings.call_method0("catch_warnings")?;
            quiet.call_method0("__enter__")?;
            let compiled = warnings
                .call_method1("simplefilter", ("ignore",))
                .and_then(|_| self.compile_as(py, source, flags));
            quiet.call_method1("__exit__", (py.None(), py.None(), py.None()))?;
            compiled
        });
        match compiled {
            Err(error) if error.is_instance_of::<PyKeyboardInterrupt>(py) => Err(error),
            compiled => Ok(compiled.is_ok()),
        }
    }
}
