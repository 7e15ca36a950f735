//! What the program writes of itself: the skill, what shells complete, and manual pages.
#![cfg(has = "posix")]

use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
};

use serde_json::json;

use crate::support::{Builder, Server, assert_has};

#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let output = Builder::new().args(arguments.iter().copied()).output("");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a program with this on its standard input.
fn run(program: &str, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).env("LC_ALL", "C.UTF-8");
    let streams = [Stdio::piped(), Stdio::piped(), Stdio::piped()];
    let [stdin, stdout, stderr] = streams;
    let mut child = command.stdin(stdin).stdout(stdout).stderr(stderr).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// What stands in backticks in the line that begins so.
fn quoted_in<'t>(text: &'t str, beginning: &str) -> Vec<&'t str> {
    let line = text.lines().find(|line| line.starts_with(beginning)).expect(beginning);
    line.split('`').skip(1).step_by(2).collect()
}

#[test]
fn an_agent_can_do_what_the_skill_says() {
    let skill = printed(&["skill"]);
    let repl = Server::start();
    for _ in 0..3 {
        repl.repl("for n in range(4000): print(n, 'a regex')");
    }
    let shown = quoted_in(&skill, "- Long output");
    assert_eq!((shown[0], shown.len()), ("show", 5));
    for part in &shown[1..] {
        let reply = repl.call(&json!({ "show": part })).text();
        assert!(reply.contains("a regex"), "{part}: {reply}");
    }
    let typed = quoted_in(&skill, "- `keys` types");
    assert_eq!((typed[0], typed.len()), ("keys", 5));
    for keys in &typed[1..] {
        // They are keys to Python's own reader, which goes on or not.
        repl.call(&json!({ "input": "import sys; sys.stdin.readline()", "timeout_ms": 20_000 }));
        repl.call(&json!({ "keys": keys, "timeout_ms": 1 })).text();
        let after = repl.repl("\u{3}'ready'");
        assert!(after.ends_with("'ready'\n"), "{keys}: {after}");
    }
    repl.repl("def f(x): return 1 / x\nf(0)");
    let steps = quoted_in(&skill, "- After an error:");
    assert_eq!(steps[0], "import pdb; pdb.pm()");
    assert_has(&repl.repl(steps[0]), "(Pdb) ");
    assert_eq!(steps[2..4], ["p x", "up"]);
    repl.gives("p x", "0\n(Pdb) ");
    repl.repl("q");
    repl.repl("def g(): breakpoint(); return 7\n");
    assert_has(&repl.repl("g()"), "(Pdb) ");
    repl.gives("c", "7\n");
}

#[test]
fn bash_completes_commands_and_options() {
    let script = printed(&["completions", "bash"]);
    let complete = |words: &str, index: usize| {
        let ask = format!(
            "{script}\nCOMP_WORDS=({words}) COMP_CWORD={index}\n\
             bound=$(complete -p mcp-repl) && bound=${{bound#*-F }} && bound=${{bound%% *}}\n\
             $bound mcp-repl \"${{COMP_WORDS[{index}]}}\" ''\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        let output = run("bash", &["--norc"], &ask);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(complete("mcp-repl att", 1), "attach\n");
    assert_has(&complete("mcp-repl install --", 2), "--dry-run\n");
    assert_eq!(complete("mcp-repl config tr", 2), "trust\n");
    assert_has(&complete("mcp-repl config trust --", 3), "--revoke\n");
}

#[test]
fn each_shell_has_its_completions() {
    for (shell, beginning) in [("zsh", "#compdef mcp-repl\n"), ("fish", "# Print an optspec")] {
        let script = printed(&["completions", shell]);
        assert!(script.starts_with(beginning), "{script}");
        assert_has(&script, "dry-run");
    }
}

#[test]
fn manual_pages_render_without_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    printed(&["man", directory.path().to_str().unwrap()]);
    let mut pages: Vec<_> =
        fs::read_dir(&directory).unwrap().map(|page| page.unwrap().path()).collect();
    pages.sort();
    let help = printed(&["--help"]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let commands = commands.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = commands.filter_map(|line| line.split_whitespace().next());
    let mut expected: Vec<String> =
        names.filter(|&name| name != "help").map(|name| format!("mcp-repl-{name}.1")).collect();
    expected.extend(["mcp-repl.1", "mcp-repl-config-trust.1"].map(str::to_owned));
    expected.sort();
    let found: Vec<_> =
        pages.iter().map(|page| page.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(found, expected);
    for page in pages {
        let page = page.to_str().unwrap();
        let output = run("man", &["--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l", page], "");
        assert!(output.status.success() && output.stderr.is_empty(), "{page}: {output:?}");
    }
}

#[test]
fn a_directory_that_is_not_there_gets_no_pages() {
    let output = Builder::new().args(["man", "/nowhere"]).output("");
    assert_eq!(output.status.code(), Some(2));
    assert_has(&String::from_utf8_lossy(&output.stderr), "mcp-repl: /nowhere: No such file");
}
