//! Recordings, and the real asciinema: it reads and plays what is written here, and what it writes is
//! read here.
//!
//! Version 3 of it reads version 3 of the format; crates.io alone has that. `.ci/run` installs it into
//! the target directory. Version 2, as PyPI and Debian have it, reads version 2 of the format only.
#![cfg(has = "person")]

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use mcp_repl::{
    cast::{Event, Header, Kind, Reader, Theme, Version, Writer},
    screen::Size,
};
use tempfile::TempDir;

use crate::support::{BINARY, Builder, Terminal, assert_has, packages, python};

/// asciinema 3.
#[track_caller]
fn asciinema() -> PathBuf {
    let target = Path::new(BINARY).parent().unwrap().parent().unwrap();
    let own = target.join("asciinema/bin/asciinema");
    let file = if own.exists() { own } else { "asciinema".into() };
    let version = Command::new(&file).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    assert!(
        version.is_ok_and(|version| version.starts_with("asciinema 3.")),
        "asciinema 3 is needed, and .ci/run installs it: \
         cargo install asciinema --locked --root {}",
        target.join("asciinema").display()
    );
    file
}

/// Runs it; gives what it prints.
#[track_caller]
fn run(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    output.stdout
}

/// A header with all that there is.
fn header() -> Header {
    let theme = Theme {
        foreground: [1, 2, 3],
        background: [255, 254, 253],
        palette: std::array::from_fn(|n| [n as u8, 0, 99]),
    };
    Header {
        size: Size { columns: 40, rows: 5 },
        terminal: Some("xterm-256color".into()),
        terminal_version: Some("mcp-repl".into()),
        theme: Some(theme),
        timestamp: Some(1_795_732_697),
        idle_time_limit: Some(Duration::from_millis(10)),
        command: Some("mcp-repl exec".into()),
        title: Some("a \"title\" \u{1b}[31m 漢".into()),
        env: [("SHELL".into(), "/bin/sh".into()), ("TERM".into(), "xterm-256color".into())].into(),
        tags: vec!["python 3.13".into(), "Linux x86_64".into()],
        mcp_repl: Some(serde_json::json!({ "budget": 16000, "of": [null, 1.5] })),
    }
}

/// Events of all kinds; what is printed has all control characters.
fn events() -> Vec<Event> {
    let controls: String = ('\0'..=' ').chain('\u{7f}'..='\u{a0}').collect();
    let kinds = [
        Kind::Output("one \u{1b}[1;31mred\u{1b}[m 漢😀e\u{301}\r\n".into()),
        Kind::Other { code: 'p', data: "{\"ready\":{}}".into() },
        Kind::Input("x\r".into()),
        Kind::Marker("cell 1".into()),
        Kind::Output(format!("\u{1b}[8m{controls}\u{1b}[m\"\\/")),
        Kind::Resize(Size { columns: 50, rows: 6 }),
        Kind::Output("\r\nlast \u{ffff}\u{2028}".into()),
        Kind::Exit(130),
    ];
    // As close as 1 µs, and hours apart.
    let times = [0, 1, 2, 9, 1_000_000, 1_000_001, 7_200_000_000, 7_200_000_000];
    let event = |(micros, kind)| Event { time: Duration::from_micros(micros), kind };
    times.into_iter().zip(kinds).map(event).collect()
}

/// A file in `directory` with all of that.
fn written(directory: &TempDir, version: Version) -> PathBuf {
    let path = directory.path().join(format!("{version:?}.cast"));
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = Writer::new(file, &header(), version).unwrap();
    writer.comment("for people").unwrap();
    events().iter().for_each(|event| writer.event(event).unwrap());
    path
}

/// All that is printed.
fn output(events: &[Event]) -> String {
    let text = |event: &Event| match &event.kind {
        Kind::Output(text) => Some(text.clone()),
        _ => None,
    };
    events.iter().filter_map(text).collect()
}

