//! Framing: a JSON object a line, and behind some lines bytes of the terminal's, as they are.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

use crate::Bytes;

/// The longest line, in bytes: a reply with its pictures.
pub const LONGEST_LINE: usize = 64 << 20;
/// The most bytes that follow a line.
pub const MOST_BYTES: usize = 16 << 20;

/// The bytes of a message, and of what follows it.
pub fn encode<M: Serialize>(message: &M, bytes: &[u8]) -> Vec<u8> {
    // The wire types hold strings, numbers, lists and variants only, which always serialise.
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line.extend_from_slice(bytes);
    line
}

/// Why what came is no message. The stream can't be used further.
#[derive(Debug)]
pub enum FrameError {
    /// A line, or what follows one, is longer than the limit.
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A line is no message of the protocol.
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
            FrameError::TooLong { limit } => write!(f, "a message is longer than {limit} bytes"),
            FrameError::Malformed { line, error } => {
                write!(f, "a line is no message of the control protocol: {error}: {line}")
            }
        }
    }
}

impl std::error::Error for FrameError {}

/// Cuts a stream of chunks into messages.
#[derive(Debug)]
pub struct Decoder<M> {
    buffer: Vec<u8>,
    /// Bytes of `buffer` that were already searched for a line's end.
    searched: usize,
    longest_line: usize,
    most_bytes: usize,
    /// A message whose bytes have not all come.
    waiting: Option<M>,
}

impl<M: DeserializeOwned + Bytes> Decoder<M> {
    /// A decoder that refuses longer lines and more bytes behind one.
    pub fn new(longest_line: usize, most_bytes: usize) -> Decoder<M> {
        Decoder { buffer: Vec::new(), searched: 0, longest_line, most_bytes, waiting: None }
    }

    /// Adds a chunk as it arrived.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// What was added and is no part of a message that was given: for a decoder of other messages.
    pub fn into_rest(self) -> Vec<u8> {
        self.buffer
    }

    /// The next whole message and what follows it; `Ok(None)` until the rest has arrived.
    ///
    /// # Errors
    /// The stream can't be used further after an error.
    pub fn next_message(&mut self) -> Result<Option<(M, Vec<u8>)>, FrameError> {
        if self.waiting.is_none() {
            let end = self.buffer[self.searched..].iter().position(|&byte| byte == b'\n');
            let Some(end) = end.map(|at| at + self.searched) else {
                self.searched = self.buffer.len();
                return match self.buffer.len() > self.longest_line {
                    true => Err(FrameError::TooLong { limit: self.longest_line }),
                    false => Ok(None),
                };
            };
            if end > self.longest_line {
                return Err(FrameError::TooLong { limit: self.longest_line });
            }
            let message = serde_json::from_slice::<M>(&self.buffer[..end]);
            let message = message.map_err(|error| FrameError::Malformed {
                line: String::from_utf8_lossy(&self.buffer[..end.min(80)]).into_owned(),
                error,
            })?;
            self.buffer.drain(..=end);
            self.searched = 0;
            if message.length() > self.most_bytes {
                return Err(FrameError::TooLong { limit: self.most_bytes });
            }
            self.waiting = Some(message);
        }
        let Some(message) = self.waiting.take_if(|message| message.length() <= self.buffer.len())
        else {
            return Ok(None);
        };
        let rest = self.buffer.split_off(message.length());
        Ok(Some((message, std::mem::replace(&mut self.buffer, rest))))
    }
}
