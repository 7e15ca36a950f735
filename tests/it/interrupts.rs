//! Interrupts: `\u{3}` strikes what runs, once, and what it does belongs to its own reply.

use serde_json::json;

use crate::support::{
    Builder, IDLE, Lifeline, Server, assert_has, assert_has_not, on_every_python, python,
};

/// How often each interrupt struck in a reply.
fn strikes(reply: &str) -> usize {
    reply.matches("KeyboardInterrupt").count()
}

#[test]
fn a_running_cell_is_interrupted() {
    on_every_python(|repl| {
        repl.starts_running("print('begun')\nwhile True: pass");
        let reply = repl.repl("\u{3}");
        assert!(reply.starts_with("Traceback (most recent call last):\n"), "{reply}");
        assert!(reply.ends_with("\nKeyboardInterrupt\n"), "{reply}");
        assert_eq!(strikes(&reply), 1, "{reply}");
        repl.still_works();
    });
}

#[test]
fn a_first_cell_is_interrupted() {
    for wait in 0..40 {
        let repl = Server::start();
        repl.poll();
        // The moment of the interrupt is the caller's: somewhere in the start of the cell.
        repl.repl_with("import time; time.sleep(1000)", wait);
        let reply = repl.repl_with("\u{3}", 5000);
        assert_eq!(strikes(&reply), 1, "after {wait} ms: {reply}");
    }
}

#[test]
fn a_sleep_is_interrupted() {
    on_every_python(|repl| {
        repl.starts_running("import time\nprint('begun')\ntime.sleep(1000)");
        assert!(repl.repl("\u{3}").ends_with("\nKeyboardInterrupt\n"));
        repl.still_works();
    });
}

#[test]
fn a_regular_expression_in_c_is_interrupted() {
    on_every_python(|repl| {
        repl.starts_running("import re\nprint('begun')\nre.match('(a+)+$', 'a' * 60 + 'b')");
        assert!(repl.repl("\u{3}").ends_with("\nKeyboardInterrupt\n"));
        repl.still_works();
    });
}

#[test]
fn an_input_is_interrupted() {
    on_every_python(|repl| {
        for cell in ["input('a? ')", "import sys; sys.stdin.readline()", "import os; os.read(0, 1)"]
        {
            assert_has_not(&repl.repl(cell), "busy");
            let reply = repl.repl("\u{3}");
            assert!(reply.ends_with("\nKeyboardInterrupt\n"), "{cell}: {reply}");
        }
        repl.still_works();
    });
}

#[cfg(has = "posix")]
#[test]
fn a_child_in_the_foreground_is_interrupted() {
    on_every_python(|repl| {
        let program = "import signal; print('begun', flush=True); signal.pause()";
        repl.starts_running(&format!(
            "import subprocess, sys\nsubprocess.run([sys.executable, '-c', {program:?}])"
        ));
        let reply = repl.repl("\u{3}");
        // The child has its own traceback.
        assert_eq!(strikes(&reply), 2, "{reply}");
        repl.still_works();
    });
}

#[cfg(has = "posix")]
#[test]
fn a_child_that_handles_the_interrupt_lives_on() {
    let repl = Server::start();
    let cell = "\
import signal, subprocess, sys
child = '''
import signal, sys
signal.signal(signal.SIGINT, lambda *_: print('not me', flush=True))
print('begun', flush=True)
print('got', input())
'''
before = signal.signal(signal.SIGINT, signal.SIG_IGN)
code = subprocess.Popen([sys.executable, '-c', child], restore_signals=True).wait()
before = signal.signal(signal.SIGINT, before)
code";
    begin_or_wait(&repl, cell);
    let call = repl.begin("\u{3}");
    assert_has(&call.text(), "not me\n");
    assert!(repl.repl("x").ends_with("got x\n0\n"));
}

/// As `starts_running`, for a cell that may already wait.
fn begin_or_wait(repl: &Server, cell: &str) {
    if !repl.repl(cell).contains("begun\n") {
        repl.poll_until("begun\n");
    }
}

#[test]
fn a_handler_of_the_users_runs_once() {
    on_every_python(|repl| {
        let cell = "\
import signal
struck = []
def handle(number, frame):
    struck.append(number)
    print('handled')
signal.signal(signal.SIGINT, handle)
print('begun')
while not struck: pass
len(struck)";
        repl.starts_running(cell);
        repl.gives("\u{3}", "handled\n1\n");
        // While idle there is nothing to strike.
        repl.gives("\u{3}", IDLE);
        repl.gives("len(struck)", "1\n");
    });
}

