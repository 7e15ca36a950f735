//! Which Python a session runs.
//!
//! Nothing is executed to find out: a Python takes longer to start than all the rest, so the
//! choice goes by files alone, and what is wrong with an interpreter shows when it runs. Then the
//! next best one is taken, unless somebody asked for that one by name.
//!
//! `uvx`, `uv tool` and `pipx` make an environment for this program and nothing else, and `uvx`
//! puts it in front of `PATH`: it is nobody's choice, and comes behind everything.

use std::{
    collections::VecDeque,
    fmt,
    path::{Path, PathBuf},
};

use super::layout::Layout;
use crate::pty;

/// Where a Python was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `--python`.
    Option,
    /// A file of settings, at this place.
    Setting(String),
    /// The environment variable `MCP_REPL_PYTHON`.
    Variable,
    /// A `.venv` in the working directory or above.
    DotVenv,
    /// The environment variable `VIRTUAL_ENV`.
    VirtualEnv,
    /// The environment variable `CONDA_PREFIX`.
    Conda,
    /// The virtual environment that this program was installed into.
    Installation,
    /// `PATH`.
    Path,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Option => "--python",
            Source::Setting(place) => place,
            Source::Variable => "MCP_REPL_PYTHON",
            Source::DotVenv => "the nearest .venv",
            Source::VirtualEnv => "VIRTUAL_ENV",
            Source::Conda => "CONDA_PREFIX",
            Source::Installation => "the environment of mcp-repl",
            Source::Path => "PATH",
        })
    }
}

/// The choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The interpreter's file.
    pub file: PathBuf,
    /// Where it was named.
    pub source: Source,
    /// Candidates that came first and can't be executed, each with the reason.
    pub passed_over: Vec<String>,
    /// What comes behind it, the best first; empty for one that was asked for.
    others: VecDeque<(PathBuf, Source)>,
}

impl Choice {
    /// The first that can be executed, or what was passed over.
    fn first(mut candidates: VecDeque<(PathBuf, Source)>) -> Result<Choice, Vec<String>> {
        let mut passed_over = Vec::new();
        while let Some((file, source)) = candidates.pop_front() {
            match check(&file) {
                Ok(()) => return Ok(Choice { file, source, passed_over, others: candidates }),
                // Most directories of PATH have no Python: nothing to tell.
                Err(_) if source == Source::Path && file.symlink_metadata().is_err() => {}
                Err(why) => passed_over.push(note(&file, &source, &why)),
            }
        }
        Err(passed_over)
    }

    /// The files of those that come behind it.
    pub fn others(&self) -> impl Iterator<Item = &Path> {
        self.others.iter().map(|(file, _)| file.as_path())
    }

    /// The next best one, for this one does not run, and why. What it passes over begins with
    /// this one. `None` when there is no other.
    pub fn next(self, why: &str) -> Option<Choice> {
        let Choice { file, source, mut others, .. } = self;
        // `python3` and `python` of one directory are mostly one file, as are those of `/bin` and
        // `/usr/bin`. In an environment, the link matters and not where it leads.
        let target = file.canonicalize().ok();
        if source == Source::Path && target.is_some() {
            others.retain(|(other, _)| other.canonicalize().ok() != target);
        }
        let mut next = Choice::first(others).ok()?;
        next.passed_over.insert(0, note(&file, &source, &why));
        Some(next)
    }
}

/// What is said of a candidate that is passed over.
fn note(file: &Path, source: &Source, why: &impl fmt::Display) -> String {
    format!("{} (from {source}): {why}", file.display())
}

/// Why there is no Python to run.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    /// A name that was asked for, and is nowhere.
    #[error("{} (from {place}) is not on PATH", file.display())]
    NotOnPath {
        /// The name.
        file: PathBuf,
        /// Where it was asked for.
        place: Source,
    },
    /// A file that was asked for, and can't be executed.
    #[error("{} (from {place}): {why}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// Where it was asked for.
        place: Source,
        /// Why not.
        why: Unusable,
    },
    /// Nothing was asked for, and nothing was found.
    #[error(
        "no Python was found: there is no .venv here or above, VIRTUAL_ENV and CONDA_PREFIX name \
         none, and {names} are not on PATH; name one with --python PATH{}",
        passed_over.iter().map(|note| format!("\n  passed over {note}")).collect::<String>()
    )]
    NoneFound {
        /// What was looked for on `PATH`.
        names: String,
        /// What was found and can't be executed, each with the reason.
        passed_over: Vec<String>,
    },
}

