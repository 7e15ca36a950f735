//! Real input: a session of a data scientist through the official Python MCP SDK
//! (`tests/sdk/session.py`), in a virtual environment that is made once.

use std::{path::Path, process::Command};

use crate::support::{BINARY, CHOOSERS, packages::environment, python};

const REQUIREMENTS: &str = include_str!("../sdk/requirements.txt");

/// The Pythons that the pinned packages have wheels for, the usual ones first.
const FITTING: [&str; 4] = ["3.11", "3.12", "3.13", "3.14"];

#[test]
fn a_data_scientist_works_through_the_official_sdk() {
    let base = FITTING
        .into_iter()
        .find_map(python::find)
        .unwrap_or_else(|| panic!("the session of the SDK needs a Python of {FITTING:?}"));
    let python = environment("sdk", &base, REQUIREMENTS);
    // The server finds the `.venv` in its directory.
    let directory = python.ancestors().nth(3).unwrap();
    let session = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/session.py");
    let mut command = Command::new(&python);
    command.arg(session).arg(BINARY).arg(directory);
    for name in CHOOSERS {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{error}");
    assert!(told.contains(" calls over protocol 20"), "{told}");
}
