//! Pictures of a page, or of several one after another, as SVG: for a README, a bug report, a browser.
//!
//! Each run of cells has its place and its width, so that no font can move what stands behind it. Rows
//! that look alike are drawn once. Colours of the palette are classes, light and dark as the reader's
//! desktop has it.

use std::{collections::HashMap, fmt::Write, time::Duration};

use super::{
    Screen, Size,
    cell::{Cell, Glyph},
    row::Row,
    style::{Attributes, Color, Style},
};

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

/// The most pages of a picture; beyond that the last one is shown in their place.
const MOST_PAGES: usize = 2000;

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

/// Pages, one after another.
#[derive(Debug)]
pub struct Film {
    size: Size,
    /// The rows that look different, drawn, each with its number.
    rows: HashMap<String, usize>,
    frames: Vec<Frame>,
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

impl Film {
    /// An empty one, of pages of this size; what larger ones have beyond is cut.
    pub fn new(size: Size) -> Film {
        Film { size, rows: HashMap::new(), frames: Vec::new() }
    }

    /// The screen shows this from a time on, which is not before that of the last page.
    pub fn page(&mut self, from: Duration, screen: &Screen) {
        let terminal = screen.terminal();
        let (columns, rows) = self.size.clamped();
        let mut numbers = Vec::with_capacity(rows);
        for row in terminal.page().rows.iter().take(rows) {
            let drawn = draw(row, columns);
            let next = self.rows.len();
            numbers.push(*self.rows.entry(drawn).or_insert(next));
        }
        let (row, column) = (terminal.cursor.row, terminal.cursor.column);
        let is_seen = terminal.modes.cursor_visible && row < rows && column < columns;
        let frame = Frame { from, rows: numbers, cursor: is_seen.then_some((row, column)) };
        let is_full = self.frames.len() == MOST_PAGES;
        let is_replaced = |last: &mut Frame| is_full || from.saturating_sub(last.from) < SHORTEST;
        let from = self.frames.pop_if(is_replaced).map_or(from, |last| last.from);
        if self.frames.last().is_none_or(|last| !last.looks_like(&frame)) {
            self.frames.push(Frame { from, ..frame });
        }
    }

