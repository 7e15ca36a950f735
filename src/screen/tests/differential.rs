//! The page compared with `alacritty_terminal`'s, fed the same sequences.
//!
//! Where the two differ on purpose, the sequences are written so that it does not show:
//!
//! - HT behind the last column does not wrap (xterm); alacritty goes to the next row.
//! - Moving by a row stops at the margins of the scroll region, CHA does not move the row in
//!   origin mode, IL and DL return the carriage, CBT ends a pending wrap (xterm).
//! - SO and SI are saved with the cursor (VT220).
//! - Erasing, inserting or deleting half of a wide character blanks the other half.
//! - alacritty's DCH erases too much when asked for more than is there, and its ED 1 leaves row
//!   0 when the cursor is in row 1.

use proptest::prelude::*;

use super::alacritty::{Alacritty, Picture, ours};
use super::*;

const COLUMNS: u16 = 12;
const ROWS: u16 = 6;

fn theirs(bytes: &[u8]) -> Picture {
    let mut alacritty = Alacritty::new(Size { columns: COLUMNS, rows: ROWS });
    alacritty.feed(bytes);
    alacritty.picture()
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
        1 => count.clone().prop_map(|n| Sent::Whole(format!("\x1b[{n}I"))),
        1 => (column.clone(), count.clone())
            .prop_map(|(c, n)| Sent::Whole(format!("\x1b[{c}G\x1b[{n}Z"))),
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
            "\x1b[3;9m", "\x1b[38:2::9:8:7m", "\x1b[97;104m", "\x1b[2;8m", "\x1b[4:3;58:5:9m",
            "\x1b[59;28m"])
            .prop_map(|text| Sent::Whole(text.to_owned())),
        1 => "[a-z ]{1,9}"
            .prop_map(|text| Sent::Text(format!("\x1b]8;;http://a/b\x07{text}\x1b]8;;\x07"))),
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
