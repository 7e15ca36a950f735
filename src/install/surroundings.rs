//! What of the machine decides where clients have their files: as data, so that tests bring their own.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// The systems on which clients have files in different places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux, and others that follow the XDG base directories.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// The home directory, the environment, and where the process is.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The user's home directory.
    pub home: PathBuf,
    /// The project's root: the working directory.
    pub directory: PathBuf,
    /// The environment.
    pub variables: BTreeMap<String, OsString>,
    /// The system.
    pub platform: Platform,
}

impl Surroundings {
    /// Those of this process. `None` where it has no home directory, or no working directory.
    pub fn of_process() -> Option<Self> {
        Self::in_directory(std::env::current_dir().ok()?)
    }

    /// Those of this process in another directory. `None` where it has no home directory.
    pub fn in_directory(directory: PathBuf) -> Option<Self> {
        let named = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value));
        let platform = match std::env::consts::OS {
            "macos" => Platform::MacOs,
            "windows" => Platform::Windows,
            _ => Platform::Linux,
        };
        Some(Self {
            home: std::env::home_dir().filter(|home| !home.as_os_str().is_empty())?,
            directory,
            variables: std::env::vars_os().filter_map(named).collect(),
            platform,
        })
    }

    /// A variable of the environment that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(name).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The path that a template of `clients.toml` stands for.
    pub(super) fn path(&self, template: &str) -> PathBuf {
        let (base, rest) = if let Some(rest) = template.strip_prefix('{') {
            // The table's own test sees to it that each is closed.
            let (name, rest) = rest.split_once('}').unwrap_or((rest, ""));
            (self.named_directory(name), rest)
        } else if let Some(rest) = template.strip_prefix('~') {
            (self.home.clone(), rest)
        } else {
            return PathBuf::from(template);
        };
        match rest.trim_start_matches('/') {
            "" => base,
            rest => base.join(rest),
        }
    }

    fn named_directory(&self, name: &str) -> PathBuf {
        let xdg = || self.absolute("XDG_CONFIG_HOME").unwrap_or_else(|| self.home.join(".config"));
        match (name, self.platform) {
            ("config", Platform::MacOs) => self.home.join("Library/Application Support"),
            ("config", Platform::Windows) => {
                self.absolute("APPDATA").unwrap_or_else(|| self.home.join("AppData/Roaming"))
            }
            ("config" | "xdg", _) => xdg(),
            _ => {
                let (variable, otherwise) = name.split_once(':').unwrap_or((name, "~"));
                let given = self.variable(variable).map(|path| self.directory.join(path));
                given.unwrap_or_else(|| self.path(otherwise))
            }
        }
    }

    /// The XDG base directory specification has relative ones ignored.
    fn absolute(&self, variable: &str) -> Option<PathBuf> {
        self.variable(variable).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// The file of this program's own settings: where `XDG_CONFIG_HOME` says, on all systems, else where
    /// the system has such files.
    pub fn settings_file(&self) -> PathBuf {
        let directory = self.absolute("XDG_CONFIG_HOME");
        directory.unwrap_or_else(|| self.path("{config}")).join("mcp-repl").join("config.toml")
    }

    /// The file that a program's name, or a path to it, stands for.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let endings: &[&str] = match self.platform {
            Platform::Windows => &["", ".exe", ".cmd", ".bat"],
            _ => &[""],
        };
        let in_directory = |directory: &Path| {
            let files = endings.iter().map(|ending| directory.join(format!("{name}{ending}")));
            files.into_iter().find(|file| file.is_file())
        };
        if Path::new(name).components().count() > 1 {
            return in_directory(&self.directory);
        }
        let path = self.variable("PATH")?;
        let directories = std::env::split_paths(path).filter(|directory| directory.is_absolute());
        directories.into_iter().find_map(|directory| in_directory(&directory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path from the root, as the system has it.
    fn absolute(path: &str) -> PathBuf {
        std::path::absolute(path).unwrap()
    }

    fn surroundings(platform: Platform, variables: &[(&str, &str)]) -> Surroundings {
        let spelled = |value: &str| match value.starts_with('/') {
            true => absolute(value).into(),
            false => value.into(),
        };
        let variables = variables.iter().map(|(name, value)| ((*name).into(), spelled(value)));
        Surroundings {
            home: absolute("/home/ada"),
            directory: absolute("/work"),
            variables: variables.collect(),
            platform,
        }
    }

    #[test]
    fn paths_follow_platform_and_variables() {
        let path = |platform, variables: &[(&str, &str)], template: &str| {
            surroundings(platform, variables).path(template)
        };
        use Platform::{Linux, MacOs, Windows};
        assert_eq!(path(Linux, &[], "~/.x/y"), absolute("/home/ada/.x/y"));
        assert_eq!(path(Linux, &[], "{config}/x"), absolute("/home/ada/.config/x"));
        assert_eq!(path(Linux, &[("XDG_CONFIG_HOME", "/c")], "{config}/x"), absolute("/c/x"));
        assert_eq!(
            path(Linux, &[("XDG_CONFIG_HOME", "c")], "{xdg}/x"),
            absolute("/home/ada/.config/x")
        );
        assert_eq!(
            path(MacOs, &[], "{config}/x"),
            absolute("/home/ada/Library/Application Support/x")
        );
        assert_eq!(path(MacOs, &[], "{xdg}/x"), absolute("/home/ada/.config/x"));
        assert_eq!(path(Windows, &[], "{config}/x"), absolute("/home/ada/AppData/Roaming/x"));
        assert_eq!(path(Windows, &[("APPDATA", "/a")], "{config}/x"), absolute("/a/x"));
        assert_eq!(path(Linux, &[], "{CODEX_HOME:~/.codex}/x"), absolute("/home/ada/.codex/x"));
        assert_eq!(
            path(Linux, &[("CODEX_HOME", "/k")], "{CODEX_HOME:~/.codex}/x"),
            absolute("/k/x")
        );
        assert_eq!(
            path(Linux, &[("CODEX_HOME", "k")], "{CODEX_HOME:~/.codex}/x"),
            absolute("/work/k/x")
        );
        assert_eq!(
            path(Linux, &[("CODEX_HOME", "")], "{CODEX_HOME:~/.codex}"),
            absolute("/home/ada/.codex")
        );
        assert_eq!(path(Linux, &[], "/Applications/X.app"), Path::new("/Applications/X.app"));
    }

    #[test]
    fn the_settings_file_is_where_the_user_or_the_system_has_such_files() {
        let file = |platform, variables: &[(&str, &str)]| {
            surroundings(platform, variables).settings_file()
        };
        use Platform::{Linux, MacOs};
        let xdg = [("XDG_CONFIG_HOME", "/c")];
        assert_eq!(file(Linux, &[]), absolute("/home/ada/.config/mcp-repl/config.toml"));
        assert_eq!(file(Linux, &xdg), absolute("/c/mcp-repl/config.toml"));
        assert_eq!(file(MacOs, &xdg), absolute("/c/mcp-repl/config.toml"));
        let of_macos = absolute("/home/ada/Library/Application Support/mcp-repl/config.toml");
        assert_eq!(file(MacOs, &[]), of_macos);
        assert_eq!(file(MacOs, &[("XDG_CONFIG_HOME", "c")]), of_macos);
    }
}
