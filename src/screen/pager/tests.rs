//! What is read of a pager, page by page.

use proptest::prelude::*;

use super::{Place, place};
use crate::screen::{Screen, Size};

fn screen() -> Screen {
    Screen::new(Size { columns: 20, rows: 4 })
}

/// What was not told yet of the rows above the cursor.
fn above(screen: &mut Screen) -> String {
    let mut text = String::new();
    screen.report_above_cursor(&mut text);
    text
}

#[test]
fn pages_of_the_alternate_screen_join_without_repeats() {
    let mut screen = screen();
    screen.feed(b"before\r\n\x1b[?1049h\x1b[H1\r\n2\r\n3\r\n:");
    assert_eq!(above(&mut screen), "1\n2\n3\n");
    screen.feed(b"\r\x1b[K4\r\n5\r\n6\r\n:");
    assert_eq!(above(&mut screen), "4\n5\n6\n");
    // The last page scrolls by what is left.
    screen.feed(b"\r\x1b[K7\r\n(END)");
    assert_eq!(above(&mut screen), "7\n");
    screen.feed(b"\r\x1b[K\x1b[?1049lafter\r\n");
    let mut text = String::new();
    screen.report(&mut text);
    assert_eq!(text, "before\nafter\n");
}

#[test]
fn a_prompt_on_the_primary_screen_is_no_text() {
    let mut screen = screen();
    screen.feed(b"1\r\n1\r\n1\r\n--More--");
    assert_eq!(above(&mut screen), "1\n1\n1\n");
    screen.feed(b"\r\x1b[K1\r\n2\r\n$ ");
    let mut text = String::new();
    screen.report(&mut text);
    assert_eq!(text, "1\n2\n$ ");
}

#[test]
fn tildes_of_the_text_are_told_and_those_that_fill_the_page_are_not() {
    let mut screen = screen();
    screen.feed(b"\x1b[?1049h\x1b[H~\r\n\x1b[1m~\x1b[m\r\n\x1b[1m~\x1b[m\r\n\x1b[7m(END)\x1b[27m");
    assert_eq!(above(&mut screen), "~\n");
}

#[test]
fn long_lines_are_joined() {
    let mut screen = screen();
    screen.feed(b"\x1b[?1049h\x1b[H12345678901234567890123\r\nx\r\n:");
    assert_eq!(above(&mut screen), "12345678901234567890123\nx\n");
}

/// Pages as `less` prints them: a blank makes a line that is wider than the page wrap.
#[test]
fn a_line_that_a_page_ends_in_is_told_whole() {
    for start in ["", "\x1b[?1049h\x1b[H"] {
        let mut screen = screen();
        screen.feed(start.as_bytes());
        screen.feed(b"1\r\n2\r\n12345678901234567890\x1b[m \x08\x1b[m\x1b[7m:\x1b[27m\x1b[K");
        assert_eq!(above(&mut screen), "1\n2\n");
        screen.feed(b"\r\x1b[Kxyz\r\n4\r\n5\r\n\x1b[7m:\x1b[27m\x1b[K");
        assert_eq!(above(&mut screen), "12345678901234567890xyz\n4\n5\n");
        screen.feed(b"\r\x1b[K12345678901234567890\x1b[m \x08x\r\n6\r\n\x1b[7m(END)\x1b[27m\x1b[K");
        assert_eq!(above(&mut screen), "12345678901234567890x\n6\n");
    }
}

#[test]
fn a_line_that_a_page_ends_in_is_told_when_the_pager_goes_elsewhere() {
    let mut screen = screen();
    screen
        .feed(b"\x1b[?1049h\x1b[H1\r\n2\r\n12345678901234567890\x1b[m \x08\x1b[7m:\x1b[27m\x1b[K");
    assert_eq!(above(&mut screen), "1\n2\n");
    screen.feed(b"\r\x1b[K\x1b[H\x1b[2J8\r\n9\r\n\x1b[7m:\x1b[27m\x1b[K");
    assert_eq!(above(&mut screen), "12345678901234567890\n8\n9\n");
}

