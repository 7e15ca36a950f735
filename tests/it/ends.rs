//! Ends of sessions and fresh ones: every byte that was printed is told, then how the session
//! ended, and the next payload runs in a session of its own.

use std::{path::PathBuf, time::Instant};

use crate::support::{HANG, IDLE, Lifeline, Server, assert_has, assert_has_not, on_every_python};

/// The line that says how a session ended.
fn ended(how: &str) -> String {
    format!("[repl] session ended ({how})\n")
}

/// The next payload runs in a fresh session.
#[track_caller]
fn starts_anew(repl: &Server) {
    repl.gives("'name' in globals()", "[repl] new session started\nFalse\n");
}

#[cfg(has = "posix")]
#[test]
fn every_way_to_exit_tells_what_was_printed_and_how_it_ended() {
    on_every_python(|repl| {
        for (cell, output, how) in [
            ("import sys; sys.exit()", "", "exit status 0"),
            ("import sys; print('out'); sys.exit()", "out\n", "exit status 0"),
            ("exit()", "", "exit status 0"),
            ("quit(4)", "", "exit status 4"),
            ("import sys; sys.exit('a message')", "a message\n", "exit status 1"),
            ("raise SystemExit(3)", "", "exit status 3"),
            ("raise SystemExit(None)", "", "exit status 0"),
            ("def f(): raise SystemExit\nf()", "", "exit status 0"),
            (
                "import os; print('half', end='', flush=True); os._exit(3)",
                "half\n",
                "exit status 3",
            ),
            ("import os; os.abort()", "", "killed by SIGABRT"),
            ("import ctypes; print('out'); ctypes.string_at(0)", "out\n", "killed by SIGSEGV"),
            ("import os; print('out'); os.kill(os.getpid(), 9)", "out\n", "killed by SIGKILL"),
            ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "", "killed by SIGTERM"),
        ] {
            repl.repl("name = 1");
            repl.gives(cell, &format!("{output}{}", ended(how)));
            starts_anew(repl);
        }
    });
}

#[test]
fn what_runs_at_the_end_belongs_to_the_reply() {
    on_every_python(|repl| {
        let cell = "\
import atexit, sys, threading, weakref
class Thing: pass
thing = Thing()
weakref.finalize(thing, print, 'a finaliser')
atexit.register(print, 'at exit')
let = threading.Event()
threading.Thread(target=lambda: (let.wait(), print('a thread'))).start()
threading.Timer(0.2, let.set).start()
print('now')
sys.exit(2)";
        let reply = repl.repl(cell);
        assert!(reply.starts_with("now\na thread\n"), "{reply}");
        assert_has(&reply, "\nat exit\n");
        assert_has(&reply, "\na finaliser\n");
        assert!(reply.ends_with(&ended("exit status 2")), "{reply}");
        starts_anew(repl);
    });
}

#[test]
fn objects_of_main_are_finalised_at_the_end() {
    on_every_python(|repl| {
        let cell = "\
import sys
class F:
    def __init__(self, name): self.name = name
    def __del__(self): print('finalised:', self.name)
a = F('a variable')
b = F('a cycle'); b.self = b
class Class: attribute = F('of a class')
generator = (F('of a generator') for _ in range(2)); c = next(generator)";
        let exits = "def f():\n    local = F('a local')\n    sys.exit()\nf()";
        for (exit, has_local) in [(exits, true), ("sys.exit()", false), ("\u{4}", false)] {
            repl.repl(cell);
            let reply = repl.repl(exit);
            let objects = ["a variable", "a cycle", "of a class", "of a generator"];
            for object in objects.into_iter().chain(has_local.then_some("a local")) {
                assert_has(&reply, &format!("finalised: {object}\n"));
            }
            assert_has(&reply, &ended("exit status 0"));
            repl.repl("");
        }
        // The error before it kept them alive.
        repl.repl(cell);
        repl.gives_part("def f(it): 1 / 0\nf(a)", "ZeroDivisionError: division by zero");
        assert_has(&repl.repl("sys.exit()"), "finalised: a variable\n");
        starts_anew(repl);
    });
}

#[cfg(has = "posix")]
#[test]
fn much_output_before_the_end_is_told_to_its_last_byte() {
    let repl = Server::start();
    for exit in ["os._exit(0)", "os.kill(os.getpid(), 9)", "sys.exit()"] {
        let cell = format!(
            "import os, sys\nfor n in range(20_000): print('line', n)\nsys.stdout.flush()\n{exit}"
        );
        let reply = repl.repl(&cell);
        assert_has(&reply, "\nline 19999\n[repl] session ended (");
    }
}

#[cfg(has = "posix")]
#[test]
fn memory_that_runs_out_is_an_error_of_the_cell() {
    let repl = Server::start();
    let cell = "\
import resource
_, hard = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, hard))
[bytearray(1 << 28) for _ in range(100)]";
    repl.gives_part(cell, "MemoryError");
    repl.still_works();
}

