//! `mcp-repl attach`: the escape key and what is behind it.
#![cfg(target_os = "linux")]

use crate::support::{IDLE, Runtime, assert_has};

/// A function that reads so many bytes of keys.
const KEYS: &str = "import os, tty
def keys(count):
    tty.setraw(0); print('now', end=' ', flush=True)
    text = b''
    while len(text) < count: text += os.read(0, 9)
    return text";

#[test]
fn another_key_may_be_the_escape_key() {
    let runtime = Runtime::new();
    let agent = runtime.server().client("agent").args(["--session", "work"]).start();
    agent.gives(KEYS, IDLE);
    for (key, press, name) in [("ctrl-a", "\x01", "Ctrl-A"), ("ctrl-\\", "\x1b[92;5u", "Ctrl-\\")] {
        let mut person = runtime.attach(&["work", "--escape-key", key]);
        person.runs("keys(1)");
        // The usual one is the program's, and this one, when it is pressed twice.
        person.types(&format!("{press}?"));
        person.shows(&format!("{name} then: d detach"));
        person.shows_when("what reads it", |page| page.contains("again sends it to the program"));
        person.types("\x1d");
        person.ends_with("b'\\x1d'\n>>>");
        person.types("'half'");
        person.ends_with(">>> 'half'");
        person.types(&format!("{press}?"));
        person.shows_when("the help again, and the line", |page| {
            page.matches(&format!("{name} then: d detach")).count() == 2 && page.ends_with("'half'")
        });
        person.types("\r");
        person.shows("\n'half'\n>>>");
        person.types(&format!("{press}d"));
        assert_eq!(person.ends().0, 0);
    }
}

#[test]
fn without_one_all_is_the_programs() {
    let runtime = Runtime::new();
    let agent = runtime.server().client("agent").args(["--session", "work"]).start();
    agent.gives(KEYS, IDLE);
    let builder = runtime.attaching(&["work"]).env("MCP_REPL_ESCAPE", "none");
    let mut person = crate::support::Terminal::run(builder);
    person.runs("keys(3)");
    person.shows("now");
    person.types("\x1ddx");
    person.shows("b'\\x1ddx'\n>>>");
    person.types("\x04");
    assert_eq!(person.ends().0, 0);
}

#[test]
fn what_is_no_escape_key_is_refused_with_those_that_are() {
    let runtime = Runtime::new();
    for (key, why) in
        [("x", "`ctrl-` and a letter"), ("ctrl-m", "terminals send the same for Enter")]
    {
        let output = runtime.run(&["attach", "--escape-key", key]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_has(&said, why);
    }
}
