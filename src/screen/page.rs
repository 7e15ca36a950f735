//! A page: the rows of the primary or the alternate screen, and how they scroll.

use std::collections::VecDeque;

use super::painted::Scrolled;
use super::row::{LineEnd, Row};
use super::style::Color;
use super::transcript::Transcript;

/// The rows of a screen. There is always at least one, of at least one column.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) rows: VecDeque<Row>,
    pub(super) columns: usize,
    /// What left it at the top; `None` where nobody wants that.
    pub(super) scrolled: Option<Scrolled>,
}

impl Page {
    pub(super) fn new(columns: usize, rows: usize) -> Page {
        Page { rows: (0..rows).map(|_| Row::default()).collect(), columns, scrolled: None }
    }

    /// Moves the rows `top..=bottom` up; those that leave at the top are reported to `transcript`.
    pub(super) fn scroll_up(
        &mut self,
        (top, bottom): (usize, usize),
        count: usize,
        fill: Color,
        mut transcript: Option<&mut Transcript>,
    ) {
        let count = count.min(bottom + 1 - top);
        if top > 0 {
            if let Some(transcript) = &mut transcript {
                // What is above is read before what leaves.
                transcript.report(self, top);
            }
            self.unwrap(top - 1);
        }
        for _ in 0..count {
            let Some(mut row) = self.rows.remove(top) else { return };
            let known = transcript.as_mut().and_then(|transcript| transcript.retire(&mut row));
            if let Some(scrolled) =
                self.scrolled.as_mut().filter(|_| top == 0 && transcript.is_some())
            {
                scrolled.push(std::mem::take(&mut row));
            }
            row.reset(fill);
            self.rows.insert(bottom, row);
            self.rows[top].continue_line(known);
        }
    }

    /// Moves the rows `top..=bottom` down; those that leave at the bottom are gone. If they were
    /// not reported, the page is reported first, as it was there to be read.
    pub(super) fn scroll_down(
        &mut self,
        (top, bottom): (usize, usize),
        count: usize,
        fill: Color,
        transcript: Option<&mut Transcript>,
    ) {
        let count = count.min(bottom + 1 - top);
        if let Some(transcript) = transcript {
            let unreported = |row: &Row| row.reported.is_none() && row.has_transcript_text();
            if self.rows.range(bottom + 1 - count..=bottom).any(unreported) {
                transcript.report(self, self.rows.len());
            }
        }
        if top > 0 && count > 0 {
            self.unwrap(top - 1);
        }
        for _ in 0..count {
            let Some(mut row) = self.rows.remove(bottom) else { return };
            row.reset(fill);
            self.rows.insert(top, row);
        }
        self.unwrap(bottom);
    }

    /// The row does not go on in the next one any more, unless it keeps its wrap.
    pub(super) fn unwrap(&mut self, row: usize) {
        if self.rows[row].end == LineEnd::Wrapped && !self.rows[row].keeps_wrap {
            self.rows[row].end = LineEnd::Open;
        }
    }

    /// Erases all rows and forgets what was known of them.
    pub(super) fn reset(&mut self, fill: Color) {
        for row in &mut self.rows {
            row.reset(fill);
        }
    }

    /// The row where the logical line that `row` belongs to begins.
    pub(super) fn line_start(&self, mut row: usize) -> usize {
        while row > 0 && self.rows[row - 1].end == LineEnd::Wrapped {
            row -= 1;
        }
        row
    }

    /// The row where the logical line that `row` belongs to ends.
    pub(super) fn line_end(&self, mut row: usize) -> usize {
        while row + 1 < self.rows.len() && self.rows[row].end == LineEnd::Wrapped {
            row += 1;
        }
        row
    }

    /// The rows as a person sees them, blanks at the ends and blank rows at the end left out.
    pub(super) fn visible_text(&self) -> String {
        self.text_by(Row::visible_text)
    }

    /// The same with blanks for the echo of cells.
    pub(super) fn printed_text(&self) -> String {
        self.text_by(Row::printed_text)
    }

    fn text_by(&self, read: impl Fn(&Row, &mut String)) -> String {
        let mut out = String::new();
        for row in &self.rows {
            read(row, &mut out);
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
        }
        out.truncate(out.trim_end_matches('\n').len());
        out
    }

    /// A row that leaves the page at the top because the page becomes smaller.
    pub(super) fn retire_first(&mut self, transcript: Option<&mut Transcript>) {
        if let Some(mut row) = self.rows.pop_front()
            && let Some(transcript) = transcript
        {
            let known = transcript.retire(&mut row);
            if let Some(next) = self.rows.front_mut() {
                next.continue_line(known);
            }
            if let Some(scrolled) = &mut self.scrolled {
                scrolled.push(row);
            }
        }
    }
}
