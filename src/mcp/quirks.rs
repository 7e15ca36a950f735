//! What single clients need that the protocol does not ask for.

use serde::de::IgnoredAny;

/// How the names begin under which clients introduce themselves that read a text that is JSON as
/// structured content, and refuse what is no object: `42`, `null`. Gemini CLI is
/// `gemini-cli-mcp-client`; Qwen Code, made from it, is `qwen-code-mcp-client` or
/// `qwen-cli-mcp-client-` and the server's name.
const JSON_READERS: [&str; 2] = ["gemini-cli", "qwen-c"];

/// Whether the client of this name takes a text that is JSON for something else.
pub(super) fn reads_json(client: &str) -> bool {
    JSON_READERS.iter().any(|reader| client.starts_with(reader))
}

/// Whether the client of this name says with each call what its own sandbox is, if it is asked to. Codex is
/// `codex-mcp-client`.
pub(super) fn tells_sandbox(client: &str) -> bool {
    client.starts_with("codex")
}

/// Puts the line that says how things stand behind a text that is JSON, which then is none.
pub(super) fn part_from_json(text: &mut String, line: &str) {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return;
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
}
