//! Where settings files are, and what is in them: looks upward for the project's, and reads what anybody
//! may have put there.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    Base, Key, Known, Level, Problem, Written, directory_of, document::parse, trust::Trust,
};
use crate::pty::{self, Writers};

/// The name of a project's file.
pub const PROJECT_FILE: &str = "mcp-repl.toml";
/// The longest file that is read, in bytes.
const LONGEST: u64 = 256 * 1024;

/// Where files are looked for.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The user's own file.
    pub user: Option<PathBuf>,
    /// The directory from which the project's is looked for upward.
    pub directory: Option<PathBuf>,
    /// The user's home directory, above which none is looked for.
    pub home: Option<PathBuf>,
}

/// The files that were found.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The user's.
    pub user: Option<SettingsFile>,
    /// The project's.
    pub project: Option<SettingsFile>,
}

impl Files {
    /// All of them; later ones beat earlier ones.
    pub fn all(&self) -> impl Iterator<Item = &SettingsFile> {
        self.user.iter().chain(&self.project)
    }
}

/// A file that is there.
#[derive(Debug, Clone)]
pub struct SettingsFile {
    /// Its path.
    pub path: PathBuf,
    /// Whose it is.
    pub level: Level,
    /// What came of it.
    pub state: State,
}

/// What came of a file.
#[derive(Debug, Clone)]
pub enum State {
    /// It was read.
    Read {
        /// What it says.
        settings: Vec<Written>,
        /// Whether the user has consented to it, as it is.
        is_consented: bool,
    },
    /// There is something wrong in it.
    Broken(Vec<Problem>),
    /// It can't be read.
    Unreadable(String),
    /// Others than this user may write it, and the user has not consented to it as it is.
    Foreign(String),
}

/// A file as it was read.
#[derive(Debug)]
pub struct Text {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Why it may be another's word; `None` where only the user and the administrator write it.
    pub foreign: Option<String>,
}

/// Looks for the files and reads them.
pub fn find(
    places: &Places,
    known: &[Known],
    check: &dyn Fn(&Key, &str) -> Result<(), String>,
    trust: &Trust,
) -> Files {
    let load = |path: PathBuf, level| {
        let state = match read_file(&path) {
            Ok(None) => return None,
            Err(why) => State::Unreadable(why),
            Ok(Some(Text { bytes, foreign })) => {
                let is_consented = trust.consents(&path, &bytes);
                match foreign {
                    Some(why) if !is_consented => State::Foreign(why),
                    _ => {
                        let directory = directory_of(&path);
                        let base = Base { directory: &directory, home: places.home.as_deref() };
                        match parse_bytes(&bytes, known, base, check) {
                            Ok(settings) => State::Read { settings, is_consented },
                            Err(problems) => State::Broken(problems),
                        }
                    }
                }
            }
        };
        Some(SettingsFile { path, level, state })
    };
    let project = places
        .directory
        .as_deref()
        .and_then(|directory| project_file(directory, places.home.as_deref()));
    Files {
        user: places.user.clone().and_then(|path| load(path, Level::User)),
        project: project.and_then(|path| load(path, Level::Project)),
    }
}

/// Reads the bytes of a file, as [`parse`] does their text.
///
/// # Errors
/// As [`parse`]; when they are no text.
pub fn parse_bytes(
    bytes: &[u8],
    known: &[Known],
    base: Base<'_>,
    check: &dyn Fn(&Key, &str) -> Result<(), String>,
) -> Result<Vec<Written>, Vec<Problem>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        vec![Problem { line, text: "this is not UTF-8".into() }]
    })?;
    parse(text, known, base, check)
}

/// The nearest project's file, upward to the home directory.
fn project_file(directory: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let real_home = home.and_then(|home| home.canonicalize().ok());
    for place in directory.ancestors() {
        let candidate = place.join(PROJECT_FILE);
        if candidate.symlink_metadata().is_ok() {
            return Some(candidate);
        }
        if Some(place) == home || Some(place) == real_home.as_deref() {
            break;
        }
    }
    None
}

