//! A sandbox in name spaces of its own, as docs/sandbox.md says how.
#![cfg(target_os = "linux")]

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use crate::support::{BINARY, Builder, IDLE, assert_has, quoted};

/// Whether this machine lets programs make name spaces.
fn has_name_spaces() -> bool {
    let tried =
        Command::new("bwrap").args(["--unshare-pid", "--ro-bind", "/", "/", "true"]).output();
    tried.is_ok_and(|output| output.status.success())
}

/// The script of the documentation, and the binary, in a directory.
fn programs() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sandbox.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, script) = page.split_once("```sh\n").expect("a script");
    let (script, _) = script.split_once("```\n").unwrap();
    let file = directory.path().join("mcp-repl-apart");
    fs::write(&file, script).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(BINARY, directory.path().join("mcp-repl")).unwrap();
    directory
}

#[test]
fn a_session_sees_what_is_named_and_no_process_but_its_own() {
    if !has_name_spaces() {
        return eprintln!("there is no bwrap, or no name space to be had");
    }
    let (bin, outside) = (programs(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("file"), "read").unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let repl = Builder::new()
        .args(["--via", "mcp-repl-apart", "--sandbox", "workspace-write", "--grace", "0"])
        .env("PATH", path)
        .start();
    repl.gives("import os, subprocess\nopen('x', 'w').write('x')", "1\n");
    repl.gives("b'bwrap' in open('/proc/1/cmdline', 'rb').read()", "True\n");
    repl.gives(&format!("os.path.exists({})", quoted(outside.path())), "False\n");
    // What is there and secret is hidden by the sandbox, and what is not the directory is not written.
    assert_has(&repl.repl("open('/usr/x', 'w')"), "Read-only file system");
    let said = repl.repl("import socket\nsocket.create_connection(('127.0.0.1', 1))");
    assert_has(&said, "[repl] the sandbox keeps this session off the network");
    // The terminal is its own.
    repl.gives("os.getsid(0) == os.getpid() and os.path.exists(os.ttyname(0))", "True\n");
    let bash = "_ = subprocess.run(['env', 'PS1=$ ', 'bash', '--norc', '-i'])";
    assert!(repl.repl(bash).ends_with("$ "));
    repl.gives_part("sleep 100 & jobs; kill %1; echo $((6 * 7))", "42");
    repl.gives_part("exit", "exit");
    repl.gives("x = input('? ')", "? ");
    repl.gives("y", IDLE);
    repl.gives("x", "'y'\n");
}
