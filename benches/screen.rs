//! The speed of the screen, as a ratio to `alacritty_terminal` fed the same bytes in the same run.
//!
//! `cargo bench --bench screen [NAME] [--check]`; with `--check` a ratio under its target fails.

use std::fmt::Write;
use std::time::{Duration, Instant};

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::term::test::TermSize;
use alacritty_terminal::term::{Config, Term};
use alacritty_terminal::vte::ansi::{Processor, StdSyncHandler};
use mcp_repl::screen::{MarkSplitter, Screen, Segment, Size};

/// What a read of a pseudo-terminal gives on Linux.
const CHUNK: usize = 4095;
const BYTES: usize = 16 << 20;
const ROUNDS: usize = 12;

fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// The shortest of some runs of each, in turns: what else the machine does meets both.
fn shortest(bytes: &[u8]) -> (Duration, Duration) {
    let runs = (0..ROUNDS).map(|_| (ours(bytes), theirs(bytes)));
    runs.fold((Duration::MAX, Duration::MAX), |best, run| (best.0.min(run.0), best.1.min(run.1)))
}

fn ours(bytes: &[u8]) -> Duration {
    time(|| {
        let mut splitter = MarkSplitter::new("0123456789abcdef");
        let mut screen = Screen::new(Size::default());
        let mut transcript = 0;
        for chunk in bytes.chunks(CHUNK) {
            splitter.split(chunk, &mut |segment| {
                if let Segment::Bytes(bytes) = segment {
                    screen.feed(bytes);
                }
            });
            screen.drain(&mut |text| transcript += text.len());
        }
        std::hint::black_box(transcript);
    })
}

fn theirs(bytes: &[u8]) -> Duration {
    time(|| {
        let config = Config { scrolling_history: 1000, ..Config::default() };
        let Size { columns, rows } = Size::default();
        let page = TermSize::new(columns.into(), rows.into());
        let mut term = Term::new(config, &page, VoidListener);
        let mut parser: Processor<StdSyncHandler> = Processor::new();
        for chunk in bytes.chunks(CHUNK) {
            parser.advance(&mut term, chunk);
        }
        std::hint::black_box(&term);
    })
}

/// Repeats what `part` writes for 0, 1, 2 … to the size of a run.
fn stream(mut part: impl FnMut(usize, &mut String)) -> Vec<u8> {
    let mut out = String::with_capacity(BYTES + 65536);
    (0..)
        .take_while(|&index| {
            part(index, &mut out);
            out.len() < BYTES
        })
        .for_each(drop);
    out.into_bytes()
}

fn plain() -> Vec<u8> {
    let text =
        "The quick brown fox jumps over the lazy dog while the band plays on and on. ".repeat(2);
    stream(|line, out| {
        let length = 30 + line * 37 % 90;
        let _ = write!(out, "{line:08} {}\r\n", &text[..length]);
    })
}

fn unicode() -> Vec<u8> {
    let text = "Größe, naïveté, Привет, κόσμε — 漢字かな交じり文 ─┼─ ".repeat(2);
    stream(|line, out| {
        let _ = write!(out, "{line:08} {text}\r\n");
    })
}

fn tabs() -> Vec<u8> {
    stream(|line, out| {
        let _ = write!(out, "\tif value[{line}] is None:\r\n\t\treturn\t{line}\t# nothing\r\n");
    })
}

/// `ls -l --color`.
fn colourful() -> Vec<u8> {
    let kinds = ["01;34", "01;32", "0", "38;5;208", "01;36"];
    stream(|line, out| {
        let kind = kinds[line % kinds.len()];
        let _ = write!(
            out,
            "-rw-r--r-- 1 \x1b[33muser\x1b[0m group {:6} Nov 22 16:{:02} \x1b[0m\x1b[{kind}mfile-{line}.txt\x1b[0m\r\n",
            line * 7919 % 1_000_000,
            line % 60,
        );
    })
}

/// `ls --color` in columns.
fn columns() -> Vec<u8> {
    let kinds = ["01;34", "01;32", "01;36", "01;31"];
    stream(|line, out| {
        for column in 0..5 {
            let _ = write!(
                out,
                "\x1b[{}mname-{:05}\x1b[0m          ",
                kinds[(line + column) % 4],
                line + column
            );
        }
        out.push_str("\r\n");
    })
}

/// What vim sends: highlighted rows at places, scrolling in a region, a status row.
fn editor() -> Vec<u8> {
    stream(|step, out| {
        if step == 0 {
            out.push_str("\x1b[?1049h\x1b[2J");
        }
        match step % 4 {
            0 => out.push_str("\x1b[1;39r\x1b[39;1H\r\n\x1b[r"),
            1 => out.push_str("\x1b[1;39r\x1b[1;1H\x1bM\x1b[r"),
            _ => {}
        }
        for row in 0..6 {
            let row = (step * 5 + row * 7) % 39 + 1;
            let _ = write!(
                out,
                "\x1b[{row};1H\x1b[38;5;130m{:4} \x1b[m\x1b[38;5;121mlet\x1b[m value = \x1b[38;5;81mcompute\x1b[m(\x1b[38;5;13m\"text {step}\"\x1b[m, {row});\x1b[K",
                step + row
            );
        }
        let _ = write!(
            out,
            "\x1b[40;1H\x1b[7m file.rs [+] \x1b[27m\x1b[40;100H{step},{}\x1b[8C{}%\x1b[?25l\x1b[{};{}H\x1b[?25h",
            step % 80,
            step % 100,
            step % 39 + 1,
            step % 80 + 1
        );
    })
}

/// A name, what makes the bytes, and the least ratio.
type Case = (&'static str, fn() -> Vec<u8>, f64);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let check = arguments.iter().any(|argument| argument == "--check");
    let wanted = arguments.iter().find(|argument| !argument.starts_with("--"));
    let cases: [Case; 6] = [
        ("plain", plain, 5.0),
        ("colourful", colourful, 2.0),
        ("columns", columns, 2.0),
        ("editor", editor, 1.0),
        ("unicode", unicode, 1.0),
        ("tabs", tabs, 1.0),
    ];
    let mut missed = false;
    println!("{:10} {:>10} {:>10} {:>7} {:>7}", "", "ours", "alacritty", "ratio", "target");
    for (name, bytes, target) in cases {
        if wanted.is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        let bytes = bytes();
        let (ours, theirs) = shortest(&bytes);
        let speed = |time: Duration| bytes.len() as f64 / 1e6 / time.as_secs_f64();
        let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
        missed |= ratio < target;
        println!(
            "{name:10} {:>5.0} MB/s {:>5.0} MB/s {ratio:>7.1} {target:>7.1}",
            speed(ours),
            speed(theirs)
        );
    }
    if check && missed {
        eprintln!("a ratio is under its target");
        std::process::exit(1);
    }
}
