//! Sessions are recorded as they happen: `--record`, `mcp-repl record`; what a recording has, and what
//! it never has.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use mcp_repl::session::recording::{Cuts, Recording, replay};
use tempfile::TempDir;

use crate::support::{Builder, Runtime, SECRET, Server, assert_has, assert_has_not, kill};

/// The one recording in a directory.
#[track_caller]
fn only_file(directory: &Path) -> PathBuf {
    let files: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [only] = &files[..] else { panic!("{files:?}") };
    only.clone()
}

/// A recording, whose replay gives the replies that it has, wherever it is cut.
#[track_caller]
fn replayed(file: &Path) -> Recording {
    let recording = Recording::read(&fs::read(file).unwrap()[..]).unwrap();
    let everywhere = Cuts::Everywhere { most: usize::MAX, seed: 1 };
    for cuts in [Cuts::AsRecorded, Cuts::Whole, everywhere] {
        assert_eq!(replay(&recording, cuts).replies, recording.replies, "{cuts:?}");
    }
    recording
}

/// `mcp-repl record` with these arguments, in a directory of its own.
fn record(arguments: &[&str], cells: &[&str]) -> (Output, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let builder = Builder::new().directory(directory.path()).args(["record", "-o", "f.cast"]);
    (builder.args(arguments).args(cells).output(""), directory)
}

