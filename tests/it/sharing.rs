//! Sessions that servers do not get by accident: names that others have by now, sessions in which
//! nothing ever ran, and files that are no sessions.

use std::fs;

use serde_json::{Value, json};

use crate::support::{IDLE, Runtime, Server, kill, text_of};

/// The session of a server is gone, and what takes its place is nobody's.
#[track_caller]
fn has_a_new_one(server: &Server) {
    let ask = || text_of(&server.call(&json!({"input": "'x' in globals()"})).answer());
    let mut said = ask();
    // It may not have noticed yet.
    while said.contains("the next call") || said.contains("The next call") {
        said = ask();
    }
    let told = "[repl] new session started: the earlier one is gone";
    assert!(said.starts_with(told) && said.ends_with("\nFalse\n"), "{said}");
}

#[test]
fn a_server_whose_host_was_killed_takes_no_session_that_has_its_name_by_now() {
    let runtime = Runtime::new();
    let directory = tempfile::tempdir().unwrap();
    let start = |client| runtime.server().directory(directory.path()).client(client).start();
    let first = start("one");
    first.gives("x = 'first'", IDLE);
    let [name] = &runtime.names()[..] else { panic!("{:?}", runtime.names()) };
    kill(runtime.host(name));
    while !runtime.names().is_empty() {}
    let mut second = start("two");
    second.gives("x = 'second'", IDLE);
    assert_eq!(&runtime.names()[..], std::slice::from_ref(name));
    has_a_new_one(&first);
    second.gives("x", "'second'\n");
    // Nor one that waits for its own client.
    kill(runtime.host(&format!("{name}-2")));
    second.hang_up();
    has_a_new_one(&first);
}

#[test]
fn nothing_is_said_of_a_session_in_which_nothing_ever_ran() {
    let runtime = Runtime::new();
    let directory = tempfile::tempdir().unwrap();
    let start = || runtime.server().directory(directory.path()).start();
    // One that looks whether the server is well, and no more.
    let mut looker = start();
    let has_joined =
        |session: &Value| session["clients"].as_array().is_some_and(|all| !all.is_empty());
    while !runtime.ls().iter().any(has_joined) {}
    looker.hang_up();
    start().gives("1 + 1", "2\n");
}

#[test]
fn a_file_in_the_way_of_a_name_nobody_asked_for_is_passed_over() {
    let runtime = Runtime::new();
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("proj");
    fs::create_dir(&place).unwrap();
    assert_eq!(runtime.says(&["ls"]), "No sessions.\n");
    fs::write(runtime.path().join("proj.session"), "mine").unwrap();
    let server = runtime.server().directory(&place).start();
    server.gives("1 + 1", "2\n");
    assert_eq!(runtime.names(), ["proj-2"]);
    let named = runtime.server().directory(&place).args(["--session", "proj"]).start();
    let why = named.call(&json!({"input": "1"})).error();
    assert!(why.contains("proj.session is in the way"), "{why}");
}
