//! What a smaller terminal shows of a page.

use super::*;

const LARGE: Size = Size { columns: 20, rows: 6 };
const SMALL: Size = Size { columns: 8, rows: 3 };

/// A terminal of this size, on which other things stood, with the part of a page of these bytes.
fn cropped(bytes: &str, size: Size) -> Screen {
    let mut page = Screen::new(LARGE);
    page.feed(bytes.as_bytes());
    let mut small = Screen::new(size);
    // Whatever a program has left.
    small.feed("\x1b[?1049h\x1b[31;44mxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x1b[2;3r\x1b[?6h\x1b[4h\x0e\x1b)0".as_bytes());
    small.feed(&page.dump_crop(size));
    small.verify();
    small
}

#[test]
fn rows_are_cut_at_the_width_and_the_cursor_is_to_be_seen() {
    let rows: String = (1..=6).map(|n| format!("\x1b[{n};1Hrow {n} of the page")).collect();
    for (cursor, page, place) in [
        ("\x1b[H", "row 1 of\nrow 2 of\nrow 3 of", (0, 0)),
        ("\x1b[3;8H", "row 1 of\nrow 2 of\nrow 3 of", (2, 7)),
        ("\x1b[5;2H", "row 3 of\nrow 4 of\nrow 5 of", (2, 1)),
        ("\x1b[6;17H", "the page\nthe page\nthe page", (2, 7)),
        ("\x1b[6;20H", " page\n page\n page", (2, 7)),
    ] {
        let small = cropped(&format!("{rows}{cursor}"), SMALL);
        assert_eq!((small.page_text().as_str(), small.cursor()), (page, place), "{cursor:?}");
    }
    // One that is larger in one way only shows all that there is in the other.
    let low = cropped(&format!("{rows}\x1b[H"), Size { columns: 30, rows: 2 });
    assert_eq!(low.page_text(), "row 1 of the page\nrow 2 of the page");
    let narrow = cropped(&format!("{rows}\x1b[H"), Size { columns: 5, rows: 8 });
    assert_eq!(narrow.page_text(), "row 1\nrow 2\nrow 3\nrow 4\nrow 5\nrow 6");
}

#[test]
fn wide_characters_are_not_split() {
    let text = "1234567漢x\x1b[2;1H漢漢漢漢漢漢\x1b[H";
    assert_eq!(cropped(text, SMALL).page_text(), "1234567\n漢漢漢漢");
    // From the second column on, the first one is cut.
    let shifted = cropped("漢漢漢漢漢\x1b[1;9H", SMALL);
    assert_eq!(shifted.page_text(), " 漢漢漢x"[..10].to_owned());
    assert_eq!(cropped("e\u{301}a\x1b[H", SMALL).page_text(), "e\u{301}a");
}

#[test]
fn nothing_of_what_stood_there_is_left() {
    let mut page = Screen::new(SMALL);
    page.feed(b"\x1b[?1049h\x1b[44mab\x1b[K\x1b[2;3H\x1b[31mcd\x1b[m\tx\x1b[1;2H");
    let small = {
        let mut small = Screen::new(SMALL);
        small.feed(b"\x1b[?1049h\x1b[41mxxxxxxxxxxxxxxxxxxxxxxxxxx\x1b[2;3r\x1b[?6h\x1b[4h");
        small.feed(&page.dump_crop(SMALL));
        small
    };
    let looks = |screen: &Screen| {
        let lines = screen.terminal().page().rows.iter();
        let cells = lines.map(|row| {
            let (cells, _) = row.to_cells();
            (0..8)
                .map(|column| cells.get(column).map_or(row.fill, |cell| cell.style.background))
                .collect::<Vec<_>>()
        });
        cells.collect::<Vec<_>>()
    };
    assert_eq!(small.page_text(), page.page_text());
    assert_eq!(looks(&small), looks(&page));
    assert_eq!(small.cursor(), (0, 1));
}