#[cfg(has = "posix")]
#[test]
fn a_worker_that_is_killed_from_outside_is_told_in_the_next_reply() {
    let repl = Server::start();
    let pid = rustix::process::Pid::from_raw(repl.worker_pid()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let end = Instant::now() + HANG;
    let mut said = repl.poll();
    while said == IDLE {
        assert!(Instant::now() < end, "the end is not told");
        said = repl.poll();
    }
    assert_eq!(said, ended("killed by SIGKILL"));
    starts_anew(&repl);
}

#[cfg(has = "posix")]
#[test]
fn a_signal_handler_that_exits_while_the_session_is_idle_ends_it() {
    on_every_python(|repl| {
        for (raise, how) in [("SystemExit", 0), ("SystemExit(7)", 7)] {
            let pid = rustix::process::Pid::from_raw(repl.worker_pid()).unwrap();
            let cell = format!(
                "import atexit, signal\n\
                 _ = atexit.register(print, 'at exit')\n\
                 name = 1\n\
                 def handle(*_):\n    print('handled')\n    raise {raise}\n\
                 _ = signal.signal(signal.SIGUSR1, handle)"
            );
            repl.gives(&cell, IDLE);
            rustix::process::kill_process(pid, rustix::process::Signal::USR1).unwrap();
            let end = Instant::now() + HANG;
            let mut said = String::new();
            while !said.contains("session ended") {
                assert!(Instant::now() < end, "the end is not told: {said}");
                said += &repl.poll();
            }
            let said = said.replace(IDLE, "");
            assert_eq!(said, format!("handled\nat exit\n{}", ended(&format!("exit status {how}"))));
            starts_anew(repl);
        }
    });
}

#[cfg(has = "posix")]
#[test]
fn a_fresh_session_has_a_directory_for_temporary_files_that_stays() {
    on_every_python(|repl| {
        let cell = "import os, tempfile\nold = tempfile.gettempdir()\nold";
        let directory =
            |reply: &str| PathBuf::from(reply.lines().last().unwrap().trim_matches('\''));
        let old = directory(&repl.repl(cell));
        // The old session leaves a child that takes its time to go.
        let reply = repl.repl("import subprocess\n_ = subprocess.Popen(['sh', '-c', 'trap \"\" HUP; sleep 1000'])\nopen(old + '/file', 'w').close()\nos._exit(0)");
        assert_has(&reply, "session ended");
        let new = directory(&repl.repl(cell));
        assert_ne!(old, new);
        repl.gives(
            "file = tempfile.NamedTemporaryFile()\nfile.write(b'x'), os.path.exists(file.name)",
            "(1, True)\n",
        );
        let end = Instant::now() + HANG;
        while old.exists() {
            assert!(Instant::now() < end, "{} stays", old.display());
            // A round trip to the session, as a client makes between.
            repl.still_works();
        }
        repl.gives("os.path.exists(file.name), len(tempfile.mkdtemp()) > 0", "(True, True)\n");
    });
}

#[cfg(has = "posix")]
#[test]
fn a_handler_that_is_stuck_at_exit_is_given_ten_seconds() {
    let repl = Server::start();
    let began = Instant::now();
    let reply = repl.repl(
        "import atexit, signal, sys\n_ = atexit.register(signal.pause)\nprint('out')\nsys.exit()",
    );
    assert_eq!(reply, format!("out\n{}", ended("killed by SIGKILL")));
    let took = began.elapsed().as_secs();
    assert!((9..20).contains(&took), "{took} s");
    starts_anew(&repl);
}

#[test]
fn a_thread_that_never_ends_is_given_ten_seconds_or_until_a_reset() {
    let repl = Server::start();
    let cell = "import sys, threading\nthreading.Thread(target=threading.Event().wait).start()\nsys.exit()";
    let exit = repl.repl_with(cell, 200);
    assert!(exit.starts_with("<<repl status: busy"), "{exit}");
    let reply = repl.repl("\u{4}6 * 7");
    assert!(reply.ends_with("[repl] new session started\n42\n"), "{reply}");
}

#[test]
fn what_is_asked_at_exit_is_answered() {
    on_every_python(|repl| {
        for cell in [
            "import atexit, sys\natexit.register(lambda: print(input('sure? ')))\nsys.exit()",
            "import threading\nask = lambda: print(input('sure? '))\nthreading.Thread(target=ask).start()\nexit()",
        ] {
            let mut reply = repl.repl(cell);
            if !reply.ends_with("sure? ") {
                // The thread asked before its cell was over, or between two replies.
                reply = repl.poll_until("sure? ");
            }
            assert_has_not(&reply, "session ended");
            repl.gives("yes", &format!("yes\n{}", ended("exit status 0")));
            starts_anew(repl);
        }
        // It may be interrupted or ended, too.
        let cell = "import atexit\natexit.register(lambda: input('sure? '))\nexit()";
        repl.gives(cell, "sure? ");
        let reply = repl.repl("\u{3}");
        assert_has(&reply, "KeyboardInterrupt");
        assert!(reply.ends_with(&ended("exit status 0")), "{reply}");
        starts_anew(repl);
        repl.gives(cell, "sure? ");
        let reply = repl.repl("\u{4}6 * 7");
        assert!(reply.ends_with("[repl] new session started\n42\n"), "{reply}");
    });
}

#[cfg(has = "posix")]
#[test]
fn a_worker_that_ignores_signals_is_killed() {
    on_every_python(|repl| {
        repl.repl("name = 1");
        let cell = "\
import signal
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
    _ = signal.signal(number, signal.SIG_IGN)
print('begun')
while True: pass";
        let reply = repl.repl_with(cell, 200);
        assert_has(&reply, "busy");
        let began = Instant::now();
        let reply = repl.repl("\u{4}'name' in globals()");
        let fresh = format!("{}[repl] new session started\nFalse\n", ended("killed by SIGKILL"));
        assert!(reply.ends_with(&fresh), "{reply}");
        assert!(began.elapsed().as_secs() < 20);
    });
}

#[cfg(has = "posix")]
#[test]
fn a_daemon_that_holds_the_terminal_delays_nothing() {
    let repl = Server::start_with("import os, time");
    let cell = "\
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(5)
    os._exit(0)
os.wait()
print('out')
raise SystemExit";
    let began = Instant::now();
    repl.gives(cell, &format!("out\n{}", ended("exit status 0")));
    assert!(began.elapsed().as_millis() < 900, "{:?}", began.elapsed());
    starts_anew(&repl);
}

#[cfg(has = "posix")]
#[test]
fn a_detached_child_lives_on_while_the_session_lives() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let cell = "\
child = subprocess.Popen(
    [sys.executable, '-c', 'import os, sys; n = int(sys.argv[1])\\nwhile os.read(n, 1): os.write(n, b\"y\")', str(line.fileno())],
    pass_fds=[line.fileno()], start_new_session=True)";
    repl.gives(cell, IDLE);
    let lives = |line: &mut Lifeline| {
        line.release();
        line.hears("y");
    };
    lives(&mut line);
    repl.repl("input('a? ')");
    repl.repl("\u{3}");
    lives(&mut line);
    repl.gives_part("import os; os.read(0, 1)", "waiting");
    repl.repl("\u{3}");
    lives(&mut line);
    repl.gives("child.kill(); child.wait()", "-9\n");
}

