//! A recorded screen on a person's terminal, in line with what stands there. Pure: what is to be written
//! is appended to a buffer.
//!
//! Rows are painted one below the other from where the cursor was, and all moves are relative to that, so
//! what stood there stays, and rows that the recording scrolls off are in the terminal's own scrollback.
//! What is written is made of rows that the screen model shows; nothing comes from the recording as it is.

use std::{collections::VecDeque, fmt::Write};

use crate::screen::{PaintedRow, Screen, Size};

/// No line is to be wrapped by the terminal, whatever width it gives characters.
const BEGIN: &str = "\x1b[?7l";
/// Puts the terminal back, whatever is on it.
const END: &str = "\x1b[m\x1b[?7h\x1b[?25h";
/// The alternate screen, and the primary one as it was (xterm's `ctlseqs`).
const TO_ALTERNATE: &str = "\x1b[?1049h\x1b[H\x1b[2J";
const TO_PRIMARY: &str = "\x1b[?1049l";

/// What puts a terminal back that a canvas is on, while it shows the primary and the alternate screen. Of
/// a process that was killed nobody knows where the cursor is: nothing stands below the last row.
const RESTORATIONS: [&str; 2] =
    ["\x1b[m\x1b[?7h\x1b[?25h\x1b[999B\r\n", "\x1b[?1049l\x1b[m\x1b[?7h\x1b[?25h\x1b[999B\r\n"];

/// The terminal and what is painted on it.
#[derive(Debug)]
pub(super) struct Canvas {
    size: Size,
    primary: Area,
    /// While the alternate screen is shown.
    alternate: Option<Area>,
    /// Rows that left the recorded page and were not painted so far.
    scrolled: Vec<PaintedRow>,
    shows_cursor: bool,
    is_begun: bool,
    status: Status,
    /// What is to be written.
    pub(super) out: String,
}

/// Rows of the terminal, as they are painted.
#[derive(Debug, Default)]
struct Area {
    /// What stands in each, from the first one that is painted; `None` where that is not known.
    rows: VecDeque<Option<PaintedRow>>,
    /// The row that the cursor is in.
    at: usize,
    /// The first row of the page that is shown; those above have left the terminal.
    top: usize,
}

/// Where the status stands.
#[derive(Debug, Default, PartialEq, Eq)]
enum Status {
    #[default]
    Nowhere,
    /// In a row of its own below the others.
    Below,
    /// In place of the last row.
    Over,
}

impl Canvas {
    pub(super) fn new(size: Size) -> Canvas {
        Canvas {
            size,
            primary: Area::default(),
            alternate: None,
            scrolled: Vec::new(),
            shows_cursor: true,
            is_begun: false,
            status: Status::default(),
            out: String::new(),
        }
    }

    /// Whether a page of this size fits.
    pub(super) fn fits(&self, page: Size) -> bool {
        page.columns <= self.size.columns && page.rows <= self.size.rows
    }

    /// The size of the terminal.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Takes the rows that left the page, to be painted; gives how many wait for that.
    pub(super) fn take_scrolled(&mut self, screen: &mut Screen) -> usize {
        screen.take_scrolled(self.columns(), &mut |row| self.scrolled.push(row));
        self.scrolled.len()
    }

    /// Forgets the rows that left the page.
    pub(super) fn drop_scrolled(&mut self) {
        self.scrolled.clear();
    }

