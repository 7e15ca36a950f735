//! Whatever the other side of the sideband sends, and wherever it is cut, the same messages are
//! read from it, or the same error ends it.
//!
//! `cargo +nightly fuzz run sideband_lines`; `.ci/run` does the same with the stable compiler. The
//! first byte chooses the limit of a line, the next three the sizes of the chunks, in turns; the
//! rest is the stream.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use mcp_repl_sideband::{LineDecoder, ToServer, ToWorker, encode};
use serde::{Serialize, de::DeserializeOwned};

/// The messages, and the text of the error that ended the stream.
fn read<T: DeserializeOwned>(
    mut stream: &[u8],
    limit: usize,
    sizes: &[usize],
) -> (Vec<T>, Option<String>) {
    let mut messages = Vec::new();
    let mut decoder = LineDecoder::new(limit);
    for &size in sizes.iter().cycle() {
        let (chunk, rest) = stream.split_at(size.min(stream.len()));
        decoder.push(chunk);
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error.to_string())),
            }
        }
        stream = rest;
        if stream.is_empty() {
            break;
        }
    }
    (messages, None)
}

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(
    stream: &[u8],
    limit: usize,
    sizes: &[usize],
) {
    let whole = read::<T>(stream, limit, &[usize::MAX]);
    assert_eq!(read(stream, limit, sizes), whole);
    assert_eq!(read(stream, limit, &[1]), whole);

    // What was read is what the other side of this version would have meant.
    let lines: Vec<u8> = whole.0.iter().flat_map(encode).collect();
    assert_eq!(read(&lines, usize::MAX, &[usize::MAX]), (whole.0, None));
}

fuzz_target!(|data: &[u8]| {
    let Some(([limit, sizes @ ..], stream)) = data.split_first_chunk::<4>() else { return };
    let limit = usize::from(*limit) * 4;
    let sizes = sizes.map(|size| usize::from(size) + 1);
    check::<ToServer>(stream, limit, &sizes);
    check::<ToWorker>(stream, limit, &sizes);
});