#[track_caller]
fn text(output: &Output) -> String {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn cells_are_recorded_and_their_replies_printed() {
    let cells = ["x = 20", "name = input('Who? ')", "Ada", "print(name, x + 1)", "exit(3)"];
    let (output, directory) = record(&[], &cells);
    let printed = text(&output);
    assert_has(&printed, "Who? ");
    assert_has(&printed, "Ada 21\n[repl] session ended (exit status 3)\n");
    let file = directory.path().join("f.cast");
    let recording = replayed(&file);
    let replies: String = recording.replies.iter().map(|reply| &*reply.text).collect();
    assert_eq!(replies, printed);
    let again = Builder::new().arg("replay").arg(&file).arg("--replies").output("");
    assert_has(
        &text(&again),
        "=== reply 1: x = 20\n<<repl status: idle>>\n=== reply 2: name = input('Who? ')\nWho? \\\n=== reply 3: Ada\n",
    );
    let transcript = replay(&recording, Cuts::AsRecorded).transcript;
    assert_eq!(
        transcript,
        ">>> x = 20\n>>> name = input('Who? ')\nWho? Ada\n>>> print(name, x + 1)\nAda 21\n>>> exit(3)\n"
    );
    let lines = fs::read_to_string(file).unwrap();
    assert_has(&lines, r#""m", ">>> name = input('Who? ')"]"#);
    assert!(lines.ends_with("\"x\", \"3\"]\n"), "{lines}");
    // Players find the header that they know, and who runs there.
    let header = lines.lines().next().unwrap();
    assert_has(header, r#""version":3,"term":{"cols":120,"rows":40,"type":"xterm-256color"}"#);
    assert_has(header, r#""implementation":"cpython""#);
}

#[test]
fn bytes_that_are_no_utf_8_survive_exactly() {
    let cell = "import os; n = os.write(1, b'caf\\xc3\\xa9 \\xff\\xfe|\\xe2\\x82')";
    let (output, directory) = record(&[], &[cell]);
    text(&output);
    let recording = replayed(&directory.path().join("f.cast"));
    let printed = recording.inputs.iter().filter_map(|(_, input)| match input {
        mcp_repl::session::pipeline::Input::Output(bytes) => Some(&bytes[..]),
        _ => None,
    });
    let printed: Vec<u8> = printed.flatten().copied().collect();
    let wanted = b"caf\xc3\xa9 \xff\xfe|\xe2\x82";
    assert!(printed.windows(wanted.len()).any(|part| part == wanted), "{printed:?}");
}

#[test]
fn a_secret_is_in_no_recording() {
    let cells = ["import getpass; p = getpass.getpass()", "hunter2", "len(p)"];
    let (output, directory) = record(&[], &cells);
    assert_has(&text(&output), SECRET);
    let file = directory.path().join("f.cast");
    assert_has_not(&fs::read_to_string(&file).unwrap(), "hunter2");
    assert!(replayed(&file).hides_typing);
}

#[cfg(has = "proc")]
#[test]
fn a_secret_that_a_person_types_is_in_no_recording() {
    let runtime = Runtime::new();
    let casts = tempfile::tempdir().unwrap();
    let agent = runtime.server().client("agent").arg("--record").arg(casts.path()).start();
    agent.repl("1");
    let mut person = runtime.attach(&[]);
    person.is_at_prompt();
    // One that nobody waits for: what asks is found by the terminal's modes alone.
    agent.repl_with("import subprocess\nsubprocess.run(['sh', '-c', 'stty -echo; printf token?; read x; stty echo; echo got ${#x}'])", 0);
    person.ends_with("token?");
    person.types("hunter2\r");
    person.shows("got 7");
    person.is_at_prompt();
    person.types("40 + 2\r");
    person.shows("\n42\n");
    person.is_at_prompt();
    let said = agent.repl("'end'");
    assert_has(&said, "40 + 2");
    drop((agent, person));
    runtime.says(&["end", "--all"]);
    let file = only_file(casts.path());
    let lines = fs::read_to_string(&file).unwrap();
    assert_has_not(&lines, "hunter2");
    assert_has(&lines, r#""i", "*******\r"]"#);
    let recording = replayed(&file);
    assert_has(&replay(&recording, Cuts::AsRecorded).transcript, "\n>>> 40 + 2\n42\n");
}

#[test]
fn what_is_typed_can_be_left_out() {
    let cells = ["name = input('Who? ')", "Grace", "len(name)"];
    let (output, directory) = record(&["--record-input=no"], &cells);
    text(&output);
    let file = directory.path().join("f.cast");
    let lines = fs::read_to_string(&file).unwrap();
    let typed = lines.lines().filter(|line| line.contains("payload"));
    let typed: Vec<&str> = typed.inspect(|line| assert_has_not(line, "Grace")).collect();
    assert_eq!(typed.len(), 3);
    assert_has(&lines, r#"{\"text\":\"*****\"},\"hidden\":true"#);
    let recording = Recording::read(lines.as_bytes()).unwrap();
    assert!(recording.hides_typing && recording.replies.is_empty());
    let again = replay(&recording, Cuts::AsRecorded);
    assert_eq!(again.replies[2].text, "5\n");
}

#[test]
fn version_2_is_for_players_alone() {
    let (output, directory) = record(&["--format", "v2"], &["6 * 7"]);
    assert_eq!(text(&output), "42\n");
    let lines = fs::read_to_string(directory.path().join("f.cast")).unwrap();
    assert_has(lines.lines().next().unwrap(), r#""version":2,"width":120,"height":40"#);
    assert_has(&lines, "\"42");
    assert!(lines.lines().skip(1).all(|line| !line.contains("\"p\"")), "{lines}");
    let refused = Recording::read(lines.as_bytes()).unwrap_err().to_string();
    assert_has(&refused, "it is no recording of a session");
}

#[test]
fn a_file_that_is_there_is_replaced_only_on_demand() {
    let directory = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let builder = Builder::new().directory(directory.path());
        builder.args(["record", "-o", "f.cast"]).args(more).arg("6 * 7").output("")
    };
    text(&run(&[]));
    let refused = run(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert_has(&String::from_utf8_lossy(&refused.stderr), "f.cast is there already");
    text(&run(&["--overwrite"]));
    replayed(&directory.path().join("f.cast"));
    let other = Builder::new().args(["record", "-o", "f.txt", "1"]).output("");
    assert_has(
        &String::from_utf8_lossy(&other.stderr),
        "f.txt: the name of a recording ends in .cast",
    );
    let nothing = Builder::new().args(["record", "-o", "g.cast"]).output("");
    assert_has(&String::from_utf8_lossy(&nothing.stderr), "give cells behind `--`");
}

/// A server that records in a directory.
fn recorded(builder: Builder, directory: &Path) -> Server {
    builder.client("agent").arg("--record").arg(directory).start()
}

#[test]
fn servers_record_their_sessions_wherever_these_are() {
    for is_hosted in [false, true] {
        let casts = tempfile::tempdir().unwrap();
        let runtime = Runtime::new();
        let builder = if is_hosted { runtime.server() } else { Builder::new() };
        let server = recorded(builder, &casts.path().join("new"));
        server.gives("6 * 7", "42\n");
        server.gives_part("\u{4}'again'", "'again'");
        drop(server);
        runtime.says(&["end", "--all"]);
        let recording = replayed(&only_file(&casts.path().join("new")));
        assert_eq!(recording.replies.len(), 2);
        assert_has(&replay(&recording, Cuts::AsRecorded).transcript, "] >>> 6 * 7\n42\n");
    }
}

/// Else how long a cell has been running would be another time in the replay, by so little that one millisecond in
/// a thousand shows it.
#[cfg(has = "posix")]
#[test]
fn what_comes_together_happens_at_one_time() {
    let casts = tempfile::tempdir().unwrap();
    let worker =
        crate::support::fake_worker("says_two_things_at_once", &casts.path().join("no file"));
    let server = recorded(Builder::new().worker(worker), &casts.path().join("new"));
    for number in 1..=20 {
        server.gives(&number.to_string(), &format!("ran {number}\n"));
    }
    drop(server);
    let recording = replayed(&only_file(&casts.path().join("new")));
    let at = |kind: &str| -> Vec<Duration> {
        let is_meant = |input: &str| input.starts_with(&format!("Message({kind} "));
        let inputs = recording.inputs.iter();
        inputs.filter(|(_, input)| is_meant(&format!("{input:?}"))).map(|(at, _)| *at).collect()
    };
    // The first one came before all cells.
    assert_eq!(at("Ready")[1..], at("CellDone")[..]);
    assert_eq!(at("CellDone").len(), 20);
}

#[cfg(has = "proc")]
#[test]
fn a_killed_host_leaves_a_recording() {
    let casts = tempfile::tempdir().unwrap();
    let runtime = Runtime::new();
    let server = recorded(runtime.server(), casts.path());
    server.gives("6 * 7", "42\n");
    let names = runtime.names();
    kill(runtime.host(&names[0]));
    // The next call finds that it is gone, or starts another already.
    server.begin("1").answer();
    server.repl("2");
    drop(server);
    runtime.says(&["end", "--all"]);
    let mut files: Vec<PathBuf> =
        fs::read_dir(casts.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_by_key(|file| fs::metadata(file).unwrap().modified().unwrap());
    assert_eq!(files.len(), 2);
    let first = replayed(&files[0]);
    assert_eq!(first.replies[0].text, "42\n");
    // One that was cut in the middle of a line has what stands before.
    let whole = fs::read(&files[1]).unwrap();
    let cut = Recording::read(&whole[..whole.len() - 3]).unwrap();
    assert_eq!(cut.replies, replayed(&files[1]).replies);
}

#[test]
fn who_records_in_no_place_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a file");
    fs::write(&file, "").unwrap();
    let runtime = Runtime::new();
    for builder in [Builder::new(), runtime.server()] {
        let server = recorded(builder, &file);
        assert_has(&server.begin("1").error(), "a file");
    }
}

#[test]
fn exec_records_what_it_runs() {
    let casts = tempfile::tempdir().unwrap();
    let output =
        Builder::new().arg("exec").arg("--record").arg(casts.path()).arg("print(6 * 7)").output("");
    assert_eq!(text(&output), "42\n");
    let recording = replayed(&only_file(casts.path()));
    assert_has(&replay(&recording, Cuts::AsRecorded).transcript, "print(6 * 7)\n42\n");
}