#[test]
fn a_handler_that_returns_leaves_input_waiting() {
    let repl = Server::start();
    repl.repl("import signal\n_ = signal.signal(signal.SIGINT, lambda *_: print('handled'))");
    repl.gives("input('a? ')", "a? ");
    let reply = repl.call(&json!({"input": "\u{3}", "timeout_ms": 10_000})).text();
    assert_has(&reply, "handled\n");
    assert_has_not(&reply, "busy");
    repl.gives("b", "'b'\n");
}

/// What the worker says of an interrupt's effect comes behind its acknowledgement, though the thread
/// that acknowledges is slow.
#[cfg(has = "proc")]
#[test]
fn a_wait_behind_an_interrupt_answers_it() {
    on_every_python(|repl| {
        let slow = "\
import os
one = {min(os.sched_getaffinity(0))}
for thread in map(int, os.listdir('/proc/self/task')):
    os.sched_setaffinity(thread, one)
    if thread != os.getpid():
        os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))";
        repl.gives(slow, IDLE);
        let cell = "\
lines = []
while len(lines) < 100:
    try: lines.append(input('a? '))
    except KeyboardInterrupt: pass";
        repl.gives(cell, "a? ");
        for number in 0..100 {
            let reply = repl.repl_with("\u{3}", 10_000);
            assert!(reply.ends_with("a? "), "interrupt {number}: {reply}");
            let reply = repl.repl_with(&format!("\u{3}{number}"), 10_000);
            assert_has_not(&reply, "<<repl status");
        }
        repl.gives("lines == [str(number) for number in range(100)]", "True\n");
    });
}

#[test]
fn a_caught_interrupt_is_no_error() {
    on_every_python(|repl| {
        repl.starts_running(
            "import time\ntry:\n    print('begun')\n    time.sleep(1000)\nexcept KeyboardInterrupt: print('caught')\n42",
        );
        repl.gives("\u{3}", "caught\n42\n");
        repl.gives("try: input('a? ')\nexcept KeyboardInterrupt: x = input('again? ')\nx", "a? ");
        assert!(repl.repl("\u{3}").ends_with("again? "));
        repl.gives("yes", "'yes'\n");
    });
}

#[test]
fn an_interrupt_while_idle_says_so_and_poisons_nothing() {
    on_every_python(|repl| {
        repl.gives("\u{3}", IDLE);
        repl.gives("import time; time.sleep(0.05); 1", "1\n");
        repl.gives("\u{3}", IDLE);
        repl.gives("\u{3}", IDLE);
        repl.gives("input('a? ')", "a? ");
        repl.gives("b", "'b'\n");
        repl.gives("\u{3}\u{3}\u{3}", IDLE);
        repl.still_works();
    });
}

#[test]
fn code_behind_an_interrupt_runs_when_it_has_struck() {
    on_every_python(|repl| {
        repl.starts_running(
            "import time\ntry:\n    print('begun')\n    time.sleep(1000)\nfinally: print('cleaned up')",
        );
        let reply = repl.repl("\u{3}print('behind')\n6 * 7");
        let (before, behind) = reply.split_once("KeyboardInterrupt\n").expect(&reply);
        assert!(before.starts_with("cleaned up\nTraceback"), "{reply}");
        assert_eq!(behind, "behind\n42\n");
        repl.gives("\u{3}6 * 7", "42\n");
    });
}

#[test]
fn an_interrupt_of_a_cell_that_goes_on_is_told_with_the_rest_discarded() {
    let repl = Server::start();
    let cell = "\
import time
while True:
    try:
        print('begun')
        time.sleep(1000)
    except KeyboardInterrupt: print('no')";
    repl.starts_running(cell);
    let reply = repl.repl_with("\u{3}6 * 7", 300);
    assert_has(&reply, "no\n");
    assert_has(&reply, "[repl] input discarded while worker busy\n<<repl status: busy");
    let reply = repl.repl("\u{4}6 * 7");
    assert!(reply.ends_with("[repl] new session started\n42\n"), "{reply}");
}

#[test]
fn an_interrupt_does_not_wait_for_a_call_that_waits() {
    let repl = Server::start();
    repl.starts_running("print('begun')\nwhile True: pass");
    let waiting = repl.begin("");
    let interrupt = repl.begin("\u{3}");
    let both = waiting.text() + &interrupt.text();
    assert_eq!(strikes(&both), 1, "{both}");
    assert_has_not(&both, "busy");
    repl.still_works();
}

#[test]
fn a_cell_that_was_just_sent_is_interrupted_too() {
    let repl = Server::start();
    repl.still_works();
    for n in 0..100 {
        let cell = repl.begin("import time; time.sleep(1000)");
        let interrupt = repl.begin("\u{3}");
        let both = cell.text() + &interrupt.text();
        assert_eq!(strikes(&both), 1, "interrupt {n}: {both}");
    }
    repl.still_works();
}

