//! What an agent reads.

use proptest::prelude::*;

use super::*;

/// Feeds parts and reports after each; `None` switches echo.
fn reports<'a>(parts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut screen = screen(20, 5, "");
    let report = |part: &str| {
        screen.feed(part.as_bytes());
        told(&mut screen)
    };
    parts.into_iter().map(report).collect()
}

#[test]
fn lines_are_told_as_printed() {
    assert_eq!(transcript("hello\r\n\r\nworld\r\n"), "hello\n\nworld\n");
    assert_eq!(transcript("no end"), "no end");
    assert_eq!(transcript("trailing  \r\n"), "trailing  \n");
}

#[test]
fn a_progress_bar_is_its_last_state() {
    let bar: String = (0..=1000).map(|step| format!("\rstep {step}")).collect();
    assert_eq!(transcript(&format!("{bar}\r\ndone\r\n")), "step 1000\ndone\n");
}

#[test]
fn blank_lines_are_kept() {
    assert_eq!(transcript(&"\r\n".repeat(10_000)), "\n".repeat(10_000));
}

#[test]
fn a_long_line_is_joined() {
    let line = "0123456789".repeat(50);
    assert_eq!(transcript(&format!("{line}\r\nnext")), format!("{line}\nnext"));
}

#[test]
fn a_line_of_the_width_of_the_page_makes_no_blank_line() {
    let line = "x".repeat(20);
    assert_eq!(transcript(&format!("{line}\r\n{line}\r\n")), format!("{line}\n{line}\n"));
}

#[test]
fn tabs_are_told_as_tabs() {
    let code = "\tif x:\r\n\t\treturn\ty\r\na\tb\t\r\n";
    assert_eq!(transcript(code), code.replace("\r\n", "\n"));
    // Also behind the last column, where the cursor has nowhere to go.
    assert_eq!(transcript("0123456789abcdefgh\t\t\ti\tj\r\n"), "0123456789abcdefgh\t\t\ti\tj\n");
    // A tab over what was printed is a movement.
    assert_eq!(transcript("0123456789\r\tX\r\n"), "01234567X9\n");
    // One that was printed over is none any more.
    assert_eq!(transcript("a\tb\rabc\r\n"), "abc     b\n");
}

#[test]
fn backspace_and_erase_are_applied() {
    assert_eq!(transcript("typo\x08\x08\x08\x08word\r\n"), "word\n");
    assert_eq!(transcript("working...\r\x1b[Kdone\r\n"), "done\n");
    assert_eq!(transcript("1\r\n2\r\n\x1b[2A\x1b[Jx"), "x");
}

/// A line that is cleared with blanks, in the ways that programs do it, on a page of 20 columns.
const CLEARED: [&str; 10] = [
    // tqdm: as many as there were characters.
    "50%|####|\r         \r",
    // Others: more than there were, or all of the row, or twice.
    "50%|####|\r               \r",
    "50%|####|\r                    \r",
    "50%|####|\r         \r            \r",
    "50%\x08\x08\x08   \x08\x08\x08",
    "abc\x08 \x08\x08 \x08\x08 \x08",
    "50%|█漢é|\r               \r",
    "a\tb|\r                  \r",
    "50%|\x1b[32m###\x1b[0m|\r         \r",
    "50%|####|\r      \x1b[K\r",
];

#[test]
fn what_was_cleared_with_blanks_is_gone() {
    for cleared in CLEARED {
        assert_eq!(transcript(cleared), "", "{cleared:?}");
        assert_eq!(transcript(&format!("{cleared}\r\nx")), "\nx", "{cleared:?}");
        assert_eq!(transcript(&format!("{cleared}at 7\r\nx")), "at 7\nx", "{cleared:?}");
        assert_eq!(reports([cleared, "a b", " c"]).concat(), "a b c", "{cleared:?}");
    }
}

