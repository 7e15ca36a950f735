//! Finds and strips the marks in the byte stream, before the screen, so that no state of the
//! parser can hide them.
//!
//! A mark may stand in the middle of anything, an escape sequence or a character that the
//! program has not finished; what is before and behind it joins as if it had never been there.

use mcp_repl_sideband::{Mark, OSC_NUMBER};

/// What stands behind the nonce is at most this long, or it is no mark.
const LONGEST_WHAT: usize = 64;
const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

/// Whether marks come where they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marks {
    /// The terminal hands on what programs print as it is.
    #[default]
    InStream,
    /// They come early or never: the terminal keeps a page and paints what has changed on it.
    Absent,
    /// The terminal's start tells, before its first program runs: one that asks what the terminal behind
    /// it is (DA1) hands on what programs print as it is.
    AsStartTells,
}

/// A part of the byte stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment<'a> {
    /// What the program printed.
    Bytes(&'a [u8]),
    /// A mark of the session.
    Mark(Mark),
}

/// Splits a stream of bytes at the marks of one session.
#[derive(Debug)]
pub struct MarkSplitter {
    /// `ESC ] 5379 ; NONCE ;`, how every mark begins.
    prefix: Vec<u8>,
    /// What may be the beginning of a mark, from the end of the chunks so far.
    held: Vec<u8>,
}

/// What some bytes that begin with ESC are.
enum Verdict {
    /// A mark of this many bytes.
    Mark(Mark, usize),
    /// The beginning of one, perhaps.
    Incomplete,
    /// No mark.
    Other,
}

impl MarkSplitter {
    /// A splitter for the marks with this nonce.
    pub fn new(nonce: &str) -> MarkSplitter {
        MarkSplitter {
            prefix: format!("\x1b]{OSC_NUMBER};{nonce};").into_bytes(),
            held: Vec::new(),
        }
    }

