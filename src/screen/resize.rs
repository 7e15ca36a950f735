//! Resizing: the lines of the primary screen are wrapped anew, the alternate screen is cut.

use std::collections::VecDeque;

use super::cell::{Cell, Glyph};
use super::cursor::Cursor;
use super::page::Page;
use super::row::{LineEnd, Row};
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
    let mut rows: VecDeque<Row> = VecDeque::with_capacity(old.len());
    let mut place = None;
    // The first row of a line continues the last one that was written?
    let mut continued = false;
    for (index, mut row) in old.into_iter().enumerate() {
        let here = (index == cursor.row).then(|| cursor.column + usize::from(cursor.pending_wrap));
        let (end, fill, reported) = (row.end, row.fill, row.reported.take());
        if !continued {
            rows.push_back(Row::new(fill, reported));
        }
        continued = end == LineEnd::Wrapped;
        let (cells, mut clusters) = row.to_cells();
        let wide = |column: usize| {
            cells.get(column + 1).is_some_and(|cell: &Cell| cell.glyph == Glyph::WIDE_TAIL)
        };
        for (column, &cell) in cells.iter().enumerate() {
            let full = rows.back().map_or(0, Row::len) + usize::from(wide(column)) >= columns;
            if full && cell.glyph != Glyph::PADDING {
                if let Some(last) = rows.back_mut() {
                    if last.len() < columns {
                        last.push(Cell { glyph: Glyph::PADDING, ..cell }, None);
                    }
                    last.end = LineEnd::Wrapped;
                }
                rows.push_back(Row::new(fill, None));
            }
            if here == Some(column) {
                place = Some((rows.len() - 1, rows.back().map_or(0, Row::len)));
            }
            let cluster = cell.glyph.as_cluster().map(|index| std::mem::take(&mut clusters[index]));
            if cell.glyph != Glyph::PADDING
                && let Some(last) = rows.back_mut()
            {
                last.push(cell, cluster);
            }
        }
        if let Some(here) = here.filter(|&here| here >= cells.len()) {
            let beyond = rows.back().map_or(0, Row::len) + (here - cells.len());
            place = Some((rows.len() - 1, beyond));
        }
        if let Some(last) = rows.back_mut() {
            last.end = end;
            last.fill = fill;
        }
    }
    page.rows = rows;
    page.columns = columns;
    if let Some((row, column)) = place {
        cursor.row = row;
        cursor.pending_wrap = column == columns && page.rows[row].len() == columns;
        cursor.column = column.min(columns - 1);
    }
}