#[test]
fn a_cell_that_waits_for_the_session_to_start_is_interrupted_too() {
    let repl = Server::start();
    let cell = repl.call(&json!({"input": "import time; time.sleep(1000)", "timeout_ms": 5000}));
    let interrupt = repl.call(&json!({"input": "\u{3}", "timeout_ms": 5000}));
    let both = cell.text() + &interrupt.text();
    assert_has_not(&both, "busy");
    repl.still_works();
}

#[test]
fn hundreds_of_interrupts_strike_one_cell_each() {
    on_every_python(|repl| {
        repl.still_works();
        for n in 1..=200 {
            let reply = repl.repl_with("while True: pass", 2);
            assert_has(&reply, "busy");
            let reply = repl.repl("\u{3}");
            assert_eq!(strikes(&reply), 1, "interrupt {n}: {reply}");
            repl.gives("6 * 7", "42\n");
        }
    });
}

#[test]
fn interrupts_are_dealt_with_on_a_busy_machine() {
    let repl = Server::start();
    // As many processes as compute all the time keep every core busy; the line's end stops them.
    let _busy: Vec<Burner> =
        (0..std::thread::available_parallelism().unwrap().get()).map(|_| Burner::start()).collect();
    repl.gives("import time", IDLE);
    for n in 1..=100 {
        let what = ["while True: pass", "time.sleep(1000)", "input()"][n % 3];
        repl.repl_with(what, 5);
        let reply = repl.repl("\u{3}");
        assert_eq!(strikes(&reply), 1, "interrupt {n}: {reply}");
        repl.still_works();
    }
}

/// A process that computes until it is dropped.
struct Burner(std::process::Child);

impl Burner {
    fn start() -> Burner {
        let python = python::default();
        let mut command = std::process::Command::new(python);
        Burner(command.args(["-c", "while True: pass"]).spawn().unwrap())
    }
}

impl Drop for Burner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn interrupts_between_short_cells_never_hit_the_worker_itself() {
    on_every_python(|repl| {
        repl.still_works();
        for n in 0..200 {
            // All at once: the interrupt may come before, in, or behind each cell.
            let calls =
                [repl.begin("1 + 1"), repl.begin("\u{3}"), repl.begin("\u{3}"), repl.begin("")];
            let said: String = calls.iter().map(|call| call.text()).collect();
            assert_has_not(&said, "session ended");
            assert_has_not(&said, "_mcp_repl");
            let shown = said.matches("2\n").count();
            // It may strike right behind the value was shown.
            assert!(shown <= 1 && strikes(&said) <= 1, "round {n}: {said}");
            assert!(shown + strikes(&said) >= 1, "round {n}: {said}");
        }
        repl.still_works();
        repl.gives("input('a? ')", "a? ");
        repl.gives("b", "'b'\n");
    });
}

#[cfg(has = "posix")]
#[test]
fn a_storm_of_signals_while_idle_kills_nothing() {
    on_every_python(|repl| {
        let mut line = Lifeline::lay(repl);
        let pid = rustix::process::Pid::from_raw(repl.worker_pid()).unwrap();
        for _ in 0..200 {
            // Straight from the kernel, as a person's `kill -INT` comes.
            rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        }
        let calls: Vec<_> = (0..100).map(|_| repl.begin("\u{3}")).collect();
        for call in calls {
            assert_has_not(&call.text(), "session ended");
        }
        repl.still_works();
        line.release();
        repl.gives("line.recv(1)", "b'x'\n");
    });
}

#[test]
fn a_storm_during_the_start_of_a_session_kills_nothing() {
    for version in python::versions() {
        let repl = Builder::new().python(python::of_version(version)).start();
        let calls: Vec<_> = (0..100).map(|_| repl.begin("\u{3}")).collect();
        let cell = repl.begin("\u{3}6 * 7");
        let said: String = calls.iter().map(|call| call.text()).collect();
        assert_has_not(&said, "session ended");
        assert_has_not(&said, "Traceback");
        assert_eq!(cell.text(), "42\n", "with Python {version}");
        // And during the start of a second one.
        let reset = repl.begin("\u{4}");
        let calls: Vec<_> = (0..100).map(|_| repl.begin("\u{3}")).collect();
        let mut said = reset.text();
        calls.iter().for_each(|call| said += &call.text());
        assert_eq!(
            said.matches("[repl] session ended (").count(),
            1,
            "with Python {version}: {said}"
        );
        assert_has_not(&said, "Traceback");
        repl.still_works();
    }
}

/// It is woken a few times if it does not see its interrupt, over the best part of a second.
#[cfg(has = "posix")]
#[test]
fn what_wakes_an_interrupted_cell_ends_no_system_call_of_the_next() {
    let repl = Server::start_with("import ctypes\nusleep = ctypes.CDLL(None).usleep");
    repl.repl_with("while True: pass", 0);
    repl.repl("\u{3}");
    repl.gives("usleep(800_000)", "0\n");
}
