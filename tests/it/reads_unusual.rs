//! Readers of the terminal in unusual places: of another user, in a session of their own, after a
//! stop, among others that print.

use crate::support::{Builder, IDLE, SECRET, Server, WAITING, assert_has, assert_has_not};

fn session() -> Server {
    Server::start_with("import os, select, signal, subprocess, sys, threading, time")
}

#[cfg(has = "proc")]
#[test]
fn a_program_that_was_stopped_as_it_waited_waits_on() {
    let repl = session();
    let cell = "\
import subprocess
program = 'import os, select; p = select.poll(); p.register(0, 1); p.poll(); print(os.read(0, 100))'
child = subprocess.Popen([sys.executable, '-c', program])
def call():
    with open(f'/proc/{child.pid}/syscall') as file: return file.read().split()[0]
polls = ('7', '73')
while call() not in polls: pass
os.kill(child.pid, signal.SIGSTOP)
os.waitpid(child.pid, os.WUNTRACED)
os.kill(child.pid, signal.SIGCONT)
child.wait()";
    repl.repl("import os, signal, sys");
    repl.waits(cell);
    repl.types("on", "b'on\\n'\n0\n");
    repl.still_works();
}

#[cfg(has = "posix")]
#[test]
fn a_child_in_a_session_of_its_own_reads() {
    let repl = session();
    let command = "['sh', '-c', 'read x; echo got $x']";
    repl.waits(&format!("subprocess.run({command}, start_new_session=True).returncode"));
    repl.types("this", "got this\n0\n");
    // One that nobody waits for is not what runs.
    repl.repl(&format!("child = subprocess.Popen({command}, start_new_session=True)"));
    repl.gives("6 * 7", "42\n");
    repl.gives("import time; time.sleep(0.3)", IDLE);
    repl.gives("child.kill(); child.wait()", "-9\n");
}

#[test]
fn a_reader_is_found_while_others_print() {
    let repl = session();
    let cell = "\
stop = threading.Event()
def prints():
    while not stop.wait(0.002): print('noise')
thread = threading.Thread(target=prints); thread.start()
try: got = os.read(0, 100)
finally: stop.set(); thread.join()
got";
    let reply = repl.repl(cell);
    // The kernel hands the end of a line on by itself: a row that is without it is a prompt.
    assert!(reply.ends_with(WAITING) || reply.ends_with("noise"), "{reply}");
    let reply = repl.repl("this");
    assert!(reply.ends_with("b'this\\n'\n"), "{reply}");
    repl.still_works();
}

#[cfg(has = "posix")]
#[test]
fn input_takes_what_is_left_of_lines_that_were_typed_for_another() {
    let repl = session();
    let asks = "os.system('read x; echo got $x'); y = input('y? '); y";
    repl.waits(asks);
    let reply = repl.repl("one\ntwo");
    assert!(reply.ends_with("'two'\n"), "{reply}");
    assert_has(&reply, "got one\ny? ");
    repl.still_works();
}

#[cfg(has = "posix")]
#[test]
fn a_program_of_another_user_asks_for_a_password() {
    let repl = Builder::new().unconfined("nothing inside gets the rights of su").start();
    repl.gives("import os, subprocess", IDLE);
    // Root is asked for none.
    let cell = "\
nobody = 'setpriv --reuid=65534 --regid=65534 --clear-groups'.split() if os.getuid() == 0 else []
subprocess.run(nobody + ['su', 'root']).returncode";
    let asked = repl.repl(cell);
    assert_eq!(asked, format!("Password: \n{SECRET}"));
    let reply = repl.repl("certainly-wrong");
    assert_has_not(&reply, "certainly-wrong");
    assert_eq!(reply.trim_start(), "su: Authentication failure\n1\n");
    repl.gives("input('shown? ')", "shown? ");
    repl.gives("yes", "'yes'\n");
}
