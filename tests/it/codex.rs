//! A client that says with each call what its own sandbox is, as Codex does: its sessions are no freer than that.
#![cfg(has = "sandbox")]

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Builder, Runtime, Server, assert_has, assert_has_not};

const CAPABILITY: &str = "codex/sandbox-state-meta";

/// The first words of a reply under Codex' sandbox.
const FOLLOWED: &str = "; this client's own sandbox is followed";

fn codex() -> Builder {
    Builder::new().client("codex-mcp-client")
}

/// What a cell tries: which mode it finds, and what it may write.
fn tries(file: &str) -> String {
    format!("import os\nprint(os.environ.get('MCP_REPL_SANDBOX'))\nopen({file:?}, 'w').close()")
}

/// As Codex 0.171.0 says it.
fn state(entries: Value, network: &str) -> Value {
    let files = json!({"type": "restricted", "entries": entries});
    json!({
        "permissionProfile": {"type": "managed", "file_system": files, "network": network},
        "sandboxCwd": "file:///somewhere", "useLegacyLandlock": false
    })
}

fn root() -> Value {
    json!({"path": {"type": "special", "value": {"kind": "root"}}, "access": "read"})
}

fn read_only() -> Value {
    state(json!([root()]), "restricted")
}

fn workspace(directory: &Path) -> Value {
    let at =
        |path: &Path, access| json!({"path": {"type": "path", "path": path}, "access": access});
    state(
        json!([root(), at(directory, "write"), at(&directory.join(".git"), "read")]),
        "restricted",
    )
}

fn none() -> Value {
    json!({"permissionProfile": {"type": "disabled"}, "sandboxCwd": "file:///somewhere"})
}

fn call(server: &Server, arguments: &Value, state: &Value) -> Value {
    let meta = json!({ CAPABILITY: state });
    let call = json!({"name": "repl", "arguments": arguments, "_meta": meta});
    server.request("tools/call", &call)["result"].take()
}

/// The text of the reply to a cell.
#[track_caller]
fn repl(server: &Server, input: &str, state: &Value) -> String {
    text(&call(server, &json!({"input": input}), state))
}

#[track_caller]
fn text(answer: &Value) -> String {
    let content = answer["content"].as_array().unwrap_or_else(|| panic!("no result: {answer}"));
    content.iter().filter_map(|block| block["text"].as_str()).collect()
}

#[test]
fn only_codex_is_asked_for_its_sandbox() {
    let server = codex().start_silent();
    let answer = &server.initialize_as("codex-mcp-client", "2025-06-18")["result"];
    assert_eq!(answer["capabilities"]["experimental"], json!({ CAPABILITY: {} }));
    let server = Builder::new().start_silent();
    assert_eq!(server.initialize("2025-06-18")["result"]["capabilities"], json!({"tools": {}}));
}

#[test]
fn a_session_starts_under_the_stricter_of_both() {
    let runtime = Runtime::new();
    let server = codex().runtime(&runtime).args(["--sandbox", "off"]).start();
    // What it may reach is not known yet.
    assert_eq!(runtime.names(), [""; 0]);
    let reply = repl(&server, &tries("x"), &read_only());
    assert!(
        reply.starts_with(&format!("[repl] sandbox: read-only, no network{FOLLOWED}")),
        "{reply}"
    );
    assert_has(&reply, "\nread-only\n");
    assert_has(&reply, "PermissionError");
    assert_has(&reply, "the client's own sandbox, which this one follows, does not allow it");
    assert_eq!(runtime.ls()[0]["sandbox"]["mode"], "read-only");
    assert_eq!(runtime.names().len(), 1);
    assert_has_not(&repl(&server, "1", &read_only()), "[repl]");
    // What Codex allows more than an option does, it does not get.
    let strict = codex().args(["--sandbox", "read-only"]).start();
    let reply = repl(&strict, &tries("x"), &workspace(strict.directory()));
    assert!(reply.starts_with("read-only\n"), "{reply}");
    assert_has(&reply, "PermissionError");
}

#[test]
fn what_codex_has_read_only_is_so() {
    let server = codex().args(["--sandbox", "workspace-write", "--network", "on"]).start();
    let state = workspace(server.directory());
    server.write_file("f", "");
    std::fs::create_dir(server.directory().join(".git")).unwrap();
    let reply = repl(&server, &tries("x"), &state);
    assert_has(&reply, "[repl] sandbox: workspace-write, no network");
    assert_has(&reply, "\nworkspace-write\n");
    assert_has_not(&reply, "PermissionError");
    assert_has(&repl(&server, &tries(".git/x"), &state), "PermissionError");
    let network = "print(os.environ['MCP_REPL_SANDBOX_NETWORK'])";
    assert_has(&repl(&server, network, &state), "off\n");
    // Its own sandbox is elsewhere: nothing here is written.
    let elsewhere = codex().args(["--sandbox", "workspace-write"]).start();
    let reply = repl(&elsewhere, &tries("x"), &workspace(Path::new("/nowhere")));
    assert_has(&reply, "PermissionError");
}

