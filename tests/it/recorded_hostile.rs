//! Recordings of sessions that nobody recorded: cut, put together in another order, with numbers that no
//! session has. They are refused, with their line, or replayed; nothing panics or hangs.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use mcp_repl::session::recording::{Cuts, Recording, replay};

use crate::support::{Chance, assert_has};

/// The recorded fixtures.
fn recordings() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == "cast")).collect()
}

/// One change to the lines of a file.
fn change(lines: &mut Vec<String>, chance: &mut Chance) {
    let mut below = |end: usize| chance.below(end as u64) as usize;
    let place = 1 + below(lines.len() - 1);
    let other = 1 + below(lines.len() - 1);
    match below(7) {
        0 => drop(lines.remove(place)),
        1 => lines.insert(other, lines[place].clone()),
        2 => lines.swap(place, other),
        3 => {
            let at = lines[place].floor_char_boundary(below(lines[place].len() + 1));
            lines[place].truncate(at);
        }
        4 => {
            let numbers = ["0", "1", "65535", "4294967295", "18446744073709551615", "-1"];
            let number = numbers[below(numbers.len())];
            let line = &lines[place];
            let digit = line.char_indices().skip(12).find(|(_, c)| c.is_ascii_digit());
            if let Some((at, _)) = digit {
                let end = line[at..].find(|c: char| !c.is_ascii_digit());
                let end = end.map_or(line.len(), |end| at + end);
                lines[place] = format!("{}{number}{}", &line[..at], &line[end..]);
            }
        }
        5 => lines[place] = lines[place].replacen("true", "false", 1),
        _ => lines[place] = r#"[0.0, "p", "\"shutdown\""]"#.into(),
    }
}

#[test]
fn any_change_to_a_recording_is_refused_or_replayed() {
    let texts = recordings().into_iter().map(|file| fs::read_to_string(file).unwrap());
    let texts: Vec<String> = texts.filter(|text| text.len() < 20_000).collect();
    assert!(texts.len() > 40);
    let (refused, replayed) = (AtomicU32::new(0), AtomicU32::new(0));
    Chance::rounds(400, |chance| {
        let text = &texts[chance.below(texts.len() as u64) as usize];
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for _ in 0..=chance.below(4) {
            change(&mut lines, chance);
        }
        match Recording::read(lines.join("\n").as_bytes()) {
            Ok(recording) => {
                replay(&recording, Cuts::AsRecorded);
                replay(&recording, Cuts::Everywhere { most: 50, seed: chance.below(1 << 40) });
                replayed.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                assert_has(&error.to_string(), "line ");
                refused.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    // It is neither all one nor all the other.
    let (refused, replayed) = (refused.into_inner(), replayed.into_inner());
    assert!(refused > 20 && replayed > 20, "{refused} {replayed}");
}

#[test]
fn what_is_no_session_of_this_release_is_refused_in_words() {
    let refused = |text: &str| Recording::read(text.as_bytes()).unwrap_err().to_string();
    let header = |more: &str| format!(r#"{{"version":3,"term":{{"cols":80,"rows":24}}{more}}}"#);
    assert_has(&refused(&header("")), "it is no recording of a session");
    assert_has(
        &refused(&header(r#","mcp_repl":{"recording":7}"#)),
        "it is of version 7 of the recordings",
    );
    assert_has(
        &refused(&header(r#","mcp_repl":{"recording":1}"#)),
        "line 1: what it says of its session is wrong: missing field `paging`",
    );
    let session = header(
        r#","mcp_repl":{"recording":1,"paging":"through","budget":{"text":9,"attachments":"all"}}"#,
    );
    let with = |line: &str| refused(&format!("{session}\n{line}\n"));
    assert_has(
        &with(r#"[0, "p", "{\"flies\":{}}"]"#),
        "line 2 is nothing that happens in a session: unknown variant `flies`",
    );
    assert_has(&with(r#"[0, "p", "{"]"#), "line 2 is nothing that happens in a session: EOF");
    assert_has(
        &with(r#"[0, "p", "{\"bytes\":{\"base64\":\"?\"}}"]"#),
        "line 2 is nothing that happens in a session: data is no base64",
    );
    assert_has(
        &with(r#"[0, "p", "{\"returned\":{\"client\":1,\"reply\":3}}"]"#),
        "line 2 is nothing that happens in a session: a reply is none",
    );
}
