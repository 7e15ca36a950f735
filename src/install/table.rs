//! The table of clients, as `clients.toml` has it.

use std::{path::PathBuf, sync::LazyLock};

use serde::Deserialize;

use super::{
    NAME,
    document::{self, Format},
    entry::Server,
    surroundings::{Platform, Surroundings},
};

/// Whose configuration is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The user's, for all projects.
    User,
    /// The project's own file, in the working directory.
    Project,
}

/// A client, as its row in `clients.toml` tells; what the fields mean is said there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// What it is called on command lines, and in what is printed as JSON.
    pub id: String,
    /// Other names for command lines.
    #[serde(default)]
    pub names: Vec<String>,
    /// What people call it.
    pub title: String,
    file: String,
    file_macos: Option<String>,
    file_windows: Option<String>,
    or_file: Option<String>,
    #[serde(default)]
    older: Vec<String>,
    #[serde(default)]
    present: Vec<String>,
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    bare: bool,
    project: Option<String>,
    or_project: Option<String>,
    pub(super) format: Format,
    pub(super) key: Vec<String>,
    #[serde(default)]
    pub(super) list: bool,
    pub(super) entry: toml::Table,
    new: Option<String>,
    new_project: Option<String>,
    #[serde(default)]
    pub(super) allow: toml::Table,
    pub(super) allow_item: Option<Permission>,
    #[serde(default)]
    pub(super) items: Vec<ListItem>,
    skills: Option<String>,
    project_skills: Option<String>,
    #[serde(default)]
    add: Vec<String>,
    #[serde(default)]
    add_unless: Vec<String>,
    /// What makes it read its file.
    pub restart: String,
}

/// A text in a list of a document.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListItem {
    pub(super) key: Vec<String>,
    pub(super) item: String,
}

/// A text in a list of another file, by which a client does not ask before it calls the tool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permission {
    file: String,
    project: String,
    pub(super) format: Format,
    pub(super) key: Vec<String>,
    pub(super) item: String,
}

#[derive(Debug, Deserialize)]
struct Table {
    client: Vec<Client>,
}

/// All clients, in the order of the table.
pub fn clients() -> &'static [Client] {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        // A test reads it, too: a binary whose table can't be read is never built.
        toml::from_str(include_str!("clients.toml")).expect("the table of clients can be read")
    });
    &TABLE.client
}

/// The client of this name: its `id`, or another of its names.
pub fn client(name: &str) -> Option<&'static Client> {
    let is_it = |client: &&Client| client.id == name || client.names.iter().any(|one| one == name);
    clients().iter().find(is_it)
}

impl Client {
    /// Where its file may be: each place, the newest first, with the names that the file has there.
    pub(super) fn places(&self, scope: Scope, around: &Surroundings) -> Vec<Vec<PathBuf>> {
        match scope {
            Scope::Project => {
                let names = [&self.project, &self.or_project].into_iter().flatten();
                let names: Vec<PathBuf> = names.map(|name| around.directory.join(name)).collect();
                if names.is_empty() { Vec::new() } else { vec![names] }
            }
            Scope::User => {
                let file = match around.platform {
                    Platform::MacOs => self.file_macos.as_ref(),
                    Platform::Windows => self.file_windows.as_ref(),
                    Platform::Linux => None,
                };
                let names = [Some(file.unwrap_or(&self.file)), self.or_file.as_ref()];
                let newest = names.into_iter().flatten().map(|name| around.path(name)).collect();
                let older = self.older.iter().map(|name| vec![around.path(name)]);
                [newest].into_iter().chain(older).collect()
            }
        }
    }

    /// Whether something says that it is there, beside its file.
    pub(super) fn shows_itself(&self, around: &Surroundings) -> bool {
        let places = self.places(Scope::User, around);
        let mut directories = places.iter().flatten().filter_map(|file| file.parent());
        self.programs.iter().any(|program| around.program(program).is_some())
            || self.present.iter().any(|path| around.path(path).exists())
            || (!self.bare && directories.any(|directory| directory.is_dir()))
    }

