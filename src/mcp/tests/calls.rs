//! Calls of the tool: what reaches the engine, and what comes back.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::reply::{
    Attachment, Content, Failure, FilePlace, PictureKind, PictureSize, Reply, ShownPicture, Status,
    View,
};

use super::{Harness, OnCancel, initialize, repl, soon, text};
use crate::session::client::EngineCommand;

#[tokio::test]
async fn a_call_carries_the_input_to_the_engine_and_its_reply_back() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "print('é')\n", "timeout_ms": 250}))).await;
    let call = harness.call().await;
    assert_eq!(call.input(), "print('é')\n");
    assert_eq!(call.request.timeout, Duration::from_millis(250));
    assert!(call.request.progress.is_none());
    call.answer("é");
    let answer = harness.receive().await;
    assert_eq!(
        answer,
        json!({"jsonrpc": "2.0", "id": 1, "result": {
        "content": [{"type": "text", "text": "é"}], "isError": false}})
    );
}

#[tokio::test]
async fn text_and_images_keep_their_order() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "plot()"}))).await;
    let mut picture = Attachment::new(1, "image/png", "aGk=".into());
    picture.file.place = FilePlace::At("/d/picture-1.png".into());
    let size = PictureSize { width: 4, height: 3 };
    let (kind, data) = (PictureKind::Png, "aGk=".to_owned());
    picture.view = View::Shown(ShownPicture { kind, data, size, original: size });
    let reply = Reply {
        content: vec![
            Content::Text("before".to_owned()),
            Content::Attachment(picture),
            Content::Text("after".to_owned()),
        ],
        status: Status::Ready { outcome: None },
    };
    harness.call().await.send(reply);
    assert_eq!(
        harness.receive().await["result"]["content"],
        json!([{"type": "text", "text": "before\n[repl] picture: /d/picture-1.png (image/png)\n"},
               {"type": "image", "data": "aGk=", "mimeType": "image/png"},
               {"type": "text", "text": "after"}])
    );
}

#[tokio::test]
async fn clients_that_take_json_for_something_else_are_told_how_things_stand_behind_it() {
    let clients = [
        "gemini-cli-mcp-client",
        "qwen-code-mcp-client",
        "qwen-cli-mcp-client-repl",
        "claude-code",
    ];
    for client in clients {
        let is_told = client != "claude-code";
        let mut harness = Harness::start();
        let mut handshake = initialize("2025-11-25");
        handshake["params"]["clientInfo"]["name"] = client.into();
        harness.ask(handshake).await;
        for json in ["42\n", "[1, 2]\n", "null\n", "1e999\n", "{\"a\": 1}\n", "\"a\"\n"] {
            harness.send(repl(1, json!({"input": "x"}))).await;
            harness.call().await.answer(json);
            let idle = if is_told { "<<repl status: idle>>\n" } else { "" };
            assert_eq!(text(&harness.receive().await), format!("{json}{idle}"), "{client}");
        }
        for other in ["", "(1, 2)\n", "'a'\n", "True\n", "1\n2\n"] {
            harness.send(repl(1, json!({"input": "x"}))).await;
            harness.call().await.answer(other);
            assert_eq!(text(&harness.receive().await), other, "{client}");
        }
        harness.send(repl(1, json!({"input": "input('1')"}))).await;
        let content = vec![Content::Text("1".to_owned())];
        let reply = Reply { content, status: Status::Waiting { echo: true } };
        harness.call().await.send(reply);
        let waiting = if is_told { "\n<<repl status: waiting for input>>\n" } else { "" };
        assert_eq!(text(&harness.receive().await), format!("1{waiting}"), "{client}");
    }
}

#[tokio::test]
async fn an_empty_reply_is_an_empty_text() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "x = 1"}))).await;
    let reply = Reply { content: vec![], status: Status::Ready { outcome: None } };
    harness.call().await.send(reply);
    assert_eq!(text(&harness.receive().await), "");
}

#[tokio::test]
async fn an_error_of_the_bridge_is_marked_as_one() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "1"}))).await;
    let failure = Failure::NoProgram("no Python found".to_owned());
    let content = vec![Content::Status(failure.to_string())];
    let reply = Reply { content, status: Status::Failed { failure } };
    harness.call().await.send(reply);
    let answer = harness.receive().await;
    assert_eq!(answer["result"]["isError"], true);
    assert_eq!(text(&answer), "no Python found\n");
}

#[tokio::test]
async fn a_session_without_an_engine_is_an_error_the_agent_reads() {
    let mut harness = Harness::initialized().await;
    harness.commands.close();
    let answer = harness.ask(repl(1, json!({"input": "1"}))).await;
    assert_eq!(answer["result"]["isError"], true);
    assert!(text(&answer).contains("session is gone"));
}

