//! Whatever a peer of the control protocol sends, and wherever it is cut, the same messages are
//! read from it, or the same error ends it; and what a host says, its client understands.
//!
//! `cargo +nightly fuzz run control_messages`; `.ci/run` does the same with the stable compiler.
//! The first byte chooses the limit of a line, the second that of the bytes behind one, the next
//! three the sizes of the chunks, in turns; the rest is the stream.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use mcp_repl::reply::{from_wire, to_wire};
use mcp_repl_control::{Attachments, Bytes, Decoder, ToClient, ToHost, encode};
use serde::{Serialize, de::DeserializeOwned};

type Message<M> = (M, Vec<u8>);

/// The messages, and the text of the error that ended the stream.
fn read<M: DeserializeOwned + Bytes>(
    mut stream: &[u8],
    [longest_line, most_bytes]: [usize; 2],
    sizes: &[usize],
) -> (Vec<Message<M>>, Option<String>) {
    let mut messages = Vec::new();
    let mut decoder = Decoder::new(longest_line, most_bytes);
    for &size in sizes.iter().cycle() {
        let (chunk, rest) = stream.split_at(size.min(stream.len()));
        decoder.push(chunk);
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => {
                    assert!(decoder.next_message().is_err() && decoder.into_rest().is_empty());
                    return (messages, Some(error.to_string()));
                }
            }
        }
        stream = rest;
        if stream.is_empty() {
            break;
        }
    }
    (messages, None)
}

fn check<M: Serialize + DeserializeOwned + Bytes + PartialEq + Debug>(
    stream: &[u8],
    limits: [usize; 2],
    sizes: &[usize],
) -> Vec<Message<M>> {
    let whole = read::<M>(stream, limits, &[usize::MAX]);
    assert_eq!(read(stream, limits, sizes), whole);
    assert_eq!(read(stream, limits, &[1]), whole);
    if let Some(error) = &whole.1 {
        assert!(error.len() < 4096 && !error.contains(char::is_control), "{error:?}");
    }

    // What was read is what the other side of this version would have meant.
    let lines: Vec<u8> =
        whole.0.iter().flat_map(|(message, bytes)| encode(message, bytes)).collect();
    let (again, error) = read(&lines, [usize::MAX; 2], &[usize::MAX]);
    assert_eq!((&again, error), (&whole.0, None));
    again
}

fuzz_target!(|data: &[u8]| {
    let Some(([line, bytes, sizes @ ..], stream)) = data.split_first_chunk::<5>() else { return };
    let limits = [usize::from(*line) * 8, usize::from(*bytes)];
    let sizes = sizes.map(|size| usize::from(size) + 1);
    check::<ToHost>(stream, limits, &sizes);
    for (message, _) in check::<ToClient>(stream, limits, &sizes) {
        let ToClient::Reply { reply, .. } = message else { continue };
        // A client shows what came as it is, also where it hands it on.
        let told = from_wire(reply);
        let again = from_wire(to_wire(&told, Attachments::All));
        assert_eq!(told.status.line(), again.status.line());
        assert_eq!(told.merged(), again.merged());
    }
});
