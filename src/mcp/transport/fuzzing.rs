//! What the fuzz target `mcp_lines` looks at: what each line comes to, without a session.

use super::decode::{Decoded, decode};
use super::lines::Lines;

/// What a line came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineOutcome {
    /// A message the server acts on, as JSON.
    Message(String),
    /// Nothing to act on or to answer.
    Nothing,
    /// The answers that refuse it, each a line.
    Refused(Vec<String>),
    /// What each message of a batch came to.
    Batch(Vec<LineOutcome>),
}

/// What each line comes to, where batches were agreed on, in bytes that come in `parts`, with lines of at most `longest` bytes.
pub fn line_outcomes<'a>(
    parts: impl IntoIterator<Item = &'a [u8]>,
    longest: usize,
) -> Vec<LineOutcome> {
    let mut lines = Lines::new(longest);
    let mut outcomes = Vec::new();
    for part in parts {
        lines.space().extend_from_slice(part);
        take(&mut lines, &mut outcomes);
    }
    lines.finish();
    take(&mut lines, &mut outcomes);
    outcomes
}

fn take(lines: &mut Lines, outcomes: &mut Vec<LineOutcome>) {
    while let Some(line) = lines.next_line() {
        outcomes.push(outcome(decode(line, true)));
    }
}

fn outcome(decoded: Decoded) -> LineOutcome {
    match decoded {
        Decoded::Message(message) => {
            LineOutcome::Message(serde_json::to_string(&message).expect("a message is JSON"))
        }
        Decoded::Nothing => LineOutcome::Nothing,
        Decoded::Refused(refusals) => {
            let text = |bytes| String::from_utf8(bytes).expect("a refusal is text");
            LineOutcome::Refused(refusals.iter().map(|refusal| text(refusal.line())).collect())
        }
        Decoded::Batch(messages) => LineOutcome::Batch(messages.into_iter().map(outcome).collect()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINES: &str = concat!(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"repl","arguments":{"input":"é\ud800"}}}"#,
        "\n\n[5]\r\n",
        r#"{"jsonrpc":"2.0","id":"x","method":"ping""#,
    );

    #[test]
    fn each_line_comes_to_one_thing() {
        let outcomes = line_outcomes([LINES.as_bytes()], 4096);
        let [
            LineOutcome::Message(call),
            LineOutcome::Nothing,
            LineOutcome::Batch(batch),
            LineOutcome::Refused(cut),
        ] = &outcomes[..]
        else {
            panic!("{outcomes:?}")
        };
        assert!(call.contains("é\u{fffd}"), "{call}");
        let [LineOutcome::Refused(answers)] = &batch[..] else { panic!("{batch:?}") };
        assert!(answers[0].contains("no JSON-RPC message"), "{answers:?}");
        assert!(cut[0].contains(r#""id":"x""#), "{cut:?}");
    }

    proptest! {
        #[test]
        fn lines_come_to_the_same_wherever_they_are_cut(
            bytes in prop::collection::vec(prop::sample::select(&b"{}[]\"\\:,\nid5u \xc3"[..]), 0..200),
            size in 1_usize..20,
            longest in 1_usize..60,
        ) {
            let bytes = [LINES.as_bytes(), b"\n", &bytes].concat();
            let whole = line_outcomes([&bytes[..]], longest);
            prop_assert_eq!(whole, line_outcomes(bytes.chunks(size), longest));
        }
    }
}
