//! Programs that wait for the terminal and for something else: a terminal of their own, a pipe, a
//! timer. What they print tells whether they wait; a poll waits for news.
#![cfg(has = "posix")]

use crate::support::{Server, WAITING, assert_has, on_every_python, quoted};

const IMPORTS: &str = "import os, pty, subprocess, sys";

fn session() -> Server {
    Server::start_with(IMPORTS)
}

/// A shell on a terminal within ours, through the `script` of util-linux and through Python's `pty`.
const WRAPPED: [&str; 2] = [
    "subprocess.run(['script', '-qc', 'env PS1=\"$ \" bash --norc', '/dev/null']).returncode",
    "pty.spawn(['env', 'PS1=$ ', 'bash', '--norc'])",
];

#[test]
fn a_command_in_a_wrapped_shell_is_waited_for_and_a_prompt_is_told_at_once() {
    for wrapped in WRAPPED {
        let repl = session();
        let reply = repl.repl(wrapped);
        assert!(reply.ends_with("$ "), "{wrapped}: {reply}");
        repl.gives("echo $((6 * 7))", "echo $((6 * 7))\n42\n$ ");
        repl.gives("sleep 0.1; echo later", "sleep 0.1; echo later\nlater\n$ ");
        let reply = repl.repl("read -p 'name? ' name; echo got $name");
        assert!(reply.ends_with("\nname? "), "{reply}");
        assert!(repl.repl("Ada").ends_with("got Ada\n$ "));
        repl.gives("exit 0", "exit 0\nexit\n0\n");
        repl.still_works();
    }
}

#[test]
fn a_poll_waits_for_what_a_wrapped_shell_prints() {
    for wrapped in WRAPPED {
        let repl = session();
        let pipe = repl.directory().join("pipe");
        repl.gives(&format!("os.mkfifo({})", quoted(&pipe)), "<<repl status: idle>>\n");
        repl.repl(wrapped);
        let command = format!("{{ read x; sleep 0.1; echo $x; }} < {}", pipe.display());
        let reply = repl.repl(&command);
        assert_has(&reply, "waiting for input");
        let poll = repl.begin("");
        std::fs::write(&pipe, "news\n").unwrap();
        let news = poll.text();
        assert!(news.ends_with("news\n$ "), "{wrapped}: {news}");
        // Without news it says at the end of its time how things stand.
        assert_has(&repl.repl_with("", 300), "waiting for input");
        repl.repl("exit 0");
        repl.still_works();
    }
}

/// A reader of lines in an event loop, with a timer beside; it shows no prompt.
const LOOP: &str = "\
import asyncio, sys
async def main():
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print('begun')
    while line := (await lines.readline()).decode().strip():
        if line == 'end': break
        loop.call_later(0.05, print, 'timer', line)
        print('got', line)
asyncio.run(main())";

#[test]
fn an_event_loop_that_reads_lines_is_answered_and_its_timers_are_waited_for() {
    on_every_python(|repl| {
        repl.write_file("program.py", LOOP);
        repl.repl("import subprocess, sys");
        let cell = "subprocess.run([sys.executable, 'program.py']).returncode";
        repl.gives(cell, &format!("begun\n{WAITING}"));
        // What comes soon is in the reply.
        repl.gives("one", &format!("one\ngot one\ntimer one\n{WAITING}"));
        repl.gives("end", "end\n0\n");
        repl.still_works();
    });
}

/// Selects on its input and on a pipe from a child, and shows lines of both.
const SELECT: &str = "\
import os, select, subprocess
command = 'read x < pipe; sleep 0.1; echo $x'
child = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE)
print('begun', flush=True)
sources = [0, child.stdout.fileno()]
while len(sources) > 1:
    for source in select.select(sources, [], [])[0]:
        text = os.read(source, 100).decode()
        if not text: sources.remove(source)
        print('input' if source == 0 else 'child', repr(text), flush=True)";

#[test]
fn a_program_that_reads_its_child_and_the_terminal_gets_both() {
    let repl = session();
    let pipe = repl.directory().join("pipe");
    repl.repl(&format!("os.mkfifo({})", quoted(&pipe)));
    repl.write_file("program.py", SELECT);
    let cell = "subprocess.run([sys.executable, 'program.py']).returncode";
    repl.gives(cell, &format!("begun\n{WAITING}"));
    repl.gives("typed", &format!("typed\ninput 'typed\\n'\n{WAITING}"));
    let poll = repl.begin("");
    std::fs::write(&pipe, "news\n").unwrap();
    assert_eq!(poll.text(), "child 'news\\n'\nchild ''\n0\n");
    repl.still_works();
}

/// Takes what is typed as it ends, and does not look at it.
const ENDS: &str = "\
import os, select, termios, tty
modes = termios.tcgetattr(0)
tty.setraw(0)
print('> ', end='', flush=True)
select.select([0, os.pipe()[0]], [], [])
os.read(0, 100)
termios.tcsetattr(0, termios.TCSANOW, modes)";

#[test]
fn what_is_typed_for_a_program_that_ends_without_reading_it_is_told() {
    let repl = session();
    repl.write_file("program.py", ENDS);
    let cell = "subprocess.run([sys.executable, 'program.py']).returncode";
    repl.gives(cell, "> ");
    let program = repl.repl("'a cell'");
    assert_has(&program, "[repl] ");
    assert_has(&program, " ended and showed nothing of what was typed for it;");
    repl.still_works();
    // What it did not take is counted.
    repl.write_file("program.py", &ENDS.replace("os.read(0, 100)", "os.read(0, 1)"));
    repl.gives(cell, "> ");
    assert_has(&repl.repl("'a cell'"), "[repl] 8 bytes of unread input discarded\n");
    repl.still_works();
}

/// A thread reads keys, as those of textual and of Go programs do; the first one answers them.
const THREADS: &str = "\
import os, select, termios, threading, time, tty
modes = termios.tcgetattr(0)
tty.setraw(0)
reads, writes = os.pipe()
def read():
    while select.select([0], [], [])[0]: os.write(writes, os.read(0, 100))
threading.Thread(target=read, daemon=True).start()
keys = b''
while keys != b'end\\r':
    print('> ', end='', flush=True)
    keys = os.read(reads, 100)
    time.sleep(0.1)
    print('got', keys, end='\\r\\n', flush=True)
termios.tcsetattr(0, termios.TCSANOW, modes)";

#[test]
fn a_program_whose_thread_reads_keys_waits_when_another_has_answered_them() {
    let repl = session();
    repl.write_file("program.py", THREADS);
    repl.gives("subprocess.run([sys.executable, 'program.py']).returncode", "> ");
    repl.gives("one", "got b'one\\r'\n> ");
    repl.gives("end", "got b'end\\r'\n0\n");
    repl.still_works();
}
