//! What children of the session inherit: `python`, `pip` and the rest are the session's.
#![cfg(has = "posix")]

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Builder, Server, on_every_python, python};

/// A virtual environment here, without pip.
fn environment(place: &Path) -> PathBuf {
    let place = place.canonicalize().unwrap().join("environment");
    let mut command = Command::new(python::default());
    let made = command.args(["-m", "venv", "--without-pip"]).arg(&place).status().unwrap();
    assert!(made.success());
    place
}

/// A child finds this interpreter by the name `python`.
#[track_caller]
fn children_run(repl: &Server, file: &Path) {
    let cell = "import subprocess\n\
        print(subprocess.check_output(['python', '-c', 'import sys; print(sys.executable)'], text=True))";
    repl.gives_part(cell, &format!("{}\n", file.display()));
    repl.gives_part(
        "subprocess.run('command -v python', shell=True).returncode",
        &format!("{}\n", file.display()),
    );
}

#[test]
fn python_is_that_of_the_virtual_environment() {
    let root = tempfile::tempdir().unwrap();
    let place = environment(root.path());
    // Not activated, as clients start the server.
    let repl = Builder::new().python(place.join("bin/python")).start();
    children_run(&repl, &place.join("bin/python"));
    let expected = format!("{}\n", place.display());
    repl.gives("import os\nprint(os.environ['VIRTUAL_ENV'])", &expected);
}

#[test]
fn that_of_another_environment_is_not_the_sessions() {
    let root = tempfile::tempdir().unwrap();
    let place = environment(root.path());
    let repl = Builder::new().env("VIRTUAL_ENV", place).start();
    repl.gives("import os\nprint('VIRTUAL_ENV' in os.environ)", "False\n");
}

#[test]
fn the_directory_is_that_of_the_interpreter_and_not_of_what_starts_it() {
    let root = tempfile::tempdir().unwrap();
    let place = environment(root.path());
    // A wrapper, as pyenv's shims are.
    let shim = root.path().join("python");
    let code = format!("#!/bin/sh\nexec {} \"$@\"\n", place.join("bin/python").display());
    std::fs::write(&shim, code).unwrap();
    std::fs::set_permissions(&shim, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    children_run(&Builder::new().python(&shim).start(), &place.join("bin/python"));
    // A link into the environment makes an interpreter outside of it, with its own directory.
    let link = root.path().canonicalize().unwrap().join("links/python");
    std::fs::create_dir(link.parent().unwrap()).unwrap();
    symlink(place.join("bin/python"), &link).unwrap();
    let repl = Builder::new().python(&link).start();
    let first = "import os, sys\nprint(os.environ['PATH'].split(':')[0] == os.path.dirname(sys.executable))";
    repl.gives(first, "True\n");
}

#[test]
fn the_interpreters_directory_comes_first_and_the_systems_are_there() {
    on_every_python(|repl| {
        repl.gives(
            "import os, sys\nos.environ['PATH'].split(':')[0] == os.path.dirname(sys.executable)",
            "True\n",
        );
    });
    let repl = Builder::new().env_remove("PATH").start();
    repl.gives("import os\nos.system('ls / > /dev/null')", "0\n");
}
