//! Which clients are there, and what their files say of this server.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    NAME,
    document::{self, DocumentError},
    entry::Server,
    surroundings::Surroundings,
    table::{Client, Scope},
};

/// A client's file is far smaller.
const LARGEST: u64 = 32 << 20;

/// What was found of a client.
#[derive(Debug)]
pub struct Finding {
    /// The file that it reads, there or not.
    pub file: PathBuf,
    /// Whether the client is there, and its file can be read.
    pub presence: Presence,
    /// What the file has under the server's name.
    pub entry: Option<Entry>,
}

/// Whether a client is on this machine.
#[derive(Debug)]
pub enum Presence {
    /// Nothing says so.
    Absent,
    /// It is, and its file can be read or is not there yet.
    Present,
    /// It is, and its file can't be read.
    Unreadable(FileError),
}

/// An entry of the server's name.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// It starts this program.
    Ours(Server),
    /// It is something else; its text as JSON.
    Foreign(String),
}

/// Why a client's file can't be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// What the system says.
    #[error("{}: {error}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// It is no text.
    #[error("{}: it is no text in UTF-8", .0.display())]
    NoText(PathBuf),
    /// It is far too large.
    #[error("{}: it is larger than {} MiB", .0.display(), LARGEST >> 20)]
    TooLarge(PathBuf),
    /// Its text is not what the client reads.
    #[error("{}: {error}", file.display())]
    Document {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        error: DocumentError,
    },
    /// The client has two files, and which one counts is not known.
    #[error("both {} and {} are there: move what is in one of them to the other", .0.display(), .1.display())]
    Two(PathBuf, PathBuf),
}

impl Entry {
    /// What a value of a client's document is.
    fn of(client: &Client, value: &Value) -> Self {
        match client.read_entry(value).filter(Server::is_ours) {
            Some(server) => Self::Ours(server),
            None => Self::Foreign(value.to_string()),
        }
    }

    /// Whether the program that it starts is there, as a file or on PATH.
    pub fn program_exists(&self, around: &Surroundings) -> bool {
        match self {
            Self::Ours(server) => around.program(&server.command).is_some(),
            Self::Foreign(_) => false,
        }
    }
}

/// What there is of a client for the user.
pub fn find(client: &Client, around: &Surroundings) -> Finding {
    find_in(client, Scope::User, around)
}

/// What there is of a client for the user, or in the project. In a project it is there if its file is,
/// or it is on the machine.
pub fn find_in(client: &Client, scope: Scope, around: &Surroundings) -> Finding {
    let unreadable =
        |file, error| Finding { file, presence: Presence::Unreadable(error), entry: None };
    let file = match file_of(client, scope, around) {
        Some(Ok(file)) => file,
        Some(Err((file, error))) => return unreadable(file, error),
        None => {
            let file = around.directory.clone();
            return Finding { file, presence: Presence::Absent, entry: None };
        }
    };
    let text = match read(&file) {
        Ok(Some(text)) => text,
        Ok(None) => {
            let presence =
                if client.shows_itself(around) { Presence::Present } else { Presence::Absent };
            return Finding { file, presence, entry: None };
        }
        Err(error) => return unreadable(file, error),
    };
    match entry_in(client, &text) {
        Ok(entry) => Finding { file, presence: Presence::Present, entry },
        Err(error) => {
            let error = FileError::Document { file: file.clone(), error };
            unreadable(file, error)
        }
    }
}

/// The entry of the server's name in a text of a client's file.
pub(super) fn entry_in(client: &Client, text: &str) -> Result<Option<Entry>, DocumentError> {
    let document = document::parse(client.format, text)?;
    Ok(entry_of(client, &document).map(|value| Entry::of(client, value)))
}

/// What a client's document has under the server's name.
pub(super) fn entry_of<'a>(client: &Client, document: &'a Value) -> Option<&'a Value> {
    let servers = document::at(document, &client.key)?;
    if !client.list {
        return servers.get(NAME);
    }
    servers.as_array()?.iter().find(|entry| is_named(entry))
}

/// Whether an entry of a list has the server's name.
pub(super) fn is_named(entry: &Value) -> bool {
    entry.get("name").and_then(Value::as_str) == Some(NAME)
}

