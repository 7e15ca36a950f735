//! A row of a picture: runs of cells that look alike, each with its place and its width.

use std::fmt::Write;

use super::{BASELINE, HEIGHT, WIDTH};
use crate::screen::{
    cell::{Cell, Glyph},
    extras::Extras,
    row::Row,
    style::{Attributes, Color, Style},
};

/// A row, drawn at the top of the picture.
pub(super) fn draw(row: &Row, extras: &Extras, columns: usize) -> String {
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
        lines(&mut out, style, extras.get(style.extra).underline_color, at, end);
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
fn lines(out: &mut String, style: Style, color: Color, from: usize, to: usize) {
    let (paint, _) = colors_of(style);
    let (x, width) = (from as f64 * WIDTH, (to - from) as f64 * WIDTH);
    let mut line = |is_there: bool, y: u32, paint: Paint| {
        if is_there {
            let attribute = paint.attribute();
            let _ = write!(
                out,
                "<rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"1\"{attribute}/>"
            );
        }
    };
    line(style.attributes.contains(Attributes::STRIKE), BASELINE - 4, paint);
    line(style.attributes.contains(Attributes::OVERLINE), 1, paint);
    let (paint, y) = (Paint::of(color).unwrap_or(paint), BASELINE + 2);
    let kind = style.attributes.underline();
    line(matches!(kind, 1 | 2), y, paint);
    line(kind == 2, y + 2, paint);
    // A cell's part of the others: there, and for a wave back again.
    let (there, back) = match kind {
        3 => ("q2.1-2.5 4.2 0t4.2 0", "q-2.1 2.5-4.2 0t-4.2 0"),
        4 => ("h1.4v1.4h-1.4zm4.2 0h1.4v1.4h-1.4zm4.2 0", ""),
        5 => ("h5v1h-5zm8.4 0", ""),
        _ => return,
    };
    let (cells, turn) = (to - from, if back.is_empty() { "" } else { "v1" });
    let (there, back, attribute) = (there.repeat(cells), back.repeat(cells), paint.attribute());
    let _ = write!(out, "<path d=\"M{x:.1} {y}{there}{turn}{back}\"{attribute}/>");
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
    use crate::screen::{Screen, Size};

    fn row(bytes: &str) -> String {
        let mut screen = Screen::new(Size { columns: 20, rows: 2 });
        screen.feed(bytes.as_bytes());
        let terminal = screen.terminal();
        super::draw(&terminal.page().rows[0], &terminal.extras, 20)
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
    fn attributes_are_drawn() {
        for (sequence, drawn) in [
            ("1", " font-weight=\"bold\">x<"),
            ("2", " opacity=\".6\">x<"),
            ("3", " font-style=\"italic\">x<"),
            ("9", "y=\"9\" width=\"8.4\" height=\"1\" class=\"fd\"/>"),
            ("53", "y=\"1\" width=\"8.4\""),
            ("4", "y=\"15\" width=\"8.4\""),
            ("4:2", "y=\"17\" width=\"8.4\""),
            ("4:3", "d=\"M0.0 15q2.1-2.5 4.2 0t4.2 0v1q-2.1 2.5-4.2 0t-4.2 0\""),
            ("4:4", "d=\"M0.0 15h1.4v1.4h-1.4zm4.2 0h1.4v1.4h-1.4zm4.2 0\""),
            ("4:5", "d=\"M0.0 15h5v1h-5zm8.4 0\""),
            ("4;58:5:1", "height=\"1\" class=\"c1\"/>"),
            ("31;4", "height=\"1\" class=\"c1\"/>"),
            ("31;4:3;58:2::1:2:3", "style=\"fill:#010203\"/>"),
            ("7;31;44", "class=\"c4\">x<"),
            ("7;31;44", "height=\"18\" class=\"c1\"/>"),
            ("91", "class=\"c9\">x<"),
            ("38;5;16", "style=\"fill:#000000\">x<"),
        ] {
            let row = row(&format!("\x1b[{sequence}mx"));
            assert!(row.contains(drawn), "{sequence}: {row}");
        }
    }

    #[test]
    fn emoji_and_wide_characters_have_their_cells() {
        let drawn = row("a😀b漢👩\u{200d}🚀c");
        for (place, shown) in [("0.0", "a"), ("8.4", "😀"), ("25.2", "b"), ("33.6", "漢")] {
            let text = format!("<text x=\"{place}\" y=\"13\">{shown}</text>");
            assert!(drawn.contains(&text), "{text} {drawn}");
        }
        assert!(drawn.contains(">c</text>"), "{drawn}");
    }
}