    /// What puts the terminal back from here on.
    pub(super) fn restoration(&self) -> &'static str {
        RESTORATIONS[usize::from(self.alternate.is_some())]
    }

    /// Paints what the screen shows, and the status below it if there is one.
    pub(super) fn paint(&mut self, screen: &Screen, status: Option<&str>) {
        self.begin();
        self.take_off_status();
        match (screen.is_alternate(), self.alternate.is_some()) {
            (true, false) => {
                self.out.push_str(TO_ALTERNATE);
                self.alternate = Some(Area::default());
            }
            (false, true) => {
                self.out.push_str(TO_PRIMARY);
                self.alternate = None;
            }
            _ => {}
        }
        let (row, column) = screen.cursor();
        let (row, height) = (usize::from(row), usize::from(self.size.rows));
        let page = usize::from(screen.size().rows);
        let mut rows: Vec<_> =
            (0..page).map(|row| screen.painted_row(row as u16, self.columns())).collect();
        let used = rows.iter().rposition(|row| !row.is_blank()).unwrap_or(0).max(row) + 1;
        rows.truncate(used);
        // Nothing scrolls while the alternate screen is shown.
        let scrolled = std::mem::take(&mut self.scrolled);
        let (area, out) = (self.alternate.as_mut().unwrap_or(&mut self.primary), &mut self.out);
        // Which of these rows are above, on the terminal, and which are painted.
        let count = scrolled.len();
        let kept = if area.rows.is_empty() { 0 } else { area.top.saturating_sub(count) };
        let top = kept.min(row).max((row + 1).saturating_sub(height));
        let first = area.top.min(count + top);
        let rows: Vec<_> = scrolled.into_iter().chain(rows).skip(first).collect();
        area.paint(rows, count + top - first, self.size, out);
        area.top = top;
        let column = column.min(self.size.columns.saturating_sub(1));
        self.put_status(status);
        let (area, out) = self.area();
        area.go_to(row - top, out);
        let _ = write!(out, "\x1b[{}G", column + 1);
        if self.shows_cursor != screen.shows_cursor() {
            self.shows_cursor = screen.shows_cursor();
            self.out.push_str(if self.shows_cursor { "\x1b[?25h" } else { "\x1b[?25l" });
        }
    }

    /// Takes what is painted off, to be painted anew.
    pub(super) fn clear(&mut self) {
        self.take_off_status();
        let (area, out) = self.area();
        area.go_to(0, out);
        out.push_str("\r\x1b[J");
        area.rows.clear();
        self.scrolled.clear();
        if self.alternate.is_some() {
            // What the terminal keeps of the primary screen is not what it is now.
            self.out.push_str(TO_PRIMARY);
            self.alternate = None;
            self.clear();
        }
    }

    /// The terminal has another size, and may have put rows elsewhere.
    pub(super) fn resize(&mut self, size: Size) {
        self.clear();
        self.size = size;
    }

    /// Prints a line for the person, below what is painted, which is painted anew below that.
    pub(super) fn say(&mut self, line: &str) {
        self.leave();
        // A long one is to be read whole.
        let _ = write!(self.out, "\x1b[?7h{line}\r\n");
        self.begin();
    }

    /// Puts the terminal back, below what is painted.
    pub(super) fn leave(&mut self) {
        self.take_off_status();
        if self.alternate.take().is_some() {
            self.out.push_str(TO_PRIMARY);
        }
        let area = &mut self.primary;
        if let Some(last) = area.rows.len().checked_sub(1) {
            area.go_to(last, &mut self.out);
            let is_blank = area.rows[last].as_ref().is_some_and(PaintedRow::is_blank);
            self.out.push_str(if is_blank { "\r" } else { "\r\n" });
        }
        *area = Area { top: area.top, ..Area::default() };
        self.scrolled.clear();
        if std::mem::take(&mut self.is_begun) {
            self.out.push_str(END);
            self.shows_cursor = true;
        }
    }

    fn begin(&mut self) {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.out.push_str(BEGIN);
        }
    }

    fn columns(&self) -> usize {
        usize::from(self.size.columns)
    }

    fn area(&mut self) -> (&mut Area, &mut String) {
        (self.alternate.as_mut().unwrap_or(&mut self.primary), &mut self.out)
    }

    fn put_status(&mut self, status: Option<&str>) {
        let Some(status) = status else { return };
        let (columns, height) = (self.columns(), usize::from(self.size.rows));
        let (area, out) = self.area();
        let is_full = area.rows.len() >= height;
        area.go_to(area.rows.len() - 1, out);
        if is_full {
            // Whatever is under it is painted again.
            if let Some(last) = area.rows.back_mut() {
                *last = None;
            }
        } else {
            out.push('\n');
            area.at += 1;
        }
        let text: String = status.chars().take(columns).collect();
        put(&PaintedRow { columns: text.chars().count(), text }, columns, out);
        self.status = if is_full { Status::Over } else { Status::Below };
    }

    fn take_off_status(&mut self) {
        if std::mem::take(&mut self.status) == Status::Below {
            let (area, out) = self.area();
            area.go_to(area.rows.len(), out);
            out.push_str("\r\x1b[K");
            area.go_to(area.rows.len() - 1, out);
        }
    }
}

