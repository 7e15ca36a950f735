//! What real programs sent to a terminal of 80 by 24; see `recordings/README.md`.

use std::ops::Range;

use super::alacritty::{Alacritty, ours};
use super::dump::{repainted, state};
use super::*;

const SIZE: Size = Size { columns: 80, rows: 24 };

/// How often the pages are compared, in bytes: the pictures in the middle count.
const STEP: usize = 401;

/// A part of recordings in which the two pages differ.
struct Difference {
    /// How the names of the recordings begin.
    recordings: &'static str,
    /// After this they differ …
    from: &'static [u8],
    /// … and after this, which clears or redraws it, they are alike again.
    until: &'static [u8],
}

/// In all of them ours does what xterm does (its source, patch 379), whose author keeps vttest.
const DIFFERENCES: [Difference; 9] = [
    // CUU stops at the top margin of the region that the cursor is in; alacritty passes it.
    Difference { recordings: "vttest-2", from: b"size 2 Line 29\r\n\x1b[24A", until: b"\x1b[2J" },
    // IL and DL return the carriage (`InsertLine`, `DeleteLine`); alacritty leaves the column.
    Difference { recordings: "vttest-11-6-6", from: b"\x1b[7;8H\x1b[1L", until: b"\x1b[2J" },
    Difference { recordings: "vttest-11-6-6", from: b"\x1b[7;8H\x1b[1M", until: b"\x1b[2J" },
    // Of the modes for the alternate screen alacritty has 1049 alone.
    Difference { recordings: "vttest-11-8", from: b"\x1b[?47h", until: b"\x1b[2J" },
    Difference { recordings: "vttest-11-8", from: b"\x1b[?1047h", until: b"\x1b[2J" },
    // HT behind the last column stays there; alacritty goes to the next row.
    Difference {
        recordings: "vttest-11-5",
        from: b"\t*\t*\t*\t*\t*\t*\t*\t*\t*\t*\t",
        until: b"*",
    },
    // RIS takes back mode 40, so that DECCOLM is ignored; alacritty does not ask for the mode.
    Difference { recordings: "vttest-10", from: b"\x1b[2J\x1b[?1l\x1b[?3l", until: b"\x1b[r" },
    // DECALN sends the cursor home (`CASE_DECALN`); alacritty leaves it.
    Difference { recordings: "vttest", from: b"\x1b#8", until: b"H" },
    // So does resetting DECOM (`srm_DECOM`); in alacritty only setting it does.
    Difference { recordings: "vttest", from: b"\x1b[?6l", until: b"H" },
];

/// The recordings, with their names.
fn recordings() -> Vec<(String, Vec<u8>)> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/screen/tests/recordings");
    let paths = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension() == Some("out".as_ref())).collect();
    assert!(!paths.is_empty());
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(path).unwrap())
    };
    paths.iter().map(read).collect()
}

/// Where a sequence ends that begins at or after `start`.
fn end_of(sequence: &[u8], bytes: &[u8], start: usize) -> Option<usize> {
    Some(start + memchr::memmem::find(&bytes[start..], sequence)? + sequence.len())
}

impl Difference {
    fn concerns(&self, name: &str) -> bool {
        name.starts_with(self.recordings)
    }

    /// From the bytes after which the pages differ to those after which they are alike again.
    fn ranges(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut at = 0;
        while let Some(start) = end_of(self.from, bytes, at) {
            at = end_of(self.until, bytes, start).unwrap_or(bytes.len());
            ranges.push(start..at);
        }
        ranges
    }
}

/// Whether the two terminals show the same after each of some places in a recording.
fn alike(bytes: &[u8], places: &[usize]) -> Vec<bool> {
    let (mut screen, mut alacritty) = (Screen::new(SIZE), Alacritty::new(SIZE));
    let mut fed = 0;
    let compare = |&place: &usize| {
        screen.feed(&bytes[fed..place]);
        alacritty.feed(&bytes[fed..place]);
        screen.verify();
        fed = place;
        ours(&screen) == alacritty.picture()
    };
    places.iter().map(compare).collect()
}

