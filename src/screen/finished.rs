//! Which lines are finished: those so far above the cursor that the program does not go back there.

use super::terminal::Terminal;

/// How far a program goes up to change what it printed, as bars that stand below each other do.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Ascent {
    /// The most rows it went up at once.
    rows: usize,
    /// How many lines it ended since it last went up.
    lines_since: usize,
}

impl Ascent {
    /// The cursor went from one row to another.
    pub(super) fn moved(&mut self, from: usize, to: usize) {
        if to < from {
            *self = Ascent { rows: self.rows.max(from - to), lines_since: 0 };
        }
    }

    /// A line was ended. Whoever draws several lines anew ends no more than those, and perhaps as
    /// many that were printed above them; who ends more has stopped drawing.
    pub(super) fn line_ended(&mut self) {
        self.lines_since += 1;
        if self.lines_since > 2 * self.rows {
            *self = Ascent::default();
        }
    }
}

impl Terminal {
    /// The cursor came from this row to where it is.
    pub(super) fn note_ascent(&mut self, from: usize) {
        if !self.on_alternate {
            self.ascent.moved(from, self.cursor.row);
        }
    }

    /// The first row of the primary screen that the program may still change without moving up
    /// further than it is known to.
    pub(super) fn first_unfinished_row(&self) -> usize {
        if self.on_alternate {
            return 0;
        }
        self.primary.line_start(self.cursor.row.saturating_sub(self.ascent.rows))
    }
}

#[cfg(test)]
mod tests {
    use crate::screen::{Screen, Size};

    /// What is told of each part once it was printed, on a page of 20 by 5.
    fn told(parts: &[&str]) -> Vec<String> {
        let mut screen = Screen::new(Size { columns: 20, rows: 5 });
        let tell = |part: &&str| {
            let mut text = String::new();
            screen.feed(part.as_bytes());
            screen.report_finished(&mut text);
            text
        };
        parts.iter().map(tell).collect()
    }

    #[test]
    fn a_line_is_finished_when_the_cursor_is_below_it() {
        assert_eq!(told(&["one", " two\r\nth", "ree\r\n"]), ["", "one two\n", "three\n"]);
        // One that takes several rows is not before it ends.
        let long = "0123456789".repeat(3);
        assert_eq!(told(&[&long, "\r\n"]), [String::new(), format!("{long}\n")]);
    }

    #[test]
    fn a_bar_is_told_once() {
        assert_eq!(told(&["10%", "\r50%", "\r100%", "\r\n"]), ["", "", "", "100%\n"]);
    }

    #[test]
    fn lines_that_a_program_goes_back_to_wait() {
        let draw = |n| format!("outer {n}\r\ninner {n}\r\x1b[A");
        let (first, second) = (draw(1), draw(2));
        // The cursor may be seen in either line.
        let (down, up) = ("outer 3\r\n", "inner 3\r\x1b[A");
        let parts = [&first, &second, down, up, "\r\n\r\n", "a\r\n", "b\r\n"];
        assert_eq!(told(&parts), ["", "", "", "", "outer 3\n", "inner 3\na\n", "b\n"]);
    }

    #[test]
    fn what_a_full_screen_program_does_holds_nothing_back() {
        let vim = "\x1b[?1049h\x1b[5;1H~\x1b[HX\x1b[?1049l";
        assert_eq!(told(&["a\r\n", vim, "b\r\n"]), ["a\n", "", "b\n"]);
    }

    #[test]
    fn a_page_that_is_cleared_holds_nothing_back() {
        assert_eq!(told(&["a\r\nb", "\x1b[H\x1b[2J", "c\r\n"]), ["a\n", "b\n", "c\n"]);
    }

    #[test]
    fn the_rest_is_told_by_a_report() {
        let mut screen = Screen::new(Size { columns: 20, rows: 5 });
        let mut text = String::new();
        for part in ["1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n", "7\r\nnot", " ended"] {
            screen.feed(part.as_bytes());
            screen.report_finished(&mut text);
        }
        assert_eq!(text, "1\n2\n3\n4\n5\n6\n7\n");
        screen.report(&mut text);
        assert_eq!(text, "1\n2\n3\n4\n5\n6\n7\nnot ended");
    }
}
