//! A dump repaints a fresh screen to be equal.

use proptest::prelude::*;

use super::super::cell::Glyph;
use super::super::cursor::Cursor;
use super::super::page::Page;
use super::super::row::LineEnd;
use super::super::terminal::Terminal;
use super::*;

/// What of a screen a dump must bring back, as text.
pub(super) fn state(screen: &Screen) -> String {
    let terminal = screen.terminal();
    let mut out = page_state(terminal, &terminal.primary);
    if terminal.on_alternate {
        out += &cursor_state(terminal, &terminal.saved[0]);
        out += &page_state(terminal, &terminal.alternate);
    }
    out += &cursor_state(terminal, &terminal.saved[usize::from(terminal.on_alternate)]);
    out += &cursor_state(terminal, &terminal.cursor);
    out + &format!(
        "{:?} {:?} {:?} {:?}",
        terminal.region, terminal.modes, terminal.tabs, terminal.title.text
    )
}

fn style_state(terminal: &Terminal, style: super::super::style::Style) -> String {
    let extra = terminal.extras.get(style.extra);
    let mut out = String::new();
    style.visible().write_sgr(extra.underline_color, &mut out);
    format!("{out}{:?}", extra.link)
}

fn page_state(terminal: &Terminal, page: &Page) -> String {
    let mut out = String::new();
    for row in &page.rows {
        let (cells, clusters) = row.to_cells();
        for column in 0..page.columns {
            let (text, style) = match cells.get(column) {
                Some(cell) if cell.glyph == Glyph::WIDE_TAIL => ("<".to_owned(), cell.style),
                Some(cell) => match cell.glyph.as_cluster() {
                    Some(index) => (seen(&clusters[index]), cell.style),
                    None => (cell.glyph.as_char().to_string(), cell.style),
                },
                None => (" ".to_owned(), super::super::style::Style::erased(row.fill)),
            };
            out += &style_state(terminal, style);
            out += &text;
        }
        out += if row.end == LineEnd::Wrapped { "+\n" } else { "\n" };
    }
    out.replace("\x1b[0mNone", "|")
}

fn cursor_state(terminal: &Terminal, cursor: &Cursor) -> String {
    let Cursor { row, column, pending_wrap, origin, charsets, pen, underline_color } = *cursor;
    let mut charsets = charsets;
    charsets.single = None;
    let link = terminal.extras.get(pen.extra).link;
    let mut sgr = String::new();
    pen.visible().write_sgr(underline_color, &mut sgr);
    format!("{row} {column} {pending_wrap} {origin} {charsets:?} {sgr} {link:?}\n")
}

pub(super) fn repainted(screen: &Screen) -> Screen {
    let mut fresh = Screen::new(screen.size());
    fresh.feed(&screen.dump());
    fresh
}

#[track_caller]
fn comes_back(bytes: &str) {
    let screen = screen(12, 5, bytes);
    assert_eq!(
        state(&repainted(&screen)),
        state(&screen),
        "{:?}",
        String::from_utf8(screen.dump())
    );
}

#[test]
fn text_and_styles_come_back() {
    comes_back("plain\r\n\x1b[1;31;44mred\x1b[0m \x1b[4:3;58:5:9mcurly\x1b[m\r\n");
    comes_back("\x1b[38;2;1;2;3;48;5;200;53;9mx\x1b[7m");
    comes_back("\x1b]8;id=1;http://a/b\x07link\x1b]8;;\x07 \x1b]8;;x:y\x07z");
    comes_back("漢字e\u{301}\tx\r\n12345678901漢");
}

#[test]
fn wrapped_lines_come_back_as_one() {
    comes_back("a line that is longer than the page\r\nx");
    comes_back("exactly12col");
    comes_back("twelve 1234 and more\x1b[2;1H\x1b[X");
    comes_back("twelve 1234 and more\r\x1b[44m\x1b[12X");
}

#[test]
fn erased_colours_come_back() {
    comes_back("\x1b[41mabc\x1b[K\r\n\x1b[42mde\x1b[Jf\x1b[m\x1b[2;2H\x1b[3X");
}

#[test]
fn the_alternate_screen_comes_back_over_the_primary() {
    comes_back("shell\r\n$ vim\x1b[31m\x1b[?1049h\x1b[2J\x1b[3;3Hedit\x1b[?25l");
    let screen = screen(12, 5, "shell\r\n$ \x1b[?1049h\x1b[2J\x1b[Hedit");
    let mut again = repainted(&screen);
    again.feed(b"\x1b[?1049l");
    assert_eq!(again.page_text(), "shell\n$");
}

#[test]
fn modes_and_settings_come_back() {
    comes_back("\x1b[?2004h\x1b[?1000;1006h\x1b[?1h\x1b=\x1b[5 q\x1b[?7l\x1b[4h\x1b[20h\x1b[?25l");
    comes_back("\x1b[2;4r\x1b[?6h\x1b[2;3Hx\x1b7\x1b[1;1H\x1b[3g\x1b[7G\x1bH\x1b(0\x0e");
    comes_back("\x1b]2;a title\x07");
}

