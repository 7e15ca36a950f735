//! Clients that speak nonsense get a clear error, and the server lives on.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Builder, IDLE, Lifeline, Server, assert_has};

#[test]
fn malformed_json_gets_a_parse_error() {
    let repl = Server::start();
    for line in ["{", "nonsense", "[1,", "\"", "{\"jsonrpc\": \"2.0\", }", "\u{0}"] {
        repl.send_bytes(format!("{line}\n").as_bytes());
        let answer = repl.answer(&Value::Null);
        assert_eq!(answer["error"]["code"], -32700, "{line:?}: {answer}");
    }
    repl.still_works();
}

#[test]
fn json_that_is_no_message_gets_an_error() {
    let repl = Server::start();
    for line in ["1", "null", "\"text\"", "{}", "{\"jsonrpc\":\"2.0\"}"] {
        repl.send_bytes(format!("{line}\n").as_bytes());
        let answer = repl.answer(&Value::Null);
        assert_eq!(answer["error"]["code"], -32600, "{line}: {answer}");
    }
    repl.still_works();
}

#[test]
fn invalid_utf8_gets_an_error() {
    let repl = Server::start();
    repl.send_bytes(b"\xff\xfe\xfd\n");
    assert!(repl.answer(&Value::Null)["error"].is_object());
    let mut call = br#"{"jsonrpc":"2.0","id":"bad","method":"tools/call","params":{"name":"repl","arguments":{"input":"'"#.to_vec();
    call.extend(b"\xff\xfe'\"}}}\n");
    repl.send_bytes(&call);
    let answer = repl.message(|message| message["id"] == "bad" || message["id"].is_null());
    assert!(answer["error"].is_object() || answer["result"].is_object(), "{answer}");
    repl.still_works();
}

#[test]
fn blank_lines_and_windows_line_ends_are_fine() {
    let repl = Server::start();
    repl.send_bytes(b"\n\r\n  \n");
    repl.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":\"p\",\"method\":\"ping\"}\r\n");
    assert_eq!(repl.answer(&json!("p"))["result"], json!({}));
    repl.still_works();
}

#[test]
fn a_line_of_64_megabytes_is_run_or_refused() {
    let repl = Server::start();
    let cell = format!("len('{}')", "x".repeat(64 << 20));
    let answer = repl.begin(&cell).answer();
    let told = answer.to_string();
    assert!(told.len() < 10_000, "{} bytes", told.len());
    assert!(
        told.contains("67108864")
            || answer["error"].is_object()
            || answer["result"]["isError"] == true,
        "{told}"
    );
    repl.still_works();
}

#[test]
fn a_line_that_never_ends_is_let_go_with_the_client() {
    let mut repl = Server::start();
    repl.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":1,");
    repl.close_stdin();
    assert!(repl.wait().0.success());
}

#[test]
fn an_unknown_tool_and_an_unknown_method_get_errors() {
    let repl = Server::start();
    let answer = repl.request("tools/call", &json!({"name": "other", "arguments": {}}));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    assert_has(&answer.to_string(), "repl");
    let answer = repl.request("no/such/method", &json!({}));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    let answer = repl.request("resources/list", &json!({}));
    assert!(answer["error"].is_object() || answer["result"]["resources"] == json!([]), "{answer}");
    repl.notify("notifications/of/no/kind", &json!({"x": 1}));
    repl.still_works();
}

#[test]
fn arguments_of_the_wrong_kind_get_a_clear_error_and_run_nothing() {
    let repl = Server::start();
    for arguments in [
        json!({"input": true}),
        json!({"input": ["x = 1"]}),
        json!({"input": "x = 1", "timeout_ms": "soon"}),
        json!({"input": "x = 1", "timeout_ms": -1}),
        json!({"input": "x = 1", "timeout_ms": true}),
        json!({"input": "x = 1", "timeout_ms": [1]}),
        json!({"input": "x = 1", "no_such": 1}),
    ] {
        let answer = repl.call(&arguments).answer();
        let told = answer["result"]["isError"] == true || answer["error"].is_object();
        assert!(told, "{arguments}: {answer}");
    }
    for params in
        [json!({"name": "repl", "arguments": [1]}), json!({"name": 5}), json!([1]), json!({})]
    {
        let answer = repl.request("tools/call", &params);
        assert!(answer["error"].is_object(), "{params}: {answer}");
    }
    repl.gives_part("x", "NameError");
}

