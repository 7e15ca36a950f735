//! What is sent while a session starts, or after it failed with nobody waiting.

use serde_json::json;

use crate::support::{Builder, Listening, assert_has};

#[test]
fn a_cell_with_a_very_short_time_is_run_when_the_session_is_up() {
    let directory = tempfile::tempdir().unwrap();
    let listening = Listening::new();
    // Python's start waits for a word.
    let start = listening.cell("line.recv(1)\n");
    std::fs::write(directory.path().join("sitecustomize.py"), start).unwrap();
    let repl = Builder::new().env("PYTHONPATH", directory.path()).start();
    let mut line = listening.accept();
    for (input, refused) in [("print('kept'); x = 1", false), ("late", true)] {
        let reply = repl.call(&json!({"input": input, "timeout_ms": 0})).text();
        assert_has(&reply, "<<repl status: busy, elapsed_ms=");
        assert_eq!(reply.contains("discarded"), refused, "{reply}");
    }
    let poll = repl.begin("");
    line.release();
    assert_eq!(poll.text(), "kept\n");
    repl.gives("x", "1\n");
}

#[test]
fn a_session_that_failed_with_nobody_waiting_says_why_at_the_next_call() {
    // It fails before the server reads what its client says.
    let repl = Builder::new().worker(["/nowhere/worker"]).start();
    let error = repl.begin("").error();
    assert!(error.starts_with("[repl] /nowhere/worker could not be started: "), "{error}");
    let ended = "[repl] session ended; the next input starts a new one\n";
    assert_eq!(repl.begin("").text(), ended);
    assert_eq!(repl.begin("cell").error(), error);
}

#[test]
fn a_session_that_fails_twice_in_the_same_way_says_so_once() {
    let repl = Builder::new().worker(["/nowhere/worker"]).start();
    let error = repl.begin("cell").error();
    assert_eq!(error.matches("could not be started").count(), 1, "{error}");
}