impl Area {
    /// Paints rows from the first one on, as they are on a terminal of this size. So many of them leave
    /// the area at its top then.
    fn paint(&mut self, rows: Vec<PaintedRow>, leaving: usize, size: Size, out: &mut String) {
        let (columns, height) = (usize::from(size.columns), usize::from(size.rows));
        let mut left = 0;
        let shown = rows.len().min(leaving + height);
        for (row, painted) in rows.into_iter().take(shown).enumerate() {
            let row = row - left;
            if row < self.rows.len() {
                if self.rows[row].as_ref() != Some(&painted) {
                    self.go_to(row, out);
                    put(&painted, columns, out);
                    self.rows[row] = Some(painted);
                }
                continue;
            }
            if row > 0 {
                self.go_to(row - 1, out);
                out.push_str("\r\n");
                self.at = row;
            }
            put(&painted, columns, out);
            self.rows.push_back(Some(painted));
            if self.rows.len() > height {
                // It has left the terminal.
                self.rows.pop_front();
                self.at -= 1;
                left += 1;
            }
        }
        let leaving = leaving - left;
        if self.at < leaving {
            self.go_to(leaving, out);
        }
        self.rows.drain(..leaving);
        self.at -= leaving;
        let used = shown - left - leaving;
        if used < self.rows.len() {
            self.go_to(used, out);
            out.push_str("\r\x1b[J");
            self.rows.truncate(used);
        }
    }

    /// Goes to a row that is there.
    fn go_to(&mut self, row: usize, out: &mut String) {
        let _ = match row.cmp(&self.at) {
            std::cmp::Ordering::Less => write!(out, "\x1b[{}A", self.at - row),
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => write!(out, "\x1b[{}B", row - self.at),
        };
        self.at = row;
    }
}

