//! Resets: those a program asks for, DECSTR and RIS, and the one behind a program that is over.

use std::sync::Arc;

use super::{
    Screen,
    cursor::Cursor,
    finished::Ascent,
    modes::{
        Modes,
        private::{ALTERNATE_SCREEN_AND_CURSOR, DECCKM},
    },
    row::{LineEnd, Row},
    terminal::Terminal,
};

/// Ends a sequence that was begun (ECMA-48, 8.3.6).
const CAN: u8 = 0x18;

impl Screen {
    /// Puts the terminal back as a program finds it: no sequence begun, the primary screen, the
    /// cursor shown, no scroll region, no modes of a program that did not clean up behind itself,
    /// and the cursor behind what was printed, which is not to be printed over. Whether there was
    /// anything to put back.
    pub fn reset_after_program(&mut self) -> bool {
        let was_within = !self.is_between_sequences();
        self.feed(&[CAN]);
        let terminal = &mut self.receiver.terminal;
        let was_alternate = terminal.on_alternate;
        if was_alternate {
            terminal.switch_screen(ALTERNATE_SCREEN_AND_CURSOR, false);
        }
        let found = terminal.state();
        let pending_wrap = terminal.cursor.pending_wrap;
        terminal.soft_reset();
        // A line that fills its last row goes on in the next one.
        terminal.cursor.pending_wrap = pending_wrap;
        let moved = terminal.go_behind_text();
        was_within || was_alternate || moved || terminal.state() != found
    }
}

/// What DECSTR resets that a terminal shows, or acts on.
type State = (Cursor, [Cursor; 2], (usize, usize), Modes, Option<Arc<(String, String)>>);

impl Terminal {
    fn state(&self) -> State {
        (self.cursor, self.saved, self.region, self.modes.clone(), self.title.link.clone())
    }

    /// The last row in use, if what is printed where the cursor stands would replace text.
    pub(super) fn text_at_cursor(&self) -> Option<usize> {
        let used = self.primary.rows.iter().rposition(Row::is_kept);
        let over = |&used: &usize| {
            let (row, cursor) = (&self.primary.rows[used], &self.cursor);
            let before = row.end == LineEnd::Break
                || !cursor.pending_wrap && cursor.column < row.printed_columns();
            used > cursor.row || used == cursor.row && before
        };
        used.filter(over)
    }

    /// Moves the cursor to a new row if what is printed where it stands would replace text; whether it
    /// did.
    fn go_behind_text(&mut self) -> bool {
        let over = self.text_at_cursor();
        if let Some(used) = over {
            self.go_to(used, 0);
            self.line_feed();
        }
        // Where a line feed did not return the carriage (no ONLCR), nothing stands before it.
        if self.primary.rows[self.cursor.row].is_blank() {
            self.carriage_return();
        }
        over.is_some()
    }

    /// DECSTR: the modes of a fresh terminal, without touching what is on the page.
    pub(super) fn soft_reset(&mut self) {
        let echo = self.cursor.pen.is_echo();
        let (row, column) = (self.cursor.row, self.cursor.column);
        self.cursor = Cursor { row, column, ..Cursor::default() };
        self.addressed = false;
        self.ascent = Ascent::default();
        self.saved = [Cursor::default(); 2];
        self.region = (0, self.rows() - 1);
        self.modes.insert = false;
        self.modes.autowrap = true;
        self.modes.cursor_visible = true;
        self.modes.application_keypad = false;
        self.modes.keep(DECCKM, false);
        self.title.link = None;
        self.set_echo(echo);
    }

    /// RIS: a fresh terminal. What was on the page is reported first.
    pub(super) fn reset(&mut self) {
        let echo = self.cursor.pen.is_echo();
        self.transcript.finish(&mut self.primary);
        let mut fresh = Terminal::new(self.columns(), self.rows());
        std::mem::swap(&mut fresh.transcript, &mut self.transcript);
        std::mem::swap(&mut fresh.answers, &mut self.answers);
        *self = fresh;
        self.set_echo(echo);
    }
}

#[cfg(test)]
mod tests {
    use crate::screen::{Screen, Size};

    fn screen() -> Screen {
        Screen::new(Size { columns: 20, rows: 4 })
    }

    #[test]
    fn it_is_known_whether_there_was_anything_to_put_back() {
        for left in [
            "\x1b",
            "\x1b[31",
            "\x1b[?1049h",
            "\x1b[31m",
            "\x1b7",
            "\x1b[1;2r\x1b[2;1H",
            "\x1b[4h",
            "\x1b[?25l",
            "\x1b[?1h",
            "\x1b=",
            "\x1b[H",
            "x\r",
            "\r\n\n\nx\r",
            "\x1b]8;;http://x\x1b\\",
            "\u{e9}",
        ] {
            let mut screen = screen();
            screen.feed(b"one\r\ntwo");
            // The first byte of a character alone.
            screen.feed(if left == "\u{e9}" { &left.as_bytes()[..1] } else { left.as_bytes() });
            assert!(screen.reset_after_program(), "{left:?}");
            assert!(!screen.reset_after_program(), "{left:?}");
        }
        for kept in ["", "\r\n", "\x1b[?2004h\r\n", "\x1b[31mred\x1b[m", "\x1b]2;title\x07"] {
            let mut screen = screen();
            screen.feed(b"one\r\ntwo");
            screen.feed(kept.as_bytes());
            let before = screen.dump();
            assert!(!screen.reset_after_program(), "{kept:?}");
            assert_eq!(screen.dump(), before, "{kept:?}");
        }
    }

    #[test]
    fn what_was_printed_is_not_printed_over() {
        let mut screen = screen();
        let mut text = String::new();
        screen.feed(b"1\r\n\x1b[H");
        screen.report(&mut text);
        screen.reset_after_program();
        screen.feed(b"1\r\n2\x1b[H");
        screen.report(&mut text);
        screen.reset_after_program();
        assert_eq!(screen.cursor(), (3, 0));
        screen.feed(b"3\r4");
        screen.report(&mut text);
        screen.reset_after_program();
        assert_eq!((text.as_str(), screen.cursor()), ("1\n1\n2\n4", (3, 1)));
    }

    #[test]
    fn the_last_line_goes_on_where_it_ended() {
        let mut screen = screen();
        for part in ["x", "12345678901234567890", "12345678901234567890123"] {
            let mut text = String::new();
            screen.feed(part.as_bytes());
            screen.report(&mut text);
            screen.reset_after_program();
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
            screen.reset_after_program();
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
        screen.reset_after_program();
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
        screen.reset_after_program();
        screen.feed(b"next\r\n  ");
        screen.report(&mut text);
        screen.reset_after_program();
        // Blanks that were printed count.
        screen.feed(b"last");
        screen.report(&mut text);
        assert_eq!(text, "raw\nnext\n  last");
    }

    #[test]
    fn a_program_that_died_leaves_a_sane_terminal() {
        let mut screen = screen();
        screen.feed(b"text\r\n\x1b[?1049h\x1b[2;3r\x1b[?25l\x1b[?7l\x1b[?1hjunk");
        screen.reset_after_program();
        assert!(!screen.is_alternate() && !screen.wants_application_keys());
        screen.feed(b"next\r\n");
        let mut text = String::new();
        screen.report(&mut text);
        assert_eq!(text, "text\nnext\n");
    }
}
