//! Reading a program that shows pages, on whichever screen: a pager's text is the rows above its
//! prompt, a full-screen program's is its page.

use super::{
    Screen,
    modes::private::ALTERNATE_SCREEN_AND_CURSOR,
    page::Page,
    row::{LineEnd, Row},
    style::Style,
    terminal::{LONGEST_PAGES, Terminal},
};

/// `CAN`: ends a sequence that was begun (ECMA-48, 8.3.6).
const CANCEL: u8 = 0x18;

impl Screen {
    /// Appends what was not told yet of the rows above the cursor, where a pager has its prompt.
    ///
    /// What fills the page below the end of the text is left out. On the alternate screen, too:
    /// there it is what was read since it was last shown, and is no part of [`Screen::report`].
    pub fn report_above_cursor(&mut self, out: &mut String) {
        let terminal = &mut self.receiver.terminal;
        let (transcript, page) = if terminal.on_alternate {
            (&mut terminal.pages, &mut terminal.alternate)
        } else {
            (&mut terminal.transcript, &mut terminal.primary)
        };
        let mut above = rows_of_text(page, terminal.cursor.row);
        if let Some(last) = above.checked_sub(1)
            && page.rows[last].end == LineEnd::Wrapped
        {
            page.rows[last].before_prompt = true;
            // The line is told when all of it was shown, unless it is longer than a page.
            above = Some(page.line_start(last)).filter(|&first| first > 0).unwrap_or(above);
        }
        transcript.report(page, above);
        transcript.drain(&mut |text: &str| out.push_str(text));
    }

    /// Takes what a pager showed above its prompt when it left the alternate screen, as far as it
    /// was not told: one that ends by itself at the end of the text, say.
    pub fn take_left_pages(&mut self) -> String {
        std::mem::take(&mut self.receiver.terminal.left)
    }

    /// Whether a program has the screen to itself: the alternate one, or the primary one, as `top`
    /// does. A line editor that takes the cursor keys lets the text scroll by, and moves from
    /// where it is.
    pub fn is_full(&self) -> bool {
        self.is_alternate() || self.terminal().painted
    }

    /// Appends what was not told yet of the text before a full-screen program, then its page as a
    /// person sees it, which counts as told.
    pub fn report_page(&mut self, out: &mut String) {
        if self.is_alternate() {
            self.report(out);
        } else {
            self.drain(&mut |text| out.push_str(text));
            self.report(&mut String::new());
            // What stands on the page may begin in the middle of a line.
            if !out.is_empty() && !out.ends_with('\n') {
                out.push('\n');
            }
        }
        out.push_str(&self.page_text());
    }

    /// The row the cursor is in, as a person sees it.
    pub fn cursor_line(&self) -> String {
        let row = usize::from(self.cursor().0);
        self.page_text().split('\n').nth(row).unwrap_or_default().to_owned()
    }

    /// Whether the row the cursor is in begins in a style of its own, as prompts do (standout).
    pub fn cursor_line_is_styled(&self) -> bool {
        let row = &self.terminal().page().rows[usize::from(self.cursor().0)];
        row.first_style().is_some_and(|style| style.visible() != Style::default())
    }

    /// Whether the cursor is in the last row of the page.
    pub fn cursor_at_bottom(&self) -> bool {
        self.cursor().0 + 1 == self.size().rows
    }

    /// Puts the terminal back as a program finds it: no sequence begun, the primary screen, the
    /// cursor shown, no scroll region, no modes of a program that did not clean up behind itself,
    /// and the cursor behind what was printed, which is not to be printed over.
    pub fn calm(&mut self) {
        self.feed(&[CANCEL]);
        let terminal = &mut self.receiver.terminal;
        if terminal.on_alternate {
            terminal.switch_screen(ALTERNATE_SCREEN_AND_CURSOR, false);
        }
        let pending_wrap = terminal.cursor.pending_wrap;
        terminal.soft_reset();
        // A line that fills its last row goes on in the next one.
        terminal.cursor.pending_wrap = pending_wrap;
        let used = terminal.primary.rows.iter().rposition(Row::has_transcript_text);
        let over = |&used: &usize| {
            let (row, cursor) = (&terminal.primary.rows[used], &terminal.cursor);
            let before = row.end == LineEnd::Break
                || !cursor.pending_wrap && cursor.column < row.printed_columns();
            used > cursor.row || used == cursor.row && before
        };
        if let Some(used) = used.filter(over) {
            terminal.go_to(used, 0);
            terminal.line_feed();
        }
        // Where a line feed did not return the carriage (no ONLCR), nothing stands before it.
        if terminal.primary.rows[terminal.cursor.row].is_blank() {
            terminal.carriage_return();
        }
    }
}

/// How many of the first `rows` rows are text, and not what fills the page below its end.
fn rows_of_text(page: &Page, rows: usize) -> usize {
    let text = page.rows.iter().take(rows).rposition(|row| !row.is_filling());
    text.map_or(0, |last| last + 1)
}

