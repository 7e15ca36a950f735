//! The page compared with `alacritty_terminal`'s, fed the same sequences.
//!
//! Where the two differ on purpose, the sequences are written so that it does not show:
//!
//! - HT behind the last column does not wrap (xterm); alacritty goes to the next row.
//! - Moving by a row stops at the margins of the scroll region, CHA does not move the row in
//!   origin mode, IL and DL return the carriage, CHT and CBT end a pending wrap (xterm).
//! - SO and SI are saved with the cursor (VT220).
//! - Erasing, inserting or deleting half of a wide character blanks the other half.
//! - alacritty's DCH erases too much when asked for more than is there, and its ED 1 leaves row
//!   0 when the cursor is in row 1.

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell as TheirCell, Flags};
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::{Color as TheirColor, NamedColor, Processor, StdSyncHandler};
use proptest::prelude::*;

use super::super::cell::Glyph;
use super::super::style::{Attributes, Color, Style};
use super::*;

const COLUMNS: u16 = 12;
const ROWS: u16 = 6;

struct Page(Size);

impl Dimensions for Page {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }
    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows)
    }
    fn columns(&self) -> usize {
        usize::from(self.0.columns)
    }
}

/// A cell as both see it: its text and its style.
type Shown = (String, Style);

/// The rows with SGR where the style changes, and the cursor's row and column and whether it
/// stands behind the last column.
type Picture = (Vec<String>, (usize, usize, bool));

/// Writes a row.
fn row_text(cells: impl IntoIterator<Item = Shown>) -> String {
    let mut out = String::new();
    let mut pen = Style::default();
    for (text, style) in cells {
        if !text.is_empty() && style != pen {
            style.write_sgr(Color::DEFAULT, &mut out);
            pen = style;
        }
        out.push_str(&text);
    }
    out.replace('\x1b', "^")
}

fn theirs(bytes: &[u8]) -> Picture {
    theirs_of(Size { columns: COLUMNS, rows: ROWS }, bytes)
}

fn theirs_of(size: Size, bytes: &[u8]) -> Picture {
    let config = Config { scrolling_history: 100, ..Config::default() };
    let mut term = Term::new(config, &Page(size), VoidListener);
    let mut parser: Processor<StdSyncHandler> = Processor::new();
    parser.advance(&mut term, bytes);
    let row = |line: i32| {
        let cell = |column: usize| their_cell(&term.grid()[Line(line)][Column(column)]);
        row_text((0..usize::from(size.columns)).map(cell))
    };
    let cursor = &term.grid().cursor;
    let place = (cursor.point.line.0 as usize, cursor.point.column.0, cursor.input_needs_wrap);
    ((0..i32::from(size.rows)).map(row).collect(), place)
}

fn their_cell(cell: &TheirCell) -> Shown {
    let (foreground, background) = (their_color(cell.fg), their_color(cell.bg));
    let mut style = Style { foreground, background, ..Style::default() };
    for (flag, attribute) in [
        (Flags::BOLD, Attributes::BOLD),
        (Flags::INVERSE, Attributes::INVERSE),
        (Flags::ITALIC, Attributes::ITALIC),
        (Flags::STRIKEOUT, Attributes::STRIKE),
    ] {
        style.attributes.set(attribute, cell.flags.contains(flag));
    }
    style.attributes.set_underline(u16::from(cell.flags.contains(Flags::UNDERLINE)));
    let mut text = String::new();
    if !cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
        text.push(if cell.c == '\t' { ' ' } else { cell.c });
        text.extend(cell.zerowidth().into_iter().flatten());
    }
    shown(text, style)
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
fn shown(text: String, style: Style) -> Shown {
    let blank = text == " ";
    (text, if blank { Style::erased(style.background) } else { style })
}

