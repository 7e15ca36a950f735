//! The echo of cells: what runs is shown on the page, as if it had been typed there, and is no part of
//! what is told. No program has printed it.

use super::Screen;

impl Screen {
    /// Whether something can be shown here that no program printed: no sequence and no character was
    /// begun that what comes next ends.
    pub fn is_between_sequences(&self) -> bool {
        !self.scanner.is_within_sequence() && self.terminal().partial.is_empty()
    }

    /// What brings the cursor to the start of a row below all that stands on the primary screen;
    /// nothing where it stands there.
    pub fn to_fresh_row(&self) -> String {
        let terminal = self.terminal();
        let (row, column) = (terminal.cursor.row, terminal.cursor.column);
        match terminal.text_at_cursor() {
            Some(used) if used > row => format!("\x1b[{}B\r\n", used - row),
            Some(_) => "\r\n".into(),
            None if column == 0 => String::new(),
            None if terminal.primary.rows[row].is_blank() => "\r".into(),
            None => "\r\n".into(),
        }
    }

    /// Shows the echo of a cell.
    pub fn feed_cell(&mut self, echo: &str) {
        self.receiver.terminal.set_cell_echo(true);
        self.feed(echo.as_bytes());
        self.receiver.terminal.set_cell_echo(false);
    }

    /// The page as a person sees it, with blanks where the echo of cells is.
    pub fn printed_text(&self) -> String {
        self.terminal().page().printed_text()
    }

    /// The last row of that which is not blank, without blanks at its end; empty if there is none.
    pub fn last_line(&self) -> String {
        let text = self.printed_text();
        text.rsplit('\n').next().unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::screen::{Screen, Size};

    const ECHO: &str = ">>> f()\r\n";

    fn screen(printed: &str) -> Screen {
        let mut screen = Screen::new(Size { columns: 10, rows: 5 });
        screen.feed(printed.as_bytes());
        screen
    }

    fn told(screen: &mut Screen) -> String {
        let mut text = String::new();
        screen.report(&mut text);
        text
    }

    /// Shows a cell as one that begins.
    fn begin(screen: &mut Screen, echo: &str) {
        let all = screen.to_fresh_row() + echo;
        screen.feed_cell(&all);
    }

    #[test]
    fn a_cell_is_on_the_page_and_not_told() {
        for (before, after, page, text) in [
            ("", "1\r\n", ">>> f()\n1", "1\n"),
            ("0\r\n", "1\r\n", "0\n>>> f()\n1", "0\n1\n"),
            // A line without its end, and one that fills its row.
            ("0", "1\r\n", "0\n>>> f()\n1", "0\n1\n"),
            ("0123456789", "1", "0123456789\n>>> f()\n1", "0123456789\n1"),
            // Where the carriage did not return.
            ("raw\n", "1", "raw\n>>> f()\n1", "raw\n1"),
            // In front of the text, and above it.
            ("50%\r", "1", "50%\n>>> f()\n1", "50%\n1"),
            ("1\r\n2\r\n3\x1b[2A\r", "4", "1\n2\n3\n>>> f()\n4", "1\n2\n3\n4"),
        ] {
            let mut screen = screen(before);
            begin(&mut screen, ECHO);
            screen.feed(after.as_bytes());
            assert_eq!(screen.page_text(), page, "{before:?}");
            assert_eq!(told(&mut screen), text, "{before:?}");
            screen.verify();
        }
    }

    #[test]
    fn a_line_that_was_told_is_not_ended_for_readers() {
        let mut screen = screen("1");
        assert_eq!(told(&mut screen), "1");
        begin(&mut screen, ECHO);
        screen.feed(b"2\r\n");
        assert_eq!(told(&mut screen), "2\n");
    }

    #[test]
    fn cells_that_leave_the_page_are_not_told() {
        let mut screen = screen("");
        let mut text = String::new();
        for n in 0..20 {
            begin(&mut screen, ">>> longer than a row is\r\n... and another\r\n");
            screen.feed(format!("{n}\r\n").as_bytes());
            screen.drain(&mut |part| text.push_str(part));
        }
        screen.resize(Size { columns: 7, rows: 3 });
        screen.report(&mut text);
        assert_eq!(text, (0..20).map(|n| format!("{n}\n")).collect::<String>());
    }

    #[test]
    fn a_cell_is_no_part_of_a_page_or_of_how_it_goes_on() {
        let mut screen = screen("before\r\n");
        begin(&mut screen, ECHO);
        assert_eq!((screen.printed_text(), screen.last_line()), ("before".into(), "before".into()));
        screen.feed(b"\x1b[?1h\x1b[4;3Htop");
        assert!(screen.is_full_screen());
        let mut text = String::new();
        // The rows stay where they are.
        assert_eq!(screen.report_page(&mut text), "before\n\n\n  top");
        assert_eq!(screen.last_line(), "  top");
        assert_eq!(screen.page_text(), "before\n>>> f()\n\n  top");
    }

    #[test]
    fn a_cell_is_not_printed_over() {
        let mut screen = screen("");
        begin(&mut screen, ECHO);
        screen.feed(b"\x1b[A");
        screen.reset_after_program();
        screen.feed(b"\x1b[A");
        begin(&mut screen, ">>> g()\r\n");
        assert_eq!(screen.page_text(), ">>> f()\n>>> g()");
    }

    #[test]
    fn what_programs_have_begun_is_known() {
        for begun in ["\x1b[31m", "\x1b]0;t\x07", "\u{e9}", "\x1bPq1\x1b\\"] {
            let mut screen = screen("text");
            let (last, rest) = begun.as_bytes().split_last().unwrap();
            screen.feed(rest);
            assert!(!screen.is_between_sequences(), "{begun:?}");
            screen.feed(&[*last]);
            assert!(screen.is_between_sequences(), "{begun:?}");
        }
    }
}