    /// The client's own command that adds a server for the user: the program's file and its arguments.
    /// `None` where it has none, or it is not here, or does something else here.
    pub(super) fn adding_command(
        &self,
        server: &Server,
        around: &Surroundings,
    ) -> Option<(PathBuf, Vec<String>)> {
        let (program, words) = self.add.split_first()?;
        let program = around.program(program)?;
        if self.add_unless.iter().any(|name| around.variable(name).is_some()) {
            return None;
        }
        let mut args = Vec::new();
        for word in words {
            match word.as_str() {
                "$name" => args.push(NAME.to_owned()),
                "$command" => args.push(server.command.clone()),
                "$args" => args.extend(server.args.iter().cloned()),
                "$json" => {
                    let name = [("name".to_owned(), toml::Value::from(NAME))];
                    let entry: toml::Table =
                        name.into_iter().chain(self.make_entry(server)).collect();
                    args.push(document::json(&entry.into()).to_string());
                }
                word => args.push(word.to_owned()),
            }
        }
        Some((program, args))
    }

    /// Whether it has a file of its own in projects.
    pub fn has_project_file(&self) -> bool {
        self.project.is_some()
    }

    /// What a file that is not there begins with.
    pub(super) fn new_file(&self, scope: Scope) -> &str {
        let text = match scope {
            Scope::User => &self.new,
            Scope::Project => &self.new_project,
        };
        text.as_deref().unwrap_or_default()
    }

    /// The directory where it looks for skills.
    pub fn skills(&self, scope: Scope, around: &Surroundings) -> Option<PathBuf> {
        match scope {
            Scope::User => self.skills.as_deref().map(|directory| around.path(directory)),
            Scope::Project => {
                self.project_skills.as_deref().map(|directory| around.directory.join(directory))
            }
        }
    }
}

