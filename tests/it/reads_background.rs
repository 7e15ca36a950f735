//! Readers in threads that outlive their cell, and what goes on while a reader waits.
//!
//! A reader of the main thread comes before those of other threads, and these are served in the
//! order they came. What is left of an answer that one of them got is kept for the next until a
//! cell starts; then it is cleared, and the reply says how much it was.

use crate::support::{
    IDLE, IN_KERNEL, Lifeline, Server, WAITING, assert_has, assert_has_not, on_every_python,
};

/// Defines `IN_KERNEL`'s functions and the list `heard`.
fn prepare(repl: &Server) {
    repl.gives(&format!("{IN_KERNEL}\nheard = []"), IDLE);
}

#[test]
fn a_thread_that_asks_after_its_cell_gets_the_next_payload() {
    on_every_python(|repl| {
        prepare(repl);
        repl.asks("thread = later(lambda: heard.append(input('who? ')))", "who? ");
        repl.gives("me", IDLE);
        repl.gives("thread.join(); heard", "['me']\n");
    });
}

#[test]
fn a_thread_that_reads_stdin_after_its_cell_gets_the_next_payload() {
    on_every_python(|repl| {
        prepare(repl);
        repl.repl("thread = later(lambda: heard.append(sys.stdin.readline()))");
        repl.poll_until_waiting();
        repl.gives("a line", IDLE);
        repl.gives("thread.join(); heard", "['a line\\n']\n");
    });
}

#[test]
fn a_thread_that_reads_the_terminal_itself_gets_the_next_payload() {
    on_every_python(|repl| {
        prepare(repl);
        repl.repl("thread = later(lambda: heard.append(os.read(0, 100)))");
        repl.poll_until_waiting();
        let reply = repl.repl("raw");
        assert_has(&reply, "[repl] typed for python");
        assert_has(&reply, ", which reads the terminal in the background\n");
        let reply = repl.repl("thread.join(); heard");
        assert!(reply.ends_with("[b'raw\\n']\n"), "{reply}");
        repl.still_works();
    });
}

#[test]
fn a_cell_whose_thread_asks_waits_for_the_answer() {
    on_every_python(|repl| {
        prepare(repl);
        repl.gives("start(lambda: heard.append(input('who? '))).join()\nheard", "who? ");
        repl.gives("me", "['me']\n");
        repl.waits("start(lambda: heard.append(sys.stdin.readline())).join()\nheard");
        repl.gives("you", "['me', 'you\\n']\n");
    });
}

#[test]
fn the_call_that_answers_a_thread_returns_when_the_answer_was_taken() {
    let repl = Server::start();
    prepare(&repl);
    let cell = "\
hold = threading.Event()
def ask():
    heard.append(sys.stdin.readline())
    hold.wait()
    print('done')
thread = later(ask)";
    repl.repl(cell);
    repl.poll_until_waiting();
    // The thread goes on and on; the session is ready.
    repl.gives("answer", IDLE);
    repl.gives("heard", "['answer\\n']\n");
    repl.gives("hold.set(); thread.join()", "done\n");
}

#[test]
fn what_a_thread_asks_and_prints_at_once_belongs_to_the_reply() {
    on_every_python(|repl| {
        prepare(repl);
        let cell = "\
def asks():
    print('begun')
    print('got', input('who? '))
thread = start(asks)";
        repl.gives(cell, "begun\nwho? ");
        repl.gives("me", "got me\n");
        // What it asks next, too.
        let cell = "\
def asks():
    for n in range(2): print('got', input('who? '))
thread = start(asks)";
        repl.gives(cell, "who? ");
        repl.gives("me", "got me\nwho? ");
        repl.gives("you", "got you\n");
    });
}

