//! Lines from a stream, up to a length, and the stream behind them.

use std::io::{self, Cursor};

use tokio::io::{AsyncRead, AsyncReadExt};

/// A stream that is read line by line at its start.
#[derive(Debug)]
pub(in crate::remote) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(in crate::remote) fn new(reader: R) -> Lines<R> {
        Lines { reader, buffer: Vec::new() }
    }

    /// The next line without its end; `None` at the end of the stream. What is behind the last line
    /// end, or more than `limit` bytes without one, is a line, too. Cancel safe.
    ///
    /// # Errors
    /// Those of the stream.
    pub(in crate::remote) async fn next(&mut self, limit: usize) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                let rest = self.buffer.split_off(searched + end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                return Ok(Some(line));
            }
            searched = self.buffer.len();
            if searched > limit || self.reader.read_buf(&mut self.buffer).await? == 0 {
                let rest = std::mem::take(&mut self.buffer);
                return Ok((!rest.is_empty()).then_some(rest));
            }
        }
    }

    /// What follows the lines that were taken.
    pub(in crate::remote) fn into_reader(self) -> impl AsyncRead + use<R> {
        AsyncReadExt::chain(Cursor::new(self.buffer), self.reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_taken_one_by_one_and_the_rest_is_left() {
        let mut lines = Lines::new(&b"one\r\n\ntwo\nthe rest\nof it"[..]);
        for line in ["one\r", "", "two"] {
            assert_eq!(lines.next(100).await.unwrap().unwrap(), line.as_bytes());
        }
        let mut rest = String::new();
        lines.into_reader().read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "the rest\nof it");
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_cut_off() {
        let mut lines = Lines::new(tokio::io::repeat(b'x'));
        assert!(lines.next(1000).await.unwrap().unwrap().len() > 1000);
        let mut lines = Lines::new(&b"end"[..]);
        assert_eq!(lines.next(100).await.unwrap().unwrap(), b"end");
        assert_eq!(lines.next(100).await.unwrap(), None);
    }
}
