//! Configuration files: which setting holds where several say it, what a project may not say without the
//! user's consent, and what is said of files that are wrong.
#![cfg(has = "posix")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Builder, Runtime, assert_has, assert_has_not, python, quoted};

const PROJECT: &str = "project/mcp-repl.toml";
const USER: &str = ".config/mcp-repl/config.toml";

/// A home directory with a project in it.
struct Home(TempDir);

impl Home {
    fn new() -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        fs::create_dir_all(home.path("project/below")).unwrap();
        home
    }

    /// One with these files.
    fn with(user: &str, project: &str) -> Home {
        let home = Home::new();
        home.write(USER, user);
        home.write(PROJECT, project);
        home
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), text).unwrap();
    }

    /// The binary, below the project.
    fn lends(&self, builder: Builder) -> Builder {
        builder.env("HOME", self.path("")).directory(self.path("project/below"))
    }

    fn builder(&self, arguments: &[&str]) -> Builder {
        self.lends(Builder::new().any_python().args(arguments.iter().copied()))
    }

    /// What a command that ends so prints, with the home directory left out.
    #[track_caller]
    fn says(&self, status: i32, builder: Builder) -> String {
        let output = builder.output("");
        let text =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{text}");
        text.replace(&*self.path("").to_string_lossy(), "~/")
    }

    #[track_caller]
    fn config(&self, arguments: &[&str]) -> String {
        self.says(0, self.builder(arguments))
    }
}

/// A line of a table, by its first two columns: its last one.
#[track_caller]
fn from<'a>(table: &'a str, name: &str, value: &str) -> &'a str {
    let mut rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row.len() > 2 && row[..2] == [name, value]);
    let row = row.unwrap_or_else(|| panic!("no {name} {value} in:\n{table}"));
    &table[table.find(row[2]).unwrap()..][..row[2].len()]
}

#[test]
fn what_holds_is_shown_with_where_it_stands() {
    let user = "# mine\nkeep = '1h'\nreply-size = 2_000\n\n[attach]\nkeys = 'vi'\n";
    let home =
        Home::with(user, "reply-size = 5000\nimages = 'file'\npython = '.venv/bin/python'\n");
    let builder = home.builder(&["--image-size", "500", "config"]).env("MCP_REPL_GRACE", "3m");
    let table = home.says(0, builder);
    for (name, value, place) in [
        ("python", "~/project/.venv/bin/python", "~/project/mcp-repl.toml:3"),
        ("reply-size", "5000", "~/project/mcp-repl.toml:1"),
        ("images", "file", "~/project/mcp-repl.toml:2"),
        ("keep", "1h", "~/.config/mcp-repl/config.toml:2"),
        ("attach.keys", "vi", "~/.config/mcp-repl/config.toml:6"),
        ("image-size", "500", "--image-size"),
        ("grace", "3m", "MCP_REPL_GRACE"),
        ("max-output-disk", "2GiB", "built"),
        ("user", "~/.config/mcp-repl/config.toml", "read"),
    ] {
        assert_eq!(from(&table, name, value), place, "{table}");
    }
    assert_has_not(&table, "via-install");
    // The variable beats the file, also where it is about another option of the same question.
    let builder = home.builder(&["config", "--json"]).env("MCP_REPL_PYTHON", "python3");
    let all: Value = serde_json::from_str(&home.says(0, builder)).unwrap();
    let settings = all["settings"].as_array().unwrap();
    let python: Vec<&Value> = settings.iter().filter(|one| one["name"] == "python").collect();
    assert_eq!(python.len(), 1, "{all}");
    assert_eq!(python[0]["variable"], "MCP_REPL_PYTHON");
    let keys = settings.iter().find(|one| one["name"] == "attach.keys").unwrap();
    assert_eq!((&keys["from"], &keys["places"][0]["line"]), (&"user".into(), &6.into()), "{all}");
    // Without files, what is built in.
    fs::remove_file(home.path(USER)).unwrap();
    fs::remove_file(home.path(PROJECT)).unwrap();
    let table = home.config(&["config"]);
    assert_eq!(from(&table, "reply-size", "16000"), "built");
    assert_eq!(from(&table, "user", "~/.config/mcp-repl/config.toml"), "is");
}

#[test]
fn a_server_and_its_sessions_have_what_files_say() {
    let user = format!("python = {}\nreply-size = 1000\n", quoted(python::default()));
    let home = Home::with(&user, "size = '100x33'\n");
    let size = "import os; tuple(os.get_terminal_size())";
    for builder in [Builder::new().any_python(), Builder::new().any_python().hosted()] {
        let repl = home.lends(builder).start();
        repl.gives(size, "(100, 33)\n");
        let reply = repl.repl("print('x' * 3000)");
        assert!(reply.len() < 2000, "{reply}");
    }
    let repl = home.lends(Builder::new().args(["--size", "90x20"])).start();
    repl.gives(size, "(90, 20)\n");
    let version = "import sys; print(sys.version)";
    let ran = Command::new(python::default()).args(["-c", version]).output().unwrap();
    assert_eq!(home.config(&["exec", version]), String::from_utf8(ran.stdout).unwrap());
}

