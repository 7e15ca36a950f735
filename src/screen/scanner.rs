//! The scanner before the parser: text goes past the parser, and strings without end do not reach it.
//!
//! `vte` keeps an OSC string in memory as it comes, whatever its length, and looks at text a
//! character at a time. The scanner follows the parser's state (Paul Williams' state machine, as
//! `vte` has it) as far as it must to know text from sequences and to cut strings.

use super::params::Params;
use super::sequence::Sequence;

const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const ESC: u8 = 0x1b;

/// The parser gets this much of a string; the rest is dropped.
pub(super) const LONGEST_STRING: usize = 8192;

/// Where in the grammar the stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Position {
    #[default]
    Ground,
    Escape,
    EscapeIntermediate,
    Csi,
    Osc,
    Dcs,
    /// SOS, PM and APC, which mean nothing to the screen.
    Ignored,
}

/// What the next bytes are.
#[derive(Debug)]
pub(super) enum Part<'a> {
    /// Text with C0 controls.
    Text(&'a [u8]),
    /// A whole control sequence, which the parser need not see, with its numbers beside it.
    Control(Sequence),
    /// Bytes of a sequence for the parser.
    Sequence(&'a [u8]),
}

/// Follows the parser's state over chunks of the stream.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    state: Position,
    /// How much of the string at hand went to the parser.
    passed: usize,
}

impl Scanner {
    /// Takes the next part from the front of `bytes`, which is not empty.
    #[inline]
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8], params: &mut Params) -> Part<'a> {
        let all = *bytes;
        match self.state {
            Position::Ground => {
                let end = memchr::memchr(ESC, all).unwrap_or(all.len());
                if end > 0 {
                    *bytes = &all[end..];
                    return Part::Text(&all[..end]);
                }
                if let Some((sequence, rest)) = Sequence::at_front(all, params) {
                    *bytes = rest;
                    return Part::Control(sequence);
                }
                self.sequence(bytes)
            }
            Position::Osc | Position::Dcs | Position::Ignored => self.string(bytes),
            _ => self.sequence(bytes),
        }
    }

    /// Whether a sequence was begun and not ended.
    pub(super) fn is_within_sequence(&self) -> bool {
        self.state != Position::Ground
    }

    /// Takes up to the end of a sequence, or to the start of the string in it.
    fn sequence<'a>(&mut self, bytes: &mut &'a [u8]) -> Part<'a> {
        let all = *bytes;
        let mut end = 0;
        for &byte in all {
            end += 1;
            self.state = self.after(byte);
            if matches!(
                self.state,
                Position::Ground | Position::Osc | Position::Dcs | Position::Ignored
            ) {
                self.passed = 0;
                break;
            }
        }
        *bytes = &all[end..];
        Part::Sequence(&all[..end])
    }

    /// Takes a piece of a string, or what ends it.
    fn string<'a>(&mut self, bytes: &mut &'a [u8]) -> Part<'a> {
        let all = *bytes;
        let dcs = self.state == Position::Dcs;
        let ends = |byte: u8| {
            matches!(byte, CAN | SUB | ESC) || byte == BEL && self.state == Position::Osc
        };
        // A byte of a UTF-8 character must not end a device control string as C1 ST.
        let foreign = |byte: u8| dcs && byte >= 0x80;
        if ends(all[0]) {
            self.state = self.after(all[0]);
            *bytes = &all[1..];
            return Part::Sequence(&all[..1]);
        }
        let skip = foreign(all[0]);
        let end = all.iter().position(|&byte| ends(byte) || foreign(byte) != skip);
        let end = end.unwrap_or(all.len());
        *bytes = &all[end..];
        let room =
            if skip || self.state == Position::Ignored { 0 } else { LONGEST_STRING - self.passed };
        let pass = end.min(room);
        self.passed += pass;
        Part::Sequence(&all[..pass])
    }

    /// The state after a byte outside of ground.
    fn after(&self, byte: u8) -> Position {
        match (self.state, byte) {
            (_, CAN | SUB) => Position::Ground,
            (_, ESC) => Position::Escape,
            (Position::Escape, b'P') => Position::Dcs,
            (Position::Escape, b'[') => Position::Csi,
            (Position::Escape, b']') => Position::Osc,
            (Position::Escape, b'X' | b'^' | b'_') => Position::Ignored,
            (Position::Escape, 0x20..=0x2f) => Position::EscapeIntermediate,
            (Position::Escape | Position::EscapeIntermediate, 0x30..=0x7e) => Position::Ground,
            (Position::Csi, 0x40..=0x7e) => Position::Ground,
            (Position::Osc, BEL) => Position::Ground,
            (state, _) => state,
        }
    }
}