/// Why a file can't be executed.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is a directory.
    #[error("is a directory")]
    IsDirectory,
    /// It has no permission to be executed.
    #[error("is not executable")]
    NotExecutable,
    /// It is a symbolic link whose target is missing.
    #[error("is a link to nowhere")]
    LinkToNowhere,
    /// There is no such file.
    #[error("does not exist")]
    Missing,
    /// It can't be looked at.
    #[error(transparent)]
    Unreadable(std::io::Error),
}

/// Where a Python is looked for: what the choice depends on.
#[derive(Debug, Clone, Default)]
pub struct PythonSearch {
    /// The value of `--python`.
    pub option: Option<PathBuf>,
    /// The place of a file of settings where that stands.
    pub option_from: Option<String>,
    /// The value of `MCP_REPL_PYTHON`.
    pub variable: Option<PathBuf>,
    /// The working directory.
    pub directory: Option<PathBuf>,
    /// The user's home directory, above which no `.venv` is looked for.
    pub home: Option<PathBuf>,
    /// The value of `VIRTUAL_ENV`.
    pub virtual_env: Option<PathBuf>,
    /// The value of `CONDA_PREFIX`.
    pub conda: Option<PathBuf>,
    /// This program's file.
    pub program: Option<PathBuf>,
    /// The directories of `PATH`.
    pub path: Vec<PathBuf>,
    /// Where Pythons are there.
    pub layout: Layout,
}

impl PythonSearch {
    /// That of this process.
    pub fn of_process(option: Option<PathBuf>) -> PythonSearch {
        let variable = |name: &str| {
            std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
        };
        let layout = Layout::default();
        PythonSearch {
            option,
            option_from: None,
            variable: variable("MCP_REPL_PYTHON"),
            directory: std::env::current_dir().ok(),
            home: variable(layout.home),
            virtual_env: variable("VIRTUAL_ENV"),
            conda: variable("CONDA_PREFIX"),
            program: std::env::current_exe().ok(),
            path: std::env::var_os("PATH")
                .map(|path| std::env::split_paths(&path).collect())
                .unwrap_or_else(|| vec!["/usr/local/bin".into(), "/usr/bin".into(), "/bin".into()]),
            layout,
        }
    }

    /// For this one alone.
    pub fn named(file: PathBuf) -> PythonSearch {
        PythonSearch { option: Some(file), ..PythonSearch::default() }
    }

    /// Chooses.
    ///
    /// # Errors
    /// When the one that was asked for can't be executed, or there is none at all. One that was
    /// asked for by name is never replaced by another.
    pub fn choose(&self) -> Result<Choice, ChooseError> {
        if let Some(file) = &self.option {
            let place = self.option_from.clone();
            return self.asked_for(file, place.map_or(Source::Option, Source::Setting));
        }
        if let Some(file) = &self.variable {
            return self.asked_for(file, Source::Variable);
        }
        let mut found: Vec<_> = self.found().collect();
        found.sort_by_key(|(file, _)| self.is_of_tool_runner(file));
        Choice::first(found.into()).map_err(|passed_over| {
            let names = self.layout.names_in_words();
            ChooseError::NoneFound { names, passed_over }
        })
    }

    /// One that was asked for: a path, or a name on `PATH`.
    fn asked_for(&self, file: &Path, source: Source) -> Result<Choice, ChooseError> {
        let bare = file.components().count() == 1 && file.parent() == Some(Path::new(""));
        let on_path = || {
            let mut places: Vec<_> = self.path.iter().map(|place| place.join(file)).collect();
            places.sort_by_key(|file| self.is_of_tool_runner(file));
            places.iter().find_map(|file| self.executable(file))
        };
        let file = match (bare, bare.then(on_path).flatten()) {
            (_, Some(found)) => found,
            (true, None) if self.layout.files(file).all(|file| !file.exists()) => {
                return Err(ChooseError::NotOnPath { file: file.to_owned(), place: source });
            }
            _ => {
                let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
                self.executable(&file).unwrap_or(file)
            }
        };
        match check(&file) {
            Ok(()) => Ok(Choice { file, source, passed_over: Vec::new(), others: VecDeque::new() }),
            Err(why) => Err(ChooseError::Unusable { file, place: source, why }),
        }
    }

