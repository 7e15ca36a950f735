//! The server's end: in good order or not, nothing of a session stays.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

#[cfg(has = "posix")]
use std::os::unix::fs::PermissionsExt;

#[cfg(has = "posix")]
use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::{Builder, HANG, IDLE, Lifeline, Listening, Server, on_every_python, python};

/// A server whose files all go to the directory.
fn with_own_directory() -> (Server, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let server = Builder::new().temporary(directory.path()).start();
    (server, directory)
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// A line that the worker and children of three kinds hold.
fn lay_through_children(repl: &Server) -> Lifeline {
    let line = Lifeline::lay(repl);
    let cell = "\
keep = dict(pass_fds=[line.fileno()], stdin=subprocess.DEVNULL)
child = subprocess.Popen(['sleep', '1000'], **keep)
other_group = subprocess.Popen(['sleep', '1000'], preexec_fn=os.setpgrp, **keep)
script = 'trap \"\" HUP TERM INT; while :; do sleep 1000; done'
stubborn = subprocess.Popen(['sh', '-c', script], **keep)";
    repl.gives(cell, IDLE);
    line
}

#[cfg(has = "posix")]
#[test]
fn the_end_of_stdin_ends_server_worker_and_children() {
    let (mut repl, directory) = with_own_directory();
    let line = lay_through_children(&repl);
    repl.close_stdin();
    let (status, stderr) = repl.wait();
    assert!(status.success(), "{status}");
    assert_eq!(stderr, "");
    line.wait_until_cut();
    assert_eq!(files_in(directory.path()), Vec::<PathBuf>::new());
}

#[cfg(has = "posix")]
#[test]
fn sigterm_and_sigint_end_server_worker_and_children() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let (mut repl, directory) = with_own_directory();
        let line = lay_through_children(&repl);
        repl.signal(signal);
        let (status, stderr) = repl.wait();
        assert!(status.success(), "{signal:?}: {status}");
        assert_eq!(stderr, "");
        line.wait_until_cut();
        assert_eq!(files_in(directory.path()), Vec::<PathBuf>::new());
    }
}

#[cfg(has = "posix")]
#[test]
fn kill_9_of_the_server_ends_worker_and_children() {
    let (mut repl, _directory) = with_own_directory();
    let line = lay_through_children(&repl);
    repl.kill();
    line.wait_until_cut();
}

#[cfg(has = "posix")]
#[test]
fn kill_9_of_the_server_ends_a_worker_that_is_busy() {
    let sources = [
        "while True: pass",
        "line.recv(1)",
        "input('? ')",
        // Holds the GIL.
        "import re\nre.match('(a*)*b', 'a' * 100)",
        "import signal\nfor s in 1, 2, 15: signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
    ];
    // There are no other signals to be ignored elsewhere.
    let some = sources.len() - usize::from(!cfg!(has = "posix"));
    for source in &sources[..some] {
        let mut repl = Server::start();
        let mut line = Lifeline::lay(&repl);
        repl.begin(&format!("_ = line.send(b'!')\n{source}"));
        line.hears("!");
        repl.kill();
        line.wait_until_cut();
    }
}

#[test]
fn a_busy_worker_does_not_keep_the_server() {
    for source in ["while True: pass", "import re\nre.match('(a*)*b', 'a' * 100)", "input('? ')"] {
        let mut repl = Server::start();
        let mut line = Lifeline::lay(&repl);
        repl.begin(&format!("_ = line.send(b'!')\n{source}"));
        line.hears("!");
        repl.close_stdin();
        let (status, _) = repl.wait();
        assert!(status.success(), "{source}: {status}");
        line.wait_until_cut();
    }
}

#[cfg(has = "posix")]
#[test]
fn a_worker_that_is_stopped_does_not_keep_the_server() {
    let mut repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    repl.begin("import signal\n_ = line.send(b'!')\nos.kill(os.getpid(), signal.SIGSTOP)");
    line.hears("!");
    repl.signal(Signal::TERM);
    repl.wait();
    line.wait_until_cut();
}

#[cfg(has = "proc")]
#[test]
fn a_worker_that_is_stopped_does_not_outlive_a_server_that_is_killed() {
    on_every_python(|repl| {
        let mut line = Lifeline::lay(repl);
        let cell = "\
import signal
stop = '''
import os, signal, socket, sys
line = socket.socket(fileno=int(sys.argv[1]))
worker = os.getppid()
os.kill(worker, signal.SIGSTOP)
while open(f'/proc/{worker}/stat').read().rpartition(')')[2].split()[0] != 'T': pass
line.send(b'!')
'''
children = [subprocess.Popen(['sleep', '1000'], pass_fds=[line.fileno()]) for _ in range(2)]
children[0].send_signal(signal.SIGSTOP)
stopper = [sys.executable, '-c', stop, str(line.fileno())]
_ = subprocess.Popen(stopper, pass_fds=[line.fileno()], start_new_session=True)
while True: pass";
        repl.begin(cell);
        line.hears("!");
        repl.signal(Signal::KILL);
        line.wait_until_cut();
    });
}

