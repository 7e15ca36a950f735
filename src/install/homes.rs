//! Tests of whole installations, in homes of their own.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{samples::SAMPLES, *};

const SKILL: &str = "---\nname: repl\n---\nmcp-repl\n";

/// A home directory beside a project.
struct Home {
    root: tempfile::TempDir,
    around: Surroundings,
}

impl Home {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let [home, directory] = ["home", "project"].map(|name| root.path().join(name));
        fs::create_dir(&home).unwrap();
        fs::create_dir(&directory).unwrap();
        let platform = Platform::Linux;
        Self {
            root,
            around: Surroundings { home, directory, variables: BTreeMap::new(), platform },
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.around.home.join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::create_dir_all(self.path(file).parent().unwrap()).unwrap();
        fs::write(self.path(file), text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// All files, with what stands in them.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(place: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(place).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    found.insert(path.clone(), fs::read(&path).unwrap());
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(self.root.path(), &mut found);
        found
    }

    fn install(&self, names: &[&str], scope: Scope, wanted: &Wanted) -> Plan {
        Plan::install(&named(names), scope, wanted, &self.around)
    }

    #[track_caller]
    fn installs(&self, names: &[&str], scope: Scope, wanted: &Wanted) {
        applied(&self.install(names, scope, wanted));
        let again = self.install(names, scope, wanted);
        assert!(again.files.is_empty(), "twice is once: {again:?}");
        assert!(again.clients.iter().all(|client| matches!(client.state, State::Nothing)));
    }

    #[track_caller]
    fn uninstalls(&self, names: &[&str], scope: Scope) {
        applied(&Plan::uninstall(&named(names), scope, &self.around));
    }
}

fn named(names: &[&str]) -> Vec<&'static Client> {
    names.iter().map(|name| client(name).unwrap()).collect()
}

#[track_caller]
fn applied(plan: &Plan) {
    for client in &plan.clients {
        assert!(matches!(client.state, State::Changes | State::Nothing), "{client:?}");
    }
    for change in &plan.files {
        let notes = change.apply().unwrap();
        assert!(
            notes.iter().all(|note| note.starts_with("what it was before the first")),
            "{notes:?}"
        );
    }
}

fn wanted(args: &[&str]) -> Wanted {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Wanted {
        server: Server { command: "/opt/mcp-repl".into(), args },
        allow: true,
        skill: Some(SKILL.into()),
        replace: false,
        absent_too: true,
    }
}

#[test]
fn each_client_has_a_sample() {
    let of_table: Vec<&str> = clients().iter().map(|client| client.id.as_str()).collect();
    let of_samples: Vec<&str> = SAMPLES.iter().map(|sample| sample.0).collect();
    assert_eq!(of_samples, of_table);
}

#[test]
fn a_home_is_as_it_was_when_all_is_taken_out() {
    for is_crlf in [false, true] {
        let home = Home::new();
        for (_, file, text) in SAMPLES {
            home.write(
                file,
                &if is_crlf { text.replace('\n', "\r\n") } else { (*text).to_owned() },
            );
        }
        let before = home.files();
        let names: Vec<&str> = SAMPLES.iter().map(|sample| sample.0).collect();
        home.installs(&names, Scope::User, &wanted(&["--keep"]));
        let with = home.files();
        for (name, file, _) in SAMPLES {
            let found = find(client(name).unwrap(), &home.around);
            assert_eq!(found.file, home.path(file));
            assert_eq!(found.entry, Some(Entry::Ours(wanted(&["--keep"]).server)), "{name}");
            let text = String::from_utf8(with[&home.path(file)].clone()).unwrap();
            if is_crlf && text.contains('\r') {
                assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text}");
            }
        }
        // With other options, which changes entries that are there.
        home.installs(&names, Scope::User, &wanted(&["--pager", "page"]));
        home.uninstalls(&names, Scope::User);
        let after = home.files();
        let differ: Vec<&PathBuf> = after
            .iter()
            .filter(|(path, text)| before.get(*path) != Some(text))
            .map(|(path, _)| path)
            .collect();
        assert!(differ.is_empty(), "{differ:?}");
        assert_eq!(after.len(), before.len());
    }
}