/// The file that a client reads, there or not. `None` where it has none of this kind.
fn file_of(
    client: &Client,
    scope: Scope,
    around: &Surroundings,
) -> Option<Result<PathBuf, (PathBuf, FileError)>> {
    let places = client.places(scope, around);
    for names in &places {
        // A link that leads nowhere is there, too.
        let mut there = names.iter().filter(|file| file.symlink_metadata().is_ok());
        match (there.next(), there.next()) {
            (Some(one), Some(other)) => {
                let error = FileError::Two(one.clone(), other.clone());
                return Some(Err((one.clone(), error)));
            }
            (Some(file), None) => return Some(Ok(file.clone())),
            _ => {}
        }
    }
    // None is there: where the client has a directory, the newest first.
    let first = || places.iter().filter_map(|names| names.first());
    let has_directory = |file: &&PathBuf| file.parent().is_some_and(Path::is_dir);
    first().find(has_directory).or_else(|| first().next()).cloned().map(Ok)
}

/// Whether there is nothing of this name: also where a directory on the way is none, as below the home
/// `/dev/null` of a service's user.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The text of a file. `None` if it is not there.
pub(super) fn read(file: &Path) -> Result<Option<String>, FileError> {
    let io = |error| FileError::Io { file: file.to_owned(), error };
    match file.metadata() {
        // A pipe would wait for somebody to write to it.
        Ok(metadata) if !metadata.is_file() => {
            return Err(io(io::Error::other("it is no file")));
        }
        Ok(metadata) if metadata.len() > LARGEST => {
            return Err(FileError::TooLarge(file.to_owned()));
        }
        Ok(_) => {}
        Err(error) if is_absent(&error) && file.symlink_metadata().is_err() => {
            return Ok(None);
        }
        Err(error) => return Err(io(error)),
    }
    let bytes = std::fs::read(file).map_err(io)?;
    String::from_utf8(bytes).map(Some).map_err(|_| FileError::NoText(file.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;
    use crate::install::{Platform, client};

    struct Home {
        directory: tempfile::TempDir,
        around: Surroundings,
    }

    fn home() -> Home {
        let directory = tempfile::tempdir().unwrap();
        let around = Surroundings {
            home: directory.path().join("home"),
            directory: directory.path().join("project"),
            variables: BTreeMap::new(),
            platform: Platform::Linux,
        };
        fs::create_dir_all(&around.home).unwrap();
        fs::create_dir_all(&around.directory).unwrap();
        Home { directory, around }
    }

    impl Home {
        fn write(&self, file: &str, text: &str) {
            let file = self.around.home.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }

        fn find(&self, name: &str) -> Finding {
            find(client(name).unwrap(), &self.around)
        }
    }

    #[test]
    fn in_an_empty_home_all_are_absent() {
        let home = home();
        for client in crate::install::clients() {
            for scope in [Scope::User, Scope::Project] {
                let found = find_in(client, scope, &home.around);
                let absent = matches!(found.presence, Presence::Absent) && found.entry.is_none();
                // What stands in /Applications is the machine's.
                assert!(absent || Path::new("/Applications").exists(), "{}: {found:?}", client.id);
            }
        }
    }

    #[test]
    fn below_a_home_that_is_no_directory_all_are_absent() {
        let mut home = home();
        home.around.home = home.directory.path().join("null");
        fs::write(&home.around.home, "").unwrap();
        for client in crate::install::clients() {
            let found = find(client, &home.around);
            let absent = matches!(found.presence, Presence::Absent);
            assert!(absent || Path::new("/Applications").exists(), "{}: {found:?}", client.id);
        }
    }

    #[test]
    fn a_directory_or_a_program_or_the_file_says_that_a_client_is_there() {
        let mut home = home();
        fs::create_dir(home.around.home.join(".cursor")).unwrap();
        home.write(".claude.json", "{}");
        let bin = home.directory.path().join("bin");
        fs::create_dir(&bin).unwrap();
        fs::write(bin.join("codex"), "").unwrap();
        home.around.variables.insert("PATH".into(), bin.into());
        for name in ["cursor", "claude", "codex"] {
            assert!(matches!(home.find(name).presence, Presence::Present), "{name}");
        }
        for name in ["gemini", "kiro", "claude-desktop"] {
            assert!(matches!(home.find(name).presence, Presence::Absent), "{name}");
        }
    }

    #[test]
    fn entries_are_read_in_each_format() {
        let home = home();
        home.write(
            ".claude.json",
            r#"{"mcpServers": {"repl": {"command": "/x/mcp-repl", "args": ["--keep"]}}}"#,
        );
        home.write(
            ".codex/config.toml",
            "[mcp_servers.repl]\ncommand = '/x/mcp-repl'\nargs = ['--keep']\n",
        );
        home.write(
            ".continue/config.yaml",
            "mcpServers:\n- name: other\n  command: x\n- name: repl\n  command: /x/mcp-repl\n  args: [--keep]\n",
        );
        home.write(
            ".config/goose/config.yaml",
            "extensions:\n  repl: {cmd: /x/mcp-repl, args: ['--keep']}\n",
        );
        home.write(
            ".config/opencode/opencode.jsonc",
            r#"{"mcp": {"repl": {"command": ["/x/mcp-repl", "--keep"] /* c */ },},}"#,
        );
        home.write(
            ".config/amp/settings.json",
            r#"{"amp.mcpServers": {"repl": {"command": "/x/mcp-repl", "args": ["--keep"]}}}"#,
        );
        let server = Server { command: "/x/mcp-repl".into(), args: vec!["--keep".into()] };
        for name in ["claude", "codex", "continue", "goose", "opencode", "amp"] {
            let entry = home.find(name).entry;
            assert_eq!(entry, Some(Entry::Ours(server.clone())), "{name}");
            assert!(!entry.unwrap().program_exists(&home.around));
        }
    }

    #[test]
    fn a_foreign_entry_is_told_from_ours() {
        let home = home();
        home.write(
            ".cursor/mcp.json",
            r#"{"mcpServers": {"repl": {"url": "https://example.org"}}}"#,
        );
        home.write(
            ".kiro/settings/mcp.json",
            r#"{"mcpServers": {"repl": {"command": "other"}, "r": {"command": "mcp-repl"}}}"#,
        );
        for name in ["cursor", "kiro"] {
            assert!(matches!(home.find(name).entry, Some(Entry::Foreign(_))), "{name}");
        }
    }

    #[test]
    fn what_can_not_be_read_says_why() {
        let home = home();
        home.write(".claude.json", "{\n  oops\n}");
        home.write(".config/opencode/opencode.json", "{}");
        home.write(".config/opencode/opencode.jsonc", "{}");
        home.write(".codex/config.toml/x", "");
        let file = home.around.home.join(".cursor/mcp.json");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, b"\xff").unwrap();
        for (name, says) in [
            ("claude", ".claude.json: line 2: "),
            ("opencode", "are there: move"),
            ("codex", "it is no file"),
            ("cursor", "it is no text in UTF-8"),
        ] {
            match home.find(name).presence {
                Presence::Unreadable(error) => {
                    assert!(error.to_string().contains(says), "{error}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_older_file_is_read_where_it_alone_is_there() {
        let home = home();
        let old = ".codeium/windsurf/mcp_config.json";
        fs::create_dir_all(home.around.home.join(".codeium/windsurf")).unwrap();
        assert!(home.find("windsurf").file.ends_with(old));
        home.write(".config/devin/mcp_config.json", "{}");
        assert!(home.find("windsurf").file.ends_with("devin/mcp_config.json"));
        home.write(old, "{}");
        assert!(home.find("windsurf").file.ends_with("devin/mcp_config.json"));
        fs::remove_file(home.around.home.join(".config/devin/mcp_config.json")).unwrap();
        assert!(home.find("windsurf").file.ends_with(old));
    }

    #[test]
    fn the_project_has_files_of_its_own() {
        let home = home();
        fs::write(home.around.directory.join(".mcp.json"), "{}").unwrap();
        let claude = client("claude").unwrap();
        let found = find_in(claude, Scope::Project, &home.around);
        assert!(matches!(found.presence, Presence::Present));
        assert_eq!(found.file, home.around.directory.join(".mcp.json"));
        let desktop = find_in(client("claude-desktop").unwrap(), Scope::Project, &home.around);
        assert!(matches!(desktop.presence, Presence::Absent));
    }
}
