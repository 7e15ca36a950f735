//! Python's own reads: `input()` and `sys.stdin`, by whatever module they are called.

use crate::support::{IDLE, Server, WAITING, assert_has, on_every_python};

#[test]
fn input_waits_with_and_without_a_prompt() {
    on_every_python(|repl| {
        repl.gives("name = input('name? ')", "name? ");
        repl.gives("Bob", IDLE);
        repl.gives("name", "'Bob'\n");
        repl.waits("input()");
        repl.gives("Eve", "'Eve'\n");
    });
}

#[test]
fn the_methods_of_stdin_wait() {
    on_every_python(|repl| {
        repl.gives("import sys", IDLE);
        repl.waits("sys.stdin.readline()");
        repl.gives("a line", "'a line\\n'\n");
        repl.waits("sys.stdin.read(4)");
        repl.gives("abc", "'abc\\n'\n");
        repl.waits("sys.stdin.buffer.readline()");
        repl.gives("é", "b'\\xc3\\xa9\\n'\n");
        repl.waits("sys.stdin.buffer.read(3)");
        repl.gives("xy", "b'xy\\n'\n");
        repl.waits("room = bytearray(3)\nsys.stdin.buffer.readinto(room), room");
        repl.gives("xy", "(3, bytearray(b'xy\\n'))\n");
        repl.waits("room = bytearray(9)\nsys.stdin.buffer.raw.readinto(room), room[:4]");
        repl.gives("xyz", "(4, bytearray(b'xyz\\n'))\n");
        repl.gives("sys.stdin.fileno(), sys.stdin.isatty()", "(0, True)\n");
    });
}

#[cfg(has = "posix")]
#[test]
fn reads_to_the_end_of_file_wait_until_it_is_given() {
    on_every_python(|repl| {
        repl.waits("import sys; sys.stdin.readlines()");
        repl.waits("one\ntwo");
        assert_eq!(repl.keys("C-d"), "['one\\n', 'two\\n']\n");
        repl.waits("sys.stdin.read()");
        repl.waits("one\n");
        assert_eq!(repl.keys("C-d"), "'one\\n'\n");
        repl.waits("sys.stdin.buffer.read()");
        assert_eq!(repl.keys("C-d"), "b''\n");
        // It is over: the next read waits anew.
        repl.waits("sys.stdin.readline()");
        repl.gives("more", "'more\\n'\n");
    });
}

#[cfg(has = "posix")]
#[test]
fn the_end_of_file_raises_in_input() {
    on_every_python(|repl| {
        repl.gives("input('a? ')", "a? ");
        let reply = repl.keys("C-d");
        assert!(reply.ends_with("\nEOFError\n"), "{reply}");
        repl.gives("input('a? ')", "a? ");
        repl.gives("b", "'b'\n");
    });
}

#[test]
fn a_loop_over_stdin_sees_each_line_as_it_comes() {
    on_every_python(|repl| {
        let cell = "\
import sys
for line in sys.stdin:
    print(repr(line))
    if line == 'end\\n': break";
        repl.waits(cell);
        repl.gives("a", &format!("'a\\n'\n{WAITING}"));
        repl.gives("b\nend", "'b\\n'\n'end\\n'\n");
        repl.still_works();
    });
}

#[cfg(has = "posix")]
#[test]
fn fileinput_reads_what_is_sent() {
    let repl = Server::start();
    repl.waits(
        "import fileinput\nfor line in fileinput.input(files=[]): print(line.upper(), end='')",
    );
    repl.gives("one\ntwo", &format!("ONE\nTWO\n{WAITING}"));
    assert_eq!(repl.keys("C-d"), IDLE);
    repl.still_works();
}

#[cfg(has = "posix")]
#[test]
fn a_console_of_the_code_module_runs_inside() {
    on_every_python(|repl| {
        repl.gives("import code\ncode.interact(banner='in', exitmsg='out')", "in\n>>> ");
        repl.gives("x = 6 * 7", ">>> ");
        repl.gives("x", "42\n>>> ");
        repl.gives_part("1 / 0", "ZeroDivisionError");
        assert_eq!(repl.keys("C-d").trim_start(), "out\n");
        repl.still_works();
    });
}

#[test]
fn a_console_of_the_code_module_gets_a_block_line_by_line() {
    let repl = Server::start();
    repl.gives("import code\ncode.interact(banner='in', exitmsg='out')", "in\n>>> ");
    let reply = repl.repl("def f():\n    return 42\n\nf()");
    assert!(reply.ends_with("42\n>>> "), "{reply}");
}

#[test]
fn a_command_loop_takes_its_commands() {
    let repl = Server::start();
    let cell = "\
import cmd
class Shell(cmd.Cmd):
    prompt = '$ '
    def do_say(self, what): print('said', what)
    def do_quit(self, _): return True
Shell().cmdloop('welcome')";
    repl.gives(cell, "welcome\n$ ");
    repl.gives("say hello", "said hello\n$ ");
    repl.gives("quit", IDLE);
}

