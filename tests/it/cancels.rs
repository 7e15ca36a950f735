//! Calls that are cancelled: what they printed is told by the next reply.

use serde_json::json;

use crate::support::{IDLE, Lifeline, Server, rounds};

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