#[test]
fn one_after_the_other_comes_and_goes() {
    let home = Home::new();
    for (_, file, text) in SAMPLES {
        home.write(file, text);
    }
    let before = home.files();
    for (name, ..) in SAMPLES {
        home.installs(&[name], Scope::User, &wanted(&[]));
    }
    for (name, ..) in SAMPLES {
        home.uninstalls(&[name], Scope::User);
    }
    assert_eq!(home.files(), before);
}

#[test]
fn files_that_were_not_there_go_again() {
    let home = Home::new();
    for (_, file, _) in SAMPLES {
        fs::create_dir_all(home.path(file).parent().unwrap()).unwrap();
    }
    home.write(".claude/x", "");
    fs::remove_file(home.path(".claude/x")).unwrap();
    let names: Vec<&str> = SAMPLES
        .iter()
        .map(|sample| sample.0)
        // These have it in a place that is not the newest, or beside another client's.
        .filter(|name| *name != "gemini-cli")
        .collect();
    home.installs(&names, Scope::User, &wanted(&[]));
    assert!(home.files().len() > names.len());
    // Options that come later are no reason to keep what was made here.
    home.installs(&names, Scope::User, &wanted(&["--keep"]));
    home.uninstalls(&names, Scope::User);
    assert_eq!(home.files(), BTreeMap::new());
}

#[test]
fn the_project_has_its_own_files_which_some_clients_share() {
    let home = Home::new();
    let all: Vec<&'static Client> = clients().iter().collect();
    let plan = Plan::install(&all, Scope::Project, &wanted(&[]), &home.around);
    let shared =
        plan.files.iter().find(|change| change.file.ends_with(".vscode/mcp.json")).unwrap();
    // The others find it there already.
    assert_eq!(shared.clients.len(), 1);
    for change in &plan.files {
        change.apply().unwrap();
    }
    assert!(home.files().keys().all(|file| file.starts_with(&home.around.directory)));
    for client in &all {
        let found = find_in(client, Scope::Project, &home.around);
        assert_eq!(found.entry.is_some(), client.has_project_file(), "{}", client.id);
    }
    let text = fs::read_to_string(home.around.directory.join(".continue/mcpServers/repl.yaml"));
    assert!(text.unwrap().starts_with("name: repl\nversion: 1.0.0\nschema: v1\nmcpServers:\n"));
    for change in &Plan::uninstall(&all, Scope::Project, &home.around).files {
        change.apply().unwrap();
    }
    assert_eq!(home.files(), BTreeMap::new());
    // Without names, no file is made for those who are not there.
    let unnamed = Wanted { absent_too: false, ..wanted(&[]) };
    let plan = Plan::install(&all, Scope::Project, &unnamed, &home.around);
    assert!(plan.files.is_empty());
}

#[test]
fn a_foreign_entry_is_left_alone_unless_it_is_to_be_replaced_and_comes_back() {
    let home = Home::new();
    let text = "{\"mcpServers\": {\"repl\": {\"command\": \"other\", \"args\": []}}} // mine\n";
    home.write(".cursor/mcp.json", text);
    let plan = home.install(&["cursor"], Scope::User, &wanted(&[]));
    assert!(matches!(&plan.clients[0].state, State::Conflict(entry) if entry.contains("other")));
    assert!(plan.files.is_empty());
    let plan = Plan::uninstall(&named(&["cursor"]), Scope::User, &home.around);
    assert!(plan.files.is_empty() && plan.clients[0].notes[0].contains("left alone"));
    let replacing = Wanted { replace: true, ..wanted(&[]) };
    home.installs(&["cursor"], Scope::User, &replacing);
    assert!(!home.read(".cursor/mcp.json").contains("other"));
    home.uninstalls(&["cursor"], Scope::User);
    assert_eq!(home.read(".cursor/mcp.json"), text);
}

#[test]
fn broken_files_are_left_alone_with_their_line() {
    let home = Home::new();
    home.write(".cursor/mcp.json", "{\n  \"mcpServers\": {\n");
    home.write(".codex/config.toml", "a = 1\na = 2\n");
    home.write(".config/goose/config.yaml", "extensions: [1]\n");
    home.write(".claude.json", "{}");
    home.write(".claude/settings.json", "{\"permissions\": 1}");
    let before = home.files();
    let names = ["cursor", "codex", "goose", "claude"];
    let plan = home.install(&names, Scope::User, &wanted(&[]));
    let says: Vec<String> = plan
        .clients
        .iter()
        .map(|client| match &client.state {
            State::Unreadable(why) => why.to_string(),
            state => format!("{state:?}"),
        })
        .collect();
    assert!(
        says[0].contains("mcp.json: line ") && says[1].contains("config.toml: line 2: "),
        "{says:?}"
    );
    assert!(says[2].ends_with("config.yaml: `extensions` in it is no table"), "{says:?}");
    assert!(says[3].ends_with("settings.json: `permissions` in it is no table"), "{says:?}");
    // All of a client's files change, or none.
    assert!(plan.files.is_empty());
    assert_eq!(home.files(), before);
}

