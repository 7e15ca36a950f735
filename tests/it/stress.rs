//! Threads that print, plot, fork and read while payloads and interrupts arrive: nothing deadlocks,
//! nothing of one is taken for another, and the session works afterwards. Lines of several
//! threads mix on the terminal as they do on any.

use std::time::{Duration, Instant};

use crate::support::{Server, assert_has, assert_has_not, on_every_python, pictures};

/// How long each version is under stress.
const TIME: Duration = Duration::from_secs(4);

/// Threads that go on until `stop` is set. `logging` says when it is imported what is to be done at a
/// fork, which a fork of another thread must not come in the middle of.
const THREADS: &str = "\
import logging, os, subprocess, sys, threading, time
stop = threading.Event()
counts = dict.fromkeys(['printed', 'forked', 'started', 'waited', 'joined'], 0)
def prints():
    while not stop.is_set():
        counts['printed'] += 1
        print('printed', counts['printed'])
        sys.stderr.write('and told\\n')
        time.sleep(0.001)
def forks():
    while not stop.is_set():
        pid = os.fork()
        if pid == 0:
            os.write(1, b'from a fork\\n')
            os._exit(0)
        os.waitpid(pid, 0)
        counts['forked'] += 1
        time.sleep(0.01)
def starts():
    while not stop.is_set():
        subprocess.run(['true'])
        counts['started'] += 1
        time.sleep(0.02)
def joins():
    while not stop.is_set():
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        counts['joined'] += 1
        time.sleep(0.002)
threads = [threading.Thread(target=f) for f in (prints, forks, starts, joins)]
for thread in threads: thread.start()";

fn stress(repl: &Server, threads: &str) {
    assert_has_not(&repl.repl(threads), "Error");
    let end = Instant::now() + TIME;
    let mut rounds = 0;
    while Instant::now() < end {
        rounds += 1;
        // A cell, and its value in its own reply.
        assert_has(&repl.repl(&format!("('cell', {rounds})")), &format!("('cell', {rounds})"));
        // A read, and its answer.
        assert_has_not(&repl.repl("input('ask? ')"), "busy");
        assert_has(&repl.repl(&format!("answer {rounds}")), &format!("'answer {rounds}'"));
        // A read that is interrupted.
        assert_has_not(&repl.repl("sys.stdin.readline()"), "busy");
        assert_has(&repl.repl("\u{3}"), "KeyboardInterrupt");
        // Work that is interrupted, and code behind the interrupt.
        repl.repl_with("while True: pass", 2);
        let reply = repl.repl(&format!("\u{3}('behind', {rounds})"));
        assert_has(&reply, "KeyboardInterrupt");
        assert_has(&reply, &format!("('behind', {rounds})"));
        // Several at once.
        let calls = [repl.begin("1 + 1"), repl.begin("\u{3}"), repl.begin("")];
        let said: String = calls.iter().map(|call| call.text()).collect();
        assert_has_not(&said, "session ended");
        assert_has_not(&said, "<<repl status: busy");
    }
    eprintln!("{rounds} rounds");
    let reply = repl.repl("stop.set()\nfor thread in threads: thread.join()\ncounts");
    assert_has_not(&reply, "busy");
    // What the threads printed after the last reply is told by now.
    repl.repl("");
    repl.gives("6 * 7", "42\n");
}

#[cfg(has = "posix")]
#[test]
fn threads_that_print_fork_and_join_do_not_disturb_cells_reads_and_interrupts() {
    on_every_python(|repl| stress(repl, THREADS));
}

#[test]
fn threads_that_read_get_every_line_once_while_others_print_and_fork() {
    let repl = Server::start();
    let cell = "\
heard = []
def reads():
    while (line := sys.stdin.buffer.readline()) != b'end\\n': heard.append(int(line))
readers = [threading.Thread(target=reads) for _ in range(4)]
for reader in readers: reader.start()
for reader in readers: reader.join()
stop.set()
for thread in threads: thread.join()
sorted(heard) == list(range(len(heard))), len(heard)";
    repl.repl(THREADS);
    repl.repl(cell);
    let mut sent = 0;
    let end = Instant::now() + TIME;
    while Instant::now() < end {
        let lines: String = (sent..sent + 25).map(|n| format!("{n}\n")).collect();
        let reply = repl.repl(&lines);
        assert_has_not(&reply, "discarded");
        sent += 25;
    }
    // The value comes when nobody else prints.
    let said = repl.brings("end\nend\nend\nend\n", &format!("(True, {sent})\n"));
    assert_has_not(&said, "discarded");
    repl.still_works();
}

/// Threads that draw figures and save them, as programs do that plot in the background.
const PLOTS: &str = "\
import io
from matplotlib.figure import Figure
def plots():
    while not stop.is_set():
        figure = Figure()
        figure.subplots().plot(range(100))
        figure.savefig(file := io.BytesIO())
        assert file.getvalue().startswith(b'\\x89PNG')
        counts['plotted'] = counts.get('plotted', 0) + 1
more = [threading.Thread(target=plots) for _ in range(2)]
threads += more
for thread in more: thread.start()";

#[cfg(has = "posix")]
#[test]
fn threads_that_plot_do_not_disturb_cells_reads_and_interrupts() {
    let repl = pictures::session();
    stress(&repl, &format!("{THREADS}\n{PLOTS}"));
    let reply = repl.repl("counts['plotted'] > 1");
    assert_has(&reply, "True\n");
}
