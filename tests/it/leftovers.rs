//! What a cell leaves behind in its process and its terminal: the next one runs as if nothing
//! had happened.

use crate::support::{IDLE, Server, assert_has, on_every_python};

/// The output of a cell that prints more than the terminal holds is whole.
#[track_caller]
fn prints_long_output(repl: &Server) {
    let reply = repl.repl("for n in range(10_000): print('line', n)");
    assert!(reply.starts_with("line 0\nline 1\n"), "{}", &reply[..200]);
    let end = "\nline 9998\nline 9999\n[repl] the whole text is in ";
    assert!(reply.contains(end), "{}", &reply[reply.len() - 200..]);
    let file = reply.split_whitespace().find(|word| word.contains("output-"));
    let file = file.expect("the reply names a file").trim_end_matches([']', ';', ',', '.']);
    let whole: String = (0..10_000).map(|n| format!("line {n}\n")).collect();
    assert!(std::fs::read_to_string(file).unwrap() == whole, "the file has it all");
}

#[cfg(has = "posix")]
#[test]
fn descriptors_that_do_not_block() {
    on_every_python(|repl| {
        for number in 0..3 {
            let cell = format!(
                "import fcntl, os\n\
                 _ = fcntl.fcntl({number}, fcntl.F_SETFL, fcntl.fcntl({number}, fcntl.F_GETFL) | os.O_NONBLOCK)"
            );
            repl.gives(&cell, IDLE);
            let flags = "[fcntl.fcntl(n, fcntl.F_GETFL) & os.O_NONBLOCK for n in range(3)]";
            repl.gives(flags, "[0, 0, 0]\n");
            prints_long_output(repl);
            repl.gives("input('a? ')", "a? ");
            repl.gives("b", "'b'\n");
            repl.waits("os.read(0, 9)");
            repl.types("c", "b'c\\n'\n");
        }
        // All of them, and the cell itself prints more than fits.
        let cell = "\
for n in range(3): os.set_blocking(n, False)
print('x' * 100_000)";
        repl.repl(cell);
        // How much of it there was room for is the kernel's affair: a new line.
        repl.repl("print()");
        prints_long_output(repl);
    });
}

#[cfg(has = "posix")]
#[test]
fn a_size_that_was_changed() {
    on_every_python(|repl| {
        let line = "x".repeat(100);
        let cell = "import os, subprocess\n_ = os.system('stty cols 40 rows 10')\nprint('x' * 100)";
        repl.gives(cell, &format!("{line}\n"));
        repl.gives("tuple(os.get_terminal_size(0))", "(120, 40)\n");
        let text: String = (1..=100).map(|n| format!("line {n}\n")).collect();
        let cell = "_ = os.system('stty cols 40 rows 10; seq -f \"line %g\" 100 | LESS=-M less')";
        repl.gives(cell, &text);
        repl.gives("print('x' * 100)", &format!("{line}\n"));
    });
}

#[cfg(has = "posix")]
#[test]
fn output_that_is_stopped() {
    on_every_python(|repl| {
        repl.gives("import termios\ntermios.tcflow(0, termios.TCOOFF)", IDLE);
        prints_long_output(repl);
        // The value is shown when the cell has ended.
        repl.gives("print('before', flush=True)\ntermios.tcflow(1, termios.TCOOFF)", "before\n");
        repl.still_works();
        // A cell that stops itself is interrupted.
        let reply = repl.repl_with("termios.tcflow(0, termios.TCOOFF)\nprint('stopped')", 200);
        assert!(reply.starts_with("<<repl status: busy"), "{reply}");
        let reply = repl.repl("\u{3}");
        assert!(reply.ends_with("\nKeyboardInterrupt\n"), "{reply}");
        repl.still_works();
    });
}

#[test]
fn an_import_that_is_broken_and_streams_that_are_closed() {
    on_every_python(|repl| {
        for broken in ["None", "lambda *args, **more: 1 / 0"] {
            let cell = format!("import builtins, sys\nbuiltins.__import__ = {broken}");
            repl.gives(&cell, IDLE);
            repl.still_works();
            repl.gives("sys.stdout.close()", IDLE);
            repl.still_works();
            repl.gives("sys.stderr.close()\nsys.stdin.close()", IDLE);
            repl.gives("print('error', file=sys.stderr)", "error\n");
            repl.gives("input('a? ')", "a? ");
            repl.gives("b", "'b'\n");
            repl.gives_part("1 / 0", "ZeroDivisionError: division by zero");
            let reply = repl.repl("import json");
            assert!(
                reply.ends_with("TypeError: 'NoneType' object is not callable\n")
                    || reply.ends_with("ZeroDivisionError: division by zero\n"),
                "{reply}"
            );
            repl.still_works();
            // A session whose import is whole.
            let reply = repl.repl("\u{4}6 * 7");
            assert!(reply.ends_with("[repl] new session started\n42\n"), "{reply}");
        }
    });
}

#[cfg(has = "posix")]
#[test]
fn signals_that_are_blocked() {
    on_every_python(|repl| {
        for blocked in ["{signal.SIGINT}", "signal.valid_signals()"] {
            let block =
                format!("import signal\n_ = signal.pthread_sigmask(signal.SIG_BLOCK, {blocked})");
            repl.gives(&block, IDLE);
            repl.gives("signal.pthread_sigmask(signal.SIG_BLOCK, [])", "set()\n");
            repl.gives(&block, IDLE);
            repl.gives("input('a? ')", "a? ");
            assert!(repl.repl("\u{3}").ends_with("\nKeyboardInterrupt\n"));
            repl.gives(&block, IDLE);
            let reply = repl.repl_with("while True: pass", 100);
            assert!(reply.starts_with("<<repl status: busy"), "{reply}");
            let reply = repl.repl_with("\u{3}", 10_000);
            assert!(reply.ends_with("\nKeyboardInterrupt\n"), "{reply}");
        }
    });
}

#[cfg(has = "posix")]
#[test]
fn descriptors_of_ours_that_are_closed() {
    on_every_python(|repl| {
        for close in [
            "os.closerange(3, 256)",
            "for n in range(3, 256):\n    try: os.close(n)\n    except OSError: pass",
        ] {
            let reply = repl.repl(&format!("import os\nprint('before')\n{close}"));
            assert!(reply.starts_with("before\n"), "{reply}");
            assert_has(
                &reply,
                "mcp-repl: the program closed the session's own descriptors; the session ends\n",
            );
            assert_has(&reply, "[repl] session ended (");
            repl.gives("6 * 7", "[repl] new session started\n42\n");
        }
    });
}
