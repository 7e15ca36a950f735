//! Framing: a JSON object a line, and behind some lines bytes of the terminal's, as they are.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

use crate::Bytes;

/// The longest line of a host's, in bytes: a reply with its pictures.
pub const LONGEST_LINE: usize = 64 << 20;
/// The longest line of a client's, in bytes: a cell.
pub const LONGEST_REQUEST: usize = 16 << 20;
/// The most bytes that follow a line of a host's.
pub const MOST_BYTES: usize = 16 << 20;
/// The most bytes that follow a line of a client's.
pub const MOST_TYPED: usize = 1 << 20;

/// How much memory a decoder keeps for what comes next, in bytes.
const KEPT_CAPACITY: usize = 64 << 10;
/// How much of a line that is no message, and of why, is said, in characters.
const LONGEST_QUOTE: usize = 120;
const LONGEST_REASON: usize = 300;

/// The bytes of a message, and of what follows it.
pub fn encode<M: Serialize>(message: &M, bytes: &[u8]) -> Vec<u8> {
    let mut line = Vec::new();
    encode_to(&mut line, message, bytes);
    line
}

/// Appends the same to what is to be written.
pub fn encode_to<M: Serialize>(buffer: &mut Vec<u8>, message: &M, bytes: &[u8]) {
    // The wire types hold strings, numbers, lists and variants only, which always serialise.
    let _ = serde_json::to_writer(&mut *buffer, message);
    buffer.push(b'\n');
    buffer.extend_from_slice(bytes);
}

/// Why what came is no message. The stream can't be used further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameError {
    /// A line is longer than the limit.
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// More bytes are to follow a line than the limit.
    TooManyBytes {
        /// How many.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A line is no message of the protocol.
    Malformed {
        /// The start of the line, for people.
        line: String,
        /// What the parser says, for people.
        error: String,
    },
    /// Something was wrong before.
    Broken,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::TooLong { limit } => write!(f, "a line is longer than {limit} bytes"),
            FrameError::TooManyBytes { length, limit } => {
                write!(f, "{length} bytes are to follow a line, and at most {limit} may")
            }
            FrameError::Malformed { line, error } => {
                write!(f, "a line is no message of the control protocol: {error}: {line}")
            }
            FrameError::Broken => write!(f, "what came before could not be read"),
        }
    }
}

impl std::error::Error for FrameError {}

impl FrameError {
    /// What the parser says of a line.
    fn malformed(line: &[u8], error: &serde_json::Error) -> FrameError {
        // A character has four bytes at most.
        let line = String::from_utf8_lossy(&line[..line.len().min(4 * LONGEST_QUOTE)]);
        FrameError::Malformed {
            line: quoted(&line, LONGEST_QUOTE),
            error: quoted(&error.to_string(), LONGEST_REASON),
        }
    }
}

/// The start of a text from outside, on one line and harmless on a terminal.
fn quoted(text: &str, longest: usize) -> String {
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut quoted: String = text.chars().take(longest).map(plain).collect();
    if text.chars().nth(longest).is_some() {
        quoted.push('…');
    }
    quoted
}

/// Cuts a stream of chunks into messages, with work in proportion to what came, and no more memory
/// than a few times the longest message and the longest chunk.
#[derive(Debug)]
pub struct Decoder<M> {
    buffer: Vec<u8>,
    /// Where in `buffer` begins what is not read yet.
    start: usize,
    /// How far `buffer` was searched for a line's end.
    searched: usize,
    longest_line: usize,
    most_bytes: usize,
    /// A message whose bytes have not all come.
    waiting: Option<M>,
    is_broken: bool,
}

impl<M: DeserializeOwned + Bytes> Decoder<M> {
    /// A decoder that refuses longer lines and more bytes behind one.
    pub fn new(longest_line: usize, most_bytes: usize) -> Decoder<M> {
        Decoder {
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            longest_line,
            most_bytes,
            waiting: None,
            is_broken: false,
        }
    }

