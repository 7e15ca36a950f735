//! Parts of long outputs: what has no room in a reply is read without running anything.

use serde_json::json;

use crate::support::{Lifeline, Server, assert_has};

/// What the tool shows of a long output.
fn show(repl: &Server, part: &str) -> String {
    repl.call(&json!({"show": part})).text()
}

#[test]
fn what_a_reply_left_out_is_shown_by_lines_by_matches_and_from_the_end() {
    let repl = Server::start();
    let refused = repl.call(&json!({"show": "tail 3"})).error();
    assert_has(&refused, "no reply to this client has left anything out yet");
    let reply = repl.repl("for n in range(1, 100_001): print('number', n)");
    assert!(reply.ends_with("; `show` \"lines 1-100\" reads it\n"), "{reply}");
    let told = "[repl] lines 50000-50001 of output-1\nnumber 50000\nnumber 50001\n";
    assert_eq!(show(&repl, "lines 50000-50001"), told);
    assert_has(&show(&repl, "/r 77777$/"), "77776-number 77776\n77777:number 77777\n");
    assert_eq!(show(&repl, "tail 1"), "[repl] lines 100000-100000 of output-1\nnumber 100000\n");
    // Another one takes its place, and it is still there by its number.
    repl.repl("print('line\\n' * 10_000)");
    assert_has(&show(&repl, "tail 2"), "lines 10000-10001 of output-2");
    assert_has(&show(&repl, "output-1 tail 1"), "number 100000");
    let whole = show(&repl, "output-1 lines 1-");
    assert!(whole.len() < 17_000, "{} bytes", whole.len());
    assert_has(&whole, "left out here; show \"lines ");
}

#[test]
fn a_part_is_shown_while_a_cell_runs() {
    let repl = Server::start();
    repl.repl("for n in range(1, 10_001): print('number', n)");
    let mut line = Lifeline::lay(&repl);
    let waits = repl.begin("_ = line.recv(1)");
    assert_has(&show(&repl, "lines 7-7"), "number 7\n");
    line.release();
    waits.text();
}
