//! The reference of all commands and options in docs/configuration.md: made of the definitions, and compared
//! with the page. `MCP_REPL_TEST_WRITES=1 cargo test reference` writes it.

use std::{fmt::Write, fs, path::Path};

use clap::{Arg, Command};

/// Behind this line of the page all is made here.
const MARK: &str = "<!-- From here on made of the definitions: src/cli/reference.rs. -->\n";

/// One line, as a cell of a table has it. What looks like HTML is code.
fn cell(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('|', "\\|").replace('<', "&lt;")
}

fn is_shown(argument: &Arg) -> bool {
    !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str())
}

fn help(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help());
    help.map(|help| cell(&help.to_string())).unwrap_or_default()
}

/// How it is written on a command line.
fn usage(argument: &Arg) -> String {
    let value = argument.get_value_names().unwrap_or_default().join(" ");
    let takes = argument.get_action().takes_values();
    let Some(long) = argument.get_long() else {
        let many = if argument.get_action().takes_values()
            && argument.get_num_args().is_some_and(|n| n.max_values() > 1)
        {
            "…"
        } else {
            ""
        };
        return format!("`{value}{many}`");
    };
    let short = argument.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let is_optional = argument.get_num_args().is_some_and(|number| number.min_values() == 0);
    match (takes, is_optional) {
        (false, _) => format!("{short}`--{long}`"),
        (true, true) => format!("{short}`--{long}[={value}]`"),
        (true, false) => format!("{short}`--{long} {value}`"),
    }
}

/// What holds without it, and the variable that says the same.
fn otherwise(argument: &Arg) -> String {
    let takes = argument.get_action().takes_values();
    let defaults = argument.get_default_values().iter().filter(|_| takes);
    let default = defaults.map(|value| format!("`{}`", value.to_string_lossy()));
    let variable = argument.get_env().map(|name| format!("variable `{}`", name.to_string_lossy()));
    default.chain(variable).collect::<Vec<_>>().join(", ")
}

/// The section of a command. What an option of the server's says there is not said again.
fn section(out: &mut String, command: &Command, server: Option<&Command>) {
    let name = command.get_bin_name().unwrap_or_default();
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let _ = write!(out, "\n## `{name}`\n\n{}\n", about.replace('<', "&lt;").trim_end());
    let of_server = |argument: &&Arg| {
        server.is_some_and(|server| {
            let same = |other: &Arg| {
                other.get_id() == argument.get_id()
                    && help(other) == help(argument)
                    && otherwise(other) == otherwise(argument)
            };
            server.get_arguments().any(same)
        })
    };
    let shown: Vec<&Arg> = command.get_arguments().filter(|argument| is_shown(argument)).collect();
    let (shared, own): (Vec<&Arg>, Vec<&Arg>) = shown.into_iter().partition(of_server);
    if !own.is_empty() {
        out.push_str("\n| argument | meaning | otherwise |\n| --- | --- | --- |\n");
    }
    for argument in own {
        let _ =
            writeln!(out, "| {} | {} | {} |", usage(argument), help(argument), otherwise(argument));
    }
    if !shared.is_empty() {
        let names: Vec<String> = shared.into_iter().map(usage).collect();
        let _ = write!(out, "\nAs the server's: {}.\n", names.join(", "));
    }
}

fn reference() -> String {
    let mut command = super::command_line();
    command.build();
    let mut out = String::new();
    section(&mut out, &command, None);
    let is_ours = |one: &&Command| one.get_name() != "help";
    for subcommand in command.get_subcommands().filter(is_ours) {
        section(&mut out, subcommand, Some(&command));
        for below in subcommand.get_subcommands().filter(is_ours) {
            section(&mut out, below, Some(&command));
        }
    }
    out
}

#[test]
fn the_page_says_what_the_definitions_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let page = fs::read_to_string(&file).unwrap();
    let (by_hand, made) = page.split_once(MARK).expect("the mark");
    let expected = reference();
    if std::env::var_os("MCP_REPL_TEST_WRITES").is_some() {
        fs::write(&file, format!("{by_hand}{MARK}{expected}")).unwrap();
    } else {
        assert_eq!(made, expected, "MCP_REPL_TEST_WRITES=1 cargo test reference writes it");
    }
}

/// Those that a program of ours finds in its environment, and a person does not set.
const INTERNAL: [&str; 9] = [
    "DETACHED_FROM",
    "EXTENSION",
    "EXTENSION_FILE",
    "MASTER",
    "NONCE",
    "SIDEBAND",
    "SCRIPT",
    "TEST",
    "TEST_WRITES",
];

#[test]
fn each_variable_is_on_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/configuration.md")).unwrap();
    let mut directories = vec![root.join("src"), root.join("python/src")];
    let mut found = 0;
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            for (at, before) in text.match_indices("MCP_REPL_") {
                let rest = &text[at + before.len()..];
                let end = rest.find(|c: char| !c.is_ascii_uppercase() && c != '_');
                let name = &rest[..end.unwrap_or(rest.len())];
                let is_internal = INTERNAL.contains(&name) || name.starts_with("TEST_");
                if name.is_empty() || is_internal {
                    continue;
                }
                found += 1;
                let variable = format!("`MCP_REPL_{name}`");
                assert!(page.contains(&variable), "{variable} of {}", path.display());
            }
        }
    }
    assert!(found > 5);
}