#[test]
fn a_reset_gives_one_reply_with_the_old_output_first() {
    on_every_python(|repl| {
        // While idle, with output nobody has heard.
        repl.repl("import atexit\n_ = atexit.register(print, 'at exit')");
        let fresh = format!("{}[repl] new session started\n", ended("exit status 0"));
        repl.gives("\u{4}", &format!("at exit\n{fresh}"));
        // While a reader waits.
        repl.gives("import atexit\n_ = atexit.register(print, 'at exit')\ninput('a? ')", "a? ");
        let reply = repl.repl("\u{4}print('new')");
        assert!(reply.trim_start().starts_with("at exit\n"), "{reply}");
        assert!(reply.ends_with(&format!("{fresh}new\n")), "{reply}");
        // While it is busy.
        repl.repl_with("import time\nprint('old')\ntime.sleep(1000)", 0);
        let reply = repl.repl("\u{4}print('new')");
        assert!(reply.ends_with("[repl] new session started\nnew\n"), "{reply}");
        assert_eq!(reply.matches("session ended").count(), 1, "{reply}");
        // Again and again.
        repl.gives("\u{4}\u{4}1 + 1", &format!("{fresh}{fresh}2\n"));
    });
}

#[cfg(has = "posix")]
#[test]
fn a_reset_while_a_program_reads_the_terminal() {
    let repl = Server::start();
    repl.gives_part("import subprocess\nsubprocess.run(['bash', '--norc', '-i'])", "bash");
    let reply = repl.repl("\u{4}6 * 7");
    assert!(reply.ends_with("[repl] new session started\n42\n"), "{reply}");
    assert_has_not(&reply, "busy");
}

#[cfg(has = "posix")]
#[test]
fn nothing_is_left_two_seconds_after_the_server_was_killed() {
    let mut repl = Server::start();
    let line = Lifeline::lay(&repl);
    let cell = "\
import signal
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
    _ = signal.signal(number, signal.SIG_IGN)
_ = subprocess.Popen(['sh', '-c', 'trap \"\" HUP TERM; while :; do :; done'], pass_fds=[line.fileno()])
_ = subprocess.Popen(['sleep', '1000'], pass_fds=[line.fileno()])
while True: pass";
    assert_has(&repl.repl_with(cell, 300), "busy");
    repl.signal(rustix::process::Signal::KILL);
    let began = Instant::now();
    repl.wait();
    line.wait_until_cut();
    // Two seconds, on a machine that may have other things to do.
    assert!(began.elapsed().as_secs() < 6, "{:?}", began.elapsed());
}

#[test]
fn a_program_that_leaves_interrupts_to_the_system_ends_by_one() {
    let repl = Server::start();
    repl.repl("import signal\n_ = signal.signal(signal.SIGINT, signal.SIG_DFL)");
    repl.starts_running("print('begun')\nwhile True: pass");
    repl.gives_part("\u{3}", "session ended (killed by SIGINT)");
    repl.gives_part("6 * 7", "42\n");
}
