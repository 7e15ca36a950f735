//! Control: interrupt, a fresh session, and what comes behind them in the same payload.

use crate::support::{FRESH, IDLE, Lifeline, Server, assert_has, assert_has_not};

#[test]
fn an_interrupt_while_idle_is_consumed() {
    let repl = Server::start();
    repl.gives("x = 1", IDLE);
    repl.gives("\u{3}", IDLE);
    repl.gives("x", "1\n");
    repl.gives("\u{3}x + 1", "2\n");
    repl.gives("import time\ntime.sleep(0)\nx", "1\n");
}

#[cfg(has = "posix")]
#[test]
fn an_interrupt_while_busy_ends_the_cell_and_not_the_session() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let loops = [
        "while True: pass",
        "import time\ntime.sleep(1000)",
        "line.recv(1)",
        "import threading\nthreading.Event().wait()",
        "import subprocess\nsubprocess.run(['sleep', '1000'])",
        "import asyncio\nasyncio.run(asyncio.sleep(1000))",
    ];
    for source in loops {
        let running = repl.begin(&format!("x = 5\nline.send(b'!')\n{source}"));
        line.hears("!");
        let after = repl.repl("\u{3}");
        let both = running.text() + &after;
        assert_has(&both, "KeyboardInterrupt");
        repl.gives("x", "5\n");
    }
}

#[test]
fn the_rest_of_an_interrupt_runs_as_a_fresh_cell_in_the_same_reply() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let running = repl.begin("line.send(b'!')\nwhile True: pass");
    line.hears("!");
    let reply = repl.repl("\u{3}6 * 7");
    assert!(reply.ends_with("42\n"), "{reply}");
    assert_has(&(running.text() + &reply), "KeyboardInterrupt");
}

#[test]
fn an_interrupt_that_the_cell_catches_is_the_cells() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let cell = "\
try:
    line.send(b'!')
    line.recv(1)
except KeyboardInterrupt:
    print('caught')
finally:
    print('finally')";
    let running = repl.begin(cell);
    line.hears("!");
    let both = repl.repl("\u{3}") + &running.text();
    assert_has(&both, "caught\nfinally\n");
    assert_has_not(&both, "Traceback");
}

#[test]
fn an_interrupt_while_input_waits_raises_in_the_reader() {
    let repl = Server::start();
    for wait in ["input('? ')", "import sys\nsys.stdin.readline()", "import sys\nsys.stdin.read(3)"]
    {
        repl.repl(wait);
        assert_has(&repl.repl("\u{3}"), "KeyboardInterrupt");
        repl.still_works();
    }
    repl.gives("try: input('? ')\nexcept KeyboardInterrupt: print('caught')", "? ");
    repl.gives_part("\u{3}", "caught\n");
    repl.repl("input('? ')");
    let reply = repl.repl("\u{3}6 * 7");
    assert_has(&reply, "KeyboardInterrupt");
    assert!(reply.ends_with("42\n"), "{reply}");
}

#[test]
fn the_answer_after_an_interrupt_is_its_own() {
    let repl = Server::start();
    repl.gives(
        "try: a = input('first? ')\nexcept KeyboardInterrupt: a = input('second? ')",
        "first? ",
    );
    repl.gives_part("\u{3}", "second? ");
    repl.gives("yes", IDLE);
    repl.gives("a", "'yes'\n");
}

#[test]
fn a_fresh_session_at_idle() {
    let repl = Server::start();
    repl.gives("x = 1", IDLE);
    let reply = repl.repl("\u{4}");
    assert_has(&reply, FRESH);
    repl.gives_part("x", "NameError");
}

#[test]
fn a_fresh_session_runs_the_rest_in_the_same_reply() {
    let repl = Server::start();
    repl.gives("x = 1", IDLE);
    let reply = repl.repl("\u{4}y = 2\nprint('x' in globals(), y)");
    assert!(reply.ends_with(&format!("{FRESH}False 2\n")), "{reply}");
    repl.gives("y", "2\n");
    let reply = repl.repl("\u{4}input('name? ')");
    assert!(reply.ends_with("name? "), "{reply}");
    repl.gives("Ada", "'Ada'\n");
}

#[test]
fn a_fresh_session_while_busy() {
    let repl = Server::start();
    for source in ["while True: pass", "line.recv(1)"] {
        let mut line = Lifeline::lay(&repl);
        let running = repl.begin(&format!("line.send(b'!')\n{source}"));
        line.hears("!");
        let reply = repl.repl("\u{4}6 * 7");
        assert!(reply.ends_with("42\n"), "{reply}");
        assert_has(&(running.text() + &reply), FRESH);
        line.wait_until_cut();
    }
}

