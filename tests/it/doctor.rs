//! What `doctor` says of clients: in which the server is configured, and what one would get.
#![cfg(has = "posix")]

use std::{fs, os::unix::fs::symlink, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::support::{BINARY, Builder, assert_has, assert_has_not, python};

/// A home with a project in it, and no clients on PATH.
fn home() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let project = home.path().join("project");
    fs::create_dir_all(&project).unwrap();
    fs::create_dir(home.path().join("bin")).unwrap();
    (home, project)
}

/// The report, and the exit status.
fn doctor(home: &TempDir, builder: Builder, arguments: &[&str]) -> (String, Option<i32>) {
    let builder = builder.env_clear().env("HOME", home.path()).env("PATH", home.path().join("bin"));
    let output = builder.directory(home.path().join("project")).args(arguments).output("");
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[test]
fn clients_are_listed_with_what_they_start() {
    let (home, project) = home();
    let write = |file: &str, text: &str| {
        let file = home.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    let servers = |command: &str, args: &str| {
        format!(r#"{{"mcpServers": {{"repl": {{"command": "{command}", "args": [{args}]}}}}}}"#)
    };
    write(".claude.json", &servers(BINARY, r#""--pager", "page""#));
    write(".cursor/mcp.json", &servers("/nowhere/mcp-repl", ""));
    write(".gemini/settings.json", &servers("/bin/other", ""));
    write(".config/zed/settings.json", "{\n\n  broken\n}\n");
    write(".codex/config.toml", "model = \"x\"\n");
    fs::write(project.join(".mcp.json"), servers(BINARY, "")).unwrap();
    let (report, status) = doctor(&home, Builder::new(), &["doctor"]);
    assert_eq!(status, Some(0), "{report}");
    assert_has(&report, &format!("Claude Code: ok, {BINARY} --pager page\n"));
    assert_has(&report, &format!("Claude Code in this project: ok, {BINARY}\n"));
    let gone = "Cursor: /nowhere/mcp-repl is not there (/nowhere/mcp-repl); `mcp-repl install cursor` mends that\n";
    assert_has(&report, gone);
    assert_has(&report, "Gemini CLI: `repl` starts another program (");
    assert_has(&report, "Zed: its file can't be read: ");
    assert_has(&report, "settings.json: line 3");
    assert_has(&report, "Codex: not configured; `mcp-repl install codex`\n");
    assert_has_not(&report, "Windsurf");
    assert_has(&report, "as a client ok, a first call took ");
}

#[test]
fn a_client_without_an_environment_may_get_another_python() {
    let (home, project) = home();
    let made = Command::new(python::default())
        .args(["-m", "venv", "--without-pip"])
        .arg(project.join(".venv"))
        .status();
    assert!(made.unwrap().success());
    let builder = Builder::new().any_python().env_clear().env("HOME", home.path());
    let builder = builder.env("MCP_REPL_PYTHON", python::default()).directory(&project);
    let output = builder.arg("doctor").output("");
    let report = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_has(&report, "chosen by   MCP_REPL_PYTHON\n");
    assert_has(&report, "as a client ok, with another Python: ");
    assert_has(&report, "/project/.venv/bin/python");
}

#[test]
fn a_python_that_only_path_knows_is_none_for_such_a_client() {
    let (home, _) = home();
    symlink(python::default(), home.path().join("bin/snake")).unwrap();
    let arguments = ["doctor", "--python", "snake"];
    let (report, status) = doctor(&home, Builder::new().any_python(), &arguments);
    assert_eq!(status, Some(1), "{report}");
    assert_has(&report, "session     ok\n");
    assert_has(&report, "as a client FAILED without an environment: ");
    assert_has(&report, "snake");
}