#[cfg(has = "posix")]
#[test]
fn a_forked_child_of_the_session_ends_with_the_server() {
    let mut repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let cell = "\
if os.fork() == 0:
    line.send(b'!')
    line.recv(1)";
    repl.gives(cell, IDLE);
    line.hears("!");
    repl.kill();
    line.wait_until_cut();
}

/// A program that never comes to speak on its sideband, deaf to all signals but the last.
fn hanging(line: &Listening) -> String {
    format!(
        "import signal, socket\n\
         for s in 1, 2, 15: signal.signal(s, signal.SIG_IGN)\n\
         {}\n\
         line.send(b'!')\n\
         while True: signal.pause()\n",
        line.lay()
    )
}

#[cfg(has = "posix")]
#[test]
fn kill_9_of_the_server_ends_a_worker_that_hangs_at_its_start() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("hangs.py");
    let script = directory.path().join("python");
    let interpreter = python::default();
    let exec = format!("#!/bin/sh\nexec '{}' '{}'\n", interpreter.display(), program.display());
    std::fs::write(&script, exec).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let listening = Listening::new();
    std::fs::write(&program, hanging(&listening)).unwrap();
    let worker = [&*interpreter.to_string_lossy(), &*program.to_string_lossy()];
    for start in [Builder::new().python(&script), Builder::new().worker(worker)] {
        let mut repl = start.start();
        let mut line = listening.accept();
        line.hears("!");
        repl.kill();
        line.wait_until_cut();
    }
}

#[test]
fn a_server_nobody_ever_spoke_to_ends() {
    let mut repl = Builder::new().start_silent();
    repl.close_stdin();
    assert!(repl.wait().0.success());
}

#[cfg(has = "posix")]
#[test]
fn the_end_is_prompt() {
    for end in [Server::close_stdin, |repl: &Server| repl.signal(Signal::TERM)] {
        let mut repl = Server::start();
        repl.still_works();
        let start = Instant::now();
        end(&repl);
        repl.wait();
        // Well under the time after which a worker is killed.
        assert!(start.elapsed() < Duration::from_millis(1_500), "{:?}", start.elapsed());
    }
}

#[test]
fn a_client_that_is_gone_while_a_call_waits() {
    let mut repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    repl.begin("_ = line.send(b'!')\nline.recv(1)");
    line.hears("!");
    repl.close_stdin();
    assert!(repl.wait().0.success());
    line.wait_until_cut();
}

#[test]
fn a_session_that_was_replaced_leaves_no_files() {
    let (repl, directory) = with_own_directory();
    repl.gives("import tempfile, os\nf = open(os.path.join(tempfile.gettempdir(), 'left'), 'w')\n_ = f.write('x')", IDLE);
    let home = files_in(directory.path()).pop().unwrap();
    for _ in 0..3 {
        repl.gives_part("\u{4}1 + 1", "2\n");
    }
    let text = repl.repl("import os, tempfile\nprint(os.listdir(tempfile.gettempdir()))");
    assert_eq!(text, "[]\n");
    drop(repl);
    assert!(!home.exists());
}

/// What a server that was killed leaves: a lock that nobody holds.
fn leave(directory: &Path, name: &str) -> PathBuf {
    let left = directory.join(name);
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("lock"), "").unwrap();
    left
}

/// A server that has swept `directory`, where something was left for it.
fn sweeps(directory: &Path) -> Server {
    let left = leave(directory, "mcp-repl-0-left");
    let repl = Builder::new().temporary(directory).start();
    let cell = "\
import glob, os
def sweeps():
    names = [open(file).read() for file in glob.glob(f'/proc/{os.getppid()}/task/*/comm')]
    return 'sweep\\n' in names
sweeps()";
    let mut reply = repl.repl(cell);
    let end = Instant::now() + HANG;
    while left.exists() || reply != "False\n" {
        assert!(Instant::now() < end, "{} stays: {reply}", left.display());
        reply = repl.repl("sweeps()");
    }
    repl
}

#[cfg(has = "proc")]
#[test]
fn files_of_a_server_that_lives_stay_and_those_of_one_that_was_killed_go() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = Builder::new().temporary(directory.path()).start();
    let line = Lifeline::lay(&first);
    let cell = "import tempfile\nfile = tempfile.NamedTemporaryFile()\n_ = file.write(b'kept')\nfile.flush()";
    first.gives(cell, IDLE);
    let home = files_in(directory.path()).pop().unwrap();
    let second = sweeps(directory.path());
    assert!(home.exists());
    first.gives("open(file.name).read()", "'kept'\n");
    first.gives_part("\u{4}6 * 7", "42\n");
    line.wait_until_cut();
    let line = Lifeline::lay(&first);
    first.kill();
    line.wait_until_cut();
    assert!(home.exists(), "nobody could remove it");
    let third = sweeps(directory.path());
    assert!(!home.exists());
    assert_eq!(files_in(directory.path()).len(), 2, "those of the two that live");
    for repl in [second, third] {
        repl.still_works();
        repl.gives_part("\u{4}6 * 7", "42\n");
    }
}
