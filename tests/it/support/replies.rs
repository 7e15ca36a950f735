//! What replies say, by name, and how a test looks at a text.

use serde_json::Value;

/// What a call with nothing to tell gets.
pub(crate) const IDLE: &str = "<<repl status: idle>>\n";

/// The reply when somebody waits and shows no prompt.
pub(crate) const WAITING: &str = "<<repl status: waiting for input>>\n";

/// The status of a program that asks for a secret.
pub(crate) const SECRET: &str = "<<repl status: waiting for input>> (what is typed is not shown)\n";

/// What a session that was started anew says before the payload's own output.
pub(crate) const FRESH: &str = "[repl] new session started\n";

/// The text of a call's answer; a picture is shown as `<image/png>`.
#[track_caller]
pub(crate) fn text_of(answer: &Value) -> String {
    let content = answer["result"]["content"].as_array();
    let part = |block: &Value| match block["type"].as_str() {
        Some("text") => block["text"].as_str().unwrap().to_owned(),
        _ => format!("<{}>\n", block["mimeType"].as_str().unwrap()),
    };
    content.unwrap_or_else(|| panic!("no result: {answer}")).iter().map(part).collect()
}

/// Fails unless `text` has `part` in it.
#[track_caller]
pub(crate) fn assert_has(text: &str, part: &str) {
    assert!(text.contains(part), "{part:?} is not in:\n{text}");
}

/// Fails if `text` has `part` in it.
#[track_caller]
pub(crate) fn assert_has_not(text: &str, part: &str) {
    assert!(!text.contains(part), "{part:?} is in:\n{text}");
}

/// A traceback without the lines that point at the place (`~~^~~`), which differ from one
/// Python version to the next.
pub(crate) fn without_carets(text: &str) -> String {
    let points = |line: &str| {
        let line = line.trim();
        !line.is_empty() && line.chars().all(|c| "^~".contains(c))
    };
    text.split_inclusive('\n').filter(|line| !points(line)).collect()
}
