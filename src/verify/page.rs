//! The terminal's page as who looks on sees it, and whether it shows what is waited for. Pure.

use unicode_width::UnicodeWidthStr;

use crate::screen::{Screen, Size};

/// Who makes the calls of a script, as the echoes of their cells have it.
pub const NAME: &str = "verify";

/// The page, with what was on it at the last call told apart from what came since.
#[derive(Debug)]
pub struct Page {
    screen: Screen,
    /// A page that was empty at the last call, and shows what was printed since.
    since: Screen,
    /// The rows at the last call.
    before: Vec<String>,
    /// What is waited for, and whether it was shown.
    awaited: Option<(String, bool)>,
}

impl Page {
    /// An empty one.
    pub fn new(size: Size) -> Page {
        let screen = || Screen::new(size);
        Page { screen: screen(), since: screen(), before: Vec::new(), awaited: None }
    }

    /// A call is made: what is shown now was shown before it.
    pub fn call(&mut self) {
        self.before = self.rows();
        let (row, column) = self.screen.cursor();
        self.since = Screen::new(self.screen.size());
        // What goes back or up from here has the same place on both.
        feed(&mut self.since, format!("\x1b[{};{}H", row + 1, column + 1).as_bytes());
        self.awaited = None;
    }

    /// Waits for a text.
    pub fn wait_for(&mut self, text: &str) {
        let is_shown = self.shows(text);
        self.awaited = Some((text.to_owned(), is_shown));
    }

    /// Whether what is waited for was shown, if only for a moment.
    pub fn has_shown(&self) -> bool {
        self.awaited.as_ref().is_some_and(|(_, is_shown)| *is_shown)
    }

    /// The whole page is this.
    pub fn repaint(&mut self, size: Size, bytes: &[u8]) {
        (self.screen, self.since) = (Screen::new(size), Screen::new(size));
        feed(&mut self.screen, bytes);
        self.look();
    }

    /// This was printed.
    pub fn print(&mut self, bytes: &[u8]) {
        let is_waiting = self.awaited.as_ref().is_some_and(|(_, is_shown)| !is_shown);
        if !is_waiting {
            feed(&mut self.screen, bytes);
            feed(&mut self.since, bytes);
            return;
        }
        // A line may be gone from the page when all is printed.
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            feed(&mut self.screen, line);
            feed(&mut self.since, line);
            self.look();
        }
    }

    /// The session shows this by itself, the echo of a cell: it is printed by nobody.
    pub fn echo(&mut self, bytes: &[u8]) {
        feed(&mut self.screen, bytes);
        // What was printed since the call stands on the other page.
        self.before = self.rows();
    }

    fn rows(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    /// What is on it.
    pub fn text(&self) -> String {
        self.screen.page_text()
    }

    fn look(&mut self) {
        if let Some((text, false)) = &self.awaited
            && self.shows(text)
        {
            let text = text.clone();
            self.awaited = Some((text, true));
        }
    }

    /// Whether a text was printed since the last call, or stands in a row that was not there.
    fn shows(&self, text: &str) -> bool {
        if self.since.page_text().contains(text) {
            return true;
        }
        let page = self.text();
        let count = |rows: &mut dyn Iterator<Item = &str>, row: &str| {
            rows.filter(|other| *other == row).count()
        };
        let is_new = |row: &str| {
            let before = count(&mut self.before.iter().map(String::as_str), row);
            count(&mut page.lines(), row) > before
        };
        let columns = usize::from(self.screen.size().columns);
        let (mut was_echo, mut was_full) = (false, false);
        page.lines().any(|row| {
            // A long line of an echo has several rows.
            was_echo = begins_echo(row) || (was_echo && was_full);
            was_full = row.width() >= columns;
            !was_echo && row.contains(text) && is_new(row)
        })
    }
}

/// Whether a row is one with which the echo of a line of a cell begins.
fn begins_echo(row: &str) -> bool {
    let behind = row.strip_prefix('[').and_then(|row| row.strip_prefix(NAME));
    behind.is_some_and(|row| row.starts_with("] >>> ") || row.starts_with("] ... "))
}

fn feed(screen: &mut Screen, bytes: &[u8]) {
    screen.feed(bytes);
    screen.drain(&mut |_| {});
    // Nobody asked it.
    screen.take_answers(&mut Vec::new());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(before: &str) -> Page {
        let mut page = Page::new(Size { columns: 20, rows: 4 });
        page.print(before.as_bytes());
        page.call();
        page
    }

    /// Whether a page shows a text once this was printed.
    fn shows(before: &str, printed: &str, text: &str) -> bool {
        let mut page = page(before);
        page.wait_for(text);
        assert!(!page.has_shown(), "{text:?} was there before");
        page.print(printed.as_bytes());
        page.has_shown()
    }

    #[test]
    fn what_was_shown_before_the_call_does_not_count() {
        assert!(!shows("ready\r\n", "x\r\n", "ready"));
        assert!(shows("ready\r\n", "ready\r\n", "ready"));
        assert!(
            !shows("ready\r\n", "\r\n\r\n\r\n", "ready"),
            "a page that scrolls shows nothing new"
        );
    }

    #[test]
    fn a_row_that_is_drawn_over_is_new() {
        assert!(shows("count: 5", "\x1b[1;8H6", "count: 6"));
        assert!(!shows("count: 5", "\x1b[2;1Hother", "count: 5"));
    }

    #[test]
    fn what_is_shown_for_a_moment_counts() {
        let flood = format!("ready\r\n{}", "line\r\n".repeat(50));
        assert!(shows("", &flood, "ready"));
    }

    #[test]
    fn what_came_before_it_was_waited_for_counts() {
        let mut page = page("");
        page.print(b"ready\r\n");
        page.wait_for("ready");
        assert!(page.has_shown());
        page.call();
        page.wait_for("ready");
        assert!(!page.has_shown());
    }

    #[test]
    fn the_echo_of_a_cell_is_not_what_it_prints() {
        let mut page = page("");
        page.wait_for("ready");
        page.echo(b"[verify] >>> print('ready')\r\n[verify] ... # ready\r\n");
        page.print(b"\r\n");
        page.repaint(Size { columns: 30, rows: 5 }, b"[verify] >>> print('ready')\r\n");
        assert!(!page.has_shown());
        page.print(b"ready\r\n");
        assert!(page.has_shown());
    }

    #[test]
    fn what_goes_back_from_where_the_cursor_was_is_no_other_text() {
        // The same place on an empty page would be the one row.
        let mut page = page("one\r\ntwo ");
        page.wait_for("xy");
        page.print(b"x\x1b[A\x1b[5Gy");
        assert!(!page.has_shown());
        assert!(shows("50 %", "\x1b[4D100 %", "100 %"));
    }

    #[test]
    fn a_page_that_is_drawn_anew_is_looked_at() {
        let mut page = page("old\r\n");
        page.wait_for("new");
        page.repaint(Size { columns: 30, rows: 5 }, b"old\r\n");
        assert!(!page.has_shown());
        page.repaint(Size { columns: 30, rows: 5 }, b"old\r\nnew\r\n");
        assert!(page.has_shown());
        assert_eq!(page.text(), "old\nnew");
    }
}
