//! The cursor: where the next character goes and how it will look.

use super::charset::Charsets;
use super::style::{Color, Style};

/// The cursor with what DECSC saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cursor {
    pub(super) row: usize,
    pub(super) column: usize,
    /// The last column was printed; the next character goes to the next row first (DECAWM).
    pub(super) pending_wrap: bool,
    /// DECOM: rows count from the top of the scroll region.
    pub(super) origin: bool,
    pub(super) charsets: Charsets,
    /// The style of what is printed next.
    pub(super) pen: Style,
    /// The part of the pen's `extra` that SGR sets.
    pub(super) underline_color: Color,
}

impl Cursor {
    /// Puts the cursor on a page of this size.
    pub(super) fn clamp(&mut self, columns: usize, rows: usize) {
        if self.column >= columns {
            self.column = columns - 1;
            self.pending_wrap = false;
        }
        self.pending_wrap &= self.column + 1 == columns;
        self.row = self.row.min(rows - 1);
    }
}