#[test]
fn what_somebody_writes_meanwhile_is_not_written_over() {
    let home = Home::new();
    home.write(".cursor/mcp.json", "{}");
    home.write(".kiro/settings/x", "");
    let plan = home.install(&["cursor", "kiro"], Scope::User, &wanted(&[]));
    home.write(".cursor/mcp.json", "{\"a\": 1}");
    home.write(".kiro/settings/mcp.json", "{\"b\": 1}");
    for change in plan.files.iter().filter(|change| change.file.ends_with("mcp.json")) {
        assert!(matches!(change.apply(), Err(ApplyError::Changed(_))));
    }
    assert_eq!(home.read(".cursor/mcp.json"), "{\"a\": 1}");
    assert_eq!(home.read(".kiro/settings/mcp.json"), "{\"b\": 1}");
}

#[test]
fn the_text_from_before_is_kept_once() {
    let home = Home::new();
    home.write(".cursor/mcp.json", "{}\n");
    home.installs(&["cursor"], Scope::User, &wanted(&[]));
    home.write(".cursor/mcp.json", &home.read(".cursor/mcp.json").replacen('{', "{ \"a\": 1,", 1));
    home.installs(&["cursor"], Scope::User, &wanted(&["--keep"]));
    assert_eq!(home.read(".cursor/mcp.json.mcp-repl-backup"), "{}\n");
    home.uninstalls(&["cursor"], Scope::User);
    // What the user wrote meanwhile stays, and so does the text from before.
    assert!(home.read(".cursor/mcp.json").contains("\"a\": 1"));
    assert!(!home.read(".cursor/mcp.json").contains("repl"));
    assert_eq!(home.read(".cursor/mcp.json.mcp-repl-backup"), "{}\n");
}

#[test]
fn a_skill_goes_with_the_last_client_that_looks_there_and_others_are_left_alone() {
    let home = Home::new();
    home.write(".config/Code/User/mcp.json", "{}");
    home.write(".copilot/mcp-config.json", "{}");
    let skill = ".copilot/skills/repl/SKILL.md";
    home.installs(&["vscode", "copilot-cli"], Scope::User, &wanted(&[]));
    assert_eq!(home.read(skill), SKILL);
    home.uninstalls(&["vscode"], Scope::User);
    assert_eq!(home.read(skill), SKILL);
    home.uninstalls(&["copilot-cli"], Scope::User);
    assert!(!home.path(skill).exists() && !home.path(".copilot/skills/repl").exists());
    // An older version is kept, and goes with it.
    home.write(skill, "---\nmcp-repl, older\n");
    home.installs(&["copilot-cli"], Scope::User, &wanted(&[]));
    assert_eq!(home.read(skill), SKILL);
    assert!(home.read(&format!("{skill}.mcp-repl-backup")).contains("older"));
    home.uninstalls(&["copilot-cli"], Scope::User);
    assert!(!home.path(".copilot/skills/repl").exists());
    // Somebody's own.
    home.write(skill, "my repl");
    let plan = home.install(&["copilot-cli"], Scope::User, &wanted(&[]));
    assert!(plan.clients[0].notes[0].contains("another skill"), "{:?}", plan.clients);
    home.installs(&["copilot-cli"], Scope::User, &wanted(&[]));
    home.uninstalls(&["copilot-cli"], Scope::User);
    assert_eq!(home.read(skill), "my repl");
}

#[test]
fn nothing_is_made_for_clients_that_are_not_there() {
    let home = Home::new();
    let all: Vec<&'static Client> = clients().iter().collect();
    let plan = Plan::install(&all, Scope::User, &wanted(&[]), &home.around);
    assert!(plan.files.is_empty() || Path::new("/Applications").exists(), "{plan:?}");
}