    /// The candidates nobody named, the best first.
    fn found(&self) -> impl Iterator<Item = (PathBuf, Source)> {
        let interpreter = |environment: &Path| environment.join(self.layout.in_environment);
        let dot_venv = self.dot_venv().map(|place| (interpreter(&place), Source::DotVenv));
        let virtual_env =
            self.virtual_env.as_deref().map(|place| (interpreter(place), Source::VirtualEnv));
        let in_conda = |place: &PathBuf| (place.join(self.layout.in_conda), Source::Conda);
        let conda = self.conda.as_ref().map(in_conda);
        let on_path =
            self.layout.names.iter().flat_map(|name| {
                self.path.iter().map(move |place| (place.join(name), Source::Path))
            });
        let installation = environment_of(self.program.as_deref())
            .filter(|place| place.join("pyvenv.cfg").exists())
            .map(|place| (interpreter(place), Source::Installation));
        dot_venv.into_iter().chain(virtual_env).chain(conda).chain(installation).chain(on_path)
    }

    /// The file by this name that can be executed.
    fn executable(&self, file: &Path) -> Option<PathBuf> {
        self.layout.files(file).find(|file| check(file).is_ok())
    }

    /// The nearest `.venv`, upward to the home directory.
    fn dot_venv(&self) -> Option<PathBuf> {
        let directory = self.directory.as_deref()?;
        for place in directory.ancestors() {
            let candidate = place.join(".venv");
            if candidate.is_dir() {
                return Some(candidate);
            }
            if Some(place) == self.home.as_deref() {
                break;
            }
        }
        None
    }

    /// Whether an interpreter is in an environment that a tool runner made to run this program: it has
    /// this program, and either a file that says so (`pipx`, `uv tool install`) or its place in uv's
    /// cache (`uvx`). A user's own environment that has this program, from pip, has none of these.
    fn is_of_tool_runner(&self, interpreter: &Path) -> bool {
        let Some(environment) = environment_of(Some(interpreter)) else { return false };
        let has = |name: &str| environment.join(name).exists();
        if !has(self.layout.program) {
            return false;
        }
        let in_uv_cache = || {
            let archive = environment.parent()?;
            let named = archive.file_name()?.to_str()?.starts_with("archive-v");
            Some(named && archive.parent()?.join("CACHEDIR.TAG").exists())
        };
        has("pipx_metadata.json")
            || has("uv-receipt.toml")
            || (has("pyvenv.cfg") && in_uv_cache() == Some(true))
    }
}

/// Where a program of an environment has its environment.
fn environment_of(program: Option<&Path>) -> Option<&Path> {
    program?.parent()?.parent()
}