impl Permission {
    pub(super) fn file(&self, scope: Scope, around: &Surroundings) -> PathBuf {
        match scope {
            Scope::User => around.path(&self.file),
            Scope::Project => around.directory.join(&self.project),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use super::*;
    use crate::sandbox::{HIDDEN, PROTECTED};

    #[test]
    fn the_table_can_be_read_and_names_are_of_one_client() {
        assert!(clients().len() >= 24, "{}", clients().len());
        let names =
            clients().iter().flat_map(|client| [&client.id].into_iter().chain(&client.names));
        let all: Vec<&String> = names.collect();
        let different: BTreeSet<&String> = all.iter().copied().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(client("claude").unwrap().id, "claude-code");
        assert!(client("emacs").is_none());
    }

    #[test]
    fn a_sandbox_protects_what_clients_take_from_projects() {
        for client in clients() {
            for path in [&client.project, &client.or_project, &client.project_skills] {
                let is_protected =
                    |path: &String| PROTECTED.iter().any(|name| Path::new(path).starts_with(name));
                assert!(path.iter().all(is_protected), "{}: {path:?}", client.id);
            }
        }
    }

    #[test]
    fn a_sandbox_hides_where_clients_have_their_servers() {
        for client in clients() {
            for file in [&client.file].into_iter().chain(&client.older) {
                let file = file.replace("{xdg}", "{config}");
                let is_hidden = HIDDEN.iter().any(|row| Path::new(&file).starts_with(row));
                assert!(is_hidden, "{}: {file}", client.id);
            }
        }
    }

    #[test]
    fn templates_of_paths_are_whole() {
        for client in clients() {
            let files = [Some(&client.file), client.file_windows.as_ref(), client.or_file.as_ref()];
            let skills = client.skills.iter().chain(&client.older).chain(&client.present);
            for path in files.into_iter().flatten().chain(skills) {
                assert_eq!(path.contains('{'), path.contains('}'), "{path}");
                assert!(path.starts_with(['~', '{', '/']), "{path}");
            }
            for path in [&client.project, &client.or_project, &client.project_skills] {
                assert!(path.iter().all(|path| !path.starts_with(['/', '~'])), "{path:?}");
            }
        }
    }

    #[test]
    fn entries_name_a_command_and_its_arguments() {
        for client in clients() {
            let values: Vec<&str> =
                client.entry.values().filter_map(|value| value.as_str()).collect();
            let split = values.contains(&"$command") && values.contains(&"$args");
            assert!(split != values.contains(&"$command_and_args"), "{}", client.id);
            assert_eq!(
                client.list,
                client.entry.contains_key("name")
                    && client.format == Format::Yaml
                    && client.id == "continue"
            );
            assert!(!client.key.is_empty() && !client.restart.is_empty());
        }
    }

    /// A path from the root, as the system has it.
    fn absolute(path: &str) -> PathBuf {
        std::path::absolute(path).unwrap()
    }

    #[test]
    fn files_are_where_each_platform_has_them() {
        let file = |name: &str, platform, variable: (&str, &str)| {
            let around = Surroundings {
                home: absolute("/h"),
                directory: absolute("/w"),
                variables: [(variable.0.to_owned(), absolute(variable.1).into())].into(),
                platform,
            };
            let places = client(name).unwrap().places(Scope::User, &around);
            places[0][0].clone()
        };
        use Platform::{Linux, MacOs, Windows};
        let none = ("", "/");
        for (name, platform, variable, expected) in [
            ("claude", Linux, none, "/h/.claude.json"),
            ("claude", Linux, ("CLAUDE_CONFIG_DIR", "/c"), "/c/.claude.json"),
            (
                "claude-desktop",
                MacOs,
                none,
                "/h/Library/Application Support/Claude/claude_desktop_config.json",
            ),
            (
                "claude-desktop",
                Windows,
                ("APPDATA", "/ad"),
                "/ad/Claude/claude_desktop_config.json",
            ),
            ("codex", Windows, none, "/h/.codex/config.toml"),
            ("codex", Linux, ("CODEX_HOME", "/k"), "/k/config.toml"),
            ("vscode", MacOs, none, "/h/Library/Application Support/Code/User/mcp.json"),
            ("vscode", Linux, ("XDG_CONFIG_HOME", "/x"), "/x/Code/User/mcp.json"),
            ("windsurf", MacOs, none, "/h/.config/devin/mcp_config.json"),
            ("windsurf", Windows, ("APPDATA", "/ad"), "/ad/devin/mcp_config.json"),
            ("zed", MacOs, none, "/h/.config/zed/settings.json"),
            ("zed", Windows, ("APPDATA", "/ad"), "/ad/Zed/settings.json"),
            ("goose", MacOs, none, "/h/.config/goose/config.yaml"),
            ("goose", Windows, ("APPDATA", "/ad"), "/ad/Block/goose/config/config.yaml"),
            ("opencode", MacOs, none, "/h/.config/opencode/opencode.json"),
        ] {
            assert_eq!(file(name, platform, variable), absolute(expected), "{platform:?}");
        }
    }

    #[test]
    fn the_page_for_users_has_each_client_with_its_names_files_and_key() {
        let page = include_str!("../../docs/install.md");
        let quoted = |text: &str| format!("`{text}`");
        for client in clients() {
            let begin = format!("| {} | `{}`", client.title, client.id);
            let row = page.lines().find(|line| line.starts_with(&begin)).expect(&begin);
            let of_file =
                [Some(&client.file), client.file_windows.as_ref(), client.project.as_ref()];
            let all = of_file.into_iter().flatten().chain(&client.names).chain(&client.older);
            for text in all.chain([&client.key.join(".")]) {
                assert!(row.contains(&quoted(text)), "{row} {text}");
            }
            for other in [&client.or_file, &client.or_project].into_iter().flatten() {
                let name = other.rsplit('/').next().unwrap_or(other);
                assert!(row.contains(&quoted(name)), "{row} {name}");
            }
            let can_be_told = !client.allow.is_empty() || client.allow_item.is_some();
            assert_eq!(row.ends_with("| yes |"), can_be_told, "{row}");
        }
        let rows =
            page.lines().filter(|line| line.matches(" | ").count() == 5 && line.contains("` |"));
        let rows = rows.filter(|line| !line.starts_with("| client |"));
        assert_eq!(rows.count(), clients().len());
    }
}
