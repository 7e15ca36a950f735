//! `mcp-repl attach`: which session it joins or starts, and what becomes of that at the end.
#![cfg(has = "person")]

use std::process::{Command, Stdio};

use rustix::process::{Signal, kill_process};

use crate::support::{BINARY, IDLE, Runtime, Terminal, assert_has, assert_has_not};

#[test]
fn with_no_session_it_starts_one_of_its_own_and_may_end_it() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.runs("6 * 7");
    person.shows(">>> 6 * 7\n42\n>>>");
    person.types("\x04");
    person.shows("End the session");
    // Not now.
    person.types("n");
    person.runs("'on'");
    person.shows("\n'on'\n>>>");
    person.types("\x04");
    person.shows_when("the question again", |page| page.matches("End the session").count() == 2);
    person.types("y");
    assert_eq!(person.ends().0, 0);
    runtime.wait_until_empty();
    runtime.has_nothing();
}

#[test]
fn one_of_its_own_ends_with_its_program() {
    let runtime = Runtime::new();
    let mut person = runtime.attach(&[]);
    person.runs("exit()");
    let (status, page) = person.ends();
    assert_eq!(status, 0, "{page}");
}

#[test]
fn the_one_there_is_needs_no_name_and_lives_on() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.gives("x = 20", IDLE);
    let mut person = runtime.attach(&[]);
    person.runs("x += 1");
    person.runs("x");
    person.shows("\n21\n>>>");
    person.types("\x04");
    let (status, page) = person.ends();
    assert_eq!(status, 0);
    assert_has(&page, "detached; the session goes on: mcp-repl attach work");
    let said = agent.repl("x * 2");
    assert_has(&said, "[repl] meanwhile another client (ann) ran:");
    assert_has(&said, "x += 1");
    assert!(said.ends_with("42\n"), "{said}");
}

#[test]
fn where_the_environment_names_nobody_the_account_does() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.gives("x = 20", IDLE);
    let bare = runtime.attaching(&[]).env_remove("USER").env_remove("LOGNAME");
    let mut person = Terminal::run(bare);
    person.runs("x += 1");
    person.runs("x");
    person.shows("\n21\n>>>");
    let name = Command::new("id").arg("-un").output().unwrap().stdout;
    let name = String::from_utf8(name).unwrap();
    let told = format!("[repl] meanwhile another client ({}) ran:", name.trim_end());
    assert_has(&agent.repl("x * 2"), &told);
}

#[test]
fn of_several_the_person_chooses() {
    let runtime = Runtime::new();
    let _servers = ["one", "two"].map(|name| {
        let server = runtime.server().args(["--session", name]).start();
        server.gives(&format!("name = {name:?}"), IDLE);
        server
    });
    for (answer, name) in [("2", "two"), ("one", "one")] {
        let mut person = runtime.attach(&[]);
        person.shows("Which one?");
        assert_has(&person.page(), "  1  one");
        person.types(&format!("{answer}\r"));
        person.runs("name");
        person.shows(&format!("\n'{name}'\n"));
        person.is_at_prompt();
        person.types("\x1dd");
        assert_eq!(person.ends().0, 0);
    }
}

#[test]
fn a_name_nobody_has_is_an_error_that_says_who_is_there() {
    let runtime = Runtime::new();
    let server = runtime.server().args(["--session", "there"]).start();
    server.still_works();
    let (status, page) = runtime.attach(&["other"]).ends();
    assert_eq!(status, 2);
    assert_has(&page, "there is no session \"other\"; there are: there");
    assert_eq!(runtime.names(), ["there"]);
}

#[test]
fn new_ones_are_fresh() {
    let runtime = Runtime::new();
    let server = runtime.server().args(["--session", "there"]).start();
    server.still_works();
    let mut person = runtime.attach(&["--new", "mine"]);
    person.runs("1");
    person.shows("\n1\n>>>");
    assert_eq!(runtime.names(), ["mine", "there"]);
    let (status, page) = runtime.attach(&["--new", "mine"]).ends();
    assert_eq!(status, 2);
    assert_has(&page, "there is a session mine already");
    // A terminal that is closed ends nothing.
    kill_process(rustix::process::Pid::from_raw(person.pid()).unwrap(), Signal::HUP).unwrap();
    assert_eq!(person.ends().0, 129);
    assert_eq!(runtime.names(), ["mine", "there"]);
}

