//! `mcp-repl attach`: the escape key and what is behind it.
#![cfg(has = "person")]

use crate::support::{IDLE, Runtime, assert_has, assert_has_not};

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
    let agent = runtime.agent();
    agent.gives(KEYS, IDLE);
    let keys = [("ctrl-a", "\x01", "Ctrl-A"), ("ctrl-\\", "\x1b[92;5u", "Ctrl-\\")];
    for (before, (key, press, name)) in keys.into_iter().enumerate() {
        let mut person = runtime.attach(&["work", "--escape-key", key]);
        person.runs("keys(1)");
        // The usual one is the program's, and this one, when it is pressed twice.
        person.types(&format!("{press}?"));
        person.shows(&format!("{name} then: d detach"));
        // What was there before is on the page of who joins.
        person.shows_when("the program", |page| page.matches("\nnow").count() == before + 1);
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
    let agent = runtime.agent();
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

#[test]
fn the_list_leads_to_another_session_or_back() {
    let runtime = Runtime::new();
    let _servers = ["one", "two"].map(|name| {
        let server = runtime.server().args(["--session", name]).start();
        server.gives(&format!("name = {name:?}"), IDLE);
        server
    });
    let mut person = runtime.attach(&["one"]);
    person.is_at_prompt();
    // Back to the same one.
    person.types("\x1dl");
    person.ends_with("Esc goes back:");
    assert_has(&person.page(), "  1* one");
    person.types("tw\x1b");
    person.runs("name");
    person.ends_with("\n'one'\n>>>");
    for (answer, name) in [("2", "two"), ("none\rone", "one")] {
        person.types("\x1dl");
        person.ends_with("Esc goes back:");
        person.types(&format!("{answer}\r"));
        person.runs("name");
        person.ends_with(&format!("\n'{name}'\n>>>"));
    }
    person.types("\x1dd");
    let (status, page) = person.ends();
    assert_eq!(status, 0);
    assert_has(&page, "the session goes on: mcp-repl attach one");
}

#[test]
fn a_person_may_only_look_on_for_a_while_and_the_host_sees_to_that() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.gives("x = 1", IDLE);
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("\x1do");
    person.shows("you only look on");
    person.types("\x1d?");
    person.shows("you look on");
    person.types("x = 2\r");
    agent.gives("x", "1\n");
    person.shows("[agent] >>> x\n1");
    person.types("\x1do");
    person.shows("you take part again");
    person.runs("x + 1");
    person.ends_with("\n2\n>>>");
    person.types("\x1dd");
    assert_eq!(person.ends().0, 0);
}

#[test]
fn an_interrupt_takes_back_what_was_typed_before_it() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    person.types("import pdb; pdb.set_trace()\r");
    person.ends_with("(Pdb)");
    person.types("half a line");
    person.ends_with("(Pdb) half a line");
    person.types("\x03");
    person.ends_with("--KeyboardInterrupt--\n(Pdb)");
    person.types("p 6 * 7\r");
    person.shows("\n42\n(Pdb)");
    assert_has_not(&person.page(), "Error");
    person.types("c\r");
    person.is_at_prompt();
    person.types("import time; print('goes on'); time.sleep(1000)\r");
    person.shows("\ngoes on");
    person.types("half");
    person.ends_with("half");
    person.types("\x03");
    person.ends_with("KeyboardInterrupt\n>>>");
}
