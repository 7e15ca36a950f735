//! The sessions of a server by their names: in its own process and in hosts that go; and cells that
//! are run in one of them from the shell.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{
    Builder, IDLE, Lifeline, Pid, Runtime, Server, assert_has, assert_has_not, kill, text_of,
};

/// The text of the reply to a cell in a session.
#[track_caller]
fn on(server: &Server, session: &str, input: &str) -> String {
    text_of(&server.call(&json!({"session": session, "input": input})).answer())
}

/// The arguments that run cells in the session of the server below.
fn exec<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["exec", "--session", "shared"], more].concat()
}

/// A server in a session with a name, which has run this.
fn shared(runtime: &Runtime, cell: &str) -> Server {
    let server = runtime.server().args(["--session", "shared"]).start();
    server.gives(cell, IDLE);
    server
}

/// `exec` in that session, with this as its standard input: what it printed, and its exit status.
#[track_caller]
fn run(runtime: &Runtime, more: &[&str], input: &str) -> (String, String, Option<i32>) {
    let output = runtime.server().any_python().args(exec(more)).output(input);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn without_hosts_there_are_several_sessions_too() {
    let runtime = Runtime::new();
    let server = runtime.server().args(["--grace", "0", "--max-sessions", "2"]).start();
    let mut line = Lifeline::lay(&server);
    let held = server.begin("_ = line.send(b'!'), line.recv(1)\n'first'");
    line.hears("!");
    assert_eq!(on(&server, "other", "x = 6"), IDLE);
    assert_eq!(on(&server, "other", "x * 7"), "42\n");
    line.release();
    assert_eq!(held.text(), "'first'\n");
    let full = server.call(&json!({"session": "third", "input": "1"})).error();
    assert_has(&full, "no more than 2 sessions");
    assert_has(&full, "Nothing was run.");
    // One that has ended makes room.
    assert_has(&on(&server, "other", "exit()"), "session ended");
    assert_eq!(on(&server, "third", "'x' in globals()"), "False\n");
    runtime.has_nothing();
    drop(server);
    line.wait_until_cut();
}

#[test]
fn a_call_under_way_is_told_at_once_that_its_host_is_gone() {
    let runtime = Runtime::new();
    let server = shared(&runtime, "x = 6");
    let mut line = Lifeline::lay(&server);
    let call = server.begin("_ = line.send(b'!'), line.recv(1)");
    line.hears("!");
    kill(runtime.host("shared"));
    assert_has(&call.error(), "[repl] the session's host is gone");
    let said = server.repl("'x' in globals()");
    let started = "[repl] new session started: the earlier one is gone";
    assert!(said.starts_with(started) && said.ends_with("\nFalse\n"), "{said}");
    server.still_works();
    assert_eq!(runtime.names(), ["shared"]);
}

#[cfg(has = "posix")]
#[test]
fn a_server_that_is_asked_to_end_leaves_its_session() {
    let runtime = Runtime::new();
    let mut first = shared(&runtime, "x = 6");
    first.signal(rustix::process::Signal::TERM);
    first.wait();
    let second = runtime.server().args(["--session", "shared"]).start();
    let said = second.repl("x * 7");
    assert!(said.starts_with("[repl] joined the session of "), "{said}");
    assert!(said.ends_with("; its variables are still there\n42\n"), "{said}");
    // Who comes while that one is there is told so.
    let third = runtime.server().args(["--session", "shared"]).start();
    assert_has(&third.repl("x"), ", which another client uses, too");
}

#[test]
fn a_kept_session_is_there_without_grace() {
    let runtime = Runtime::new();
    let mut server =
        runtime.server().args(["--session", "shared", "--grace", "0", "--keep=1h"]).start();
    server.gives("x = 6", IDLE);
    server.hang_up();
    assert_eq!(run(&runtime, &["x"], ""), ("6\n".into(), String::new(), Some(0)));
    let sessions = runtime.ls();
    assert_eq!(sessions[0]["keeps"], true, "{sessions:?}");
}

#[test]
fn exec_prints_replies_and_leaves_the_session_as_it_is() {
    let runtime = Runtime::new();
    let server = shared(&runtime, "x = 6");
    assert_eq!(run(&runtime, &["x", "x * 7"], ""), ("6\n42\n".into(), String::new(), Some(0)));
    // Standard input is the cell, or what the cell asks for.
    assert_eq!(run(&runtime, &[], "print(x)\n"), ("6\n".into(), String::new(), Some(0)));
    let (out, asked, status) = run(&runtime, &["name = input('who? ')", "name"], "me\n");
    assert_eq!((out.as_str(), asked.as_str(), status), ("'me'\n", "who? ", Some(0)));
    // A long output is whole, and an error is told as one.
    let (out, _, status) = run(&runtime, &["for i in range(20000): print(i)", "1/0"], "");
    assert_has(&out, "\n10000\n");
    assert_has(&out, "ZeroDivisionError");
    assert_eq!(status, Some(1));
    assert_has(&server.repl("name"), "'me'\n");
    assert_eq!(runtime.names(), ["shared"]);
}

#[test]
fn exec_prints_what_its_own_cells_printed_and_the_rest_as_notes() {
    let runtime = Runtime::new();
    let server = shared(&runtime, "x = 6");
    let mut line = Lifeline::lay(&server);
    server.gives("print('early')", "early\n");
    std::thread::scope(|scope| {
        let waits = "_ = line.send(b'!'), line.recv(1)\nprint('own')";
        let exec = scope.spawn(|| run(&runtime, &[waits, "x * 7"], ""));
        line.hears("!");
        // It runs between the two cells.
        let others = "print('of another')\nprint('[repl] now your cell:')\nprint('as well')";
        let held = server.begin(others);
        server.repl_with("", 0);
        line.release();
        let (out, notes, status) = exec.join().unwrap();
        assert_eq!((out.as_str(), status), ("own\n42\n", Some(0)), "{notes}");
        assert_has(&notes, "of another\n");
        assert_has(&notes, "\nas well\n[repl] now your cell:\n");
        held.answer();
    });
}

#[test]
fn exec_gives_json_and_pictures_of_a_session() {
    let runtime = Runtime::new();
    let picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let _server = shared(
        &runtime,
        &format!(
            "class Dot:\n    def _repr_png_(self):\n        import base64\n        return \
             base64.b64decode('{picture}')"
        ),
    );
    let (out, _, status) = run(&runtime, &["--json", "6 * 7"], "");
    let reply: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(reply["content"], json!([{"type": "text", "text": "42\n"}]));
    assert_eq!((&reply["status"]["state"], status), (&json!("ready"), Some(0)));
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().to_str().unwrap();
    let (_, told, _) = run(&runtime, &["--images", place, "Dot()"], "");
    assert_has(&told, place);
    let file = directory.path().join("picture-1.png");
    assert!(std::fs::read(file).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn exec_does_not_answer_for_somebody_else() {
    let runtime = Runtime::new();
    let server = runtime.server().args(["--session", "shared"]).start();
    server.gives("name = input('who? ')", "who? ");
    let (out, why, status) = run(&runtime, &["1 + 1"], "");
    assert_eq!((out.as_str(), status), ("", Some(2)));
    assert_has(&why, "waits for input");
    assert_has(&why, "nothing was run");
    server.gives("me", IDLE);
    assert_has(&server.repl("name"), "'me'\n");
}

#[test]
fn exec_of_what_is_not_there_starts_nothing() {
    let runtime = Runtime::new();
    let none = runtime.run(&["exec", "--session", "shared", "1"]);
    assert_has(&String::from_utf8_lossy(&none.stderr), "there is none at all");
    runtime.has_nothing();
    let output = runtime.server().args(exec(&["1"])).output("");
    assert_has(&String::from_utf8_lossy(&output.stderr), "--python, --worker and --run");
    assert_eq!(output.status.code(), Some(2));
}

#[cfg(has = "posix")]
#[test]
fn ctrl_c_interrupts_the_cell_of_exec_alone() {
    let runtime = Runtime::new();
    let server = shared(&runtime, "x = 6");
    let mut line = Lifeline::lay(&server);
    let cell = "_ = line.send(b'!')\nwhile True: pass";
    let (mut command, _directory) =
        runtime.server().any_python().args(exec(&[cell, "x"])).command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    line.hears("!");
    let interrupt = rustix::process::Signal::INT;
    rustix::process::kill_process(Pid::from_child(&child), interrupt).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_has(&String::from_utf8_lossy(&output.stdout), "KeyboardInterrupt");
    assert_eq!(output.status.code(), Some(128 + 2));
    assert_has_not(&server.repl("x"), "session ended");
    assert_eq!(server.repl("x"), "6\n");
}

#[test]
fn hosts_are_left_out_where_nobody_is_to_wait() {
    let runtime = Runtime::new();
    for how in [["--grace", "0"], ["--grace", "0s"]] {
        let server = runtime.server().args(how).start();
        server.still_works();
        runtime.has_nothing();
    }
    let wrong = Builder::new().args(["--grace", "soon"]).output("");
    assert_has(&String::from_utf8_lossy(&wrong.stderr), "`10m`");
}