#[test]
fn who_did_not_know_of_a_reader_is_told_what_became_of_the_cell() {
    let repl = Server::start();
    prepare(&repl);
    let mut line = Lifeline::lay(&repl);
    // One asks when the call that started it has its reply, and the other tells of that.
    for (read, name) in
        [("input('who? ')", "input()"), ("sys.stdin.readline()", "a read of sys.stdin")]
    {
        let cell = format!(
            "def asks(): line.recv(1); heard.append({read})\n\
             asker = threading.Thread(target=asks, name='asker')\n\
             def tells(): in_kernel(asker); line.send(b'!')\n\
             asker.start()\n\
             teller = later(tells)"
        );
        repl.gives(&cell, IDLE);
        line.release();
        line.hears("!");
        let reply = repl.repl("1 + 1");
        assert_has(&reply, &format!("[repl] taken by {name} in thread asker\n"));
        repl.gives("asker.join(); heard.pop().strip()", "'1 + 1'\n");
    }
}

#[test]
fn what_is_left_of_a_threads_answer_is_cleared_when_a_cell_starts() {
    on_every_python(|repl| {
        prepare(repl);
        repl.repl("thread = later(lambda: heard.append(sys.stdin.buffer.raw.read(100)))");
        repl.poll_until_waiting();
        repl.gives("one\ntwo", IDLE);
        repl.gives(
            "thread.join(); heard",
            "[b'one\\n']\n[repl] 4 bytes of unread input discarded\n",
        );
        // Nothing reaches the next reader.
        repl.gives("input('clean? ')", "clean? ");
        repl.gives("yes", "'yes'\n");
    });
}

#[test]
fn what_a_thread_left_in_the_buffers_of_stdin_is_cleared_too() {
    on_every_python(|repl| {
        prepare(repl);
        repl.repl("thread = later(lambda: heard.append(sys.stdin.read(2)))");
        repl.poll_until_waiting();
        repl.gives("bravo\ntwo", IDLE);
        repl.gives("thread.join(); heard", "['br']\n[repl] 8 bytes of unread input discarded\n");
        repl.waits("sys.stdin.readline()");
        repl.gives("yes", "'yes\\n'\n");
    });
}

#[test]
fn what_is_left_of_an_answer_to_input_in_a_thread_is_cleared_too() {
    let repl = Server::start();
    prepare(&repl);
    repl.asks("thread = later(lambda: heard.append(input('who? ')))", "who? ");
    repl.gives("one\ntwo", IDLE);
    repl.gives("thread.join(); heard", "['one']\n[repl] 4 bytes of unread input discarded\n");
    repl.still_works();
}

#[test]
fn one_answer_serves_several_reads_of_a_thread() {
    let repl = Server::start();
    prepare(&repl);
    let cell = "\
def ask():
    for _ in range(3): heard.append(input('more? '))
    print('asked all')
thread = later(ask)";
    repl.asks(cell, "more? ");
    repl.brings("one\ntwo\nthree", "asked all\n");
    repl.gives("thread.join(); heard", "['one', 'two', 'three']\n");
}

#[test]
fn two_threads_are_served_in_order() {
    on_every_python(|repl| {
        prepare(repl);
        let cell = "\
begun = threading.Event()
def first_one():
    begun.set()
    heard.append(('first', sys.stdin.readline()))
def second_one():
    begun.wait()
    in_kernel(first)
    heard.append(('second', input('second? ')))
first = later(first_one)
second = later(second_one)";
        repl.asks(cell, "second? ");
        // Who has waited longest comes first, though it shows no prompt.
        repl.gives("one", WAITING);
        repl.gives("two", IDLE);
        repl.gives(
            "first.join(); second.join(); sorted(heard)",
            "[('first', 'one\\n'), ('second', 'two')]\n",
        );
    });
}

