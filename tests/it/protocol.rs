//! What clients of single versions of the protocol rely on, over standard input and output.

use serde_json::{Value, json};

use crate::support::{Builder, Server, assert_has, text_of};

fn call(id: u32, input: Value) -> Value {
    let params = json!({"name": "repl", "arguments": {"input": input}});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

#[test]
fn a_batch_is_answered_by_one_line_where_it_was_agreed_on() {
    let repl = Builder::new().start_silent();
    repl.initialize("2025-03-26");
    let ping = json!({"jsonrpc": "2.0", "id": 12, "method": "ping"});
    repl.send(&json!([call(10, json!("x = 41")), call(11, json!("x + 1")), ping]));
    let line = repl.message(Value::is_array);
    let replies = line.as_array().unwrap();
    let of = |id: u32| replies.iter().find(|reply| reply["id"] == id).expect("a reply");
    assert_eq!(replies.len(), 3, "{line}");
    assert_eq!(text_of(of(11)), "42\n");
    assert_eq!(of(12)["result"], json!({}));
    // Notifications alone get no reply.
    repl.send(&json!([{"jsonrpc": "2.0", "method": "notifications/initialized"}]));
    repl.still_works();
    assert!(repl.messages(Value::is_array).is_empty());
}

#[test]
fn a_batch_in_another_version_is_an_error() {
    let repl = Server::start();
    repl.send(&json!([call(10, json!("print('not run')"))]));
    let refused = repl.answer(&json!(10));
    assert_eq!(refused["error"]["code"], -32600);
    assert_has(&refused["error"]["message"].to_string(), "2025-03-26");
    repl.still_works();
}

#[test]
fn a_ping_after_discover_is_answered() {
    let repl = Builder::new().start_silent();
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    let versions = repl.request("server/discover", &json!({"_meta": meta}));
    assert_has(&versions.to_string(), "2026-07-28");
    assert_eq!(repl.request("ping", &json!({}))["result"], json!({}));
}

#[test]
fn a_number_as_input_is_a_cell() {
    let repl = Server::start();
    for (number, reply) in [(json!(42), "42\n"), (json!(-1.5), "-1.5\n")] {
        assert_eq!(repl.call(&json!({"input": number})).text(), reply);
    }
}

#[test]
fn the_instructions_say_what_the_tool_is_for_without_its_description() {
    let repl = Builder::new().start_silent();
    let said = repl.initialize("2025-11-25")["result"]["instructions"].take();
    let said = said.as_str().expect("instructions");
    for word in [
        "`repl`",
        "execute",
        "Python code",
        "notebook",
        "Jupyter",
        "IPython",
        "data analysis",
        "python -c",
        "between calls",
        "`input`",
        "\"\\u0003\"",
        "\"\\u0004\"",
        "`session`",
        "`show`",
    ] {
        assert_has(said, word);
    }
}
