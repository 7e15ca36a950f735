//! Moving the cursor: CR, BS, CUU to CUP, tabulation, saving, the scroll region and the alternate
//! screen.

use super::modes::private::*;
use super::terminal::Terminal;
use super::transcript::Transcript;

impl Terminal {
    /// Goes to a row and a column counted from 0, from the top of the region in origin mode.
    pub(super) fn go_to(&mut self, row: usize, column: usize) {
        let (top, bottom) = if self.cursor.origin { self.region } else { (0, self.rows() - 1) };
        let from = self.cursor.row;
        self.cursor.row = (top + row).min(bottom);
        self.note_ascent(from);
        self.go_to_column(column);
    }

    /// Goes to a place on the page that a program chose (CUP, HVP, VPA).
    pub(super) fn address(&mut self, row: usize, column: usize) {
        self.go_to(row, column);
        self.addressed |= !self.on_alternate && self.modes.is_set(DECCKM);
    }

    /// Goes to a row (VPA); the column stays.
    pub(super) fn go_to_row(&mut self, row: usize) {
        self.address(row, self.cursor.column);
    }

    /// Goes to a column of the row (CHA, HPA).
    pub(super) fn go_to_column(&mut self, column: usize) {
        self.cursor.column = column.min(self.columns() - 1);
        self.cursor.pending_wrap = false;
    }

    /// CUU: stops at the top of the region if the cursor is not above it.
    pub(super) fn up(&mut self, count: usize) {
        let top = if self.cursor.row >= self.region.0 { self.region.0 } else { 0 };
        let from = self.cursor.row;
        self.cursor.row = from.saturating_sub(count).max(top);
        self.note_ascent(from);
        self.cursor.pending_wrap = false;
    }

    /// CUD: stops at the bottom of the region if the cursor is not below it.
    pub(super) fn down(&mut self, count: usize) {
        let bottom = if self.cursor.row <= self.region.1 { self.region.1 } else { self.rows() - 1 };
        self.cursor.row = (self.cursor.row + count).min(bottom);
        self.cursor.pending_wrap = false;
    }

    /// CUF.
    pub(super) fn forward(&mut self, count: usize) {
        self.go_to_column(self.cursor.column + count);
    }

    /// CUB.
    pub(super) fn backward(&mut self, count: usize) {
        self.go_to_column(self.cursor.column.saturating_sub(count));
    }

    /// CR.
    pub(super) fn carriage_return(&mut self) {
        self.cursor.column = 0;
        self.cursor.pending_wrap = false;
    }

    /// BS.
    pub(super) fn backspace(&mut self) {
        if self.cursor.column > 0 {
            self.cursor.column -= 1;
            self.cursor.pending_wrap = false;
        }
    }

    /// HT. The row remembers it where it skips nothing that was printed.
    pub(super) fn tab(&mut self) {
        let column = self.cursor.column;
        let next = self.tabs.next(column);
        let pen = self.cursor.pen;
        if next > column {
            self.row_mut().write_tab(column, next, pen);
            self.cursor.column = next;
        } else if !self.on_alternate {
            // No room: xterm stays. The program still printed it.
            let at = if self.cursor.pending_wrap { column } else { column.saturating_sub(1) };
            self.row_mut().combine(at, '\t', pen);
        }
    }

    /// CHT: as HT, it leaves a cursor that is behind the last column there (xterm).
    pub(super) fn tab_forward(&mut self, count: usize) {
        for _ in 0..count.min(self.columns()) {
            let next = self.tabs.next(self.cursor.column);
            if next > self.cursor.column {
                self.go_to_column(next);
            }
        }
    }

    /// CBT.
    pub(super) fn tab_backward(&mut self, count: usize) {
        for _ in 0..count.min(self.columns()) {
            self.go_to_column(self.tabs.previous(self.cursor.column));
        }
    }

    /// DECSTBM, with rows counted from 1; a region of less than two rows is ignored.
    pub(super) fn set_region(&mut self, top: usize, bottom: usize) {
        let rows = self.rows();
        let bottom = if bottom == 0 { rows } else { bottom.min(rows) };
        let top = top.max(1);
        if top < bottom {
            self.region = (top - 1, bottom - 1);
            self.go_to(0, 0);
        }
    }

    /// DECCOLM, where [`ALLOW_DECCOLM`] is set: the page keeps its columns, but is cleared as if they
    /// changed (xterm).
    pub(super) fn set_column_mode(&mut self) {
        if self.modes.is_set(ALLOW_DECCOLM) {
            self.clear_page();
            self.region = (0, self.rows() - 1);
            self.go_to(0, 0);
        }
    }

    /// DECSC. The hyperlink is not part of it.
    pub(super) fn save_cursor(&mut self) {
        let saved = &mut self.saved[usize::from(self.on_alternate)];
        *saved = self.cursor;
        saved.pen.extra = 0;
    }

    /// DECRC. Whether echo is on is not the program's to save.
    pub(super) fn restore_cursor(&mut self) {
        let (echo, from) = (self.cursor.pen.is_echo(), self.cursor.row);
        self.cursor = self.saved[usize::from(self.on_alternate)];
        self.cursor.clamp(self.columns(), self.rows());
        if self.cursor.origin {
            self.cursor.row = self.cursor.row.clamp(self.region.0, self.region.1);
        }
        self.note_ascent(from);
        self.set_echo(echo);
        self.update_extra();
    }

    /// DECSET and DECRST of one of the modes that show the alternate screen.
    pub(super) fn switch_screen(&mut self, mode: u16, alternate: bool) {
        if self.on_alternate == alternate {
            return;
        }
        self.addressed = false;
        if alternate {
            if mode == ALTERNATE_SCREEN_AND_CURSOR {
                self.save_cursor();
            }
            self.on_alternate = true;
            self.alternate_transcript = Transcript::default();
            if mode == ALTERNATE_SCREEN_AND_CURSOR {
                self.alternate.reset(self.cursor.pen.background);
            }
        } else {
            self.before_leaving_alternate();
            if mode == ALTERNATE_SCREEN_ERASED {
                self.alternate.reset(self.cursor.pen.background);
            }
            self.on_alternate = false;
            if mode == ALTERNATE_SCREEN_AND_CURSOR {
                let ascent = self.ascent;
                self.restore_cursor();
                self.ascent = ascent;
            }
        }
    }
}
