//! How hints are worded: what to write instead.

use std::borrow::Cow;

use mcp_repl_sideband::Hint;

/// The longest command that is said again, in bytes.
const LONGEST_COMMAND: usize = 100;

/// What to write instead.
pub(super) fn said(hint: &Hint) -> Cow<'static, str> {
    match hint {
        Hint::Shell { command } if command.split_whitespace().next() == Some("cd") => {
            instead_of_magic("cd").unwrap_or_default().into()
        }
        Hint::Shell { command } => {
            let is_plain = command.len() <= LONGEST_COMMAND
                && !command.contains(|c: char| matches!(c, '"' | '\\') || c.is_control());
            let command =
                if is_plain { format!("\"{command}\"").into() } else { Cow::from("COMMAND") };
            format!("for a shell command: import subprocess; subprocess.run({command}, shell=True)")
                .into()
        }
        Hint::Magic { name } => match instead_of_magic(name) {
            Some(instead) => instead.into(),
            None => format!("%{name} is IPython's, and this is plain Python").into(),
        },
        Hint::Help { name, of_source: false } => format!("for help: help({name})").into(),
        Hint::Help { name, of_source: true } => {
            format!("for the source: import inspect; print(inspect.getsource({name}))").into()
        }
        Hint::Prompts => {
            "send the code alone, without >>> and ... in front and without what it printed".into()
        }
        Hint::Indented { columns: 1 } => {
            "the whole cell is indented; send it without the first character of each line".into()
        }
        Hint::Indented { columns } => format!(
            "the whole cell is indented; send it without the first {columns} characters of each line"
        )
        .into(),
        Hint::Await => "await works in a coroutine only: import asyncio; async def main(): ...; \
                        asyncio.run(main())"
            .into(),
        Hint::Other => "".into(),
    }
}

/// What does in plain Python what a magic of IPython does.
fn instead_of_magic(name: &str) -> Option<&'static str> {
    let instead = match name {
        "timeit" | "time" => "to measure time: import timeit; timeit.timeit(lambda: ..., number=1)",
        "cd" => "to change the directory: import os; os.chdir(DIRECTORY)",
        "pwd" => "for the directory: import os; os.getcwd()",
        "run" => "to run a file: import runpy; runpy.run_path(FILE)",
        "prun" => "to profile: import cProfile; cProfile.run(CODE)",
        "debug" => "to debug: import pdb; pdb.pm()",
        "who" | "whos" => "for the names: dir()",
        "reload_ext" | "autoreload" => "to load again: import importlib; importlib.reload(MODULE)",
        "env" | "set_env" => "for the environment: import os; os.environ",
        "bash" | "sh" | "system" | "ls" | "cat" | "pip" | "conda" => {
            "for a shell command: import subprocess; subprocess.run(COMMAND, shell=True)"
        }
        _ => return None,
    };
    Some(instead)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_says_what_to_write() {
        let shell = |command: &str| said(&Hint::Shell { command: command.into() });
        let run = "for a shell command: import subprocess; subprocess.run";
        assert_eq!(shell("ls -l"), format!("{run}(\"ls -l\", shell=True)"));
        // Strings from outside are said only where they are what they look like.
        for command in ["echo \"x\"", "a\\b", "a\tb", &"x".repeat(101)] {
            assert_eq!(shell(command), format!("{run}(COMMAND, shell=True)"));
        }
        assert!(shell("cd ..").ends_with("os.chdir(DIRECTORY)"));
        let magic = |name: &str| said(&Hint::Magic { name: name.into() });
        assert!(magic("timeit").contains("timeit.timeit("));
        assert_eq!(magic("matplotlib"), "%matplotlib is IPython's, and this is plain Python");
    }
}
