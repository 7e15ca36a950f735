//! The Pythons of the machine.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::{Builder, Server};

/// Says which versions the machine has to have, separated by commas, or `installed` for those
/// it has. Without it: all.
const EXPECTED: &str = "MCP_REPL_TEST_PYTHONS";

/// Names the interpreter that tests use; without it, the first one of these on PATH.
const CHOSEN: &str = "MCP_REPL_TEST_PYTHON";
const USUAL: [&[&str]; 3] = [&["python3"], &["python"], &["py", "-3"]];

/// The versions of Python that sessions run.
const VERSIONS: [&str; 5] = ["3.9", "3.10", "3.11", "3.12", "3.13"];

/// The interpreter that was chosen, or that `python3` runs: the file itself, not a script in front of it.
pub(crate) fn default() -> PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    let usual = || USUAL.into_iter().find_map(executable);
    FILE.get_or_init(|| chosen().or_else(usual).expect("python3 is on PATH")).clone()
}

fn chosen() -> Option<PathBuf> {
    std::env::var_os(CHOSEN).map(PathBuf::from)
}

/// Whether this version (`3.12`) is to be tested here.
pub(crate) fn is_expected(version: &str) -> bool {
    match std::env::var(EXPECTED) {
        Ok(expected) if expected == "installed" => find(version).is_some(),
        Ok(expected) => expected.split(',').any(|one| one.trim() == version),
        Err(_) => true,
    }
}

/// The versions that sessions run and that are to be tested here.
pub(crate) fn versions() -> impl Iterator<Item = &'static str> {
    VERSIONS.into_iter().filter(|version| is_expected(version))
}

/// Runs a test in a session of each version, and says which one failed.
pub(crate) fn on_every_python(test: impl Fn(&Server)) {
    for version in versions() {
        eprintln!("with Python {version}:");
        test(&Builder::new().python(of_version(version)).start());
    }
}

/// The CPython of this version (`3.12`).
#[track_caller]
pub(crate) fn of_version(version: &str) -> PathBuf {
    find(version).unwrap_or_else(|| {
        panic!(
            "there is no Python {version} among pyenv's or on PATH; {EXPECTED} may name the \
             versions to expect, as in {EXPECTED}=3.11,3.12"
        )
    })
}

/// The newest Python of this version, if the machine has one.
pub(crate) fn find(version: &str) -> Option<PathBuf> {
    let is_it = |file: &PathBuf| says_version(file).is_some_and(|said| said == version);
    chosen()
        .filter(is_it)
        .or_else(|| of_pyenv(version))
        .or_else(|| executable(&[&format!("python{version}")]))
        .or_else(|| executable(&["py", &format!("-{version}")]))
        .or_else(|| Some(default()).filter(is_it))
}

fn says_version(python: &Path) -> Option<String> {
    let say = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new(python).args(["-c", say]).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn of_pyenv(version: &str) -> Option<PathBuf> {
    let output = Command::new("pyenv").arg("root").output().ok()?;
    let root = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let prefix = format!("{version}.");
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(root.join("versions"))
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let patch = entry.file_name().to_str()?.strip_prefix(&prefix)?.parse().ok()?;
            Some((patch, entry.path().join("bin/python")))
        })
        .filter(|(_, file)| file.exists())
        .collect();
    found.sort();
    found.pop().map(|(_, file)| file)
}

/// What a Python says its file is, that is called so.
fn executable(words: &[&str]) -> Option<PathBuf> {
    let (program, arguments) = words.split_first()?;
    let say = ["-c", "import sys; print(sys.executable)"];
    let output = Command::new(program).args(arguments).args(say).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let file = PathBuf::from(said.trim());
    (output.status.success() && file.is_absolute()).then_some(file)
}