#[test]
fn blanks_behind_text_that_was_never_longer_are_kept() {
    for (bytes, text) in [
        ("trailing  \r\n", "trailing  \n"),
        ("   \r\n", "   \n"),
        ("> \r> \r\n", "> \n"),
        ("99% \r100% \r\n", "100% \n"),
        ("漢  \r\n", "漢  \n"),
        ("a\t \r\n", "a\t \n"),
        ("a\x1b[31m \x1b[0m \r\n", "a  \n"),
        // As more does over its prompt.
        ("--More--(38%)\rline 40   \x1b[K\r\n", "line 40   \n"),
        // What is longer than the page stays one line.
        ("0123456789012345678 x\r\n", "0123456789012345678 x\n"),
        ("012345678901234567890 x \r\n", "012345678901234567890 x \n"),
        // Also where blanks cleared its last column.
        ("\x1b[19C#\r                    \r0123456789012345678 x\r\n", "0123456789012345678 x\n"),
    ] {
        assert_eq!(transcript(bytes), text, "{bytes:?}");
    }
}

#[test]
fn a_shorter_text_that_blanks_fill_up_has_none_behind_it() {
    assert_eq!(transcript("step100/200\rdone       \r\n"), "done\n");
    assert_eq!(transcript("50%|####|\r  ok     \r\n"), "  ok\n");
    assert_eq!(transcript("12345 1 2\rabc      \r\n"), "abc\n");
    // Up to the first character that goes, what is there already stays.
    assert_eq!(transcript("step 100 of 200\rdone           \r\n"), "done \n");
}

#[test]
fn resizing_makes_no_blanks_of_what_was_cleared() {
    for cleared in CLEARED {
        let mut screen = screen(20, 5, &format!("{cleared}ok\r\n{cleared}"));
        screen.resize(Size { columns: 6, rows: 5 });
        screen.feed(b"\r\nend");
        assert_eq!(told(&mut screen), "ok\n\nend", "{cleared:?}");
    }
}

proptest! {
    #[test]
    fn where_blanks_are_cut_changes_nothing(
        parts in prop::collection::vec(prop::sample::select(&[
            " ", "  ", "          ", "                    ", "\r", "\x08", "\r\n", "a", "abc", "漢",
            "é", "\t", "e\u{301}", "\x1b[3G", "\x1b[K", "\x1b[2X", "\x1b[A", "\x1b[7m", "\x1b[m",
            "\x1b[44m", "\x1b[1@", "\x1b[2P", "\x1b[1K", "\x1b[J", "01234567890123456789",
            "\x1b[?7l", "\x1b[?7h", "a b ",
        ][..]), 0..40),
        size in 1usize..12,
    ) {
        let bytes = parts.concat().into_bytes();
        let fed = |size: usize| {
            let mut screen = screen(20, 5, "");
            for chunk in bytes.chunks(size) {
                screen.feed(chunk);
                screen.verify();
            }
            let again = super::dump::repainted(&screen);
            assert_eq!(super::dump::state(&again), super::dump::state(&screen));
            assert_eq!(super::dump::repainted(&again).dump(), again.dump());
            let all = told(&mut screen);
            assert_eq!(told(&mut screen), "", "nothing new was printed");
            all
        };
        prop_assert_eq!(fed(size), fed(usize::MAX));
    }
}

#[test]
fn colours_and_titles_are_dropped() {
    assert_eq!(transcript("\x1b]0;title\x07\x1b[1;31mred\x1b[0m plain\r\n"), "red plain\n");
}

#[test]
fn a_page_that_is_cleared_was_read() {
    for clear in ["\x1b[H\x1b[2J", "\x1b[2J\x1b[H", "\x1b[H\x1b[J", "\x1b[H\x1b[2J\x1b[3J", "\x1bc"]
    {
        assert_eq!(transcript(&format!("before\r\n> {clear}after")), "before\n> \nafter");
    }
}

#[test]
fn the_alternate_screen_is_not_told() {
    let mut screen = screen(20, 5, "before\r\n\x1b[?1049h\x1b[2J\x1b[Hvim\r\n\n\n\n\n\n\n");
    assert!(screen.is_alternate());
    assert_eq!(told(&mut screen), "before\n");
    screen.feed(b"\x1b[?1049lafter\r\n");
    assert_eq!(told(&mut screen), "after\n");
}

#[test]
fn a_prompt_is_continued_by_what_follows_it() {
    assert_eq!(reports(["name? ", "Bob", "", "\r\n", "hi"]), ["name? ", "Bob", "", "\n", "hi"]);
}

