//! `install` and `uninstall` as a person runs them, in a home of their own.
#![cfg(has = "posix")]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    process::Output,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{BINARY, Builder, assert_has, assert_has_not};

struct Home {
    root: TempDir,
}

impl Home {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("bin")).unwrap();
        fs::create_dir(root.path().join("project")).unwrap();
        // PATH has no clients of the machine's.
        for program in ["mkdir", "touch"] {
            symlink(format!("/bin/{program}"), root.path().join("bin").join(program)).unwrap();
        }
        Self { root }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.root.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// A program on PATH.
    fn program(&self, name: &str, script: &str) {
        self.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755))
            .unwrap();
    }

    fn builder(&self, arguments: &[&str]) -> Builder {
        let builder = Builder::new().any_python().env_clear().args(arguments);
        builder
            .env("HOME", self.root.path())
            .env("PATH", self.path("bin"))
            .directory(self.path("project"))
    }

    fn output(&self, arguments: &[&str]) -> Output {
        self.builder(arguments).output("")
    }

    /// What a command that ends so prints.
    #[track_caller]
    fn says(&self, status: i32, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let text =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{text}");
        text
    }

    fn entry(&self, file: &str) -> Value {
        serde_json::from_str::<Value>(&self.read(file)).unwrap()["mcpServers"]["repl"].clone()
    }
}

#[test]
fn what_is_here_is_shown_and_written_and_taken_out_again() {
    let home = Home::new();
    let zed = "// mine\n{\n  \"theme\": \"One Dark\", // dark\n}\n";
    home.write(".config/zed/settings.json", zed);
    home.write(".codex/config.toml", "model = \"x\" # c\n");
    fs::create_dir(home.path(".cursor")).unwrap();
    let plan = home.says(0, &["install", "--dry-run", "--", "--pager", "page"]);
    assert_has(&plan, "context_servers.repl: added (what it was stays in ");
    assert_has(&plan, "+args = [\"--pager\", \"page\"]\n");
    assert_has(&plan, "--- /dev/null\n+++ ");
    assert_has(&plan, "Not here: Claude Code, ");
    assert!(!home.path(".cursor/mcp.json").exists());
    let relative = home.says(0, &["install", "--dry-run", "--", "--python", ".venv/bin/python"]);
    assert_has(
        &relative,
        "Note: .venv/bin/python is looked for in the directory in which a client starts",
    );
    let done = home.says(0, &["install", "--yes", "--", "--pager", "page"]);
    assert_has_not(&done, "Note: ");
    assert_has(&done, "Cursor: ");
    assert_eq!(home.entry(".cursor/mcp.json")["command"], BINARY);
    assert_has(&home.read(".codex/config.toml"), "tool_timeout_sec = 600\n");
    assert_has_not(&home.read(".codex/config.toml"), "approve");
    let again = home.says(0, &["install", "--yes", "--", "--pager", "page"]);
    assert_has_not(&again, "wrote");
    let out = home.says(0, &["uninstall", "--yes"]);
    assert_has(&out, "A client that runs has the server until it is started again.\n");
    assert_has_not(&out, "switch the server on");
    assert_eq!(home.read(".config/zed/settings.json"), zed);
    assert_eq!(home.read(".codex/config.toml"), "model = \"x\" # c\n");
    assert!(!home.path(".cursor/mcp.json").exists());
    assert!(!home.path(".codex/config.toml.mcp-repl-backup").exists());
}

#[cfg(has = "person")]
#[test]
fn it_asks_at_a_terminal_and_only_there() {
    let home = Home::new();
    fs::create_dir(home.path(".cursor")).unwrap();
    let text = home.says(2, &["install", "cursor"]);
    assert_has(&text, "there is no terminal to ask at; add --yes");
    let mut terminal = crate::support::Terminal::run(home.builder(&["install", "cursor"]));
    terminal.shows("Write this file? [y/N]");
    terminal.types("n\n");
    let (status, _) = terminal.ends();
    assert_eq!((status, home.path(".cursor/mcp.json").exists()), (1, false));
    let mut terminal = crate::support::Terminal::run(home.builder(&["install", "cursor"]));
    terminal.shows("Write this file? [y/N]");
    terminal.types("y\n");
    let (status, _) = terminal.ends();
    assert_eq!((status, home.path(".cursor/mcp.json").exists()), (0, true));
}

