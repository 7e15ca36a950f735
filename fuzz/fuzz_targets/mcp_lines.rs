//! Whatever a client sends, and wherever it is cut, each line gives a message or a refusal.
//!
//! `cargo +nightly fuzz run mcp_lines -- -max_total_time=120`; `.ci/run` does the same with the
//! stable compiler. Both set `--cfg fuzzing`, without which the crate does not show its decoder.
//! The first two bytes choose the size of the chunks and the longest line; the rest is the input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_repl::mcp::fuzzing::{LineOutcome, line_outcomes};

fuzz_target!(|data: &[u8]| {
    let [chunk, longest, input @ ..] = data else { return };
    let longest = usize::from(*longest) * 16 + 16;
    let whole = line_outcomes([input], longest);
    assert_eq!(whole, line_outcomes(input.chunks(usize::from(chunk % 32) + 1), longest));

    // The last line needs no line feed, and nothing behind a line feed is no line.
    let lines = input.strip_suffix(b"\n").unwrap_or(input).split(|byte| *byte == b'\n');
    let lines = if input.is_empty() { 0 } else { lines.count() };
    assert_eq!(whole.len(), lines);

    whole.iter().for_each(check);
});

fn check(outcome: &LineOutcome) {
    match outcome {
        // What the server understood is understood again, and means the same.
        LineOutcome::Message(message) => {
            let again = line_outcomes([message.as_bytes()], usize::MAX);
            assert_eq!(again, [outcome.clone()]);
        }
        LineOutcome::Nothing => {}
        LineOutcome::Refused(answers) => {
            assert!(!answers.is_empty());
            for answer in answers {
                assert!(answer.starts_with("{\"jsonrpc\":\"2.0\",\"id\":"), "{answer}");
                assert_eq!(answer.find('\n'), Some(answer.len() - 1), "{answer}");
            }
        }
        LineOutcome::Batch(messages) => {
            assert!(!messages.is_empty());
            messages.iter().for_each(check);
        }
    }
}