#[test]
fn a_line_that_changed_is_told_again_whole() {
    assert_eq!(
        reports(["10%", "\r50%", "\r50%", "\r100%", "\r\nok\r\n"]),
        ["10%", "\n50%", "", "\n100%", "\nok\n"]
    );
}

#[test]
fn room_that_was_made_below_a_prompt_is_not_told() {
    // As IPython does, for menus: to the last row, a blank there, and back.
    let room = "\x1b[?7l\x1b[8D\x1b[32mIn [1]: \x1b[0m\r\r\n\r\r\n\r\r\n\x1b[0m \x08\x1b[3A\x1b[8C\x1b[?7h";
    assert_eq!(
        reports(["\r\n\x1b[J", room, "1+1", "\r\x1b[JIn [1]: 1+1\r\r\n\x1b[0m", "2\r\n"]),
        ["\n", "In [1]: ", "1+1", "\n", "2\n"]
    );
}

#[test]
fn room_below_the_cursor_is_told_once_something_stands_there() {
    assert_eq!(reports(["a\r\n\r\n\r\n\x1b[3A", "\x1b[3Bb\r\n"]), ["a", "\n\n\nb\n"]);
    assert_eq!(reports(["? \r\n\r\n[bar]\x1b[2A\r\x1b[2C", "x"]), ["? \n[bar]", "\n? x\n"]);
    // As ptpython does, with a line at the bottom of the page.
    let bar = "> \r\r\n\r\r\n \r\r\n[F4]\x1b[3A\r\x1b[2C";
    assert_eq!(reports([bar, "\x1b[3B\r\x1b[4Cx"]), ["> \n[F4]", "x"]);
    assert_eq!(reports(["a\r\n\x1b[A", "\x1b[B", "b"]), ["a", "\n", "b"]);
}

#[test]
fn nested_bars_are_told_once_a_report() {
    let draw = |a, b| format!("\router {a}%\n\rinner {b}%\x1b[A");
    let (first, second) = (draw(10, 50) + &draw(20, 30), draw(30, 40));
    assert_eq!(
        reports([first.as_str(), &second, "\r\n\r\nend\r\n"]),
        ["outer 20%\ninner 30%", "\nouter 30%\ninner 40%", "\nend\n"]
    );
}

#[test]
fn lines_that_were_told_are_not_repeated_when_they_leave() {
    let lines = "1\r\n2\r\n3\r\n4\r\n";
    assert_eq!(reports([lines, "5\r\n6\r\n7", "8\r\n"]), ["1\n2\n3\n4\n", "5\n6\n7", "8\n"]);
}

#[test]
fn a_line_rewritten_above_is_told_again() {
    assert_eq!(reports(["a\r\nb\r\n", "\x1b[2Ac\r\n\r\n", "d"]), ["a\nb\n", "c\n", "d"]);
}

#[test]
fn a_status_row_costs_no_blank_lines() {
    assert_eq!(transcript("text\r\n\x1b[5;1Hstatus"), "text\nstatus");
}

#[test]
fn what_scrolls_in_a_region_is_told() {
    // As apt does: a bar in the last row, the text above it.
    let mut bytes = String::from("\x1b[1;4r\x1b[5;1Hbar\x1b[1;1H");
    (0..10).for_each(|line| bytes += &format!("line {line}\r\n"));
    let expected: String = (0..10).map(|line| format!("line {line}\n")).collect();
    assert_eq!(transcript(&bytes), expected + "bar");
}

#[test]
fn echo_is_on_the_page_only() {
    let mut screen = screen(20, 5, "name? ");
    assert_eq!(told(&mut screen), "name? ");
    screen.set_echo(true);
    screen.feed(b"Bob\r\n");
    screen.set_echo(false);
    screen.feed(b"hello\r\n");
    assert_eq!(told(&mut screen), "hello\n");
    assert_eq!(screen.page_text(), "name? Bob\nhello");
}

