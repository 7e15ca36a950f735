//! Whatever comes from a terminal, and wherever it is cut, the same marks are found in it.
//!
//! `cargo +nightly fuzz run marks`; `.ci/run` does the same with the stable compiler. The first
//! four bytes choose the sizes of the chunks, in turns; the rest is the stream.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_repl::screen::{MarkSplitter, Segment};
use mcp_repl_sideband::{Mark, mark_bytes};

const NONCE: &str = "abc";

/// What goes through, and the marks with the places in it where they stood.
type Split = (Vec<u8>, Vec<(usize, Mark)>);

fn split(mut stream: &[u8], sizes: &[usize]) -> Split {
    let (mut bytes, mut marks) = (Vec::new(), Vec::new());
    let mut splitter = MarkSplitter::new(NONCE);
    let mut sink = |segment: Segment<'_>| match segment {
        Segment::Bytes(more) => bytes.extend_from_slice(more),
        Segment::Mark(mark) => marks.push((bytes.len(), mark)),
    };
    for &size in sizes.iter().cycle() {
        let (chunk, rest) = stream.split_at(size.min(stream.len()));
        splitter.split(chunk, &mut sink);
        stream = rest;
        if stream.is_empty() {
            break;
        }
    }
    splitter.finish(&mut sink);
    (bytes, marks)
}

/// The stream with its marks where they stood.
fn joined((bytes, marks): &Split) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut from = 0;
    for &(at, mark) in marks {
        stream.extend_from_slice(&bytes[from..at]);
        stream.extend(mark_bytes(NONCE, mark));
        from = at;
    }
    stream.extend_from_slice(&bytes[from..]);
    stream
}

fuzz_target!(|data: &[u8]| {
    let Some((sizes, stream)) = data.split_first_chunk::<4>() else { return };
    let whole = split(stream, &[usize::MAX]);
    assert_eq!(split(stream, &sizes.map(|size| usize::from(size) + 1)), whole);
    assert_eq!(split(stream, &[1]), whole);

    // Nothing is lost. The number in a mark may have been written with zeros before it.
    assert!(whole.1.is_empty() || joined(&whole).len() <= stream.len());
    assert!(!whole.1.is_empty() || whole.0 == stream);
    assert_eq!(split(&joined(&whole), &[usize::MAX]), whole);
});