#[test]
fn what_can_not_be_done_is_told_before_anything_is_written() {
    let home = Home::new();
    fs::create_dir(home.path(".cursor")).unwrap();
    for (arguments, says) in [
        (&["install", "emacs"][..], "no client \"emacs\" is known. Clients: claude-code, "),
        (
            &["install", "--yes", "cursor", "--", "--pager", "more"],
            "invalid value 'more' for '--pager",
        ),
        (&["install", "--yes", "cursor", "--", "--nonsense"], "unexpected argument '--nonsense'"),
        (&["install", "--yes", "cursor", "--", "ls"], "options of the server, and no command"),
        (&["install", "--yes", "cursor", "--", "--help"], "start no server"),
        (&["install", "--yes", "cursor", "--", "--run", "vim '"], "can't be split into words"),
        (&["install", "--yes", "cursor", "--python", "x"], "stand behind `--`"),
        (&["install", "--json", "cursor"], "add --yes"),
        (&["install", "--all", "cursor"], "cannot be used with"),
    ] {
        assert_has(&home.says(2, arguments), says);
    }
    assert!(!home.path(".cursor/mcp.json").exists());
    assert_has(&home.says(1, &["install", "--yes", "kiro"]), "not found on this machine");
    assert_has(
        &home.says(1, &["install", "--yes", "--project", "goose"]),
        "no file of its own in projects",
    );
    let nothing = Home::new();
    assert_has(&nothing.says(1, &["install", "--yes"]), "No client was found");
}

#[test]
fn a_file_keeps_its_mode_and_links_lead_to_it() {
    let home = Home::new();
    home.write("dotfiles/cursor.json", "{}\n");
    fs::set_permissions(home.path("dotfiles/cursor.json"), fs::Permissions::from_mode(0o600))
        .unwrap();
    fs::create_dir(home.path(".cursor")).unwrap();
    symlink("../dotfiles/cursor.json", home.path(".cursor/mcp.json")).unwrap();
    home.says(0, &["install", "--yes", "cursor"]);
    let mode = |file: &str| home.path(file).metadata().unwrap().permissions().mode() & 0o777;
    assert!(home.path(".cursor/mcp.json").is_symlink());
    assert_eq!(home.entry("dotfiles/cursor.json")["command"], BINARY);
    assert_eq!(
        (mode("dotfiles/cursor.json"), mode(".cursor/mcp.json.mcp-repl-backup")),
        (0o600, 0o600)
    );
    assert!(!home.path(".cursor/mcp.json.mcp-repl-backup").is_symlink());
    let left: Vec<_> = fs::read_dir(home.path("dotfiles")).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing else is left there");
    home.says(0, &["uninstall", "--yes", "cursor"]);
    assert!(home.path(".cursor/mcp.json").is_symlink());
    assert_eq!(
        (home.read("dotfiles/cursor.json").as_str(), mode("dotfiles/cursor.json")),
        ("{}\n", 0o600)
    );
    // One that leads nowhere, and one that may not be written.
    fs::remove_file(home.path("dotfiles/cursor.json")).unwrap();
    assert_has(&home.says(1, &["install", "--yes", "cursor"]), "LEFT ALONE: ");
    home.write("dotfiles/cursor.json", "{}\n");
    fs::set_permissions(home.path("dotfiles/cursor.json"), fs::Permissions::from_mode(0o400))
        .unwrap();
    assert_has(&home.says(1, &["install", "--yes", "cursor"]), "it is read-only");
    assert_eq!(home.read("dotfiles/cursor.json"), "{}\n");
    assert!(!home.path(".cursor/mcp.json.mcp-repl-backup").exists());
}

#[test]
fn the_path_that_is_written_is_the_link_by_which_it_was_called() {
    let home = Home::new();
    fs::create_dir(home.path(".cursor")).unwrap();
    symlink(BINARY, home.path("bin/mcp-repl")).unwrap();
    let (mut command, _directory) = home.builder(&[]).command();
    let environment: Vec<_> =
        command.get_envs().map(|(n, v)| (n.to_owned(), v.map(ToOwned::to_owned))).collect();
    command = std::process::Command::new("/bin/sh");
    command.args(["-c", "mcp-repl install --yes cursor"]).env_clear();
    command.envs(environment.into_iter().filter_map(|(name, value)| Some((name, value?))));
    assert!(command.output().unwrap().status.success());
    let path = home.path("bin/mcp-repl");
    assert_eq!(home.entry(".cursor/mcp.json")["command"], path.to_str().unwrap());
}

