//! Pictures of a page, or of several one after another, as SVG: for a README, a bug report, a browser.
//!
//! Each run of cells has its place and its width, so that no font can move what stands behind it. Rows
//! that look alike are drawn once. Colours of the palette are classes, light and dark as the reader's
//! desktop has it.

mod row;

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
    time::Duration,
};

use row::draw;

use super::{Screen, Size};

/// The width of a cell, in units of the picture.
const WIDTH: f64 = 8.4;
/// The height of a row.
const HEIGHT: u32 = 18;
/// Where in a row text stands, from its top.
const BASELINE: u32 = 13;
/// What is free around the page.
const MARGIN: u32 = 12;
/// Pages that are shown for less are left out.
const SHORTEST: Duration = Duration::from_millis(33);

/// The most pages of a picture, and about the most bytes of it: code hosting pages show none that is
/// much larger. Of what is longer fewer pages a second are shown, over all of its time.
const MOST_PAGES: usize = 2000;
const MOST_BYTES: usize = 4 << 20;
/// About how many bytes the rows of a page and the page itself need, beside what is in them.
const BYTES_A_ROW: usize = 30;
const BYTES_A_PAGE: usize = 150;

/// Black to white, then the bright ones, on a light page; then the same on a dark one.
const PALETTES: [[&str; 16]; 2] = [
    [
        "#24292f", "#cf222e", "#116329", "#7d5400", "#0969da", "#8250df", "#1b7c83", "#6e7781",
        "#57606a", "#a40e26", "#1a7f37", "#633c01", "#218bff", "#a475f9", "#3192aa", "#8c959f",
    ],
    [
        "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4",
        "#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff",
    ],
];
/// The colours of text and page, light and dark.
const DEFAULTS: [[&str; 2]; 2] = [["#24292f", "#ffffff"], ["#e6edf3", "#0d1117"]];

/// Pages, one after another. It is told when the screen is about to change; what stands for a moment
/// only is not drawn.
#[derive(Debug)]
pub struct Film {
    /// The largest that a page had.
    size: Size,
    /// How long a page is shown at least.
    shortest: Duration,
    /// Since when the screen shows what is not drawn so far.
    undrawn_since: Option<Duration>,
    rows: Rows,
    frames: Vec<Frame>,
}

/// The rows that look different, drawn, while a page has them.
#[derive(Debug, Default)]
struct Rows {
    /// Each with its number and how many pages have it.
    drawn: HashMap<String, (usize, usize)>,
    by_number: BTreeMap<usize, String>,
    next: usize,
    bytes: usize,
}

/// A page as it was shown from some time on.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    from: Duration,
    /// The numbers of its rows.
    rows: Vec<usize>,
    /// The row and the column of the cursor, where it is to be seen.
    cursor: Option<(usize, usize)>,
}

impl Rows {
    /// The number of a row that one page more has.
    fn take(&mut self, drawn: String) -> usize {
        let next = self.next;
        let (number, count) = self.drawn.entry(drawn.clone()).or_insert((next, 0));
        *count += 1;
        if *number == next {
            self.next += 1;
            self.bytes += drawn.len() + BYTES_A_ROW;
            self.by_number.insert(next, drawn);
            return next;
        }
        *number
    }

    /// One page less has these.
    fn give_back(&mut self, rows: &[usize]) {
        for number in rows {
            let Some(drawn) = self.by_number.get(number) else { continue };
            let Some((_, count)) = self.drawn.get_mut(drawn) else { continue };
            *count -= 1;
            if *count == 0 {
                self.bytes -= drawn.len() + BYTES_A_ROW;
                self.drawn.remove(drawn);
                self.by_number.remove(number);
            }
        }
    }
}

impl Default for Film {
    fn default() -> Film {
        Film {
            size: Size { columns: 1, rows: 1 },
            shortest: SHORTEST,
            undrawn_since: Some(Duration::ZERO),
            rows: Rows::default(),
            frames: Vec::new(),
        }
    }
}

impl Film {
    /// The screen is about to change, at a time that is not before the last one.
    pub fn changes(&mut self, now: Duration, screen: &Screen) {
        if let Some(since) = self.undrawn_since {
            if now.saturating_sub(since) < self.shortest {
                return;
            }
            self.draw(since, screen);
        }
        self.undrawn_since = Some(now);
    }

    /// The screen shows this from a time on.
    fn draw(&mut self, from: Duration, screen: &Screen) {
        let terminal = screen.terminal();
        let size = screen.size();
        self.size.columns = self.size.columns.max(size.columns);
        self.size.rows = self.size.rows.max(size.rows);
        let columns = usize::from(size.columns);
        let mut rows: Vec<String> = Vec::with_capacity(usize::from(size.rows));
        rows.extend(terminal.page().rows.iter().map(|row| draw(row, &terminal.extras, columns)));
        let rows = rows.into_iter().map(|row| self.rows.take(row)).collect();
        let cursor = (terminal.cursor.row, terminal.cursor.column);
        let cursor = terminal.modes.cursor_visible.then_some(cursor);
        let frame = Frame { from, rows, cursor };
        if self.frames.last().is_some_and(|last| last.looks_like(&frame)) {
            self.rows.give_back(&frame.rows);
            return;
        }
        self.frames.push(frame);
        while self.frames.len() > 1 && (self.frames.len() > MOST_PAGES || self.bytes() > MOST_BYTES)
        {
            self.thin_out();
        }
    }

