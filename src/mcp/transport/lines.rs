//! Splits the client's bytes into lines, within bounded memory.

use serde_json::Value;

use super::id_finder::IdFinder;

/// The longest line that is served, in bytes: a cell of 64 MiB fits, with its escapes.
pub(super) const LONGEST_LINE: usize = 128 * 1024 * 1024;

/// Room made for one read.
const READ_SIZE: usize = 64 * 1024;

/// A buffer larger than this is given back once its lines are gone.
const KEPT_CAPACITY: usize = 1024 * 1024;

/// The next thing the client sent.
#[derive(Debug, PartialEq)]
pub(super) enum Line<'a> {
    /// A line, without its line feed.
    Whole(&'a [u8]),
    /// A line longer than the limit, which is not kept; with its id, or `null`.
    TooLong(Value),
}

/// The bytes that have come and are not yet lines.
#[derive(Debug)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    /// Where the next line starts.
    start: usize,
    /// Up to where there is no line feed.
    searched: usize,
    longest: usize,
    skipping: Option<Skipping>,
}

/// What is known of a line that is too long, while the rest of it comes.
#[derive(Debug, Default)]
struct Skipping {
    id: IdFinder,
    answered: bool,
}

impl Lines {
    /// No bytes yet; lines longer than `longest` bytes are not kept.
    pub(super) fn new(longest: usize) -> Self {
        Lines { buffer: Vec::new(), start: 0, searched: 0, longest, skipping: None }
    }

    /// The buffer to append what is read to, with room for a read.
    pub(super) fn space(&mut self) -> &mut Vec<u8> {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_CAPACITY {
            self.buffer = Vec::new();
        }
        self.buffer.reserve(READ_SIZE);
        &mut self.buffer
    }

    /// Whether as much is waiting as a line may have.
    pub(super) fn is_full(&self) -> bool {
        self.buffer.len() - self.start > self.longest
    }

    /// The next line; `None` when more bytes are needed.
    pub(super) fn next_line(&mut self) -> Option<Line<'_>> {
        loop {
            let end = memchr::memchr(b'\n', &self.buffer[self.searched..]);
            let end = end.map(|found| self.searched + found);
            let part = self.start..end.unwrap_or(self.buffer.len());
            self.searched = end.map_or(part.end, |end| end + 1);
            let too_long = part.len() > self.longest;
            if self.skipping.is_none() && !too_long {
                end?;
                self.start = self.searched;
                return Some(Line::Whole(&self.buffer[part]));
            }
            let skipping = self.skipping.get_or_insert_default();
            skipping.id.feed(&self.buffer[part]);
            self.start = self.searched;
            // A line may never end, so it is answered as soon as its id is known.
            let due = !skipping.answered && (end.is_some() || skipping.id.found().is_some());
            let id = skipping.id.found().cloned().unwrap_or_default();
            skipping.answered |= due;
            if end.is_some() {
                self.skipping = None;
            }
            if due {
                return Some(Line::TooLong(id));
            }
            end?;
        }
    }

    /// Ends the last line, when no more bytes come.
    pub(super) fn finish(&mut self) {
        if self.start < self.buffer.len() || self.skipping.is_some() {
            self.buffer.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn whole(text: &str) -> Option<Line<'_>> {
        Some(Line::Whole(text.as_bytes()))
    }

    #[test]
    fn lines_come_out_however_the_bytes_come_in() {
        let mut lines = Lines::new(100);
        for part in ["a", "b\nc\n", "", "\nd"] {
            lines.space().extend_from_slice(part.as_bytes());
            match part {
                "b\nc\n" => {
                    assert_eq!(lines.next_line(), whole("ab"));
                    assert_eq!(lines.next_line(), whole("c"));
                }
                "\nd" => assert_eq!(lines.next_line(), whole("")),
                _ => {}
            }
            assert_eq!(lines.next_line(), None);
        }
        lines.finish();
        assert_eq!(lines.next_line(), whole("d"));
        lines.finish();
        assert_eq!(lines.next_line(), None);
    }

    #[test]
    fn a_line_that_is_too_long_is_answered_once_and_the_next_is_whole() {
        let mut lines = Lines::new(10);
        lines.space().extend_from_slice(br#"{"method":"x","#);
        assert_eq!(lines.next_line(), None);
        assert!(lines.buffer.len() - lines.start == 0, "nothing of it is kept");
        lines.space().extend_from_slice(br#""id":3,"more":"#);
        assert_eq!(lines.next_line(), Some(Line::TooLong(json!(3))));
        assert_eq!(lines.next_line(), None);
        lines.space().extend_from_slice(b"1}\nshort\n");
        assert_eq!(lines.next_line(), whole("short"));
        assert_eq!(lines.next_line(), None);
    }

    #[test]
    fn a_long_line_without_an_id_is_answered_at_its_end() {
        let mut lines = Lines::new(4);
        lines.space().extend_from_slice(b"aaaaaaaa");
        assert_eq!(lines.next_line(), None);
        lines.space().extend_from_slice(b"aaa\nbb\n");
        assert_eq!(lines.next_line(), Some(Line::TooLong(Value::Null)));
        assert_eq!(lines.next_line(), whole("bb"));
    }

    #[test]
    fn a_line_of_just_the_limit_is_whole() {
        let mut lines = Lines::new(4);
        lines.space().extend_from_slice(b"aaaa\naaaaa\n");
        assert_eq!(lines.next_line(), whole("aaaa"));
        assert_eq!(lines.next_line(), Some(Line::TooLong(Value::Null)));
        assert_eq!(lines.next_line(), None);
    }

    #[test]
    fn the_room_of_a_long_line_is_given_back() {
        let mut lines = Lines::new(LONGEST_LINE);
        lines.space().resize(4 * KEPT_CAPACITY, b'a');
        lines.space().push(b'\n');
        assert!(lines.next_line().is_some());
        assert!(lines.space().capacity() <= KEPT_CAPACITY);
    }
}