    /// Adds a chunk as it arrived. All messages are to be taken before the next one is added, or
    /// they are kept.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.is_broken {
            return;
        }
        // Moved only when that costs no more than what was read since the last time.
        if self.start > self.buffer.len() / 2 {
            self.buffer.drain(..self.start);
            (self.start, self.searched) = (0, self.searched - self.start);
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole message and what follows it; `Ok(None)` until the rest has arrived.
    ///
    /// # Errors
    /// The stream can't be used further after an error: what comes is not kept.
    pub fn next_message(&mut self) -> Result<Option<(M, Vec<u8>)>, FrameError> {
        if self.is_broken {
            return Err(FrameError::Broken);
        }
        let message = self.read();
        if message.is_err() {
            (self.buffer, self.is_broken) = (Vec::new(), true);
        }
        message
    }

    /// What was added and is no part of a message that was given: for a decoder of other messages.
    pub fn into_rest(mut self) -> Vec<u8> {
        self.buffer.split_off(self.start.min(self.buffer.len()))
    }

    fn read(&mut self) -> Result<Option<(M, Vec<u8>)>, FrameError> {
        if self.waiting.is_none() {
            let Some(line) = self.line()? else { return Ok(None) };
            let line = &self.buffer[line];
            let message = serde_json::from_slice::<M>(line);
            let message = message.map_err(|error| FrameError::malformed(line, &error))?;
            let (length, limit) = (message.length(), self.most_bytes);
            if length > limit {
                return Err(FrameError::TooManyBytes { length, limit });
            }
            self.waiting = Some(message);
        }
        let there = self.buffer.len() - self.start;
        let Some(message) = self.waiting.take_if(|message| message.length() <= there) else {
            return Ok(None);
        };
        let end = self.start + message.length();
        let bytes = self.buffer[self.start..end].to_vec();
        (self.start, self.searched) = (end, end);
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.buffer.shrink_to(KEPT_CAPACITY);
            (self.start, self.searched) = (0, 0);
        }
        Ok(Some((message, bytes)))
    }

    /// Steps over the next line: where it is, without its end.
    fn line(&mut self) -> Result<Option<std::ops::Range<usize>>, FrameError> {
        let limit = self.longest_line;
        let end = self.buffer[self.searched..].iter().position(|&byte| byte == b'\n');
        let line = self.start..end.map_or(self.buffer.len(), |at| self.searched + at);
        if line.len() > limit {
            return Err(FrameError::TooLong { limit });
        }
        if end.is_none() {
            self.searched = line.end;
            return Ok(None);
        }
        (self.start, self.searched) = (line.end + 1, line.end + 1);
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ToClient, ToHost};

    type Read<M> = (Vec<(M, Vec<u8>)>, Option<FrameError>);

    /// All that a decoder makes of a stream in chunks of this size.
    fn read<M: DeserializeOwned + Bytes>(
        decoder: &mut Decoder<M>,
        stream: &[u8],
        size: usize,
    ) -> Read<M> {
        let mut seen = Vec::new();
        for chunk in stream.chunks(size) {
            decoder.push(chunk);
            loop {
                match decoder.next_message() {
                    Ok(Some(message)) => seen.push(message),
                    Ok(None) => break,
                    Err(error) => return (seen, Some(error)),
                }
            }
        }
        (seen, None)
    }

    /// What ends a client's stream.
    fn refusal(stream: &[u8]) -> String {
        let mut decoder = Decoder::<ToHost>::new(10_000, 100);
        let (_, error) = read(&mut decoder, stream, usize::MAX);
        error.expect("no error").to_string()
    }

    #[test]
    fn messages_arrive_whole_however_the_stream_is_split() {
        let messages = [
            (ToClient::Typed, vec![]),
            (ToClient::Output { length: 5, echo: false }, b"a\nb\x1b\xff".to_vec()),
            (ToClient::Output { length: 0, echo: true }, vec![]),
            (ToClient::Repaint { columns: 80, rows: 24, length: 1 }, b"\n".to_vec()),
            (ToClient::Progress { id: 1, line: "é\n".into() }, vec![]),
        ];
        let stream: Vec<u8> =
            messages.iter().flat_map(|(message, bytes)| encode(message, bytes)).collect();
        for size in 1..=stream.len() {
            let (seen, error) = read(&mut Decoder::new(100, 5), &stream, size);
            assert_eq!((&seen[..], error), (&messages[..], None), "chunks of {size}");
        }
    }

    #[test]
    fn a_line_begins_with_its_type() {
        let error = encode(&ToClient::Error { message: "x".into() }, &[]);
        assert!(error.starts_with(b"{\"type\":\"error\","));
        let show = encode(&ToHost::Show { id: 1, part: "x".into() }, &[]);
        assert!(show.starts_with(b"{\"type\":\"show\","));
    }

    #[test]
    fn many_messages_in_one_chunk_cost_no_more_than_in_many() {
        // In quadratic time this takes minutes.
        let stream = encode(&ToHost::Interrupt, &[]).repeat(300_000);
        for size in [stream.len(), 7] {
            let mut decoder = Decoder::<ToHost>::new(100, 0);
            let (seen, error) = read(&mut decoder, &stream, size);
            assert_eq!((seen.len(), error), (300_000, None));
        }
    }

    #[test]
    fn a_long_line_in_small_chunks_is_searched_once() {
        let call = ToHost::Show { id: 1, part: "x".repeat(4 << 20) };
        let mut decoder = Decoder::new(LONGEST_REQUEST, 0);
        let (seen, error) = read(&mut decoder, &encode(&call, &[]), 10);
        assert_eq!((seen, error), (vec![(call, vec![])], None));
    }

    #[test]
    fn a_line_over_the_limit_is_refused_before_it_ends_and_not_kept() {
        let mut decoder = Decoder::<ToHost>::new(1 << 20, 100);
        let chunk = vec![b'x'; 64 << 10];
        let (mut most, mut refused) = (0, 0);
        for _ in 0..(1 << 30) / chunk.len() {
            decoder.push(&chunk);
            refused += usize::from(decoder.next_message().is_err());
            most = most.max(decoder.buffer.capacity());
        }
        assert_eq!(refused, (1 << 14) - 16);
        assert!(most < 4 << 20, "{most}");
        assert!(decoder.buffer.is_empty() && decoder.into_rest().is_empty());
    }

    #[test]
    fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
        let line =
            |length: usize| [&b"{\"type\":\"end\"}"[..], &vec![b' '; length - 14], b"\n"].concat();
        for size in [1, 10, 1000] {
            let (seen, error) = read(&mut Decoder::new(50, 0), &line(50), size);
            assert_eq!((seen, error), (vec![(ToHost::End, vec![])], None));
            let (seen, error) = read(&mut Decoder::<ToHost>::new(50, 0), &line(51), size);
            assert_eq!((seen, error), (vec![], Some(FrameError::TooLong { limit: 50 })));
        }
    }

    #[test]
    fn lengths_that_can_not_be_are_refused() {
        let of = |length: &str| {
            refusal(format!("{{\"type\":\"type\",\"length\":{length}}}\n").as_bytes())
        };
        assert_eq!(of("101"), "101 bytes are to follow a line, and at most 100 may");
        assert_eq!(
            of(&usize::MAX.to_string()),
            format!("{} bytes are to follow a line, and at most 100 may", usize::MAX)
        );
        for length in ["-1", "18446744073709551616", "1e3", "1.5", "\"5\"", "null", "[5]"] {
            let told = of(length);
            assert!(told.contains("invalid") && told.contains("usize"), "{told}");
        }
        assert!(refusal(b"{\"type\":\"type\"}\n").contains("missing field `length`"));
    }

    #[test]
    fn what_is_not_known_is_left_out_or_named() {
        let line = b"{\"later\":{\"a\":[1]},\"type\":\"cancel\",\"id\":3,\"more\":null}\r\n";
        let (seen, error) = read(&mut Decoder::new(100, 0), line, 9);
        assert_eq!(
            (seen, error),
            (vec![(ToHost::Cancel { id: 3, interrupt: false }, vec![])], None)
        );
        assert!(refusal(b"{\"type\":\"explode\"}\n").contains("unknown variant `explode`"));
        assert!(refusal(b"{}\n").contains("missing field `type`"));
        for line in ["\n", "5\n", "[]\n", "\"end\"\n", "{\"type\":\"end\"\n", "\u{feff}{}\n"] {
            assert!(refusal(line.as_bytes()).starts_with("a line is no message"), "{line}");
        }
        assert!(refusal(b"{\"type\":\"show\",\"id\":1,\"part\":\"\xff\"}\n").contains("unicode"));
        let deep = [b"{\"type\":\"end\",\"x\":", &[b'['; 5000][..], b"\n"].concat();
        assert!(refusal(&deep).contains("recursion limit"));
    }

    #[test]
    fn what_is_said_of_a_line_is_short_and_harmless() {
        let type_of = |kind: &str| refusal(format!("{{\"type\":\"{kind}\"}}\n").as_bytes());
        let long = type_of(&"é".repeat(4000));
        assert!(long.contains("ééé…") && long.chars().count() < 500, "{long}");
        let told = refusal(b"\x1b]0;x\x07\r{\n");
        assert!(!told.contains(char::is_control), "{told:?}");
        let told = type_of("\\u001b[31m\\n");
        assert!(!told.contains(char::is_control), "{told:?}");
    }

    #[test]
    fn memory_for_a_long_message_is_given_back() {
        let mut decoder = Decoder::new(100, MOST_BYTES);
        let message = (ToClient::Output { length: 4 << 20, echo: false }, vec![b'x'; 4 << 20]);
        let (seen, _) = read(&mut decoder, &encode(&message.0, &message.1), 1 << 20);
        assert_eq!(seen, [message]);
        assert!(decoder.buffer.capacity() <= KEPT_CAPACITY);
    }

    #[test]
    fn the_rest_is_for_a_decoder_of_other_messages() {
        let mut decoder = Decoder::<ToHost>::new(100, 0);
        decoder.push(b"{\"type\":\"end\"}\n{\"type\":\"des");
        assert!(matches!(decoder.next_message(), Ok(Some((ToHost::End, _)))));
        assert!(matches!(decoder.next_message(), Ok(None)));
        assert_eq!(decoder.into_rest(), b"{\"type\":\"des");
    }
}