#[cfg(has = "marks")]
#[test]
fn the_debugger_stops_steps_lists_and_quits() {
    on_every_python(|repl| {
        let reply = repl.repl("def f(a):\n    breakpoint()\n    b = a + 1\n    return b\nf(3)");
        assert!(reply.ends_with("(Pdb) "), "{reply}");
        // Where a breakpoint stops differs: 3.13 stops at the call itself.
        let reply = repl.repl("next");
        assert!(reply.ends_with("(Pdb) "), "{reply}");
        repl.gives("p a", "3\n(Pdb) ");
        let listing = repl.repl("list 1, 5");
        for line in ["def f(a):", "    breakpoint()", "    b = a + 1", "    return b", "f(3)"] {
            assert_has(&listing, &format!("\t{line}\n"));
        }
        repl.gives_part("where", "<cell 1>(5)<module>()");
        repl.gives("continue", "4\n");
        let reply = repl.repl("breakpoint()\n'not reached'");
        assert!(reply.ends_with("(Pdb) "), "{reply}");
        repl.gives_part("quit", "bdb.BdbQuit");
        repl.still_works();
    });
}

#[test]
fn the_post_mortem_debugger_shows_the_failed_frame() {
    on_every_python(|repl| {
        repl.gives_part("def g(n): return n / 0\ng(7)", "ZeroDivisionError");
        let reply = repl.repl("import pdb\npdb.pm()");
        assert!(reply.ends_with("-> def g(n): return n / 0\n(Pdb) "), "{reply}");
        repl.gives("p n", "7\n(Pdb) ");
        repl.gives("quit", IDLE);
        repl.still_works();
    });
}

#[test]
fn the_help_utility_asks_for_topics() {
    on_every_python(|repl| {
        let reply = repl.repl("help()");
        assert!(reply.ends_with("help> "), "{reply}");
        let reply = repl.repl("keywords");
        assert_has(&reply, "nonlocal");
        assert!(reply.ends_with("help> "), "{reply}");
        repl.gives_part("quit", "You are now leaving help");
        repl.still_works();
    });
}

#[test]
fn coroutines_and_executors_of_asyncio_ask() {
    on_every_python(|repl| {
        let cell = "\
import asyncio
async def main():
    first = input('here? ')
    second = await asyncio.get_running_loop().run_in_executor(None, input, 'there? ')
    return first, second
asyncio.run(main())";
        repl.gives(cell, "here? ");
        repl.gives("A", "there? ");
        repl.gives("B", "('A', 'B')\n");
    });
}

#[cfg(has = "posix")]
#[test]
fn the_users_import_of_readline_changes_nothing() {
    on_every_python(|repl| {
        let cell = "\
import readline, rlcompleter
readline.parse_and_bind('tab: complete')
readline.set_completer(rlcompleter.Completer().complete)";
        repl.gives(cell, IDLE);
        repl.gives("input('r? ')", "r? ");
        repl.gives("\tx  ", "'\\tx  '\n");
        repl.still_works();
    });
}

#[test]
fn one_payload_answers_several_reads_in_order() {
    on_every_python(|repl| {
        repl.gives("a = input('a? ')\nb = input('b? ')\nc = input('c? ')\na, b, c", "a? ");
        let reply = repl.repl("1\n2\n3");
        // Each prompt is shown once.
        for prompt in ["b? ", "c? "] {
            assert_eq!(reply.matches(prompt).count(), 1, "{reply}");
        }
        assert!(reply.ends_with("('1', '2', '3')\n"), "{reply}");
    });
}

#[test]
fn readers_of_different_kinds_share_one_payload() {
    let repl = Server::start();
    repl.waits("import sys\ninput(), sys.stdin.readline(), sys.stdin.buffer.readline(), input()");
    repl.gives("a\nb\nc\nd", "('a', 'b\\n', b'c\\n', 'd')\n");
}

#[test]
fn a_payload_that_is_too_short_leaves_the_rest_waiting() {
    let repl = Server::start();
    repl.gives("[input(f'{n}? ') for n in range(3)]", "0? ");
    let reply = repl.repl("a\nb");
    assert!(reply.ends_with("2? "), "{reply}");
    repl.gives("c", "['a', 'b', 'c']\n");
}

#[test]
fn an_empty_line_is_an_answer_and_an_empty_payload_is_a_poll() {
    on_every_python(|repl| {
        repl.gives("input('a? ')", "a? ");
        repl.gives("", WAITING);
        repl.gives("", WAITING);
        repl.gives("\n", "''\n");
    });
}

#[test]
fn a_long_answer_arrives_whole() {
    on_every_python(|repl| {
        repl.gives("len(input('how long? '))", "how long? ");
        repl.gives(&"x".repeat(10_000), "10000\n");
        repl.gives("'x' * 10_000 == input('how long? ')", "how long? ");
        repl.gives(&"x".repeat(10_000), "True\n");
    });
}

