//! Scrolling: LF, IND, NEL, RI, SU, SD, IL and DL. What leaves the page goes to its transcript.

use super::row::LineEnd;
use super::terminal::{LONGEST_ALTERNATE_TEXT, Terminal};

impl Terminal {
    /// Moves the cursor down, scrolling at the bottom of the region (IND).
    pub(super) fn index(&mut self) {
        if self.cursor.row == self.region.1 {
            self.scroll_up(1);
        } else if self.cursor.row + 1 < self.rows() {
            self.cursor.row += 1;
        }
    }

    /// Scrolls the region; what leaves the primary screen goes to the transcript.
    pub(super) fn scroll_up(&mut self, count: usize) {
        let fill = self.cursor.pen.background;
        if self.on_alternate {
            self.alternate.scroll_up(
                self.region,
                count,
                fill,
                Some(&mut self.alternate_transcript),
            );
            // An editor scrolls for hours, and nobody asks for it.
            self.alternate_transcript.forget_beyond(LONGEST_ALTERNATE_TEXT);
        } else {
            self.addressed &= self.region != (0, self.rows() - 1);
            self.primary.scroll_up(self.region, count, fill, Some(&mut self.transcript));
        }
    }

    /// RI: up, scrolling down at the top of the region.
    pub(super) fn reverse_index(&mut self) {
        if self.cursor.row == self.region.0 {
            self.scroll_down(1);
        } else {
            let from = self.cursor.row;
            self.cursor.row = from.saturating_sub(1);
            self.note_ascent(from);
        }
    }

    /// LF, VT, FF, IND, and NEL but for the carriage return: ends the line.
    pub(super) fn line_feed(&mut self) {
        let echo = self.cursor.pen.is_echo();
        let row = self.row_mut();
        if row.end == LineEnd::Open {
            row.end = if echo { LineEnd::EchoBreak } else { LineEnd::Break };
        }
        if !self.on_alternate {
            self.ascent.line_ended();
        }
        self.index();
        if self.modes.line_feed_new_line {
            self.carriage_return();
        }
    }

    /// IL, inside the scroll region only.
    pub(super) fn insert_lines(&mut self, count: usize) {
        if let Some(region) = self.region_below() {
            self.scroll_region_down(region, count);
            self.carriage_return();
        }
    }

    /// DL, inside the scroll region only. What is deleted is gone.
    pub(super) fn delete_lines(&mut self, count: usize) {
        if let Some(region) = self.region_below() {
            let fill = self.cursor.pen.background;
            self.page_mut().scroll_up(region, count, fill, None);
            self.carriage_return();
        }
    }

    /// The part of the scroll region from the cursor on.
    fn region_below(&self) -> Option<(usize, usize)> {
        let row = self.cursor.row;
        (self.region.0..=self.region.1).contains(&row).then_some((row, self.region.1))
    }

    /// SD.
    pub(super) fn scroll_down(&mut self, count: usize) {
        self.scroll_region_down(self.region, count);
    }

    fn scroll_region_down(&mut self, region: (usize, usize), count: usize) {
        let fill = self.cursor.pen.background;
        if self.on_alternate {
            self.alternate.scroll_down(region, count, fill, None);
        } else {
            self.primary.scroll_down(region, count, fill, Some(&mut self.transcript));
        }
    }
}
