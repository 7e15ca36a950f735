//! What can go wrong on the way elsewhere, and what is to be done about it.

use std::{collections::VecDeque, fmt, io};

use crate::reply::Exit;

/// Why there is no connection through a command, or why it ended.
#[derive(Debug, thiserror::Error)]
pub enum ViaError {
    /// The command is none.
    #[error("--via {command:?} can't be used: {why}")]
    Words {
        /// As it was given.
        command: String,
        /// What is wrong with it.
        why: String,
    },
    /// The command's program can't be executed here.
    #[error("`{command}` can't be run here: {error}")]
    NotRun {
        /// The command.
        command: String,
        /// Why.
        error: io::Error,
    },
    /// There is no `mcp-repl` where it leads.
    #[error(
        "there is no mcp-repl where `{command}` leads{said}. Install it there (`cargo install --path .` \
         in a clone of its repository there), or add `--via-install` here, which puts this binary there. \
         If it is there, it is not on the PATH of a command that is run in this way"
    )]
    Missing {
        /// The command.
        command: String,
        /// What was printed.
        said: Said,
    },
    /// The `mcp-repl` there is too old to know what is asked of it.
    #[error(
        "the mcp-repl where `{command}` leads is too old{said}. Install the version of here there, or \
         add `--via-install` here, which puts this binary there"
    )]
    TooOld {
        /// The command.
        command: String,
        /// What was printed.
        said: Said,
    },
    /// A terminal is in between, which echoes and changes what goes through.
    #[error(
        "`{command}` asks for a terminal, which would garble what goes through: leave out the option \
         that does (`-t`, as in `docker exec -it`, `kubectl exec -it`, `ssh -t`)"
    )]
    Terminal {
        /// The command.
        command: String,
    },
    /// Something else than the protocol came.
    #[error("`{command}` leads to something that is no mcp-repl: it says {start:?}{said}")]
    Garbage {
        /// The command.
        command: String,
        /// How what it said begins.
        start: String,
        /// What was printed to standard error.
        said: Said,
    },
    /// The command ended, or closed its output.
    #[error("`{command}` ended ({exit}){said}")]
    Ended {
        /// The command.
        command: String,
        /// How.
        exit: Exit,
        /// What was printed.
        said: Said,
    },
    /// This binary could not be put there.
    #[error("mcp-repl could not be put where `{command}` leads: {why}{said}")]
    NotInstalled {
        /// The command.
        command: String,
        /// Why.
        why: String,
        /// What was printed.
        said: Said,
    },
    /// The host there refuses.
    #[error("{message}")]
    Refused {
        /// What it says.
        message: String,
    },
}

/// The last lines that a command printed to standard error, for people: `: ` and the lines, or
/// nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said(String);

impl Said {
    /// The lines.
    pub fn lines(&self) -> &str {
        &self.0
    }

    /// Whether a line has one of these in it, whatever the case, and names `mcp-repl`.
    fn says_of_us(&self, parts: &[&str]) -> bool {
        self.0
            .lines()
            .map(str::to_lowercase)
            .any(|line| line.contains("mcp-repl") && parts.iter().any(|part| line.contains(part)))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ": {}", self.0) }
    }
}

/// How much is kept of what a command prints to standard error, in bytes.
const KEPT: usize = 4096;
/// How many of its last lines are shown.
const SHOWN_LINES: usize = 6;
/// How much of something strange is shown, in characters.
const SHOWN_START: usize = 120;

/// The end of what a command printed to standard error.
#[derive(Debug, Default)]
pub(super) struct Tail(VecDeque<u8>);

impl Tail {
    /// Adds what it printed.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend(&bytes[bytes.len().saturating_sub(KEPT)..]);
        let excess = self.0.len().saturating_sub(KEPT);
        self.0.drain(..excess);
    }

    /// The last lines that are not blank.
    pub(super) fn said(&self) -> Said {
        let (front, back) = self.0.as_slices();
        let text = [front, back].concat();
        let text: String = String::from_utf8_lossy(&text)
            .chars()
            .filter(|&c| c == '\n' || !c.is_control())
            .collect();
        let lines: Vec<&str> =
            text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let shown = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
        // What quotes it goes on behind it.
        Said(shown.trim_end_matches('.').to_owned())
    }
}

/// How bytes that are no protocol begin.
pub(super) fn start_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().chars().take(SHOWN_START).collect()
}

/// What a shell's exit status says when a program was not found, and when it can't be executed
/// (POSIX, Shell Command Language, 2.8.2).
const NOT_FOUND: [i32; 2] = [127, 126];

