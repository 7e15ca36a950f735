//! A session whose terminal does not hand marks on in their place, as an old console of Windows. Here it is had
//! not to.
//!
//! What a cell has printed may be told with a later reply then: on Linux, too, output reaches the other side
//! of a terminal a moment after it was written.

use std::fs;

use mcp_repl::{
    screen::Marks,
    session::{
        pipeline::Input,
        recording::{Cuts, Recording, replay},
    },
};

use crate::support::{Builder, FRESH, IDLE, Lifeline, Server, WAITING, assert_has, assert_has_not};

fn without_marks() -> Server {
    Builder::new().env("MCP_REPL_TEST_NO_MARKS", "1").start()
}

/// What is told from a payload on until this is among it, statuses of nothing else left out.
#[track_caller]
fn told(repl: &Server, payload: &str, part: &str) -> String {
    let mut told = repl.repl(payload);
    for _ in 0..1000 {
        let text = told.replace(IDLE, "").replace(WAITING, "");
        if text.contains(part) {
            return text;
        }
        told += &repl.poll();
    }
    panic!("{part:?} is not in what {payload:?} gave:\n{told}");
}

#[test]
fn cells_give_their_text_once_and_in_order() {
    let repl = without_marks();
    assert_eq!(told(&repl, "40 + 2", "42\n"), "42\n");
    let all: String = (0..5000).map(|n| format!("{n} of many\n")).collect();
    let cell = "for n in range(5000): print(n, 'of many')\nprint('end')";
    let said = told(&repl, cell, "end\n");
    // What does not fit in a reply is in a file, to which it adds up.
    assert!(said.starts_with("0 of many\n1 of many\n"), "{said}");
    assert_has(&said, "4999 of many\nend\n");
    assert!(said.len() < all.len() + 1000, "{}", said.len());
    for n in 0..20 {
        let line = format!("line {n}\n");
        assert_eq!(told(&repl, &format!("print('line', {n})"), &line), line);
    }
}

#[test]
fn a_question_is_asked_and_answered_and_the_answer_is_not_told_back() {
    let repl = without_marks();
    assert_eq!(told(&repl, "name = input('name? ')", "name? "), "name? ");
    assert_has_not(&repl.repl("Ada"), "Ada");
    // Nor later.
    assert_eq!(told(&repl, "name", "'Ada'\n"), "'Ada'\n");
    // A raw read, and two lines at once.
    let cell = "import os, sys\na, b = sys.stdin.readline(), sys.stdin.readline()\nprint(a + b)";
    assert_has(&repl.repl(cell), "waiting for input");
    let said = told(&repl, "first\nsecond", "second\n");
    assert_eq!(said.matches("first").count(), 1, "{said}");
    assert_eq!(said.matches("second").count(), 1, "{said}");
}

#[test]
fn interrupts_and_exceptions_end_the_cell_alone() {
    let repl = without_marks();
    let mut line = Lifeline::lay(&repl);
    assert_has(&repl.repl_with("line.send(b'x')\nwhile True: pass", 1), "busy");
    line.hears("x");
    told(&repl, "\u{3}", "KeyboardInterrupt");
    let said = told(&repl, "print('before')\n1 / 0", "ZeroDivisionError: division by zero\n");
    assert!(said.starts_with("before\nTraceback (most recent call last):\n"), "{said}");
    told(&repl, "input('more? ')", "more? ");
    told(&repl, "\u{3}", "KeyboardInterrupt");
    assert_eq!(told(&repl, "6 * 7", "42\n"), "42\n");
}

#[cfg(has = "posix")]
#[test]
fn a_crash_is_told_with_what_was_printed_and_a_fresh_session_works() {
    let repl = without_marks();
    let said = told(&repl, "import os\nprint('last words', flush=True)\nos.abort()", "SIGABRT");
    assert_has(&said, "last words\n");
    let said = told(&repl, "6 * 7", "42\n");
    assert_eq!(said, format!("{FRESH}42\n"));
    told(&repl, "exit(3)", "exit status 3");
    told(&repl, "6 * 7", "42\n");
}

#[cfg(has = "posix")]
#[test]
fn a_child_that_asks_is_answered() {
    let repl = without_marks();
    let ask = "import subprocess\n_ = subprocess.run(['sh', '-c', 'printf \"who? \"; read x; echo \"got $x\"'])";
    assert_has(&told(&repl, ask, "who? "), "who? ");
    told(&repl, "ada", "got ada\n");
    assert_eq!(told(&repl, "6 * 7", "42\n"), "42\n");
}

#[test]
fn a_picture_comes_with_its_cell() {
    let repl = without_marks();
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==";
    let cell = format!(
        "import base64\nclass P:\n    def _repr_png_(self): return base64.b64decode('{png}')\nP()"
    );
    told(&repl, &cell, "<image/png>");
}

#[cfg(has = "posix")]
#[test]
fn exec_prints_what_comes_behind_the_last_reply() {
    // The child prints once the program ends.
    let cell = "\
import atexit, subprocess
child = subprocess.Popen(['sh', '-c', 'read line; echo late'], stdin=subprocess.PIPE)
_ = atexit.register(child.communicate, b'\\n')
print('early')";
    for form in [&[][..], &["--json"]] {
        let exec = Builder::new().env("MCP_REPL_TEST_NO_MARKS", "1").arg("exec").args(form);
        let printed = String::from_utf8(exec.arg(cell).output("").stdout).unwrap();
        let (early, late) = (printed.find("early"), printed.find("late"));
        assert!(early.is_some() && early < late, "{form:?}: {printed}");
    }
}

#[test]
fn a_recording_tells_of_it_and_gives_the_same_replies() {
    let directory = tempfile::tempdir().unwrap();
    let cells = ["x = 20", "name = input('Who? ')", "Ada", "print(name, x + 1)", "exit(3)"];
    let builder = Builder::new().directory(directory.path()).env("MCP_REPL_TEST_NO_MARKS", "1");
    let output = builder.args(["record", "-o", "f.cast"]).args(cells).output("");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_has(&printed, "Ada 21\n");
    assert_eq!(printed.matches("Ada").count(), 1, "{printed}");
    let recording = Recording::read(&fs::read(directory.path().join("f.cast")).unwrap()[..]);
    let recording = recording.unwrap();
    let is_without =
        |input: &Input<'_>| matches!(input, Input::Started { marks: Marks::Absent, .. });
    assert!(recording.inputs.iter().any(|(_, input)| is_without(input)));
    // Where a terminal takes marks for text, they would stand among what is printed.
    let file = fs::read_to_string(directory.path().join("f.cast")).unwrap();
    assert_has(&file, "Ada 21");
    assert_has_not(&file, "]5379;");
    for cuts in [Cuts::AsRecorded, Cuts::Whole, Cuts::Everywhere { most: usize::MAX, seed: 1 }] {
        assert_eq!(replay(&recording, cuts).replies, recording.replies, "{cuts:?}");
    }
}
