//! Whatever comes down the line, the server answers, and lives on or ends cleanly.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use super::{Played, repl, soon, text};

/// A line, the id and the code of the error it gets, and a part of its message.
type Case = (&'static [u8], Value, i64, &'static str);

async fn assert_refused(cases: &[Case]) {
    let mut played = Played::initialized().await;
    for (line, id, code, part) in cases {
        played.send_raw(line).await;
        played.send_raw("\n").await;
        let answer = played.receive().await;
        assert_eq!(&answer["id"], id, "{answer}");
        assert_eq!(answer["error"]["code"], *code, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
        played.assert_alive().await;
    }
}

#[tokio::test]
async fn what_is_not_json_is_a_parse_error_with_the_id_if_there_is_one() {
    assert_refused(&[
        (b"hello", json!(null), -32700, "not valid JSON"),
        (b"{", json!(null), -32700, "send one JSON object a line"),
        (br#"{"jsonrpc":"2.0","id":5,"method":"ping""#, json!(5), -32700, "EOF while parsing"),
        (br#"{"jsonrpc":"2.0","id":"x","method":ping}"#, json!("x"), -32700, "not valid JSON"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"repl","arguments":{"timeout_ms":NaN}}}"#,
         json!(1), -32700, "not valid JSON"),
        (br#"{"jsonrpc":"2.0","params":{"arguments":{"timeout_ms":1e999}},"id":2,"method":"x"}"#,
         json!(2), -32700, "out of range"),
        (b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\xfe\",\"id\":3}", json!(3), -32700, "not UTF-8 at byte 27"),
        (b"\x00\x01\x02", json!(null), -32700, "not valid JSON"),
    ])
    .await;
}

#[tokio::test]
async fn deep_nesting_is_a_parse_error() {
    let deep = format!(r#"{{"id":4,"params":{}"#, "[".repeat(1_000_000));
    let mut played = Played::initialized().await;
    played.send_raw(deep + "\n").await;
    let answer = played.receive().await;
    assert_eq!(answer["error"]["code"], -32700);
    assert_eq!(answer["id"], 4);
    played.assert_alive().await;
}

#[tokio::test]
async fn json_that_is_no_message_is_an_invalid_request() {
    assert_refused(&[
        (b"5", json!(null), -32600, "no JSON-RPC message"),
        (br#""text""#, json!(null), -32600, "no JSON-RPC message"),
        (b"{}", json!(null), -32600, "`jsonrpc` must be \"2.0\""),
        (br#"{"id":1,"method":"ping"}"#, json!(1), -32600, "`jsonrpc` must be"),
        (br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, json!(1), -32600, "`jsonrpc` must be"),
        (br#"{"jsonrpc":"2.0","id":1}"#, json!(1), -32600, "no `method`"),
        (br#"{"jsonrpc":"2.0","id":1,"method":7}"#, json!(1), -32600, "`method` must be a string"),
        (br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, json!(null), -32600, "`id` must be"),
        (br#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, json!(1.5), -32600, "`id` must be"),
        (br#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, json!(null), -32600, "`id` must be"),
        (
            br#"{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}"#,
            json!(1),
            -32600,
            "duplicate field",
        ),
    ])
    .await;
}

#[tokio::test]
async fn methods_and_params_the_server_does_not_know_are_told() {
    assert_refused(&[
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/run"}"#, json!(1), -32601, "unknown method `tools/run`"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"prompts/list"}"#, json!(1), -32601, "unknown method"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"resources/list"}"#, json!(1), -32601, "unknown method"),
        (br#"{"jsonrpc":"2.0","id":1,"method":""}"#, json!(1), -32601, "unknown method"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#, json!(1), -32602, "missing field `params`"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, json!(1), -32602, "missing field `name`"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["repl"]}"#, json!(1), -32602, "must be an object"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"repl","arguments":"1"}}"#,
         json!(1), -32602, "the params of tools/call are not valid"),
        (br#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, json!(1), -32602, "params of initialize"),
    ])
    .await;
}

#[tokio::test]
async fn every_request_of_a_batch_is_answered() {
    let mut played = Played::initialized().await;
    let request = |id: u8| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    played.send(json!([request(1), note, request(2)])).await;
    for id in [1, 2] {
        let answer = played.receive().await;
        assert_eq!(answer["id"], id);
        assert_eq!(answer["error"]["code"], -32600);
        assert!(answer["error"]["message"].as_str().unwrap().contains("a line of its own"));
    }
    for batch in [json!([]), json!([note]), json!([1, 2])] {
        let answer = played.ask(batch).await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32600)));
    }
    played.assert_alive().await;
}

#[tokio::test]
async fn notifications_and_responses_are_never_answered() {
    let mut played = Played::initialized().await;
    for line in [
        r#"{"jsonrpc":"2.0","method":"notifications/unheard/of","params":[1]}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"repl"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}"#,
        r#"{"jsonrpc":"2.0","id":9,"result":null}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"echo"}}"#,
    ] {
        played.send_raw(format!("{line}\n")).await;
        played.assert_alive().await;
    }
    assert!(played.has_no_call());
}

#[tokio::test]
async fn lone_surrogates_reach_the_engine_as_replacements() {
    let mut played = Played::initialized().await;
    for (escaped, expected) in [
        (r"print('\ud800')", "print('\u{fffd}')"),
        (r"\uDFFF\ud83d\ude00\ud83d", "\u{fffd}😀\u{fffd}"),
        (r"'\\ud800' \ud800\n", "'\\ud800' \u{fffd}\n"),
    ] {
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":"s","method":"tools/call","params":{{"name":"repl","arguments":{{"input":"{escaped}"}}}}}}"#
        );
        played.send_raw(line + "\n").await;
        let call = played.call().await;
        assert_eq!(call.input(), expected);
        call.answer("ok");
        assert_eq!(played.receive().await["id"], "s");
    }
}

#[tokio::test]
async fn control_characters_reach_the_engine_as_they_are() {
    let mut played = Played::initialized().await;
    played.send(repl(1, json!({"input": "\u{3}\u{4}\0\u{1b}[A\r\n\u{2028}"}))).await;
    assert_eq!(played.call().await.input(), "\u{3}\u{4}\0\u{1b}[A\r\n\u{2028}");
}

#[tokio::test]
async fn empty_lines_line_ends_spaces_and_a_byte_order_mark_do_not_matter() {
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let mut played = Played::initialized().await;
    for line in [
        format!("\n\r\n \t\n{ping}\n"),
        format!("{ping}\r\n"),
        format!("\u{feff}{ping}\n"),
        format!("\u{feff}\n{ping}\n"),
        format!("  {ping}\t \r\n"),
    ] {
        played.send_raw(line).await;
        assert_eq!(played.receive().await["id"], 1);
    }
}

#[tokio::test]
async fn a_message_may_come_byte_by_byte() {
    let mut played = Played::initialized().await;
    let line = repl(1, json!({"input": "'é😀'"})).to_string() + "\n";
    for byte in line.as_bytes() {
        played.send_raw([*byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(played.call().await.input(), "'é😀'");
}

#[tokio::test]
async fn a_line_is_not_lost_when_replies_are_sent_while_it_comes() {
    let mut played = Played::initialized().await;
    played.send(repl(1, json!({"input": "slow()"}))).await;
    let slow = played.call().await;
    let line = repl(2, json!({"input": "next"})).to_string() + "\n";
    let (head, tail) = line.split_at(line.len() / 2);
    played.send_raw(head).await;
    slow.answer("done");
    assert_eq!(played.receive().await["id"], 1);
    played.send_raw(tail).await;
    assert_eq!(played.call().await.input(), "next");
}

#[tokio::test]
async fn a_cell_of_64_mib_is_served() {
    let cell = format!("s = '{}'", "x".repeat(64 * 1024 * 1024));
    let mut played = Played::initialized().await;
    played.send(repl(1, json!({"input": cell}))).await;
    let call = played.call().await;
    assert!(call.input() == cell);
    call.answer("ok");
    assert_eq!(text(&played.receive().await), "ok");
}

#[tokio::test]
async fn a_line_over_the_limit_is_refused_with_its_id_and_the_next_is_served() {
    let mut played = Played::initialized().await;
    let chunk = vec![b'x'; 1024 * 1024];
    played.send_raw(r#"{"jsonrpc":"2.0","method":"tools/call","params":{"a":""#).await;
    for _ in 0..130 {
        played.send_raw(&chunk).await;
    }
    played.send_raw("\"},\"id\":6}\n").await;
    let answer = played.receive().await;
    assert_eq!(answer["id"], 6);
    assert_eq!(answer["error"]["code"], -32600);
    assert!(answer["error"]["message"].as_str().unwrap().contains("put the data into a file"));
    played.assert_alive().await;
}

#[tokio::test]
async fn a_line_without_an_end_ends_with_the_input() {
    let mut played = Played::initialized().await;
    let chunk = vec![b'x'; 1024 * 1024];
    for _ in 0..130 {
        played.send_raw(&chunk).await;
    }
    assert!(played.end().await.contains("-32600"));
}

#[tokio::test]
async fn the_end_of_the_input_ends_the_server() {
    assert_eq!(Played::start().end().await, "");
    assert_eq!(Played::initialized().await.end().await, "");
}

#[tokio::test]
async fn the_end_of_the_input_in_the_middle_of_a_line_ends_the_server() {
    let mut played = Played::initialized().await;
    played.send_raw(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","para"#).await;
    assert!(played.end().await.contains("-32700"));
}

#[tokio::test]
async fn a_last_line_needs_no_line_feed() {
    let mut played = Played::initialized().await;
    played.send_raw(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    assert_eq!(played.end().await, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
}

#[tokio::test]
async fn calls_that_are_quick_are_answered_after_the_end_of_the_input() {
    let mut played = Played::initialized().await;
    played.send(repl(1, json!({"input": "1+1"}))).await;
    let call = played.call().await;
    played.input.shutdown().await.unwrap();
    call.answer("2");
    assert_eq!(text(&played.receive().await), "2");
    assert_eq!(played.end().await, "");
}

#[tokio::test]
async fn calls_that_are_slow_do_not_hold_the_end_up() {
    let mut played = Played::initialized().await;
    played.send(repl(1, json!({"input": "slow()"}))).await;
    let mut call = played.call().await;
    played.input.shutdown().await.unwrap();
    call.reply.closed().await;
    assert!(played.end().await.contains("the connection ended before the reply"));
}

#[tokio::test]
async fn a_client_that_closes_its_output_ends_the_server() {
    let mut played = Played::initialized().await;
    played.send(repl(1, json!({"input": "slow()"}))).await;
    let mut slow = played.call().await;
    let Played { mut input, output, server, .. } = played;
    drop(output);
    input.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}\n").await.unwrap();
    slow.reply.closed().await;
    soon(server).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_read_blocks_nobody_and_loses_nothing() {
    let mut played = Played::initialized().await;
    let long = "x".repeat(1024 * 1024);
    for id in 0..60 {
        played.send(repl(id, json!({}))).await;
        played.call().await.answer(&long);
    }
    for id in 0..60 {
        let answer = played.receive().await;
        assert_eq!(answer["id"], id);
        assert_eq!(text(&answer).len(), long.len());
    }
}

#[tokio::test]
async fn a_client_that_reads_too_little_is_heard_again_when_it_reads() {
    let mut played = Played::initialized().await;
    played.send(repl(1, json!({}))).await;
    played.call().await.answer(&"x".repeat(65 * 1024 * 1024));
    // The reply is on its way, and more than may wait is waiting.
    played.output.fill_buf().await.unwrap();
    played.send(repl(2, json!({}))).await;
    assert_eq!(played.receive().await["id"], 1);
    played.call().await.answer("short");
    assert_eq!(text(&played.receive().await), "short");
}

#[tokio::test]
async fn a_client_that_neither_reads_nor_stays_does_not_hold_the_end_up() {
    let mut played = Played::initialized().await;
    played.send(repl(1, json!({}))).await;
    played.call().await.answer(&"x".repeat(65 * 1024 * 1024));
    let Played { input, output: _unread, server, .. } = played;
    drop(input);
    soon(server).await.unwrap().unwrap();
}

#[tokio::test]
async fn messages_are_never_mixed() {
    let mut played = Played::initialized().await;
    for id in 0..50 {
        let mut request = repl(id, json!({}));
        request["params"]["_meta"] = json!({"progressToken": id});
        played.send(request).await;
    }
    let mut calls = Vec::new();
    for _ in 0..50 {
        calls.push(played.call().await);
    }
    for call in calls {
        let screen = call.request.progress.clone().unwrap();
        screen.send("line ".repeat(50_000)).unwrap();
        call.answer(&"reply ".repeat(50_000));
    }
    // Each line parses, and each call gets one reply.
    let mut replies = Vec::new();
    while replies.len() < 50 {
        let message = played.receive().await;
        if let Some(id) = message["id"].as_i64() {
            replies.push(id);
        }
    }
    replies.sort_unstable();
    assert_eq!(replies, (0..50).collect::<Vec<_>>());
}
