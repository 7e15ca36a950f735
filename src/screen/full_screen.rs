//! Programs that have the screen to themselves: editors, monitors, menus. What they show is their
//! page, and no text that scrolls by.

use super::Screen;

impl Screen {
    /// Whether a program has the screen to itself: the alternate one, or the primary one, as `top`
    /// does. That one takes the cursor keys for itself (DECCKM) and goes to places of its choice; a
    /// line editor that takes the cursor keys lets the text scroll by, and moves from where it is.
    pub fn is_full_screen(&self) -> bool {
        self.is_alternate() || self.terminal().addressed
    }

    /// Appends what was not reported yet of the text before a full-screen program. Gives its page as
    /// a person sees it, but for the echo of cells, which counts as reported.
    pub fn report_page(&mut self, before: &mut String) -> String {
        if self.is_alternate() {
            self.report(before);
        } else {
            self.drain(&mut |text| before.push_str(text));
            self.report(&mut String::new());
        }
        self.printed_text()
    }
}

#[cfg(test)]
mod tests {
    use crate::screen::{Screen, Size};

    fn screen() -> Screen {
        Screen::new(Size { columns: 20, rows: 4 })
    }

    #[test]
    fn a_page_that_is_painted_on_the_primary_screen_is_told_once() {
        let mut screen = screen();
        let mut text = String::new();
        screen.feed(b"before\r\n\x1b[?1h\x1b=\x1b[H\x1b[J1\x1b[K\r\n2\x1b[3;1H");
        assert!(screen.is_full_screen());
        assert_eq!(screen.report_page(&mut text), "1\n2");
        assert_eq!(text, "before\n");
        text.clear();
        screen.feed(b"\x1b[H9\x1b[K\r\n2\x1b[3;1H");
        assert_eq!(screen.report_page(&mut text), "9\n2");
        assert_eq!(text, "");
        text.clear();
        screen.feed(b"\x1b[4;1H\x1b[?1l\x1b>\x1b[Kafter\r\n");
        screen.report(&mut text);
        assert_eq!(text, "after\n");
        assert!(!screen.is_full_screen());
    }

    #[test]
    fn text_that_scrolls_by_is_no_page() {
        let mut screen = screen();
        screen.feed(b"\x1b[H\x1b[J\x1b[3;1H$ ");
        assert!(!screen.is_full_screen(), "a shell on a cleared screen");
        screen.feed(b"\x1b[?1h>>> \x1b[4D\x1b[A");
        assert!(!screen.is_full_screen(), "a line editor");
        screen.feed(b"\x1b[3;1H");
        assert!(screen.is_full_screen(), "a menu");
        screen.feed(b"\r\n\r\n");
        assert!(!screen.is_full_screen(), "a line below the last");
    }
}
