//! `mcp-repl replay`: pictures and texts of recordings.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use crate::support::{BINARY, assert_has};

const RECORDING: &str = r#"{"version": 3, "term": {"cols": 40, "rows": 4}}
[0.1, "o", ">>> 1 + 1\r\n"]
[0.2, "m", "a cell"]
[5.0, "o", "\u001b[1;31m2\u001b[0m\r\n"]
[0.0, "o", "\u001b]52;c;c2VjcmV0\u0007\u001b[6n>>> "]
[0.1, "x", "0"]
"#;

/// Has it read a recording from standard input.
fn replay(arguments: &[&str], recording: &str) -> Output {
    let mut command = Command::new(BINARY);
    command.args(["replay", "-"]).args(arguments).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // One that is refused is not read to its end.
    let _ = stdin.write_all(recording.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let output = replay(arguments, RECORDING);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_recording_is_printed_as_text_and_as_the_page_at_a_time() {
    assert_eq!(printed(&["--text"]), ">>> 1 + 1\n2\n>>> \n");
    assert_eq!(printed(&["--at", "5.2"]), ">>> 1 + 1\n");
    assert_eq!(printed(&["--at", "5.3"]), ">>> 1 + 1\n2\n>>>\n");
    assert_eq!(printed(&["--at", "1.3", "--idle-limit", "1"]), ">>> 1 + 1\n2\n>>>\n");
}

#[test]
fn a_recording_is_drawn_moving_or_still() {
    let moving = printed(&["--svg", "-"]);
    assert_has(&moving, "<svg xmlns=");
    assert_has(&moving, "animation:film");
    assert_has(&moving, ">2</text>");
    let still = printed(&["--svg", "-", "--at", "1"]);
    assert!(!still.contains("animation") && !still.contains(">2</text>"), "{still}");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("picture.svg");
    assert_eq!(printed(&["--svg", file.to_str().unwrap()]), "");
    assert_eq!(std::fs::read_to_string(file).unwrap(), moving);
}

#[test]
fn a_recording_is_written_anew_in_either_version() {
    let v2 = r#"{"version":2,"width":40,"height":4}
[0.100000, "o", ">>> 1 + 1\r\n"]
[0.300000, "m", "a cell"]
[1.300000, "o", "\u001b[1;31m2\u001b[0m\r\n"]
[1.300000, "o", "\u001b]52;c;c2VjcmV0\u0007\u001b[6n>>> "]
"#;
    assert_eq!(printed(&["--cast", "-", "--format", "v2", "--idle-limit", "1"]), v2);
    let v3 = printed(&["--cast", "-"]);
    assert!(v3.starts_with("{\"version\":3,\"term\":{\"cols\":40,\"rows\":4}}\n[0.100000, \"o\""));
    assert_has(&v3, "\n[5.000000, \"o\"");
    assert_has(&v3, "\n[0.100000, \"x\", \"0\"]\n");
    assert_eq!(String::from_utf8(replay(&["--cast", "-"], &v3).stdout).unwrap(), v3);
    // What is before a line that is wrong is written all the same.
    let cut = replay(&["--cast", "-"], &v3[..v3.len() - 4]);
    assert_eq!(cut.status.code(), Some(2));
    assert_eq!(String::from_utf8_lossy(&cut.stdout).lines().count(), 5);
    assert_has(&String::from_utf8_lossy(&cut.stderr), "-: line 6 is cut off");
}

#[test]
fn whatever_is_asked_of_it_a_bad_recording_is_told_with_its_line_behind_what_is_good() {
    let header = "{\"version\":3,\"term\":{\"cols\":9,\"rows\":9}}";
    let good = "[0.1, \"o\", \"good\"]";
    let long = format!("[0, \"o\", \"{}\"]", "x".repeat(64 << 20));
    for (bad, told) in [
        ("[0, \"o\", \"cut", "line 4 is cut off"),
        ("[NaN, \"o\", \"\"]\n", "line 4 is no event"),
        ("[-0.1, \"o\", \"\"]\n", "line 4 is no event: -0.1 is no time"),
        ("[1e999, \"o\", \"\"]\n", "line 4 is no event: number out of range"),
        ("[9e8, \"m\", \"\"]\n[9e8, \"m\", \"\"]\n", "line 5 is no event: the times"),
        (
            "[0, \"r\", \"65535x65535\"]\n",
            "line 4 is no event: 65535x65535 is larger than 2048x1024",
        ),
        ("[0, \"x\", \"99999999999\"]\n", "line 4 is no event: \"99999999999\" is no exit status"),
        ("[0, \"o\", \"\\ud800\"]\n", "line 4 is no event: "),
        ("\0\x01\u{fffd}\n", "line 4 is no event: expected value"),
        (&long, "line 4 is longer than 64 MiB"),
    ] {
        let recording = format!("{header}\n\n{good}\n{bad}");
        for arguments in [&["--text"][..], &["--at", "1e9"], &["--svg", "-"], &["--cast", "-"]] {
            let output = replay(arguments, &recording);
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{arguments:?} {error}");
            assert!(error.starts_with(&format!("mcp-repl: -: {told}")), "{arguments:?} {error}");
            assert_has(&String::from_utf8_lossy(&output.stdout), "good");
        }
    }
}

#[test]
#[cfg(has = "proc")]
fn however_long_a_recording_is_little_of_it_is_in_memory() {
    // What a process had at most, in KiB (proc_pid_status(5)).
    let peak = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
    };
    let lines = "[0.5, \"o\", \"0123456789 abcdefghijklmnopqrstuvwxyz\\r\\n\"]\n".repeat(20_000);
    for mode in [["--text", "--idle-limit=1"], ["--cast", "/dev/null"]] {
        let mut command = Command::new(BINARY);
        command.args(["replay", "-"]).args(mode).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}}}}").unwrap();
        stdin.write_all(lines.as_bytes()).unwrap();
        let before = peak(child.id());
        for _ in 0..20 {
            stdin.write_all(lines.as_bytes()).unwrap();
        }
        let after = peak(child.id());
        drop(stdin);
        assert!(child.wait().unwrap().success());
        // It is 24 MB of text.
        assert!(after < before + 4096, "{mode:?}: {before} {after} KiB");
    }
}