/// Reads a file; `None` when there is none.
///
/// # Errors
/// Why it can't be read, for people.
pub fn read_file(path: &Path) -> Result<Option<Text>, String> {
    let (file, writers) = match pty::open_regular_file(path) {
        Ok(opened) => opened,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound if path.symlink_metadata().is_ok() => {
                    Err("it is a link to nowhere".into())
                }
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                io::ErrorKind::InvalidInput => {
                    Err("it is no file but a directory, a device or the like: give it another name"
                        .into())
                }
                _ => Err(error.to_string()),
            };
        }
    };
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes, which no settings are"));
    }
    let foreign = match writers {
        Writers::OnlyUser => None,
        Writers::Owner(number) => Some(format!("it is another user's (number {number})")),
        Writers::Group => Some("its group may write it".into()),
        Writers::Anybody => Some("anybody may write it".into()),
    };
    Ok(Some(Text { bytes, foreign }))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{
        super::{Holds, Takes},
        *,
    };

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            fs::create_dir_all(tree.at("home/project/a/b")).unwrap();
            tree
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(path)
        }

        fn write(&self, path: &str, text: impl AsRef<[u8]>) {
            fs::write(self.at(path), text).unwrap();
        }

        fn find(&self, directory: &str) -> Files {
            let places = Places {
                user: Some(self.at("home/config.toml")),
                directory: Some(self.at(directory)),
                home: Some(self.at("home")),
            };
            let key = Key { table: String::new(), name: "pager".into() };
            let known = [Known { key, takes: Takes::Value, holds: Holds::Text }];
            let trust = Trust::in_directory(Some(self.at("state/mcp-repl/trusted")));
            find(&places, &known, &|_, _| Ok(()), &trust)
        }

        fn project(&self, directory: &str) -> Option<PathBuf> {
            self.find(directory).project.map(|file| file.path)
        }
    }

    #[test]
    fn the_nearest_file_upward_to_the_home_directory_is_the_projects() {
        let tree = Tree::new();
        tree.write("mcp-repl.toml", "");
        assert_eq!(tree.project("home/project/a/b"), None);
        tree.write("home/mcp-repl.toml", "");
        assert_eq!(tree.project("home/project/a/b"), Some(tree.at("home/mcp-repl.toml")));
        tree.write("home/project/a/mcp-repl.toml", "");
        assert_eq!(tree.project("home/project/a/b"), Some(tree.at("home/project/a/mcp-repl.toml")));
        assert_eq!(tree.project("home/project"), Some(tree.at("home/mcp-repl.toml")));
        // Outside of the home directory, up to the root.
        fs::create_dir_all(tree.at("elsewhere/x")).unwrap();
        assert_eq!(tree.project("elsewhere/x"), Some(tree.at("mcp-repl.toml")));
    }

    #[test]
    fn what_is_no_file_of_settings_is_told_and_never_waited_for() {
        let tree = Tree::new();
        let user = |tree: &Tree| tree.find("home/project").user.map(|file| file.state);
        assert!(user(&tree).is_none());
        let place = tree.at("home/config.toml");
        let unreadable = |tree: &Tree| match user(tree) {
            Some(State::Unreadable(why)) => why,
            other => panic!("{other:?}"),
        };
        fs::create_dir(&place).unwrap();
        assert!(unreadable(&tree).starts_with("it is no file but a directory"));
        fs::remove_dir(&place).unwrap();
        if pty::testing::make_fifo(&place) {
            assert!(unreadable(&tree).starts_with("it is no file but a directory"));
            fs::remove_file(&place).unwrap();
        }
        tree.write("home/config.toml", vec![b'#'; 300_000]);
        assert_eq!(unreadable(&tree), "it is longer than 262144 bytes, which no settings are");
        tree.write("home/config.toml", b"pager = 'a'\n# \xff");
        match user(&tree) {
            Some(State::Broken(problems)) => {
                assert_eq!((problems[0].line, &*problems[0].text), (2, "this is not UTF-8"));
            }
            other => panic!("{other:?}"),
        }
        fs::remove_file(&place).unwrap();
        pty::testing::link(&tree.at("nowhere"), &place).unwrap();
        assert_eq!(unreadable(&tree), "it is a link to nowhere");
        // At the end of a link is where people keep it.
        tree.write("nowhere", "pager = 'a'");
        assert!(matches!(user(&tree), Some(State::Read { settings, .. }) if settings.len() == 1));
    }

    #[test]
    fn what_others_may_write_counts_once_the_user_has_consented_to_it_as_it_is() {
        let tree = Tree::new();
        let (path, text) = (tree.at("home/mcp-repl.toml"), "pager = 'a'");
        tree.write("home/mcp-repl.toml", text);
        pty::testing::set_mode(&path, 0o666).unwrap();
        let state = |tree: &Tree| tree.find("home").project.unwrap().state;
        match state(&tree) {
            State::Foreign(why) => assert_eq!(why, "anybody may write it"),
            other => panic!("{other:?}"),
        }
        let trust = Trust::in_directory(Some(tree.at("state/mcp-repl/trusted")));
        trust.give(&path, text.as_bytes()).unwrap();
        assert!(matches!(state(&tree), State::Read { is_consented: true, .. }));
        tree.write("home/mcp-repl.toml", "pager = 'b'");
        assert!(matches!(state(&tree), State::Foreign(_)));
    }
}
