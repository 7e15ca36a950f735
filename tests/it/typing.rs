//! What is typed for a program that reads the terminal itself: lines, control characters, keys.
#![cfg(has = "posix")]

use crate::support::{IDLE, Server, assert_has, on_every_python, python};

fn session() -> Server {
    Server::start_with("import os, sys, termios, tty")
}

#[test]
fn a_line_that_a_terminal_cannot_hold_is_refused() {
    let repl = session();
    repl.waits("len(os.read(0, 10_000))");
    let reply = repl.repl(&"x".repeat(4096));
    assert_has(&reply, "nothing was typed");
    assert_has(&reply, "4096");
    assert_has(&reply, "4095");
    // The reader still waits, for a line that is short enough.
    repl.gives(&"y".repeat(4095), "4096\n");
    repl.waits("with open(0, closefd=False) as file: lines = [len(file.readline()) for _ in range(3)]\nlines");
    repl.gives(&["z".repeat(4000), "z".repeat(4095), "z".into()].join("\n"), "[4001, 4096, 2]\n");
}

#[test]
fn the_echo_of_a_short_line_is_told_and_that_of_a_long_one_is_not() {
    on_every_python(|repl| {
        let child = "import subprocess, sys\n\
            code = \"print(len(input('name? '))); print(len(input('next? ')))\"\n\
            subprocess.run([sys.executable, '-c', code]).returncode";
        repl.gives(child, "name? ");
        repl.gives(&"é".repeat(500), "500\nnext? ");
        repl.gives("short", "short\n5\n0\n");
    });
}

#[test]
fn a_long_payload_of_short_lines_is_typed_as_fast_as_it_is_read() {
    let repl = session();
    repl.waits("with open(0, closefd=False) as file: n = sum(len(file.readline()) for _ in range(3000))\nn");
    repl.gives(&"thirty-nine characters and a newline...\n".repeat(3000), "120000\n");
}

#[test]
fn what_a_reader_of_one_line_leaves_is_discarded_and_counted() {
    on_every_python(|repl| {
        repl.gives("import os, subprocess", IDLE);
        let line = "thirty-nine characters and a newline...\n";
        for n in 0..30 {
            let cell = [
                "n = len(os.read(0, 4096))",
                "n = len(subprocess.check_output(['head', '-n', '1']))",
                "with open(0, closefd=False) as file: n = len(file.readline())",
            ][n % 3];
            repl.waits(cell);
            let reply = repl.repl(&line.repeat(1000));
            let end = "[repl] 39960 bytes of unread input discarded\n";
            assert!(reply.ends_with(end), "{n}: {}", &reply[reply.len().saturating_sub(300)..]);
            // Nothing of it reaches the next cell, or a later reader.
            repl.gives("n", "40\n");
            if n % 2 == 0 {
                repl.gives("input('a? ')", "a? ");
                repl.gives("b", "'b'\n");
            } else {
                repl.waits("os.read(0, 100)");
                repl.types("c", "b'c\\n'\n");
            }
        }
    });
}

#[test]
fn control_characters_of_a_payload_reach_a_canonical_reader_as_data() {
    on_every_python(|repl| {
        repl.waits("import os\nos.read(0, 100)");
        let reply = repl.repl("a\u{3}b\u{4}c\u{7f}\u{1}\u{15}\u{16}\u{17}\u{1a}\u{1c}\u{1b}[A\te");
        assert!(
            reply.ends_with("b'a\\x03b\\x04c\\x7f\\x01\\x15\\x16\\x17\\x1a\\x1c\\x1b[A\\te\\n'\n"),
            "{reply}"
        );
    });
}

#[test]
fn keys_are_typed_as_a_person_would() {
    on_every_python(|repl| {
        repl.waits("import os\nos.read(0, 100)");
        // The end of the file.
        assert_eq!(repl.keys("C-d"), "b''\n");
        repl.waits("os.read(0, 100)");
        let reply = repl.keys("abx BSpace c Space d Enter");
        assert!(reply.ends_with("b'abc d\\n'\n"), "{reply}");
        repl.waits("os.read(0, 100)");
        assert_has(&repl.keys("C-c"), "KeyboardInterrupt\n");
        repl.still_works();
    });
}