#[test]
fn each_mode_comes_back() {
    // What a program switches that a terminal elsewhere has to know: how keys, the mouse, pastes
    // and the focus are sent, and how the cursor looks.
    for mode in
        [1, 5, 9, 12, 66, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2031]
    {
        let screen = screen(12, 5, &format!("\x1b[?{mode}h"));
        let dump = String::from_utf8(screen.dump()).unwrap();
        let keypad = mode == 66 && dump.contains("\x1b=");
        assert!(keypad || dump.contains(&format!("\x1b[?{mode}h")), "{mode}: {dump:?}");
        assert_eq!(state(&repainted(&screen)), state(&screen), "{mode}");
    }
    for shape in 1..=6 {
        comes_back(&format!("\x1b[{shape} q"));
    }
    comes_back("\x1b[?1049h\x1b[?1002h\x1b[?1006h\x1b[?1004h\x1b[?2004h\x1b[?25l\x1b=");
}

fn piece() -> impl Strategy<Value = String> {
    let number = prop_oneof![4 => 0..15u16, 1 => Just(u16::MAX)];
    prop_oneof![
        6 => "[!-~ ]{1,20}",
        2 => prop::sample::select(vec!["漢字漢", "e\u{301}", "😀", "\u{301}", "─┼", "\u{17d8}"]).prop_map(str::to_owned),
        3 => "[\r\n\t\x08\x0e\x0f]{1,3}",
        6 => (number.clone(), number.clone(), "[@-~]").prop_map(|(a, b, f)| format!("\x1b[{a};{b}{f}")),
        3 => (number.clone(), "[@-~]").prop_map(|(a, f)| format!("\x1b[{a}{f}")),
        2 => prop::collection::vec(number, 1..4).prop_map(|n| {
            format!("\x1b[{}m", n.iter().map(u16::to_string).collect::<Vec<_>>().join(";"))
        }),
        2 => "\x1b[\\(\\)\\*+]?[0-9A-Zc-~]",
        2 => (prop::sample::select(vec![1u16, 6, 7, 25, 47, 1000, 1006, 1047, 1049, 2004]), "[hl]")
            .prop_map(|(mode, action)| format!("\x1b[?{mode}{action}")),
        1 => "\x1b\\]8;;[a-z]{0,3}\x07",
        1 => "\x1b\\]0;[a-z]{0,3}\x07",
        1 => "\x1b\\[4:[0-5];58:5:[0-9]m",
        1 => "\x1b\\[[<=>][0-9];[0-3]u",
        1 => "\x1b\\[>4;[0-2]m",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_screen_comes_back(
        pieces in prop::collection::vec(piece(), 1..40),
        (columns, rows) in (2u16..14, 1u16..6),
    ) {
        let screen = screen(columns, rows, &pieces.concat());
        screen.verify();
        let again = repainted(&screen);
        prop_assert_eq!(state(&again), state(&screen), "{:?}", String::from_utf8(screen.dump()));
        prop_assert_eq!(repainted(&again).dump(), again.dump());
    }

    #[test]
    fn what_stands_on_another_terminal_stays_when_a_screen_is_shown_there(
        pieces in prop::collection::vec(piece(), 1..20),
        lines in 0usize..4,
    ) {
        let shown = screen(12, 5, &pieces.concat());
        let mut other = screen(12, 5, &"before\r\n".repeat(lines));
        other.feed(&shown.dump_in_line());
        other.verify();
        prop_assert_eq!(&other.terminal().modes, &shown.terminal().modes);
        prop_assert_eq!(other.is_alternate(), shown.is_alternate());
        prop_assert_eq!(other.cursor().1, shown.cursor().1);
        if shown.is_alternate() {
            prop_assert_eq!(other.page_text(), shown.page_text());
        } else {
            let page = shown.page_text();
            let text = other.page_text();
            prop_assert!(text.ends_with(page.trim_start_matches('\n')), "{:?} {:?}", text, page);
        }
        let mut all = String::new();
        other.drain(&mut |text: &str| all.push_str(text));
        other.report(&mut all);
        if !shown.is_alternate() {
            prop_assert_eq!(all.matches("before").count() >= lines, true, "{:?}", all);
        }
    }

    #[test]
    fn any_bytes_leave_a_sound_screen(
        pieces in prop::collection::vec(prop_oneof![
            3 => piece().prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>(), 1..10),
        ], 1..30),
        sizes in prop::collection::vec((0u16..20, 0u16..8), 1..4),
        size in 1usize..9,
    ) {
        let bytes = pieces.concat();
        let (mut whole, mut cut) = (screen(9, 4, ""), screen(9, 4, ""));
        for part in bytes.chunks(bytes.len().div_ceil(sizes.len())) {
            whole.feed(part);
            part.chunks(size).for_each(|chunk| cut.feed(chunk));
        }
        prop_assert_eq!(state(&whole), state(&cut));
        prop_assert_eq!(told(&mut whole), told(&mut cut));
        for (columns, rows) in sizes {
            whole.resize(Size { columns, rows });
            whole.verify();
            whole.feed(&bytes);
            whole.verify();
            told(&mut whole);
        }
    }
}