fn ours(screen: &Screen) -> Picture {
    let terminal = screen.terminal();
    let row = |row: &super::super::row::Row| {
        let (cells, clusters) = row.to_cells();
        let mut shown: Vec<Shown> = cells
            .iter()
            .map(|cell| {
                let text = match cell.glyph {
                    Glyph::WIDE_TAIL => String::new(),
                    glyph => match glyph.as_cluster() {
                        Some(index) => seen(&clusters[index]),
                        None => glyph.as_char().to_string(),
                    },
                };
                shown(text, cell.style)
            })
            .collect();
        shown.resize(terminal.columns(), (" ".to_owned(), Style::erased(row.fill)));
        row_text(shown)
    };
    let cursor = &terminal.cursor;
    let place = (cursor.row, cursor.column, cursor.pending_wrap);
    (terminal.page().rows.iter().map(row).collect(), place)
}

/// Something a program sends.
#[derive(Debug, Clone)]
enum Sent {
    Text(String),
    /// Does not split a wide character.
    Whole(String),
    /// May split one.
    Edit(String),
    /// Moves by rows; only sent without a scroll region.
    Rows(String),
    Region(u16, u16),
    NoRegion,
}

fn sent() -> impl Strategy<Value = Sent> {
    let row = 1..=ROWS + 1;
    let column = 1..=COLUMNS + 1;
    let count = 0..5u16;
    prop_oneof![
        10 => "[!-~ ]{1,16}".prop_map(Sent::Text),
        4 => prop::sample::select(vec!["\r\n", "\n", "\r", "\x08", "\x1bD", "\x1bE", "\x1bM", "\x0b"])
            .prop_map(|text| Sent::Whole(text.to_owned())),
        3 => (row, column.clone()).prop_map(|(r, c)| Sent::Whole(format!("\x1b[{r};{c}H"))),
        2 => column.clone().prop_map(|c| Sent::Whole(format!("\x1b[{c}G"))),
        1 => (1..=ROWS).prop_map(|r| Sent::Whole(format!("\x1b[{r}d"))),
        1 => column.clone().prop_map(|c| Sent::Whole(format!("\x1b[{c}G\t"))),
        1 => count.clone().prop_map(|n| Sent::Whole(format!("\r\x1b[{n}I\x1b[{n}Z"))),
        2 => (count.clone(), prop::sample::select(vec!['A', 'B', 'E', 'F']))
            .prop_map(|(n, action)| Sent::Rows(format!("\x1b[{n}{action}"))),
        2 => (count.clone(), prop::sample::select(vec!['C', 'D', 'a', 'S', 'T']))
            .prop_map(|(n, action)| Sent::Whole(format!("\x1b[{n}{action}"))),
        2 => (count.clone(), prop::sample::select(vec!['L', 'M']))
            .prop_map(|(n, action)| Sent::Whole(format!("\x1b[{n}{action}\r"))),
        3 => (count.clone(), prop::sample::select(vec!["X", "@"]))
            .prop_map(|(n, action)| Sent::Edit(format!("\x1b[{n}{action}"))),
        1 => (1..=COLUMNS, 1..=COLUMNS).prop_map(|(c, n)| {
            Sent::Edit(format!("\x1b[{c}G\x1b[{}P", n.min(COLUMNS - c).max(1)))
        }),
        3 => prop::sample::select(vec!["\x1b[K", "\x1b[1K", "\x1b[J", "\x1b[3;4H\x1b[1J"])
            .prop_map(|text| Sent::Edit(text.to_owned())),
        2 => prop::sample::select(vec!["\x1b[2K", "\x1b[2J", "\x1b[H\x1b[J", "\x1b[3J"])
            .prop_map(|text| Sent::Whole(text.to_owned())),
        1 => prop::sample::select(vec!["\x1b7", "\x1b8", "\x1b[s", "\x1b[u", "\x1b[?7l", "\x1b[?7h",
            "\x1b[?1049h", "\x1b[?1049l", "\x1bc", "\x1b[?25l", "\x1b[?2004h"])
            .prop_map(|text| Sent::Whole(text.to_owned())),
        1 => prop::sample::select(vec!["\x1b[4h", "\x1b[4l"])
            .prop_map(|text| Sent::Edit(text.to_owned())),
        3 => prop::sample::select(vec!["\x1b[m", "\x1b[1m", "\x1b[31m", "\x1b[42m", "\x1b[7m",
            "\x1b[27;39;49m", "\x1b[38;5;200m", "\x1b[48;2;1;2;3m", "\x1b[4m", "\x1b[24;22m",
            "\x1b[3;9m", "\x1b[38:2::9:8:7m", "\x1b[97;104m"])
            .prop_map(|text| Sent::Whole(text.to_owned())),
        1 => "[a-z~]{1,9}".prop_map(|text| Sent::Text(format!("\x0e\x1b)0{text}\x0f\x1b)B"))),
        1 => count.prop_map(|n| Sent::Text(format!("x\x1b[{n}b"))),
        2 => (1..ROWS, 1..ROWS).prop_map(|(a, b)| Sent::Region(a.min(b), a.max(b) + 1)),
        2 => Just(Sent::NoRegion),
    ]
}

