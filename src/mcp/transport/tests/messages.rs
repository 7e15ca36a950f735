//! What a line of the client comes to: a message that reaches the session, or a refusal.

use serde_json::{Value, json};

use crate::mcp::tests::{Harness, repl};

/// A line, the id and the code of the error it gets, and a part of its message.
type Case = (&'static [u8], Value, i64, &'static str);

async fn assert_refused(cases: &[Case]) {
    let mut harness = Harness::initialized().await;
    for (line, id, code, part) in cases {
        harness.send_raw(line).await;
        harness.send_raw("\n").await;
        let answer = harness.receive().await;
        assert_eq!(&answer["id"], id, "{answer}");
        assert_eq!(answer["error"]["code"], *code, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
        harness.assert_alive().await;
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
    let mut harness = Harness::initialized().await;
    harness.send_raw(deep + "\n").await;
    let answer = harness.receive().await;
    assert_eq!(answer["error"]["code"], -32700);
    assert_eq!(answer["id"], 4);
    harness.assert_alive().await;
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
    let mut harness = Harness::initialized().await;
    let request = |id: u8| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    harness.send(json!([request(1), note, request(2)])).await;
    for id in [1, 2] {
        let answer = harness.receive().await;
        assert_eq!(answer["id"], id);
        assert_eq!(answer["error"]["code"], -32600);
        assert!(answer["error"]["message"].as_str().unwrap().contains("a line of its own"));
    }
    for batch in [json!([]), json!([note]), json!([1, 2])] {
        let answer = harness.ask(batch).await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32600)));
    }
    harness.assert_alive().await;
}

#[tokio::test]
async fn notifications_and_responses_are_never_answered() {
    let mut harness = Harness::initialized().await;
    for line in [
        r#"{"jsonrpc":"2.0","method":"notifications/unheard/of","params":[1]}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"repl"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{}}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}"#,
        r#"{"jsonrpc":"2.0","id":9,"result":null}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"echo"}}"#,
    ] {
        harness.send_raw(format!("{line}\n")).await;
        harness.assert_alive().await;
    }
    assert!(harness.has_no_call());
}

#[tokio::test]
async fn lone_surrogates_reach_the_engine_as_replacements() {
    let mut harness = Harness::initialized().await;
    for (escaped, expected) in [
        (r"print('\ud800')", "print('\u{fffd}')"),
        (r"\uDFFF\ud83d\ude00\ud83d", "\u{fffd}😀\u{fffd}"),
        (r"'\\ud800' \ud800\n", "'\\ud800' \u{fffd}\n"),
    ] {
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":"s","method":"tools/call","params":{{"name":"repl","arguments":{{"input":"{escaped}"}}}}}}"#
        );
        harness.send_raw(line + "\n").await;
        let call = harness.call().await;
        assert_eq!(call.input(), expected);
        call.answer("ok");
        assert_eq!(harness.receive().await["id"], "s");
    }
}

#[tokio::test]
async fn control_characters_reach_the_engine_as_they_are() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "\u{3}\u{4}\0\u{1b}[A\r\n\u{2028}"}))).await;
    assert_eq!(harness.call().await.input(), "\u{3}\u{4}\0\u{1b}[A\r\n\u{2028}");
}

#[tokio::test]
async fn empty_lines_line_ends_spaces_and_a_byte_order_mark_do_not_matter() {
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let mut harness = Harness::initialized().await;
    for line in [
        format!("\n\r\n \t\n{ping}\n"),
        format!("{ping}\r\n"),
        format!("\u{feff}{ping}\n"),
        format!("\u{feff}\n{ping}\n"),
        format!("  {ping}\t \r\n"),
    ] {
        harness.send_raw(line).await;
        assert_eq!(harness.receive().await["id"], 1);
    }
}
