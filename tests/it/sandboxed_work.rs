//! A sandbox is not in the way of ordinary work: data bases, repositories, servers on this machine, and whatever
//! asks at the terminal. Processes and packages are in `sandboxed_packages.rs`.
#![cfg(has = "sandbox")]

use std::path::Path;

use crate::support::{Builder, IDLE, SECRET, Server, assert_has, paging, quoted};

/// Defines `run(*words)`: runs a program and prints what it says.
const RUN: &str = "import os, subprocess, sys\n\
    def run(*words):\n    \
        ran = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)\n    \
        print(ran.stdout, end='')\n    \
        return ran.returncode";

/// A session in a sandbox, which has `run`.
pub(crate) fn start(builder: Builder) -> Server {
    let repl = builder.args(["--sandbox", "workspace-write"]).start();
    repl.gives(RUN, IDLE);
    repl
}

/// The same, of the usual Python.
pub(crate) fn session() -> Server {
    start(Builder::new())
}

#[test]
fn data_bases_are_written() {
    session().gives(
        "import sqlite3\n\
         base = sqlite3.connect('x.db')\n\
         print(base.execute('pragma journal_mode=wal').fetchone())\n\
         _ = base.execute('create table t (a)'), base.execute('insert into t values (7)')\n\
         base.commit()\n\
         base.execute('select a from t').fetchall()",
        "('wal',)\n[(7,)]\n",
    );
}

#[test]
fn a_repository_takes_commits_but_no_hooks() {
    let place = tempfile::tempdir().unwrap();
    let git = |words: &[&str]| {
        let made = std::process::Command::new("git").args(words).current_dir(place.path()).status();
        assert!(made.unwrap().success());
    };
    git(&["init", "-q"]);
    let sub = place.path().join("sub");
    std::fs::create_dir(&sub).unwrap();
    // A directory of the repository, as well as its top.
    for directory in [place.path(), &sub] {
        let repl = start(Builder::new().directory(directory));
        let name = directory.file_name().unwrap().to_str().unwrap();
        let commit =
            "run('git', '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'more')";
        repl.gives(&format!("open({name:?}, 'w').close()\nrun('git', 'add', '.')"), "0\n");
        repl.gives(commit, "0\n");
        let said = repl.repl("run('git', 'config', 'core.pager', 'evil')");
        assert_has(&said, "lets nobody in this session change");
        assert_has(&said, "/.git/config");
    }
    // One that is made inside is the session's own, as far as git runs nothing of it.
    let repl = start(Builder::new().directory(&sub));
    repl.gives("run('git', 'init', '-q', 'other')", "0\n");
    repl.gives("run('git', 'clone', '-q', '..', 'clone')", "0\n");
    repl.gives("os.chdir('clone')\nrun('git', 'config', 'user.name', 'Ada')", "0\n");
    repl.gives("run('git', 'config', 'user.email', 'a@b')", "0\n");
    repl.gives("open('x', 'w').close()\nrun('git', 'add', '.')", "0\n");
    repl.gives("run('git', 'commit', '-qm', 'x')", "0\n");
    repl.gives("run('git', 'checkout', '-qb', 'config')", "0\n");
    repl.gives("run('git', 'pull', '-q', 'origin', 'HEAD')", "0\n");
    let said = repl.repl("run('git', 'config', 'core.fsmonitor', 'evil')");
    assert_has(&said, "lets nobody in this session change");
    assert_has(&said, "/clone/.git/config");
    repl.gives("import shutil\nos.chdir('..')\nshutil.rmtree('clone')", IDLE);
    // In temporary files any.
    repl.gives(
        "import tempfile\nbare = tempfile.mkdtemp()\nrun('git', 'init', '-q', '--bare', bare)",
        "0\n",
    );
    repl.gives("run('git', '-C', bare, 'config', 'core.fsmonitor', 'x')", "0\n");
}

#[test]
fn a_file_with_a_name_elsewhere_is_replaced_and_not_written() {
    let outside = tempfile::tempdir().unwrap();
    let cached = outside.path().join("cached.py");
    std::fs::write(&cached, "cached").unwrap();
    let place = tempfile::tempdir().unwrap();
    std::fs::hard_link(&cached, place.path().join("linked.py")).unwrap();
    let repl = start(Builder::new().directory(place.path()));
    let said = repl.repl("open('linked.py', 'a')");
    assert_has(&said, "linked.py, which has another name elsewhere");
    // As editors do, and `sed -i`.
    repl.gives("run('sed', '-i', 's/cached/mended/', 'linked.py')", "0\n");
    repl.gives("open('linked.py', 'a').write('!')", "1\n");
    repl.gives("print(open('linked.py').read())", "mended!\n");
    // With names of its own it is written by each.
    repl.gives("os.link('linked.py', 'more.py')\nopen('more.py', 'a').write('!')", "1\n");
    assert_eq!(std::fs::read_to_string(&cached).unwrap(), "cached");
}

