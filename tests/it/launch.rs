//! Launch conditions: whatever a client starts the server in, the session is a normal one.

use crate::support::{Builder, IDLE, Server, assert_has, python, real};

/// The main job: a cell, an answer, an interrupt, a child on the terminal, a fresh session.
#[track_caller]
fn works(repl: &Server) {
    repl.still_works();
    repl.gives("input('name? ')", "name? ");
    repl.gives("Ada", "'Ada'\n");
    repl.gives("'Grüße 🎉'", "'Grüße 🎉'\n");
    repl.gives("import os\nos.system('test -t 0 && test -t 1 && test -t 2')", "0\n");
    repl.gives("try: input('? ')\nexcept KeyboardInterrupt: print('interrupted')", "? ");
    repl.gives_part("\u{3}", "interrupted\n");
    let reply = repl.repl("\u{4}6 * 7");
    assert!(reply.ends_with("[repl] new session started\n42\n"), "{reply}");
}

#[cfg(has = "posix")]
#[test]
fn as_a_session_leader() {
    let repl = Builder::new().condition("os.setsid()").start();
    works(&repl);
}

#[cfg(has = "posix")]
#[test]
fn with_signals_ignored() {
    let condition = "\
for number in signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGTERM, signal.SIGCHLD:
    signal.signal(number, signal.SIG_IGN)";
    let repl = Builder::new().condition(condition).start();
    dispositions_are_default(&repl);
    works(&repl);
}

#[cfg(has = "posix")]
#[test]
fn with_signals_blocked() {
    let condition = "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())";
    let repl = Builder::new().condition(condition).start();
    dispositions_are_default(&repl);
    works(&repl);
}

/// What the worker itself starts with; Python ignores SIGPIPE and SIGXFSZ and handles SIGINT.
#[track_caller]
fn dispositions_are_default(repl: &Server) {
    let cell = "\
import signal
own = {signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ}
print([s for s in signal.valid_signals()
       if s not in own and signal.getsignal(s) not in (signal.SIG_DFL, None)])
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))";
    repl.gives(cell, "[]\nTrue\nset()\n");
    // A child of the session gets no signal ignored but those Python restores.
    repl.gives(
        "import subprocess\nsubprocess.run(['sh', '-c', 'kill -INT $$']).returncode",
        "-2\n",
    );
    repl.gives("subprocess.run(['sh', '-c', 'kill -HUP $$']).returncode", "-1\n");
    repl.gives("subprocess.run(['sh', '-c', 'kill -PIPE $$']).returncode", "-13\n");
}

#[cfg(has = "posix")]
#[test]
fn with_an_empty_environment() {
    let repl = Builder::new().env_clear().start();
    works(&repl);
    assert_has(&repl.repl("import os\nsorted(os.environ)"), "TERM");
}

#[cfg(has = "posix")]
#[test]
fn with_an_empty_environment_and_no_word_about_python() {
    if !std::path::Path::new("/usr/bin/python3").exists() {
        return;
    }
    let repl = Builder::new().any_python().env_clear().start();
    repl.still_works();
}

#[test]
fn without_lang_and_in_the_c_locale_text_is_utf8() {
    let encodings = "\
import locale, sys
print(sys.stdin.encoding, sys.stdout.encoding, sys.stderr.encoding, sys.getfilesystemencoding())";
    let without =
        || ["LANG", "LC_ALL", "LC_CTYPE"].into_iter().fold(Builder::new(), Builder::env_remove);
    let starts = [
        without(),
        without().env("LC_ALL", "C"),
        without().env("LANG", "C"),
        without().env("LC_ALL", "POSIX"),
    ];
    for start in starts {
        let repl = start.start();
        repl.gives(encodings, "utf-8 utf-8 utf-8 utf-8\n");
        repl.gives("input('? ')", "? ");
        repl.gives("Grüße 🎉", "'Grüße 🎉'\n");
        repl.gives("print('Grüße 🎉')", "Grüße 🎉\n");
    }
}

#[cfg(has = "posix")]
#[test]
fn pythons_own_variables_are_honoured() {
    let repl = Builder::new()
        .env("PYTHONIOENCODING", "latin-1")
        .env("PYTHONWARNINGS", "error")
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONUNBUFFERED", "1")
        .start();
    repl.gives(
        "import sys\nsys.stdout.encoding, sys.flags.hash_randomization",
        "('iso8859-1', 0)\n",
    );
    assert_has(&repl.repl("import warnings\nwarnings.warn('w')"), "UserWarning: w");
}

#[test]
fn python_startup_and_inspect_do_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("startup.py");
    std::fs::write(&file, "started = 'yes'\n").unwrap();
    let repl = Builder::new().env("PYTHONSTARTUP", &file).env("PYTHONINSPECT", "1").start();
    repl.still_works();
    repl.gives("import sys\nsys.exit(4)", "[repl] session ended (exit status 4)\n");
}