/// A session that began under a looser state than Codex has now.
fn becomes_stricter(server: &Server, ends: impl Fn()) {
    let workspace = workspace(server.directory());
    assert_has(&repl(server, "x = 6 * 7; print('printed')", &workspace), "printed");
    for input in ["x", "\u{3}x"] {
        let answer = call(server, &json!({"input": input}), &read_only());
        assert_eq!(answer["isError"], true, "{answer}");
        let said = text(&answer);
        assert_has(
            &said,
            "is stricter now than the session's (its sandbox is `workspace-write`, and `read-only` is asked for)",
        );
        assert_has(&said, "Nothing was run.");
    }
    let keys = call(server, &json!({"keys": "C-d"}), &read_only());
    assert_has(&text(&keys), "is stricter now");
    // What runs nothing is no matter.
    assert_has(&repl(server, "", &read_only()), "<<repl status: idle>>");
    assert_has(&repl(server, "x", &workspace), "42\n");
    let reply =
        repl(server, &format!("\u{4}print('x' in globals())\n{}", tries("x")), &read_only());
    assert_has(&reply, "[repl] new session started\n");
    assert_has(&reply, "[repl] sandbox: read-only, no network");
    assert_has(&reply, "False\nread-only\n");
    assert_has(&reply, "PermissionError");
    assert_eq!(reply.matches("new session started").count(), 1, "{reply}");
    ends();
    // Looser again, nothing changes without a reset.
    assert_has(&repl(server, &tries("x"), &workspace), "PermissionError");
}

#[test]
fn a_reset_starts_a_session_under_a_stricter_state() {
    let server = codex().args(["--sandbox", "workspace-write"]).start();
    becomes_stricter(&server, || {});
}

#[test]
fn a_reset_ends_the_host_of_a_session_that_allows_more() {
    let runtime = Runtime::new();
    let server = codex().runtime(&runtime).args(["--sandbox", "workspace-write"]).start();
    becomes_stricter(&server, || {
        let sessions = runtime.ls();
        assert_eq!(sessions.len(), 1, "{sessions:?}");
        assert_eq!(sessions[0]["sandbox"]["mode"], "read-only");
    });
}

#[test]
fn a_session_of_others_is_joined_and_kept_only_as_far_as_it_is_no_looser() {
    let runtime = Runtime::new();
    let other = runtime.server().args(["--session", "shared", "--sandbox", "off"]).start();
    other.gives("x = 6", "<<repl status: idle>>\n");
    let server = codex().runtime(&runtime).args(["--sandbox", "off"]).start();
    let shared = |input: &str, state: &Value| {
        let arguments = json!({"input": input, "session": "shared"});
        text(&call(&server, &arguments, state))
    };
    let said = shared("x", &read_only());
    assert_has(
        &said,
        "is there already and allows more: its sandbox is `off`, and `read-only` is asked for",
    );
    assert_has(&shared("x", &none()), "6\n");
    assert_has(&shared("x", &read_only()), "is stricter now than the session's");
    assert_has(&shared("\u{4}x", &read_only()), "others use the session \"shared\"");
    assert_has(&shared("x", &none()), "6\n");
    let reply = other.repl("x");
    assert!(reply.ends_with("[repl] now your cell:\n6\n"), "{reply}");
}

#[test]
fn a_state_that_cannot_be_followed_runs_nothing() {
    let server = codex().args(["--sandbox", "off"]).start();
    for (state, why) in [
        (json!("off"), "can't be understood: it is no object. Nothing was run."),
        (json!({"permissionProfile": {}}), "can't be understood: "),
        (
            state(
                json!([root(), {"path": {"type": "glob_pattern", "pattern": "**/*.env"}, "access": "deny"}]),
                "enabled",
            ),
            "keeps `**/*.env` from being read",
        ),
    ] {
        let answer = call(&server, &json!({"input": "open('x', 'w').close()"}), &state);
        assert_eq!(answer["isError"], true, "{answer}");
        assert_has(&text(&answer), why);
    }
    assert!(!server.directory().join("x").exists());
    // Who says nothing of it gets what the options say.
    server.gives("open('x', 'w').close()", "<<repl status: idle>>\n");
    // One that leaves it out has not changed it.
    assert_has(&repl(&server, "1", &read_only()), "is stricter now");
    assert_has(&server.begin("1").error(), "is stricter now");
}

#[test]
fn a_session_that_nobody_has_used_gives_way_by_itself() {
    for builder in [Builder::new(), Builder::new().hosted()] {
        let server = builder.args(["--sandbox", "off"]).start();
        let reply = repl(&server, &tries("x"), &read_only());
        assert_has(&reply, "[repl] sandbox: read-only, no network");
        assert_has(&reply, "\nread-only\n");
        assert_has(&reply, "PermissionError");
        assert_has_not(&reply, "new session started");
    }
}

#[test]
fn a_sandbox_is_shown_where_sessions_are_listed_and_followed() {
    let runtime = Runtime::new();
    let server = runtime.server().args(["--session", "work", "--sandbox", "workspace-write"]);
    let server = server.args(["--network", "local"]).start();
    server.gives("1", "1\n");
    assert_has(&runtime.says(&["ls"]), "  workspace-write, network local  ");
    let mut events = runtime.command(&["events", "work"]);
    let mut events = events.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut lines = std::io::BufReader::new(events.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut lines, &mut first).unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first["event"], "sandbox");
    assert_eq!((&first["mode"], &first["network"]), (&json!("workspace-write"), &json!("local")));
    drop(lines);
    events.kill().unwrap();
    events.wait().unwrap();
}

#[test]
fn what_is_recorded_may_be_in_a_sandbox() {
    let recorded = |options: &[&str]| {
        let recorder = Builder::new().args(["record", "-o", "x.cast"]).args(options);
        let output = recorder.arg(tries("out")).output("");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_has(&recorded(&["--sandbox", "read-only"]), "read-only\n");
    assert_has(&recorded(&["--sandbox", "read-only"]), "PermissionError");
    // The recording lies in what may be written, and is no more hidden than its own file.
    let write = recorded(&["--sandbox", "workspace-write"]);
    assert_has(&write, "workspace-write\n");
    assert_has_not(&write, "PermissionError");
    let free = recorded(&[]);
    assert_has(&free, "None\n");
    assert_has_not(&free, "PermissionError");
}