impl Terminal {
    /// Keeps what was not told of the alternate screen, which is left.
    pub(super) fn leave_pages(&mut self) {
        let Terminal { pages, alternate, left, cursor, .. } = self;
        pages.report(alternate, rows_of_text(alternate, cursor.row));
        pages.drain(&mut |text: &str| left.push_str(text));
        if !left.is_empty() && !left.ends_with('\n') {
            left.push('\n');
        }
        if left.len() > LONGEST_PAGES {
            left.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::screen::{Screen, Size};

    fn screen() -> Screen {
        Screen::new(Size { columns: 20, rows: 4 })
    }

    fn above(screen: &mut Screen) -> String {
        let mut text = String::new();
        screen.report_above_cursor(&mut text);
        text
    }

    #[test]
    fn pages_of_the_alternate_screen_join_without_repeats() {
        let mut screen = screen();
        screen.feed(b"before\r\n\x1b[?1049h\x1b[H1\r\n2\r\n3\r\n:");
        assert_eq!(above(&mut screen), "1\n2\n3\n");
        screen.feed(b"\r\x1b[K4\r\n5\r\n6\r\n:");
        assert_eq!(above(&mut screen), "4\n5\n6\n");
        // The last page scrolls by what is left.
        screen.feed(b"\r\x1b[K7\r\n(END)");
        assert_eq!(above(&mut screen), "7\n");
        screen.feed(b"\r\x1b[K\x1b[?1049lafter\r\n");
        let mut text = String::new();
        screen.report(&mut text);
        assert_eq!(text, "before\nafter\n");
    }

    #[test]
    fn a_prompt_on_the_primary_screen_is_no_text() {
        let mut screen = screen();
        screen.feed(b"1\r\n1\r\n1\r\n--More--");
        assert_eq!(above(&mut screen), "1\n1\n1\n");
        screen.feed(b"\r\x1b[K1\r\n2\r\n$ ");
        let mut text = String::new();
        screen.report(&mut text);
        assert_eq!(text, "1\n2\n$ ");
    }

    #[test]
    fn tildes_of_the_text_are_told_and_those_that_fill_the_page_are_not() {
        let mut screen = screen();
        screen.feed(
            b"\x1b[?1049h\x1b[H~\r\n\x1b[1m~\x1b[m\r\n\x1b[1m~\x1b[m\r\n\x1b[7m(END)\x1b[27m",
        );
        assert_eq!(above(&mut screen), "~\n");
    }

    #[test]
    fn long_lines_are_joined() {
        let mut screen = screen();
        screen.feed(b"\x1b[?1049h\x1b[H12345678901234567890123\r\nx\r\n:");
        assert_eq!(above(&mut screen), "12345678901234567890123\nx\n");
    }

    /// Pages as `less` prints them: a blank makes a line that is wider than the page wrap.
    #[test]
    fn a_line_that_a_page_ends_in_is_told_whole() {
        for start in ["", "\x1b[?1049h\x1b[H"] {
            let mut screen = screen();
            screen.feed(start.as_bytes());
            screen.feed(b"1\r\n2\r\n12345678901234567890\x1b[m \x08\x1b[m\x1b[7m:\x1b[27m\x1b[K");
            assert_eq!(above(&mut screen), "1\n2\n");
            screen.feed(b"\r\x1b[Kxyz\r\n4\r\n5\r\n\x1b[7m:\x1b[27m\x1b[K");
            assert_eq!(above(&mut screen), "12345678901234567890xyz\n4\n5\n");
            screen.feed(
                b"\r\x1b[K12345678901234567890\x1b[m \x08x\r\n6\r\n\x1b[7m(END)\x1b[27m\x1b[K",
            );
            assert_eq!(above(&mut screen), "12345678901234567890x\n6\n");
        }
    }

    #[test]
    fn a_line_that_a_page_ends_in_is_told_when_the_pager_goes_elsewhere() {
        let mut screen = screen();
        screen.feed(
            b"\x1b[?1049h\x1b[H1\r\n2\r\n12345678901234567890\x1b[m \x08\x1b[7m:\x1b[27m\x1b[K",
        );
        assert_eq!(above(&mut screen), "1\n2\n");
        screen.feed(b"\r\x1b[K\x1b[H\x1b[2J8\r\n9\r\n\x1b[7m:\x1b[27m\x1b[K");
        assert_eq!(above(&mut screen), "12345678901234567890\n8\n9\n");
    }

    #[test]
    fn a_line_longer_than_a_page_is_told_page_by_page() {
        let mut screen = screen();
        let row = "12345678901234567890\x1b[m \x08";
        screen.feed(format!("{row}{row}{row}\x1b[7m:\x1b[27m\x1b[K").as_bytes());
        let mut text = above(&mut screen);
        assert_eq!(text.len(), 60);
        screen.feed(format!("\r\x1b[K{row}xyz\r\n\x1b[7m(END)\x1b[27m\x1b[K").as_bytes());
        text.push_str(&above(&mut screen));
        assert_eq!(text, "12345678901234567890".repeat(4) + "xyz\n");
    }

    #[test]
    fn what_was_printed_is_not_printed_over() {
        let mut screen = screen();
        let mut text = String::new();
        screen.feed(b"1\r\n\x1b[H");
        screen.report(&mut text);
        screen.calm();
        screen.feed(b"1\r\n2\x1b[H");
        screen.report(&mut text);
        screen.calm();
        assert_eq!(screen.cursor(), (3, 0));
        screen.feed(b"3\r4");
        screen.report(&mut text);
        screen.calm();
        assert_eq!((text.as_str(), screen.cursor()), ("1\n1\n2\n4", (3, 1)));
    }

    #[test]
    fn what_a_pager_showed_last_is_not_lost() {
        let mut screen = screen();
        screen.feed(b"\x1b[?1049h\x1b[H1\r\n2\r\n3\r\n:");
        assert_eq!(above(&mut screen), "1\n2\n3\n");
        screen.feed(b"\r\x1b[K4\r\n5\r\n\r\x1b[K\x1b[?1049lafter\r\n");
        assert_eq!(screen.take_left_pages(), "4\n5\n");
        assert_eq!(screen.take_left_pages(), "");
        // All of it was read, but for a line that went on below the prompt.
        screen.feed(b"\x1b[?1049h\x1b[H1\r\n2\r\n12345678901234567890:");
        assert_eq!(above(&mut screen), "1\n2\n");
        screen.feed(b"\r\x1b[K\x1b[?1049l");
        assert_eq!(screen.take_left_pages(), "12345678901234567890\n");
    }

    #[test]
    fn a_page_that_is_painted_on_the_primary_screen_is_told_once() {
        let mut screen = screen();
        let mut text = String::new();
        screen.feed(b"before\r\n\x1b[?1h\x1b=\x1b[H\x1b[J1\x1b[K\r\n2\x1b[3;1H");
        assert!(screen.is_full());
        screen.report_page(&mut text);
        assert_eq!(text, "before\n1\n2");
        text.clear();
        screen.feed(b"\x1b[H9\x1b[K\r\n2\x1b[3;1H");
        screen.report_page(&mut text);
        assert_eq!(text, "9\n2");
        text.clear();
        screen.feed(b"\x1b[4;1H\x1b[?1l\x1b>\x1b[Kafter\r\n");
        screen.report(&mut text);
        assert_eq!(text, "after\n");
        assert!(!screen.is_full());
    }

    #[test]
    fn text_that_scrolls_by_is_no_page() {
        let mut screen = screen();
        screen.feed(b"\x1b[H\x1b[J\x1b[3;1H$ ");
        assert!(!screen.is_full(), "a shell on a cleared screen");
        screen.feed(b"\x1b[?1h>>> \x1b[4D\x1b[A");
        assert!(!screen.is_full(), "a line editor");
        screen.feed(b"\x1b[3;1H");
        assert!(screen.is_full(), "a menu");
        screen.feed(b"\r\n\r\n");
        assert!(!screen.is_full(), "a line below the last");
    }

    #[test]
    fn the_last_line_goes_on_where_it_ended() {
        let mut screen = screen();
        for part in ["x", "12345678901234567890", "12345678901234567890123"] {
            let mut text = String::new();
            screen.feed(part.as_bytes());
            screen.report(&mut text);
            screen.calm();
            screen.feed(b"y\r\n");
            screen.report(&mut text);
            assert_eq!(text, format!("{part}y\n"));
        }
    }

    #[test]
    fn a_sequence_that_was_begun_swallows_nothing_that_comes_later() {
        for begun in [b"\x1b" as &[u8], b"\x1b[31", b"\x1b]0;t", b"\x1bP1$r", b"\x1b_x", b"\x1b("] {
            let mut screen = screen();
            screen.feed(begun);
            screen.calm();
            let mut text = String::new();
            screen.report(&mut text);
            text.clear();
            screen.feed(b"m next\r\n");
            screen.report(&mut text);
            assert_eq!(text, "m next\n", "{begun:?}");
        }
    }

    #[test]
    fn a_line_that_was_left_is_not_printed_over() {
        let mut screen = screen();
        let mut text = String::new();
        screen.feed(b"50%\r100% done\r");
        screen.calm();
        screen.report(&mut text);
        screen.feed(b"7\r\n");
        screen.report(&mut text);
        assert_eq!(text, "100% done\n7\n");
    }

    #[test]
    fn the_next_line_begins_at_the_left() {
        let mut screen = screen();
        let mut text = String::new();
        screen.feed(b"raw\n");
        screen.report(&mut text);
        screen.calm();
        screen.feed(b"next\r\n  ");
        screen.report(&mut text);
        screen.calm();
        // Blanks that were printed count.
        screen.feed(b"last");
        screen.report(&mut text);
        assert_eq!(text, "raw\nnext\n  last");
    }

    #[test]
    fn a_program_that_died_leaves_a_sane_terminal() {
        let mut screen = screen();
        screen.feed(b"text\r\n\x1b[?1049h\x1b[2;3r\x1b[?25l\x1b[?7l\x1b[?1hjunk");
        screen.calm();
        assert!(!screen.is_alternate() && !screen.wants_application_keys());
        screen.feed(b"next\r\n");
        let mut text = String::new();
        screen.report(&mut text);
        assert_eq!(text, "text\nnext\n");
    }
}