#[test]
fn a_recording_is_not_written_over() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, RECORDING).unwrap();
    for option in ["--cast", "--svg"] {
        let mut command = Command::new(BINARY);
        command.arg("replay").arg(file.path()).arg(option).arg(file.path());
        let output = command.output().unwrap();
        assert_has(&String::from_utf8_lossy(&output.stderr), "is the recording itself");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), RECORDING);
    }
}

#[test]
fn the_pictures_of_the_documentation_are_those_of_their_recordings() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for (name, how) in [("attach", ["--idle-limit", "2.5"]), ("first-steps", ["--at", "10"])] {
        let recording = std::fs::read_to_string(docs.join(name).with_extension("cast")).unwrap();
        let output = replay(&[&["--svg", "-"], &how[..]].concat(), &recording);
        let picture = std::fs::read_to_string(docs.join(name).with_extension("svg")).unwrap();
        assert!(
            String::from_utf8(output.stdout).unwrap() == picture,
            "{name}: docs/recordings.md says how it is made"
        );
    }
}

#[test]
fn what_can_not_be_replayed_is_told() {
    for (arguments, recording, told) in [
        (&["--text"][..], "", "mcp-repl: -: it is empty"),
        (&["--text"], "{}", "mcp-repl: -: line 1 is no header"),
        (
            &["--svg", "-"],
            "{\"version\":3,\"term\":{\"cols\":9,\"rows\":9}}\n[1,2]\n",
            "line 2 is no",
        ),
        (&["--svg", "/nowhere/x.svg"], RECORDING, "/nowhere/x.svg can't be written"),
        (&["--speed", "2", "--text"], RECORDING, "cannot be used with"),
        (&["--text", "--format", "v2"], RECORDING, "cannot be used with"),
        (&["--format", "v2"], RECORDING, "--cast <FILE>"),
        (&["--cast", "-", "--format", "v1"], RECORDING, "it is one of `v2` and `v3`"),
        (&["--at", "x"], RECORDING, "it is a number of seconds"),
    ] {
        let output = replay(arguments, recording);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_has(&String::from_utf8_lossy(&output.stderr), told);
    }
}
