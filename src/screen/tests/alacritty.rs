//! `alacritty_terminal`, and what both terminals show in a form that can be compared.

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell as TheirCell, Flags};
use alacritty_terminal::term::test::TermSize;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::{Color as TheirColor, NamedColor, Processor, StdSyncHandler};

use super::super::cell::{Cell, Glyph};
use super::super::row::Row;
use super::super::style::{Attributes, Color, Style};
use super::*;

/// A cell as both see it: its text, its style and underline colour, and what it links to.
type Shown = (String, Style, Color, String);

/// The rows with SGR where the style changes, and the cursor's row and column and whether it
/// stands behind the last column.
pub(super) type Picture = (Vec<String>, (usize, usize, bool));

/// A terminal of alacritty's.
pub(super) struct Alacritty {
    term: Term<VoidListener>,
    parser: Processor<StdSyncHandler>,
    size: Size,
}

impl Alacritty {
    pub(super) fn new(size: Size) -> Alacritty {
        let config = Config { scrolling_history: 100, ..Config::default() };
        let page = TermSize::new(size.columns.into(), size.rows.into());
        Alacritty { term: Term::new(config, &page, VoidListener), parser: Processor::new(), size }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }

    pub(super) fn picture(&self) -> Picture {
        let grid = self.term.grid();
        let row = |line: i32| {
            let cell = |column: usize| their_cell(&grid[Line(line)][Column(column)]);
            row_text((0..usize::from(self.size.columns)).map(cell))
        };
        let cursor = &grid.cursor;
        let place = (cursor.point.line.0 as usize, cursor.point.column.0, cursor.input_needs_wrap);
        ((0..i32::from(self.size.rows)).map(row).collect(), place)
    }
}

fn their_cell(cell: &TheirCell) -> Shown {
    let (foreground, background) = (their_color(cell.fg), their_color(cell.bg));
    let mut style = Style { foreground, background, ..Style::default() };
    for (flag, attribute) in [
        (Flags::BOLD, Attributes::BOLD),
        (Flags::DIM, Attributes::FAINT),
        (Flags::ITALIC, Attributes::ITALIC),
        (Flags::INVERSE, Attributes::INVERSE),
        (Flags::HIDDEN, Attributes::HIDDEN),
        (Flags::STRIKEOUT, Attributes::STRIKE),
    ] {
        style.attributes.set(attribute, cell.flags.contains(flag));
    }
    let underlines = [
        Flags::UNDERLINE,
        Flags::DOUBLE_UNDERLINE,
        Flags::UNDERCURL,
        Flags::DOTTED_UNDERLINE,
        Flags::DASHED_UNDERLINE,
    ];
    let underline = underlines.iter().position(|&kind| cell.flags.contains(kind));
    style.attributes.set_underline(underline.map_or(0, |kind| kind as u16 + 1));
    let mut text = String::new();
    if !cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
        text.push(if cell.c == '\t' { ' ' } else { cell.c });
        text.extend(cell.zerowidth().into_iter().flatten());
    }
    let underline_color = cell.underline_color().map_or(Color::DEFAULT, their_color);
    let link = cell.hyperlink().map_or(String::new(), |link| link.uri().to_owned());
    shown((text, style, underline_color, link))
}

fn their_color(color: TheirColor) -> Color {
    match color {
        TheirColor::Named(NamedColor::Foreground | NamedColor::Background) => Color::DEFAULT,
        TheirColor::Named(named) => Color::palette(named as u8),
        TheirColor::Indexed(index) => Color::palette(index),
        TheirColor::Spec(rgb) => Color::rgb(rgb.r, rgb.g, rgb.b),
    }
}

/// A blank has no style but its background.
fn shown((text, style, underline_color, link): Shown) -> Shown {
    if text == " " && link.is_empty() {
        (text, Style::erased(style.background), Color::DEFAULT, link)
    } else {
        (text, style, underline_color, link)
    }
}

/// Writes a row.
fn row_text(cells: impl IntoIterator<Item = Shown>) -> String {
    let mut out = String::new();
    let (mut pen, mut target) = ((Style::default(), Color::DEFAULT), String::new());
    for (text, style, underline_color, link) in cells {
        if text.is_empty() {
            continue;
        }
        if (style, underline_color) != pen {
            style.write_sgr(underline_color, &mut out);
            pen = (style, underline_color);
        }
        if link != target {
            out.push_str(&format!("<{link}>"));
            target = link;
        }
        out.push_str(&text);
    }
    out.replace('\x1b', "^")
}

/// What our screen shows. alacritty knows neither blinking nor overlined text.
pub(super) fn ours(screen: &Screen) -> Picture {
    let terminal = screen.terminal();
    let row = |row: &Row| {
        let (cells, clusters) = row.to_cells();
        let mut shown: Vec<Shown> =
            cells.iter().map(|cell| our_cell(screen, cell, &clusters)).collect();
        let blank = (" ".to_owned(), Style::erased(row.fill), Color::DEFAULT, String::new());
        shown.resize(terminal.columns(), blank);
        row_text(shown)
    };
    let cursor = &terminal.cursor;
    let place = (cursor.row, cursor.column, cursor.pending_wrap);
    (terminal.page().rows.iter().map(row).collect(), place)
}

fn our_cell(screen: &Screen, cell: &Cell, clusters: &[String]) -> Shown {
    let text = match (cell.glyph, cell.glyph.as_cluster()) {
        (Glyph::WIDE_TAIL, _) => String::new(),
        (_, Some(index)) => seen(&clusters[index]),
        (glyph, None) => glyph.as_char().to_string(),
    };
    let extra = screen.terminal().extras.get(cell.style.extra);
    let mut style = Style { extra: 0, ..cell.style };
    style.attributes.set(Attributes::BLINK, false);
    style.attributes.set(Attributes::OVERLINE, false);
    let link = extra.link.map_or(String::new(), |link| link.1.clone());
    shown((text, style, extra.underline_color, link))
}
