//! Erasing, inserting and deleting characters: ED, EL, ECH, ICH, DCH, DECALN, REP.

use super::finished::Ascent;
use super::row::LineEnd;
use super::style::Style;
use super::terminal::Terminal;

impl Terminal {
    /// ED.
    pub(super) fn erase_in_display(&mut self, part: u16) {
        let (row, column) = (self.cursor.row, self.cursor.column);
        let (columns, fill) = (self.columns(), self.cursor.pen.background);
        match part {
            0 if self.homed && (row, column) == (0, 0) => self.clear_page(),
            0 => {
                self.row_mut().erase(column, columns, fill, columns);
                self.row_mut().end = LineEnd::Open;
                self.page_mut().rows.range_mut(row + 1..).for_each(|row| row.clear(fill));
                if column == 0 && row > 0 {
                    self.page_mut().unwrap(row - 1);
                }
            }
            1 => {
                self.page_mut().rows.range_mut(..row).for_each(|row| row.clear(fill));
                self.row_mut().erase(0, column + 1, fill, columns);
            }
            2 => self.clear_page(),
            _ => {}
        }
    }

    /// Erases the whole page. What was on it was there to be read.
    pub(super) fn clear_page(&mut self) {
        let fill = self.cursor.pen.background;
        if self.on_alternate {
            self.before_clearing_alternate();
        } else {
            self.transcript.finish(&mut self.primary);
            self.ascent = Ascent::default();
        }
        self.page_mut().reset(fill);
    }

    /// EL.
    pub(super) fn erase_in_line(&mut self, part: u16) {
        let (columns, fill) = (self.columns(), self.cursor.pen.background);
        let (row, column) = (self.cursor.row, self.cursor.column);
        let (from, to) = match part {
            // The cursor stands behind the last column: nothing is right of it.
            0 if self.cursor.pending_wrap => return,
            0 => (column, columns),
            1 => (0, column + 1),
            2 => (0, columns),
            _ => return,
        };
        self.row_mut().erase(from, to, fill, columns);
        if from == 0 && to == columns {
            self.row_mut().end = LineEnd::Open;
        }
        if from == 0 && row > 0 {
            self.page_mut().unwrap(row - 1);
        }
    }

    /// ECH.
    pub(super) fn erase_characters(&mut self, count: usize) {
        let (columns, fill) = (self.columns(), self.cursor.pen.background);
        let from = self.cursor.column;
        self.row_mut().erase(from, (from + count).min(columns), fill, columns);
    }

    /// ICH.
    pub(super) fn insert_characters(&mut self, count: usize) {
        let (columns, fill) = (self.columns(), self.cursor.pen.background);
        let column = self.cursor.column;
        self.row_mut().insert(column, count, fill, columns);
    }

    /// DCH.
    pub(super) fn delete_characters(&mut self, count: usize) {
        let (columns, fill) = (self.columns(), self.cursor.pen.background);
        let column = self.cursor.column;
        self.row_mut().delete(column, count, fill, columns);
    }

    /// DECALN: fills the page with E.
    pub(super) fn align(&mut self) {
        self.clear_page();
        self.region = (0, self.rows() - 1);
        self.cursor.origin = false;
        self.go_to(0, 0);
        let text = "E".repeat(self.columns());
        for row in &mut self.page_mut().rows {
            row.write_ascii(0, &text, Style::default());
        }
    }

    /// REP: prints the last character again.
    pub(super) fn repeat(&mut self, count: usize) {
        // More than the page holds changes nothing but the time it takes.
        let most = 2 * self.columns() * self.rows();
        if let Some(c) = self.last_char {
            // It is what was shown; the character sets do not apply again.
            let charsets = std::mem::take(&mut self.cursor.charsets);
            for _ in 0..count.min(most) {
                self.print(c);
            }
            self.cursor.charsets = charsets;
        }
    }
}