/// Whether a file can be executed, as far as can be seen from outside.
fn check(file: &Path) -> Result<(), Unusable> {
    match std::fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => Err(Unusable::IsDirectory),
        Ok(_) if !pty::is_executable(file) => Err(Unusable::NotExecutable),
        Ok(_) => Ok(()),
        Err(_) if file.symlink_metadata().is_ok() => Err(Unusable::LinkToNowhere),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Unusable::Missing),
        Err(error) => Err(Unusable::Unreadable(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory tree with executables at the given places.
    fn tree(executables: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for executable in executables {
            let file = root.path().join(executable);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, "").unwrap();
            pty::testing::make_executable(&file).unwrap();
        }
        root
    }

    #[test]
    fn the_order_is_as_documented() {
        let named = ["o", "v", "home/.venv/bin/python", "ve/bin/python", "c/bin/python"];
        let all = [&named[..], &["i/bin/python", "p/python3"]].concat();
        let root = tree_with(&all, &["i/pyvenv.cfg"]);
        let at = |place: &str| root.path().join(place);
        std::fs::create_dir_all(at("home/a/b")).unwrap();
        let mut around = PythonSearch {
            option: Some(at("o")),
            option_from: None,
            variable: Some(at("v")),
            directory: Some(at("home/a/b")),
            home: Some(at("home")),
            virtual_env: Some(at("ve")),
            conda: Some(at("c")),
            program: Some(at("i/bin/mcp-repl")),
            path: vec![at("p")],
            layout: Layout::UNIX,
        };
        let mut seen = Vec::new();
        for step in 0..7 {
            seen.push(around.choose().unwrap().source);
            match step {
                0 => around.option = None,
                1 => around.variable = None,
                2 => around.directory = None,
                3 => around.virtual_env = None,
                4 => around.conda = None,
                _ => around.program = None,
            }
        }
        use Source::*;
        assert_eq!(seen, [Option, Variable, DotVenv, VirtualEnv, Conda, Installation, Path]);
    }

    #[test]
    fn on_windows_environments_and_names_are_others() {
        let venv = "home/.venv/Scripts/python.exe";
        let root = tree(&[venv, "conda/python.exe", "p/python3.exe", "p/python.exe", "w/py.exe"]);
        let at = |place: &str| root.path().join(place);
        let mut around = PythonSearch {
            directory: Some(at("home/a")),
            conda: Some(at("conda")),
            path: vec![at("w"), at("p")],
            layout: Layout::WINDOWS,
            ..PythonSearch::default()
        };
        let choice = around.choose().unwrap();
        assert_eq!((choice.file, choice.source), (at(venv), Source::DotVenv));
        around.directory = None;
        assert_eq!(around.choose().unwrap().file, at("conda/python.exe"));
        around.conda = None;
        let on_path = around.choose().unwrap();
        assert_eq!(on_path.file, at("p/python.exe"));
        let behind: Vec<_> = on_path.others().map(Path::to_owned).collect();
        assert_eq!(behind.last(), Some(&at("p/py.exe")), "{behind:?}");
        assert!(behind.contains(&at("w/py.exe")), "{behind:?}");
        // Named without the ending, by a name and by a path.
        for named in [PathBuf::from("python3"), at("p/python3"), at("p/python3.exe")] {
            around.option = Some(named);
            assert_eq!(around.choose().unwrap().file, at("p/python3.exe"));
        }
        around.option = Some("python2".into());
        assert_eq!(
            around.choose().unwrap_err().to_string(),
            "python2 (from --python) is not on PATH"
        );
        let nowhere = PythonSearch { layout: Layout::WINDOWS, ..PythonSearch::default() };
        let why = nowhere.choose().unwrap_err().to_string();
        assert!(why.contains("none, and python, python3 and py are not on PATH;"), "{why}");
    }

    #[test]
    fn the_search_for_a_venv_stops_at_home() {
        let root = tree(&[".venv/bin/python", "p/python"]);
        std::fs::create_dir_all(root.path().join("home/a")).unwrap();
        let around = PythonSearch {
            directory: Some(root.path().join("home/a")),
            home: Some(root.path().join("home")),
            path: vec![root.path().join("p")],
            ..PythonSearch::default()
        };
        assert_eq!(around.choose().unwrap().source, Source::Path);
    }

    #[test]
    fn a_broken_candidate_is_passed_over_with_a_note() {
        let root = tree(&["p/python3"]);
        std::fs::create_dir_all(root.path().join(".venv/bin")).unwrap();
        let link = root.path().join(".venv/bin/python");
        pty::testing::link(Path::new("/nowhere/python"), &link).unwrap();
        let around = PythonSearch {
            directory: Some(root.path().to_owned()),
            path: vec![root.path().join("p")],
            ..PythonSearch::default()
        };
        let choice = around.choose().unwrap();
        assert_eq!(choice.source, Source::Path);
        assert_eq!(choice.passed_over.len(), 1);
        assert!(choice.passed_over[0].contains("link to nowhere"), "{:?}", choice.passed_over);
    }

    #[test]
    fn one_that_fails_when_it_is_run_is_followed_by_the_next_best() {
        let root = tree(&[".venv/bin/python", "p/python3", "q/python3"]);
        pty::testing::link(Path::new("python3"), &root.path().join("p/python")).unwrap();
        let around = PythonSearch {
            directory: Some(root.path().to_owned()),
            virtual_env: Some("/nowhere".into()),
            path: vec![root.path().join("p"), root.path().join("q")],
            ..PythonSearch::default()
        };
        let second = around.choose().unwrap().next("no licence").unwrap();
        assert_eq!(second.file, root.path().join("p/python3"));
        let [first, missing] = &*second.passed_over else { panic!("{:?}", second.passed_over) };
        assert!(first.ends_with(".venv/bin/python (from the nearest .venv): no licence"));
        assert_eq!(missing, "/nowhere/bin/python (from VIRTUAL_ENV): does not exist");
        let third = second.next("too old").unwrap();
        assert_eq!(third.file, root.path().join("q/python3"));
        assert_eq!(third.passed_over.len(), 1, "{:?}", third.passed_over);
        // `p/python` is the file that is too old.
        assert_eq!(third.next("too old"), None);
        let named = PythonSearch { option: Some(root.path().join("p/python3")), ..around };
        assert_eq!(named.choose().unwrap().next("too old"), None);
    }

    #[test]
    fn one_that_was_asked_for_is_never_replaced() {
        let root = tree(&["p/python3"]);
        let around = PythonSearch {
            option: Some("/nowhere/python".into()),
            path: vec![root.path().join("p")],
            ..PythonSearch::default()
        };
        let error = around.choose().unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/python (from --python): does not exist");
    }

    /// A tree with these files beside executables.
    fn tree_with(executables: &[&str], files: &[&str]) -> tempfile::TempDir {
        let root = tree(executables);
        for file in files {
            std::fs::write(root.path().join(file), "").unwrap();
        }
        root
    }

    /// Environments as tool runners make them for this program: where, and what says so.
    const RUNNERS: [(&str, &[&str]); 4] = [
        ("uv/archive-v0/x", &["uv/CACHEDIR.TAG", "uv/archive-v0/x/pyvenv.cfg"]),
        ("uv/tools/mcp-repl", &["uv/tools/mcp-repl/uv-receipt.toml"]),
        ("pipx/venvs/mcp-repl", &["pipx/venvs/mcp-repl/pipx_metadata.json"]),
        ("pipx/.cache/8f2392", &["pipx/.cache/8f2392/pipx_metadata.json"]),
    ];

    #[test]
    fn the_environment_of_a_tool_runner_comes_last() {
        for (runner, marks) in RUNNERS {
            let own = format!("{runner}/bin/python3");
            let also = format!("{runner}/bin/python");
            let program = format!("{runner}/bin/mcp-repl");
            let root = tree_with(&[&own, &also, &program, "p/python"], marks);
            let at = |place: &str| root.path().join(place);
            let mut around = PythonSearch {
                virtual_env: Some(at(runner)),
                program: Some(at(&program)),
                path: vec![at(runner).join("bin"), at("p")],
                ..PythonSearch::default()
            };
            assert_eq!(around.choose().unwrap().file, at("p/python"), "{runner}");
            around.option = Some("python".into());
            assert_eq!(around.choose().unwrap().file, at("p/python"), "{runner}");
            // A name that only the runner's environment has, and a machine without another Python.
            around.option = Some("python3".into());
            assert_eq!(around.choose().unwrap().file, at(&own), "{runner}");
            around.option = None;
            around.path.pop();
            assert_eq!(around.choose().unwrap().file, at(&also), "{runner}");
        }
    }

    #[test]
    fn an_environment_of_the_user_that_has_this_program_counts() {
        let executables = ["venv/bin/python3", "venv/bin/python", "venv/bin/mcp-repl", "p/python3"];
        let root = tree_with(&executables, &["venv/pyvenv.cfg", "venv/CACHEDIR.TAG"]);
        let at = |place: &str| root.path().join(place);
        let mut around = PythonSearch {
            virtual_env: Some(at("venv")),
            path: vec![at("venv/bin"), at("p")],
            ..PythonSearch::default()
        };
        assert_eq!(around.choose().unwrap().file, at("venv/bin/python"));
        around.virtual_env = None;
        assert_eq!(around.choose().unwrap().file, at("venv/bin/python3"));
        // Started by its path, as a client does.
        around.path.remove(0);
        assert_eq!(around.choose().unwrap().source, Source::Path);
        around.program = Some(at("venv/bin/mcp-repl"));
        assert_eq!(around.choose().unwrap().file, at("venv/bin/python"));
        // `/usr` is none.
        std::fs::remove_file(at("venv/pyvenv.cfg")).unwrap();
        assert_eq!(around.choose().unwrap().source, Source::Path);
    }

    #[test]
    fn an_environment_in_uvs_cache_that_is_for_another_program_counts() {
        // `uv run --with` makes one for what the user runs.
        let marks = ["uv/CACHEDIR.TAG", "uv/archive-v0/x/pyvenv.cfg"];
        let root = tree_with(&["uv/archive-v0/x/bin/python", "p/python3"], &marks);
        let around = PythonSearch {
            virtual_env: Some(root.path().join("uv/archive-v0/x")),
            path: vec![root.path().join("p")],
            ..PythonSearch::default()
        };
        assert_eq!(around.choose().unwrap().source, Source::VirtualEnv);
    }

    #[test]
    fn a_bare_name_is_looked_up_on_path() {
        let root = tree(&["p/python3.12"]);
        let around = PythonSearch {
            option: Some("python3.12".into()),
            path: vec![root.path().join("p")],
            ..PythonSearch::default()
        };
        assert_eq!(around.choose().unwrap().file, root.path().join("p/python3.12"));
    }
}
