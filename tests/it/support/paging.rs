//! Sessions that run pagers and full-screen programs, and reading a text to its end.

use super::{Builder, IDLE, Server};

/// What every `[pager]` line begins with.
pub(crate) const PAGER: &str = "[pager] ";

/// The variables by which users choose pagers and set them up.
const CHOICES: [&str; 9] =
    ["PAGER", "MANPAGER", "GIT_PAGER", "LESS", "LESSOPEN", "LESSKEY", "MORE", "MANWIDTH", "EDITOR"];

/// A server in whose environment nothing is said of pagers, unless the test says it.
pub(crate) fn plain_environment() -> Builder {
    let builder = CHOICES.into_iter().fold(Builder::new(), Builder::env_remove);
    // Texts are chosen to fit into a reply of this size, or not to.
    let builder = builder.args(["--reply-size", "20000"]);
    builder.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1")
}

/// Starts a session that has `run(program, *arguments)`.
pub(crate) fn start(builder: Builder) -> Server {
    let repl = builder.start();
    repl.gives("import os, subprocess\ndef run(*program): subprocess.run(program)", IDLE);
    repl
}

/// A session with `run(program, *arguments)` where the user has not chosen a pager.
pub(crate) fn session() -> Server {
    start(plain_environment())
}

impl Server {
    /// Sends a payload and goes on with empty ones while a pager is open. Gives the text without
    /// the pager's status lines, and how many calls it took.
    #[track_caller]
    pub(crate) fn read_through(&self, input: &str) -> (String, usize) {
        let mut reply = self.repl(input);
        let (mut text, mut calls) = (String::new(), 1);
        while let Some(page) = page_of(&reply) {
            text.push_str(page);
            reply = self.poll();
            calls += 1;
            assert!(calls < 1000, "the text comes to an end");
        }
        // A pager that was closed by the last call leaves nothing more to say.
        if reply != IDLE || calls == 1 {
            text.push_str(&reply);
        }
        (text, calls)
    }
}

/// The text in front of a reply's `[pager]` line; `None` when no pager is open.
pub(crate) fn page_of(reply: &str) -> Option<&str> {
    let last = reply.trim_end_matches('\n').rfind('\n').map_or(0, |end| end + 1);
    reply[last..].starts_with(PAGER).then_some(&reply[..last])
}

/// Fails at the first line in which the texts differ.
#[track_caller]
pub(crate) fn assert_same_lines(text: &str, expected: &str, what: &str) {
    for (number, (line, expected)) in text.split('\n').zip(expected.split('\n')).enumerate() {
        assert_eq!(line, expected, "{what}, line {}", number + 1);
    }
    assert_eq!(text.lines().count(), expected.lines().count(), "{what}: the number of lines");
    assert!(text == expected, "{what}: the last line's end");
}