    /// The picture. One of several pages shows each for its time, the last one to `end`, and begins
    /// again.
    pub fn finish(self, end: Duration) -> String {
        let (columns, rows) = self.size.clamped();
        let (width, height) = (columns as f64 * WIDTH, rows as u32 * HEIGHT);
        let (outer_width, outer_height) = (width + f64::from(2 * MARGIN), height + 2 * MARGIN);
        let mut out = String::new();
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{outer_width:.0}\" \
             height=\"{outer_height}\" viewBox=\"0 0 {outer_width:.1} {outer_height}\" \
             font-family=\"ui-monospace,SFMono-Regular,'SF Mono',Menlo,Consolas,'Liberation \
             Mono','DejaVu Sans Mono',monospace\" font-size=\"14\">\n<style>\n"
        );
        self.style(&mut out, end, height);
        out.push_str("</style>\n<defs>\n");
        let mut drawn: Vec<(String, usize)> = self.rows.into_iter().collect();
        drawn.sort_by_key(|(_, number)| *number);
        let is_empty: Vec<bool> = drawn.iter().map(|(row, _)| row.is_empty()).collect();
        for (row, number) in drawn.iter().filter(|(row, _)| !row.is_empty()) {
            let _ = writeln!(out, "<g id=\"r{number}\">{row}</g>");
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
            for (row, number) in frame.rows.iter().enumerate().filter(|(_, n)| !is_empty[**n]) {
                let _ = write!(out, "<use href=\"#r{number}\" y=\"{}\"/>", row as u32 * HEIGHT);
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
        let mut film = Film::new(self.size());
        film.page(Duration::ZERO, self);
        film.finish(Duration::ZERO)
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

/// A row, drawn at the top of the picture.
fn draw(row: &Row, columns: usize) -> String {
    let (mut cells, clusters) = row.to_cells();
    cells.resize(columns, Cell::erased(row.fill));
    let mut out = String::new();
    let mut at = 0;
    while at < columns {
        let style = cells[at].style.visible();
        let alike = |cell: &&Cell| cell.style.visible() == style;
        let end = at + cells[at..].iter().take_while(alike).count();
        background(&mut out, style, at, end);
        text(&mut out, style, &cells[..end], &clusters, at);
        lines(&mut out, style, at, end);
        at = end;
    }
    out
}

/// The colours of text and page, inverse ones changed over.
fn colors_of(style: Style) -> (Paint, Paint) {
    let (text, page) = (Paint::text(style.foreground), Paint::page(style.background));
    if style.attributes.contains(Attributes::INVERSE) { (page, text) } else { (text, page) }
}

fn background(out: &mut String, style: Style, from: usize, to: usize) {
    let (_, page) = colors_of(style);
    if page != Paint::Page {
        let (x, width) = (from as f64 * WIDTH, (to - from) as f64 * WIDTH);
        let attribute = page.attribute();
        let _ =
            write!(out, "<rect x=\"{x:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\"{attribute}/>");
    }
}

/// The characters of a run, in pieces that a font can't stretch: what takes two cells, or may take
/// another width, stands by itself.
fn text(out: &mut String, style: Style, cells: &[Cell], clusters: &[String], from: usize) {
    if style.attributes.contains(Attributes::HIDDEN) {
        return;
    }
    let mut piece = String::new();
    let mut start = from;
    for (column, cell) in cells.iter().enumerate().skip(from) {
        let cluster = cell.glyph.as_cluster().and_then(|index| clusters.get(index));
        let c = cell.glyph.as_char();
        if cluster.is_none() && (c == ' ' || c.is_ascii()) {
            if piece.is_empty() {
                start = column;
            }
            if cell.glyph != Glyph::WIDE_TAIL && !(piece.is_empty() && c == ' ') {
                piece.push(c);
            }
            continue;
        }
        put(out, style, start, &piece);
        piece.clear();
        let wide = cells.get(column + 1).is_some_and(|next| next.glyph == Glyph::WIDE_TAIL);
        let shown = cluster.map_or_else(|| c.to_string(), |cluster| cluster.replace('\t', ""));
        put_one(out, style, column, &shown, if wide { 2 } else { 1 });
    }
    put(out, style, start, &piece);
}

/// Characters of one cell each, without blanks in front.
fn put(out: &mut String, style: Style, column: usize, text: &str) {
    let text = text.trim_end_matches(' ');
    if !text.is_empty() {
        put_one(out, style, column, text, text.len());
    }
}

fn put_one(out: &mut String, style: Style, column: usize, text: &str, cells: usize) {
    let x = column as f64 * WIDTH;
    let _ = write!(out, "<text x=\"{x:.1}\" y=\"{BASELINE}\"");
    if text.chars().count() > 1 && text.is_ascii() {
        let width = cells as f64 * WIDTH;
        let _ = write!(out, " textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\"");
    }
    let (paint, _) = colors_of(style);
    if paint != Paint::Text {
        out.push_str(&paint.attribute());
    }
    for (attribute, name) in [
        (Attributes::BOLD, " font-weight=\"bold\""),
        (Attributes::ITALIC, " font-style=\"italic\""),
        (Attributes::FAINT, " opacity=\".6\""),
    ] {
        if style.attributes.contains(attribute) {
            out.push_str(name);
        }
    }
    out.push('>');
    escape(out, text);
    out.push_str("</text>");
}

/// Underlines and the like, which blanks have, too.
fn lines(out: &mut String, style: Style, from: usize, to: usize) {
    let (paint, _) = colors_of(style);
    let (x, width) = (from as f64 * WIDTH, (to - from) as f64 * WIDTH);
    for (is_there, y) in [
        (style.attributes.underline() != 0, BASELINE + 2),
        (style.attributes.contains(Attributes::STRIKE), BASELINE - 4),
        (style.attributes.contains(Attributes::OVERLINE), 1),
    ] {
        if is_there {
            let attribute = paint.attribute();
            let _ = write!(
                out,
                "<rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"1\"{attribute}/>"
            );
        }
    }
}

/// What something is painted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paint {
    Text,
    Page,
    Palette(u8),
    Rgb([u8; 3]),
}

impl Paint {
    fn text(color: Color) -> Paint {
        Paint::of(color).unwrap_or(Paint::Text)
    }

    fn page(color: Color) -> Paint {
        Paint::of(color).unwrap_or(Paint::Page)
    }

    fn of(color: Color) -> Option<Paint> {
        let rgb = match (color.index(), color.direct()) {
            (Some(index @ ..16), _) => return Some(Paint::Palette(index)),
            // The cube and the greys of xterm's palette.
            (Some(index @ ..232), _) => [36, 6, 1].map(|step| match (index - 16) / step % 6 {
                0 => 0,
                level => 55 + 40 * level,
            }),
            (Some(index), _) => [8 + 10 * (index - 232); 3],
            (None, direct) => direct?,
        };
        Some(Paint::Rgb(rgb))
    }

    /// As an attribute of an element, with a blank in front.
    fn attribute(self) -> String {
        match self {
            Paint::Text => " class=\"fd\"".into(),
            Paint::Page => " class=\"bd\"".into(),
            Paint::Palette(number) => format!(" class=\"c{number}\""),
            Paint::Rgb([red, green, blue]) => {
                format!(" style=\"fill:#{red:02x}{green:02x}{blue:02x}\"")
            }
        }
    }
}

/// Text as XML 1.0 has it, which takes not all characters.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(bytes: &str) -> String {
        let mut screen = Screen::new(Size { columns: 20, rows: 2 });
        screen.feed(bytes.as_bytes());
        draw(&screen.terminal().page().rows[0], 20)
    }

