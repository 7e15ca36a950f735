//! The command line: options that configurations of other servers contain, help, mistakes.

use std::process::{Command, Output};

use crate::support::{BINARY, Builder, assert_has, assert_has_not, python};

#[track_caller]
fn output(arguments: &[&str]) -> Output {
    Builder::new().any_python().args(arguments).output("")
}

#[test]
fn drop_in_options_are_accepted() {
    let repl = Builder::new()
        .args(["--interpreter", "python", "--oversized-output", "files"])
        .args(["--sandbox", "danger-full-access"])
        .start();
    repl.still_works();
    let repl = Builder::new().arg("--interpreter=python").start();
    repl.still_works();
}

#[test]
fn values_that_are_not_built_get_an_error_that_names_what_is() {
    for (option, value, known) in [
        ("--interpreter", "r", "python"),
        ("--oversized-output", "pager", "files"),
        ("--oversized-output", "nonsense", "files"),
        ("--sandbox", "nonsense", "workspace-write"),
        ("--network", "some", "local"),
    ] {
        let output = output(&[option, value]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{option} {value}: {error}");
        for part in [option, value, known] {
            assert_has(&error, part);
        }
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn mistakes_get_an_error_on_standard_error() {
    for arguments in [&["--no-such-option"][..], &["no-such-command"], &["--python"]] {
        let output = output(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn help_and_version_are_told() {
    let help = output(&["--help"]);
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    for part in ["exec", "doctor", "--python", ".venv"] {
        assert_has(&help, part);
    }
    let version = String::from_utf8(output(&["--version"]).stdout).unwrap();
    assert_eq!(version, format!("mcp-repl {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_help_of_a_command_has_only_what_is_for_it() {
    for (command, has, has_not) in [
        ("ls", "--json", &["--python", "--worker", "--via"][..]),
        ("end", "--all", &["--python", "--worker", "--via"]),
        ("doctor", "--python", &["--via"]),
        ("host", "--worker", &["--via <", "--via-install"]),
        ("exec", "--via-install", &[]),
    ] {
        let help = String::from_utf8(output(&[command, "--help"]).stdout).unwrap();
        assert_has(&help, has);
        for option in has_not {
            assert_has_not(&help, option);
        }
    }
}

#[test]
fn an_empty_grace_in_the_environment_is_none() {
    for command in [&["ls"][..], &["host", "--stdio"]] {
        let builder = Builder::new().args(command.iter().copied()).env("MCP_REPL_GRACE", "");
        let errors = String::from_utf8(builder.output("").stderr).unwrap();
        assert_has_not(&errors, "--grace");
    }
}

#[cfg(has = "sandbox")]
#[test]
fn doctor_prints_what_works() {
    let output = Builder::new().arg("doctor").output("");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{table}");
    let chosen = python::default();
    for (name, value) in [
        ("python", &*chosen.to_string_lossy()),
        ("chosen by", "--python"),
        ("version", "3."),
        ("terminal", "ok"),
        ("sideband", "ok"),
        ("extension", "ok"),
        ("session", "ok"),
    ] {
        let row = table
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {table}"));
        assert_has(row, value);
    }
}

#[cfg(has = "posix")]
#[test]
fn the_binary_is_one_file_that_needs_nothing_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("mcp-repl");
    // In a process of its own: one that another test forks meanwhile would hold it open to be
    // written, and nobody may execute it then.
    assert!(Command::new("cp").arg(BINARY).arg(&copy).status().unwrap().success());
    let output = Command::new(copy)
        .args(["exec", "6 * 7", "--python"])
        .arg(python::default())
        .env_clear()
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "42\n");
}