/// Paints a row in the place of what stands in the cursor's, on a terminal of so many columns.
fn put(painted: &PaintedRow, columns: usize, out: &mut String) {
    out.push('\r');
    out.push_str(&painted.text);
    if painted.columns < columns {
        // Else the cursor is still on the last column, which is erased with those behind it.
        out.push_str("\x1b[K");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A person's terminal with a canvas on it, a recorded screen, and what the terminal shows.
    struct Both {
        canvas: Canvas,
        recorded: Screen,
        terminal: Screen,
        scrollback: Vec<String>,
    }

    impl Both {
        fn new(recorded: Size, terminal: Size, before: &str) -> Both {
            let mut both = Both {
                canvas: Canvas::new(terminal),
                recorded: Screen::new(recorded),
                terminal: Screen::new(terminal),
                scrollback: Vec::new(),
            };
            both.recorded.keep_scrolled();
            both.terminal.keep_scrolled();
            both.terminal.feed(before.as_bytes());
            both
        }

        fn feed(&mut self, bytes: &str) {
            self.recorded.feed(bytes.as_bytes());
            self.canvas.take_scrolled(&mut self.recorded);
        }

        fn paint(&mut self, status: Option<&str>) {
            self.canvas.paint(&self.recorded, status);
            self.write();
        }

        fn write(&mut self) {
            let out = std::mem::take(&mut self.canvas.out);
            self.terminal.feed(out.as_bytes());
            self.terminal.take_scrolled(999, &mut |row| self.scrollback.push(row.text));
        }

        fn shows(&mut self, bytes: &str) -> String {
            self.feed(bytes);
            self.paint(None);
            self.terminal.page_text()
        }

        /// All that the terminal has, and the text of a page that the recording has from its start on.
        fn all(&self) -> String {
            let scrollback: Vec<&str> = self.scrollback.iter().map(String::as_str).collect();
            [&scrollback[..], &[&self.terminal.page_text()]].concat().join("\n")
        }
    }

    const SMALL: Size = Size { columns: 10, rows: 3 };
    const LARGE: Size = Size { columns: 20, rows: 6 };

    #[test]
    fn what_stood_there_stays_and_what_scrolls_off_is_above() {
        let mut both = Both::new(SMALL, LARGE, "$ replay\r\n");
        assert_eq!(both.shows("one"), "$ replay\none");
        assert_eq!(both.terminal.cursor(), (1, 3));
        assert_eq!(
            both.shows("\r\n\x1b[32mtwo\x1b[m\r\nthree\r\nfour"),
            "$ replay\none\ntwo\nthree\nfour"
        );
        assert_eq!(both.shows("\x1b[Hchanged\x1b[4;1H"), "$ replay\none\nchanged\nthree\nfour");
        // A page that is cleared.
        assert_eq!(both.shows("\x1b[H\x1b[2Jx"), "$ replay\none\nx");
        let lines: String = (0..20).map(|n| format!("\r\n{n}")).collect();
        both.shows(&lines);
        assert_eq!(both.scrollback[..5], ["$ replay", "one", "x", "0", "1"]);
        assert_eq!(both.terminal.page_text(), "14\n15\n16\n17\n18\n19");
    }

    #[test]
    fn the_alternate_screen_is_that_of_the_terminal() {
        let mut both = Both::new(SMALL, LARGE, "$ replay\r\n");
        both.shows("one\r\n");
        assert_eq!(both.shows("\x1b[?1049h\x1b[2;2Heditor\x1b[?25l"), "\n editor");
        assert!(both.terminal.is_alternate() && !both.terminal.shows_cursor());
        assert_eq!(both.canvas.restoration(), RESTORATIONS[1]);
        assert_eq!(both.shows("\x1b[?1049l\x1b[?25htwo"), "$ replay\none\ntwo");
        both.canvas.leave();
        both.write();
        assert_eq!(both.terminal.restore(), b"");
        assert_eq!(both.terminal.cursor(), (3, 0));
        assert_eq!(both.canvas.restoration(), RESTORATIONS[0]);
        for restoration in RESTORATIONS {
            let mut other = Screen::new(LARGE);
            let alternate = if restoration.contains("1049") { TO_ALTERNATE } else { "" };
            other.feed(format!("{BEGIN}{alternate}\x1b[?25l\x1b[31m{restoration}").as_bytes());
            assert_eq!(other.mode_restoration(), "");
        }
    }

    #[test]
    fn a_smaller_terminal_shows_what_is_around_the_cursor() {
        let mut both = Both::new(LARGE, SMALL, "");
        assert!(!both.canvas.fits(LARGE) && both.canvas.fits(SMALL));
        assert_eq!(both.shows("1\r\n2\r\n3 is longer than\r\n4\r\n5"), "3 is longe\n4\n5");
        assert_eq!(both.scrollback, ["1", "2"]);
        assert_eq!(both.shows("\x1b[H"), "1\n2\n3 is longe");
        assert_eq!(both.shows("\x1b[20;1H\r\n7\r\n8"), "\n7\n8");
        // With more room more is shown, and nothing twice.
        both.terminal = Screen::new(LARGE);
        both.canvas.resize(LARGE);
        assert_eq!(both.shows(""), "3 is longer than\n4\n5\n\n7\n8");
        both.canvas.leave();
        both.write();
        assert_eq!(both.terminal.restore(), b"");
    }

    #[test]
    fn the_status_is_below_or_over_the_last_row_and_taken_off() {
        let mut both = Both::new(SMALL, LARGE, "$ replay\r\n");
        both.feed("one\r\ntwo");
        both.paint(Some("paused, and more than fits"));
        assert_eq!(both.terminal.page_text(), "$ replay\none\ntwo\npaused, and more tha");
        assert_eq!(both.terminal.cursor(), (2, 3));
        assert_eq!(both.shows("!"), "$ replay\none\ntwo!");
        let mut both = Both::new(SMALL, SMALL, "");
        both.feed("one\r\ntwo\r\nthree");
        both.paint(Some("paused"));
        assert_eq!(both.terminal.page_text(), "one\ntwo\npaused");
        assert_eq!(both.shows(""), "one\ntwo\nthree");
    }

    #[test]
    fn a_line_that_is_said_stands_above() {
        let mut both = Both::new(SMALL, LARGE, "$ replay\r\n");
        both.canvas.say("hello");
        assert_eq!(both.shows("one\r\ntwo"), "$ replay\nhello\none\ntwo");
        both.canvas.say("more");
        both.write();
        assert_eq!(both.shows("!"), "hello\none\ntwo\nmore\none\ntwo!");
        both.canvas.clear();
        both.write();
        assert_eq!(both.shows(""), "hello\none\ntwo\nmore\none\ntwo!");
    }

    /// What real programs printed on a terminal of 80 by 24.
    const PROGRAMS: [(&str, &[u8]); 9] = [
        ("bash", include_bytes!("../../screen/tests/recordings/bash.out")),
        ("git-log", include_bytes!("../../screen/tests/recordings/git-log.out")),
        ("less-X", include_bytes!("../../screen/tests/recordings/less-X.out")),
        ("pyrepl", include_bytes!("../../screen/tests/recordings/pyrepl.out")),
        ("rich", include_bytes!("../../screen/tests/recordings/rich.out")),
        ("tmux", include_bytes!("../../screen/tests/recordings/tmux.out")),
        ("top", include_bytes!("../../screen/tests/recordings/top.out")),
        ("vim", include_bytes!("../../screen/tests/recordings/vim.out")),
        ("vttest-1", include_bytes!("../../screen/tests/recordings/vttest-1.out")),
    ];

    #[test]
    fn real_programs_look_the_same() {
        let recorded = Size { columns: 80, rows: 24 };
        for (name, bytes) in PROGRAMS {
            for terminal in [recorded, Size { columns: 100, rows: 40 }] {
                let mut both = Both::new(recorded, terminal, "before\r\n");
                for piece in bytes.chunks(1999) {
                    both.recorded.feed(piece);
                    both.canvas.take_scrolled(&mut both.recorded);
                    both.paint(None);
                    let rows = |screen: &Screen| {
                        (0..terminal.rows).map(|row| screen.painted_row(row, 80).text).collect()
                    };
                    let (page, shown): (Vec<String>, Vec<String>) =
                        (rows(&both.recorded), rows(&both.terminal));
                    let (page, shown) = (page.join("\n"), shown.join("\n"));
                    assert_eq!(both.recorded.is_alternate(), both.terminal.is_alternate());
                    assert!(
                        shown.trim_end().ends_with(page.trim_end()),
                        "{name}:\n{page}\n---\n{shown}"
                    );
                }
            }
        }
    }

    proptest! {
        /// Whatever is recorded, in whatever pieces it is painted: the terminal shows the page, and has
        /// what left it above.
        #[test]
        fn the_terminal_shows_the_recorded_page(
            pieces in prop::collection::vec(prop_oneof![
                4 => "[a-z漢é ]{0,12}(\r\n)?".prop_map(String::from),
                1 => "\x1b\\[[0-9]{0,2}[ABCDGHJKLMPSTX@]".prop_map(String::from),
                1 => "\x1b\\[[1-5];[1-9][0-9]?H".prop_map(String::from),
                1 => "\x1b\\[(1;3[1-7]|7|4|)m".prop_map(String::from),
                1 => "\x1b\\[\\?(1049|25|7)[hl]".prop_map(String::from),
                1 => "\x1b\\[[1-3];[3-5]r".prop_map(String::from),
            ], 0..60),
            paints in prop::collection::vec(any::<bool>(), 60),
            rows in 2u16..7,
            status in any::<bool>(),
        ) {
            let size = Size { columns: 12, rows: 5 };
            let mut both = Both::new(size, Size { columns: 14, rows }, "before\r\n");
            for (piece, paints) in pieces.iter().zip(paints) {
                both.feed(piece);
                if paints {
                    both.paint(status.then_some("status"));
                }
            }
            both.paint(None);
            let (page, _) = (0..5u16).map(|row| both.recorded.painted_row(row, 14).text)
                .fold((String::new(), ()), |(all, ()), row| (all + &row + "\n", ()));
            let shown: String = (0..rows).map(|row| both.terminal.painted_row(row, 14).text + "\n").collect();
            if rows >= 5 {
                // The page is the end of what the terminal shows, but for rows that nothing is in.
                prop_assert!(
                    shown.trim_end().ends_with(page.trim_end()), "{:?} {:?}", shown, page
                );
            }
            let row = both.recorded.cursor();
            let shown = both.terminal.painted_row(both.terminal.cursor().0, 14);
            prop_assert_eq!(both.recorded.painted_row(row.0, 14), shown);
            prop_assert_eq!(row.1, both.terminal.cursor().1);
            both.canvas.leave();
            both.write();
            prop_assert_eq!(both.terminal.restore(), b"");
            prop_assert!(both.all().starts_with("before"), "{}", both.all());
        }
    }
}
