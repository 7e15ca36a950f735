//! Lines in pieces and without end, clients that read too little, and the end of a connection.

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use crate::mcp::tests::{Harness, repl, soon, text};

#[tokio::test]
async fn a_message_may_come_byte_by_byte() {
    let mut harness = Harness::initialized().await;
    let line = repl(1, json!({"input": "'é😀'"})).to_string() + "\n";
    for byte in line.as_bytes() {
        harness.send_raw([*byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(harness.call().await.input(), "'é😀'");
}

#[tokio::test]
async fn a_line_is_not_lost_when_replies_are_sent_while_it_comes() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "slow()"}))).await;
    let slow = harness.call().await;
    let line = repl(2, json!({"input": "next"})).to_string() + "\n";
    let (head, tail) = line.split_at(line.len() / 2);
    harness.send_raw(head).await;
    slow.answer("done");
    assert_eq!(harness.receive().await["id"], 1);
    harness.send_raw(tail).await;
    assert_eq!(harness.call().await.input(), "next");
}

#[tokio::test]
async fn a_cell_of_64_mib_is_served() {
    let cell = format!("s = '{}'", "x".repeat(64 * 1024 * 1024));
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": cell}))).await;
    let call = harness.call().await;
    assert!(call.input() == cell);
    call.answer("ok");
    assert_eq!(text(&harness.receive().await), "ok");
}

#[tokio::test]
async fn a_line_over_the_limit_is_refused_with_its_id_and_the_next_is_served() {
    let mut harness = Harness::initialized().await;
    let chunk = vec![b'x'; 1024 * 1024];
    harness.send_raw(r#"{"jsonrpc":"2.0","method":"tools/call","params":{"a":""#).await;
    for _ in 0..130 {
        harness.send_raw(&chunk).await;
    }
    harness.send_raw("\"},\"id\":6}\n").await;
    let answer = harness.receive().await;
    assert_eq!(answer["id"], 6);
    assert_eq!(answer["error"]["code"], -32600);
    assert!(answer["error"]["message"].as_str().unwrap().contains("put the data into a file"));
    harness.assert_alive().await;
}

#[tokio::test]
async fn a_line_without_an_end_ends_with_the_input() {
    let mut harness = Harness::initialized().await;
    let chunk = vec![b'x'; 1024 * 1024];
    for _ in 0..130 {
        harness.send_raw(&chunk).await;
    }
    assert!(harness.end().await.contains("-32600"));
}

#[tokio::test]
async fn the_end_of_the_input_ends_the_server() {
    assert_eq!(Harness::start().end().await, "");
    assert_eq!(Harness::initialized().await.end().await, "");
}

#[tokio::test]
async fn the_end_of_the_input_in_the_middle_of_a_line_ends_the_server() {
    let mut harness = Harness::initialized().await;
    harness.send_raw(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","para"#).await;
    assert!(harness.end().await.contains("-32700"));
}

#[tokio::test]
async fn a_last_line_needs_no_line_feed() {
    let mut harness = Harness::initialized().await;
    harness.send_raw(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    assert_eq!(harness.end().await, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
}

#[tokio::test]
async fn calls_that_are_quick_are_answered_after_the_end_of_the_input() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "1+1"}))).await;
    let call = harness.call().await;
    harness.input.shutdown().await.unwrap();
    call.answer("2");
    assert_eq!(text(&harness.receive().await), "2");
    assert_eq!(harness.end().await, "");
}

#[tokio::test]
async fn calls_that_are_slow_do_not_hold_the_end_up() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "slow()"}))).await;
    let mut call = harness.call().await;
    harness.input.shutdown().await.unwrap();
    call.reply.closed().await;
    assert!(harness.end().await.contains("the connection ended before the reply"));
}

#[tokio::test]
async fn a_client_that_closes_its_output_ends_the_server() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "slow()"}))).await;
    let mut slow = harness.call().await;
    let Harness { mut input, output, server, .. } = harness;
    drop(output);
    input.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n").await.unwrap();
    slow.reply.closed().await;
    soon(server).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_read_blocks_nobody_and_loses_nothing() {
    let mut harness = Harness::initialized().await;
    let long = "x".repeat(1024 * 1024);
    for id in 0..60 {
        harness.send(repl(id, json!({}))).await;
        harness.call().await.answer(&long);
    }
    for id in 0..60 {
        let answer = harness.receive().await;
        assert_eq!(answer["id"], id);
        assert_eq!(text(&answer).len(), long.len());
    }
}

#[tokio::test]
async fn a_client_that_reads_too_little_is_heard_again_when_it_reads() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({}))).await;
    harness.call().await.answer(&"x".repeat(65 * 1024 * 1024));
    // The reply is on its way, and more than may wait is waiting.
    harness.output.fill_buf().await.unwrap();
    harness.send(repl(2, json!({}))).await;
    assert_eq!(harness.receive().await["id"], 1);
    harness.call().await.answer("short");
    assert_eq!(text(&harness.receive().await), "short");
}

#[tokio::test]
async fn a_client_that_neither_reads_nor_stays_does_not_hold_the_end_up() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({}))).await;
    harness.call().await.answer(&"x".repeat(65 * 1024 * 1024));
    let Harness { input, output: _unread, server, .. } = harness;
    drop(input);
    soon(server).await.unwrap().unwrap();
}

#[tokio::test]
async fn messages_are_never_mixed() {
    let mut harness = Harness::initialized().await;
    for id in 0..50 {
        let mut request = repl(id, json!({}));
        request["params"]["_meta"] = json!({"progressToken": id});
        harness.send(request).await;
    }
    let mut calls = Vec::new();
    for _ in 0..50 {
        calls.push(harness.call().await);
    }
    for call in calls {
        let screen = call.request.progress.clone().unwrap();
        screen.send("line ".repeat(50_000)).unwrap();
        call.answer(&"reply ".repeat(50_000));
    }
    // Each line parses, and each call gets one reply.
    let mut replies = Vec::new();
    while replies.len() < 50 {
        let message = harness.receive().await;
        if let Some(id) = message["id"].as_i64() {
            replies.push(id);
        }
    }
    replies.sort_unstable();
    assert_eq!(replies, (0..50).collect::<Vec<_>>());
}
