//! A cell: what one place of the page holds.

use unicode_width::UnicodeWidthChar;

use super::style::{Color, Style};

/// What a cell shows: a character, a cluster of the row, or one of the special values below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph(u32);

impl Glyph {
    /// Never printed, or erased since. Looks like a blank.
    pub(super) const EMPTY: Glyph = Glyph(0);
    /// The right half of a wide character.
    pub(super) const WIDE_TAIL: Glyph = Glyph(1);
    /// A place that a tab skipped, but for its first.
    pub(super) const TAB_TAIL: Glyph = Glyph(2);
    /// The last column, left free because a wide character did not fit.
    pub(super) const PADDING: Glyph = Glyph(3);
    /// A blank that is text.
    pub(super) const BLANK: Glyph = Glyph(b' ' as u32);
    /// A blank that was printed to erase: over a character, or behind a place that holds none.
    pub(super) const CLEARED: Glyph = Glyph(4);
    /// The first place that a tab skipped. A tab that skips what was printed leaves no trace.
    pub(super) const TAB: Glyph = Glyph(b'\t' as u32);

    const CLUSTER: u32 = 1 << 31;

    pub(super) fn char(c: char) -> Glyph {
        Glyph(c as u32)
    }

    pub(super) fn ascii(byte: u8) -> Glyph {
        Glyph(u32::from(byte))
    }

    /// Whether nothing is there for people to read.
    pub(super) fn is_nothing(self) -> bool {
        matches!(self, Glyph::EMPTY | Glyph::CLEARED)
    }

    /// The cluster with this index in the row's list.
    pub(super) fn cluster(index: usize) -> Glyph {
        Glyph(Self::CLUSTER | index as u32)
    }

    pub(super) fn as_cluster(self) -> Option<usize> {
        (self.0 & Self::CLUSTER != 0).then_some((self.0 & !Self::CLUSTER) as usize)
    }

    /// The character shown, a blank for the special values and clusters.
    pub(super) fn as_char(self) -> char {
        if self.0 < 0x20 { ' ' } else { char::from_u32(self.0).unwrap_or(' ') }
    }
}

/// What one place of the page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) glyph: Glyph,
    pub(super) style: Style,
}

impl Cell {
    pub(super) fn erased(background: Color) -> Cell {
        Cell { glyph: Glyph::EMPTY, style: Style::erased(background) }
    }
}

/// How many columns a character takes: 0 if it combines with the one before, 1 or 2.
#[inline]
pub(super) fn columns_of(c: char) -> usize {
    match c {
        ' '..='~' => 1,
        // A few are wider on paper (U+17D8); no terminal gives them more than two cells.
        _ => c.width().map_or(0, |width| width.min(2)),
    }
}
