//! What puts a terminal back that a program has left as it liked: the sequences, for one that shows
//! the same.

use super::{
    Screen,
    charset::Charsets,
    modes::{IRM, LNM, private::*},
    style::Style,
};

impl Screen {
    /// Puts the terminal back as programs find it, and gives the escape sequences that do the same
    /// to another one that shows what this one does: none where there is nothing to do. What stands
    /// on the primary screen stays, and the cursor goes behind it.
    pub fn restore(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.scanner.is_within_sequence() {
            // CAN.
            self.restore_by("\x18", &mut out);
        }
        if self.is_alternate() {
            self.restore_by("\x1b[?1049l", &mut out);
        }
        let sequences = self.terminal_settings();
        self.restore_by(&sequences, &mut out);
        let terminal = self.terminal();
        let (row, column) = (terminal.cursor.row, terminal.cursor.column);
        if let Some(used) = terminal.text_at_cursor() {
            let down = if used > row { format!("\x1b[{}B", used - row) } else { String::new() };
            self.restore_by(&format!("{down}\r\n"), &mut out);
        } else if column > 0 && terminal.primary.rows[row].is_blank() {
            self.restore_by("\r", &mut out);
        }
        out
    }

    /// The escape sequences that put another terminal back that shows what this one does, but for where
    /// its cursor is: none where there is nothing to do.
    pub fn mode_restoration(&self) -> String {
        let settings = self.terminal_settings();
        if self.is_alternate() { format!("\x1b[?1049l{settings}\x1b[m") } else { settings }
    }

    /// Whether a sequence was begun and not ended, so that nothing else may be printed between.
    pub fn is_within_sequence(&self) -> bool {
        self.scanner.is_within_sequence()
    }

    /// Whether something can be shown in the row below the cursor, and taken away again, of which no
    /// program sees anything: it is below all that was printed, and neither a pen nor a scroll region
    /// is set.
    pub fn is_free_below(&self) -> bool {
        let terminal = self.terminal();
        let (cursor, below) = (&terminal.cursor, terminal.cursor.row + 1);
        !self.is_alternate()
            && !self.is_within_sequence()
            && !cursor.pending_wrap
            && !cursor.origin
            && !terminal.modes.insert
            && terminal.region == (0, terminal.rows() - 1)
            && cursor.charsets == Charsets::default()
            && cursor.pen.visible() == Style::default()
            && terminal.extras.get(cursor.pen.extra).link.is_none()
            && terminal.primary.rows.iter().skip(below).all(|row| row.is_blank())
    }

    fn restore_by(&mut self, sequences: &str, out: &mut Vec<u8>) {
        self.feed(sequences.as_bytes());
        out.extend(sequences.as_bytes());
    }

    /// The escape sequences that set back the modes and the pen of another terminal that shows what this one
    /// does.
    pub fn terminal_settings(&self) -> String {
        let terminal = self.terminal();
        let (modes, cursor) = (&terminal.modes, &terminal.cursor);
        let mut out = String::new();
        let mut add = |is_off: bool, sequence: &str| {
            if is_off {
                out.push_str(sequence);
            }
        };
        for mode in modes.kept_modes().filter(|&mode| mode != ALLOW_DECCOLM) {
            add(true, &format!("\x1b[?{mode}l"));
        }
        add(modes.insert, &format!("\x1b[{IRM}l"));
        add(modes.line_feed_new_line, &format!("\x1b[{LNM}l"));
        add(!modes.autowrap, &format!("\x1b[?{DECAWM}h"));
        add(!modes.cursor_visible, &format!("\x1b[?{DECTCEM}h"));
        add(modes.application_keypad, "\x1b>");
        add(modes.cursor_shape != 0, "\x1b[0 q");
        let has_region = terminal.region != (0, terminal.rows() - 1);
        // Both send the cursor home.
        add(has_region || cursor.origin, "\x1b7");
        add(cursor.origin, &format!("\x1b[?{DECOM}l"));
        add(has_region, "\x1b[r");
        add(has_region || cursor.origin, "\x1b8");
        // It came back with the cursor.
        add(cursor.origin, &format!("\x1b[?{DECOM}l\x1b[{}B", terminal.rows()));
        add(cursor.charsets != Charsets::default(), "\x0f\x1b(B\x1b)B");
        add(cursor.pen.visible() != Style::default(), "\x1b[m");
        add(terminal.extras.get(cursor.pen.extra).link.is_some(), "\x1b]8;;\x1b\\");
        modes.keyboard.restore(&mut out);
        out.push_str(&"\x1b[23;0t".repeat(terminal.title.depth()));
        out
    }
}

#[cfg(test)]
mod tests {
    use crate::screen::{Screen, Size};

    #[test]
    fn what_a_program_left_is_put_back_and_what_it_printed_stays() {
        for (left, page) in [
            ("text", "text"),
            ("text\r\n", "text"),
            ("\x1b[1;31mred", "red"),
            ("a\x1b[?1049h\x1b[5;5Hb\x1b[?25l\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?1h\x1b=", "a"),
            ("a\r\nb\x1b[2;3r", "a\nb"),
            ("a\x1b[?7l\x1b[4h\x1b[3 q\x1b(0", "a"),
            ("a\x1b[31", "a"),
            ("a\x1b]0;never ended", "a"),
            ("1\r\n2\r\n3\x1b[2A", "1\n2\n3"),
            ("\x1b]8;;http://x\x1b\\link", "link"),
            ("keys\x1b[>1u\x1b[>5u\x1b[=8;2u\x1b[>4;2m", "keys"),
            ("keys\x1b[=3u", "keys"),
            ("a\x1b[?1049h\x1b[22;0;0tb\x1b[22;2tc", "a"),
        ] {
            let size = Size { columns: 20, rows: 6 };
            let (mut screen, mut other) = (Screen::new(size), Screen::new(size));
            other.feed(left.as_bytes());
            // Of a program that was killed in the middle of a sequence, the next one ends that.
            other.feed(format!("\x1b\\{}", other.mode_restoration()).as_bytes());
            assert_eq!(other.mode_restoration(), "", "{left:?}");
            other = Screen::new(size);
            screen.feed(left.as_bytes());
            other.feed(left.as_bytes());
            other.feed(&screen.restore());
            assert_eq!(other.dump(), screen.dump(), "{left:?}");
            assert_eq!(screen.restore(), b"", "{left:?}");
            if screen.cursor().1 > 0 {
                screen.feed(b"\r\n");
            }
            screen.feed(b"next");
            assert_eq!(screen.page_text(), format!("{page}\nnext"));
            assert!(!screen.wants_application_keys() && !screen.wants_bracketed_paste());
        }
    }

    #[test]
    fn below_all_that_was_printed_there_is_room() {
        for (printed, is_free) in [
            ("", true),
            ("50%\r", true),
            ("a\r\n\x1b[31mred\x1b[m", true),
            ("two\r\nbars\x1b[A", false),
            ("\x1b[31mred", false),
            ("\x1b[2;3r", false),
            ("\x1b[?1049h", false),
            ("12345678901234567890", false),
            ("\x1b[3", false),
        ] {
            let mut screen = Screen::new(Size { columns: 20, rows: 6 });
            screen.feed(printed.as_bytes());
            assert_eq!(screen.is_free_below(), is_free, "{printed:?}");
        }
    }

    #[test]
    fn nothing_is_sent_where_nothing_is_to_be_done() {
        let mut screen = Screen::new(Size::default());
        screen.feed(b"\x1b[32mok\x1b[m\r\n\x1b[?25l\x1b[?25h50%");
        assert_eq!(screen.restore(), b"");
    }
}