#[test]
fn a_line_longer_than_a_page_is_told_page_by_page() {
    let mut screen = screen();
    let row = "12345678901234567890\x1b[m \x08";
    screen.feed(format!("{row}{row}{row}\x1b[7m:\x1b[27m\x1b[K").as_bytes());
    let mut text = above(&mut screen);
    assert_eq!(text.len(), 60);
    screen.feed(format!("\r\x1b[K{row}xyz\r\n\x1b[7m(END)\x1b[27m\x1b[K").as_bytes());
    text.push_str(&above(&mut screen));
    assert_eq!(text, "12345678901234567890".repeat(4) + "xyz\n");
}

#[test]
fn what_a_pager_showed_last_is_not_lost() {
    let mut screen = screen();
    screen.feed(b"\x1b[?1049h\x1b[H1\r\n2\r\n3\r\n:");
    assert_eq!(above(&mut screen), "1\n2\n3\n");
    screen.feed(b"\r\x1b[K4\r\n5\r\n\r\x1b[K\x1b[?1049lafter\r\n");
    assert_eq!(screen.take_closed_pager(), "4\n5\n");
    assert_eq!(screen.take_closed_pager(), "");
    // All of it was read, but for a line that went on below the prompt.
    screen.feed(b"\x1b[?1049h\x1b[H1\r\n2\r\n12345678901234567890:");
    assert_eq!(above(&mut screen), "1\n2\n");
    screen.feed(b"\r\x1b[K\x1b[?1049l");
    assert_eq!(screen.take_closed_pager(), "12345678901234567890\n");
}

/// What a pager prints between two keys; not always in an order that makes sense.
fn between_keys() -> impl Strategy<Value = String> {
    let row = "12345678901234567890\x1b[m \x08";
    let part = prop_oneof![
        6 => "[a-z ]{0,12}\r\n",
        2 => prop::sample::select(vec!["漢字\r\n", "e\u{301}\r\n", "~\r\n", "\ta\r\n", "\r\n"])
            .prop_map(str::to_owned),
        2 => Just(row.to_owned()),
        2 => Just("\x1b[1m~\x1b[m\r\n".to_owned()),
        1 => prop::sample::select(vec!["\x1b[H\x1b[2J", "\x1b[H\x1b[J", "\x1b[H\x1bM", "\x1b[K"])
            .prop_map(str::to_owned),
        1 => prop::sample::select(vec![
            "\x1b[?1049h\x1b[H", "\x1b[?1049l", "\x1b[?47h", "\x1b[?47l", "\x1b[?1047l", "\x1bc",
        ])
        .prop_map(str::to_owned),
    ];
    let prompt = prop::sample::select(vec![
        "\x1b[7m:\x1b[27m\x1b[K",
        "\x1b[7m(END)\x1b[27m\x1b[K",
        "--More--",
        "lines 1-3/9 (END)",
        "/needle",
        "",
    ]);
    (prop::collection::vec(part, 0..6), prompt)
        .prop_map(|(parts, prompt)| format!("\r\x1b[K{}{prompt}", parts.concat()))
}

/// What a call is told after each key, the prompt included, and what is left at the end.
fn read(pages: &[String], chunk: usize) -> (Vec<(Option<Place>, String)>, String, String) {
    let mut screen = screen();
    screen.feed(b"before\r\n\x1b[?1049h\x1b[H");
    let read = |page: &String| {
        page.as_bytes().chunks(chunk).for_each(|chunk| screen.feed(chunk));
        screen.verify();
        let mut text = String::new();
        let place = place("less", &screen);
        match &place {
            Some(place) => screen.report_pager("less", place, &mut text),
            None => screen.report_above_cursor(&mut text),
        }
        (place, text)
    };
    let told = pages.iter().map(read).collect();
    screen.feed(b"\r\x1b[K\x1b[?1049l");
    let mut rest = String::new();
    screen.report(&mut rest);
    (told, screen.take_closed_pager(), rest)
}

proptest! {
    #[test]
    fn cutting_what_a_pager_prints_changes_nothing(
        pages in prop::collection::vec(between_keys(), 1..8),
        chunk in 1usize..9,
    ) {
        prop_assert_eq!(read(&pages, chunk), read(&pages, usize::MAX));
    }
}