    #[test]
    fn a_run_has_its_place_and_its_width() {
        let at = "y=\"13\"";
        assert_eq!(row(""), "");
        assert_eq!(row("a"), format!("<text x=\"0.0\" {at}>a</text>"));
        let length = "textLength=\"33.6\" lengthAdjust=\"spacingAndGlyphs\"";
        assert_eq!(row("  a<b "), {
            let length = length.replace("33.6", "25.2");
            format!("<text x=\"16.8\" {at} {length}>a&lt;b</text>")
        });
        let red = "<text x=\"0.0\" y=\"13\" class=\"c1\" font-weight=\"bold\">r</text>";
        assert_eq!(row("\x1b[1;31mr"), red);
        let wide = row("漢x");
        assert!(wide.contains("<text x=\"0.0\" y=\"13\">漢</text>"), "{wide}");
        assert!(wide.contains("<text x=\"16.8\" y=\"13\">x</text>"), "{wide}");
        // What combines stays with its letter.
        let accent = row("e\u{301}x");
        assert!(accent.contains(">e\u{301}</text>") && accent.contains("x=\"8.4\""), "{accent}");
    }

    #[test]
    fn colours_are_those_of_the_terminal() {
        let inverse = row("\x1b[7mab");
        assert!(inverse.starts_with("<rect x=\"0.0\" width=\"16.8\" height=\"18\" class=\"fd\"/>"));
        assert!(inverse.contains("class=\"bd\">ab"), "{inverse}");
        assert!(row("\x1b[38;5;196mx").contains("style=\"fill:#ff0000\""));
        assert!(row("\x1b[38;5;244mx").contains("style=\"fill:#808080\""));
        assert!(row("\x1b[48;2;1;2;3mx").contains("fill:#010203"));
        assert_eq!(row("\x1b[8msecret").matches("text").count(), 0);
        assert!(row("\x1b[4m  ").contains("y=\"15\" width=\"16.8\" height=\"1\""));
    }

    #[test]
    fn pages_follow_one_another_and_rows_alike_are_drawn_once() {
        let mut screen = Screen::new(Size { columns: 10, rows: 3 });
        let mut film = Film::new(screen.size());
        for (at, bytes) in [(0, "one\r\n"), (500, "one\r\n"), (510, "two"), (510, ""), (900, "")] {
            screen.feed(bytes.as_bytes());
            film.page(Duration::from_millis(at), &screen);
        }
        assert_eq!(film.frames.len(), 2);
        let svg = film.finish(Duration::from_secs(2));
        assert_eq!(svg.matches(">one</text>").count(), 1);
        assert_eq!(svg.matches("<use href=\"#r0\"").count(), 3);
        assert!(svg.contains("25.000%{transform:translateY(-54px)}"), "{svg}");
        assert!(svg.contains("animation:film 2.000s"));
        assert!(!screen.svg().contains("animation"));
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
