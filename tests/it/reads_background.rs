//! Readers in threads that outlive their cell, and what goes on while a reader waits.
//!
//! A reader of the main thread comes before those of other threads, and these are served in the
//! order they came. What is left of an answer that one of them got is kept for the next until a
//! cell starts; then it is cleared, and the reply says how much it was.

use crate::{
    support::{IDLE, Server, assert_has, assert_has_not},
    waits::{IN_KERNEL, WAITING, on_every_python},
};

/// Defines `IN_KERNEL`'s functions and the list `heard`.
fn prepare(repl: &Server) {
    repl.gives(&format!("{IN_KERNEL}\nheard = []"), IDLE);
}

#[test]
fn a_thread_that_asks_after_its_cell_gets_the_next_payload() {
    on_every_python(|repl| {
        prepare(repl);
        let mut said = repl.repl("thread = start(lambda: heard.append(input('who? ')))");
        if !said.contains("who? ") {
            said = repl.poll_until("who? ");
        }
        assert!(said.ends_with("who? "), "{said}");
        let reply = repl.repl("me");
        assert_has_not(&reply, "NameError");
        repl.gives("thread.join(); heard", "['me']\n");
    });
}

#[test]
fn a_thread_that_reads_stdin_after_its_cell_gets_the_next_payload() {
    on_every_python(|repl| {
        prepare(repl);
        repl.repl("thread = start(lambda: heard.append(sys.stdin.readline()))\nin_kernel(thread)");
        repl.gives("", WAITING);
        repl.repl("a line");
        repl.gives("thread.join(); heard", "['a line\\n']\n");
    });
}

#[test]
fn a_thread_that_reads_the_terminal_itself_gets_the_next_payload() {
    on_every_python(|repl| {
        prepare(repl);
        repl.repl("thread = start(lambda: heard.append(os.read(0, 100)))\nin_kernel(thread)");
        repl.repl("raw");
        repl.gives("thread.join(); heard", "[b'raw\\n']\n");
        repl.still_works();
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
thread = start(ask)
in_kernel(thread)";
    repl.gives(cell, WAITING);
    // The thread goes on and on; the session is ready.
    repl.gives("answer", IDLE);
    repl.gives("heard", "['answer\\n']\n");
    repl.gives("hold.set(); thread.join()", "done\n");
}

#[test]
fn what_is_left_of_a_threads_answer_is_cleared_when_a_cell_starts() {
    on_every_python(|repl| {
        prepare(repl);
        repl.gives(
            "thread = start(lambda: heard.append(sys.stdin.readline()))\nin_kernel(thread)",
            WAITING,
        );
        repl.repl("one\ntwo");
        let reply = repl.repl("thread.join(); heard");
        assert_eq!(reply, "['one\\n']\n[repl] 4 bytes of unread input discarded\n");
        // Nothing reaches the next reader.
        repl.gives("input('clean? ')", "clean? ");
        repl.gives("yes", "'yes'\n");
    });
}

#[test]
fn what_is_left_of_an_answer_to_input_in_a_thread_is_cleared_too() {
    let repl = Server::start();
    prepare(&repl);
    repl.repl("thread = start(lambda: heard.append(input('who? ')))\nin_kernel(thread)");
    let said = repl.repl("one\ntwo") + &repl.repl("thread.join(); heard");
    assert_has(&said, "['one']\n");
    assert_has(&said, "[repl] 4 bytes of unread input discarded\n");
    assert_has_not(&said, "NameError");
    repl.still_works();
}

#[test]
fn one_answer_serves_several_reads_of_a_thread() {
    let repl = Server::start();
    prepare(&repl);
    let cell = "\
def ask():
    for _ in range(3): heard.append(input('more? '))
thread = start(ask)
in_kernel(thread)";
    repl.repl(cell);
    let said = repl.repl("one\ntwo\nthree") + &repl.repl("thread.join(); heard");
    assert_has(&said, "['one', 'two', 'three']\n");
    assert_has_not(&said, "discarded");
}

#[test]
fn two_threads_are_served_in_order() {
    on_every_python(|repl| {
        prepare(repl);
        let cell = "\
first = start(lambda: heard.append(('first', sys.stdin.buffer.raw.read(100))))
in_kernel(first)
second = start(lambda: heard.append(('second', input('second? '))))
in_kernel(second)";
        repl.repl(cell);
        repl.repl("one");
        repl.repl("two");
        repl.gives(
            "first.join(); second.join(); sorted(heard)",
            "[('first', b'one\\n'), ('second', 'two')]\n",
        );
    });
}

#[test]
fn two_threads_that_call_input_ask_one_after_the_other() {
    on_every_python(|repl| {
        prepare(repl);
        let cell = "\
first = start(lambda: heard.append(('first', input('first? '))))
in_kernel(first)
second = start(lambda: heard.append(('second', input('second? '))))";
        let mut said = repl.repl(cell);
        if !said.contains("first? ") {
            said += &repl.poll_until("first? ");
        }
        assert_has_not(&said, "second? ");
        let mut said = repl.repl("one");
        if !said.contains("second? ") {
            said += &repl.poll_until("second? ");
        }
        repl.repl("two");
        repl.gives("first.join(); second.join(); heard", "[('first', 'one'), ('second', 'two')]\n");
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
        let reply = repl.repl(cell);
        assert!(reply.ends_with("main? "), "{reply}");
        repl.gives("for main", WAITING);
        repl.gives("for the thread", IDLE);
        repl.gives("thread.join(); heard", "['for main', 'for the thread\\n']\n");
    });
}

#[test]
fn an_interrupt_strikes_the_cell_and_leaves_the_waiting_thread() {
    let repl = Server::start();
    prepare(&repl);
    repl.repl(
        "thread = start(lambda: heard.append(sys.stdin.readline()))\nin_kernel(thread)\ninput('main? ')",
    );
    assert_has(&repl.repl("\u{3}"), "KeyboardInterrupt\n");
    repl.repl("still here");
    repl.gives("thread.join(); heard", "['still here\\n']\n");
}

#[test]
fn the_end_of_file_ends_the_wait_of_a_thread() {
    let repl = Server::start();
    prepare(&repl);
    repl.gives(
        "thread = start(lambda: heard.append(sys.stdin.readline()))\nin_kernel(thread)",
        WAITING,
    );
    repl.keys("C-d");
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
        let mut said = repl.repl(cell);
        if !said.contains("counted") {
            said += &repl.poll_until("counted");
        }
        assert_has(&said, "a? ");
        repl.gives("b", "'b'\n");
    });
}

#[test]
fn a_waiting_thread_does_not_stop_the_prompt_of_a_program() {
    let repl = Server::start();
    prepare(&repl);
    let cell = "\
import subprocess
thread = start(lambda: heard.append(sys.stdin.readline()))
in_kernel(thread)
subprocess.run(['echo', 'a child ran']).returncode";
    let said = repl.repl(cell);
    assert_has(&said, "a child ran\n0\n");
    repl.repl("x");
    repl.gives("thread.join(); heard", "['x\\n']\n");
}

#[test]
fn a_timer_thread_answers_nothing_and_its_prints_are_told_in_the_next_reply() {
    let repl = Server::start();
    repl.gives("import threading\nlet = threading.Event()", IDLE);
    let cell = "\
def late():
    let.wait()
    print('late')
thread = threading.Thread(target=late)
thread.start()";
    repl.gives(cell, IDLE);
    repl.gives("input('a? ')", "a? ");
    repl.gives("b", "'b'\n");
    let said = repl.repl("let.set()");
    if !said.contains("late") {
        repl.poll_until("late");
    }
}