#[test]
fn a_client_is_asked_by_its_own_command_and_the_file_is_written_where_that_fails() {
    let home = Home::new();
    home.write(".claude.json", "{\"numStartups\": 1}");
    // As `claude mcp add` does: the whole file anew.
    home.program(
        "claude",
        "echo \"$@\" > asked; shift 6
         printf '{\\n  \"numStartups\": 1,\\n  \"mcpServers\": {\\n    \"repl\": {\\n      \"type\": \"stdio\",\\n      \
         \"command\": \"%s\",\\n      \"args\": [\"--keep\"],\\n      \"env\": {}\\n    }\\n  }\\n}' \"$1\" > ~/.claude.json",
    );
    let text = home.says(0, &["install", "--yes", "--allow", "claude", "--", "--keep"]);
    assert_has(&text, "mcpServers.repl: added, by `claude mcp add` (what it was stays in ");
    assert_eq!(
        home.read("project/asked"),
        format!("mcp add --scope user repl -- {BINARY} --keep\n")
    );
    assert_eq!(home.entry(".claude.json")["env"], serde_json::json!({}));
    assert_has(&home.read(".claude/settings.json"), "mcp__repl__repl");
    home.says(0, &["uninstall", "--yes", "claude"]);
    assert_eq!(home.read(".claude.json"), "{\"numStartups\": 1}");
    assert!(!home.path(".claude/settings.json").exists());
    home.program("claude", "echo no such command >&2; exit 3");
    let text = home.says(0, &["install", "--yes", "claude"]);
    assert_has(&text, "was of no use (exit status: 3: no such command); the file was written");
    assert_eq!(home.entry(".claude.json")["command"], BINARY);
    // One that says that all is well and does nothing.
    home.says(0, &["uninstall", "--yes", "claude"]);
    home.program("claude", "exit 0");
    assert_has(&home.says(0, &["install", "--yes", "claude"]), "it has not changed the file");
    assert_eq!(home.entry(".claude.json")["command"], BINARY);
    // What the command leaves out is added.
    home.program("codex", "mkdir -p ~/.codex; printf '[mcp_servers.repl]\\ncommand = \"%s\"\\n' \"$5\" > ~/.codex/config.toml");
    assert_has_not(&home.says(0, &["install", "--yes", "codex"]), "of no use");
    assert_has(&home.read(".codex/config.toml"), "direct_only_tool_namespaces = [\"mcp__repl\"]");
    // From inside a remote machine, VS Code's would write elsewhere.
    home.program("code", "touch ~/asked");
    let (mut command, _directory) = home.builder(&["install", "--yes", "vscode"]).command();
    assert!(command.env("SSH_CONNECTION", "x").output().unwrap().status.success());
    assert!(!home.path("asked").exists());
    assert_has(&home.read(".config/Code/User/mcp.json"), "\"servers\"");
}

#[test]
fn json_tells_the_same_to_programs() {
    let home = Home::new();
    home.write(".cursor/mcp.json", "{\n  oops\n}");
    home.write(".kiro/settings/mcp.json", "{\"mcpServers\": {\"repl\": {\"url\": \"x\"}}}");
    fs::create_dir(home.path(".factory")).unwrap();
    let output = home.output(&["install", "--json", "--yes"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |id: &str| {
        let clients = report["clients"].as_array().unwrap();
        clients.iter().find(|client| client["client"] == id).unwrap().clone()
    };
    assert_eq!(of("cursor")["state"], "unreadable");
    assert_has(of("cursor")["why"].as_str().unwrap(), "mcp.json: line 2: ");
    assert_eq!(
        (of("kiro")["state"].clone(), of("goose")["state"].clone()),
        ("conflict".into(), "absent".into())
    );
    let change = &of("factory-droid")["changes"][0];
    assert_eq!(change["written"], true);
    assert_has(change["difference"].as_str().unwrap(), "+    \"repl\": {");
    assert_eq!(home.read(".cursor/mcp.json"), "{\n  oops\n}");
}

#[test]
fn a_project_gets_its_own_file() {
    let home = Home::new();
    let text = home.says(0, &["install", "--yes", "--project", "claude", "vscode", "vscodium"]);
    assert_has(&text, "project/.mcp.json");
    assert_eq!(home.entry("project/.mcp.json")["type"], "stdio");
    assert_has(&home.read("project/.vscode/mcp.json"), "\"servers\"");
    home.says(0, &["uninstall", "--yes", "--project", "claude", "vscode"]);
    assert!(
        !home.path("project/.mcp.json").exists() && !home.path("project/.vscode/mcp.json").exists()
    );
}

#[test]
fn the_skill_is_put_where_the_client_looks_and_taken_out_again() {
    let home = Home::new();
    home.write(".claude.json", "{}");
    let done = home.says(0, &["install", "claude", "--yes", "--skill"]);
    assert_has(&done, "the skill: ");
    let skill = home.read(".claude/skills/repl/SKILL.md");
    assert_eq!(skill, home.says(0, &["skill"]));
    assert_has(&skill, "---\nname: repl\n");
    home.says(0, &["uninstall", "claude", "--yes"]);
    assert!(!home.path(".claude/skills/repl").exists());
    assert_eq!(home.read(".claude.json"), "{}");
}