    /// About how large the picture is, in bytes.
    fn bytes(&self) -> usize {
        let page = BYTES_A_PAGE + usize::from(self.size.rows) * BYTES_A_ROW;
        self.rows.bytes + self.frames.len() * page
    }

    /// Shows fewer pages a second. What comes last within the time of one is what that shows.
    fn thin_out(&mut self) {
        self.shortest *= 2;
        let mut kept: Vec<Frame> = Vec::new();
        for mut frame in self.frames.drain(..) {
            let short = |last: &mut Frame| frame.from.saturating_sub(last.from) < self.shortest;
            if let Some(left_out) = kept.pop_if(short) {
                self.rows.give_back(&left_out.rows);
                frame.from = left_out.from;
            }
            kept.push(frame);
        }
        self.frames = kept;
    }

    /// The picture, of which the screen shows the last page. One of several pages shows each for its time,
    /// the last one to `end`, and begins again.
    pub fn finish(mut self, end: Duration, screen: &Screen) -> String {
        if let Some(since) = self.undrawn_since {
            self.draw(since, screen);
        }
        let (columns, rows) = self.size.clamped();
        let (width, height) = (columns as f64 * WIDTH, rows as u32 * HEIGHT);
        let (outer_width, outer_height) = (width + f64::from(2 * MARGIN), height + 2 * MARGIN);
        let mut out = String::new();
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{outer_width:.0}\" \
             height=\"{outer_height}\" viewBox=\"0 0 {outer_width:.1} {outer_height}\" \
             font-family=\"ui-monospace,SFMono-Regular,'SF Mono',Menlo,Consolas,'Liberation \
             Mono','DejaVu Sans Mono',monospace\" font-size=\"14\" xml:space=\"preserve\">\n<style>\n"
        );
        self.style(&mut out, end, height);
        out.push_str("</style>\n<defs>\n");
        let is_empty =
            |number: &usize| self.rows.by_number.get(number).is_none_or(String::is_empty);
        // By the order of what is left, so that numbers are short.
        let short: HashMap<usize, usize> = self
            .rows
            .by_number
            .keys()
            .enumerate()
            .map(|(short, number)| (*number, short))
            .collect();
        for (number, row) in self.rows.by_number.iter().filter(|(_, row)| !row.is_empty()) {
            let _ = writeln!(out, "<g id=\"r{}\">{row}</g>", short[number]);
        }
        let _ = write!(
            out,
            "</defs>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" class=\"page\"/>\n<svg \
             x=\"{MARGIN}\" y=\"{MARGIN}\" width=\"{width:.1}\" height=\"{height}\" \
             viewBox=\"0 0 {width:.1} {height}\">\n<g class=\"film\">\n"
        );
        for (place, frame) in self.frames.iter().enumerate() {
            let top = place as u32 * height;
            let _ = write!(out, "<g transform=\"translate(0 {top})\">");
            for (row, number) in frame.rows.iter().enumerate().filter(|(_, n)| !is_empty(n)) {
                let (number, y) = (short[number], row as u32 * HEIGHT);
                let _ = write!(out, "<use href=\"#r{number}\" y=\"{y}\"/>");
            }
            if let Some((row, column)) = frame.cursor {
                let (x, y) = (column as f64 * WIDTH, row as u32 * HEIGHT);
                let _ = write!(
                    out,
                    "<rect x=\"{x:.1}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
                     class=\"cursor\"/>"
                );
            }
            out.push_str("</g>\n");
        }
        out.push_str("</g>\n</svg>\n</svg>\n");
        out
    }

    fn style(&self, out: &mut String, end: Duration, height: u32) {
        out.push_str("text{white-space:pre}\n");
        colors(out, 0);
        out.push_str("@media(prefers-color-scheme:dark){\n");
        colors(out, 1);
        out.push_str("}\n");
        if self.frames.len() < 2 {
            return;
        }
        let last = self.frames.last().map(|frame| frame.from).unwrap_or_default();
        let length = end.max(last + SHORTEST).as_secs_f64();
        out.push_str("@keyframes film{");
        for (place, frame) in self.frames.iter().enumerate() {
            let percent = if place == 0 { 0. } else { frame.from.as_secs_f64() / length * 100. };
            let _ =
                write!(out, "{percent:.3}%{{transform:translateY(-{}px)}}", place as u32 * height);
        }
        let bottom = (self.frames.len() - 1) as u32 * height;
        let _ = write!(
            out,
            "100%{{transform:translateY(-{bottom}px)}}}}\n.film{{animation:film {length:.3}s \
             step-end infinite}}\n@media(prefers-reduced-motion:reduce){{.film{{animation:none;\
             transform:translateY(-{bottom}px)}}}}\n"
        );
    }
}

