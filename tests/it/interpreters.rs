//! Which Python runs, and what is said of one that can't.

#[cfg(has = "posix")]
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{Builder, Server, assert_has, python};

/// A file with these contents that can be executed.
#[cfg(has = "posix")]
fn script(directory: &Path, name: &str, contents: &str) -> PathBuf {
    let file = directory.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, contents).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    file
}

/// The reply is a clear error that has all of `parts`, `doctor` says the same, and the server
/// stays up.
#[track_caller]
fn is_refused(python: &Path, parts: &[&str]) {
    let repl = Builder::new().python(python).start();
    let error = repl.begin("1 + 1").error();
    let doctor = Builder::new().python(python).arg("doctor").output("");
    let report = String::from_utf8(doctor.stdout).unwrap();
    assert_eq!(doctor.status.code(), Some(1), "{report}");
    for part in parts {
        assert_has(&error, part);
        assert_has(&report, part);
    }
    assert!(error.lines().count() <= 12, "a short error:\n{error}");
    for text in [&error, &report] {
        assert!(!text.contains("<string>") && !text.contains("Traceback"), "{text}");
    }
    // Again, and something else.
    repl.begin("1 + 1").error();
    let tools = repl.request("tools/list", &json!({}));
    assert_eq!(tools["result"]["tools"][0]["name"], "repl");
}

#[test]
fn a_python_older_than_3_9() {
    for version in ["3.8", "2.7", "3.7", "3.6"] {
        // Where the machine has none, there is nothing to show.
        let Some(python) = python::find(version) else { continue };
        is_refused(&python, &["needs CPython 3.9 or newer", version]);
    }
}

#[cfg(has = "posix")]
#[test]
fn one_that_is_not_cpython() {
    let directory = tempfile::tempdir().unwrap();
    let disguise = format!(
        "#!{}\nimport sys\nsys.implementation.name = 'pypy'\n\
         sys.argv = ['-c']\nexec(compile({}, '<string>', 'exec'))\n",
        python::default().display(),
        "__import__('os').environ['CODE']"
    );
    // A Python that calls itself PyPy and runs what `-c` gives it.
    let inner = script(directory.path(), "inner", &disguise);
    let wrapper = format!("#!/bin/sh\nCODE=\"$2\" exec {}\n", inner.display());
    let python = script(directory.path(), "pypy", &wrapper);
    is_refused(&python, &["needs CPython 3.9 or newer"]);
}

#[cfg(has = "posix")]
#[test]
fn a_path_that_does_not_exist() {
    is_refused(Path::new("/nowhere/bin/python"), &["/nowhere/bin/python", "does not exist"]);
}

#[test]
fn a_name_that_is_not_on_path() {
    is_refused(Path::new("no-such-python"), &["no-such-python", "not on PATH"]);
}

#[test]
fn a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let named = directory.path().display().to_string();
    is_refused(directory.path(), &[&named, "is a directory"]);
}

#[test]
fn a_file_that_is_not_executable() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("python");
    std::fs::write(&file, "").unwrap();
    is_refused(&file, &["is not executable"]);
}

#[cfg(has = "posix")]
#[test]
fn a_file_that_is_no_program() {
    let directory = tempfile::tempdir().unwrap();
    let file = script(directory.path(), "python", "\0\x01garbage");
    is_refused(&file, &[&*file.to_string_lossy()]);
}

/// A Python that ignores its environment.
#[cfg(has = "posix")]
fn isolated(directory: &Path, name: &str) -> PathBuf {
    let contents = format!("#!/bin/sh\nexec '{}' -E \"$@\"\n", python::default().display());
    script(directory, name, &contents)
}

#[cfg(has = "posix")]
#[test]
fn one_that_ignores_its_environment() {
    let directory = tempfile::tempdir().unwrap();
    is_refused(&isolated(directory.path(), "python"), &["needs a Python that heeds PYTHONINSPECT"]);
}

#[cfg(has = "posix")]
#[test]
fn an_embeddable_one_is_told_by_its_file_to_go_on_to_its_prompt() {
    let directory = tempfile::tempdir().unwrap();
    let python = isolated(directory.path(), "python.exe");
    std::fs::write(directory.path().join("python313._pth"), "").unwrap();
    let repl = Builder::new().python(&python).start();
    repl.gives("import sys\nsys.flags.ignore_environment", "1\n");
    repl.gives_part("1 / 0", "ZeroDivisionError: division by zero\n");
    repl.gives_part("exit(3)", "exit status 3");
    // What fails before that is no prompt.
    let broken = format!(
        "#!/bin/sh\nMCP_REPL_EXTENSION=/nowhere exec '{}' -E \"$@\"\n",
        python::default().display()
    );
    let repl = Builder::new().python(script(directory.path(), "python.exe", &broken)).start();
    assert_has(&repl.begin("1 + 1").error(), "ImportError: /nowhere");
}

#[cfg(has = "posix")]
#[test]
fn a_program_that_ends_at_once() {
    let file = ["/bin/false", "/usr/bin/false"].into_iter().find(|file| Path::new(file).exists());
    is_refused(Path::new(file.unwrap()), &["exit status 1"]);
}

#[cfg(has = "posix")]
#[test]
fn a_script_that_says_why_it_ends() {
    let directory = tempfile::tempdir().unwrap();
    let file = script(directory.path(), "python", "#!/bin/sh\necho 'no licence today'\nexit 9\n");
    is_refused(&file, &["exit status 9", "no licence today"]);
}

#[cfg(has = "posix")]
#[test]
fn a_program_that_is_killed_at_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = script(directory.path(), "python", "#!/bin/sh\nkill -SEGV $$\n");
    is_refused(&file, &["SIGSEGV"]);
}

