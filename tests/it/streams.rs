//! The standard streams: genuine, on the terminal, in order, and whole again for the next cell.

use crate::support::{IDLE, Server, WAITING, assert_has};

#[cfg(has = "posix")]
#[test]
fn the_streams_are_genuine_text_streams_on_the_terminal() {
    let repl = Server::start();
    let cell = "\
import io, os, sys
for stream in sys.stdin, sys.stdout, sys.stderr:
    print(type(stream).__name__, stream.isatty(), stream.fileno(), stream.encoding, stream.name)
sys.stdin is sys.__stdin__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__";
    repl.gives(
        cell,
        "TextIOWrapper True 0 utf-8 <stdin>\n\
         TextIOWrapper True 1 utf-8 <stdout>\n\
         TextIOWrapper True 2 utf-8 <stderr>\n\
         (True, True, True)\n",
    );
    repl.gives("[os.isatty(fd) for fd in (0, 1, 2)]", "[True, True, True]\n");
    repl.gives("os.ttyname(0) == os.ttyname(1) == os.ttyname(2)", "True\n");
    repl.gives("tuple(os.get_terminal_size())", "(120, 40)\n");
    repl.gives("os.environ['TERM']", "'xterm-256color'\n");
    repl.gives("os.getsid(0) == os.getpid() == os.tcgetpgrp(0)", "True\n");
}

#[test]
fn reconfigure_works() {
    let repl = Server::start();
    repl.gives("import sys\nsys.stdout.reconfigure(errors='replace', line_buffering=False)", IDLE);
    repl.gives("print('a\\ud800b')", "a?b\n");
    repl.gives(
        "sys.stdout.reconfigure(encoding='ascii', errors='backslashreplace')\nprint('é')",
        "\\xe9\n",
    );
    repl.gives("sys.stdin.reconfigure(encoding='utf-8', errors='replace')", IDLE);
    repl.gives("input('? ')", "? ");
    repl.gives("ü", "'\\xfc'\n");
}

#[cfg(has = "posix")]
#[test]
fn output_of_python_c_and_children_keeps_its_order() {
    let repl = Server::start();
    let cell = "\
import ctypes, os, subprocess, sys
libc = ctypes.CDLL(None)
for n in range(3):
    print('python', n)
    sys.stdout.flush()
    libc.puts(b'c %d' % n)
    libc.fflush(None)
    subprocess.run(['echo', f'child {n}'])
    os.write(2, b'raw %d\\n' % n)
    print('error', n, file=sys.stderr)";
    let block = |n: usize| format!("python {n}\nc {n}\nchild {n}\nraw {n}\nerror {n}\n");
    let expected: String = (0..3).map(block).collect();
    repl.gives(cell, &expected);
}

#[cfg(has = "posix")]
#[test]
fn c_output_that_was_not_flushed_comes_with_its_cell() {
    let repl = Server::start();
    repl.gives(
        "import ctypes\nlibc = ctypes.CDLL(None)\n_ = libc.printf(b'no newline')",
        "no newline",
    );
    repl.gives("print('next')", "next\n");
}

#[test]
fn a_partial_last_line_is_shown() {
    let repl = Server::start();
    repl.gives("print('partial', end='')", "partial");
    repl.gives("import sys\n_ = sys.stdout.write('again')", "again");
    repl.gives("print('whole')", "whole\n");
    repl.gives("print('x', end='')\n42", "x42\n");
}

#[cfg(has = "posix")]
#[test]
fn a_closed_or_redirected_stdout_is_whole_again_for_the_next_cell() {
    let repl = Server::start();
    repl.gives("import os, sys\nos.close(1)", IDLE);
    repl.still_works();
    repl.gives(
        "fd = os.open('/dev/null', os.O_WRONLY)\n_ = os.dup2(fd, 1)\nprint('lost', flush=True)",
        IDLE,
    );
    repl.still_works();
    repl.gives("os.close(0); os.close(2)", IDLE);
    repl.gives("print('out'); print('err', file=sys.stderr)", "out\nerr\n");
    repl.gives("input('? ')", "? ");
    repl.gives("yes", "'yes'\n");
}

#[test]
fn a_replaced_stdout_is_the_users_until_it_is_put_back() {
    let repl = Server::start();
    repl.gives("import io, sys\nsys.stdout = io.StringIO()\nprint('kept')", IDLE);
    repl.gives(
        "text = sys.stdout.getvalue()\nsys.stdout = sys.__stdout__\nprint(text, end='')",
        "kept\n",
    );
    repl.still_works();
}

#[test]
fn a_broken_stdout_does_not_break_the_next_cell() {
    let repl = Server::start();
    repl.gives("import sys\nsys.stdout = None", IDLE);
    repl.repl("1 + 1");
    repl.gives("sys.stdout = sys.__stdout__", IDLE);
    repl.still_works();
    repl.repl("sys.stdout.close()");
    repl.repl("sys.stdout = open(1, 'w', closefd=False)");
    repl.still_works();
    repl.repl("sys.stdout = sys.stderr = sys.stdin = object()");
    repl.repl("1 + 1");
    repl.repl("sys.stdout = open(1, 'w', closefd=False)");
    repl.gives("6 * 7", "42\n");
}

