//! `mcp-repl verify` of scripts in Markdown, which are run in real sessions.
#![cfg(target_os = "linux")]

use std::{fs, path::Path};

use crate::support::{Builder, assert_has, assert_has_not, python};

/// Verifies what these arguments name: the exit status and what is said.
fn verify(arguments: &[&str]) -> (Option<i32>, String) {
    let builder = Builder::new().any_python().arg("verify").args(arguments);
    let output = builder.output("");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout) + &text(output.stderr))
}

/// A file of a test's own.
fn file(directory: &Path, name: &str, text: &str) -> String {
    let file = directory.join(name);
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A script with these options in front.
#[track_caller]
fn holds(script: &str) {
    let directory = tempfile::tempdir().unwrap();
    let (status, told) = verify(&[&file(directory.path(), "script.md", script)]);
    assert_eq!(status, Some(0), "{told}");
}

#[test]
fn cells_answers_keys_and_interrupts_get_their_replies() {
    holds(
        r#"
Words for people.
```cell
x = int(input("a number? "))
```
```reply
a number?
```
```answer
21
```
```cell
x * 2
```
```reply
42
```
```cell
1 / 0
```
```reply
Traceback (most recent call last):
...
ZeroDivisionError: division by zero
```
```cell
import subprocess, time
subprocess.run("cat").returncode
```
```keys
h i Enter C-d
```
```reply
hi
...
0
```
```cell
print("ready", flush=True)
time.sleep(1000)
```
```wait
ready
```
```interrupt
print("after")
```
```reply
...
KeyboardInterrupt
after
```
"#,
    );
}

#[test]
fn a_wait_is_for_what_comes_and_not_for_what_was_there() {
    // The echo of a cell, and earlier replies, have the word.
    let directory = tempfile::tempdir().unwrap();
    let script = "---\ntimeout: 1\n---\n```cell\nprint('word')\n```\n```reply\nword\n```\n\
                  ```cell\nimport time; w = 'word'; time.sleep(1000)\n```\n```wait\nword\n```\n";
    let file = file(directory.path(), "script.md", script);
    let (status, told) = verify(&[&file]);
    assert_eq!(status, Some(1));
    assert_has(&told, "line 13: \"word\" did not come within 1 s");
    // What runs on by itself is waited for without a word of the script's in between.
    holds(
        "```cell\nimport time\nfor n in range(1000): time.sleep(0.01); print('step', n)\n```\n\
           ```wait\nstep 7\n```\n```interrupt\n```\n```reply\n...\nKeyboardInterrupt\n```\n",
    );
}

#[test]
fn a_program_is_the_session_of_its_script() {
    holds(
        "---\nrun: vim -u NONE -N -n\nsize: 40x6\n---\n```wait\n~\n```\n```answer\nihello\n```\n\
         ```reply\nhello\n~\n...\n[screen] vim, ...\n```\n```keys\nEscape\n```\n```answer\n:cq\n\n```\n\
         ```reply\n[repl] session ended (exit status 1)\n```\n",
    );
    holds(
        "---\nrun: sh -c 'seq 1000 | less -M'\npager: page\n---\n```reply\n1\n2\n...\n[pager] less...\n```\n",
    );
    holds(
        "---\nrun: sh -c 'echo one; exit 3'\n---\n```reply\none\n[repl] session ended (exit status 3)\n```\n",
    );
    let directory = tempfile::tempdir().unwrap();
    // A path, and what the program opens, are seen from the script.
    fs::write(directory.path().join("notes"), "a note\n").unwrap();
    std::os::unix::fs::symlink("/bin/cat", directory.path().join("show")).unwrap();
    let script = "---\nrun: ./show notes\n---\n```reply\na note\n...\n```\n";
    let (status, told) = verify(&[&file(directory.path(), "script.md", script)]);
    assert_eq!(status, Some(0), "{told}");
    let script = "---\nrun: /nowhere/program\n---\n```wait\nx\n```\n";
    let (status, told) = verify(&[&file(directory.path(), "script.md", script)]);
    assert_eq!(status, Some(1));
    assert_has(&told, "line 4: \"x\" did not come before the end");
    assert_has(&told, "/nowhere/program could not be started");
}

#[test]
fn what_differs_is_shown_and_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let script = "a\n```cell\n20 + 1\n```\n```reply\n22\n```\n```cell\n'b'\n```\n```reply\n```\n";
    let file = file(directory.path(), "script.md", script);
    let (status, told) = verify(&[&file]);
    assert_eq!(status, Some(1));
    assert_has(&told, &format!("FAILED {file}: the reply of line 5 is another one\n"));
    assert_has(&told, "    1 -22\n      +21\n");
    assert_has(&told, "the reply of line 11 is another one\n      +'b'\n");
    assert_eq!(verify(&[&file, "--accept"]).0, Some(0));
    let accepted = script.replace("22\n", "21\n").replace("```reply\n```", "```reply\n'b'\n```");
    assert_eq!(fs::read_to_string(&file).unwrap(), accepted);
    assert_eq!(verify(&[&file]).0, Some(0));
}

#[test]
fn of_a_directory_the_scripts_are_run_and_other_pages_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let page = file(directory.path(), "page.md", "# A page\n```python\n1\n```\n");
    file(directory.path(), "script.md", "```cell\n1\n```\n```reply\n1\n```\n");
    let (status, told) = verify(&[directory.path().to_str().unwrap()]);
    assert_eq!(status, Some(0), "{told}");
    assert_has(&told, "1 passed, 0 failed");
    let (status, told) = verify(&[&page]);
    assert_eq!(status, Some(1));
    assert_has(&told, "there is no block of a script in it");
    // One that is wrong is no other page.
    let wrong = file(directory.path(), "wrong.md", "```reply\n1\n");
    let (status, told) = verify(&[directory.path().to_str().unwrap()]);
    assert_eq!(status, Some(1));
    assert_has(&told, &format!("FAILED {wrong}: line 1: the block that begins here has no end"));
    assert_has_not(&told, "page.md");
}

#[test]
fn a_script_runs_with_the_python_that_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let program = python::default();
    let script = "```cell\nimport sys; sys.executable\n```\n```reply\n'...python...'\n```\n";
    let file = file(directory.path(), "script.md", script);
    let (status, told) = verify(&["--python", program.to_str().unwrap(), &file]);
    assert_eq!(status, Some(0), "{told}");
    let (status, told) = verify(&["--python", "/nowhere/python", &file]);
    assert_eq!(status, Some(1));
    assert_has(&told, "/nowhere/python");
}
