//! Sessions in `strict`: in name spaces, where only what is named is there.
#![cfg(has = "sandbox")]

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Builder, IDLE, Runtime, Server, assert_has, assert_has_not, python, quoted};

/// Whether this machine lets programs make name spaces.
fn has_name_spaces() -> bool {
    let arguments = ["--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "true"];
    let tried = Command::new("bwrap").args(arguments).output();
    let has = tried.is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("there is no bwrap, or no name space to be had");
    }
    has
}

fn strict(builder: Builder) -> Builder {
    builder.args(["--sandbox", "strict"])
}

#[test]
fn a_session_sees_what_is_named_and_no_process_but_its_own() {
    if !has_name_spaces() {
        return;
    }
    let (hidden, shown) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for place in [&hidden, &shown] {
        fs::write(place.path().join("file"), "read").unwrap();
    }
    let repl = strict(Builder::new()).args(["--grace", "0", "--add-readable"]).arg(shown.path());
    let repl = repl.start();
    repl.gives("import os, subprocess\nopen('x', 'w').write('x')", "1\n");
    assert_eq!(fs::read_to_string(repl.directory().join("x")).unwrap(), "x");
    repl.gives("b'bwrap' in open('/proc/1/cmdline', 'rb').read()", "True\n");
    repl.gives("sum(name.isdigit() for name in os.listdir('/proc')) < 10", "True\n");
    repl.gives("os.environ['MCP_REPL_SANDBOX']", "'strict'\n");
    repl.gives(&format!("open({} + '/file').read()", quoted(shown.path())), "'read'\n");
    let said = repl.repl(&format!("open({} + '/file', 'a')", quoted(shown.path())));
    assert_has(&said, "Read-only file system");
    assert_has(&said, "[repl] the sandbox (strict) lets this session write only ");
    assert_has(&repl.repl("open('/tmp/x', 'w')"), "; write there, or have the user do it");
    // What nobody named is not there, and it is said why.
    let said = repl.repl(&format!("open({} + '/file')", quoted(hidden.path())));
    assert_has(&said, "No such file or directory");
    assert_has(&said, "[repl] the sandbox (strict) shows nothing at ");
    assert_has(&said, "the user can show it by `--add-readable` or `--add-writable`");
    for missing in ["open('missing')", "open('/usr/missing')"] {
        assert_has_not(&repl.repl(missing), "[repl]");
    }
    // The rules hold, too.
    assert_has(&repl.repl("open('.git/config', 'w')"), "No such file or directory");
    assert_has(&repl.repl("open('.bashrc', 'w')"), "the sandbox (strict) lets nobody");
    let said = repl.repl("import socket\nsocket.create_connection(('127.0.0.1', 1))");
    assert_has(&said, "[repl] the sandbox keeps this session off the network");
}

#[test]
fn the_terminal_and_what_reads_it_are_as_in_any_session() {
    if !has_name_spaces() {
        return;
    }
    let repl = strict(Builder::new()).args(["--grace", "0"]).start();
    repl.gives("import os, subprocess, sys", IDLE);
    repl.gives("os.getsid(0) == os.getpid() and os.path.exists(os.ttyname(0))", "True\n");
    let bash = "_ = subprocess.run(['env', 'PS1=$ ', 'bash', '--norc', '-i'])";
    assert!(repl.repl(bash).ends_with("$ "));
    repl.gives_part("sleep 100 & jobs; kill %1; echo $((6 * 7))", "42");
    repl.gives_part("exit", "exit");
    repl.gives("x = input('? ')", "? ");
    repl.gives("y", IDLE);
    repl.gives("x", "'y'\n");
    repl.starts_running("print('begun')\nwhile True: pass");
    assert_has(&repl.repl("\u{3}"), "KeyboardInterrupt");
    // The next one is in the same name spaces.
    let said = repl.repl("os.kill(os.getpid(), 9)");
    assert_has(&said, "session ended");
    repl.gives_part("import os\nb'bwrap' in open('/proc/1/cmdline', 'rb').read()", "True\n");
}

