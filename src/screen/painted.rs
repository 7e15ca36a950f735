//! Rows as they are painted on another terminal: what they show and how it looks, and nothing else that
//! a terminal would act on. So whatever a program printed, nothing but a picture of it gets there.

use std::{collections::VecDeque, fmt::Write};

use super::{
    Screen,
    cell::{Cell, Glyph},
    extras::Extras,
    row::Row,
    style::{Color, Style},
};

/// The most rows that left the page and are kept for somebody.
const MOST_SCROLLED: usize = 2048;

/// A row, to be painted from the first column on by a terminal whose pen is as it is at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaintedRow {
    /// Printable characters, SGR between them, and CHA behind what terminals may give another width.
    /// The pen is set back at the end.
    pub text: String,
    /// How many columns it takes.
    pub columns: usize,
}

impl PaintedRow {
    /// Whether there is nothing to be seen in it.
    pub fn is_blank(&self) -> bool {
        self.columns == 0
    }
}

/// Rows that left a page at its top, where somebody wants them.
#[derive(Debug, Default)]
pub(super) struct Scrolled(VecDeque<Row>);

impl Scrolled {
    pub(super) fn push(&mut self, row: Row) {
        if self.0.len() == MOST_SCROLLED {
            self.0.pop_front();
        }
        self.0.push_back(row);
    }
}

impl Screen {
    /// From here on rows that leave the primary page at its top are kept for [`Screen::take_scrolled`],
    /// the last 2,048 of them.
    pub fn keep_scrolled(&mut self) {
        self.receiver.terminal.primary.scrolled = Some(Scrolled::default());
    }

    /// Hands over the rows that left the page since this was last called, cut to so many columns.
    pub fn take_scrolled(&mut self, columns: usize, sink: &mut impl FnMut(PaintedRow)) {
        let terminal = &mut self.receiver.terminal;
        if let Some(scrolled) = &mut terminal.primary.scrolled {
            let (extras, width) = (&terminal.extras, terminal.primary.columns);
            scrolled.0.drain(..).for_each(|row| sink(paint(&row, extras, width, columns)));
        }
    }

    /// A row of the page, counted from 0, cut to so many columns.
    pub fn painted_row(&self, row: u16, columns: usize) -> PaintedRow {
        let terminal = self.terminal();
        let row = terminal.page().rows.get(usize::from(row));
        row.map(|row| paint(row, &terminal.extras, terminal.columns(), columns)).unwrap_or_default()
    }

    /// Whether the cursor is to be seen.
    pub fn shows_cursor(&self) -> bool {
        self.terminal().modes.cursor_visible
    }
}

