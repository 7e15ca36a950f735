//! `mcp-repl completions SHELL`: what a shell reads to complete this program's command line.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

/// For which shell.
#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

/// Prints it.
pub(super) fn completions(arguments: &CompletionsArguments) -> Result<ExitCode, String> {
    let generate = |name: &str| {
        let mut script = Vec::new();
        clap_complete::generate(arguments.shell, &mut super::command_line(), name, &mut script);
        script
    };
    let script = match arguments.shell {
        // What clap_complete 4.6 writes for bash knows no subcommand of a program with a dash in its
        // name. The name stands for itself where the function is bound to it, and nowhere else.
        Shell::Bash => {
            let script =
                String::from_utf8(generate("mcp_repl")).map_err(|error| error.to_string())?;
            let bound = |line: &str| line.trim_start().starts_with("complete -F ");
            let lines = script.lines().map(|line| match line.strip_suffix(" mcp_repl") {
                Some(before) if bound(line) => format!("{before} mcp-repl\n"),
                _ => format!("{line}\n"),
            });
            lines.collect::<String>().into_bytes()
        }
        _ => generate("mcp-repl"),
    };
    super::print(&script)
}