#[test]
fn real_programs_look_as_in_alacritty() {
    for (name, bytes) in recordings() {
        let differences = DIFFERENCES.iter().filter(|difference| difference.concerns(&name));
        let ranges: Vec<_> = differences.flat_map(|difference| difference.ranges(&bytes)).collect();
        let mut places: Vec<usize> = (STEP..bytes.len()).step_by(STEP).collect();
        places.extend(ranges.iter().map(|range| range.end));
        places.push(bytes.len());
        places.retain(|place| !ranges.iter().any(|range| range.contains(place)));
        places.sort_unstable();
        if let Some(first) = alike(&bytes, &places).iter().position(|alike| !alike) {
            // Once more, with the two pages.
            let fed = &bytes[..places[first]];
            let (mut screen, mut alacritty) = (Screen::new(SIZE), Alacritty::new(SIZE));
            screen.feed(fed);
            alacritty.feed(fed);
            assert_eq!(ours(&screen), alacritty.picture(), "{name} after {}", fed.len());
        }
    }
}

#[test]
fn what_is_said_to_differ_from_alacritty_does() {
    let recordings = recordings();
    for difference in &DIFFERENCES {
        let differs = |(name, bytes): &(String, Vec<u8>)| {
            let starts: Vec<_> = difference.ranges(bytes).iter().map(|range| range.start).collect();
            difference.concerns(name) && alike(bytes, &starts).contains(&false)
        };
        let from = String::from_utf8_lossy(difference.from);
        assert!(recordings.iter().any(differs), "after {from:?}");
    }
}

/// The page of a recording just before it sends `sequence` for the first time.
fn page_before(name: &str, sequence: &str) -> String {
    let (_, bytes) = recordings().into_iter().find(|(other, _)| other == name).unwrap();
    let end = end_of(sequence.as_bytes(), &bytes, 0).unwrap();
    let mut screen = Screen::new(SIZE);
    screen.feed(&bytes[..end - sequence.len()]);
    screen.page_text()
}

#[test]
fn where_alacritty_differs_vttest_shows_what_it_announces() {
    // One line in a region of two rows, and the way back to the other.
    assert_eq!(
        page_before("vttest-2", "\x1b[1;24r\x1b[2J\x1b[24B"),
        "\n".repeat(11) + "Push <RETURN>\nSoft scroll down region [12..13] size 2 Line 29"
    );
    // "inserts after every second line in a list, marking cursor with '*'"
    let list = page_before("vttest-11-6-6", "\x1b[2J\x1b[1;1HThis test deletes");
    let rows: Vec<_> = list.split('\n').collect();
    let mark = |row: &&str| row.starts_with('*');
    assert_eq!(rows.iter().filter(|row| mark(row)).collect::<Vec<_>>(), [&"*"; 6]);
    assert!(rows.iter().skip(6).step_by(3).all(mark), "{list}");
    // "The original screen should be restored"
    for (before, restored) in
        [("\x1b[?47h", "\x1b8\x1b[6n"), ("\x1b[?1047h", "\x1b8\x1b[?1048l\x1b[6n")]
    {
        assert_eq!(page_before("vttest-11-8", restored), page_before("vttest-11-8", before));
    }
    assert!(page_before("vttest-11-8", "\x1b[?47l").starts_with(&"E".repeat(80)));
}

/// The transcript of some bytes cut into chunks, and the screen that is left.
fn fed(bytes: &[u8], chunk: usize) -> (Screen, String) {
    let mut screen = Screen::new(SIZE);
    let mut transcript = String::new();
    for chunk in bytes.chunks(chunk) {
        screen.feed(chunk);
        screen.drain(&mut |text| transcript.push_str(text));
    }
    screen.report(&mut transcript);
    (screen, transcript)
}

/// Some places in a recording, its end among them.
fn places(bytes: &[u8], count: usize) -> impl Iterator<Item = usize> {
    let length = bytes.len();
    (1..=count).map(move |part| length * part / count)
}

#[test]
fn real_programs_look_the_same_cut_at_every_byte() {
    for (name, bytes) in recordings() {
        for place in places(&bytes, 5) {
            let (whole, told_whole) = fed(&bytes[..place], usize::MAX);
            let (cut, told_cut) = fed(&bytes[..place], 1);
            cut.verify();
            assert_eq!(state(&cut), state(&whole), "{name} after {place}");
            assert_eq!(cut.dump(), whole.dump(), "{name} after {place}");
            assert_eq!(told_cut, told_whole, "{name} after {place}");
        }
    }
}

#[test]
fn the_screens_of_real_programs_come_back_from_their_dumps() {
    for (name, bytes) in recordings() {
        let mut screen = Screen::new(SIZE);
        let mut fed = 0;
        for place in places(&bytes, 11) {
            screen.feed(&bytes[fed..place]);
            fed = place;
            let again = repainted(&screen);
            assert_eq!(state(&again), state(&screen), "{name} after {place}");
            assert_eq!(again.dump(), repainted(&again).dump(), "{name} after {place}");
        }
    }
}