#[test]
fn timeout_ms_takes_any_non_negative_number() {
    let repl = Server::start();
    for timeout in ["1500", "1500.0", "1.5e3", "40000.5", "1e300", "99999999999999999999"] {
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":"t","method":"tools/call","params":{{"name":"repl","arguments":{{"input":"6 * 7","timeout_ms":{timeout}}}}}}}"#
        );
        repl.send_bytes(format!("{line}\n").as_bytes());
        let answer = repl.answer(&json!("t"));
        assert_eq!(answer["result"]["content"][0]["text"], "42\n", "{timeout}: {answer}");
    }
    for timeout in [json!(0), json!(0.0), json!(-0.0), json!(1e-9)] {
        let mut line = Lifeline::lay(&repl);
        let reply = repl.call(&json!({"input": "_ = line.recv(1)", "timeout_ms": timeout})).text();
        assert_has(&reply, "<<repl status: busy, elapsed_ms=");
        line.release();
        repl.gives("", IDLE);
    }
}

#[test]
fn a_timeout_is_kept() {
    let repl = Server::start();
    let _line = Lifeline::lay(&repl);
    let start = std::time::Instant::now();
    repl.call(&json!({"input": "line.recv(1)", "timeout_ms": 300.0})).text();
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn cancelling_what_is_unknown_or_done_is_no_harm() {
    let repl = Server::start();
    repl.notify("notifications/cancelled", &json!({"requestId": 12345}));
    repl.notify("notifications/cancelled", &json!({"requestId": "text"}));
    repl.notify("notifications/cancelled", &json!({}));
    let call = repl.begin("1 + 1");
    assert_eq!(call.text(), "2\n");
    repl.notify("notifications/cancelled", &json!({"requestId": call.id}));
    repl.still_works();
}

#[test]
fn ids_of_every_kind_come_back_as_they_were() {
    let repl = Server::start();
    for id in [json!(0), json!("text"), json!(""), json!(9_007_199_254_740_993_i64), json!(-7)] {
        repl.send(&json!({"jsonrpc": "2.0", "id": id, "method": "ping"}));
        assert_eq!(repl.answer(&id)["id"], id);
    }
}

#[test]
fn the_tool_is_told_in_fewer_than_1500_characters() {
    let repl = Server::start();
    let answer = repl.request("tools/list", &json!({}));
    let tools = answer["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 1);
    assert_eq!(tools[0]["inputSchema"]["properties"]["timeout_ms"]["default"], 40_000);
    assert_eq!(tools[0]["title"], "Python session");
    assert_eq!(tools[0]["annotations"]["title"], "Python session");
    let description = tools[0]["description"].as_str().unwrap();
    assert!(description.chars().count() < 1500);
    for word in [
        "Python",
        "pdb",
        "Execute",
        "code",
        "notebook",
        "Jupyter",
        "IPython",
        "data analysis",
        "python -c",
        "\\u0003",
        "\\u0004",
        "timeout_ms",
        "busy",
        "waiting for input",
        "poll",
    ] {
        assert_has(description, word);
    }
}

#[test]
fn every_version_with_initialize_works_end_to_end() {
    for version in ["2025-06-18", "2025-11-25"] {
        let repl = Builder::new().start_silent();
        let answer = repl.initialize(version);
        assert_eq!(answer["result"]["protocolVersion"], version);
        assert_eq!(answer["result"]["serverInfo"]["name"], "mcp-repl");
        repl.gives("x = 41", IDLE);
        repl.gives("x + 1", "42\n");
        repl.gives("input('? ')", "? ");
        repl.gives("yes", "'yes'\n");
        assert_eq!(repl.request("ping", &json!({}))["result"], json!({}));
    }
}

#[test]
fn a_stateless_client_works_end_to_end() {
    let repl = Builder::new().start_silent();
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let found = repl.request("server/discover", &json!({"_meta": meta}));
    let versions = found["result"]["supportedVersions"].as_array().expect("versions");
    assert!(versions.contains(&json!("2026-07-28")), "{found}");
    let listed = repl.request("tools/list", &json!({"_meta": meta}));
    assert_eq!(listed["result"]["tools"][0]["name"], "repl");
    for (input, reply) in
        [("x = 41", IDLE), ("x + 1", "42\n"), ("input('? ')", "? "), ("a", "'a'\n")]
    {
        let params = json!({"name": "repl", "arguments": {"input": input}, "_meta": meta});
        let answer = repl.request("tools/call", &params);
        assert_eq!(answer["result"]["content"], json!([{"type": "text", "text": reply}]));
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    }
}
