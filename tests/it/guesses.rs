//! Programs that wait for somebody to type, where the kernel does not tell that they do: on macOS, in gVisor. Here it
//! is had not to tell.
#![cfg(has = "readers")]

use crate::support::{Builder, IDLE, Lifeline, Server, assert_has, assert_has_not};

fn guessing() -> Server {
    let repl = Builder::new().env("MCP_REPL_TEST_GUESSES", "1").start();
    repl.gives("import subprocess\nrun = subprocess.run", IDLE);
    repl
}

#[test]
fn a_shell_is_found_at_its_prompt_and_answered() {
    let repl = guessing();
    let said = repl.repl("_ = run(['env', 'PS1=$ ', 'bash', '--norc', '-i'])");
    assert!(said.starts_with("$ \n"), "{said}");
    assert_has(&said, "<<repl status: waiting for input>> (guessed: bash sleeps)");
    assert_has(&repl.repl("echo $((6 * 7))"), "\n42\n$ ");
    // What it runs has no prompt.
    assert_has(&repl.repl("sleep 0.5; echo slept"), "\nslept\n$ ");
    repl.gives_part("sleep 100 & jobs; kill %1", "sleep 100 &");
    assert_has_not(&repl.repl("exit"), "guessed");
    repl.still_works();
}

#[test]
fn questions_and_secrets_are_found() {
    let repl = guessing();
    let ask = "_ = run(['sh', '-c', 'printf \"name: \"; read x; echo \"got $x\"'])";
    assert_has(&repl.repl(ask), "name: \n<<repl status: waiting for input>> (guessed: sh sleeps)");
    assert_has(&repl.repl("ada"), "got ada");
    let ask = "_ = run(['python3', '-c', 'import getpass; print(len(getpass.getpass()))'])";
    let said = repl.repl(ask);
    assert_has(&said, "Password: ");
    assert_has(&said, "waiting for input");
    assert_has(&repl.repl("secret"), "6\n");
    repl.still_works();
}

#[test]
fn a_program_that_sleeps_over_an_open_line_is_not_taken_for_one() {
    let repl = guessing();
    for line in ["Loading...", "42%", "a, b"] {
        let cell = format!("_ = run(['sh', '-c', 'printf %s \"{line}\"; sleep 1; echo done'])");
        repl.gives(&cell, &format!("{line}done\n"));
    }
    // Nor is Python, which says itself what it reads.
    repl.gives("import time\nprint('name: ', end='', flush=True); time.sleep(1)", "name: ");
    repl.gives("x = input('name: ')", "name: ");
    repl.gives("ada", IDLE);
}

#[test]
fn pages_and_pagers_are_found() {
    let repl = guessing();
    repl.write_file("nums", &(1..=300).map(|n| format!("{n}\n")).collect::<String>());
    let said = repl.repl("_ = run(['less', 'nums'])");
    assert_has(&said, "\n150\n");
    assert_has(&said, "\n300\n");
    let said = repl.repl("_ = run('cat nums | less', shell=True)");
    assert_has(&said, "\n300\n");
    let said = repl.repl("_ = run(['vim', '-u', 'NONE', '-i', 'NONE', 'nums'])");
    assert_has(&said, "[screen] vim, cursor at row 1, column 1");
    repl.keys(": q Enter");
    repl.still_works();
}

#[test]
fn what_is_found_is_interrupted() {
    let repl = guessing();
    let mut line = Lifeline::lay(&repl);
    let cell = "line.send(b'x')\n_ = run(['sleep', '1000'])";
    assert_has(&repl.repl_with(cell, 1), "busy");
    line.hears("x");
    assert_has(&repl.repl("\u{3}"), "KeyboardInterrupt");
    repl.still_works();
}
