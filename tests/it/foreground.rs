//! Interrupts while the terminal's foreground group is not the session's own: `\u{3}` ends the
//! cell all the same.
#![cfg(has = "posix")]

use crate::support::{IDLE, Server, assert_has_not, on_every_python};

/// Defines `lead(*program)`: it starts a program that leads the terminal's foreground group.
const LEAD: &str = "\
import os, signal, subprocess, time
def take():
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpgrp())
def lead(*program): return subprocess.Popen(program, preexec_fn=take)";

/// Runs statements, then one that goes on for ever, and interrupts it. Gives what was said.
#[track_caller]
fn interrupted(repl: &Server, statements: &str, last: &str) -> String {
    repl.starts_running(&format!("{statements}\nprint('begun')\n{last}"));
    let said = repl.repl_with("\u{3}", 5000);
    assert_has_not(&said, "busy");
    // The terminal is the session's again.
    repl.gives("os.tcgetpgrp(0) == os.getpgrp()", "True\n");
    said
}

#[test]
fn a_group_that_is_gone() {
    on_every_python(|repl| {
        repl.gives(LEAD, IDLE);
        let gone = "child = lead('sleep', '1000')\nchild.kill()\n_ = child.wait()";
        for cell in ["time.sleep(1000)", "while True: pass"] {
            let reply = interrupted(repl, gone, cell);
            assert!(reply.ends_with("\nKeyboardInterrupt\n"), "{reply}");
        }
        repl.gives(&format!("{gone}\ninput('a? ')"), "a? ");
        assert!(repl.repl("\u{3}").ends_with("\nKeyboardInterrupt\n"));
        repl.still_works();
    });
}

#[test]
fn a_group_whose_processes_have_ended_and_were_not_waited_for() {
    on_every_python(|repl| {
        repl.gives(LEAD, IDLE);
        let cell = "\
child = lead('sleep', '1000')
child.kill()
_ = os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)";
        let reply = interrupted(repl, cell, "time.sleep(1000)");
        assert!(reply.ends_with("\nKeyboardInterrupt\n"), "{reply}");
        repl.gives("child.wait()", "-9\n");
    });
}

#[test]
fn a_group_that_is_stopped() {
    on_every_python(|repl| {
        repl.gives(LEAD, IDLE);
        let cell = "\
child = lead('sleep', '1000')
child.send_signal(signal.SIGSTOP)
_ = os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)";
        // The signal ends the child, and its end the cell.
        assert_eq!(interrupted(repl, cell, "child.wait()"), "-2\n");
        repl.still_works();
    });
}
