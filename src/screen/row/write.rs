//! Printing on a row.

use super::Row;
use crate::screen::{
    cell::{Cell, Glyph, columns_of},
    style::{Color, Style},
};

/// A cell holds a character and combining ones up to this many bytes.
const LONGEST_CLUSTER: usize = 128;

impl Row {
    /// Prints ASCII; the caller sees to it that it ends within the page.
    pub(in crate::screen) fn write_ascii(&mut self, column: usize, text: &str, style: Style) {
        if !self.edited && self.text.write_ascii(column, text, style) {
            return;
        }
        self.extend_to(column);
        self.break_up(column, column + text.len());
        for (at, &byte) in (column..).zip(text.as_bytes()) {
            let glyph = if byte == b' ' { self.blank(at) } else { Glyph::ascii(byte) };
            self.put(at, Cell { glyph, style });
        }
    }

    /// Prints characters of one or two columns each, `width` in all.
    pub(in crate::screen) fn write_text(
        &mut self,
        column: usize,
        text: &str,
        width: usize,
        style: Style,
    ) {
        if !self.edited && self.text.write_text(column, text, width, style) {
            return;
        }
        let mut at = column;
        self.extend_to(column);
        self.break_up(column, column + width);
        for c in text.chars() {
            let glyph = if c == ' ' { self.blank(at) } else { Glyph::char(c) };
            self.put(at, Cell { glyph, style });
            at += 1;
            if columns_of(c) == 2 {
                self.put(at, Cell { glyph: Glyph::WIDE_TAIL, style });
                at += 1;
            }
        }
    }

    /// Stores a cell in a column that is stored, or comes next.
    fn put(&mut self, column: usize, cell: Cell) {
        match self.cells.get_mut(column) {
            Some(old) => *old = cell,
            None => self.cells.push(cell),
        }
    }

    /// What a blank that is printed in a column leaves there: over a character, or behind a place
    /// that holds none, it erases, as programs clear what they printed with blanks; else it is text.
    fn blank(&self, column: usize) -> Glyph {
        let before = column.checked_sub(1).map(|before| self.cells[before].glyph);
        let over = self.cells.get(column).map_or(Glyph::BLANK, |old| old.glyph);
        let is_text = over == Glyph::BLANK && !before.is_some_and(Glyph::is_nothing);
        if is_text || self.goes_on_at(column) { Glyph::BLANK } else { Glyph::CLEARED }
    }

    /// Leaves the last column free for a wide character that goes to the next row.
    pub(in crate::screen) fn write_padding(&mut self, column: usize, style: Style) {
        self.extend_to(column + 1);
        self.break_up(column, column + 1);
        self.cells[column] = Cell { glyph: Glyph::PADDING, style };
    }

    /// Notes that a tab skipped `from..to`, if nothing was printed there.
    pub(in crate::screen) fn write_tab(&mut self, from: usize, to: usize, style: Style) {
        if !self.edited {
            let printed = from < self.len();
            if printed || self.fill == Color::DEFAULT && self.text.write_tab(from, to, style) {
                return;
            }
        }
        let over = to.min(self.cells.len());
        if from < over && self.cells[from..over].iter().any(|c| c.glyph != Glyph::EMPTY) {
            return;
        }
        self.extend_to(to);
        for cell in &mut self.cells[from..to] {
            let background = cell.style.background;
            *cell = Cell { glyph: Glyph::TAB_TAIL, style: Style { background, ..style.tab() } };
        }
        self.cells[from].glyph = Glyph::TAB;
    }

    /// Adds a combining character, or a tab that found no more room, to the cell.
    pub(in crate::screen) fn combine(&mut self, mut column: usize, c: char, style: Style) {
        if !self.edited && self.text.combine(column, c) {
            return;
        }
        self.extend_to(column + 1);
        let halves = [Glyph::WIDE_TAIL, Glyph::TAB_TAIL];
        while column > 0 && halves.contains(&self.cells[column].glyph) {
            column -= 1;
        }
        if let Some(cluster) = self.cells[column].glyph.as_cluster() {
            let cluster = &mut self.clusters[cluster];
            if cluster.len() + c.len_utf8() <= LONGEST_CLUSTER {
                cluster.push(c);
            }
            return;
        }
        if self.clusters.len() >= 2 * self.cells.len() {
            self.compact();
        }
        let glyph = self.cells[column].glyph;
        if glyph == Glyph::EMPTY {
            if c == '\t' {
                return;
            }
            let background = self.cells[column].style.background;
            self.cells[column].style = Style { background, ..style.tab() };
        }
        let base = if glyph == Glyph::TAB { '\t' } else { glyph.as_char() };
        self.cells[column].glyph = Glyph::cluster(self.clusters.len());
        self.clusters.push([base, c].iter().collect());
    }

    /// Drops the clusters that no cell names any more.
    fn compact(&mut self) {
        let mut old = std::mem::take(&mut self.clusters);
        for cell in &mut self.cells {
            if let Some(index) = cell.glyph.as_cluster() {
                cell.glyph = Glyph::cluster(self.clusters.len());
                self.clusters.push(std::mem::take(&mut old[index]));
            }
        }
    }
}
