//! Framing: one JSON object a line, read from chunks split anywhere.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

/// The bytes of `message` as one line.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    // The wire types hold strings, numbers, lists of strings and unit variants only, which
    // always serialise.
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Why a line is not a message.
#[derive(Debug)]
pub enum FrameError {
    /// The line is longer than the decoder's limit.
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The line is not a message of the protocol.
    Malformed {
        /// The start of the line, for people.
        line: String,
        /// What the parser says.
        error: serde_json::Error,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::TooLong { limit } => {
                write!(f, "a sideband line is longer than {limit} bytes")
            }
            FrameError::Malformed { line, error } => {
                write!(f, "a sideband line is not a message: {error}: {line}")
            }
        }
    }
}

impl std::error::Error for FrameError {}

/// Cuts a stream of chunks into lines and reads each as a message.
#[derive(Debug)]
pub struct LineDecoder {
    buffer: Vec<u8>,
    /// Bytes of `buffer` that were already searched for a line's end.
    searched: usize,
    limit: usize,
}

impl LineDecoder {
    /// A decoder that refuses lines longer than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        LineDecoder { buffer: Vec::new(), searched: 0, limit }
    }

    /// Adds a chunk as it arrived.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole message; `Ok(None)` until the rest of a line has arrived.
    ///
    /// # Errors
    /// The stream can't be used further after an error.
    pub fn next_message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let end = self.buffer[self.searched..].iter().position(|&byte| byte == b'\n');
        let Some(end) = end.map(|at| at + self.searched) else {
            self.searched = self.buffer.len();
            if self.buffer.len() > self.limit {
                return Err(FrameError::TooLong { limit: self.limit });
            }
            return Ok(None);
        };
        if end > self.limit {
            return Err(FrameError::TooLong { limit: self.limit });
        }
        let line: Vec<u8> = self.buffer.drain(..=end).collect();
        self.searched = 0;
        serde_json::from_slice(&line).map(Some).map_err(|error| {
            let line = String::from_utf8_lossy(&line);
            FrameError::Malformed { line: line.trim_end().chars().take(200).collect(), error }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ToServer;

    #[test]
    fn messages_arrive_whole_however_the_stream_is_split() {
        let messages = [
            ToServer::Ready { mark: 1, discarded_bytes: 0 },
            ToServer::InputTaken { wait: 2, bytes: 9, thread: None },
        ];
        let stream: Vec<u8> = messages.iter().flat_map(encode).collect();
        for size in 1..=stream.len() {
            let mut decoder = LineDecoder::new(1000);
            let mut seen = Vec::new();
            for chunk in stream.chunks(size) {
                decoder.push(chunk);
                while let Some(message) = decoder.next_message::<ToServer>().unwrap() {
                    seen.push(message);
                }
            }
            assert_eq!(seen, messages, "chunks of {size}");
        }
    }

    #[test]
    fn a_line_over_the_limit_is_refused_before_it_ends() {
        let mut decoder = LineDecoder::new(10);
        decoder.push(&[b'x'; 11]);
        assert!(matches!(
            decoder.next_message::<ToServer>(),
            Err(FrameError::TooLong { limit: 10 })
        ));
    }

    #[test]
    fn a_malformed_line_is_quoted_in_part() {
        let mut decoder = LineDecoder::new(10_000);
        decoder.push("é".repeat(1000).as_bytes());
        decoder.push(b"\n");
        let error = decoder.next_message::<ToServer>().unwrap_err().to_string();
        assert!(error.contains("ééé") && error.chars().count() < 400, "{error}");
    }
}