/// Why a command ended that should have led to an `mcp-repl`.
pub(super) fn of_end(command: &str, exit: Exit, said: Said) -> ViaError {
    let command = command.to_owned();
    let by_status = matches!(&exit, Exit::Status(status) if NOT_FOUND.contains(status));
    // sh, csh and fish; execve by way of Slurm and Docker; a file that is not executable.
    let missing = ["not found", "no such file", "unknown command", "permission denied"];
    if said.says_of_us(&missing) || by_status && said.0.is_empty() {
        return ViaError::Missing { command, said };
    }
    // Docker's words.
    if said.0.contains("input device is not a TTY") {
        return ViaError::Terminal { command };
    }
    // clap's words.
    if said.0.contains("unrecognized subcommand 'host'") || said.0.contains("argument '--stdio'") {
        return ViaError::TooOld { command, said };
    }
    ViaError::Ended { command, exit, said }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Said {
        let mut tail = Tail::default();
        tail.push(text.as_bytes());
        tail.said()
    }

    #[track_caller]
    fn is_missing(status: i32, text: &str) {
        let error = of_end("ssh gpu", Exit::Status(status), said(text));
        assert!(matches!(error, ViaError::Missing { .. }), "{text}: {error:?}");
        let words = error.to_string();
        assert!(words.contains("cargo install"), "{words}");
        assert!(words.contains("--via-install"), "{words}");
        assert!(words.contains(text.trim_end()), "{words}");
    }

    #[track_caller]
    fn has_ended(status: i32, text: &str) {
        let error = of_end("ssh gpu", Exit::Status(status), said(text));
        assert!(matches!(error, ViaError::Ended { .. }), "{text}: {error:?}");
        assert!(error.to_string().contains(text.trim_end_matches(['.', '\n'])), "{error}");
    }

    #[test]
    fn a_missing_binary_is_recognised_in_the_words_of_each_launcher() {
        is_missing(127, "sh: 1: mcp-repl: not found\n");
        is_missing(127, "bash: line 1: mcp-repl: command not found\n");
        is_missing(127, "zsh:1: command not found: mcp-repl\n");
        is_missing(127, "fish: Unknown command: mcp-repl\n");
        is_missing(1, "mcp-repl: Command not found.\n");
        is_missing(126, "bash: line 1: /usr/bin/mcp-repl: Permission denied\n");
        is_missing(127, "");
        let docker = "OCI runtime exec failed: exec failed: unable to start container process: exec: \
                      \"mcp-repl\": executable file not found in $PATH: unknown\n";
        is_missing(127, docker);
        is_missing(1, docker);
        is_missing(2, "slurmstepd: error: execve(): mcp-repl: No such file or directory\n");
        is_missing(127, "env: 'mcp-repl': No such file or directory\n");
    }

    #[test]
    fn a_launcher_that_fails_is_quoted() {
        has_ended(255, "ssh: Could not resolve hostname gpu: Name or service not known\n");
        has_ended(255, "root@gpu: Permission denied (publickey).\n");
        has_ended(1, "Error response from daemon: No such container: box\n");
        has_ended(127, "sh: 1: nosuch: not found\n");
        has_ended(255, "Warning: Identity file /x not accessible: No such file or directory.\n");
    }

    #[test]
    fn a_launcher_that_wants_a_terminal_is_recognised() {
        let error =
            of_end("docker exec -it x", Exit::Status(1), said("the input device is not a TTY"));
        assert!(matches!(error, ViaError::Terminal { .. }), "{error:?}");
    }

    #[test]
    fn a_binary_that_is_too_old_is_recognised() {
        let error =
            of_end("ssh gpu", Exit::Status(2), said("error: unrecognized subcommand 'host'\n"));
        assert!(matches!(error, ViaError::TooOld { .. }), "{error:?}");
    }

    #[test]
    fn the_last_lines_are_kept_and_no_control_characters() {
        let mut tail = Tail::default();
        for number in 0..10_000 {
            tail.push(format!("line {number}\r\n\n").as_bytes());
        }
        tail.push(b"\x1b[31mred\x1b[0m\xff");
        let lines = tail.said();
        let lines: Vec<&str> = lines.lines().lines().collect();
        assert_eq!(lines.len(), SHOWN_LINES);
        assert_eq!(lines[4], "line 9999");
        assert_eq!(lines[5], "[31mred[0m\u{fffd}");
        assert!(tail.0.len() <= KEPT);
        tail.push(&[b'x'; 3 * KEPT]);
        assert_eq!(tail.0.len(), KEPT);
    }
}