#[cfg(has = "posix")]
#[test]
fn a_worker_that_does_not_want_to_go_is_ended() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let cell = "\
import signal, time
for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
line.send(b'!')
while True: time.sleep(1000)";
    let running = repl.begin(cell);
    line.hears("!");
    let reply = repl.repl("\u{4}6 * 7");
    assert!(reply.ends_with("42\n"), "{reply}");
    running.text();
    line.wait_until_cut();
}

#[test]
fn a_fresh_session_while_input_waits() {
    let repl = Server::start();
    repl.gives("input('? ')", "? ");
    let reply = repl.repl("\u{4}6 * 7");
    assert!(reply.ends_with(&format!("{FRESH}42\n")), "{reply}");
}

#[cfg(has = "posix")]
#[test]
fn children_of_the_old_session_are_gone() {
    let repl = Server::start();
    let line = Lifeline::lay(&repl);
    repl.gives("child = subprocess.Popen(['sleep', '1000'], pass_fds=[line.fileno()])", IDLE);
    repl.gives_part("\u{4}", FRESH);
    line.wait_until_cut();
}

#[test]
fn what_atexit_prints_belongs_to_the_reply() {
    let repl = Server::start();
    repl.gives("import atexit\n_ = atexit.register(print, 'goodbye')", IDLE);
    let reply = repl.repl("\u{4}1 + 1");
    assert!(reply.starts_with("goodbye\n"), "{reply}");
    assert!(reply.ends_with(&format!("{FRESH}2\n")), "{reply}");
}

#[test]
fn sys_exit_ends_the_session_and_the_next_payload_starts_one() {
    let repl = Server::start();
    repl.gives(
        "import sys\nprint('bye')\nsys.exit(3)",
        "bye\n[repl] session ended (exit status 3)\n",
    );
    repl.gives("1 + 1", "[repl] new session started\n2\n");
    repl.gives("exit()", "[repl] session ended (exit status 0)\n");
    repl.gives("1 + 1", "[repl] new session started\n2\n");
    repl.gives(
        "raise SystemExit('a message')",
        "a message\n[repl] session ended (exit status 1)\n",
    );
    repl.gives("\u{3}1 + 1", "[repl] new session started\n2\n");
}

#[test]
fn exit_runs_atexit_and_waits_for_threads() {
    let repl = Server::start();
    let cell = "\
import atexit, sys, threading
_ = atexit.register(print, 'atexit')
def work():
    threading.main_thread().join()
    print('thread')
threading.Thread(target=work).start()
sys.exit()";
    let reply = repl.repl(cell);
    assert_eq!(reply, "thread\natexit\n[repl] session ended (exit status 0)\n");
}

#[test]
fn a_poll_after_the_end_does_not_start_a_session() {
    let repl = Server::start();
    repl.gives_part("raise SystemExit", "[repl] session ended (exit status 0)\n");
    let reply = repl.poll();
    assert_has_not(&reply, "new session started");
    repl.gives("1 + 1", "[repl] new session started\n2\n");
}

#[cfg(has = "posix")]
#[test]
fn a_worker_that_dies_says_how() {
    let repl = Server::start();
    let reply =
        repl.repl("import os, signal\nprint('last words')\nos.kill(os.getpid(), signal.SIGKILL)");
    assert_eq!(reply, "last words\n[repl] session ended (killed by SIGKILL)\n");
    repl.gives(
        "import os\nos._exit(9)",
        "[repl] new session started\n[repl] session ended (exit status 9)\n",
    );
    repl.gives(
        "import os\nos.abort()",
        "[repl] new session started\n[repl] session ended (killed by SIGABRT)\n",
    );
    repl.gives("1 + 1", "[repl] new session started\n2\n");
}

#[cfg(has = "posix")]
#[test]
fn a_descendant_that_keeps_the_terminal_open_delays_nothing() {
    let repl = Server::start();
    let line = Lifeline::lay(&repl);
    let cell = "\
subprocess.Popen(['sleep', '1000'], pass_fds=[line.fileno()])
subprocess.Popen(['sleep', '1000'], pass_fds=[line.fileno()], preexec_fn=os.setpgrp)
sys.exit(0)";
    let reply = repl.repl_with(cell, 20_000);
    assert_eq!(reply, "[repl] session ended (exit status 0)\n");
    repl.gives("1 + 1", "[repl] new session started\n2\n");
    line.wait_until_cut();
}

#[test]
fn control_characters_inside_a_payload_are_text() {
    let repl = Server::start();
    repl.gives("answer = input('? ')", "? ");
    repl.gives("a\u{3}b\u{4}c", IDLE);
    repl.gives("answer", "'a\\x03b\\x04c'\n");
}
