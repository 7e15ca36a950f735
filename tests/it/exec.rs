//! `mcp-repl exec`: cells from arguments, a file or standard input; what they print on standard
//! output, and nothing else.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::{Builder, assert_has};

/// Runs `exec` with these arguments and standard input.
#[track_caller]
fn exec(arguments: &[&str], stdin: &str) -> Output {
    Builder::new().arg("exec").args(arguments).output(stdin)
}

#[track_caller]
fn texts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[track_caller]
fn prints(arguments: &[&str], stdin: &str, stdout: &str) {
    let expected = (Some(0), stdout.to_owned(), String::new());
    assert_eq!(texts(&exec(arguments, stdin)), expected);
}

#[test]
fn cells_from_arguments_share_a_session() {
    prints(&["x = 41", "x + 1", "print('done')"], "", "42\ndone\n");
}

#[test]
fn a_cell_from_standard_input() {
    prints(&[], "def f():\n    return 42\n\nf()\n", "42\n");
    prints(&["--file", "-"], "6 * 7\n", "42\n");
}

#[test]
fn cells_from_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("script.py");
    std::fs::write(&file, "x = 41\nx\n# %% two\nx + 1\n").unwrap();
    prints(&["--file", file.to_str().unwrap()], "", "41\n42\n");
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let (status, stdout, stderr) = texts(&exec(&["--file", "no-such-file.py"], ""));
    assert_eq!((status, &*stdout), (Some(2), ""));
    assert_has(&stderr, "no-such-file.py");
}

#[test]
fn what_the_program_asks_for_is_read_from_standard_input() {
    let cell = "a = input('first? ')\nb = input('second? ')\nprint(b, a)";
    let (status, stdout, stderr) = texts(&exec(&[cell], "one\ntwo\n"));
    assert_eq!(status, Some(0), "{stderr}");
    assert_eq!(stdout, "two one\n");
    assert_has(&stderr, "first? ");
    assert_has(&stderr, "second? ");
}

#[test]
fn a_line_without_an_end_is_an_answer_too() {
    let (status, stdout, _) = texts(&exec(&["input('? ')"], "last"));
    assert_eq!((status, &*stdout), (Some(0), "'last'\n"));
}

#[test]
fn the_end_of_standard_input_ends_the_program_that_waits() {
    let (status, _, _) = texts(&exec(&["input('? ')"], ""));
    assert_eq!(status, Some(1));
    let (status, _, _) = texts(&exec(
        &[
            "while True:\n    try: input('? ')\n    except EOFError: break\n    except KeyboardInterrupt: break",
        ],
        "",
    ));
    assert_eq!(status, Some(0));
}

#[test]
fn the_exit_status_is_1_when_a_cell_raised() {
    let (status, stdout, _) = texts(&exec(&["1 / 0", "print('on')"], ""));
    assert_eq!(status, Some(1));
    assert_has(&stdout, "ZeroDivisionError: division by zero\n");
    let (status, _, _) = texts(&exec(&["]["], ""));
    assert_eq!(status, Some(1));
}

#[cfg(has = "posix")]
#[test]
fn the_exit_status_is_the_programs_when_it_exits() {
    let (status, stdout, _) =
        texts(&exec(&["print('bye')\nraise SystemExit(7)", "print('never')"], ""));
    assert_eq!((status, &*stdout), (Some(7), "bye\n"));
    assert_eq!(texts(&exec(&["import sys\nsys.exit()"], "")).0, Some(0));
    let killed = texts(&exec(&["import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"], ""));
    assert_eq!(killed.0, Some(137));
}

#[test]
fn json_is_one_object_a_line() {
    let (status, stdout, _) =
        texts(&exec(&["--json", "print('a')", "1 / 0", "input('? ')"], "yes\n"));
    assert_eq!(status, Some(1));
    let replies: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let text = |n: usize| replies[n]["content"][0]["text"].as_str().unwrap().to_owned();
    assert_eq!(text(0), "a\n");
    assert_eq!(replies[0]["status"]["state"], "ready");
    assert_eq!(replies[0]["status"]["outcome"], "ok");
    assert_has(&text(1), "ZeroDivisionError");
    assert_eq!(replies[1]["status"]["outcome"], "error");
    assert_eq!(text(2), "? ");
    assert_eq!(replies[2]["status"]["state"], "waiting");
    assert_eq!(text(3), "'yes'\n");
    assert_eq!(replies.len(), 4);
}

#[test]
fn json_has_what_the_program_says_at_its_end() {
    let cell = "import atexit\n_ = atexit.register(print, 'bye')";
    let (status, stdout, _) = texts(&exec(&["--json", cell], ""));
    assert_eq!(status, Some(0));
    let replies: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [first, last] = &replies[..] else { panic!("{stdout}") };
    assert_eq!(first["status"]["state"], "ready");
    assert_eq!(last["content"], json!([{"type": "text", "text": "bye\n"}]));
    assert_eq!(last["status"], json!({"state": "ended", "exit": "exit status 0"}));
    assert_eq!(last["isError"], false);
}

#[test]
fn all_output_comes_whatever_its_size() {
    let (status, stdout, stderr) = texts(&exec(&["for n in range(200_000): print(n)"], ""));
    assert_eq!((status, &*stderr), (Some(0), ""));
    let expected: String = (0..200_000).map(|n| format!("{n}\n")).collect();
    assert!(stdout == expected, "{} bytes of {}", stdout.len(), expected.len());
}

#[test]
fn nothing_of_the_bridge_mixes_into_standard_output() {
    prints(&["x = 1", "", "None"], "", "");
    prints(&["print('partial', end='')"], "", "partial");
    let (_, stdout, _) =
        texts(&exec(&["import sys\nprint('err', file=sys.stderr)\nsys.exit('why')"], ""));
    assert!(!stdout.contains("[repl]") && !stdout.contains("<<repl"), "{stdout}");
}

#[test]
fn a_python_that_can_not_run_is_an_error() {
    let output = Builder::new().python("/nowhere/python").args(["exec", "1"]).output("");
    let (status, stdout, stderr) = texts(&output);
    assert_ne!(status, Some(0));
    assert_eq!(stdout, "");
    assert_has(&stderr, "/nowhere/python");
}