    /// Passes `chunk` on, in order: marks as [`Segment::Mark`], everything else unchanged.
    ///
    /// What may be the beginning of a mark at the end of the chunk is held back until the next.
    pub fn split(&mut self, chunk: &[u8], sink: &mut impl FnMut(Segment<'_>)) {
        let rest = if self.held.is_empty() { chunk } else { self.resume(chunk, sink) };
        self.scan(rest, sink);
    }

    /// Passes on what is held back: the stream is at its end.
    pub fn finish(&mut self, sink: &mut impl FnMut(Segment<'_>)) {
        if !self.held.is_empty() {
            sink(Segment::Bytes(&self.held));
            self.held.clear();
        }
    }

    /// Goes on with what is held; returns the part of `chunk` that is behind it.
    fn resume<'a>(&mut self, chunk: &'a [u8], sink: &mut impl FnMut(Segment<'_>)) -> &'a [u8] {
        for (index, &byte) in chunk.iter().enumerate() {
            self.held.push(byte);
            match self.verdict(&self.held) {
                Verdict::Incomplete => continue,
                Verdict::Mark(mark, _) => {
                    self.held.clear();
                    sink(Segment::Mark(mark));
                    return &chunk[index + 1..];
                }
                Verdict::Other => {
                    // An ESC stands only first in a mark, so none of the held bytes but this
                    // one can begin another.
                    self.held.pop();
                    self.finish(sink);
                    return &chunk[index..];
                }
            }
        }
        &[]
    }

    /// Splits `bytes` with nothing held; holds back the end if it may begin a mark.
    fn scan(&mut self, bytes: &[u8], sink: &mut impl FnMut(Segment<'_>)) {
        let (mut from, mut at) = (0, 0);
        while let Some(offset) = memchr::memchr(ESC, &bytes[at..]) {
            let escape = at + offset;
            match self.verdict(&bytes[escape..]) {
                Verdict::Other => at = escape + 1,
                verdict => {
                    if from < escape {
                        sink(Segment::Bytes(&bytes[from..escape]));
                    }
                    let Verdict::Mark(mark, length) = verdict else {
                        self.held.extend_from_slice(&bytes[escape..]);
                        return;
                    };
                    sink(Segment::Mark(mark));
                    at = escape + length;
                    from = at;
                }
            }
        }
        if from < bytes.len() {
            sink(Segment::Bytes(&bytes[from..]));
        }
    }

    fn verdict(&self, bytes: &[u8]) -> Verdict {
        let common = self.prefix.len().min(bytes.len());
        if bytes[..common] != self.prefix[..common] {
            return Verdict::Other;
        }
        let what = &bytes[common..];
        let end = what.iter().take(LONGEST_WHAT + 1).position(|&byte| byte == BEL || byte == ESC);
        match end {
            Some(end) if what[end] == BEL => match Mark::parse(&what[..end]) {
                Some(mark) => Verdict::Mark(mark, common + end + 1),
                None => Verdict::Other,
            },
            None if what.len() <= LONGEST_WHAT => Verdict::Incomplete,
            _ => Verdict::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use mcp_repl_sideband::mark_bytes;
    use proptest::prelude::*;

    use super::*;

    /// The bytes that come through and, with their places in them, the marks.
    fn split(chunks: &[&[u8]]) -> (Vec<u8>, Vec<(usize, Mark)>) {
        let (mut bytes, mut marks) = (Vec::new(), Vec::new());
        let mut splitter = MarkSplitter::new("abc");
        let mut sink = |segment: Segment<'_>| match segment {
            Segment::Bytes(more) => bytes.extend_from_slice(more),
            Segment::Mark(mark) => marks.push((bytes.len(), mark)),
        };
        for chunk in chunks {
            splitter.split(chunk, &mut sink);
        }
        splitter.finish(&mut sink);
        (bytes, marks)
    }

    #[test]
    fn marks_are_stripped_wherever_the_stream_is_cut() {
        let stream = b"a\x1b[3\x1b]5379;abc;1\x071m\xe2\x1b]5379;abc;echo\x07\x82\xac\x1b\x1b]5379;abc;/echo\x07c";
        let text = b"a\x1b[31m\xe2\x82\xac\x1bc".to_vec();
        let marks = vec![(4, Mark::Point(1)), (7, Mark::EchoStart), (10, Mark::EchoEnd)];
        for cut in 0..=stream.len() {
            let (head, tail) = stream.split_at(cut);
            assert_eq!(split(&[head, tail]), (text.clone(), marks.clone()), "cut at {cut}");
        }
        let single: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(split(&single), (text, marks));
    }

    #[test]
    fn what_is_not_a_mark_goes_through_unchanged() {
        let long = [&b"\x1b]5379;abc;"[..], &[b'1'; 65], b"\x07"].concat();
        for stream in [
            &b"\x1b]5379;abd;1\x07"[..],
            b"\x1b]5379;abc;unknown\x07",
            b"\x1b]5379;abc;1\x1b\\",
            b"\x1b]5379;abc;",
            b"\x1b]5379;abc;12",
            b"\x1b]0;title\x07\x1b\x1b]",
            &long,
        ] {
            assert_eq!(split(&[stream]), (stream.to_vec(), vec![]));
            let single: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(split(&single), (stream.to_vec(), vec![]));
        }
    }

    proptest! {
        #[test]
        fn cutting_the_stream_changes_nothing(
            parts in prop::collection::vec(prop_oneof![
                prop::collection::vec(prop::sample::select(&b"\x1b]5379;abc1\x07x"[..]), 0..8),
                Just(mark_bytes("abc", Mark::Point(7))),
                Just(mark_bytes("ab", Mark::Point(7))),
                Just(b"\x1b]5379;abc;".to_vec()),
            ], 0..12),
            size in 1usize..20,
        ) {
            let stream = parts.concat();
            let chunks: Vec<&[u8]> = stream.chunks(size).collect();
            prop_assert_eq!(split(&chunks), split(&[&stream]));
        }
    }
}