#[test]
fn others_find_the_session_and_nothing_is_left_of_it() {
    if !has_name_spaces() {
        return;
    }
    let runtime = Runtime::new();
    let temporary = tempfile::tempdir().unwrap();
    let server = |runtime: &Runtime| {
        strict(runtime.server()).args(["--session", "work"]).env("TMPDIR", temporary.path()).start()
    };
    let repl = server(&runtime);
    repl.gives("x = 6 * 7", IDLE);
    // Replies name files by places that are the same outside.
    let said = repl.repl("print('line\\n' * 20_000)");
    let file = file_in(&said, temporary.path());
    assert_eq!(fs::read_to_string(&file).unwrap().matches("line\n").count(), 20_000);
    assert_eq!(runtime.ls()[0]["sandbox"]["mode"], "strict");
    assert_eq!(runtime.says(&["exec", "--session", "work", "x"]), "42\n");
    drop(repl);
    server(&runtime).gives_part("x", "42\n");
    runtime.says(&["end", "work"]);
    runtime.wait_until_empty();
    runtime.has_nothing();
    assert!(!file.exists());
    // What a host can't remove, the next one does.
    let repl = server(&runtime);
    repl.gives("1", "1\n");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 1);
}

/// The file that a reply names below a directory.
#[track_caller]
fn file_in(reply: &str, directory: &Path) -> PathBuf {
    let directory = directory.canonicalize().unwrap();
    let at = reply.find(directory.to_str().unwrap()).unwrap_or_else(|| panic!("no file: {reply}"));
    let end = reply[at..].find(".txt").expect("a text") + ".txt".len();
    reply[at..at + end].into()
}