#[test]
fn a_payload_of_a_megabyte_arrives_whole() {
    let repl = Server::start();
    repl.waits(
        "import sys\nline = sys.stdin.readline()\nlen(line), line == 'é' * 1_000_000 + '\\n'",
    );
    repl.gives(&"é".repeat(1_000_000), "(1000001, True)\n");
    repl.waits("lines = [sys.stdin.readline() for _ in range(100_000)]\nset(lines)");
    repl.gives(&"ten bytes\n".repeat(100_000), "{'ten bytes\\n'}\n");
}

#[test]
fn spaces_unicode_and_control_characters_arrive_exactly() {
    on_every_python(|repl| {
        repl.waits("import sys\nsys.stdin.buffer.readline()");
        repl.gives(
            "  \u{1}\u{2}\u{3}x\u{4}\u{1b}[A\u{7f}\0\t\u{16}\u{1a}  ",
            "b'  \\x01\\x02\\x03x\\x04\\x1b[A\\x7f\\x00\\t\\x16\\x1a  \\n'\n",
        );
        repl.waits("ascii(input())");
        repl.gives(" \tñ 漢字 👩‍💻 \u{11}\u{15} ", "\"' \\\\t\\\\xf1 \\\\u6f22\\\\u5b57 \\\\U0001f469\\\\u200d\\\\U0001f4bb \\\\x11\\\\x15 '\"\n");
        // The universal newlines of a text stream are off, as on a terminal.
        repl.waits("sys.stdin.buffer.readline()");
        repl.gives("a\r\n", "b'a\\r\\n'\n");
    });
}

#[test]
fn an_interrupt_in_front_of_an_answer_interrupts_and_the_rest_is_a_cell() {
    let repl = Server::start();
    repl.gives("input('a? ')", "a? ");
    let reply = repl.repl("\u{3}6 * 7");
    assert_has(&reply, "KeyboardInterrupt\n");
    assert!(reply.ends_with("42\n"), "{reply}");
}

#[test]
fn what_a_cell_leaves_unread_is_discarded_and_counted() {
    on_every_python(|repl| {
        repl.waits("import sys; sys.stdin.read(2)");
        repl.gives("bravo", "'br'\n[repl] 4 bytes of unread input discarded\n");
        repl.waits("sys.stdin.readline(3)");
        repl.gives("bravo", "'bra'\n[repl] 3 bytes of unread input discarded\n");
        repl.gives("input('one? ')", "one? ");
        repl.gives("one\ntwo", "'one'\n[repl] 4 bytes of unread input discarded\n");
        repl.waits("sys.stdin.buffer.read(1)");
        repl.gives("ab\ncd\n", "b'a'\n[repl] 5 bytes of unread input discarded\n");
        repl.waits("sys.stdin.buffer.peek(1)[:1]");
        repl.gives("p", "b'p'\n[repl] 2 bytes of unread input discarded\n");
        // One byte is told in the singular.
        repl.waits("sys.stdin.read(1)");
        repl.gives("x", "'x'\n[repl] 1 byte of unread input discarded\n");
        repl.still_works();
        repl.gives("input('clean? ')", "clean? ");
        repl.gives("yes", "'yes'\n");
    });
}

#[test]
fn a_failed_cell_leaves_nothing_unread_either() {
    let repl = Server::start();
    repl.gives("input('a? ')\n1 / 0", "a? ");
    let reply = repl.repl("one\ntwo\nthree");
    assert_has(&reply, "ZeroDivisionError");
    assert!(reply.ends_with("[repl] 10 bytes of unread input discarded\n"), "{reply}");
    repl.still_works();
}

#[test]
fn a_line_typed_on_the_terminal_is_an_answer_too() {
    on_every_python(|repl| {
        repl.gives("input('a? ')", "a? ");
        assert!(repl.keys("b Space c Enter").ends_with("'b c'\n"));
        repl.waits("import sys; sys.stdin.readline()");
        assert!(repl.keys("x BSpace y Enter").ends_with("'y\\n'\n"));
    });
}

#[test]
fn half_a_line_of_keys_wakes_nobody() {
    let repl = Server::start();
    repl.gives("input('a? ')", "a? ");
    repl.keys("ab");
    let reply = repl.keys("c Enter");
    assert!(reply.ends_with("'abc'\n"), "{reply}");
}

#[test]
fn a_replaced_stdin_is_left_alone() {
    let repl = Server::start();
    let cell = "\
import io, sys
sys.stdin = io.StringIO('from a string\\n')
input()";
    repl.gives(cell, "'from a string'\n");
    repl.gives("sys.stdin = sys.__stdin__\ninput('a? ')", "a? ");
    repl.gives("b", "'b'\n");
}
