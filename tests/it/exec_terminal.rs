//! `mcp-repl exec` on a person's terminal: what the session's terminal shows passes through, and every
//! key goes to the program.
#![cfg(has = "person")]

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Builder, Listening, Terminal, assert_has, assert_has_not};

/// `exec` on a terminal.
#[track_caller]
fn exec(cells: &[&str]) -> Terminal {
    Terminal::run(Builder::new().arg("exec").args(cells.iter().copied()))
}

#[test]
fn a_bar_is_live() {
    let listening = Listening::new();
    let cell = listening.cell(
        "print('\\r\\033[32m10%\\033[m', end='', flush=True)\nline.recv(1)\n\
         print('\\r50%', end='', flush=True)\nline.recv(1)\nprint('\\r100%')",
    );
    let mut terminal = exec(&[&cell, "'next'"]);
    let mut line = listening.accept();
    terminal.shows("10%");
    assert_has(&String::from_utf8_lossy(&terminal.bytes), "\x1b[32m10%");
    line.release();
    terminal.shows("50%");
    line.release();
    assert_eq!(terminal.ends(), (0, "100%\n'next'".into()));
}

#[test]
fn what_the_program_asks_for_is_typed_by_the_person() {
    let mut terminal = exec(&[
        "name = input('name? ')\nprint('hello', name)",
        "import getpass",
        "secret = getpass.getpass('secret? ')\nprint(len(secret))",
        "input('more? ')",
    ]);
    terminal.shows("name?");
    terminal.types("Bib\x7f\x7fob\r");
    terminal.shows("hello Bob\nsecret?");
    terminal.types("hidden\r");
    terminal.shows("\n6\nmore?");
    // The end of the input.
    terminal.types("\x04");
    let (status, page) = terminal.ends();
    assert!(page.ends_with("EOFError"), "{page}");
    assert_has_not(&page, "hidden");
    assert_eq!(status, 1);
}

#[test]
fn what_nobody_has_read_of_what_was_typed_is_told() {
    let listening = Listening::new();
    let cell = listening.cell("print('begun')\n_ = line.recv(1)");
    let mut terminal = exec(&[&cell, "'next'"]);
    let mut line = listening.accept();
    terminal.ends_with("begun");
    terminal.types("early\r");
    terminal.ends_with("begun\nearly");
    line.release();
    let (status, page) = terminal.ends();
    assert_eq!(status, 0);
    assert_has(&page, "begun\nearly\n[repl] 6 bytes of unread input discarded\n'next'");
}

#[test]
fn a_full_screen_program_has_the_terminal() {
    let vim = "import subprocess\n_ = subprocess.run(['vim', '-u', 'NONE', 'file'])";
    let mut terminal = exec(&["print('before')", vim, "print(open('file').read(), end='')"]);
    terminal.shows("\n~\n~");
    assert_has_not(&terminal.page(), "before");
    terminal.types("ihello");
    terminal.shows("hello\n~");
    terminal.types("\x1b");
    terminal.types(":wq\r");
    assert_eq!(terminal.ends(), (0, "before\nhello".into()));
}

#[test]
fn a_pager_is_left_to_the_person() {
    let less = "import subprocess\n\
        _ = subprocess.run('seq 100 | LESS= less', shell=True)\nprint('after')";
    let mut terminal = exec(&[less]);
    terminal.shows("\n23\n:");
    terminal.types(" ");
    terminal.shows("\n46\n:");
    terminal.types("q");
    let (status, page) = terminal.ends();
    assert_eq!((status, &*page), (0, "after"));
}

#[test]
fn ctrl_c_interrupts_the_program_and_ends_the_script() {
    let listening = Listening::new();
    let cell = listening.cell("import time\nprint('begun')\ntime.sleep(1000)");
    let mut terminal = exec(&[&cell, "print('never')"]);
    terminal.shows("begun");
    terminal.types("\x03");
    let (status, page) = terminal.ends();
    assert_eq!(status, 130, "{page}");
    assert_has(&page, "Traceback (most recent call last):\n");
    assert!(page.ends_with("KeyboardInterrupt"), "{page}");
}

#[test]
fn a_program_that_handles_ctrl_c_goes_on() {
    let source = "import time\ntry:\n    print('begun')\n    time.sleep(1000)\n\
        except KeyboardInterrupt: print('handled')";
    let mut terminal = exec(&[source, "print('on')"]);
    terminal.shows("begun");
    terminal.types("\x03");
    let (status, page) = terminal.ends();
    assert_eq!(status, 0, "{page}");
    assert!(page.ends_with("handled\non"), "{page}");
}

