//! `--run` of the other commands: `exec`, `attach`, `doctor`.
#![cfg(has = "posix")]

use mcp_repl::{
    session::{recording::Recording, rules::payload::Payload},
    verify::recorded,
};

use crate::support::{Builder, Runtime, assert_has};

/// Runs `exec` with this program, these texts and this standard input: its exit status and what it
/// prints.
#[track_caller]
fn exec(program: &str, texts: &[&str], stdin: &str) -> (Option<i32>, String) {
    let builder = Builder::new().any_python().args(["exec", "--run", program]).args(texts);
    let output = builder.output(stdin);
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn exec_types_what_a_program_asks_for_and_ends_as_it_does() {
    assert_eq!(exec("echo hi", &[], ""), (Some(0), "hi\n".to_owned()));
    assert_eq!(exec("sh -c 'exit 3'", &[], ""), (Some(3), String::new()));
    assert_eq!(exec("sh -c 'kill -SEGV $$'", &[], ""), (Some(139), String::new()));
    assert_eq!(exec("/nowhere/program", &[], ""), (Some(1), String::new()));
    // Texts first, then standard input, then its end.
    let script = "sh -c 'read a; read b; read c || echo $a-$b-end'";
    let (status, printed) = exec(script, &["one"], "two\n");
    assert_eq!(status, Some(0), "{printed}");
    assert!(printed.ends_with("one-two-end\n"), "{printed}");
    let (status, printed) = exec("sh -c 'read a; exit $a'", &["--", "7"], "");
    assert_eq!(status, Some(1), "what follows -- is the program's: {printed}");
}

#[test]
fn every_byte_is_told_before_the_end() {
    let expected: String = (1..=30_000).map(|number| format!("{number}\n")).collect();
    for _ in 0..5 {
        let (status, printed) = exec("seq 30000", &[], "");
        assert!((status, &printed) == (Some(0), &expected), "{status:?}: {}", printed.len());
    }
}

#[test]
fn exec_takes_no_file_of_cells_for_a_program() {
    let output = Builder::new().any_python().args(["exec", "--run", "cat", "-f", "x"]).output("");
    assert_eq!(output.status.code(), Some(2));
    assert_has(&String::from_utf8(output.stderr).unwrap(), "--file is for cells");
}

#[cfg(has = "person")]
#[test]
fn a_person_and_an_agent_are_at_the_same_program() {
    let runtime = Runtime::new();
    let attach = ["attach", "editor", "--new", "--run", "vim -u NONE -N -n file"];
    let mut person = crate::support::Terminal::run(runtime.server().any_python().args(attach));
    person.shows("\n~\n~\n");
    let agent = runtime.server().any_python().args(["--session", "editor"]);
    let agent = agent.unconfined("it joins a person's session, which has no sandbox").start();
    assert_has(&agent.poll(), "[screen] vim");
    agent.repl("ifrom the agent");
    person.shows("from the agent\n~");
    let row = runtime.ls().remove(0);
    assert_eq!(row["interpreter"], "vim");
    person.types(", and a person");
    person.shows("from the agent, and a person\n");
    person.types("\x1b:cq\r");
    let (status, said) = person.ends();
    assert_eq!(status, 1, "{said}");
    assert_has(&said, "[repl] session ended (exit status 1)");
}

#[test]
fn doctor_is_for_workers() {
    let output = Builder::new().any_python().args(["doctor", "--run", "cat"]).output("");
    assert_eq!(output.status.code(), Some(2));
    assert_has(&String::from_utf8(output.stderr).unwrap(), "mcp-repl exec --run");
}

#[test]
fn what_a_program_shows_is_recorded_and_replayed_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let sessions: [(&str, &[&str]); 3] = [
        ("vim -u NONE -N -n file", &["ihello", "\u{1b}:q!\n"]),
        ("sh -c 'seq 200 | less -M; stty raw; exit 3'", &["q"]),
        ("cat", &["漢字", "\u{3}"]),
    ];
    for (number, (program, texts)) in sessions.into_iter().enumerate() {
        let file = directory.path().join(format!("{number}.cast"));
        let file_name = file.to_str().unwrap();
        let builder = Builder::new().any_python().args(["record", "-o", file_name]);
        // A text, since without one a person is asked for.
        let builder = builder.args(["--run", program, "--"]).args(texts).arg("\u{4}");
        let output = builder.output("");
        let printed = String::from_utf8(output.stdout).unwrap();
        let lines = std::io::BufReader::new(std::fs::File::open(&file).unwrap());
        let recording = Recording::read(lines).unwrap();
        let replies: String =
            recording.replies.iter().map(|answered| answered.text.as_str()).collect();
        assert!(replies == printed && !printed.is_empty(), "{replies}\n---\n{printed}");
        let text = recorded::text(&recording);
        assert_eq!(recorded::check(&recording, Some(&text)), [], "{program}");
        let first = recording.calls().next().map(|(.., payload)| payload.clone());
        assert_eq!(first, Some(Payload::poll()));
    }
    // What could not be started leaves no file in the way of the next try.
    let file = directory.path().join("nothing.cast");
    let missing = ["--run", "/nowhere/program", "x"];
    let output =
        Builder::new().any_python().args(["record", "-o"]).arg(&file).args(missing).output("");
    assert_eq!(output.status.code(), Some(1));
    assert!(!file.exists() && !output.stdout.is_empty());
}
