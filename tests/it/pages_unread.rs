//! Pages of programs that do not read the terminal themselves: what is sent is typed, and the reply
//! comes when the page stands still.
#![cfg(has = "posix")]

use crate::support::{
    Server, assert_has,
    paging::{plain_environment, start},
};

/// A session that can start tmux, with a server of its own.
fn session() -> Server {
    let repl = start(plain_environment());
    repl.repl("import os, subprocess, sys\nos.environ['TMUX_TMPDIR'] = os.getcwd()");
    repl
}

const TMUX: &str = "\
subprocess.run(['tmux', '-f', '/dev/null', 'new-session', 'env PS1=\"% \" sh', ';',
                'set', 'status', 'off']).returncode";

/// Polls, from this reply on, until a page has that on it. Gives the reply.
#[track_caller]
fn shows(repl: &Server, mut reply: String, sought: &str) -> String {
    while !reply.contains(sought) {
        assert_has(&reply, "\n[screen] ");
        reply = repl.repl("");
    }
    reply
}

#[test]
fn tmux_is_typed_for_and_its_replies_come_when_the_page_stands_still() {
    let repl = session();
    let reply = shows(&repl, repl.repl(TMUX), "%\n");
    assert_has(&reply, "\n[screen] tmux");
    shows(&repl, repl.repl("echo $((6 * 7))\n"), "\n42\n%\n");
    // Keys that are no line, and change little.
    shows(&repl, repl.keys("echo Space a"), "\n% echo a\n");
    shows(&repl, repl.repl("bc\n"), "\nabc\n%\n");
    // A poll without news says so at the end of its time.
    let reply = repl.repl_with("", 300);
    assert_has(&reply, "[repl] the page has not changed\n[screen] tmux");
    let reply = repl.repl("exit\n");
    if !reply.ends_with("[exited]\n0\n") {
        repl.poll_until("[exited]\n0\n");
    }
    repl.still_works();
}

#[test]
fn a_program_that_sleeps_behind_its_page_gets_keys_and_is_interrupted() {
    let repl = session();
    let cell = "subprocess.run(['watch', '-t', '-n', '3600', 'echo', 'shown']).returncode";
    assert_has(&shows(&repl, repl.repl(cell), "shown\n"), "shown\n[screen] watch");
    let reply = repl.repl_with("", 300);
    assert!(reply.starts_with("[repl] the page has not changed\n[screen] watch"), "{reply}");
    assert_has(&repl.keys("C-c"), "KeyboardInterrupt");
    repl.still_works();
}

#[test]
fn a_pager_that_waits_for_slow_text_is_read_through() {
    let repl = session();
    let lines: String = (1..=100).map(|number| format!("{number}\n")).collect();
    let cell = "subprocess.run('(seq 100; sleep 0.5; echo end) | less', shell=True).returncode";
    repl.gives(cell, &format!("{lines}end\n0\n"));
}
