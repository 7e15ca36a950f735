//! The command of `--via`, and how a program's words are put behind it.

use std::{fmt, path::Path};

use super::ViaError;

/// A command that runs another one elsewhere: `ssh gpu`, `docker exec -i box`, `sh -c`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ViaCommand {
    text: String,
    words: Vec<String>,
    installs: bool,
}

impl ViaCommand {
    /// The command, split into words as a shell does it. Whether this binary is put there where it
    /// is missing or another.
    ///
    /// # Errors
    /// When it can't be split, or names no program.
    pub fn new(text: &str, installs: bool) -> Result<ViaCommand, ViaError> {
        let words = crate::words::split(text)
            .map_err(|error| ViaError::Words { command: text.into(), why: error.to_string() })?;
        if words.first().is_none_or(String::is_empty) {
            return Err(ViaError::Words {
                command: text.into(),
                why: "it names no program".into(),
            });
        }
        Ok(ViaCommand { text: text.into(), words, installs })
    }

    /// Whether this binary is put there.
    pub fn installs(&self) -> bool {
        self.installs
    }

    /// The words that run `program` there: its words follow as they are, or as one where the command
    /// ends in an option that takes a whole command (`sh -c`, `bash -lc`).
    ///
    /// ssh joins its words with blanks and has a shell split them again (ssh(1)), so one word of
    /// several is quoted once more for it.
    pub fn running(&self, program: &[&str]) -> Vec<String> {
        let mut words = self.words.clone();
        if self.words.len() > 1 && self.words.last().is_some_and(|word| takes_a_command(word)) {
            let command = shell_words::join(program);
            let is_ssh = |word: &String| {
                let name = Path::new(word).file_name();
                name.is_some_and(|name| name == "ssh" || name.eq_ignore_ascii_case("ssh.exe"))
            };
            let splits_again = self.words.iter().any(is_ssh);
            words.push(if splits_again { shell_words::quote(&command).into() } else { command });
        } else {
            words.extend(program.iter().copied().map(str::to_owned));
        }
        words
    }
}

impl fmt::Display for ViaCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether an option takes a whole command as its argument: `-c`, `-lc`.
fn takes_a_command(word: &str) -> bool {
    let letters = word.strip_prefix('-').and_then(|rest| rest.strip_suffix('c'));
    letters.is_some_and(|letters| letters.chars().all(|letter| letter.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(text: &str) -> Vec<String> {
        ViaCommand::new(text, false).unwrap().running(&["mcp-repl", "host", "--stdio"])
    }

    #[test]
    fn the_program_follows_as_words_of_its_own() {
        let words = ["ssh", "-p", "22", "gpu", "mcp-repl", "host", "--stdio"];
        assert_eq!(running("ssh -p 22 gpu"), words);
        assert_eq!(
            running("ssh gpu cd 'my proj' '&&'"),
            ["ssh", "gpu", "cd", "my proj", "&&", "mcp-repl", "host", "--stdio"]
        );
        let words = ["kubectl", "exec", "-i", "pod", "-c", "main", "--", "mcp-repl"];
        assert_eq!(running("kubectl exec -i pod -c main --")[..8], words);
    }

    #[test]
    fn the_program_is_one_word_for_a_shell_that_takes_a_command() {
        assert_eq!(running("sh -c"), ["sh", "-c", "mcp-repl host --stdio"]);
        assert_eq!(
            running("docker exec -i box bash -lc"),
            ["docker", "exec", "-i", "box", "bash", "-lc", "mcp-repl host --stdio"]
        );
        assert_eq!(running("/bin/sh -ec")[2], "mcp-repl host --stdio");
    }

    #[test]
    fn the_one_word_is_quoted_for_the_shell_that_ssh_has_split_it() {
        let words = ["ssh", "gpu", "bash", "-lc", "'mcp-repl host --stdio'"];
        assert_eq!(running("ssh gpu bash -lc"), words);
        assert_eq!(running("/usr/bin/ssh gpu bash -lc")[4], words[4]);
        assert_eq!(running("gcloud compute ssh gpu -- bash -lc")[7], words[4]);
    }

    #[test]
    fn options_that_only_look_like_it_take_no_command() {
        for text in ["run --c", "run -1c", "run -", "run c", "-c"] {
            assert_eq!(running(text).last().unwrap(), "--stdio", "{text}");
        }
    }

    #[test]
    fn a_command_that_names_no_program_is_refused() {
        for text in ["", "  ", "''", "ssh 'gpu"] {
            let error = ViaCommand::new(text, false).unwrap_err();
            assert!(error.to_string().starts_with("--via "), "{error}");
        }
    }
}
