//! The page on testing one's own programs (`docs/testing.md`): its files are saved, and its commands run,
//! in their order, with what it says that they print.
#![cfg(has = "posix")]

use std::{fs, path::Path};

use regex::Regex;

use crate::support::{BINARY, Builder};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The page's blocks: what stands in front of each, what kind it is, and its text.
fn blocks(page: &str) -> Vec<(String, String, String)> {
    let mut lines = page.lines();
    let (mut before, mut blocks) = (String::new(), Vec::new());
    while let Some(line) = lines.next() {
        let fence: String = line.chars().take_while(|&c| c == '`').collect();
        if fence.len() < 3 {
            if !line.is_empty() {
                before = line.to_owned();
            }
            continue;
        }
        let kind = line.trim_start_matches('`').to_owned();
        let mut text = String::new();
        for line in lines.by_ref() {
            if line == fence {
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        blocks.push((std::mem::take(&mut before), kind, text));
    }
    blocks
}

/// The commands of a block, each with what it prints.
fn commands(block: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, printed))) => printed.extend([line, "\n"]),
            (None, None) => panic!("no command: {line}"),
        }
    }
    commands
}

/// What a shell prints for a command, where `mcp-repl` is the binary.
fn run(command: &str, directory: &Path) -> String {
    let (environment, _place) = Builder::new().any_python().command();
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", &format!("exec 2>&1; mcp-repl() {{ {BINARY} \"$@\"; }}; {command}")]);
    for (name, value) in environment.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let output = shell.current_dir(directory).stdin(std::process::Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_it_says_is_so() {
    let page = fs::read_to_string(format!("{ROOT}/docs/testing.md")).unwrap();
    let place = tempfile::tempdir().unwrap();
    fs::copy(format!("{ROOT}/fixtures/todo/todo.py"), place.path().join("todo.py")).unwrap();
    let (mut files, mut ran) = (0, 0);
    for (before, kind, text) in blocks(&page) {
        match &*kind {
            "markdown" => {
                let name = before.split('`').rfind(|word| word.ends_with(".md"));
                let name = name.unwrap_or_else(|| panic!("how is this saved? {before}"));
                fs::write(place.path().join(name), text).unwrap();
                files += 1;
            }
            "console" => {
                for (command, expected) in commands(&text) {
                    let printed = run(&command, place.path());
                    let is_so = Regex::new(&format!(
                        "(?s)^{}$",
                        regex::escape(&expected).replace(r"\.\.\.", ".*")
                    ));
                    let is_so = is_so.unwrap().is_match(&printed);
                    assert!(is_so, "$ {command}\n{printed}\n--- and not\n{expected}");
                    ran += 1;
                }
            }
            "yaml" => assert!(text.contains("mcp-repl verify "), "{text}"),
            kind => panic!("a block of what? {kind}"),
        }
    }
    assert!(files == 2 && ran >= 9, "{files} files, {ran} commands");
}