#[test]
fn a_workspace_has_its_environment_and_its_repository() {
    if !has_name_spaces() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let (sub, venv) = (root.path().join("sub"), root.path().join("sub/.venv"));
    fs::create_dir(&sub).unwrap();
    fs::write(root.path().join("beside"), "tracked").unwrap();
    let git = |words: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-C"];
        let done = Command::new("git").args(identity).arg(root.path()).args(words).output();
        assert!(done.unwrap().status.success(), "{words:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "beside"]);
    git(&["commit", "-q", "-m", "first"]);
    let mut make = Command::new(python::default());
    assert!(make.args(["-m", "venv", "--without-pip"]).arg(&venv).status().unwrap().success());
    fs::write(sub.join(".gitignore"), ".venv\n").unwrap();
    let repl = strict(Builder::new()).args(["--grace", "0"]).any_python().directory(&sub).start();
    repl.gives("import sys, subprocess\nsys.prefix.endswith('sub/.venv')", "True\n");
    // What is tracked beside the workspace is read, and so not taken for removed.
    let git = "def git(*words):\n    return subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', \
               *words], capture_output=True, text=True).stdout";
    repl.gives(git, IDLE);
    repl.gives("git('status', '--short')", "'?? ./\\n'\n");
    repl.gives("_ = git('add', '.gitignore'), git('commit', '-m', 'second')", IDLE);
    repl.gives("git('log', '--format=%s')", "'second\\nfirst\\n'\n");
    let said = repl.repl("open('../beside', 'a')");
    assert_has(&said, "Read-only file system");
}

#[test]
fn recordings_are_made_where_they_are_wanted() {
    if !has_name_spaces() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let repl =
        strict(Builder::new()).args(["--grace", "0", "--record"]).arg(place.path().join("new"));
    let mut repl: Server = repl.start();
    repl.gives("6 * 7", "42\n");
    repl.gives(&format!("import os\nos.path.exists({})", quoted(place.path())), "True\n");
    // Of what it is part of, a session can't read the recording.
    repl.gives(&format!("new = {} + '/new/'", quoted(place.path())), IDLE);
    assert_has(&repl.repl("open(new + os.listdir(new)[0])"), "PermissionError");
    repl.hang_up();
    let files: Vec<_> = fs::read_dir(place.path().join("new")).unwrap().flatten().collect();
    assert_eq!(files.len(), 1);
}

#[test]
fn links_lead_to_what_is_kept_as_they_do_outside() {
    if !has_name_spaces() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let (home, dotfiles) = (root.path().join("home"), root.path().join("home/dotfiles"));
    fs::create_dir_all(dotfiles.join("ssh")).unwrap();
    fs::create_dir_all(root.path().join("elsewhere")).unwrap();
    for name in ["bashrc", "netrc", "ssh/id"] {
        fs::write(dotfiles.join(name), "secret").unwrap();
    }
    for (name, to) in [(".bashrc", "bashrc"), (".netrc", "netrc"), (".ssh", "ssh")] {
        symlink(dotfiles.join(to), home.join(name)).unwrap();
    }
    // Programs that git runs by settings that are elsewhere.
    let included = root.path().join("elsewhere/inc");
    fs::write(home.join(".gitconfig"), format!("[include]\npath = {}\n", included.display()))
        .unwrap();
    fs::write(included, "[core]\nhooksPath = myhooks\n").unwrap();
    symlink("nowhere", home.join("dangling")).unwrap();
    let repl =
        strict(Builder::new()).args(["--grace", "0"]).env("HOME", &home).directory(&dotfiles);
    let repl = repl.env("PYTHONPATH", home.join("dangling")).start();
    for cell in [
        "open('bashrc', 'a')",
        "open('netrc')",
        "open('ssh/id')",
        "import os; os.makedirs('myhooks')",
    ] {
        assert_has(&repl.repl(cell), "PermissionError");
    }
    if rustix::process::getuid().is_root() {
        assert_has(&repl.repl("open('/etc/shadow')"), "PermissionError");
    }
    repl.gives("open('mine', 'w').write('a')", "1\n");
}

#[test]
fn what_a_session_left_opens_nothing_to_the_next() {
    if !has_name_spaces() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let work = root.path().join("work");
    fs::create_dir_all(work.join(".venv/bin")).unwrap();
    fs::create_dir_all(work.join("x")).unwrap();
    fs::write(root.path().join("secret"), "").unwrap();
    symlink("/", work.join("x/python")).unwrap();
    symlink(root.path(), work.join("data")).unwrap();
    // A program of the workspace's in the place of what makes the name spaces.
    let bwrap = work.join(".venv/bin/bwrap");
    fs::write(&bwrap, "#!/bin/sh\n: >ran\nexit 1\n").unwrap();
    fs::set_permissions(&bwrap, Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", work.join(".venv/bin").display(), std::env::var("PATH").unwrap());
    let python = work.join(".venv/bin/python");
    symlink(python::default(), &python).unwrap();
    let settings = work.join(".venv/pyvenv.cfg");
    fs::write(&settings, format!("home = {}\n", work.join("x").display())).unwrap();
    let repl = strict(Builder::new()).python(&python).directory(&work).env("PATH", &path);
    let repl = repl.args(["--grace", "0", "--add-readable", "data"]);
    let repl = repl.env("PYTHONPATH", work.join("data")).start();
    repl.gives_part(
        "import os\n[p for p in ('../secret', 'data/secret', '/var') if os.path.exists(p)]",
        "[]\n",
    );
    assert!(!work.join("ran").exists());
}

#[test]
fn a_reset_works_when_the_directory_of_the_session_was_removed() {
    if !has_name_spaces() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let repl =
        strict(Builder::new()).args(["--grace", "0"]).env("TMPDIR", temporary.path()).start();
    repl.gives("1", "1\n");
    for entry in fs::read_dir(temporary.path()).unwrap().flatten() {
        fs::remove_dir_all(entry.path()).unwrap();
    }
    repl.repl("\u{4}");
    repl.gives_part("6 * 7", "42\n");
}

#[test]
fn what_can_not_be_had_in_name_spaces_says_so() {
    let calls = |words: &[&str]| strict(Builder::new()).args(words).start().begin("1").error();
    assert_has(&calls(&["--record", "x.cast"]), "recordings are made in a directory");
    if has_name_spaces() {
        assert_has(&calls(&["--add-readable", "/"]), "all of the machine can't be shown");
    }
    let output = Builder::new().args(["host", "--sandbox", "strict"]).output("");
    assert_has(
        &String::from_utf8(output.stderr).unwrap(),
        "`strict` is for sessions that have a host",
    );
}

#[test]
fn a_session_without_a_host_is_not_started() {
    let output = Builder::new().args(["exec", "--sandbox", "strict", "1"]).output("");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{said}");
    assert_has(&said, "`strict` is for sessions that have a host");
}
