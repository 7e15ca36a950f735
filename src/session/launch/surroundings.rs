//! Where a session's program runs, where that is not as this process does.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use super::Sandbox;
use crate::pty::Limits;

/// The variables that a pinned environment has from outside: where programs are.
const KEPT: [&str; 2] = ["PATH", "LD_LIBRARY_PATH"];

/// The working directory and the environment of a session's program, and what it may reach; this process's own by
/// default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The working directory.
    pub directory: Option<PathBuf>,
    /// Changes to the environment: a value, or `None` to leave the name out.
    pub environment: Vec<(OsString, Option<OsString>)>,
    /// What it may reach; `None` for all.
    pub sandbox: Option<Sandbox>,
    /// How much it and all that it starts may take.
    pub limits: Limits,
}

impl Surroundings {
    /// Those that are the same wherever and by whomever a session is started: of the environment
    /// outside only the paths of programs and libraries are left.
    pub fn pinned(directory: &Path, home: &Path) -> Surroundings {
        let outside = std::env::vars_os().map(|(name, _)| name);
        let others = outside.filter(|name| KEPT.iter().all(|kept| name != OsStr::new(kept)));
        let mut environment: Vec<_> = others.map(|name| (name, None)).collect();
        let set = [
            ("HOME", home.as_os_str()),
            ("LANG", OsStr::new("C.UTF-8")),
            ("TZ", OsStr::new("UTC")),
            // Sets are printed in an order that depends on it.
            ("PYTHONHASHSEED", OsStr::new("0")),
        ];
        environment.extend(set.map(|(name, value)| (name.into(), Some(value.to_owned()))));
        Surroundings {
            directory: Some(directory.to_owned()),
            environment,
            ..Surroundings::default()
        }
    }

    /// What a variable of the environment is.
    pub(super) fn variable(&self, name: &str) -> Option<OsString> {
        let changed =
            self.environment.iter().rev().find(|(changed, _)| changed == OsStr::new(name));
        changed.map_or_else(|| std::env::var_os(name), |(_, value)| value.clone())
    }

    /// A program's file as this process means it, also where the working directory is another one.
    pub(super) fn file(&self, file: PathBuf) -> PathBuf {
        let is_bare = file.parent() == Some(Path::new(""));
        match &self.directory {
            Some(_) if !is_bare => std::path::absolute(&file).unwrap_or(file),
            _ => file,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_environment_has_the_paths_of_programs_and_what_is_set() {
        let around = Surroundings::pinned(Path::new("/work"), Path::new("/home/nobody"));
        assert_eq!(around.variable("HOME"), Some("/home/nobody".into()));
        assert_eq!(around.variable("LANG"), Some("C.UTF-8".into()));
        assert_eq!(around.variable("PATH"), std::env::var_os("PATH"));
        // Cargo sets it for its tests.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        assert_eq!(around.variable("CARGO_MANIFEST_DIR"), None);
        assert!(Surroundings::default().variable("CARGO_MANIFEST_DIR").is_some());
    }

    #[test]
    fn a_program_is_found_where_this_process_finds_it() {
        let around = Surroundings::pinned(Path::new("/work"), Path::new("/"));
        let here = std::env::current_dir().unwrap();
        assert_eq!(around.file("./tui".into()), here.join("tui"));
        assert_eq!(around.file("vim".into()), Path::new("vim"));
        assert_eq!(Surroundings::default().file("./tui".into()), Path::new("./tui"));
    }
}