#[test]
fn two_threads_that_call_input_ask_one_after_the_other() {
    on_every_python(|repl| {
        prepare(repl);
        let cell = "\
def asks(name): heard.append((name, input(name + '? ')))
threads = [later(lambda: asks('a')), later(lambda: asks('b'))]";
        let said = repl.asks(cell, "? ");
        // CPython lets one thread at a time ask, whichever comes first.
        let (first, second) = if said.contains("a? ") { ("a", "b") } else { ("b", "a") };
        assert_has_not(&said, &format!("{second}? "));
        repl.asks("one", &format!("{second}? "));
        repl.gives("two", IDLE);
        repl.gives(
            "for thread in threads: thread.join()\nheard",
            &format!("[('{first}', 'one'), ('{second}', 'two')]\n"),
        );
    });
}

#[test]
fn a_reader_of_the_main_thread_comes_before_those_of_other_threads() {
    on_every_python(|repl| {
        prepare(repl);
        let cell = "\
thread = start(lambda: heard.append(sys.stdin.readline()))
in_kernel(thread)
heard.append(input('main? '))";
        repl.asks(cell, "main? ");
        repl.gives("for main", WAITING);
        repl.gives("for the thread", IDLE);
        // Who runs first then is the machine's affair.
        repl.gives("thread.join(); sorted(heard)", "['for main', 'for the thread\\n']\n");
    });
}

#[test]
fn an_interrupt_strikes_the_cell_and_leaves_the_waiting_thread() {
    let repl = Server::start();
    prepare(&repl);
    let cell = "\
thread = start(lambda: heard.append(sys.stdin.readline()))
in_kernel(thread)
input('main? ')";
    repl.asks(cell, "main? ");
    assert_has(&repl.repl("\u{3}"), "KeyboardInterrupt\n");
    repl.gives("still here", IDLE);
    repl.gives("thread.join(); heard", "['still here\\n']\n");
}

#[test]
fn an_interrupt_while_only_a_thread_waits_strikes_nothing() {
    on_every_python(|repl| {
        prepare(repl);
        repl.repl("thread = later(lambda: heard.append(sys.stdin.readline()))");
        repl.poll_until_waiting();
        let reply = repl.repl("\u{3}");
        assert_has_not(&reply, "KeyboardInterrupt");
        repl.gives("still here", IDLE);
        repl.gives("thread.join(); heard", "['still here\\n']\n");
    });
}

#[cfg(has = "posix")]
#[test]
fn the_end_of_file_ends_the_wait_of_a_thread() {
    let repl = Server::start();
    prepare(&repl);
    repl.repl("thread = later(lambda: heard.append(sys.stdin.readline()))");
    repl.poll_until_waiting();
    assert_eq!(repl.keys("C-d"), IDLE);
    repl.gives("thread.join(); heard", "['']\n");
}

#[test]
fn other_threads_run_while_a_reader_waits() {
    on_every_python(|repl| {
        let cell = "\
import threading
def count():
    for n in range(1000): pass
    print('counted')
threading.Timer(0, count).start()
input('a? ')";
        let said = repl.brings(cell, "counted");
        assert_has(&said, "a? ");
        repl.gives_part("b", "'b'\n");
    });
}

#[cfg(has = "posix")]
#[test]
fn children_run_while_a_thread_waits() {
    let repl = Server::start();
    prepare(&repl);
    let cell = "\
import subprocess
thread = start(lambda: heard.append(sys.stdin.readline()))
in_kernel(thread)
subprocess.run(['echo', 'a child ran']).returncode";
    repl.brings(cell, "a child ran\n");
    repl.repl("x");
    repl.gives("thread.join(); heard", "['x\\n']\n");
}

#[test]
fn what_a_thread_prints_while_nothing_is_asked_is_told_in_the_next_reply() {
    let repl = Server::start();
    prepare(&repl);
    repl.gives(
        "let = threading.Event()\nthread = start(lambda: (let.wait(), print('late')))",
        IDLE,
    );
    repl.gives("input('a? ')", "a? ");
    repl.gives("b", "'b'\n");
    repl.brings("let.set()", "late\n");
}