#[cfg(has = "posix")]
#[test]
fn a_broken_python_that_is_mended_is_taken_by_the_next_call() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("python");
    let repl = Builder::new().python(&file).start();
    assert_has(&repl.begin("1 + 1").error(), "does not exist");
    let wrapper = format!("#!/bin/sh\nexec {} \"$@\"\n", python::default().display());
    script(directory.path(), "python", &wrapper);
    repl.gives_part("1 + 1", "2\n");
}

/// Makes `<place>/bin/python`, a link to the machine's.
#[cfg(has = "posix")]
fn link_python(place: &Path) -> PathBuf {
    let file = place.join("bin/python");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    symlink(python::default(), &file).unwrap();
    file
}

#[track_caller]
fn runs(repl: &Server, file: &Path) {
    let expected = format!("{}\n", file.display());
    repl.gives("import sys\nprint(sys.executable)", &expected);
}

#[cfg(has = "posix")]
#[test]
fn the_option_comes_before_the_variable_and_that_before_what_is_found() {
    let root = tempfile::tempdir().unwrap();
    let place = root.path().canonicalize().unwrap();
    let files = ["o", "v", ".venv", "ve", "c", "p"].map(|name| link_python(&place.join(name)));
    symlink(python::default(), place.join("p/bin/python3")).unwrap();
    let inside = place.join("a/b");
    std::fs::create_dir_all(&inside).unwrap();
    let around = |given: usize| {
        let mut builder =
            Builder::new().any_python().directory(&inside).env("PATH", place.join("p/bin"));
        builder = if given < 1 { builder.python(&files[0]) } else { builder };
        builder = if given < 2 { builder.env("MCP_REPL_PYTHON", &files[1]) } else { builder };
        builder = if given < 4 { builder.env("VIRTUAL_ENV", place.join("ve")) } else { builder };
        if given < 5 { builder.env("CONDA_PREFIX", place.join("c")) } else { builder }
    };
    runs(&around(0).start(), &files[0]);
    runs(&around(1).start(), &files[1]);
    runs(&around(2).start(), &files[2]);
    // Above the home directory, nothing is looked for.
    runs(&around(3).env("HOME", place.join("a")).start(), &files[3]);
    runs(&around(4).env("HOME", place.join("a")).start(), &files[4]);
    runs(&around(5).env("HOME", place.join("a")).start(), &place.join("p/bin/python3"));
    std::fs::remove_file(place.join("p/bin/python3")).unwrap();
    runs(&around(5).env("HOME", place.join("a")).start(), &files[5]);
}

#[test]
fn a_virtual_environment_is_the_sessions() {
    let root = tempfile::tempdir().unwrap();
    let place = root.path().canonicalize().unwrap().join(".venv");
    let made = std::process::Command::new(python::default())
        .args(["-m", "venv", "--without-pip"])
        .arg(&place)
        .status();
    assert!(made.unwrap().success());
    let repl = Builder::new().any_python().directory(root.path()).start();
    repl.gives("import sys\nprint(sys.prefix)", &format!("{}\n", place.display()));
}

#[cfg(has = "posix")]
#[test]
fn a_broken_candidate_is_passed_over_with_a_note() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join(".venv/bin")).unwrap();
    symlink("/nowhere/python", root.path().join(".venv/bin/python")).unwrap();
    let repl = Builder::new().any_python().directory(root.path()).start();
    let reply = repl.repl("6 * 7");
    assert_has(&reply, "[repl] passed over ");
    assert_has(&reply, ".venv/bin/python (from the nearest .venv)");
    assert!(reply.ends_with("42\n"), "{reply}");
    repl.still_works();
}

#[cfg(has = "posix")]
#[test]
fn one_that_ends_at_once_is_passed_over_too() {
    let root = tempfile::tempdir().unwrap();
    let broken = "#!/bin/sh\necho 'no licence today'\nexit 9\n";
    script(root.path(), ".venv/bin/python", broken);
    let garbage = script(root.path(), "ve/bin/python", "\0\x01garbage");
    let start = || {
        let path = root.path().join("p");
        Builder::new()
            .any_python()
            .directory(root.path())
            .env("VIRTUAL_ENV", root.path().join("ve"))
            .env("PATH", format!("{}:/bin:/usr/bin", path.display()))
    };
    std::fs::create_dir(root.path().join("p")).unwrap();
    symlink(python::default(), root.path().join("p/python3")).unwrap();
    let repl = start().start();
    let reply = repl.repl("6 * 7");
    for part in [
        "no licence today\n[repl] passed over ",
        ".venv/bin/python (from the nearest .venv): it ended before it was ready (exit status 9)\n",
        &format!("[repl] passed over {} (from VIRTUAL_ENV): ", garbage.display()),
    ] {
        assert_has(&reply, part);
    }
    assert!(reply.ends_with("42\n"), "{reply}");
    repl.still_works();
    let doctor = start().arg("doctor").output("");
    let report = String::from_utf8(doctor.stdout).unwrap();
    assert_eq!(doctor.status.code(), Some(0), "{report}");
    for part in ["p/python3\n", "exit status 9", "(from VIRTUAL_ENV)"] {
        assert_has(&report, part);
    }
    // One that is asked for is not.
    let repl = start().env("MCP_REPL_PYTHON", &garbage).start();
    assert_has(&repl.begin("6 * 7").error(), &garbage.display().to_string());
}

#[test]
fn without_any_python_the_error_says_what_was_looked_for() {
    let root = tempfile::tempdir().unwrap();
    let repl = Builder::new().any_python().directory(root.path()).env("PATH", root.path()).start();
    let error = repl.begin("1 + 1").error();
    for part in ["no Python was found", ".venv", "VIRTUAL_ENV", "PATH", "--python"] {
        assert_has(&error, part);
    }
}