#[test]
fn asciinema_converts_what_is_written_here() {
    let (asciinema, directory) = (asciinema(), TempDir::new().unwrap());
    for version in [Version::V2, Version::V3] {
        let ours = written(&directory, version);
        for format in ["asciicast-v2", "asciicast-v3", "raw", "txt"] {
            let theirs = directory.path().join(format);
            run(Command::new(&asciinema)
                .args(["convert", "--overwrite", "-f", format])
                .args([&ours, &theirs]));
            let bytes = std::fs::read(theirs).unwrap();
            if !format.starts_with("asciicast") {
                let printed = String::from_utf8(bytes).unwrap();
                let is_same = printed.contains(&output(&events()));
                assert!(
                    if format == "raw" { is_same } else { printed.starts_with("one red") },
                    "{printed:?}"
                );
                continue;
            }
            let reader = Reader::new(&*bytes).unwrap();
            let known = header();
            let Header { title, command, theme, timestamp, idle_time_limit, env, .. } =
                reader.header();
            assert_eq!((title, command, theme), (&known.title, &known.command, &known.theme));
            assert_eq!(
                (*timestamp, *idle_time_limit, env),
                (known.timestamp, known.idle_time_limit, &known.env)
            );
            let theirs: Vec<Event> = reader.map(Result::unwrap).collect();
            let has = |event: &Event| {
                version == Version::V3 || !matches!(event.kind, Kind::Exit(_) | Kind::Other { .. })
            };
            let expected: Vec<Event> = events().into_iter().filter(has).collect();
            assert_eq!(theirs.len(), expected.len());
            for (theirs, ours) in theirs.iter().zip(&expected) {
                assert_eq!(theirs.kind, ours.kind);
                // It writes milliseconds in version 3.
                assert!(theirs.time.abs_diff(ours.time) < Duration::from_millis(1), "{theirs:?}");
            }
        }
    }
}

#[test]
fn asciinema_plays_what_is_written_here() {
    let (asciinema, directory) = (asciinema(), TempDir::new().unwrap());
    let mut person = Terminal::shell(Builder::new().any_python());
    person.ends_with("$");
    for version in [Version::V2, Version::V3] {
        let ours = written(&directory, version);
        // Two, one after the other.
        let both = directory.path().join("both.cast");
        let cat = run(Command::new(&asciinema).arg("cat").args([&ours, &ours]));
        std::fs::write(&both, cat).unwrap();
        let cat = std::fs::read(&both).unwrap();
        assert!(Reader::new(&*cat).unwrap().all(|event| event.is_ok()));
        person.types(&format!(
            "clear; {} play -i 0.001 {}; echo status $?\r",
            asciinema.display(),
            both.display()
        ));
        person.shows("one red 漢😀e\u{301}\n");
        person.shows("status 0\n$");
    }
}

#[test]
fn what_asciinema_records_is_read_here() {
    let (asciinema, directory) = (asciinema(), TempDir::new().unwrap());
    for format in ["asciicast-v2", "asciicast-v3"] {
        let file = directory.path().join(format);
        let command = "printf '\\033[32mgreen\\033[m \\303\\251 \\377\\n'; exit 3";
        let mut record = Command::new(&asciinema);
        record.args(["rec", "--quiet", "--headless", "--window-size", "30x4", "-f", format]);
        run(record
            .arg("-c")
            .arg(command)
            .arg(&file)
            .env("ASCIINEMA_CONFIG_HOME", directory.path()));
        let text = run(Command::new(BINARY).arg("replay").arg(&file).arg("--text"));
        assert_eq!(String::from_utf8(text).unwrap(), "green é \u{fffd}\n");
    }
}

#[test]
fn asciinema_2_shows_version_2() {
    let directory = TempDir::new().unwrap();
    let python = packages::environment("asciinema2", &python::default(), "asciinema==2.4.0\n");
    let ours = written(&directory, Version::V3);
    let old = directory.path().join("old.cast");
    run(Command::new(BINARY).arg("replay").arg(&ours).args(["--format", "v2", "--cast"]).arg(&old));
    let mut cat = Command::new(&python);
    cat.args(["-m", "asciinema", "cat"]).env("ASCIINEMA_CONFIG_HOME", directory.path());
    let shown = run(cat.arg(&old).env("PYTHONUTF8", "1"));
    assert_has(&String::from_utf8(shown).unwrap(), &output(&events()));
}

#[test]
fn asciinema_shows_recorded_sessions() {
    let (asciinema, directory) = (asciinema(), TempDir::new().unwrap());
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stdin/readers-3.12.cast");
    let text = directory.path().join("text");
    run(Command::new(&asciinema).args(["convert", "-f", "txt"]).args([&fixture, &text]));
    let shown = std::fs::read_to_string(text).unwrap();
    assert_has(&shown, "] >>> name = input('Who? ')\nWho? Ada\n");
    // What is for a replay alone comes through, too.
    let again = directory.path().join("again.cast");
    run(Command::new(&asciinema).args(["convert", "-f", "asciicast-v3"]).args([&fixture, &again]));
    let private = |path: &Path| {
        let events = Reader::new(std::io::BufReader::new(std::fs::File::open(path).unwrap()));
        let kinds = events.unwrap().map(|event| event.unwrap().kind);
        kinds.filter(|kind| matches!(kind, Kind::Other { .. })).collect::<Vec<_>>()
    };
    assert!(private(&again).len() > 50);
    assert_eq!(private(&again), private(&fixture));
}
