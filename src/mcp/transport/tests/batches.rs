//! Batches of MCP 2025-03-26: several messages on a line, and one line that answers them.

use serde_json::{Value, json};

use crate::mcp::tests::{Harness, repl, text};

async fn harness() -> Harness {
    Harness::of_version("2025-03-26").await
}

fn ping(id: u8) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

fn cancel(id: u8) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
}

#[tokio::test]
async fn the_replies_of_a_batch_come_on_one_line() {
    let mut harness = harness().await;
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let call = repl(2, json!({"input": "slow()"}));
    harness.send(json!([ping(1), note, call, ping(3)])).await;
    let call = harness.call().await;
    // Others need not wait for it.
    assert_eq!(harness.ask(ping(4)).await["id"], 4);
    call.answer("done");
    let replies = harness.receive().await;
    let ids: Vec<&Value> = replies.as_array().unwrap().iter().map(|reply| &reply["id"]).collect();
    assert_eq!(ids.len(), 3, "{replies}");
    let called = &replies[ids.iter().position(|id| **id == 2).expect("a reply to the call")];
    assert_eq!(text(called), "done");
    assert!(ids.contains(&&json!(1)) && ids.contains(&&json!(3)), "{replies}");
}

#[tokio::test]
async fn what_can_not_be_acted_on_is_refused_among_the_replies() {
    let mut harness = harness().await;
    let unknown = json!({"jsonrpc": "2.0", "id": "u", "method": "prompts/list"});
    let handshake = json!({"jsonrpc": "2.0", "id": 9, "method": "initialize", "params": {}});
    let replies = harness.ask(json!([1, [], unknown, handshake, ping(1)])).await;
    let told = replies
        .as_array()
        .unwrap()
        .iter()
        .map(|reply| (reply["id"].clone(), reply["error"]["code"].clone()));
    let expected = [
        (Value::Null, json!(-32600)),
        (Value::Null, json!(-32600)),
        (json!("u"), json!(-32601)),
        (json!(9), json!(-32600)),
        (json!(1), Value::Null),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    // Without a request there is no reply later, and these are told at once.
    let replies = harness.ask(json!([1])).await;
    assert_eq!(replies[0]["error"]["code"], -32600);
}

#[tokio::test]
async fn a_batch_without_requests_is_not_answered_and_an_empty_one_is_refused() {
    let mut harness = harness().await;
    let response = json!({"jsonrpc": "2.0", "id": 7, "result": {}});
    harness.send(json!([cancel(99), response])).await;
    harness.assert_alive().await;
    let refused = harness.ask(json!([])).await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&Value::Null, &json!(-32600)));
}

#[tokio::test]
async fn a_call_of_a_batch_that_is_cancelled_does_not_hold_the_others_up() {
    let mut harness = harness().await;
    harness.send(json!([ping(1), repl(2, json!({"input": "slow()"}))])).await;
    let mut call = harness.call().await;
    harness.send(cancel(2)).await;
    call.reply.closed().await;
    assert_eq!(harness.receive().await, json!([{"jsonrpc": "2.0", "id": 1, "result": {}}]));
    // One that is cancelled in its own batch.
    harness.send(json!([repl(3, json!({"input": "slow()"})), cancel(3)])).await;
    harness.assert_alive().await;
    assert_eq!(harness.end().await, "");
}

#[tokio::test]
async fn nor_does_what_else_gets_no_reply() {
    let mut harness = harness().await;
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let pong = json!([{"jsonrpc": "2.0", "id": 2, "result": {}}]);
    assert_eq!(harness.ask(json!([list, cancel(1), ping(2)])).await, pong);
    // Two of the same id get one reply.
    assert_eq!(harness.ask(json!([ping(2), ping(2)])).await, pong);
}

#[tokio::test]
async fn the_end_of_the_connection_gives_the_replies_that_are_there() {
    let mut harness = harness().await;
    harness.send(json!([ping(1), repl(2, json!({"input": "slow()"}))])).await;
    let _call = harness.call().await;
    let last = harness.end().await;
    let replies: Value = serde_json::from_str(&last).expect("one line of JSON");
    assert_eq!(replies[0], json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
}

#[tokio::test]
async fn another_version_agreed_on_has_no_batches() {
    let mut harness = harness().await;
    harness.ask(crate::mcp::tests::initialize("2025-06-18")).await;
    let refused = harness.ask(json!([ping(1)])).await;
    assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(1), &json!(-32600)));
}
