//! Reading a pager: the rows above its prompt, on whichever screen it shows them.

use super::Screen;

impl Screen {
    /// Appends what was not told yet of the rows above the cursor, where a pager has its prompt.
    ///
    /// On the alternate screen, too: there it is what was read since it was last shown, and is
    /// no part of [`Screen::report`].
    pub fn report_above_cursor(&mut self, out: &mut String) {
        let terminal = &mut self.receiver.terminal;
        let above = terminal.cursor.row;
        let (transcript, page) = if terminal.on_alternate {
            (&mut terminal.pages, &mut terminal.alternate)
        } else {
            (&mut terminal.transcript, &mut terminal.primary)
        };
        transcript.report(page, above);
        transcript.drain(&mut |text: &str| out.push_str(text));
    }

    /// The row the cursor is in, as a person sees it.
    pub fn cursor_line(&self) -> String {
        let row = usize::from(self.cursor().0);
        self.page_text().split('\n').nth(row).unwrap_or_default().to_owned()
    }

    /// Whether the cursor is in the last row of the page.
    pub fn cursor_at_bottom(&self) -> bool {
        self.cursor().0 + 1 == self.size().rows
    }

    /// Puts the terminal back as a program finds it: the primary screen, the cursor shown, no
    /// scroll region, no modes of a program that did not clean up behind itself.
    pub fn calm(&mut self) {
        let terminal = &mut self.receiver.terminal;
        if terminal.on_alternate {
            terminal.switch_screen(1049, false);
        }
        terminal.soft_reset();
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
    fn long_lines_are_joined() {
        let mut screen = screen();
        screen.feed(b"\x1b[?1049h\x1b[H12345678901234567890123\r\nx\r\n:");
        assert_eq!(above(&mut screen), "12345678901234567890123\nx\n");
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