#[test]
fn the_session_follows_the_terminals_size() {
    let listening = Listening::new();
    let cell = listening.cell(
        "import os, signal\nsize = lambda: print(tuple(os.get_terminal_size()))\n\
         signal.signal(signal.SIGWINCH, lambda *_: line.send(b'!'))\nsize()\n\
         line.settimeout(None)\nline.recv(1)\nsize()",
    );
    let mut terminal = exec(&[&cell]);
    let mut line = listening.accept();
    terminal.shows("(80, 24)");
    terminal.resize(70, 30);
    line.hears("!");
    line.release();
    terminal.shows("(70, 30)");
    assert_eq!(terminal.ends().0, 0);
}

#[test]
fn the_session_alone_answers_what_programs_ask_the_terminal() {
    let listening = Listening::new();
    let cell = listening.cell(
        "import os, tty, termios\nmodes = termios.tcgetattr(0)\ntty.setraw(0)\n\
         os.write(1, b'one\\x1b[6n two')\nanswer = os.read(0, 99)\n\
         termios.tcsetattr(0, termios.TCSANOW, modes)\nprint('\\r\\n', answer)",
    );
    let mut terminal = exec(&[&cell]);
    // The row is that of the session's own screen, where the cell stands above.
    terminal.shows(";4R'");
    let bytes = String::from_utf8_lossy(&terminal.bytes).into_owned();
    assert_has(&bytes, "one two");
    assert_has_not(&bytes, "\x1b[6n");
    assert_eq!(terminal.ends().0, 0);
}

#[test]
fn it_takes_the_keyboard_again_after_it_was_stopped() {
    let cell = "import sys, tty\ntty.setcbreak(0)\nprint('key?')\nprint('got', sys.stdin.read(1))";
    let mut terminal = exec(&[cell]);
    terminal.shows("key?");
    let pid = Pid::from_raw(terminal.pid()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    terminal.is_taken_by_a_shell();
    kill_process(pid, Signal::CONT).unwrap();
    // Without Enter.
    terminal.types("x");
    terminal.shows("got x");
    assert_eq!(terminal.ends().0, 0);
}

const LEAVES_A_MESS: &str = "print('text\\033[?1049h\\033[?25l\\033[?1003h\\033[?1006h\\033[?2004h\
    \\033[5;9H\\033[31mleft', end='', flush=True)\n";

#[test]
fn what_a_program_leaves_is_put_back() {
    let terminal = exec(&[LEAVES_A_MESS, "print('next')"]);
    assert_eq!(terminal.ends(), (0, "textnext".into()));
}

#[test]
fn it_is_put_back_when_a_signal_ends_it() {
    let listening = Listening::new();
    let cell = listening.cell(&format!("{LEAVES_A_MESS}line.recv(1)"));
    let mut terminal = exec(&[&cell]);
    let _line = listening.accept();
    terminal.shows("left");
    kill_process(Pid::from_raw(terminal.pid()).unwrap(), Signal::TERM).unwrap();
    assert_eq!(terminal.ends(), (143, "text".into()));
}

#[test]
fn a_script_from_a_pipe_is_shown_too_and_what_it_asks_for_has_an_end() {
    let listening = Listening::new();
    let cell = listening.cell(
        "print('50%', end='', flush=True)\nline.recv(1)\nprint('\\r100%')\n\
         try: input('? ')\nexcept EOFError: print('end')",
    );
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("script");
    std::fs::write(&script, cell).unwrap();
    let statements = format!("os.dup2(os.open({script:?}, os.O_RDONLY), 0)");
    let builder = Builder::new().condition(&statements).args(["exec", "-"]);
    let mut terminal = Terminal::run(builder);
    let mut line = listening.accept();
    terminal.shows("50%");
    line.release();
    let (status, page) = terminal.ends();
    assert_eq!((status, &*page), (0, "100%\n? end"));
}

#[test]
fn a_terminal_that_shows_text_only_gets_text() {
    let dumb = "os.environ['TERM'] = 'dumb'";
    let builder = Builder::new().condition(dumb).args(["exec", "print('\\033[31mred')\n1"]);
    let mut terminal = Terminal::run(builder);
    terminal.shows("red\n1");
    let bytes = String::from_utf8_lossy(&terminal.bytes).into_owned();
    assert_has_not(&bytes, "\x1b");
    assert_eq!(terminal.ends().0, 0);
}