#[test]
fn a_project_runs_no_program_until_the_user_has_consented_to_the_file_as_it_is() {
    let home = Home::new();
    home.write("project/run", "#!/bin/sh\necho ran > ran; exec cat\n");
    fs::set_permissions(home.path("project/run"), fs::Permissions::from_mode(0o755)).unwrap();
    let said = "pager = 'plain'\nrun = './run'\nrecord = 'casts'\n";
    home.write(PROJECT, said);
    let ran = home.path("project/below/ran");
    let notice = "[repl] not in use: `run`, `record` in ";
    let server = || home.lends(Builder::new().any_python().env("MCP_REPL_PYTHON", ""));
    let mut repl = server().start();
    let first = repl.repl("6 * 7");
    assert!(first.starts_with(notice) && first.ends_with("42\n"), "{first}");
    assert_has(&first, "without the user's consent; they give it in a terminal of their own");
    repl.gives("6 * 7", "42\n");
    repl.close_stdin();
    assert_has(&repl.wait().1, "mcp-repl: not in use: `run`, `record` in ");
    let shown = home.config(&["config"]);
    assert_eq!(from(&shown, "run", "~/project/run"), "~/project/mcp-repl.toml:2");
    assert_has(&shown, "`mcp-repl config trust ~/project/mcp-repl.toml` consents to it.");
    assert_eq!(from(&shown, "pager", "plain"), "~/project/mcp-repl.toml:1");
    assert!(!ran.exists() && !home.path("project/casts").exists());
    // What an option says instead is not asked of the user.
    let exec = |arguments: &[&str]| home.says(0, home.builder(arguments));
    let python = python::default();
    let python = python.to_string_lossy();
    let output = exec(&["exec", "--python", &python, "--record", "here", "6 * 7"]);
    assert_eq!(output, "42\n");

    let consents = home.config(&["config", "trust"]);
    assert_has(&consents, "You consent to ~/project/mcp-repl.toml, as it is now:\n");
    assert_has(
        &consents,
        "  run = ~/project/run  (line 2)\n  record = ~/project/casts  (line 3)\n",
    );
    assert_has_not(&consents, "pager");
    let repl = server().start();
    repl.gives_part("hello", "hello");
    drop(repl);
    assert!(ran.exists() && home.path("project/casts").exists());
    fs::remove_file(&ran).unwrap();
    assert_has_not(&home.config(&["config"]), "consents to it");

    // Another text is another file.
    home.write(PROJECT, &said.replace("plain", "page"));
    assert_has(&server().start().repl("6 * 7"), notice);
    home.write(PROJECT, said);
    assert_has(&home.config(&["config", "trust", "--revoke", "../mcp-repl.toml"]), "no longer");
    assert_has(&server().start().repl("6 * 7"), notice);
    assert!(!ran.exists());
}

#[test]
fn a_file_that_is_wrong_is_told_with_its_line_by_all_who_would_use_it() {
    let home = Home::with("grace = 'soon'\n", "\npagre = 'page'\nsize = 7\n");
    let told = [
        "~/.config/mcp-repl/config.toml:1: `grace = \"soon\"`: it is a time: ",
        "~/project/mcp-repl.toml:2: there is no setting `pagre`; `pager` is the nearest there is",
        "~/project/mcp-repl.toml:3: `size = \"7\"`: it is a number of columns and of rows",
    ];
    for arguments in [&[][..], &["exec", "1"], &["config"], &["ls"]] {
        let said = home.says(2, home.builder(arguments));
        told.iter().for_each(|line| assert_has(&said, line));
    }
    // Mended, it is another one.
    let said = home.says(2, home.builder(&["config", "trust"]));
    assert_has(&said, told[1]);
    // It is found out what is wrong where it is, and what needs no settings goes on.
    let builder = home.builder(&["doctor", "--python"]).arg(python::default());
    let report = home.says(1, builder);
    told.iter().for_each(|line| assert_has(&report, &format!("FAILED: {line}")));
    assert_has(&report, "session     ok\n");
    assert_has(&home.says(0, home.builder(&["skill"])), "mcp-repl");
    home.write(USER, "");
    home.write(PROJECT, "size = '90x20'\nrun = 'vim'\n");
    let report = home.says(0, home.builder(&["doctor", "--python"]).arg(python::default()));
    assert_has(&report, "settings    ~/.config/mcp-repl/config.toml (user): read\n");
    assert_has(&report, "~/project/mcp-repl.toml (project): read\n");
}

