//! Resizing: the lines of the primary screen are wrapped anew, the alternate screen is cut.

use std::collections::VecDeque;

use super::cell::{Cell, Glyph, columns_of};
use super::cursor::Cursor;
use super::page::Page;
use super::row::{LineEnd, Row};
use super::style::Style;
use super::terminal::Terminal;

impl Terminal {
    pub(super) fn resize(&mut self, columns: usize, rows: usize) {
        if (columns, rows) == (self.columns(), self.rows()) {
            return;
        }
        // The primary screen's cursor is the saved one while the alternate screen is shown.
        let saved = &mut self.saved[0];
        let cursor = if self.on_alternate { saved } else { &mut self.cursor };
        if columns != self.primary.columns {
            rewrap(&mut self.primary, cursor, columns);
        }
        while self.primary.rows.len() > rows {
            let last = self.primary.rows.len() - 1;
            let row = &self.primary.rows[last];
            let unused = cursor.row < last && row.len() == 0 && row.end == LineEnd::Open;
            if unused && row.reported.is_none() {
                self.primary.rows.pop_back();
            } else {
                self.primary.retire_first(Some(&mut self.transcript));
                cursor.row = cursor.row.saturating_sub(1);
            }
        }
        self.primary.rows.resize_with(rows, Row::default);
        cut(&mut self.alternate, self.on_alternate.then_some(&mut self.cursor), columns, rows);

        self.tabs.resize(columns);
        self.region = (0, rows - 1);
        self.cursor.clamp(columns, rows);
        self.saved.iter_mut().for_each(|saved| saved.clamp(columns, rows));
    }
}

/// Cuts or extends the rows; rows above the cursor go first.
fn cut(page: &mut Page, cursor: Option<&mut Cursor>, columns: usize, rows: usize) {
    if let Some(cursor) = cursor {
        while page.rows.len() > rows && cursor.row >= rows {
            page.rows.pop_front();
            cursor.row -= 1;
        }
    }
    page.columns = columns;
    page.rows.resize_with(rows, Row::default);
    for row in &mut page.rows {
        row.end = LineEnd::Open;
        if row.len() > columns {
            row.erase(columns, usize::MAX, row.fill, columns);
        }
    }
}

/// Wraps each line of the page anew; the cursor stays with its character.
fn rewrap(page: &mut Page, cursor: &mut Cursor, columns: usize) {
    let old = std::mem::take(&mut page.rows);
    let mut wrapper = Wrapper { rows: VecDeque::with_capacity(old.len()), columns };
    let mut place = (0, 0);
    let mut continued = false;
    for (index, mut row) in old.into_iter().enumerate() {
        if !continued {
            wrapper.rows.push_back(Row::new(row.fill, row.reported.take()));
        }
        continued = row.end == LineEnd::Wrapped;
        let here = (index == cursor.row).then(|| cursor.column + usize::from(cursor.pending_wrap));
        let (mut cells, mut clusters) = row.to_cells();
        if !continued {
            // Erased places at the end of a line make no row of their own.
            let erased = Style::erased(row.fill);
            let is_used = |cell: &Cell| !cell.glyph.is_nothing() || cell.style.visible() != erased;
            let used = cells.iter().rposition(is_used);
            cells.truncate(used.map_or(0, |last| last + 1));
        }
        for (column, &cell) in cells.iter().enumerate() {
            let cluster = cell.glyph.as_cluster().map(|index| std::mem::take(&mut clusters[index]));
            wrapper.push(cell, cluster);
            if here == Some(column) {
                let (row, end) = wrapper.end();
                place = (row, end.saturating_sub(1));
            }
        }
        if let Some(here) = here.filter(|&here| here >= cells.len()) {
            let (row, end) = wrapper.end();
            place = (row, end + here - cells.len());
        }
        if let Some(last) = wrapper.rows.back_mut() {
            last.end = row.end;
            last.fill = row.fill;
        }
    }
    if let Some(last) = wrapper.rows.back_mut().filter(|_| continued) {
        last.end = LineEnd::Open;
    }
    page.rows = wrapper.rows;
    page.columns = columns;
    cursor.row = place.0;
    cursor.pending_wrap = place.1 == columns && page.rows[place.0].len() == columns;
    cursor.column = place.1.min(columns - 1);
}

/// Puts cells into rows of a width.
struct Wrapper {
    rows: VecDeque<Row>,
    columns: usize,
}

impl Wrapper {
    /// The last row, and how long it is.
    fn end(&self) -> (usize, usize) {
        (self.rows.len() - 1, self.rows.back().map_or(0, Row::len))
    }

    /// Appends a cell, and the second half of a wide character with it, to the line at hand.
    fn push(&mut self, mut cell: Cell, cluster: Option<String>) {
        if matches!(cell.glyph, Glyph::PADDING | Glyph::WIDE_TAIL) {
            return;
        }
        let base = cluster.as_ref().and_then(|cluster| cluster.chars().next());
        // There is no room for halves on a page of one column.
        let wide = columns_of(base.unwrap_or(cell.glyph.as_char())) == 2 && self.columns > 1;
        let (_, length) = self.end();
        if length + usize::from(wide) >= self.columns {
            let Some(last) = self.rows.back_mut() else { return };
            if length < self.columns {
                last.push(Cell { glyph: Glyph::PADDING, ..cell }, None);
            }
            last.fill_last();
            last.end = LineEnd::Wrapped;
            let fill = last.fill;
            self.rows.push_back(Row::new(fill, None));
        }
        let Some(last) = self.rows.back_mut() else { return };
        if cell.glyph == Glyph::TAB_TAIL && !last.ends_in_tab() {
            // The tab itself stands in the row before.
            cell.glyph = Glyph::PADDING;
        }
        last.push(cell, cluster);
        if wide {
            last.push(Cell { glyph: Glyph::WIDE_TAIL, ..cell }, None);
        }
    }
}
