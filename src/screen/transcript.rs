//! The transcript: what the program printed, as a person would have read it, each line once.
//!
//! Readers get one stream of text. It ends either at the start of a line or in a line that is
//! still on the page; the row that begins the line knows how much of it was read. A line that
//! changes after it was read is reported again, whole; one that only grew is continued, as long as
//! the stream still ends in it.

use super::page::Page;
use super::row::{LineEnd, Row};

/// What readers know of a line on the page.
#[derive(Debug, Default)]
pub(super) struct Reported {
    pub(super) text: String,
    /// The number the stream has while it ends in this line, 0 when it went on.
    stream: u64,
}

/// The stream of text that readers get.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    /// What was not fetched yet.
    ready: String,
    /// The number of the line the stream ends in, 0 at the start of a line.
    open: u64,
    last: u64,
    /// Whether what is ready begins with a newer text of the line that the stream ended in when it
    /// was last fetched.
    replaces_line: bool,
    /// The text of the line at hand; kept for its memory.
    line: String,
}

impl Transcript {
    /// Hands the text over that is ready.
    pub(super) fn drain(&mut self, sink: &mut impl FnMut(&str)) {
        if !self.ready.is_empty() {
            sink(&self.ready);
            self.ready.clear();
            self.ready.shrink_to(1 << 20);
        }
    }

    /// Whether the text that was made ready since this was last asked begins with a newer text of
    /// the line that readers have last.
    pub(super) fn take_replaces_line(&mut self) -> bool {
        std::mem::take(&mut self.replaces_line)
    }

    /// Forgets what nobody fetched when it is longer than `bytes`.
    pub(super) fn forget_beyond(&mut self, bytes: usize) {
        if self.ready.len() > bytes {
            self.ready.clear();
        }
    }

    /// Reports a row that leaves the page. Returns what is known of the line's rest, if it has one.
    pub(super) fn retire(&mut self, row: &mut Row) -> Option<Box<Reported>> {
        if row.reported.is_none() && row.end == LineEnd::Break {
            // The common case, without a copy.
            self.start_line();
            row.transcript_text(&mut self.ready);
            self.ready.push('\n');
            return None;
        }
        self.line.clear();
        row.transcript_text(&mut self.line);
        let mut reported = row.reported.take();
        if row.end != LineEnd::Wrapped {
            let end = match row.end {
                LineEnd::Open if !self.line.is_empty() => LineEnd::Break,
                end => end,
            };
            self.report_line(&mut reported, end);
            return None;
        }
        match &mut reported {
            // Read already; what is left of it is known of the rest of the line.
            Some(known) if known.text.starts_with(&self.line) => {
                known.text.drain(..self.line.len());
            }
            _ => {
                self.report_line(&mut reported, LineEnd::Wrapped);
                if let Some(known) = &mut reported {
                    known.text.clear();
                }
            }
        }
        reported
    }

    /// Reports the lines up to the cursor's row, and those below it that show something.
    pub(super) fn report_up_to(&mut self, page: &mut Page, cursor: usize) {
        let below = page.rows.range(cursor + 1..).rposition(Row::shows_text);
        if let Some(below) = below {
            let last = cursor + 1 + below;
            for row in page.rows.range_mut(cursor + 1..last) {
                row.pass_over();
            }
            return self.report(page, last + 1);
        }
        // The line goes on where the cursor is.
        let end = page.rows[cursor].end;
        if end == LineEnd::Break {
            page.rows[cursor].end = LineEnd::Open;
        }
        self.report(page, cursor + 1);
        page.rows[cursor].end = end;
    }

    /// Reports the lines of the first `rows` rows as far as they are not known. They stay on the page.
    pub(super) fn report(&mut self, page: &mut Page, rows: usize) {
        let mut first = 0;
        let used = page
            .rows
            .iter()
            .take(rows)
            .rposition(|row| row.end != LineEnd::Open || row.has_transcript_text());
        while let Some(used) = used
            && first <= used
        {
            self.line.clear();
            let mut last = first;
            loop {
                page.rows[last].transcript_text(&mut self.line);
                if page.rows[last].end != LineEnd::Wrapped || last + 1 >= rows {
                    break;
                }
                last += 1;
            }
            let end = match page.rows[last].end {
                LineEnd::Open if last < used && !self.line.is_empty() => LineEnd::Break,
                LineEnd::Wrapped => LineEnd::Open,
                end => end,
            };
            let mut reported = page.rows[first].reported.take();
            self.report_line(&mut reported, end);
            page.rows[first].reported = reported;
            first = last + 1;
        }
    }

    /// Reports all of the page, which is erased then: every line on it is finished.
    pub(super) fn finish(&mut self, page: &mut Page) {
        let before = self.last;
        self.report(page, page.rows.len());
        if self.open > before {
            self.start_line();
        }
    }

    /// Reports the line at hand as far as readers do not know it, and notes what they know then.
    fn report_line(&mut self, reported: &mut Option<Box<Reported>>, end: LineEnd) {
        let open = reported.as_ref().is_some_and(|r| r.stream != 0 && r.stream == self.open);
        let known = reported.as_ref().map(|reported| reported.text.as_str());
        let new = match known {
            Some(known) if open && self.line.starts_with(known) => known.len()..self.line.len(),
            Some(known) if self.line.is_empty() || known == self.line => 0..0,
            None if self.line.is_empty() && end != LineEnd::Break => return,
            _ => {
                self.replaces_line |= open && self.ready.is_empty();
                self.start_line();
                0..self.line.len()
            }
        };
        let reports = !new.is_empty();
        self.ready.push_str(&self.line[new]);
        let mut stream = 0;
        match end {
            LineEnd::Break if reports || open || known.is_none() => {
                self.ready.push('\n');
                self.open = 0;
            }
            LineEnd::EchoBreak if reports => {
                self.ready.push('\n');
                self.open = 0;
            }
            // The break was typed with the answer: it stands in the echo.
            LineEnd::EchoBreak if open => self.open = 0,
            LineEnd::Open | LineEnd::Wrapped if reports => {
                self.last += 1;
                self.open = self.last;
                stream = self.open;
            }
            LineEnd::Open | LineEnd::Wrapped if open => stream = self.open,
            _ => {}
        }
        let reported = reported.get_or_insert_default();
        if reports {
            reported.text.clone_from(&self.line);
        }
        reported.stream = stream;
    }

    /// Makes the stream end at the start of a line.
    fn start_line(&mut self) {
        if self.open != 0 {
            self.ready.push('\n');
            self.open = 0;
        }
    }
}
