//! What must hold of a screen after any input; for tests and fuzzing.

use super::cell::{Cell, Glyph};
use super::page::Page;
use super::row::LineEnd;
use super::terminal::Terminal;

impl Terminal {
    /// Panics when the model contradicts itself.
    pub(super) fn verify(&self) {
        let (columns, rows) = (self.columns(), self.rows());
        assert!(columns > 0 && rows > 0);
        for page in [&self.primary, &self.alternate] {
            assert_eq!((page.columns, page.rows.len()), (columns, rows), "pages have one size");
            verify_page(page);
        }
        assert!(
            self.cursor.row < rows && self.cursor.column < columns,
            "the cursor is on the page"
        );
        assert!(!self.cursor.pending_wrap || self.cursor.column + 1 == columns);
        assert!(
            self.region.0 <= self.region.1 && self.region.1 < rows,
            "the region is on the page"
        );
    }
}

fn verify_page(page: &Page) {
    for row in &page.rows {
        let (cells, clusters) = row.to_cells();
        assert_eq!(cells.len(), row.len());
        assert!(cells.len() <= page.columns, "a row is as long as the page at most");
        if row.end == LineEnd::Wrapped {
            let last = cells.get(page.columns - 1).map(|cell| cell.glyph);
            assert!(last.is_some_and(|last| last != Glyph::EMPTY), "a row that goes on is full");
        }
        let mut before = None;
        for &Cell { glyph, .. } in &cells {
            if let Some(index) = glyph.as_cluster() {
                assert!(index < clusters.len(), "a cell's cluster exists");
            }
            let special = |glyph| [Glyph::EMPTY, Glyph::WIDE_TAIL, Glyph::PADDING].contains(&glyph);
            match glyph {
                Glyph::WIDE_TAIL => {
                    assert!(before.is_some_and(|b| !special(b)), "half a character")
                }
                Glyph::TAB_TAIL => assert!(before.is_some_and(|b| !special(b)), "half a tab"),
                _ => {}
            }
            before = Some(glyph);
        }
    }
}
