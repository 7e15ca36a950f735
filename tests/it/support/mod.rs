//! What the tests share: a real server to talk to, the Pythons of the machine, and ways to wait.

mod builder;
mod inbox;
mod lifeline;
pub(crate) mod packages;
pub(crate) mod paging;
pub(crate) mod python;
mod server;

use std::time::Duration;

pub(crate) use builder::{BINARY, Builder};
pub(crate) use lifeline::Lifeline;
pub(crate) use server::{Server, text_of};

/// How long anything may take before it counts as hung. Nothing waits this long when all is well.
pub(crate) const HANG: Duration = Duration::from_secs(180);

/// What a call with nothing to tell gets.
pub(crate) const IDLE: &str = "<<repl status: idle>>\n";

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

/// `text` as a Python string literal. JSON's strings are Python's too.
pub(crate) fn quoted(text: impl AsRef<std::path::Path>) -> String {
    serde_json::to_string(&text.as_ref().to_string_lossy()).unwrap()
}
