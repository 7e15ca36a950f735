//! Real input: a session of a data scientist through the official Python MCP SDK
//! (`tests/sdk/session.py`), in a virtual environment that is made once.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{BINARY, python};

const REQUIREMENTS: &str = include_str!("../sdk/requirements.txt");

/// The Pythons that the pinned packages have wheels for, the usual ones first.
const FITTING: [&str; 4] = ["3.11", "3.12", "3.13", "3.14"];

#[test]
fn a_data_scientist_works_through_the_official_sdk() {
    let directory = environment();
    let session = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/session.py");
    let mut command = Command::new(directory.join(".venv/bin/python"));
    command.arg(session).arg(BINARY).arg(&directory);
    for name in ["MCP_REPL_PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{error}");
    assert!(told.contains(" calls over protocol 20"), "{told}");
}

/// A directory with a `.venv` that has the requirements installed. Kept between runs.
fn environment() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk");
    fs::create_dir_all(&directory).unwrap();
    // Another run may be at it.
    let lock = File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let installed = directory.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == REQUIREMENTS) {
        return directory;
    }
    let base = FITTING
        .into_iter()
        .find_map(python::find)
        .unwrap_or_else(|| panic!("the session of the SDK needs a Python of {FITTING:?}"));
    let place = directory.join(".venv");
    run(Command::new(base).args(["-m", "venv", "--clear"]).arg(&place));
    let requirements = directory.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).unwrap();
    run(Command::new(place.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--no-input", "--only-binary", ":all:", "--requirement"])
        .arg(&requirements));
    fs::write(installed, REQUIREMENTS).unwrap();
    directory
}

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{told}");
}
