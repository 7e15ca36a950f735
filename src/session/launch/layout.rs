//! Where Pythons are on a family of systems: the names of their files, and where environments have them.

use std::{
    env::consts::FAMILY,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// What there is to know of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The interpreter in a virtual environment.
    pub in_environment: &'static str,
    /// The interpreter in an environment of conda's.
    pub in_conda: &'static str,
    /// This program in a virtual environment.
    pub program: &'static str,
    /// What interpreters are called on `PATH`, the best first.
    pub names: &'static [&'static str],
    /// How a program's file ends that is named without that.
    pub ending: &'static str,
    /// The variable that names the user's home directory.
    pub home: &'static str,
}

impl Layout {
    /// Unix.
    pub const UNIX: Layout = Layout {
        in_environment: "bin/python",
        in_conda: "bin/python",
        program: "bin/mcp-repl",
        names: &["python3", "python"],
        ending: "",
        home: "HOME",
    };

    /// Windows. Its own `python.exe` and `python3.exe`, where no Python has taken their place, say that none
    /// is installed, and end; `py.exe` starts the one that is the user's choice.
    pub const WINDOWS: Layout = Layout {
        in_environment: "Scripts/python.exe",
        in_conda: "python.exe",
        program: "Scripts/mcp-repl.exe",
        names: &["python.exe", "python3.exe", "py.exe"],
        ending: ".exe",
        home: "USERPROFILE",
    };

    /// The file as it was named, and with the ending that was left out, if there is one.
    pub fn files(&self, file: &Path) -> impl Iterator<Item = PathBuf> + use<> {
        let mut whole = OsString::from(file);
        whole.push(self.ending);
        let whole = (!self.ending.is_empty()).then(|| PathBuf::from(whole));
        [file.to_owned()].into_iter().chain(whole)
    }

    /// The names in words: `python3 and python`.
    pub fn names_in_words(&self) -> String {
        let names: Vec<_> = self.names.iter().map(|name| name.trim_end_matches(".exe")).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

/// Whether a Python takes nothing from its environment, by a file beside it that says so (`python313._pth`):
/// embeddable ones on Windows have it (CPython's Modules/getpath.py).
pub(super) fn ignores_environment(interpreter: &Path) -> bool {
    let is_path_file = |name: OsString| {
        let name = name.to_string_lossy().to_ascii_lowercase();
        name.starts_with("python") && name.ends_with("._pth")
    };
    let is_for_windows = interpreter.extension().is_some_and(|end| end.eq_ignore_ascii_case("exe"));
    let directory = interpreter.parent().filter(|_| is_for_windows);
    let beside = directory.and_then(|directory| directory.read_dir().ok());
    beside.is_some_and(|files| files.flatten().any(|file| is_path_file(file.file_name())))
}

impl Default for Layout {
    /// That of this system.
    fn default() -> Layout {
        if FAMILY == "windows" { Layout::WINDOWS } else { Layout::UNIX }
    }
}

#[cfg(test)]
mod tests {
    use std::env::consts::EXE_SUFFIX;

    use super::*;

    #[test]
    fn this_system_has_its_own() {
        let layout = Layout::default();
        assert_eq!(layout.ending, EXE_SUFFIX);
        assert!(layout.names.iter().all(|name| name.ends_with(EXE_SUFFIX)));
    }

    #[test]
    fn a_name_stands_for_what_the_system_looks_for() {
        let files = |layout: Layout| layout.files(Path::new("python3.12")).collect::<Vec<_>>();
        assert_eq!(files(Layout::UNIX), [Path::new("python3.12")]);
        assert_eq!(files(Layout::WINDOWS), [Path::new("python3.12"), Path::new("python3.12.exe")]);
    }

    #[test]
    fn an_embeddable_python_is_told_by_its_file() {
        let root = tempfile::tempdir().unwrap();
        let python = root.path().join("python.exe");
        let has = |name: &str| {
            std::fs::write(root.path().join(name), "").unwrap();
            ignores_environment(&python)
        };
        assert!(!has("python.exe"));
        assert!(!has("python313.zip"));
        assert!(!has("other._pth"));
        assert!(has("python313._pth"));
        // A directory of programs elsewhere is not looked through.
        assert!(!ignores_environment(&root.path().join("python3")));
        assert!(!ignores_environment(Path::new("/nowhere/python.exe")));
        assert!(!ignores_environment(Path::new("python.exe")));
    }

    #[test]
    fn names_are_said_in_words() {
        assert_eq!(Layout::UNIX.names_in_words(), "python3 and python");
        assert_eq!(Layout::WINDOWS.names_in_words(), "python, python3 and py");
    }
}