#[test]
fn programs_on_this_machine_are_reached_where_that_is_allowed() {
    let serve = "import http.server, threading, urllib.request\n\
        class Quiet(http.server.SimpleHTTPRequestHandler):\n    \
            def log_message(self, *arguments): pass\n\
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Quiet)\n\
        threading.Thread(target=server.serve_forever, daemon=True).start()\n\
        urllib.request.urlopen(f'http://127.0.0.1:{server.server_port}/').status";
    start(Builder::new().args(["--network", "local"])).gives(serve, "200\n");
    let said = session().repl(serve);
    assert_has(&said, "Network is unreachable");
    assert_has(&said, "[repl] the sandbox keeps this session off the network");
}

#[test]
fn who_asks_at_the_terminal_is_answered() {
    let repl = start(paging::plain_environment());
    assert_has(&repl.repl("import getpass\nsecret = getpass.getpass('token? ')"), "token? ");
    repl.gives("s3cret", "\n");
    repl.gives("len(secret)", "6\n");
    assert_eq!(repl.repl("_ = getpass.getpass('')"), SECRET);
    repl.gives("x", "\n");
    repl.repl("def f(x):\n    breakpoint()\n    return x\nf(41)");
    repl.gives_part("p x + 1", "42");
    repl.gives("c", "41\n");
    let bash = "_ = subprocess.run(['env', 'PS1=$ ', 'bash', '--norc', '-i'])";
    assert!(repl.repl(bash).ends_with("$ "));
    repl.gives_part("sleep 100 & jobs; kill %1; echo $((6 * 7))", "42");
    repl.gives_part("exit", "exit");
}

#[test]
fn pagers_and_editors_have_the_terminal() {
    let repl = start(paging::plain_environment());
    let (text, _) = repl.read_through("help(print)");
    assert_has(&text, "Help on built-in function print");
    // Without `-i NONE` it says at its end that it can't write what it remembers for the next time.
    let vim = "_ = subprocess.run(['vim', '-u', 'NONE', '-i', 'NONE', '-N', '-n', 'file'])";
    let reply = repl.repl(vim);
    assert_has(&reply, "[screen] vim");
    repl.keys("i hello Escape :wq Enter");
    repl.gives("print(open('file').read().strip())", "hello\n");
}

/// What is there is read, and what is outside is not written.
#[test]
fn files_outside_are_read_and_not_written() {
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().canonicalize().unwrap().join("file");
    std::fs::write(&file, "read").unwrap();
    let repl = session();
    let name = quoted(&file);
    repl.gives(&format!("print(open({name}).read())"), "read\n");
    let said = repl.repl(&format!("open({name}, 'w')"));
    assert_has(&said, "PermissionError: [Errno 13] Permission denied");
    let parent = file.parent().unwrap().display();
    assert_has(&said, &format!("the user can allow it by `--add-writable {parent}`"));
    assert_eq!(said.matches("[repl]").count(), 1, "{said}");
    // And so it is.
    let repl = start(Builder::new().arg("--add-writable").arg(outside.path()));
    repl.gives(&format!("open({name}, 'w').write('more')"), "4\n");
    // What its own permissions forbid is not blamed on the sandbox.
    assert!(Path::new("/proc/sys/kernel/ostype").exists());
    assert_has_no_blame(&repl.repl("open('/proc/sys/kernel/ostype', 'w')"));
    assert_has_no_blame(&repl.repl("raise PermissionError(13, 'Permission denied', 'own')"));
}

#[track_caller]
fn assert_has_no_blame(reply: &str) {
    assert!(!reply.contains("[repl]"), "{reply}");
}

#[test]
fn secrets_and_what_is_denied_are_not_read() {
    let home = tempfile::tempdir().unwrap();
    let home_path = home.path().canonicalize().unwrap();
    for name in [".ssh", ".aws"] {
        std::fs::create_dir(home_path.join(name)).unwrap();
        std::fs::write(home_path.join(name).join("key"), "s3cret").unwrap();
    }
    std::fs::write(home_path.join("plain"), "plain").unwrap();
    std::fs::write(home_path.join("denied"), "s3cret").unwrap();
    let builder = Builder::new().env("HOME", &home_path).env_remove("XDG_CONFIG_HOME");
    let repl = start(builder.arg("--deny-read").arg(home_path.join("denied")));
    let open = |name: &str| format!("print(open(os.path.expanduser('~/{name}')).read())");
    repl.gives(&open("plain"), "plain\n");
    for name in [".ssh/key", ".aws/key", "denied"] {
        let said = repl.repl(&open(name));
        assert!(!said.contains("s3cret"), "{said}");
        let path = home_path.join(name);
        assert_has(
            &said,
            &format!("[repl] the sandbox (workspace-write) keeps {}", path.display()),
        );
    }
    // One that was made since, beside them, is there for the next session.
    std::fs::write(home_path.join("late"), "late").unwrap();
    let said = repl.repl(&open("late"));
    if !said.contains("late\n") {
        assert_has(&said, "late was made or replaced after this session began");
    }
    repl.gives_part(&format!("\u{4}import os\n{}", open("late")), "late\n");
}

#[test]
fn in_read_only_the_working_directory_is_not_written() {
    let repl = Builder::new().args(["--sandbox", "read-only"]).start();
    repl.gives("import tempfile\nwith tempfile.TemporaryFile() as f: f.write(b'x')", IDLE);
    let said = repl.repl("open('x', 'w')");
    assert_has(&said, "[repl] the sandbox (read-only) lets this session write only ");
}