#[test]
fn what_runs_can_be_said_of_fresh_ones_only() {
    let runtime = Runtime::new();
    let server = runtime.server().args(["--session", "there"]).start();
    server.still_works();
    let (status, page) = runtime.attach(&["--python", "python3"]).ends();
    assert_eq!(status, 2);
    assert_has(&page, "--python, --worker and --run are for a fresh session");
}

#[test]
fn without_a_terminal_it_says_so() {
    let runtime = Runtime::new();
    let output = runtime.run(&["attach"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_has(&said, "attach needs a terminal, and standard input is none");
    assert_eq!(runtime.names(), Vec::<String>::new());
    let mut command = runtime.command(&["attach"]);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    assert_eq!(command.status().unwrap().code(), Some(2));
}

#[test]
fn who_looks_on_types_nothing() {
    let runtime = Runtime::new();
    let agent = runtime.server().args(["--session", "work"]).start();
    agent.gives("print('before')", "before\n");
    let mut person = runtime.attach(&["--observe"]);
    // There is no prompt to see that by.
    person.ends_with("before\n[repl] you only look on; Ctrl-C leaves, Ctrl-] o takes part");
    person.types("x = 1\r");
    agent.gives("'x' in globals()", "False\n");
    person.shows("False");
    assert_has_not(&person.page(), "x = 1");
    // The agent's terminal keeps its size.
    agent.gives("import os\nprint(tuple(os.get_terminal_size()))", "(120, 40)\n");
    person.types("\x04");
    assert_eq!(person.ends().0, 0);
    let (status, page) = runtime.attach(&["--observe", "nobody"]).ends();
    assert_eq!(status, 2, "{page}");
}

#[test]
fn one_elsewhere_is_attached_to_by_its_name() {
    let runtime = Runtime::new();
    let directory = std::path::Path::new(BINARY).parent().unwrap();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    let attach = |arguments: &[&str]| {
        let builder = runtime.attaching(arguments).args(["--via", "sh -c"]);
        Terminal::run(builder.env("PATH", &path))
    };
    let mut person = attach(&["--new", "box"]);
    person.runs("x = 6");
    person.is_at_prompt();
    person.types("\x1dd");
    assert_eq!(person.ends().0, 0);
    // Without a name: the one there is, or a choice.
    let mut person = attach(&[]);
    person.runs("x * 7");
    person.shows("\n42\n>>>");
    let mut other = attach(&["--new", "other"]);
    other.is_at_prompt();
    other.types("\x1dd");
    assert_eq!(other.ends().0, 0);
    let mut chooses = attach(&[]);
    chooses.shows("Which one?");
    assert_has(&chooses.page(), "  2  other  ready");
    chooses.types("box\r");
    chooses.runs("x * 8");
    chooses.shows("\n48\n>>>");
    // They are listed and ended the same way, with the exit status and the words of that command.
    let via = |arguments: &[&str]| {
        let mut command = runtime.command(arguments);
        command.args(["--via", "sh -c"]).env("PATH", &path).output().unwrap()
    };
    let listed = String::from_utf8(via(&["ls"]).stdout).unwrap();
    assert_has(&listed, "\nbox ");
    assert_has(&listed, "\nother ");
    let ended = via(&["end", "other"]);
    assert_eq!((ended.status.code(), &*ended.stdout), (Some(0), &b"ended other\n"[..]));
    assert_eq!(runtime.names(), ["box"]);
    let unknown = via(&["end", "nobody"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert_has(&String::from_utf8_lossy(&unknown.stderr), "there is no session nobody");
    let mut missing = runtime.command(&["ls", "--via", "sh -c"]);
    let missing = missing.env("PATH", "/usr/bin:/bin").output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert_has(&String::from_utf8_lossy(&missing.stderr), "is mcp-repl there");
}

#[test]
fn with_none_elsewhere_a_fresh_one_is_started_there() {
    let runtime = Runtime::new();
    let directory = std::path::Path::new(BINARY).parent().unwrap();
    let path = format!("{}:{}", directory.display(), std::env::var("PATH").unwrap());
    let attach = runtime.attaching(&[]).args(["--via", "sh -c"]).env("PATH", &path);
    let mut person = Terminal::run(attach);
    person.runs("6 * 7");
    person.shows("\n42\n>>>");
    assert_eq!(runtime.names().len(), 1);
}
