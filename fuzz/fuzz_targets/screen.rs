//! Whatever a program prints, and wherever its output is cut, the screen stays sound.
//!
//! `cargo +nightly fuzz run screen`; `.ci/run` does the same with the stable compiler. The first
//! three bytes choose the size of the page and of the chunks; the rest is the output.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_repl::screen::{Screen, Size, pager};

/// The transcript of some bytes cut into chunks, and the screen that is left.
fn fed(bytes: &[u8], size: Size, chunk: usize) -> (Screen, String) {
    let mut screen = Screen::new(size);
    let mut transcript = String::new();
    for chunk in bytes.chunks(chunk) {
        screen.feed(chunk);
        screen.drain(&mut |text| transcript.push_str(text));
    }
    screen.report(&mut transcript);
    (screen, transcript)
}

fn above_cursor(screen: &mut Screen) -> String {
    let mut text = String::new();
    screen.report_above_cursor(&mut text);
    text
}

fuzz_target!(|data: &[u8]| {
    let [columns, rows, chunk, output @ ..] = data else { return };
    let size = Size { columns: u16::from(columns % 40) + 2, rows: u16::from(rows % 12) + 1 };
    let (mut screen, transcript) = fed(output, size, usize::MAX);
    screen.verify();

    let (mut cut, cut_transcript) = fed(output, size, usize::from(chunk % 16) + 1);
    assert_eq!(screen.dump(), cut.dump());
    assert_eq!(transcript, cut_transcript);

    let (again, _) = fed(&screen.dump(), size, usize::MAX);
    assert_eq!(fed(&again.dump(), size, usize::MAX).0.dump(), again.dump());
    assert_eq!((again.page_text(), again.cursor()), (screen.page_text(), screen.cursor()));

    // Nothing new was printed, so there is nothing new to tell.
    let mut more = String::new();
    screen.report(&mut more);
    assert_eq!(more, "");

    // As if it came from a pager.
    assert_eq!(above_cursor(&mut screen), above_cursor(&mut cut));
    assert_eq!(screen.take_closed_pager(), cut.take_closed_pager());
    assert_eq!(pager::place("less", &screen), pager::place("less", &cut));

    cut.reset_after_program();
    cut.verify();
    assert!(!cut.is_full_screen());

    screen.resize(Size { columns: u16::from(*chunk), rows: u16::from(*columns) });
    screen.verify();
    screen.feed(output);
    screen.verify();
    let mut answers = Vec::new();
    screen.take_answers(&mut answers);
});