impl Frame {
    fn looks_like(&self, other: &Frame) -> bool {
        self.rows == other.rows && self.cursor == other.cursor
    }
}

impl Screen {
    /// A picture of the page, as SVG.
    pub fn svg(&self) -> String {
        Film::default().finish(Duration::ZERO, self)
    }
}

/// The classes of the colours.
fn colors(out: &mut String, scheme: usize) {
    let [text, page] = DEFAULTS[scheme];
    let _ = write!(
        out,
        "text,.fd{{fill:{text}}}.page,.bd{{fill:{page}}}.cursor{{fill:{text};fill-opacity:.5}}"
    );
    for (number, color) in PALETTES[scheme].iter().enumerate() {
        let _ = write!(out, ".c{number}{{fill:{color}}}");
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A film of what is printed at these times, in milliseconds, on a page of 10 by 3.
    fn film(printed: impl IntoIterator<Item = (u64, String)>) -> (Film, Screen) {
        let mut screen = Screen::new(Size { columns: 10, rows: 3 });
        let mut film = Film::default();
        for (at, bytes) in printed {
            film.changes(Duration::from_millis(at), &screen);
            screen.feed(bytes.as_bytes());
        }
        (film, screen)
    }

    #[test]
    fn pages_follow_one_another_and_rows_alike_are_drawn_once() {
        let printed = [(0, "one\r\n"), (500, "one\r\n"), (510, "two"), (510, ""), (900, "\x1b[m")];
        let (film, screen) = film(printed.map(|(at, bytes)| (at, bytes.to_owned())));
        let svg = film.finish(Duration::from_secs(2), &screen);
        assert_eq!(svg.matches(">one</text>").count(), 1);
        assert_eq!(svg.matches("<use href=\"#r0\"").count(), 3);
        assert_eq!(svg.matches("translateY(-54px)").count(), 3, "{svg}");
        assert!(svg.contains("25.000%{transform:translateY(-54px)}"), "{svg}");
        assert!(svg.contains("animation:film 2.000s"));
        assert!(!screen.svg().contains("animation"));
    }

    #[test]
    fn a_picture_is_as_large_as_the_largest_page() {
        let mut screen = Screen::new(Size { columns: 10, rows: 3 });
        let mut film = Film::default();
        film.changes(Duration::from_secs(1), &screen);
        screen.resize(Size { columns: 20, rows: 2 });
        film.changes(Duration::from_secs(2), &screen);
        screen.resize(Size { columns: 5, rows: 2 });
        let svg = film.finish(Duration::from_secs(3), &screen);
        assert!(svg.contains("width=\"168.0\" height=\"54\""), "{svg}");
    }

    #[test]
    fn what_is_long_has_fewer_pages_a_second() {
        // An hour, with something new four times a second.
        let end = 3_600_000;
        let printed = (0..end).step_by(250).map(|at| (at, format!("\r\x1b[K{at}")));
        let (film, screen) = film(printed);
        assert!(film.frames.len() > MOST_PAGES / 4, "{}", film.frames.len());
        let froms: Vec<Duration> = film.frames.iter().map(|frame| frame.from).collect();
        assert!(froms.windows(2).all(|two| two[1] - two[0] < Duration::from_secs(8)));
        assert!(film.rows.by_number.len() <= MOST_PAGES + 1);
        let svg = film.finish(Duration::from_millis(end), &screen);
        assert!(svg.len() < MOST_BYTES && svg.contains(">3599750</text>"), "{}", svg.len());
        assert!(svg.contains("animation:film 3600.000s"));
        // With all of a larger page new each time.
        let page =
            |at: u64| (0..50).map(|row| format!("\r\n{:x}", at * 99 + row)).collect::<String>();
        let mut screen = Screen::new(Size { columns: 80, rows: 50 });
        let mut film = Film::default();
        for at in 0..1000 {
            film.changes(Duration::from_millis(at * 100), &screen);
            screen.feed(page(at).as_bytes());
        }
        assert!(film.frames.len() > 100);
        let svg = film.finish(Duration::from_secs(101), &screen);
        assert!(svg.len() < 2 * MOST_BYTES, "{}", svg.len());
    }

    proptest::proptest! {
        #[test]
        fn any_page_is_well_formed(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let mut screen = Screen::new(Size { columns: 12, rows: 4 });
            screen.feed(&bytes);
            let svg = screen.svg();
            let mut depth = 0;
            for tag in svg.split('<').skip(1) {
                let (inside, text) = tag.split_once('>').unwrap();
                depth += match (inside.starts_with('/'), inside.ends_with('/')) {
                    (true, _) => -1,
                    (false, true) => 0,
                    (false, false) => 1,
                };
                assert!(depth >= 0 && text.chars().all(|c| c == '\n' || !c.is_control()));
            }
            assert_eq!(depth, 0);
        }
    }
}