fn paint(row: &Row, extras: &Extras, width: usize, columns: usize) -> PaintedRow {
    let (mut cells, clusters) = row.to_cells();
    if row.fill != Color::DEFAULT {
        cells.resize(width, Cell::erased(row.fill));
    }
    if cells.get(columns).is_some_and(|cell| cell.glyph == Glyph::WIDE_TAIL) && columns > 0 {
        // Half of it would be beyond the edge.
        cells[columns - 1].glyph = Glyph::BLANK;
    }
    cells.truncate(columns);
    let look = |style: Style| Style { extra: 0, ..style.visible() };
    let cluster = |cell: &Cell| clusters.get(cell.glyph.as_cluster()?);
    let is_seen = |cell: &Cell| {
        // Tabs in a cluster are notes for the transcript.
        let is_blank = match cluster(cell) {
            Some(cluster) => cluster.chars().all(|c| matches!(c, ' ' | '\t')),
            None => cell.glyph.as_char() == ' ' && cell.glyph != Glyph::WIDE_TAIL,
        };
        !is_blank || look(cell.style) != Style::default()
    };
    cells.truncate(cells.iter().rposition(is_seen).map_or(0, |last| last + 1));
    let mut text = String::new();
    let plain = (Style::default(), Color::DEFAULT);
    let mut pen = plain;
    for (column, cell) in cells.iter().enumerate() {
        if cell.glyph == Glyph::WIDE_TAIL {
            continue;
        }
        let color = match cell.style.extra {
            0 => Color::DEFAULT,
            extra => extras.get(extra).underline_color,
        };
        let wanted = (look(cell.style), color);
        if wanted != pen {
            wanted.0.write_sgr(wanted.1, &mut text);
            pen = wanted;
        }
        let before = text.len();
        match cluster(cell) {
            Some(cluster) => {
                text.extend(cluster.starts_with('\t').then_some(' '));
                text.extend(cluster.chars().filter(|&c| c != '\t'));
            }
            None => text.push(cell.glyph.as_char()),
        }
        let is_wide = cells.get(column + 1).is_some_and(|next| next.glyph == Glyph::WIDE_TAIL);
        let next = column + 1 + usize::from(is_wide);
        let is_combined = text[before..].chars().count() > 1;
        if (is_wide || is_combined) && next < cells.len() {
            // Terminals differ in how wide it is.
            let _ = write!(text, "\x1b[{}G", next + 1);
        }
    }
    if pen != plain {
        text.push_str("\x1b[m");
    }
    PaintedRow { text, columns: cells.len() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::screen::Size;

    fn painted(bytes: &str, columns: usize) -> PaintedRow {
        let mut screen = Screen::new(Size { columns: 10, rows: 2 });
        screen.feed(bytes.as_bytes());
        screen.painted_row(0, columns)
    }

    #[test]
    fn a_row_has_its_characters_and_how_they_look() {
        for (printed, columns, text, width) in [
            ("", 10, "", 0),
            ("a b  ", 10, "a b", 3),
            ("\x1b[1;31mred\x1b[m x", 10, "\x1b[0;1;31mred\x1b[0m x", 5),
            ("\x1b[4:3;58:5:1mx", 10, "\x1b[0;4:3;58:5:1mx\x1b[m", 1),
            ("\x1b[41m\x1b[K", 4, "\x1b[0;41m    \x1b[m", 4),
            ("a\tb", 10, "a       b", 9),
            ("漢b", 10, "漢\x1b[3Gb", 3),
            ("a漢b", 2, "a", 1),
            ("e\u{301}b", 10, "e\u{301}\x1b[2Gb", 2),
            ("\x1b]8;;http://x\x07link\x1b]8;;\x07", 10, "link", 4),
            ("\x1b]2;title\x07\x1b]52;c;YQ==\x07\x1b[5n\x1b[?1000h\u{9b}5nx", 10, "5nx", 3),
        ] {
            let row = painted(printed, columns);
            assert_eq!((row.text.as_str(), row.columns), (text, width), "{printed:?}");
        }
    }

    #[test]
    fn rows_that_leave_the_page_are_kept() {
        let mut screen = Screen::new(Size { columns: 10, rows: 3 });
        let mut rows = Vec::new();
        screen.feed(b"not kept\r\n\r\n\r\n");
        screen.keep_scrolled();
        // What a full-screen program scrolls is nowhere else.
        screen.feed(b"1\r\n\x1b[32m2\r\n3\r\n4\r\n\x1b[?1049h\r\n\r\n\r\n\x1b[?1049l");
        screen.take_scrolled(10, &mut |row| rows.push(row.text));
        assert_eq!(rows, ["", "", "1", "\x1b[0;32m2\x1b[m"]);
        // A line that is deleted, or scrolls below the first row, is gone.
        rows.clear();
        screen.feed(b"\x1b[H\x1b[M\x1b[2;3r\x1b[3;1Hx\r\ny\r\n");
        screen.take_scrolled(10, &mut |row| rows.push(row.text));
        assert_eq!(rows, [""; 0]);
        screen.resize(Size { columns: 10, rows: 1 });
        screen.take_scrolled(10, &mut |row| rows.push(row.text));
        assert_eq!(rows.len(), 2);
        screen.feed(&b"\n".repeat(5000));
        rows.clear();
        screen.take_scrolled(10, &mut |row| rows.push(row.text));
        assert_eq!(rows.len(), MOST_SCROLLED);
    }

    proptest! {
        /// Whatever was printed: painted, it shows the same, and changes nothing else.
        #[test]
        fn a_row_shows_the_same_and_does_nothing_else(
            bytes in prop::collection::vec(prop_oneof![
                any::<u8>().prop_map(|byte| vec![byte]),
                "[ -~éa漢😀\u{301}\u{200d}\r\n\t]{1,4}".prop_map(String::into_bytes),
                "\x1b\\[[0-9;:?]{0,9}[a-zA-Z]".prop_map(String::into_bytes),
                "\x1b\\][0-9]{1,2};[ -~]{0,9}\x07".prop_map(String::into_bytes),
            ], 0..40),
        ) {
            let size = Size { columns: 12, rows: 3 };
            let mut screen = Screen::new(size);
            screen.feed(&bytes.concat());
            for row in 0..3 {
                let painted = screen.painted_row(row, 12);
                let mut text = painted.text.clone();
                while let Some(at) = text.find('\x1b') {
                    let end = at + text[at..].find(|c: char| c.is_ascii_alphabetic()).unwrap();
                    prop_assert!(text[at..].starts_with("\x1b[") && "mG".contains(&text[end..=end]));
                    text.replace_range(at..=end, "");
                }
                prop_assert!(!text.contains(char::is_control), "{:?}", painted);
                let mut other = Screen::new(size);
                other.feed(b"\x1b[?7l");
                other.feed(painted.text.as_bytes());
                prop_assert_eq!(&other.painted_row(0, 12), &painted);
                prop_assert_eq!(other.mode_restoration(), "\x1b[?7h");
            }
        }
    }
}