#[tokio::test]
async fn absent_and_null_arguments_are_their_defaults() {
    let mut harness = Harness::initialized().await;
    let polls = [
        json!({"name": "repl"}),
        json!({"name": "repl", "arguments": null}),
        json!({"name": "repl", "arguments": {}}),
        json!({"name": "repl", "arguments": {"input": null, "timeout_ms": null}}),
    ];
    for params in polls {
        harness
            .send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}))
            .await;
        let call = harness.call().await;
        assert_eq!(call.input(), "");
        assert_eq!(call.request.timeout, Duration::from_secs(40));
        call.answer("");
        harness.receive().await;
    }
}

#[tokio::test]
async fn a_timeout_is_any_number_that_is_not_negative() {
    let day = Duration::from_secs(86_400);
    let cases = [
        ("0", Duration::ZERO),
        ("-0.0", Duration::ZERO),
        ("1500", Duration::from_millis(1500)),
        ("1500.0", Duration::from_millis(1500)),
        ("1e3", Duration::from_secs(1)),
        ("0.5", Duration::from_micros(500)),
        ("18446744073709551615", day),
        ("1e300", day),
    ];
    let mut harness = Harness::initialized().await;
    for (number, expected) in cases {
        let arguments = format!(r#"{{"name":"repl","arguments":{{"timeout_ms":{number}}}}}"#);
        let line =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{arguments}}}"#);
        harness.send_raw(line + "\n").await;
        let call = harness.call().await;
        assert_eq!(call.request.timeout, expected, "{number}");
        call.answer("");
        harness.receive().await;
    }
}

#[tokio::test]
async fn wrong_arguments_are_errors_the_agent_reads_and_nothing_runs() {
    let cases = [
        (json!({"timeout_ms": "5s"}), "`timeout_ms` must be a number of milliseconds, 0 or more"),
        (json!({"timeout_ms": -1}), "not -1"),
        (json!({"timeout_ms": true}), "not true"),
        (json!({"input": true}), "`input` must be a string, not true"),
        (json!({"input": ["1+1"]}), "`input` must be a string, not an array"),
        (json!({"code": "1+1"}), "unknown argument `code`: `repl` takes `input`"),
    ];
    let mut harness = Harness::initialized().await;
    for (arguments, expected) in cases {
        let answer = harness.ask(repl(1, arguments)).await;
        assert_eq!(answer["result"]["isError"], true);
        assert!(text(&answer).contains(expected), "{answer}");
    }
    assert!(harness.has_no_call());
}

#[tokio::test]
async fn a_number_as_input_is_its_text() {
    let mut harness = Harness::initialized().await;
    for (number, expected) in [("42", "42"), ("-1.5", "-1.5"), ("0", "0")] {
        let params = format!(r#"{{"name":"repl","arguments":{{"input":{number}}}}}"#);
        let head = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"#;
        harness.send_raw(format!("{head}{params}}}\n")).await;
        let call = harness.call().await;
        assert_eq!(call.input(), expected);
        call.answer("");
        harness.receive().await;
    }
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error() {
    let mut harness = Harness::initialized().await;
    let answer = harness
        .ask(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                    "params": {"name": "python", "arguments": {}}}))
        .await;
    assert_eq!(answer["error"]["code"], -32602);
    assert_eq!(answer["error"]["message"], "unknown tool `python`: the only one is `repl`");
}

#[tokio::test]
async fn while_one_call_waits_another_is_served() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "slow()"}))).await;
    let slow = harness.call().await;
    harness.send(repl(2, json!({}))).await;
    harness.call().await.answer("busy");
    assert_eq!(harness.receive().await["id"], 2);
    slow.answer("done");
    assert_eq!(harness.receive().await["id"], 1);
}

#[tokio::test]
async fn calls_reach_the_engine_in_the_order_they_were_sent() {
    let mut harness = Harness::initialized().await;
    let lines: String =
        (0..200).map(|n| repl(n, json!({"input": n.to_string()})).to_string() + "\n").collect();
    harness.send_raw(lines).await;
    for n in 0..200 {
        assert_eq!(harness.call().await.input(), n.to_string());
    }
}

#[tokio::test]
async fn progress_is_told_while_a_call_waits_and_never_after() {
    let mut harness = Harness::initialized().await;
    let mut request = repl(7, json!({"input": "train()"}));
    request["params"]["_meta"] = json!({"progressToken": "p"});
    harness.send(request).await;
    let call = harness.call().await;
    let screen = call.request.progress.clone().expect("the client gave a token");
    let mut last = 0.0;
    for line in ["epoch 1", "epoch 2", "epoch 3"] {
        screen.send(line.to_owned()).unwrap();
        let told = harness.receive().await;
        assert_eq!(told["method"], "notifications/progress");
        assert_eq!(told["params"]["progressToken"], "p");
        assert_eq!(told["params"]["message"], line);
        let progress = told["params"]["progress"].as_f64().unwrap();
        assert!(progress > last, "{progress} after {last}");
        last = progress;
    }
    call.answer("trained");
    assert_eq!(harness.receive().await["id"], 7);
    assert!(screen.send("too late".to_owned()).is_err());
    let pong = harness.ask(json!({"jsonrpc": "2.0", "id": 8, "method": "ping"})).await;
    assert_eq!(pong["id"], 8);
}