#[cfg(has = "posix")]
#[test]
fn from_a_directory_it_cannot_write() {
    let repl = Builder::new().directory("/").start();
    works(&repl);
    let directory = tempfile::tempdir().unwrap();
    let mut permissions = std::fs::metadata(directory.path()).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(directory.path(), permissions).unwrap();
    let repl = Builder::new().directory(directory.path()).start();
    works(&repl);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[cfg(has = "posix")]
#[test]
fn with_tmpdir_unset_or_nowhere() {
    works(&Builder::new().env_remove("TMPDIR").start());
    works(&Builder::new().env("TMPDIR", "/nowhere/at/all").start());
    works(&Builder::new().env("TMPDIR", "").start());
    works(&Builder::new().env("TMPDIR", "relative").start());
}

#[cfg(has = "posix")]
#[test]
fn with_a_tmpdir_whose_path_is_too_long_for_a_socket() {
    let directory = tempfile::tempdir().unwrap();
    let long = directory.path().join("x".repeat(150));
    std::fs::create_dir(&long).unwrap();
    works(&Builder::new().env("TMPDIR", &long).start());
}

#[cfg(has = "posix")]
#[test]
fn with_a_tmpdir_on_a_file_system_that_forbids_execution() {
    // A mount of the server's own; only root can make one, and not in every container.
    let condition = "\
import ctypes
libc, place = ctypes.CDLL(None, use_errno=True), os.environ['TMPDIR'].encode()
def check(result):
    if result: sys.exit('cannot mount: ' + os.strerror(ctypes.get_errno()))
NEW_MOUNTS, PRIVATE_BELOW, NO_EXECUTION = 0x20000, 1 << 18 | 1 << 14, 8
check(libc.unshare(NEW_MOUNTS))
check(libc.mount(b'none', b'/', None, PRIVATE_BELOW, None))
check(libc.mount(b'none', place, b'tmpfs', NO_EXECUTION, None))";
    let output = Builder::new().condition(condition).arg("--version").output("");
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        assert_has(&why, "cannot mount: ");
        return eprintln!("not tested: {why}");
    }
    let repl = Builder::new().condition(condition).start();
    repl.gives(
        "import os\nbool(os.statvfs(os.environ['TMPDIR']).f_flag & os.ST_NOEXEC)",
        "False\n",
    );
    works(&repl);
}

#[test]
fn the_session_has_a_directory_for_temporary_files() {
    let repl = Server::start();
    repl.gives(
        "import os, tempfile\nf = tempfile.NamedTemporaryFile()\nos.path.exists(f.name)",
        "True\n",
    );
}

#[cfg(has = "posix")]
#[test]
fn with_a_limit_of_64_descriptors() {
    let condition = "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))";
    let repl = Builder::new().condition(condition).start();
    works(&repl);
    repl.gives("import resource\nresource.getrlimit(resource.RLIMIT_NOFILE)", "(64, 64)\n");
    // Many fresh sessions: none leaves a descriptor behind.
    for _ in 0..20 {
        let reply = repl.repl("\u{4}1 + 1");
        assert!(reply.ends_with("2\n"), "{reply}");
    }
}

#[cfg(has = "posix")]
#[test]
fn with_standard_input_closed_it_says_that_nobody_can_talk_to_it() {
    for condition in ["os.close(0)", "os.dup2(os.open(os.devnull, os.O_RDONLY), 0)"] {
        let output = Builder::new().condition(condition).output("");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_has(&told, "mcp-repl: standard input is closed, or /dev/null; an MCP client is to");
    }
}

#[cfg(has = "posix")]
#[test]
fn with_standard_error_closed() {
    let repl = Builder::new().condition("os.close(2)").start();
    works(&repl);
    repl.gives("import sys\nprint('err', file=sys.stderr)", "err\n");
}

#[cfg(has = "posix")]
#[test]
fn with_descriptors_left_open_by_the_client() {
    let condition =
        "for _ in range(20): os.set_inheritable(os.open('/dev/null', os.O_RDONLY), True)";
    let repl = Builder::new().condition(condition).start();
    let cell = "\
import os, subprocess, sys
look = 'import os; print([fd for fd in range(3, 256) if os.path.exists(f\"/dev/fd/{fd}\")])'
subprocess.run([sys.executable, '-c', look], close_fds=False).returncode";
    repl.gives(cell, "[]\n0\n");
    works(&repl);
}

#[cfg(has = "posix")]
#[test]
fn with_a_odd_umask_and_a_nice_value() {
    let repl = Builder::new().condition("os.umask(0o777); os.nice(5)").start();
    repl.still_works();
    repl.gives("import os\noct(os.umask(0)), os.nice(0)", "('0o777', 5)\n");
}

#[test]
fn the_environment_and_directory_are_the_servers() {
    let repl = Builder::new().env("MY_OWN", "välue").start();
    repl.gives("import os\nos.environ['MY_OWN']", "'välue'\n");
    let here = real(repl.directory());
    repl.gives("print(os.getcwd())", &format!("{}\n", here.display()));
    let python = python::default();
    repl.gives("import sys\nprint(sys.executable)", &format!("{}\n", python.display()));
    repl.gives("'COLUMNS' in os.environ, 'LINES' in os.environ", "(False, False)\n");
    repl.gives("x = 1", IDLE);
}
