//! Both eras of the protocol: clients that `initialize`, and stateless ones.

use serde_json::{Value, json};

use super::{Harness, initialize};

/// The `_meta` every request of a stateless client carries.
fn stateless_meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}
    })
}

#[tokio::test]
async fn a_client_of_any_version_with_initialize_gets_its_version() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut harness = Harness::start();
        let answer = harness.ask(initialize(version)).await;
        assert_eq!(answer["id"], 0);
        assert_eq!(answer["result"]["protocolVersion"], version);
    }
}

#[tokio::test]
async fn a_version_the_server_does_not_know_is_negotiated() {
    for version in ["1999-01-01", "2031-01-01", "2026-07-28"] {
        let mut harness = Harness::start();
        let answer = harness.ask(initialize(version)).await;
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
        // What follows is in the version agreed on.
        let listed = harness.ask(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await;
        assert!(listed["result"].get("resultType").is_none(), "{listed}");
    }
}

#[tokio::test]
async fn the_server_names_itself_its_version_and_what_the_tool_is_for() {
    let mut harness = Harness::start();
    let result = &harness.ask(initialize("2025-11-25")).await["result"];
    assert_eq!(result["serverInfo"]["name"], "mcp-repl");
    assert_eq!(result["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(result["capabilities"], json!({"tools": {}}));
    assert!(result["instructions"].as_str().is_some_and(|text| text.contains("Python")));
}

#[tokio::test]
async fn there_is_one_tool_with_two_arguments() {
    let mut harness = Harness::initialized().await;
    let answer = harness.ask(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})).await;
    let tools = answer["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 1);
    assert_eq!(tools[0]["name"], "repl");
    assert_eq!(tools[0]["title"], "Python session");
    assert_eq!(tools[0]["annotations"]["readOnlyHint"], false);
    assert_eq!(tools[0]["annotations"]["title"], "Python session");
    let schema = &tools[0]["inputSchema"];
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["properties"]["input"]["type"], "string");
    assert_eq!(schema["properties"]["timeout_ms"]["type"], "number");
    assert!(tools[0].get("outputSchema").is_none());
}

#[tokio::test]
async fn a_stateless_client_discovers_lists_and_calls_without_initialize() {
    let mut harness = Harness::start();
    let discovered = harness
        .ask(json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover",
                    "params": {"_meta": stateless_meta()}}))
        .await;
    let versions = discovered["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{discovered}");

    let listed = harness
        .ask(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list",
                    "params": {"_meta": stateless_meta()}}))
        .await;
    assert_eq!(listed["result"]["tools"][0]["name"], "repl");
    assert_eq!(listed["result"]["resultType"], "complete");

    harness
        .send(json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call",
                     "params": {"name": "repl", "arguments": {"input": "1+1"},
                                "_meta": stateless_meta()}}))
        .await;
    harness.call().await.answer("2");
    let called = harness.receive().await;
    assert_eq!(called["id"], 3);
    assert_eq!(called["result"]["content"], json!([{"type": "text", "text": "2"}]));
    assert_eq!(called["result"]["resultType"], "complete");
}

#[tokio::test]
async fn codex_alone_is_asked_for_its_sandbox_in_either_era() {
    for (name, asked) in
        [("codex-mcp-client", json!({"codex/sandbox-state-meta": {}})), ("test", json!(null))]
    {
        let mut greeting = initialize("2025-11-25");
        greeting["params"]["clientInfo"]["name"] = json!(name);
        let mut meta = stateless_meta();
        meta["io.modelcontextprotocol/clientInfo"]["name"] = json!(name);
        let discover = json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover",
                              "params": {"_meta": meta}});
        for message in [greeting, discover] {
            let answer = Harness::start().ask(message).await;
            assert_eq!(answer["result"]["capabilities"]["experimental"], asked, "{answer}");
        }
    }
}

#[tokio::test]
async fn a_stateless_client_may_call_at_once() {
    let mut harness = Harness::start();
    harness
        .send(json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call",
                     "params": {"name": "repl", "arguments": {"input": "1"},
                                "_meta": stateless_meta()}}))
        .await;
    harness.call().await.answer("1");
    assert_eq!(harness.receive().await["id"], "a");
}

#[tokio::test]
async fn a_version_that_does_not_exist_in_the_metadata_is_refused_with_the_list() {
    let mut harness = Harness::start();
    let mut meta = stateless_meta();
    meta["io.modelcontextprotocol/protocolVersion"] = json!("2031-01-01");
    let answer = harness
        .ask(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list",
                    "params": {"_meta": meta}}))
        .await;
    assert_eq!(answer["id"], 1);
    assert!(answer["error"]["data"].to_string().contains("2026-07-28"), "{answer}");
}

#[tokio::test]
async fn a_legacy_result_has_none_of_the_newer_fields() {
    let mut harness = Harness::initialized().await;
    harness.send(super::repl(1, json!({"input": "1"}))).await;
    harness.call().await.answer("1");
    let answer = harness.receive().await;
    assert!(answer["result"].get("resultType").is_none(), "{answer}");
    assert!(answer["result"].get("structuredContent").is_none(), "{answer}");
}

#[tokio::test]
async fn messages_before_initialize_do_no_harm() {
    let mut harness = Harness::start();
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
                           "params": {"requestId": 99}});
    harness.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    harness.send(cancelled).await;
    harness.send(json!({"jsonrpc": "2.0", "id": 5, "result": {}})).await;
    let pong = harness.ask(json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})).await;
    assert_eq!(pong, json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    let answer = harness.ask(initialize("2025-06-18")).await;
    assert_eq!(answer["result"]["protocolVersion"], "2025-06-18");
}

#[tokio::test]
async fn a_client_may_initialize_again() {
    let mut harness = Harness::initialized().await;
    let answer = harness.ask(initialize("2025-06-18")).await;
    assert_eq!(answer["result"]["protocolVersion"], "2025-06-18");
}

#[tokio::test]
async fn a_stateless_client_is_told_progress_and_may_cancel() {
    let mut harness = Harness::start();
    let mut meta = stateless_meta();
    meta["progressToken"] = json!(17);
    harness
        .send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                     "params": {"name": "repl", "arguments": {"input": "slow()"}, "_meta": meta}}))
        .await;
    let mut call = harness.call().await;
    call.request.progress.as_ref().unwrap().send("50%".to_owned()).unwrap();
    let told = harness.receive().await;
    assert_eq!(told["params"]["progressToken"], 17);
    assert_eq!(told["params"]["message"], "50%");
    harness
        .send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
                     "params": {"requestId": 1}}))
        .await;
    call.reply.closed().await;
    assert_eq!(harness.end().await, "");
}

#[tokio::test]
async fn a_ping_after_discover_needs_no_metadata() {
    for meta in [json!({}), json!({"_meta": stateless_meta()})] {
        let mut harness = Harness::start();
        let discover = json!({"_meta": stateless_meta()});
        let method = "server/discover";
        let discover = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": discover});
        assert_eq!(harness.ask(discover).await["id"], 1);
        let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping", "params": meta});
        assert_eq!(harness.ask(ping).await["result"], json!({}));
    }
}