#[test]
fn a_line_break_of_echo_separates_what_was_not_told() {
    let mut screen = screen(20, 5, "a? ");
    screen.set_echo(true);
    screen.feed(b"one\r\n");
    screen.set_echo(false);
    screen.feed(b"b? ");
    assert_eq!(told(&mut screen), "a? \nb? ");
}

#[test]
fn echo_of_many_lines_leaves_nothing() {
    let mut screen = screen(20, 5, "? ");
    told(&mut screen);
    screen.set_echo(true);
    screen.feed("a long answer that wraps\r\n".repeat(20).as_bytes());
    screen.set_echo(false);
    screen.feed(b"ok\r\n");
    assert_eq!(told(&mut screen), "ok\n");
}

#[test]
fn invalid_utf8_is_replaced_wherever_it_is_cut() {
    let bytes = b"a\xff\xe2\x82z\xf0\x9f\x98\x80\xe2\x82\x1b[mz\x85\xc3";
    for cut in 0..=bytes.len() {
        let mut screen = screen(20, 5, "");
        let (head, tail) = bytes.split_at(cut);
        screen.feed(head);
        screen.feed(tail);
        assert_eq!(told(&mut screen), "a\u{fffd}\u{fffd}z😀\u{fffd}z\u{fffd}", "cut at {cut}");
    }
}

#[test]
fn a_line_without_end_leaves_in_pieces() {
    let mut screen = screen(20, 5, "");
    let mut length = 0;
    for _ in 0..100 {
        screen.feed("x".repeat(1000).as_bytes());
        screen.drain(&mut |text| length += text.len());
        assert!(told(&mut screen).len() <= 100 || length == 0);
    }
}

#[test]
fn resizing_changes_no_text() {
    let text =
        "a line that is longer than the page is wide\r\nshort\r\nwide 漢字漢字漢字漢字漢字\r\n$ ";
    for columns in 1..60 {
        let mut screen = screen(20, 5, text);
        screen.resize(Size { columns, rows: 3 });
        screen.resize(Size { columns: 30, rows: 4 });
        screen.feed(b"end");
        let wide_fits = columns > 1;
        if wide_fits {
            assert_eq!(told(&mut screen), text.replace("\r\n", "\n") + "end", "{columns}");
        }
    }
}

/// Text that a program prints, without control characters but for line breaks and tabs.
fn plain_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        8 => "[ -~]{0,30}",
        4 => Just("\r\n".to_owned()),
        1 => Just("\t".to_owned()),
        1 => "[ -~]{40,90}",
        1 => prop::sample::select(vec!["漢字", "é", "e\u{301}", "😀", "🏳\u{fe0f}\u{200d}🌈", "─"])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn reports_of_plain_text_join_to_what_was_printed(
        text in plain_text(),
        cuts in prop::collection::vec((0usize..40, any::<bool>()), 1..30),
        (columns, rows) in (2u16..40, 1u16..8),
    ) {
        let mut screen = screen(columns, rows, "");
        let mut out = String::new();
        let mut rest = text.as_bytes();
        for &(length, report) in cuts.iter().cycle() {
            let (head, tail) = rest.split_at((length + 1).min(rest.len()));
            screen.feed(head);
            screen.drain(&mut |text| out.push_str(text));
            if report {
                screen.report(&mut out);
            }
            rest = tail;
            if rest.is_empty() {
                break;
            }
        }
        screen.report(&mut out);
        prop_assert_eq!(out, text.replace("\r\n", "\n"));
    }
}

#[test]
fn what_was_shown_is_told_before_it_is_scrolled_off_at_the_bottom() {
    // As less -X does when it turns back a page.
    let pages = "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9\x1b[H\x1bM4\x1b[H\x1bM3";
    assert_eq!(transcript(pages), "1\n2\n3\n4\n5\n6\n7\n8\n9\n3\n4\n");
}

#[test]
fn the_transcript_of_a_pager_without_alternate_screen() {
    let bytes = include_bytes!("recordings/less-X.out");
    let mut screen = Screen::new(Size { columns: 80, rows: 24 });
    screen.feed(bytes);
    let text = told(&mut screen);
    for line in 1..=46 {
        let number = format!("{line:7} ");
        assert!(text.lines().any(|text| text.starts_with(&number)), "line {line} in {text}");
    }
}
