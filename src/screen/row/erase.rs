//! Erasing, inserting and deleting columns of a row.

use super::Row;
use crate::screen::{
    cell::{Cell, Glyph},
    style::Color,
};

impl Row {
    /// Erases the columns `from..to` of a page with `columns` columns (EL, ECH).
    pub(in crate::screen) fn erase(&mut self, from: usize, to: usize, fill: Color, columns: usize) {
        if to >= columns {
            if fill != self.fill {
                self.pad(from);
            }
            self.truncate(from);
            self.keep_blanks();
            self.fill = fill;
        } else {
            if fill != self.fill {
                self.extend_to(to);
            }
            let to = to.min(self.len());
            if from < to {
                self.edit();
                self.break_up(from, to);
                self.cells[from..to].fill(Cell::erased(fill));
            }
        }
        self.check_wrap(columns);
    }

    /// Stores this many columns, which the fill has covered so far.
    fn pad(&mut self, columns: usize) {
        if self.len() < columns {
            self.extend_to(columns);
        }
    }

    fn truncate(&mut self, to: usize) {
        if !self.edited && !self.text.truncate(to) {
            self.edit();
        }
        if self.edited && to < self.cells.len() {
            self.break_up(to, to);
            self.cells.truncate(to);
        }
    }

    /// A program that erases the rest of a line, and not with blanks, meant those it printed behind
    /// its text: they are text, whatever they were printed over.
    fn keep_blanks(&mut self) {
        let cleared = self.cells.iter().rev().take_while(|c| c.glyph == Glyph::CLEARED).count();
        let text = self.cells.len() - cleared;
        if text > 0 && self.cells[text - 1].glyph != Glyph::EMPTY {
            self.cells[text..].iter_mut().for_each(|cell| cell.glyph = Glyph::BLANK);
        }
    }

    /// Inserts `count` blanks, moving what is behind them to the right (ICH).
    pub(in crate::screen) fn insert(
        &mut self,
        at: usize,
        count: usize,
        fill: Color,
        columns: usize,
    ) {
        let count = count.min(columns - at);
        if at < self.len() || fill != self.fill {
            self.extend_to(if fill == self.fill { at } else { columns });
            self.break_up(at, at);
            self.truncate(columns - count);
            let blanks = std::iter::repeat_n(Cell::erased(fill), count);
            self.cells.splice(at..at, blanks);
        }
        self.check_wrap(columns);
    }

    /// Deletes `count` columns, moving what is behind them to the left (DCH).
    pub(in crate::screen) fn delete(
        &mut self,
        at: usize,
        count: usize,
        fill: Color,
        columns: usize,
    ) {
        let count = count.min(columns - at);
        self.edit();
        if fill != self.fill {
            self.extend_to(columns);
        }
        let end = (at + count).min(self.cells.len());
        if at < end {
            self.break_up(at, end);
            self.cells.drain(at..end);
        }
        if fill != self.fill {
            self.cells.resize(columns, Cell::erased(fill));
        }
        self.check_wrap(columns);
    }
}
