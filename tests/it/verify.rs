//! `mcp-repl verify`: recordings against what is expected of them.

use std::{fs, path::Path, process::Output};

use crate::support::{Builder, assert_has};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

fn verify(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Builder::new().any_python().arg("verify").args(arguments).output("");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// A copy of a fixture and of what is expected of it, which a test may change.
fn copied(name: &str, directory: &Path) -> (String, String) {
    let copy = |end: &str| {
        let file = directory.join(format!("copy.{end}"));
        fs::copy(format!("{FIXTURES}/{name}.{end}"), &file).unwrap();
        file.to_str().unwrap().to_owned()
    };
    (copy("cast"), copy("reply.txt"))
}

#[test]
fn all_fixtures_hold() {
    let (status, told, error) = verify(&[FIXTURES]);
    assert_eq!((status, &*error), (Some(0), ""), "{told}");
    assert_has(&told, " passed, 0 failed in ");
}

#[test]
fn each_topic_says_what_it_has() {
    for entry in fs::read_dir(FIXTURES).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let readme = fs::read_to_string(path.join("README.md")).unwrap();
            for file in fs::read_dir(&path).unwrap() {
                let name = file.unwrap().file_name().into_string().unwrap();
                let topic = name.split(['-', '.']).next().unwrap();
                assert_has(&readme, if name == "README.md" { "# " } else { topic });
            }
        }
    }
}

#[test]
fn what_differs_is_shown_and_can_be_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let (cast, expected) = copied("stdin/readers-3.12", directory.path());
    let text = fs::read_to_string(&expected).unwrap();
    fs::write(
        &expected,
        text.replacen("=== reply 3: name\n'Ada'\n", "=== reply 3: name\n'Bob'\n", 1),
    )
    .unwrap();
    let (status, told, _) = verify(&[&cast]);
    assert_eq!(status, Some(1));
    assert_has(&told, &format!("FAILED {cast}: it differs from {expected}\n"));
    assert_has(
        &told,
        " === reply 3: name\n    6 -'Bob'\n      +'Ada'\n    7  === reply 4: import sys",
    );
    assert_has(&told, "\n0 passed, 1 failed in ");
    let junit = directory.path().join("junit.xml");
    verify(&[&cast, "--junit", junit.to_str().unwrap()]);
    let report = fs::read_to_string(&junit).unwrap();
    assert_has(&report, r#"tests="1" skipped="0" failures="1" errors="0""#);
    assert_has(&report, "+&apos;Ada&apos;");
    assert_eq!(verify(&[&cast, "--accept"]).0, Some(0));
    assert_eq!(fs::read_to_string(&expected).unwrap(), text);
    fs::remove_file(&expected).unwrap();
    let (status, told, _) = verify(&[directory.path().to_str().unwrap()]);
    assert_eq!(status, Some(1));
    assert_has(&told, "copy.reply.txt, which says what is expected; --accept writes it");
}

#[test]
fn a_recording_whose_replay_gives_other_replies_fails_whatever_is_expected() {
    let directory = tempfile::tempdir().unwrap();
    let (cast, _) = copied("prompts/cells-3.12", directory.path());
    let text = fs::read_to_string(&cast).unwrap();
    fs::write(&cast, text.replace(r#""o", "42"#, r#""o", "43"#)).unwrap();
    let (status, told, _) = verify(&["--accept", &cast]);
    assert_eq!(status, Some(1));
    assert_has(&told, "its replay gives other replies than were recorded\n");
    assert_has(&told, " -42\n");
    assert_has(&told, " +43\n");
}

#[test]
fn what_can_not_fail_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let (cast, _) = copied("prompts/cells-3.12", directory.path());
    let text = fs::read_to_string(&cast).unwrap();
    let header = text.lines().next().unwrap();
    fs::write(&cast, format!("{header}\n")).unwrap();
    let (status, told, _) = verify(&["--accept", &cast]);
    assert_eq!(status, Some(1));
    assert_has(&told, "nothing in it can fail");
}

#[test]
fn what_is_no_recording_is_told_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let file = directory.path().join(name);
        fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let header = "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24}}\n";
    let foreign = file("foreign.cast", header);
    let wrong = file("wrong.cast", &format!("{header}[0, \"r\", \"big\"]\n"));
    let (status, told, _) = verify(&[&foreign, &wrong]);
    assert_eq!(status, Some(2));
    assert_has(&told, "foreign.cast: it is no recording of a session");
    assert_has(&told, "\n0 passed, 2 failed");
    let (status, _, error) = verify(&["no-such-place"]);
    assert_eq!(status, Some(2));
    assert_has(&error, "no-such-place: ");
    fs::remove_file(foreign).unwrap();
    fs::remove_file(wrong).unwrap();
    let (status, _, error) = verify(&[directory.path().to_str().unwrap()]);
    assert_eq!(status, Some(2));
    assert_has(&error, "there is no recording");
}

#[cfg(has = "posix")]
#[test]
fn a_recording_is_run_again_and_its_replies_are_compared() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("session.cast");
    let file = file.to_str().unwrap();
    let record = |python: Builder, rest: &[&str]| {
        let _ = fs::remove_file(file);
        let output = python.args(["record", "-o", file]).args(rest).output("");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    };
    record(Builder::new(), &["x = 1", "hex(id(object()))", "input('? ')", "an answer", "x"]);
    let (status, told, _) = verify(&["--live", file]);
    assert_eq!(status, Some(0), "{told}");
    let text = fs::read_to_string(file).unwrap();
    fs::write(file, text.replace("an answer", "another")).unwrap();
    let changed = text.replace(r#"{\"reply\":"#, r#"{\"reply\": "#).replace("'an answer'", "'?'");
    assert_ne!(changed, text);
    fs::write(file, changed).unwrap();
    let (status, told, _) = verify(&["--live", file]);
    assert_eq!(status, Some(1), "{told}");
    assert_has(&told, "a session that runs gives other replies\n");
    assert_has(&told, "-'?'\n");
    assert_has(&told, "+'an answer'\n");
    record(Builder::new(), &["import getpass; len(getpass.getpass())", "secret"]);
    let (status, told, _) = verify(&["--live", file]);
    assert_eq!(status, Some(2), "{told}");
    assert_has(&told, "it can't be run again: something that was typed is not in it");
    record(Builder::new().any_python(), &["--run", "cat", "--", "a line", "\u{4}"]);
    let (status, told, _) = verify(&["--live", file]);
    assert_eq!(status, Some(2), "{told}");
    assert_has(&told, "--run names it");
    let (status, told, _) = verify(&["--live", file, "--run", "cat"]);
    assert_eq!(status, Some(0), "{told}");
}
