//! Marks: places in the terminal's byte stream that sideband messages refer to.
//!
//! A mark is an operating system command (ECMA-48 OSC) with a number nobody else uses:
//! `ESC ] 5379 ; NONCE ; WHAT BEL`. The nonce keeps a program that prints a recording of
//! another session, or guesses, from placing one.

/// The OSC number of a mark.
pub const OSC_NUMBER: u32 = 5379;

/// What stands at a place in the terminal's byte stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The place a message with this number refers to. Numbers start at 1 and grow by one.
    Point(u64),
    /// From here on, what is printed is the echo of a payload that was served from the queue.
    EchoStart,
    /// The echo ends here.
    EchoEnd,
}

/// The bytes a worker writes to its terminal to place `mark`.
pub fn mark_bytes(nonce: &str, mark: Mark) -> Vec<u8> {
    let what = match mark {
        Mark::Point(number) => number.to_string(),
        Mark::EchoStart => "echo".to_string(),
        Mark::EchoEnd => "/echo".to_string(),
    };
    format!("\x1b]{OSC_NUMBER};{nonce};{what}\x07").into_bytes()
}

impl Mark {
    /// Reads the part of a mark behind the nonce; `None` if it is not one this version knows.
    pub fn parse(what: &[u8]) -> Option<Mark> {
        match what {
            b"echo" => Some(Mark::EchoStart),
            b"/echo" => Some(Mark::EchoEnd),
            digits if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
                std::str::from_utf8(digits).ok()?.parse().ok().map(Mark::Point)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_as_written() {
        for mark in [Mark::Point(1), Mark::Point(u64::MAX), Mark::EchoStart, Mark::EchoEnd] {
            let bytes = mark_bytes("abc", mark);
            let what =
                bytes.strip_prefix(b"\x1b]5379;abc;").unwrap().strip_suffix(b"\x07").unwrap();
            assert_eq!(Mark::parse(what), Some(mark));
        }
    }

    #[test]
    fn what_is_not_a_mark_is_none() {
        for what in [&b""[..], b"-1", b"1x", b"echo ", b"99999999999999999999999"] {
            assert_eq!(Mark::parse(what), None);
        }
    }
}
