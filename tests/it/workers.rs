//! Other programs as the worker (`--worker`): one that speaks the sideband protocol, and one
//! that breaks it in every way.
#![cfg(has = "posix")]

use serde_json::json;

use crate::support::{Builder, IDLE, Server, assert_has, assert_has_not, python};

/// How a server is started whose worker is a file of `tests/calculator`.
fn worker(file: &str, argument: &str) -> Builder {
    let file = format!("{}/tests/calculator/{file}", env!("CARGO_MANIFEST_DIR"));
    Builder::new().worker([&*python::default().to_string_lossy(), &file, argument])
}

/// A server with such a worker.
fn with_worker(file: &str, argument: &str) -> Server {
    worker(file, argument).start()
}

#[test]
fn a_calculator_is_a_worker() {
    let repl = with_worker("calculator.py", "");
    repl.gives("1 + 1", "2\n");
    repl.gives("x = 40\nx + 2", "42\n");
    repl.gives("x = 5", IDLE);
    repl.gives("1 / 0", "error: division by zero\n");
    repl.gives("ask y\nx * y", "y? ");
    repl.gives_part("2.5", "12.5\n");
    repl.gives("ask y", "y? ");
    repl.repl("\u{3}");
    repl.gives("y", "2.5\n");
    let reply = repl.repl("\u{4}1 + 1");
    assert!(reply.ends_with("[repl] new session started\n2\n"), "{reply}");
}

#[test]
fn a_client_is_not_told_that_another_program_is_python() {
    let repl = worker("calculator.py", "").start_silent();
    let said = repl.initialize("2025-06-18")["result"]["instructions"].to_string();
    let tool = repl.request("tools/list", &json!({}))["result"]["tools"][0].take();
    assert_eq!(tool["title"], "REPL session");
    for text in [said, tool.to_string()] {
        assert!(text.contains("REPL") && text.contains("real terminal"), "{text}");
        for word in ["Python", "python", "input()", "pdb", "help()", "import"] {
            assert_has_not(&text, word);
        }
    }
}

#[test]
fn an_interrupt_of_a_calculator_is_answered() {
    let repl = with_worker("calculator.py", "");
    for _ in 0..3 {
        // While it is idle there is nothing to strike, and no wait for an effect.
        assert_eq!(repl.repl_with("\u{3}", 5000), IDLE);
        assert_eq!(repl.repl_with("\u{3}6 * 7", 5000), "42\n");
        repl.gives("ask y", "y? ");
        assert_eq!(repl.repl_with("\u{3}", 5000).trim_start(), IDLE);
        repl.gives("ask y", "y? ");
        assert_eq!(repl.repl_with("\u{3}6 * 7", 5000).trim_start(), "42\n");
    }
    // All at once: before, in, or behind the wait.
    for _ in 0..20 {
        let calls = [repl.begin("ask y"), repl.begin("\u{3}"), repl.begin("")];
        let said: String = calls.iter().map(|call| call.text()).collect();
        assert_has_not(&said, "busy");
        repl.gives("6 * 7", "42\n");
    }
}

/// What a worker breaks is an error of the bridge that says so, and the next payload starts
/// anew.
#[track_caller]
fn is_told(how: &str, parts: &[&str]) {
    let repl = with_worker("rude.py", how);
    for _ in 0..2 {
        let error = repl.begin("cell").error();
        for part in parts {
            assert_has(&error, part);
        }
    }
}

#[test]
fn lines_that_are_no_messages_are_told() {
    is_told("malformed", &["working\n", "this is no JSON"]);
    is_told("not-a-message", &["working\n", "[1, 2]"]);
    is_told("unknown", &["working\n", "dance"]);
    is_told("binary", &["working\n"]);
}

#[test]
fn a_line_without_an_end_is_told() {
    is_told("endless", &["working\n", "64"]);
}

#[test]
fn another_version_is_told() {
    is_told("version", &["99", "1"]);
}

#[test]
fn another_nonce_is_told() {
    is_told("nonce", &["nonce"]);
}

#[test]
fn marks_and_messages_that_miss_each_other_are_told() {
    is_told("markless", &["working\n", "mark 77"]);
    is_told("messageless", &["working\n", "mark"]);
}

#[test]
fn a_sideband_that_is_closed_is_told() {
    is_told("closing", &["working\n", "closed its sideband"]);
}

#[test]
fn a_worker_that_ends_before_it_is_ready_is_told() {
    is_told("bad-start", &["cannot start today", "exit status 1"]);
}

#[test]
fn a_worker_that_dies_in_a_cell_ends_the_session() {
    let repl = with_worker("rude.py", "dying");
    repl.gives_part("cell", "[repl] session ended (exit status 3)\n");
}

#[test]
fn messages_about_other_cells_and_unknown_fields_do_no_harm() {
    for how in ["other-cell", "chatty"] {
        let repl = with_worker("rude.py", how);
        repl.gives("cell", "working\n");
        repl.gives("cell", "working\n");
    }
}

#[test]
fn a_worker_that_says_nothing_keeps_nobody_waiting_too_long() {
    for how in ["silent", "mute"] {
        let mut repl = with_worker("rude.py", how);
        let reply = repl.repl_with("cell", 300);
        assert_has(&reply, "<<repl status: busy, elapsed_ms=");
        assert_has(&repl.repl_with("", 0), "<<repl status: busy, elapsed_ms=");
        repl.close_stdin();
        assert!(repl.wait().0.success());
    }
}

#[test]
fn a_worker_that_never_exits_is_ended() {
    let mut repl = with_worker("rude.py", "stubborn");
    assert_has(&repl.repl_with("cell", 300), "<<repl status: busy, elapsed_ms=");
    let reply = repl.repl_with("\u{4}cell", 10_000);
    assert_has(&reply, "[repl] new session started\n");
    assert_has(&reply, "working\n");
    repl.close_stdin();
    assert!(repl.wait().0.success());
}

#[test]
fn a_command_that_is_not_there_is_told() {
    let repl = Builder::new().worker(["/nowhere/worker", "--x"]).start();
    assert_has(&repl.begin("cell").error(), "/nowhere/worker");
}
