//! `mcp-repl attach` at a terminal that prints lines and no more: `TERM=dumb`.
#![cfg(has = "person")]

use crate::support::{Runtime, Terminal, assert_has, assert_has_not};

const DUMB: &str = "os.environ['TERM'] = 'dumb'";

fn attach(runtime: &Runtime, arguments: &[&str]) -> Terminal {
    Terminal::run(runtime.attaching(arguments).condition(DUMB))
}

#[test]
fn cells_answers_and_secrets_go_line_by_line() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.repl("1");
    let mut person = attach(&runtime, &[]);
    person.runs("x = 6 * 7");
    person.ends_with("x = 6 * 7\n>>>");
    person.types("x\r");
    person.ends_with(">>> x\n42\n>>>");
    person.types("def f(a):\r");
    person.ends_with("\n...");
    person.types("    return a + 1\r");
    person.ends_with("return a + 1\n...");
    person.types("\r");
    person.ends_with("...\n>>>");
    person.types("f(input('number? ') * 2)\r");
    person.ends_with("number?");
    person.types("7\r");
    person.ends_with("to str\n>>>");
    person.types("import getpass; len(getpass.getpass('token? '))\r");
    person.ends_with("token?");
    person.types("hunter2\r");
    person.ends_with("\n7\n>>>");
    assert_has_not(&person.page(), "hunter2");
    // It is told of the person, and the person of it with their next cell.
    let said = agent.repl("print('from the agent')");
    assert_has(&said, ">>> x = 6 * 7\n");
    assert_has_not(&said, "hunter2");
    person.types("x\r");
    person.ends_with("\n42\n>>>");
    assert_has(
        &person.page(),
        "meanwhile another client (agent) ran:\n>>> print('from the agent')\nfrom the agent\n",
    );
    // Nothing that a terminal of lines would show.
    assert!(!person.bytes.contains(&0x1b), "{:?}", String::from_utf8_lossy(&person.bytes));
}

#[test]
fn what_runs_is_interrupted_and_left() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.repl("1");
    let mut person = attach(&runtime, &[]);
    person.runs("import time");
    person.ends_with("time\n>>>");
    person.types("time.sleep(1000)\r");
    while !agent.repl_with("", 20).contains("still runs") {}
    person.types("\u{3}");
    person.ends_with("KeyboardInterrupt\n>>>");
    person.types("'not sent'\u{3}");
    person.ends_with("^C\n>>>");
    person.types("\u{1d}?\r");
    person.ends_with("? is this help\n>>>");
    person.types("\u{4}");
    let (status, page) = person.ends();
    assert_eq!(status, 0);
    assert_has(&page, "detached; the session goes on");
    assert_has_not(&agent.repl("'still here'"), "not sent");
}

#[test]
fn a_session_of_ones_own_ends_when_that_is_said() {
    let runtime = Runtime::new();
    let mut person = attach(&runtime, &[]);
    person.runs("1");
    person.ends_with("\n1\n>>>");
    person.types("\u{4}");
    person.shows("y ends it, d detaches, n goes on:");
    person.types("n\r");
    person.ends_with("on: n\n>>>");
    person.types("exit(3)\r");
    let (status, page) = person.ends();
    assert_eq!(status, 3);
    assert_has(&page, "[repl] session ended (exit status 3)");
    runtime.wait_until_empty();
    let (status, page) = attach(&runtime, &["--observe"]).ends();
    assert_eq!(status, 2);
    assert_has(&page, "--observe needs a terminal that can move its cursor");
}
