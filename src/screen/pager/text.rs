//! Reading the text of a pager: the rows above its prompt, each line once.

use super::{
    Place,
    filling::{rows_of_text, without_filling},
};
use crate::screen::{
    Screen,
    row::LineEnd,
    terminal::{LONGEST_ALTERNATE_TEXT, Terminal},
};

impl Screen {
    /// Appends what was not reported yet of the text that the pager `program` shows, `place` being what
    /// its prompt says; before it what was printed before the pager took the alternate screen.
    pub fn report_pager(&mut self, program: &str, place: &Place, out: &mut String) {
        if self.is_alternate() {
            self.report(out);
        }
        let mut text = String::new();
        self.report_above_cursor(&mut text);
        out.push_str(without_filling(&text, program, place));
    }

    /// Appends what was not reported yet of the rows above the cursor, where a pager has its prompt.
    ///
    /// What `less` fills the page with below the end of the text is left out. On the alternate
    /// screen it is what was read since that was last shown, and is no part of [`Screen::report`].
    pub fn report_above_cursor(&mut self, out: &mut String) {
        let terminal = &mut self.receiver.terminal;
        let (transcript, page) = if terminal.on_alternate {
            (&mut terminal.alternate_transcript, &mut terminal.alternate)
        } else {
            (&mut terminal.transcript, &mut terminal.primary)
        };
        let mut above = rows_of_text(page, terminal.cursor.row);
        if let Some(last) = above.checked_sub(1)
            && page.rows[last].end == LineEnd::Wrapped
        {
            // The rest of the line comes when the prompt below is erased.
            page.rows[last].keeps_wrap = true;
            // The line is reported when all of it was shown, unless it is longer than a page.
            above = Some(page.line_start(last)).filter(|&first| first > 0).unwrap_or(above);
        }
        transcript.report(page, above);
        transcript.drain(&mut |text: &str| out.push_str(text));
    }

    /// Takes what a pager showed above its prompt when it left the alternate screen, as far as it
    /// was not reported: one that ends by itself at the end of the text, say.
    pub fn take_closed_pager(&mut self) -> String {
        std::mem::take(&mut self.receiver.terminal.left_alternate)
    }
}

impl Terminal {
    /// The alternate screen is about to be erased. A pager that does this shows another place: the
    /// line that its page ended in is not completed.
    pub(in crate::screen) fn before_clearing_alternate(&mut self) {
        if let Some(last) = self.alternate.rows.iter().rposition(|row| row.keeps_wrap) {
            self.alternate_transcript.report(&mut self.alternate, last + 1);
        }
    }

    /// The alternate screen is about to be left: keeps what was not reported of it.
    pub(in crate::screen) fn before_leaving_alternate(&mut self) {
        let Terminal { alternate_transcript, alternate, left_alternate, cursor, .. } = self;
        alternate_transcript.report(alternate, rows_of_text(alternate, cursor.row));
        alternate_transcript.drain(&mut |text: &str| left_alternate.push_str(text));
        if !left_alternate.is_empty() && !left_alternate.ends_with('\n') {
            left_alternate.push('\n');
        }
        if left_alternate.len() > LONGEST_ALTERNATE_TEXT {
            left_alternate.clear();
        }
    }
}