#[test]
fn children_have_the_terminal_and_no_descriptor_of_ours() {
    let repl = Server::start();
    let cell = r#"
import subprocess, sys
look = '''
import os
def is_open(fd):
    try: os.fstat(fd)
    except OSError: return False
    return True
print([fd for fd in range(256) if is_open(fd)], [os.isatty(fd) for fd in range(3)])
'''
subprocess.run([sys.executable, '-c', look], close_fds=False).returncode"#;
    repl.gives(cell, "[0, 1, 2] [True, True, True]\n0\n");
}

#[cfg(has = "posix")]
#[test]
fn a_forked_child_has_no_descriptor_of_ours() {
    let repl = Server::start();
    let cell = "\
import os
def is_open(fd):
    try: os.fstat(fd)
    except OSError: return False
    return True
child = os.fork()
if child == 0:
    print([fd for fd in range(256) if is_open(fd)], flush=True)
    os._exit(0)
os.waitpid(child, 0)[1]";
    repl.gives(cell, "[0, 1, 2]\n0\n");
}

#[test]
fn a_reader_in_the_background_is_served_before_a_new_cell() {
    let repl = Server::start();
    let cell = "\
import threading
def work():
    global answer
    answer = input('background? ')
thread = threading.Thread(target=work)
thread.start()";
    let mut reply = repl.repl(cell);
    while !reply.ends_with("background? ") {
        reply = repl.poll();
    }
    repl.repl("yes");
    repl.gives("thread.join()\nanswer", "'yes'\n");
}

#[cfg(has = "posix")]
#[test]
fn a_shell_command_shows_its_output() {
    let repl = Server::start();
    repl.gives("import os\nos.system('echo out; echo err >&2')", "out\nerr\n0\n");
    repl.gives("os.system('test -t 0 && test -t 1 && test -t 2')", "0\n");
    repl.gives("os.popen('echo piped').read()", "'piped\\n'\n");
}

#[cfg(has = "marks")]
#[test]
fn carriage_returns_backspaces_and_colours_read_as_a_person_saw_them() {
    let repl = Server::start();
    repl.gives("for n in range(1001): print(f'\\r{n / 10:.1f}%', end='')\nprint()", "100.0%\n");
    repl.gives("print('abc\\b\\bX')", "aXc\n");
    repl.gives("print('\\x1b[31mred\\x1b[0m plain')", "red plain\n");
    repl.gives("print('x' * 500)", &format!("{}\n", "x".repeat(500)));
    repl.gives("print('a\\tb')", "a\tb\n");
}

#[test]
fn stdin_reads_lines_and_ends() {
    let repl = Server::start();
    repl.gives("import sys\nline = sys.stdin.readline()", WAITING);
    repl.gives("first\n", IDLE);
    repl.gives("line", "'first\\n'\n");
    repl.gives("lines = [sys.stdin.readline() for _ in range(2)]", WAITING);
    repl.gives("one\ntwo", IDLE);
    repl.gives("lines", "['one\\n', 'two\\n']\n");
}

#[test]
fn input_shows_its_prompt_and_takes_the_answer() {
    let repl = Server::start();
    repl.gives("name = input('name? ')\nprint('hello', name)", "name? ");
    repl.gives("Ada", "hello Ada\n");
    repl.gives("a, b = input('a '), input('b ')\n(a, b)", "a ");
    repl.gives("1", "b ");
    repl.gives("2", "('1', '2')\n");
    repl.gives("input()", WAITING);
    repl.gives("\n", "''\n");
    repl.gives("input('multi\\nline? ')", "multi\nline? ");
    repl.gives("x", "'x'\n");
}

#[test]
fn an_answer_is_exact_and_of_any_length() {
    let repl = Server::start();
    let long = "é".repeat(50_000);
    repl.gives("answer = input('? ')", "? ");
    repl.gives(&long, IDLE);
    repl.gives("len(answer), set(answer)", "(50000, {'é'})\n");
    repl.gives("answer = input('? ')", "? ");
    repl.gives("tab\there \u{1}\u{7f} \\ 'quote' end ", IDLE);
    repl.gives("answer", "\"tab\\there \\x01\\x7f \\\\ 'quote' end \"\n");
}

#[test]
fn what_a_cell_leaves_unread_is_thrown_away_and_told() {
    let repl = Server::start();
    repl.gives("first = input('? ')", "? ");
    let reply = repl.repl("one\ntwo\nthree");
    assert_has(&reply, "[repl] 10 bytes of unread input discarded");
    repl.gives("first", "'one'\n");
    repl.gives("input('? ')", "? ");
    repl.gives("fresh", "'fresh'\n");
}
