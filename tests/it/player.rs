//! `mcp-repl replay FILE` on a person's terminal.
#![cfg(has = "person")]

use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

use crate::support::{BINARY, Builder, Runtime, Terminal, assert_has, assert_has_not};

/// Longer than any test.
const LONG: &str = "99999";

/// A recording of 40 by 5 with these events.
fn recording(events: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    let header = r#"{"version":3,"term":{"cols":40,"rows":5}}"#;
    std::fs::write(&file, format!("{header}\n{events}")).unwrap();
    file
}

/// Has it played with these options.
#[track_caller]
fn play(recording: &NamedTempFile, options: &[&str]) -> Terminal {
    let builder = Builder::new().any_python().arg("replay").arg(recording.path());
    Terminal::run(builder.args(options.iter().copied()))
}

#[test]
fn a_recording_is_played_and_the_terminal_is_put_back() {
    let lines: String = (0..30).map(|n| format!("[0.001, \"o\", \"line {n}\\r\\n\"]\n")).collect();
    let recording = recording(&format!("[0, \"o\", \"\\u001b[31mred\\r\\n\"]\n{lines}"));
    let played = play(&recording, &[]);
    let (status, page) = played.ends();
    assert_eq!(status, 0);
    // More than the recorded terminal has rows of stands there: all that scrolled off.
    assert_has(&page, "line 7\nline 8\n");
    assert!(page.ends_with("line 29"), "{page}");
}

#[test]
fn a_recording_can_do_nothing_but_show_something() {
    let events = r#"[0, "o", "\u001b]52;c;c2VjcmV0\u0007\u001b]2;title\u0007\u001b]0;title\u001b\\a"]
[0, "o", "\u001b[6n\u001b[c\u001b[>c\u001b[5n\u0005\u001b]11;?\u0007\u001b[21t\u001b[?2026$p"]
[0, "o", "\u001b[?1000h\u001b[?2004h\u001b[>1u\u001b[?1h\u001b=\u001b[4h\u001b[3;4r\u001b]7;file:///x\u0007"]
[0, "o", "\u001bP$qm\u001b\\\u001bPq#0~\u001b\\\u001b_Gf=24;AAAA\u001b\\\u001b]1337;File=:AAAA\u0007"]
[0, "o", "\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\\u009b5n\u009d52;c;YQ==\u009cb\u001b[5i\u001bc"]
[0, "o", "shown\u001b]0;never ended"]
[99999, "o", ""]"#;
    let recording = recording(events);
    let mut played = play(&recording, &[]);
    played.shows("shown");
    let printed = String::from_utf8(played.bytes.clone()).unwrap();
    for sequence in printed.split('\x1b').skip(1) {
        let end = sequence.find(|c: char| c.is_ascii_alphabetic()).unwrap();
        let known = ["[?7l", "[?7h"].contains(&&sequence[..=end]);
        let is_known =
            known || sequence.starts_with('[') && "ABGHJKm".contains(&sequence[end..=end]);
        assert!(is_known && !sequence[..end].contains(['>', '$', '=']), "{sequence:?}");
    }
    assert!(!printed.contains(['\u{9b}', '\u{9d}', '\x05', '\x07']), "{printed:?}");
    assert_eq!(played.set_modes(), "\x1b[?7h");
    played.types("q");
    assert_eq!(played.ends().0, 0);
}

#[test]
fn space_pauses_a_dot_steps_and_brackets_go_to_markers() {
    let events = format!(
        r#"[0, "o", "one"]
[{LONG}, "o", "\r\ntwo"]
[{LONG}, "i", "typed"]
[{LONG}, "o", "\r\nthree"]
[{LONG}, "m", "a cell"]
[{LONG}, "o", "\r\nfour"]
[0, "o", "\r\nfive"]"#
    );
    let recording = recording(&events);
    let mut played = play(&recording, &[]);
    played.shows("one");
    played.types(" ");
    played.shows("one\n[replay] paused at ");
    played.types(".");
    played.shows("two\n[replay] paused at 99999.0 s");
    // A cursor key is none, and what can't be seen is no step.
    played.types("\x1b[C.");
    played.shows("two\nthree\n[replay] paused at 299997.0 s");
    played.types("]");
    played.shows("three\n[replay] paused at 399996.0 s, at \"a cell\"");
    played.types(".");
    played.shows("four\n[replay] paused at 499995.0 s, behind \"a cell\"");
    played.types("[");
    played.shows_when("the page at the marker", |page| {
        page.contains("at \"a cell\"") && !page.contains("four")
    });
    played.types("[[");
    played.shows_when("an empty page", |page| page.starts_with("\n[replay] paused at 0.0 s"));
    // It goes on, and what is a long time ahead does not come.
    played.types("] ");
    played.shows_when("the page at the marker", |page| page == "one\ntwo\nthree");
    played.types("]");
    let (status, page) = played.ends();
    assert_eq!((status, page.as_str()), (0, "one\ntwo\nthree\nfour\nfive"));
}

