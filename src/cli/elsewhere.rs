//! `ls` and `end` with `--via`: what lives elsewhere is listed and ended by the very command, there.

use std::{
    process::{Command, ExitCode, ExitStatus, Stdio},
    str,
};

use serde_json::Value;

use crate::{registry::SessionName, remote::via::ViaCommand, reply::printable};

/// What runs there.
const PROGRAM: &str = "mcp-repl";
/// What shells say with their exit status of a program that is not there, or can't be run (POSIX).
const NOT_RUN: [i32; 2] = [126, 127];

/// Runs the words there on this process's streams; its exit status is that of the command.
///
/// # Errors
/// When it can't be run, or was killed.
pub(super) fn run(via: &ViaCommand, words: &[String]) -> Result<ExitCode, String> {
    let (command, mut running) = command(via, words)?;
    let status = running.status().map_err(|error| not_run(&command, &error))?;
    match status.code() {
        Some(code) if NOT_RUN.contains(&code) => Err(ended(&command, status)),
        // As a parent is told it.
        Some(code) => Ok(ExitCode::from(code.to_le_bytes()[0])),
        None => Err(ended(&command, status)),
    }
}

/// The sessions there, each with a line that says what it is.
///
/// # Errors
/// When the command fails, or leads to something that lists no sessions.
pub(super) fn list(via: &ViaCommand) -> Result<Vec<(SessionName, String)>, String> {
    let (command, mut running) = command(via, &["ls".to_owned(), "--json".to_owned()])?;
    running.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = running.output().map_err(|error| not_run(&command, &error))?;
    if !output.status.success() {
        return Err(ended(&command, output.status));
    }
    listed(&String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| format!("`{command}` printed no list of sessions"))
}

fn command(via: &ViaCommand, words: &[String]) -> Result<(String, Command), String> {
    if via.installs() {
        return Err("--via-install is for what connects to a session by its name, and --new".into());
    }
    let program: Vec<&str> =
        [PROGRAM].into_iter().chain(words.iter().map(String::as_str)).collect();
    let running = via.running(&program);
    let (file, arguments) = running.split_first().ok_or("--via names no program")?;
    let mut command = Command::new(file);
    command.args(arguments);
    Ok((shell_words::join(&running), command))
}

fn not_run(command: &str, error: &std::io::Error) -> String {
    format!("`{command}` can't be run: {error}")
}

fn ended(command: &str, status: ExitStatus) -> String {
    let hint = match status.code() {
        Some(code) if NOT_RUN.contains(&code) => {
            "; is mcp-repl there, where commands are looked for? docs/remote.md says more"
        }
        _ => "",
    };
    format!("`{command}` ended ({status}){hint}")
}

/// What `ls --json` printed, behind what a log-in shell may have.
fn listed(printed: &str) -> Option<Vec<(SessionName, String)>> {
    let starts = printed.match_indices('[').map(|(at, _)| at);
    let lines = starts.filter(|&at| at == 0 || printed[..at].ends_with('\n'));
    let sessions = lines
        .filter_map(|at| serde_json::from_str::<Vec<Value>>(printed[at..].trim_end()).ok())
        .next_back()?;
    sessions.iter().map(one).collect()
}

fn one(session: &Value) -> Option<(SessionName, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = session["name"].as_str()?.parse().ok()?;
    let words = [
        &session["name"],
        &session["state"]["state"],
        &session["interpreter"],
        &session["directory"],
    ];
    let words: Vec<String> = words.into_iter().map(text).filter(|word| !word.is_empty()).collect();
    Some((name, printable(&words.join("  "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_log_in_shell_prints_is_passed_over() {
        let session = |name: &str| {
            format!(
                r#"{{"name": "{name}", "state": {{"state": "ready"}}, "directory": "/a\u001bb"}}"#
            )
        };
        let of =
            |name: &str| (name.parse::<SessionName>().unwrap(), format!("{name}  ready  /a?b"));
        assert_eq!(listed("[]\n"), Some(vec![]));
        assert_eq!(listed(&format!("[{}]\n", session("a"))), Some(vec![of("a")]));
        assert_eq!(
            listed(&format!("Welcome [to]\n[box]\n[\n{},\n{}\n]\n", session("a"), session("b"))),
            Some(vec![of("a"), of("b")])
        );
        for wrong in ["", "[", "[1]", r#"[{"name": "a b"}]"#, "No sessions.\n"] {
            assert_eq!(listed(wrong), None, "{wrong}");
        }
    }
}
