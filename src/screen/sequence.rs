//! Reads a whole control sequence of the common form in one go, without the parser.
//!
//! Most of what programs send is `ESC [`, maybe `?`, numbers, a letter. Everything else, and
//! what is cut by the end of a chunk, takes the way through the parser, with the same result.

use super::params::Params;

/// A control sequence but for its numbers: the private marker before them, and what it asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sequence {
    pub(super) between: &'static [u8],
    pub(super) action: char,
}

impl Sequence {
    /// The sequence at the front of `bytes`, with its numbers in `params`, and what follows it.
    #[inline]
    pub(super) fn at_front<'a>(
        bytes: &'a [u8],
        params: &mut Params,
    ) -> Option<(Sequence, &'a [u8])> {
        let rest = bytes.strip_prefix(b"\x1b[")?;
        let (between, rest): (&'static [u8], _) = match rest.strip_prefix(b"?") {
            Some(rest) => (b"?", rest),
            None => (b"", rest),
        };
        params.clear();
        let (mut value, mut joined) = (0u16, false);
        for (index, &byte) in rest.iter().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    value = value.saturating_mul(10).saturating_add(u16::from(byte - b'0'))
                }
                b';' | b':' => {
                    params.push(value, joined);
                    (value, joined) = (0, byte == b':');
                }
                0x40..=0x7e if !params.is_full() => {
                    params.push(value, joined);
                    let action = char::from(byte);
                    return Some((Sequence { between, action }, &rest[index + 1..]));
                }
                _ => return None,
            }
        }
        None
    }
}
