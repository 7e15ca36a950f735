//! The project's file over the user's: what holds of both, and what only would with the user's consent.
//! Pure.

use std::path::{Path, PathBuf};

use super::{
    Files, Holds, Key, Level, State, Value, Written, at, consent::needs_consent, directory_of,
    document::is_what_runs,
};

/// A setting, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What it is called.
    pub key: Key,
    /// What it is set to.
    pub value: Value,
    /// Where: one place, but for those of a list, to which each file adds its own.
    pub origins: Vec<Origin>,
    holds: Holds,
    is_list: bool,
    is_elsewhere: bool,
}

/// Where a setting stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The file.
    pub file: PathBuf,
    /// Whose it is.
    pub level: Level,
    /// The line, from 1.
    pub line: usize,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&at(&self.file, self.line))
    }
}

/// What two files say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layers {
    /// What holds, where no option or variable says otherwise.
    pub settings: Vec<Setting>,
    /// What the project says and only holds with the user's consent.
    pub withheld: Vec<Setting>,
}

impl Setting {
    fn new(written: &Written, file: &Path, level: Level) -> Self {
        let Written { key, value, line, holds, is_list, is_elsewhere } = written.clone();
        let origins = vec![Origin { file: file.to_owned(), level, line }];
        Self { key, value, origins, holds, is_list, is_elsewhere }
    }

    /// The file that it stands in; of a list, the first one.
    pub fn file(&self) -> &Path {
        self.origins.first().map_or(Path::new(""), |origin| &origin.file)
    }

    /// Whether it says what runs in a session: `python`, `worker` and `run` are one question.
    pub fn is_what_runs(&self) -> bool {
        is_what_runs(&self.key)
    }

    /// Whether it is about the machine that sessions are on: this one, where no file names another, or
    /// that which this file names. Paths and programs of one machine mean nothing on another.
    pub fn is_of(&self, via: Option<&Path>) -> bool {
        let is_of_any = self.holds == Holds::Text || self.is_list || self.key.name == "via";
        is_of_any
            || match via {
                Some(file) => self.is_elsewhere && self.file() == file,
                None => !self.is_elsewhere,
            }
    }
}

/// Puts the project's file over the user's.
pub fn layers(files: &Files) -> Layers {
    let mut layers = Layers::default();
    for file in files.all() {
        let State::Read { settings, is_consented } = &file.state else { continue };
        let needs = |written: &Written| {
            let beneath = layers.settings.iter().find(|setting| setting.key == written.key);
            let beneath = beneath.map(|setting| &setting.value);
            file.level == Level::Project
                && !is_consented
                && needs_consent(&written.key, &written.value, beneath, &directory_of(&file.path))
        };
        let new = |written: &Written| Setting::new(written, &file.path, file.level);
        let (withheld, holding): (Vec<&Written>, Vec<&Written>) =
            settings.iter().partition(|written| needs(written));
        layers.withheld.extend(withheld.into_iter().map(new));
        for setting in holding.into_iter().map(new) {
            layers.put(setting);
        }
    }
    layers
}

impl Layers {
    fn put(&mut self, setting: Setting) {
        let mut same = self.settings.iter_mut().filter(|other| other.key == setting.key);
        if let Some(other) = same.next()
            && setting.is_list
            && let (Value::Texts(texts), Value::Texts(more)) = (&mut other.value, &setting.value)
        {
            // What one forbids the other can't allow by saying less.
            texts.extend(more.iter().cloned());
            other.origins.extend(setting.origins);
            return;
        }
        let file = setting.file().to_owned();
        self.settings.retain(|other| {
            let is_beaten = other.is_what_runs() && setting.is_what_runs() && other.file() != file;
            other.key != setting.key && !is_beaten
        });
        self.settings.push(setting);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::SettingsFile, *};

    fn written(key: &str, value: &str, line: usize) -> Written {
        let (table, name) = key.split_once('.').unwrap_or(("", key));
        let holds = match name {
            "python" => Holds::Program,
            "worker" | "via" | "run" => Holds::Command,
            "deny-read" => Holds::Path,
            _ => Holds::Text,
        };
        Written {
            key: Key { table: table.into(), name: name.into() },
            value: Value::Texts(vec![value.into()]),
            line,
            holds,
            is_list: name == "deny-read",
            is_elsewhere: false,
        }
    }

    fn file(level: Level, is_consented: bool, settings: Vec<Written>) -> Option<SettingsFile> {
        let path = match level {
            Level::User => "/u/config.toml",
            Level::Project => "/p/mcp-repl.toml",
        };
        Some(SettingsFile {
            path: path.into(),
            level,
            state: State::Read { settings, is_consented },
        })
    }

    fn said(settings: &[Setting]) -> Vec<String> {
        let one = |setting: &Setting| {
            let origins: Vec<String> = setting.origins.iter().map(Origin::to_string).collect();
            format!("{}={} {}", setting.key, setting.value, origins.join(" "))
        };
        settings.iter().map(one).collect()
    }

    #[test]
    fn the_project_beats_the_user() {
        let user = vec![
            written("pager", "page", 1),
            written("worker", "w", 2),
            written("deny-read", "/a", 3),
            written("attach.keys", "vi", 4),
        ];
        let project = vec![
            written("pager", "plain", 1),
            written("python", "python3", 2),
            written("deny-read", "/b", 3),
        ];
        let files = Files {
            user: file(Level::User, false, user),
            project: file(Level::Project, false, project),
        };
        let Layers { settings, withheld } = layers(&files);
        assert_eq!(
            said(&settings),
            [
                "deny-read=/a, /b /u/config.toml:3 /p/mcp-repl.toml:3",
                "attach.keys=vi /u/config.toml:4",
                "pager=plain /p/mcp-repl.toml:1",
                "python=python3 /p/mcp-repl.toml:2",
            ]
        );
        assert_eq!(said(&withheld), [""; 0]);
    }

    #[test]
    fn a_project_without_consent_beats_nothing_by_what_needs_it() {
        let user = || file(Level::User, false, vec![written("python", "/u/python", 1)]);
        let project = vec![written("worker", "/p/w", 1), written("size", "80x24", 2)];
        let files = |consented| Files {
            user: user(),
            project: file(Level::Project, consented, project.clone()),
        };
        let without = layers(&files(false));
        assert_eq!(
            said(&without.settings),
            ["python=/u/python /u/config.toml:1", "size=80x24 /p/mcp-repl.toml:2"]
        );
        assert_eq!(said(&without.withheld), ["worker=/p/w /p/mcp-repl.toml:1"]);
        let with = layers(&files(true));
        assert_eq!(
            said(&with.settings),
            ["worker=/p/w /p/mcp-repl.toml:1", "size=80x24 /p/mcp-repl.toml:2"]
        );
        assert_eq!(said(&with.withheld), [""; 0]);
    }

    #[test]
    fn programs_and_paths_are_of_one_machine() {
        let via = Path::new("/u/config.toml");
        let mut python = Setting::new(&written("python", "x", 1), via, Level::User);
        assert!(python.is_of(None) && !python.is_of(Some(via)));
        python.is_elsewhere = true;
        assert!(!python.is_of(None) && python.is_of(Some(via)));
        assert!(
            !python.is_of(Some(Path::new("/p/mcp-repl.toml")))
                && !python.is_of(Some(Path::new("")))
        );
        let pager = Setting::new(&written("pager", "page", 1), via, Level::User);
        assert!(pager.is_of(None) && pager.is_of(Some(via)) && pager.is_of(Some(Path::new(""))));
    }
}