#[tokio::test]
async fn a_cancelled_call_ends_its_wait_at_once_and_gets_no_reply() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "slow()"}))).await;
    let mut call = harness.call().await;
    harness
        .send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
                     "params": {"requestId": 1, "reason": "the user pressed Escape"}}))
        .await;
    call.reply.closed().await;
    let next: Value = harness.ask(json!({"jsonrpc": "2.0", "id": 2, "method": "ping"})).await;
    assert_eq!(next["id"], 2);
    assert_eq!(harness.end().await, "");
}

#[tokio::test]
async fn a_cancel_interrupts_the_cell_if_its_reason_names_the_user_or_all_do() {
    let cases = [
        (OnCancel::AsAsked, json!("User requested cancellation"), true),
        (OnCancel::AsAsked, json!("Request timed out"), false),
        (OnCancel::AsAsked, json!(null), false),
        (OnCancel::Interrupt, json!(null), true),
        (OnCancel::Continue, json!("User requested cancellation"), false),
    ];
    for (on_cancel, reason, interrupts) in cases {
        let mut harness = Harness::start_with(on_cancel);
        harness.ask(initialize("2025-11-25")).await;
        harness.send(repl(1, json!({"input": "slow()"}))).await;
        let mut call = harness.call().await;
        let params = json!({"requestId": 1, "reason": reason});
        let method = "notifications/cancelled";
        harness.send(json!({"jsonrpc": "2.0", "method": method, "params": params})).await;
        call.reply.closed().await;
        assert_eq!(call.request.on_drop.interrupts(), interrupts, "{on_cancel:?}, {reason}");
    }
}

#[tokio::test]
async fn the_end_of_a_connection_interrupts_no_cell() {
    let mut harness = Harness::start_with(OnCancel::Interrupt);
    harness.send(repl(1, json!({"input": "slow()"}))).await;
    let mut call = harness.call().await;
    let on_drop = call.request.on_drop.clone();
    harness.input.shutdown().await.unwrap();
    call.reply.closed().await;
    assert!(!on_drop.interrupts());
}

#[tokio::test]
async fn cancelling_a_call_that_is_over_does_no_harm() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "1"}))).await;
    harness.call().await.answer("1");
    harness.receive().await;
    harness
        .send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
                     "params": {"requestId": 1}}))
        .await;
    let next = harness.ask(json!({"jsonrpc": "2.0", "id": 2, "method": "ping"})).await;
    assert_eq!(next["id"], 2);
}

fn cancel(id: i64) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
}

#[tokio::test]
async fn a_reply_that_a_cancel_crosses_goes_back_unless_the_client_gets_it() {
    let mut harness = Harness::initialized().await;
    let mut crossed = 0;
    for id in 0..50 {
        harness.send(repl(id, json!({"input": "1"}))).await;
        let call = harness.call().await;
        // The server reads the cancel now, or at one of its turns before the reply is out.
        harness.send(cancel(id)).await;
        for _ in 0..id % 10 {
            tokio::task::yield_now().await;
        }
        call.answer_with_receipt("output", &harness);
        let pong = json!({"jsonrpc": "2.0", "id": "ping", "method": "ping"});
        let answer = harness.ask(pong).await;
        if answer["id"] == id {
            assert_eq!(text(&answer), "output");
            harness.receive().await;
        } else {
            assert_eq!(harness.returned().await, "output");
            crossed += 1;
        }
    }
    assert!(crossed > 0);
}

#[tokio::test]
async fn a_reply_that_reached_its_client_does_not_go_back() {
    let mut harness = Harness::initialized().await;
    harness.send(repl(1, json!({"input": "1"}))).await;
    harness.call().await.answer_with_receipt("output", &harness);
    assert_eq!(text(&harness.receive().await), "output");
    harness.send(cancel(1)).await;
    harness.assert_alive().await;
    assert!(harness.has_no_call());
}

#[tokio::test]
async fn a_part_of_a_long_output_is_asked_for_and_nothing_is_run() {
    let mut harness = Harness::initialized().await;
    for answered in [Ok("[repl] lines 1-1 of output-1\nx\n"), Err("output-1 is not there")] {
        harness.send(repl(1, json!({"show": "lines 1-1", "input": ""}))).await;
        let Some(EngineCommand::Show { part, answer, .. }) = soon(harness.commands.recv()).await
        else {
            panic!("another command");
        };
        assert_eq!(part, "lines 1-1");
        let answered = answered.map(str::to_owned).map_err(str::to_owned);
        answer.send(answered.clone()).unwrap();
        let result = harness.receive().await;
        assert_eq!(result["result"]["isError"], json!(answered.is_err()));
        let told = answered.unwrap_or_else(|why| why + ". Nothing was run.");
        assert_eq!(text(&result), told);
    }
    for other in [json!({"input": "x"}), json!({"keys": "q"}), json!({"person": "why"})] {
        let mut other = other;
        other["show"] = json!("tail 3");
        harness.send(repl(1, other)).await;
        let told = "`show` can't be sent with `input`, `keys` or `person`. Nothing was run.";
        assert_eq!(text(&harness.receive().await), told);
    }
}
