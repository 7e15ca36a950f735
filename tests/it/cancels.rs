//! Calls that are cancelled: what they printed is told by the next reply.

use serde_json::json;

use crate::support::{Builder, IDLE, Lifeline, Server, assert_has, assert_has_not, rounds};

#[test]
fn a_cancel_that_crosses_the_reply_loses_no_output() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    for n in 0..rounds(200) {
        // The cell ends in about as much time as the cancel takes.
        let call = repl.begin(&format!("_ = line.send(b'!')\nprint('number {n}')"));
        line.hears("!");
        (0..n % 200 * 20).for_each(|_| std::hint::spin_loop());
        repl.notify("notifications/cancelled", &json!({"requestId": call.id}));
        let mut said = repl.poll();
        let id = call.id;
        if said == IDLE {
            // Its reply was out before the cancel came.
            let told = repl.messages(|message| message["id"] == id);
            said = told.iter().map(crate::support::text_of).collect();
        }
        assert_eq!(said, format!("number {n}\n"));
    }
}

#[test]
fn a_poll_that_was_given_up_silently_takes_no_output_with_it() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let given_up = repl.begin("_ = line.send(b'!'), line.recv(1)\nprint('finished')");
    line.hears("!");
    let also_given_up = repl.begin("");
    let newest = repl.begin("");
    // The calls before this have reached the session when a later one is answered.
    repl.repl_with("", 0);
    line.release();
    assert_eq!(newest.text(), "finished\n");
    assert_eq!([given_up.text(), also_given_up.text()], [IDLE, IDLE]);
}

/// Cancels a call with a reason, none, or another client's word for it.
fn cancel(repl: &Server, id: u64, reason: Option<&str>) {
    repl.notify("notifications/cancelled", &json!({"requestId": id, "reason": reason}));
}

#[test]
fn a_cancel_by_the_user_interrupts_the_cell() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let sleep = "import time\n_ = line.send(b'!')\ntime.sleep(1000)";
    // The call of the cell itself, and one that polls it.
    for polls in [false, true] {
        let cell = repl.begin(sleep);
        line.hears("!");
        let mut id = cell.id;
        if polls {
            cancel(&repl, id, None);
            id = repl.begin("").id;
            // It has reached the session when a later one is answered.
            repl.repl_with("", 0);
        }
        cancel(&repl, id, Some("User requested cancellation"));
        let said = repl.repl("'next'");
        assert_has(&said, "[repl] a call was cancelled, and an interrupt sent to its cell\n");
        assert_has(&said, "KeyboardInterrupt\n'next'\n");
    }
}

#[test]
fn any_other_cancel_lets_the_cell_run_on_and_the_next_reply_says_how_to_stop_it() {
    let repl = Server::start();
    let mut line = Lifeline::lay(&repl);
    let cell = repl.begin("_ = line.send(b'!'), line.recv(1)\nprint('done')");
    line.hears("!");
    cancel(&repl, cell.id, Some("Request timed out"));
    let said = repl.repl("'next'");
    assert_has(
        &said,
        "[repl] the cell of a cancelled call still runs; \"\\u0003\" interrupts it\n",
    );
    assert_has(&said, "[repl] input discarded while worker busy\n<<repl status: busy");
    assert_has_not(&repl.repl_with("", 0), "cancelled");
    line.release();
    repl.gives("", "done\n");
    repl.still_works();
}

#[test]
fn what_cancels_do_can_be_decided_for_all() {
    let sleep = "import time\n_ = line.send(b'!')\ntime.sleep(1000)";
    let cases = [("interrupt", None), ("continue", Some("User requested cancellation"))];
    for (on_cancel, reason) in cases {
        let repl = Builder::new().args(["--on-cancel", on_cancel]).start();
        let mut line = Lifeline::lay(&repl);
        let call = repl.begin(sleep);
        line.hears("!");
        cancel(&repl, call.id, reason);
        let said = repl.repl("'next'");
        let expected =
            if on_cancel == "interrupt" { "KeyboardInterrupt\n'next'\n" } else { "busy" };
        assert_has(&said, expected);
    }
}