fn wide() -> impl Strategy<Value = Sent> {
    let samples = vec!["漢", "漢字", "e\u{301}", "漢\u{301}", "😀", "é", "한글 "];
    prop::collection::vec(prop::sample::select(samples), 1..6)
        .prop_map(|parts| Sent::Text(parts.concat()))
}

fn render(parts: &[Sent], edits: bool) -> Vec<u8> {
    let mut out = String::new();
    let mut region = false;
    for part in parts {
        match part {
            Sent::Text(text) | Sent::Whole(text) => out.push_str(text),
            Sent::Edit(text) if edits => out.push_str(text),
            Sent::Rows(text) if !region => out.push_str(text),
            Sent::Edit(_) | Sent::Rows(_) => {}
            Sent::Region(top, bottom) => {
                out.push_str(&format!("\x1b[{top};{bottom}r"));
                region = true;
            }
            Sent::NoRegion => {
                out.push_str("\x1b[r");
                region = false;
            }
        }
        region &= !out.ends_with("\x1bc");
    }
    out.into_bytes()
}

fn fed(bytes: &[u8], size: usize) -> Screen {
    let mut screen = screen(COLUMNS, ROWS, "");
    for chunk in bytes.chunks(size) {
        screen.feed(chunk);
        screen.verify();
    }
    screen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_page_is_what_alacritty_shows(parts in prop::collection::vec(sent(), 1..40)) {
        let bytes = render(&parts, true);
        prop_assert_eq!(ours(&fed(&bytes, usize::MAX)), theirs(&bytes), "{:?}", String::from_utf8(bytes));
    }

    #[test]
    fn wide_characters_are_where_alacritty_shows_them(
        parts in prop::collection::vec(prop_oneof![3 => sent(), 1 => wide()], 1..40),
    ) {
        let bytes = render(&parts, false);
        prop_assert_eq!(ours(&fed(&bytes, usize::MAX)), theirs(&bytes), "{:?}", String::from_utf8(bytes));
    }

    #[test]
    fn cutting_the_stream_changes_nothing(
        parts in prop::collection::vec(prop_oneof![3 => sent(), 1 => wide()], 1..30),
        size in 1usize..8,
    ) {
        let bytes = render(&parts, true);
        let (mut whole, mut cut) = (fed(&bytes, usize::MAX), fed(&bytes, size));
        prop_assert_eq!(ours(&whole), ours(&cut));
        prop_assert_eq!(told(&mut whole), told(&mut cut));
    }
}

/// What real programs sent to a terminal of 80 by 24; see `recordings/README.md`.
#[test]
fn real_programs_look_as_in_alacritty() {
    let size = Size { columns: 80, rows: 24 };
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/screen/tests/recordings");
    let mut seen = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "out") {
            continue;
        }
        seen += 1;
        let bytes = std::fs::read(&path).unwrap();
        let mut screen = Screen::new(size);
        // After each few hundred bytes, so that pictures in the middle count.
        for (index, chunk) in bytes.chunks(401).enumerate() {
            screen.feed(chunk);
            screen.verify();
            let fed = &bytes[..index * 401 + chunk.len()];
            assert_eq!(
                ours(&screen),
                theirs_of(size, fed),
                "{} after {}",
                path.display(),
                fed.len()
            );
        }
    }
    assert!(seen > 0);
}
