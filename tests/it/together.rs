//! Several sessions of one server, and several servers in one session.

use serde_json::json;

use crate::support::{IDLE, Lifeline, Runtime, Server, assert_has, assert_has_not, text_of};

/// Two servers in one session.
fn two(runtime: &Runtime) -> [Server; 2] {
    ["one", "two"].map(|client| {
        let server = runtime.server().client(client).args(["--session", "shared"]).start();
        server.poll();
        server
    })
}

/// The text of the reply to a cell on a session, error or not.
#[track_caller]
fn on(server: &Server, session: &str, input: &str) -> String {
    text_of(&server.call(&json!({"session": session, "input": input})).answer())
}

#[test]
fn calls_on_different_sessions_run_side_by_side() {
    let runtime = Runtime::new();
    let server = runtime.server().start();
    let mut line = Lifeline::lay(&server);
    let held = server.begin("_ = line.send(b'!'), line.recv(1)\n'first'");
    line.hears("!");
    assert_eq!(on(&server, "other", "x = 6"), IDLE);
    assert_eq!(on(&server, "other", "x * 7"), "42\n");
    assert_eq!(on(&server, "third", "'x' in globals()"), "False\n");
    line.release();
    assert_eq!(held.text(), "'first'\n");
    let names = runtime.names();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.contains(&"other".to_owned()), "{names:?}");
    assert!(names.contains(&"third".to_owned()), "{names:?}");
}

#[test]
fn a_name_that_is_none_is_a_clear_error() {
    let runtime = Runtime::new();
    let server = runtime.server().start();
    let long = "n".repeat(65);
    for name in ["a/b", "..\n", "é", " ", &long] {
        let call = server.call(&json!({"session": name, "input": "1"}));
        assert_has(&call.error(), "name");
    }
    // The one for calls that name none is there.
    server.still_works();
    assert_eq!(runtime.names().len(), 1);
    let output = runtime.run(&["--session", "a/b"]);
    assert!(!output.status.success());
    assert_has(&String::from_utf8_lossy(&output.stderr), "a/b");
}

#[test]
fn nothing_is_started_to_show_a_part_of_it() {
    let runtime = Runtime::new();
    let server = runtime.server().args(["--session", "shared"]).start();
    server.poll();
    let show = json!({"session": "nonesuch", "show": "tail 1"});
    assert_has(&server.call(&show).error(), "there is no session \"nonesuch\"");
    assert_eq!(runtime.names(), ["shared"]);
    let alone = runtime.server().args(["--grace", "0"]).start();
    assert_has(&alone.call(&show).error(), "there is no session \"nonesuch\"");
}

#[test]
fn beyond_max_sessions_is_a_clear_error_and_the_others_go_on() {
    let runtime = Runtime::new();
    let server = runtime.server().args(["--max-sessions", "3"]).start();
    assert_eq!(on(&server, "a", "x = 'a'"), IDLE);
    assert_eq!(on(&server, "b", "x = 'b'"), IDLE);
    let said = server.call(&json!({"session": "c", "input": "1"})).error();
    assert_has(&said, "3");
    assert_eq!(on(&server, "a", "x"), "'a'\n");
    assert_eq!(on(&server, "b", "x"), "'b'\n");
}

#[test]
fn what_one_did_is_told_to_the_other() {
    let runtime = Runtime::new();
    let [one, two] = two(&runtime);
    one.gives("x = 20 + 1\nprint('hello from one')", "hello from one\n");
    let said = two.repl("x * 2");
    assert_has(&said, "[repl] meanwhile ");
    assert_has(&said, "x = 20 + 1");
    assert_has(&said, "hello from one\n");
    assert!(said.ends_with("42\n"), "{said}");
    // Once, and each is told of the other only.
    two.still_works();
    let said = one.poll();
    assert_has(&said, "[repl] meanwhile ");
    assert_has(&said, "6 * 7");
    assert_has(&said, "42\n");
    assert_has_not(&said, "hello from one");
}

#[test]
fn a_call_waits_for_the_cell_of_another_and_says_whose_it_is() {
    let runtime = Runtime::new();
    let [one, two] = two(&runtime);
    let mut line = Lifeline::lay(&one);
    let held = one.begin("_ = line.send(b'!'), line.recv(1)\nx = 1");
    line.hears("!");
    // Its time is up before its turn comes.
    let said = two.repl_with("x", 20);
    assert_has(&said, "one");
    let waits = two.begin("x + 1");
    line.release();
    assert_eq!(held.text(), IDLE);
    let said = waits.text();
    assert!(said.ends_with("2\n"), "{said}");
}

#[cfg(has = "posix")]
#[test]
fn who_ended_a_session_is_told_to_whose_cell_ran() {
    let runtime = Runtime::new();
    let start = |name| runtime.server().args(["--session", name]).start();
    let by_client = start("one");
    let mut line = Lifeline::lay(&by_client);
    let held = by_client.begin("_ = line.send(b'!'), line.recv(1)");
    line.hears("!");
    runtime.says(&["end", "one"]);
    assert_has(&held.text(), "[repl] the session is ended by another client\n[repl] session ended");
    let by_signal = start("two");
    let mut line = Lifeline::lay(&by_signal);
    let held = by_signal.begin("_ = line.send(b'!'), line.recv(1)");
    line.hears("!");
    rustix::process::kill_process(runtime.host("two"), rustix::process::Signal::TERM).unwrap();
    assert_has(&held.text(), "[repl] the session is ended by a signal to its host\n");
}

#[test]
fn exec_runs_cells_in_a_session_that_lives() {
    let runtime = Runtime::new();
    let [one, _two] = two(&runtime);
    one.gives("x = 6", IDLE);
    assert_eq!(runtime.says(&["exec", "--session", "shared", "x * 7"]), "42\n");
    runtime.says(&["exec", "--session", "shared", "x = 'by exec'"]);
    let said = one.repl("x");
    assert_has(&said, "x = 'by exec'");
    assert!(said.ends_with("'by exec'\n"), "{said}");
    // One that does not live is not started.
    let output = runtime.run(&["exec", "--session", "unknown", "1"]);
    assert!(!output.status.success());
    assert_has(&String::from_utf8_lossy(&output.stderr), "shared");
    assert_eq!(runtime.names(), ["shared"]);
}