#[test]
fn speed_and_idle_limit_shorten_it() {
    let events = format!("[0, \"o\", \"one\"]\n[{LONG}, \"o\", \" two\"]\n");
    for options in [&["--idle-limit", "0.01"][..], &["--idle-limit", "5", "--speed", "1000"]] {
        assert_eq!(play(&recording(&events), options).ends(), (0, "one two".into()));
    }
    // The recording may say it itself.
    let limited = NamedTempFile::new().unwrap();
    let header = r#"{"version":2,"width":40,"height":5,"idle_time_limit":0.01}"#;
    std::fs::write(&limited, format!("{header}\n{events}")).unwrap();
    assert_eq!(play(&limited, &[]).ends(), (0, "one two".into()));
}

#[test]
fn whatever_ends_it_the_terminal_is_put_back() {
    let events = format!(
        "[0, \"o\", \"text\\u001b[?1049h\\u001b[?25l\\u001b[31mfull\"]\n[{LONG}, \"o\", \"\"]"
    );
    let recording = recording(&events);
    let started = || {
        let mut played = play(&recording, &[]);
        played.shows_when("the full screen", |page| page == "    full");
        assert!(played.is_raw());
        played
    };
    let mut played = started();
    played.types("\x03");
    assert_eq!(played.ends(), (130, "text".into()));
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let played = started();
        kill_process(Pid::from_raw(played.pid()).unwrap(), signal).unwrap();
        assert_eq!(played.ends(), (status, "text".into()));
    }
    // What nobody had seen is not there then.
    assert_eq!(started().dies(), "");
}

#[test]
fn a_terminal_that_is_too_small_is_told_so() {
    let page: String =
        (1..6).map(|row| format!("\\u001b[{row};1H{row} {}", "x".repeat(35))).collect();
    let events =
        format!("[0, \"o\", \"{page}\"]\n[{LONG}, \"r\", \"100x30\"]\n[{LONG}, \"o\", \"\"]");
    let recording = recording(&events);
    let mut played = play(&recording, &[]);
    played.shows("5 xxx");
    assert_has_not(&played.page(), "[replay]");
    played.resize(20, 4);
    played.shows_when("what has room", |page| page.ends_with(&format!("5 {}", "x".repeat(18))));
    played.resize(80, 24);
    played.shows(&format!("5 {}", "x".repeat(35)));
    played.types(" .");
    played.shows(
        "[replay] this terminal is 80x24, the recorded one 100x30: the rest is not shown
1 xxx",
    );
    played.types("q");
    assert_eq!(played.ends().0, 0);
}

#[test]
fn where_standard_input_is_the_recording_keys_come_from_the_terminal() {
    let runtime = Runtime::new();
    let mut person = Terminal::shell(Builder::new().any_python().runtime(&runtime));
    person.ends_with("$");
    let recording = recording(&format!(
        "[0, \"o\", \"one\"]\n[{LONG}, \"o\", \" two\"]\n[{LONG}, \"o\", \"\"]\n"
    ));
    let path = recording.path().display();
    person.types(&format!("(cat {path}; sleep 0.01) | mcp-repl replay -\r"));
    person.shows("\none");
    person.types(" .");
    person.shows("one two\n[replay] paused");
    person.types("[");
    person.shows("[replay] there is no way back in what comes from a pipe");
    person.types("\x1a");
    person.shows("Stopped");
    person.types("clear; fg\r");
    person.shows_when("the page", |page| {
        page.contains("one two\n[replay] paused") && !page.contains("Stopped")
    });
    person.types("q");
    person.ends_with("\n$");
    person.types("exit\r");
    assert_eq!(person.ends().0, 0);
}

#[test]
fn what_is_wrong_with_a_recording_is_told_behind_what_is_right() {
    let (status, page) = play(&recording("[0, \"o\", \"one\"]\n[0, \"o\", \"cut"), &[]).ends();
    assert_eq!(status, 2);
    assert_has(&page, "one\nmcp-repl: /");
    assert_has(&page, ": line 3 is cut off: the recording ends");
    let (status, page) = play(&recording("{"), &["--speed", "0"]).ends();
    assert_eq!(status, 2);
    assert_has(&page, "it is a number, 0.001 to 1000: 2 is");
    let output = Command::new(BINARY)
        .args(["replay", "nowhere.cast"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_has(&String::from_utf8_lossy(&output.stderr), "--text prints it, and --svg draws it");
}
