//! The part of a page that a smaller terminal has room for.

use super::{Screen, Size, cell::Glyph, dump::Writer, row::Row, style::Style, terminal::Terminal};

/// Makes a terminal print where it is told to: no scroll region, origin mode, insert mode or hyperlink, no
/// wrapping, the usual pen.
const PLAIN: &str = "\x1b[r\x1b[?6l\x1b[4l\x1b[?7l\x1b]8;;\x1b\\\x1b[m";

impl Screen {
    /// Escape sequences that paint what a terminal of this size has room for, whatever stood there: the
    /// rows are cut at its width, and the part is the one that the cursor is in.
    pub fn dump_crop(&self, size: Size) -> Vec<u8> {
        self.terminal().dump_crop(size).into_bytes()
    }
}

impl Terminal {
    fn dump_crop(&self, size: Size) -> String {
        let (columns, rows) = size.clamped();
        let left = first_shown(self.cursor.column, columns);
        let top = first_shown(self.cursor.row, rows);
        let mut writer = Writer::new(self);
        writer.out.push_str(PLAIN);
        writer.fresh_sets();
        let page = self.page();
        for place in 0..rows {
            writer.push(format_args!("\x1b[{};1H", place + 1));
            match page.rows.get(top + place) {
                Some(row) => writer.crop(row, left, columns),
                None => writer.out.push_str("\x1b[m\x1b[K"),
            }
        }
        let (row, column) = (self.cursor.row - top, self.cursor.column - left);
        writer.style(Style::default());
        writer.push(format_args!("\x1b[?7h\x1b[{};{}H", row + 1, column + 1));
        writer.out
    }
}

/// The first of so many rows or columns that are shown, so that the cursor's is among them.
fn first_shown(cursor: usize, count: usize) -> usize {
    (cursor + 1).saturating_sub(count)
}

impl Writer<'_> {
    /// Prints so many columns of a row, from this one on. Of a wide character that is cut nothing is shown.
    fn crop(&mut self, row: &Row, left: usize, columns: usize) {
        let (cells, clusters) = row.to_cells();
        let is_tail =
            |column: usize| cells.get(column).is_some_and(|cell| cell.glyph == Glyph::WIDE_TAIL);
        let end = cells.len().min(left + columns);
        for (column, &cell) in cells.iter().enumerate().take(end).skip(left) {
            let is_cut =
                (column == left && is_tail(column)) || (column + 1 == end && is_tail(column + 1));
            if is_cut || matches!(cell.glyph, Glyph::EMPTY | Glyph::TAB | Glyph::TAB_TAIL) {
                self.style(cell.style);
                self.out.push(' ');
            } else {
                self.cell(cell, &clusters);
            }
        }
        if end < left + columns {
            self.style(Style::erased(row.fill));
            self.out.push_str("\x1b[K");
        }
    }
}
