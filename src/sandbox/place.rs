//! Where a sandbox is made, and the rules that come of what is wanted there.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use super::{
    Rules, Settings,
    git::{self, Git, Kind, Look},
    names::{HIDDEN, HIDDEN_FROM_ROOT, PROTECTED, PROTECTED_AT_HOME},
};

/// Memory that processes share, as `multiprocessing` does (shm_open(3)).
const SHARED_MEMORY: &str = "/dev/shm";

/// Where a sandbox is made. Paths are absolute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The working directory.
    pub directory: PathBuf,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, if it is set.
    pub config: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`, if it is set.
    pub runtime: Option<PathBuf>,
    /// The variables that are absolute paths: some name where secrets are.
    pub named: BTreeMap<String, PathBuf>,
    /// Whether the user is root, who can read what others can't.
    pub is_root: bool,
    /// What is the worker's own: its socket and its temporary files. It exists.
    pub private: PathBuf,
    /// Where caches are kept. It exists.
    pub caches: PathBuf,
    /// What this program itself keeps from those in it: other sessions, histories, recordings.
    pub own: Vec<PathBuf>,
    /// The repository that the working directory is in.
    pub git: Option<Git>,
    /// The machine's GPUs.
    pub gpus: Vec<PathBuf>,
}

/// Why there are no rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// What may be written is not there.
    #[error("{}, which `--add-writable` names, does not exist", .0.display())]
    Missing(PathBuf),
}

impl Place {
    /// A path of the tables of names; `None` where there is no such place.
    pub(super) fn path(&self, text: &str) -> Option<PathBuf> {
        let below = |place: &Option<PathBuf>, rest: &str| {
            let rest = rest.trim_start_matches('/');
            place
                .as_ref()
                .map(|place| if rest.is_empty() { place.clone() } else { place.join(rest) })
        };
        if let Some(rest) = text.strip_prefix('~') {
            return below(&self.home, rest);
        }
        if let Some(rest) = text.strip_prefix("{config}") {
            let config = self.config.clone();
            let config = config.or_else(|| self.home.as_ref().map(|home| home.join(".config")));
            return below(&config, rest);
        }
        if let Some(rest) = text.strip_prefix("{runtime}") {
            return below(&self.runtime, rest);
        }
        if let Some(rest) = text.strip_prefix("{data}") {
            let usual = self.home.as_ref().map(|home| home.join(".local/share"));
            return below(&self.named.get("XDG_DATA_HOME").cloned().or(usual), rest);
        }
        Some(text.into())
    }

    /// The paths of a row of the tables: where a variable names another one than usual, both.
    fn paths(&self, text: &str) -> Vec<PathBuf> {
        let named = text.strip_prefix('{').and_then(|text| text.split_once('}'));
        let Some(((name, usual), rest)) =
            named.and_then(|(inner, rest)| Some((inner.split_once(':')?, rest)))
        else {
            return self.path(text).into_iter().collect();
        };
        // A variable of another meaning hides no directory that is worked in.
        let is_around = |path: &PathBuf| {
            let home = self.home.as_ref().is_some_and(|home| home.starts_with(path));
            rest.is_empty() && (home || self.directory.starts_with(path))
        };
        let named = self.named.get(name).filter(|path| !is_around(path));
        let named = named.map(|path| path.join(rest.trim_start_matches('/')));
        // `join` with nothing would end a file's path with a slash.
        let named = named.map(|path| path.components().collect());
        self.path(&format!("{usual}{rest}")).into_iter().chain(named).collect()
    }

    /// What git's settings name, for the repositories of these workspaces.
    fn named_to_git(&self, workspaces: &[PathBuf], look: &dyn Look) -> Vec<PathBuf> {
        let global = ["~/.gitconfig", "{config}/git/config"];
        let own = self.git.iter().flat_map(|git| git.writable.clone());
        let repositories: Vec<_> =
            own.chain(workspaces.iter().map(|place| place.join(".git"))).collect();
        let settings = repositories
            .iter()
            .flat_map(|git| ["config", "config.worktree"].map(|name| git.join(name)));
        let files: Vec<_> =
            global.iter().filter_map(|path| self.path(path)).chain(settings).collect();
        // A repository's files begin beside it, those of a further worktree where that is.
        let beside = repositories.iter().filter_map(|git| git.parent());
        let tops: BTreeSet<_> = beside.chain(workspaces.iter().map(PathBuf::as_path)).collect();
        let tops: Vec<_> = tops.into_iter().collect();
        git::named_by_settings(files, &tops, self.home.as_deref(), look)
    }

    /// Whether the working directory is nobody's workspace: the home directory, or one around it.
    pub fn is_too_wide(&self) -> bool {
        self.is_around_home(&self.directory)
    }

    /// Whether all of the home directory is in this one.
    pub fn is_around_home(&self, directory: &Path) -> bool {
        let is_in_it = |home: &PathBuf| home.starts_with(directory);
        directory.parent().is_none() || self.home.as_ref().is_some_and(is_in_it)
    }

    /// What programs may reach here under these settings, which say that there is a sandbox.
    ///
    /// # Errors
    /// When what may be written is not there.
    pub fn rules(&self, settings: &Settings, look: &dyn Look) -> Result<Rules, RulesError> {
        let mut workspaces = Vec::new();
        let mut rules = Rules { network: settings.network, ..Rules::default() };
        for path in &settings.writable {
            let real = look.real(path);
            // What a client's sandbox names need not be there.
            let is_clients =
                settings.bounds.as_ref().is_some_and(|bounds| bounds.writable.contains(path));
            if look.kind(&real) != Kind::Missing {
                workspaces.push(real);
            } else if !is_clients {
                return Err(RulesError::Missing(path.clone()));
            }
        }
        if settings.mode.writes_workspace() {
            if !self.is_too_wide() {
                workspaces.push(look.real(&self.directory));
            }
            let git = self.git.clone().unwrap_or_default();
            rules.writable.extend(git.writable);
            rules.protected.extend(git.protected);
        }
        if let Some(said) = &settings.bounds {
            let bounds = said.real(look);
            for places in [&mut workspaces, &mut rules.writable] {
                *places = places.iter().flat_map(|place| bounds.leave(place)).collect();
                places.retain(|place| look.kind(place) != Kind::Missing);
            }
            rules.protected.extend(said.read_only.clone());
        }
        for place in &workspaces {
            rules.protected.extend(PROTECTED.iter().map(|name| place.join(name)));
            rules.protected.extend(git::protected_at(place, look.kind(&place.join(".git"))));
        }
        for named in self.named_to_git(&workspaces, look) {
            if workspaces.iter().any(|place| named.starts_with(place) && named != *place) {
                rules.protected.push(named);
            }
        }
        // Also where only a part of the home directory is a workspace.
        for name in PROTECTED.iter().chain(PROTECTED_AT_HOME) {
            let of_home = self.home.as_ref().map(|home| look.real(home).join(name));
            let of_config = name.strip_prefix(".config/");
            let of_config = of_config.and_then(|name| self.path(&format!("{{config}}/{name}")));
            rules.protected.extend(of_home.into_iter().chain(of_config));
        }
        rules.writable.extend(workspaces);
        rules.writable.extend([&self.private, &self.caches].map(|path| look.real(path)));
        if look.kind(Path::new(SHARED_MEMORY)) == Kind::Directory {
            rules.writable.push(SHARED_MEMORY.into());
        }
        let rows = HIDDEN.iter().chain(HIDDEN_FROM_ROOT.iter().filter(|_| self.is_root));
        let hidden = rows.flat_map(|row| self.paths(row));
        rules.hidden.extend(hidden.chain(self.own.clone()).chain(settings.deny_read.clone()));
        if settings.gpu {
            rules.devices.extend(self.gpus.clone());
        }
        for paths in [&mut rules.hidden, &mut rules.protected] {
            *paths = paths.iter().flat_map(|path| named_and_meant(path, look)).collect();
        }
        for paths in [&mut rules.hidden, &mut rules.protected, &mut rules.writable] {
            // Byte by byte: part by part, as paths are compared, takes ten times as long.
            paths.sort_unstable_by(|one, other| one.as_os_str().cmp(other.as_os_str()));
            paths.dedup_by(|one, other| one.as_os_str() == other.as_os_str());
        }
        Ok(rules)
    }
}

/// A path whose directory is named without links; and, where it is itself a link, what that leads to.
fn named_and_meant(path: &Path, look: &dyn Look) -> Vec<PathBuf> {
    let named = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => look.real(parent).join(name),
        _ => path.to_owned(),
    };
    let meant = look.real(path);
    if meant == named { vec![named] } else { vec![named, meant] }
}

/// A path without `.` and `..`, by its text: what links stand in it is not looked at.
pub(super) fn without_dots(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                found.pop();
            }
            Component::CurDir => {}
            component => found.push(component),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Bounds, Mode, Network, testing::Disk};

    const DISK: Disk = Disk(&[], &["/w/.git", "/dev/shm", "/home/ada", "/data"]);

    fn place(directory: &str) -> Place {
        Place {
            directory: directory.into(),
            home: Some("/home/ada".into()),
            private: "/tmp/mcp-repl-1/1/1".into(),
            caches: "/home/ada/.cache/mcp-repl".into(),
            own: vec!["/run/mcp-repl".into()],
            gpus: vec!["/dev/dri/card0".into()],
            ..Place::default()
        }
    }

    fn settings(mode: Mode) -> Settings {
        Settings { mode, ..Settings::default() }
    }

    fn has(paths: &[PathBuf], path: &str) -> bool {
        paths.contains(&path.into())
    }

    #[test]
    fn a_workspace_can_be_written_but_for_what_others_obey() {
        let rules = place("/w").rules(&settings(Mode::WorkspaceWrite), &DISK).unwrap();
        let writable = ["/dev/shm", "/home/ada/.cache/mcp-repl", "/tmp/mcp-repl-1/1/1", "/w"];
        assert_eq!(rules.writable, writable.map(PathBuf::from));
        for path in ["/w/.git/hooks", "/w/.git/config", "/w/.claude", "/w/.mcp.json", "/w/.bashrc"]
        {
            assert!(has(&rules.protected, path), "{path}");
        }
        assert!(!has(&rules.protected, "/w/.git"));
        for path in ["/home/ada/.ssh", "/home/ada/.config/gh", "/run/mcp-repl"] {
            assert!(has(&rules.hidden, path), "{path}");
        }
        assert_eq!((rules.network, rules.devices), (Network::Off, Vec::new()));
        // No repository: none can be put there.
        let rules = place("/data").rules(&settings(Mode::WorkspaceWrite), &DISK).unwrap();
        assert!(has(&rules.protected, "/data/.git"));
    }

    #[test]
    fn what_is_added_can_be_written_in_each_mode_if_it_is_there() {
        let added = |path: &str| Settings {
            writable: vec![path.into()],
            deny_read: vec!["/etc/motd".into()],
            gpu: true,
            ..settings(Mode::ReadOnly)
        };
        let rules = place("/w").rules(&added("/data"), &DISK).unwrap();
        assert!(has(&rules.writable, "/data") && !has(&rules.writable, "/w"));
        assert!(has(&rules.protected, "/data/.vscode") && has(&rules.hidden, "/etc/motd"));
        assert!(has(&rules.devices, "/dev/dri/card0"));
        let missing = place("/w").rules(&added("/nowhere"), &DISK);
        assert_eq!(
            missing.unwrap_err().to_string(),
            "/nowhere, which `--add-writable` names, does not exist"
        );
    }

    #[test]
    fn a_home_directory_is_no_workspace_unless_somebody_says_so() {
        for directory in ["/", "/home", "/home/ada"] {
            let rules = place(directory).rules(&settings(Mode::WorkspaceWrite), &DISK).unwrap();
            assert!(!has(&rules.writable, directory), "{directory}");
        }
        let wide =
            Settings { writable: vec!["/home/ada".into()], ..settings(Mode::WorkspaceWrite) };
        let rules = place("/home/ada").rules(&wide, &DISK).unwrap();
        assert!(has(&rules.writable, "/home/ada"));
        for name in [".bashrc", ".config/autostart", ".local/bin", ".claude"] {
            assert!(has(&rules.protected, &format!("/home/ada/{name}")), "{name}");
        }
    }

    #[test]
    fn what_stands_for_the_user_is_protected_where_a_part_of_the_home_directory_is_a_workspace() {
        let protected =
            |place: &Place| place.rules(&settings(Mode::WorkspaceWrite), &DISK).unwrap().protected;
        let in_config = protected(&place("/home/ada/.config"));
        assert!(has(&in_config, "/home/ada/.config/mcp-repl"));
        assert!(has(&in_config, "/home/ada/.config/autostart"));
        let elsewhere = Place { config: Some("/w/settings".into()), ..place("/w") };
        assert!(has(&protected(&elsewhere), "/w/settings/mcp-repl"));
        assert!(has(&protected(&elsewhere), "/w/settings/git"));
    }

    #[test]
    fn links_hide_and_protect_what_they_lead_to() {
        const LINKED: Disk = Disk(
            &[("/home/ada/.ssh", "/keys"), ("/w/.vscode", "/w/settings"), ("/link", "/w")],
            &["/w/.git"],
        );
        let rules = place("/link").rules(&settings(Mode::WorkspaceWrite), &LINKED).unwrap();
        assert!(has(&rules.hidden, "/home/ada/.ssh") && has(&rules.hidden, "/keys"));
        assert!(has(&rules.protected, "/w/.vscode") && has(&rules.protected, "/w/settings"));
        assert!(has(&rules.writable, "/w") && !has(&rules.writable, "/link"));
    }

    /// The rules at `/w/sub` of a repository in `/w`, where a client's sandbox has these bounds.
    fn bounded(mut settings: Settings, writable: &[&str], read_only: &[&str]) -> Rules {
        const IN_GIT: Disk = Disk(
            &[("/w/out", "/home/ada")],
            &["/w/.git/refs", "/w/sub", "/home/ada", "/data/in", "/dev/shm"],
        );
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        settings.bounds = Some(Bounds { writable: paths(writable), read_only: paths(read_only) });
        let git = Git {
            top: "/w".into(),
            writable: vec!["/w/.git".into()],
            protected: vec!["/w/.git/hooks".into()],
        };
        Place { git: Some(git), ..place("/w/sub") }.rules(&settings, &IN_GIT).unwrap()
    }

    #[test]
    fn a_clients_sandbox_is_the_most_that_may_be_written() {
        let ours = Settings { writable: vec!["/data".into()], ..settings(Mode::WorkspaceWrite) };
        let free = bounded(ours.clone(), &["/"], &[]);
        assert!(has(&free.writable, "/w/sub") && has(&free.writable, "/w/.git"));
        assert!(has(&free.writable, "/data"));
        let rules = bounded(ours.clone(), &["/w", "/data/in"], &["/w/.git", "/w/.agents"]);
        assert!(has(&rules.writable, "/w/sub") && has(&rules.writable, "/data/in"));
        assert!(!has(&rules.writable, "/w") && !has(&rules.writable, "/data"));
        assert!(!has(&rules.writable, "/w/.git") && has(&rules.protected, "/w/.git"));
        assert!(has(&rules.protected, "/w/.agents"));
        // The session's own files and caches are written all the same.
        assert!(has(&rules.writable, "/tmp/mcp-repl-1/1/1") && has(&rules.writable, "/dev/shm"));
        for none in [&["/elsewhere"][..], &[]] {
            let rules = bounded(ours.clone(), none, &[]);
            assert!(!rules.writable.iter().any(|path| path.starts_with("/w")), "{rules:?}");
            assert!(!has(&rules.writable, "/data"), "{rules:?}");
        }
    }

    #[test]
    fn what_a_clients_sandbox_names_may_be_missing_and_leads_nowhere_else() {
        let named = ["/w", "/nowhere", "/w/out"].map(PathBuf::from).to_vec();
        let ours = Settings { writable: named, ..settings(Mode::WorkspaceWrite) };
        let rules = bounded(ours.clone(), &["/w", "/nowhere", "/w/out"], &[]);
        assert!(has(&rules.writable, "/w") && !has(&rules.writable, "/nowhere"));
        // A link that a session in `/w` may have made.
        assert!(!has(&rules.writable, "/home/ada"), "{rules:?}");
        let ours = Settings { writable: vec!["/w/out".into()], ..ours };
        assert!(has(&bounded(ours, &["/w/out"], &[]).writable, "/home/ada"));
    }

    #[test]
    fn places_are_those_of_the_environment() {
        let ada = place("/w");
        assert_eq!(ada.path("{config}/gh"), Some("/home/ada/.config/gh".into()));
        assert_eq!((ada.path("{runtime}"), ada.path("/run/x")), (None, Some("/run/x".into())));
        let set = Place { config: Some("/c".into()), runtime: Some("/r".into()), ..ada };
        assert_eq!(set.path("{config}/gh"), Some("/c/gh".into()));
        assert_eq!(set.path("{runtime}"), Some("/r".into()));
        assert_eq!(Place::default().path("~/.ssh"), None);
    }

    #[test]
    fn where_variables_say_that_secrets_are_they_are_hidden_too() {
        let named = [("CODEX_HOME", "/c"), ("NETRC", "/n/netrc"), ("KUBECONFIG", "/w")];
        let named = named.map(|(name, path)| (name.to_owned(), path.into()));
        let place = Place { named: named.into(), ..place("/w") };
        let rules = place.rules(&settings(Mode::WorkspaceWrite), &DISK).unwrap();
        for path in [
            "/c/auth.json",
            "/home/ada/.codex/auth.json",
            "/n/netrc",
            "/home/ada/.kube",
            "/home/ada/.local/share/keyrings",
        ] {
            assert!(has(&rules.hidden, path), "{path}");
        }
        assert!(!has(&rules.hidden, "/w") && !has(&rules.hidden, "/etc/shadow"));
        let root = Place { is_root: true, ..place };
        let rules = root.rules(&settings(Mode::WorkspaceWrite), &DISK).unwrap();
        assert!(has(&rules.hidden, "/etc/shadow"));
    }
}