#[test]
fn half_a_line_is_kept_until_it_is_ended() {
    let repl = session();
    repl.waits("os.read(0, 100)");
    assert_has(&repl.keys("ab"), "waiting for input");
    assert!(repl.keys("c Enter").ends_with("b'abc\\n'\n"));
}

#[test]
fn half_a_line_that_nobody_reads_is_discarded_and_counted() {
    on_every_python(|repl| {
        repl.repl("import os");
        repl.waits("os.read(0, 100)");
        assert_has(&repl.keys("ab"), "waiting for input");
        let reply = repl.repl("\u{3}");
        assert!(reply.ends_with("\n[repl] 2 bytes of unread input discarded\n"), "{reply}");
        repl.waits("os.read(0, 100)");
        assert!(repl.keys("c Enter").ends_with("b'c\\n'\n"));
    });
}

#[test]
fn several_lines_are_pasted_into_a_line_editor() {
    let repl = session();
    repl.repl("import subprocess");
    repl.repl("subprocess.run(['bash', '--norc', '-i']).returncode");
    let reply = repl.repl("for x in 1 2; do\n  echo item $x\ndone\necho end");
    assert_has(&reply, "\nitem 1\nitem 2\nend\n");
    repl.repl("exit");
    // An editor that indents by itself does not indent what is pasted.
    if python::is_expected("3.13") {
        let editor = python::of_version("3.13");
        repl.brings(&format!("subprocess.run(['{}', '-q'])", editor.display()), ">>> ");
        repl.repl("def f(x):\n    if x:\n        return 2\n    return 3\n\n");
        assert_has(&repl.repl("f(1), f(0)"), "\n(2, 3)\n");
        repl.repl("exit()");
    }
    repl.still_works();
}

#[test]
fn a_program_in_raw_mode_gets_single_keys() {
    let repl = session();
    let cell = "\
before = termios.tcgetattr(0)
tty.setraw(0)
got = b''
while not got.endswith(b'q'): got += os.read(0, 1)
termios.tcsetattr(0, termios.TCSADRAIN, before)
got";
    let reply = repl.repl(cell);
    assert_has(&reply, "`keys` types without Enter");
    assert_has(&repl.keys("x"), "waiting for input");
    assert_has(&repl.keys("Up"), "waiting for input");
    assert_has(&repl.keys("C-c"), "waiting for input");
    assert_has(&repl.repl("\u{3}"), "waiting for input");
    assert_eq!(repl.keys("q"), "b'x\\x1b[A\\x03\\x03q'\n");
    repl.still_works();
}

#[test]
fn keys_that_nobody_reads_are_refused() {
    let repl = session();
    assert_has(&repl.keys("x Enter"), "nothing reads the terminal");
    repl.gives("input('a? ')", "a? ");
    repl.gives("b", "'b'\n");
}

#[test]
fn the_modes_a_program_left_behind_are_restored() {
    on_every_python(|repl| {
        repl.gives("import os, tty\n_ = tty.setraw(0)", IDLE);
        repl.gives("input('a? ')", "a? ");
        repl.gives("b", "'b'\n");
        repl.waits("os.read(0, 9)");
        repl.types("c", "b'c\\n'\n");
    });
}

#[test]
fn a_line_that_is_typed_in_pieces_arrives_whole_in_every_mode() {
    on_every_python(|repl| {
        repl.gives("import sys, tty", IDLE);
        for mode in ["tty.setcbreak(0)", "tty.setraw(0)"] {
            for (read, line) in
                [("input('a? ')", "'xyz'\n"), ("input('a? '), input('b? ')", "('xyz', 'xyz')\n")]
            {
                repl.gives_part(&format!("{mode}\n{read}"), "a? ");
                let mut reply = String::new();
                for _ in line.matches("xyz") {
                    for key in ["x", "y", "z"] {
                        assert_has(&repl.keys(key), "waiting for input");
                    }
                    reply = repl.keys("Enter");
                }
                assert!(reply.ends_with(line), "{mode}: {reply}");
            }
            // And what is sent as a payload.
            repl.gives_part(&format!("{mode}\ninput('a? ')"), "a? ");
            let reply = repl.repl("b");
            assert!(reply.ends_with("'b'\n"), "{mode}: {reply}");
            // What was printed in raw mode has moved the cursor.
            repl.gives("6 * 7", "42\n");
        }
    });
}
