//! What a person sees.

use super::*;

/// The page and the cursor after some bytes, 20 by 5.
fn shown(bytes: &str) -> (String, (u16, u16)) {
    let screen = screen(20, 5, bytes);
    (screen.page_text(), screen.cursor())
}

/// What the terminal answers to some bytes.
fn answers(bytes: &str) -> String {
    let mut out = Vec::new();
    screen(20, 5, bytes).take_answers(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn lines_scroll() {
    let lines: String = (0..9).map(|line| format!("line {line}\r\n")).collect();
    assert_eq!(page(&lines), "line 5\nline 6\nline 7\nline 8");
}

#[test]
fn the_next_row_begins_with_the_next_character() {
    let line = "x".repeat(20);
    assert_eq!(shown(&line), (line.clone(), (0, 19)));
    assert_eq!(shown(&format!("{line}y")), (format!("{line}\ny"), (1, 1)));
    assert_eq!(shown(&format!("\x1b[?7l{line}yz")), (format!("{}z", &line[1..]), (0, 19)));
}

#[test]
fn a_wide_character_that_does_not_fit_goes_to_the_next_row() {
    let line = "x".repeat(19);
    assert_eq!(shown(&format!("{line}漢")), (format!("{line}\n漢"), (1, 2)));
    assert_eq!(transcript(&format!("{line}漢")), format!("{line}漢"));
}

#[test]
fn no_character_takes_more_than_two_columns() {
    assert_eq!(shown("\u{17d8}x").1, (0, 3));
    assert_eq!(shown(&format!("{}\u{17d8}x", "y".repeat(18))).1, (1, 1));
    screen(20, 5, &"\u{17d8}".repeat(100)).verify();
}

#[test]
fn half_of_a_wide_character_is_a_blank() {
    assert_eq!(page("漢字\x1b[1;2Hx"), " x字");
    assert_eq!(page("漢字\x1b[1;3Hx"), "漢x");
    assert_eq!(page("漢字\x1b[1;2H\x1b[X\x1b[1;4Hy"), "   y");
    assert_eq!(page("漢字\x1b[1;2H\x1b[P"), " 字");
    assert_eq!(page("漢字\x1b[1;2H\x1b[@|"), " | 字");
}

#[test]
fn combining_characters_stay_with_their_base() {
    assert_eq!(shown("e\u{301}x"), ("e\u{301}x".into(), (0, 2)));
    assert_eq!(page("漢\u{301}x"), "漢\u{301}x");
    assert!(page(&format!("e{}", "\u{301}".repeat(10_000))).len() < 200);
}

#[test]
fn editing() {
    assert_eq!(page("abcdef\x1b[3G\x1b[2@"), "ab  cdef");
    assert_eq!(page("abcdef\x1b[3G\x1b[2P"), "abef");
    assert_eq!(page("abcdef\x1b[3G\x1b[2X"), "ab  ef");
    assert_eq!(page("abcdef\x1b[3G\x1b[1K"), "   def");
    assert_eq!(page("a\r\nb\r\nc\x1b[2;1H\x1b[L"), "a\n\nb\nc");
    assert_eq!(page("a\r\nb\r\nc\x1b[2;1H\x1b[M"), "a\nc");
    assert_eq!(page("a\r\nb\r\nc\x1b[S"), "b\nc");
    assert_eq!(page("a\r\nb\r\nc\x1b[T"), "\na\nb\nc");
    assert_eq!(page("abc\x1b[1G\x1b[4hxy\x1b[4l"), "xyabc");
    assert_eq!(page("ab\x1b[3b"), "abbbb");
}

#[test]
fn regions() {
    assert_eq!(page("1\r\n2\r\n3\r\n4\r\n5\x1b[2;4r\x1b[4;1H\r\nx"), "1\n3\n4\nx\n5");
    assert_eq!(page("1\r\n2\r\n3\r\n4\r\n5\x1b[2;4r\x1b[2;1H\x1bMx"), "1\nx\n2\n3\n5");
    assert_eq!(shown("\x1b[2;4r\x1b[?6h\x1b[1;1Hx\x1b[9;9H").1, (3, 8));
}

#[test]
fn changing_the_column_mode_clears_the_page_where_mode_40_allows_it() {
    assert_eq!(page("text\x1b[?3h\x1b[?3l"), "text");
    assert_eq!(page("\x1b[?40htext\x1b[?40l\x1b[?3l"), "text");
    assert_eq!(shown("\x1b[?40htext\x1b[2;3r\x1b[4;4H\x1b[?3h"), (String::new(), (0, 0)));
    assert_eq!(page("\x1b[?40h\x1b[2;3r\x1b[?3l\x1b[9Bx"), "\n\n\n\nx");
    assert_eq!(transcript("text\x1b[?40h\x1b[?3lmore"), "text\nmore");
}

#[test]
fn line_drawing() {
    assert_eq!(page("\x1b(0lqk\x1b(B q"), "┌─┐ q");
    assert_eq!(page("\x1b(0_q_q"), " ─ ─");
    assert_eq!(page("\x1b)0\x0elqk\x0f q"), "┌─┐ q");
}

#[test]
fn tab_stops() {
    assert_eq!(page("\x1b[3g\x1b[5G\x1bH\r\tx\ty"), "    x              y");
    assert_eq!(shown("\x1b[2Ia\x1b[Z").1, (0, 16));
    // Behind the last column there is no stop to go to; what follows is in the next row.
    let line = "x".repeat(20);
    assert_eq!(page(&format!("{line}\ty")), format!("{line}\ny"));
    assert_eq!(page(&format!("{line}\x1b[Iy")), format!("{line}\ny"));
}

#[test]
fn a_line_goes_on_behind_a_tab_that_is_printed_over() {
    let line = "x".repeat(17);
    let shifted = format!("{line}\t# \x1b[H\x1b[@\x1b[1;18H");
    let whole = screen(20, 5, &format!("{shifted}abc"));
    let mut cut = screen(20, 5, &shifted);
    ["a", "b", "c"].iter().for_each(|c| cut.feed(c.as_bytes()));
    assert_eq!(cut.dump(), whole.dump());
    // The two rows are one line, so nothing moves the cursor between them.
    assert!(String::from_utf8(whole.dump()).unwrap().contains("abc \x1b"));
}

#[test]
fn programs_get_answers() {
    assert_eq!(answers("ab\r\nc\x1b[6n"), "\x1b[2;2R");
    assert_eq!(answers("\x1b[c\x1b[>c"), "\x1b[?62;22c\x1b[>1;10;0c");
    assert_eq!(answers("\x1b[18t"), "\x1b[8;5;20t");
    assert_eq!(answers("\x1b]11;?\x07"), "\x1b]11;rgb:0000/0000/0000\x07");
    assert_eq!(answers("\x1b]10;?\x1b\\"), "\x1b]10;rgb:e5e5/e5e5/e5e5\x1b\\");
    assert_eq!(answers("\x1b]4;196;?\x07"), "\x1b]4;196;rgb:ffff/0000/0000\x07");
    assert_eq!(
        answers("\x1b[?2004h\x1b[?2004$p\x1b[?7$p\x1b[?9999$p"),
        "\x1b[?2004;1$y\x1b[?7;1$y\x1b[?9999;0$y"
    );
    assert_eq!(answers("\x1bP$qm\x1b\\\x1bP+q544e\x1b\\"), "\x1bP1$r0m\x1b\\\x1bP0+r\x1b\\");
    assert!(answers("\x1b[>q").contains("mcp-repl"));
    assert!(answers(&"\x1b[6n".repeat(1_000_000)).len() < 1 << 17);
}

#[test]
fn titles() {
    assert_eq!(screen(20, 5, "\x1b]2;a;b\x07").title(), "a;b");
    assert_eq!(screen(20, 5, "\x1b]0;a\x07\x1b[22t\x1b]0;b\x07\x1b[23t").title(), "a");
}

#[test]
fn strings_without_end_do_not_fill_the_memory() {
    let mut screen = screen(20, 5, "a\x1b]0;");
    let chunk = vec![b'x'; 1 << 20];
    (0..100).for_each(|_| screen.feed(&chunk));
    screen.feed(b"\x07b\x1bPq");
    (0..100).for_each(|_| screen.feed(&chunk));
    screen.feed(b"\x1b\\c");
    assert_eq!(screen.page_text(), "abc");
    assert!(screen.title().len() <= 1024);
}

#[test]
fn nothing_makes_it_panic() {
    for action in '@'..='~' {
        for params in ["", "0", "65535", "65535;65535", "1;65535", "65535;1", "3;2"] {
            for (columns, rows) in [(1, 1), (2, 2), (20, 5)] {
                let mut screen = screen(columns, rows, "漢x\tyz\r\n");
                for private in ["", "?", ">", "!", " ", "$"] {
                    screen.feed(format!("\x1b[{private}{params}{action}漢e\u{301}\t").as_bytes());
                    screen.feed(format!("\x1b[{params}{private}{action}\x1b[2;2H").as_bytes());
                }
                screen.resize(Size { columns: 0, rows: 0 });
                screen.resize(Size { columns: 7, rows: 3 });
                told(&mut screen);
                screen.dump();
            }
        }
    }
}