#[test]
fn a_projects_file_that_is_wrong_stops_what_starts_a_session_and_nothing_else() {
    let runtime = Runtime::new();
    let home = Home::with("grace = '5m'\n", "sandbox = 'read-only'\n");
    let with = |arguments: &[&str]| home.builder(arguments).runtime(&runtime);
    let _host = home.lends(runtime.server()).args(["--session", "work"]).start();
    home.write(PROJECT, "sandbox = 'read_only'\n");
    let wrong = "~/project/mcp-repl.toml:1: `sandbox = \"read_only\"`: it is one of";
    let noted = "not in use: ~/project/mcp-repl.toml:1: `sandbox = \"read_only\"`: it is one of";
    for arguments in [&[][..], &["exec", "1"], &["record", "-o", "x.cast", "1"], &["host"]] {
        let said = home.says(2, with(arguments));
        assert_has(&said, wrong);
        assert_has_not(&said, "not in use");
    }
    for arguments in [&["ls"][..], &["exec", "1", "--session", "work"], &["end", "work"]] {
        let said = home.says(0, with(arguments));
        assert_has(&said, noted);
        assert_has(&said, "until that is right, no session is started here");
    }
}

#[test]
fn what_is_no_file_or_of_others_is_told_and_the_server_goes_on() {
    let home = Home::new();
    let project = home.path(PROJECT);
    let first = || home.lends(Builder::new()).start().repl("6 * 7");
    assert!(Command::new("mkfifo").arg(&project).status().unwrap().success());
    let reply = first();
    assert_has(&reply, "mcp-repl.toml: it is no file but a directory, a device or the like");
    assert!(reply.ends_with("42\n"), "{reply}");
    fs::remove_file(&project).unwrap();
    home.write(PROJECT, "reply-size = 1000\n");
    fs::set_permissions(&project, fs::Permissions::from_mode(0o666)).unwrap();
    assert_has(&first(), "mcp-repl.toml: anybody may write it; they give it in a terminal");
    let said = home.config(&["config"]);
    assert_has(&said, "config trust ~/project/mcp-repl.toml` has it count as it is now.\n");
    assert_eq!(from(&said, "reply-size", "16000"), "built");
    home.config(&["config", "trust"]);
    assert_eq!(from(&home.config(&["config"]), "reply-size", "1000"), "~/project/mcp-repl.toml:1");
    assert_eq!(first(), "42\n");
    // The user's own may say all, so it is not passed over.
    home.write(USER, "pager = 'page'\n");
    fs::set_permissions(home.path(USER), fs::Permissions::from_mode(0o666)).unwrap();
    assert_has(&home.says(2, home.builder(&["exec", "1"])), "config.toml: anybody may write it; ");
}

#[cfg(has = "person")]
#[test]
fn attach_takes_its_table_and_a_session_that_lives_is_not_asked_to_be_another() {
    let runtime = Runtime::new();
    let agent = runtime.agent();
    agent.still_works();
    let home = Home::new();
    home.write(
        USER,
        "python = '/nowhere/python'\nsize = '70x20'\nrecord = '/nowhere'\n\
         [attach]\nescape-key = 'ctrl-a'\nno-status = true\n",
    );
    let attach = |arguments: &[&str]| {
        let builder = Builder::new().any_python().runtime(&runtime).arg("attach");
        crate::support::Terminal::run(home.lends(builder.args(arguments.iter().copied())))
    };
    for arguments in [&["work"][..], &[]] {
        let mut person = attach(arguments);
        person.is_at_prompt();
        // The size is that of the person's terminal, and not pinned.
        agent.gives("import os; tuple(os.get_terminal_size())", "(80, 24)\n");
        person.types("\x01?");
        person.shows("Ctrl-A then: d detach");
        person.types("\x01d");
        assert_eq!(person.ends().0, 0);
    }
    agent.gives("import os; tuple(os.get_terminal_size())", "(120, 40)\n");
}

#[test]
fn a_python_that_does_not_run_is_told_with_the_place_that_names_it() {
    let home = Home::with("", "\npython = 'bin/python'\n");
    for builder in [Builder::new().any_python(), Builder::new().any_python().hosted()] {
        let repl = home.lends(builder).start();
        let reply = repl.begin("6 * 7").error();
        assert_has(&reply, "/project/bin/python (from ");
        assert_has(&reply, "/project/mcp-repl.toml:2): does not exist");
    }
    assert_has(&home.says(1, home.builder(&["doctor"])), "(from ~/project/mcp-repl.toml:2): ");
}

#[test]
fn the_nearest_file_is_the_projects_and_links_lead_to_files() {
    let home = Home::with("", "reply-size = 3000\n");
    home.write("kept.toml", "reply-size = 4000\n");
    std::os::unix::fs::symlink(home.path("kept.toml"), home.path("project/below/mcp-repl.toml"))
        .unwrap();
    let near = "~/project/below/mcp-repl.toml:1";
    assert_eq!(from(&home.config(&["config"]), "reply-size", "4000"), near);
    fs::remove_file(home.path("project/below/mcp-repl.toml")).unwrap();
    assert_eq!(from(&home.config(&["config"]), "reply-size", "3000"), "~/project/mcp-repl.toml:1");
    assert!(Path::new(&home.path("kept.toml")).exists());
}
