//! `mcp-repl attach` on a terminal that is smaller than the session's.
#![cfg(has = "person")]

use crate::support::{IDLE, Lifeline, Runtime, Terminal, assert_has, assert_has_not};

/// Rows of a page, cut at a width.
fn rows(numbers: std::ops::RangeInclusive<usize>, columns: usize) -> String {
    let rows = numbers.map(|n| format!("{n:02} {}", "x".repeat(100)));
    rows.map(|row| row[..row.len().min(columns)].to_owned() + "\n").collect()
}

#[test]
fn of_a_full_screen_program_a_smaller_terminal_shows_the_part_with_the_cursor() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.still_works();
    let mut line = Lifeline::lay(&agent);
    agent.gives("print('here')", "here\n");
    let mut looks_on = Terminal::run(runtime.attaching_with_status(&["work", "--observe"]));
    looks_on.resize(60, 15);
    looks_on.shows("here");
    let draws = agent.begin(
        "print('before')\nprint('\\033[?1049h\\033[2J\\033[?25l\\033[?1000h', end='')\n\
         for n in range(1, 41): print(f'\\033[{n};1H{n:02} ' + 'x' * 100, end='')\n\
         print('\\033[30;3H', end='', flush=True)\nline.send(b'd'), line.recv(1)\n\
         print('\\033[2;1H', end='', flush=True)\nline.send(b'e'), line.recv(1)\n\
         print('\\033[?1000l\\033[?25h\\033[?1049l', end='')\nprint('after')",
    );
    line.hears("d");
    let is_cropped = |page: &str| {
        page.starts_with(&rows(17..=30, 60)) && page.contains("work \u{b7} 120x40, cropped \u{b7} ")
    };
    looks_on.shows_when("the part with the cursor", is_cropped);
    looks_on.is_titled("work: 120x40, cropped, running (agent)");
    assert_has(&looks_on.set_modes(), "1000");
    // A window that grows has room for all of it, and one that shrinks again has not.
    looks_on.resize(130, 45);
    let whole = rows(1..=40, 130);
    looks_on.shows_when("the page", |page| page == whole.trim_end());
    looks_on.resize(60, 15);
    looks_on.shows_when("the part with the cursor", is_cropped);
    line.release();
    line.hears("e");
    looks_on.shows_when("the beginning", |page| page.starts_with(&rows(1..=14, 60)));
    line.release();
    assert_has(&draws.text(), "after\n");
    looks_on.shows_when("what stands there", |page| page.ends_with("before\nafter"));
    assert_has_not(&looks_on.page(), "xxx");
    assert_has_not(&looks_on.set_modes(), "1000");
    agent.gives("'on'", "'on'\n");
    looks_on.shows("'on'");
    agent.gives("x = 1", IDLE);
}
