//! What a session may be called.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// What the file of an entry ends with.
pub(super) const ENTRY: &str = ".session";
/// The longest name, in characters.
const LONGEST: usize = 64;
/// The longest name that is made of a directory, which leaves room for a number.
const LONGEST_MADE: usize = 48;
/// The name where a directory gives none.
const NAMELESS: &str = "session";

/// The name of a session: 1 to 64 of the characters `A-Z a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionName(String);

/// What is no name of a session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is no name of a session: it has 1 to {LONGEST} of the characters A-Z a-z 0-9 . _ -"
)]
pub struct NameError {
    /// What was given, its start if it is long.
    name: String,
}

impl SessionName {
    /// The name of a session that works in this directory.
    pub fn of_directory(directory: &Path) -> SessionName {
        let last = directory.file_name().unwrap_or_default().to_string_lossy();
        let known: String = last.chars().map(|c| if is_allowed(c) { c } else { '-' }).collect();
        // A `-` in front would be an option, and a `.` hides a file.
        let known = known.trim_start_matches(['-', '.']).trim_end_matches('-');
        let made: String = known.chars().take(LONGEST_MADE).collect();
        SessionName(if made.is_empty() { NAMELESS.to_owned() } else { made })
    }

    /// The `n`th name of those that begin with this one: itself, then with `-2`, `-3` and so on.
    pub fn numbered(&self, n: usize) -> SessionName {
        if n <= 1 {
            return self.clone();
        }
        let number = format!("-{n}");
        let start = self.0.len().min(LONGEST - number.len());
        SessionName(format!("{}{number}", &self.0[..start]))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file of the session of this name.
    pub(super) fn entry_in(&self, place: &Path) -> PathBuf {
        place.join(format!("{self}{ENTRY}"))
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

impl FromStr for SessionName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<SessionName, NameError> {
        if (1..=LONGEST).contains(&name.len()) && name.chars().all(is_allowed) {
            return Ok(SessionName(name.to_owned()));
        }
        Err(NameError { name: name.chars().take(LONGEST + 1).collect() })
    }
}

impl TryFrom<String> for SessionName {
    type Error = NameError;

    fn try_from(name: String) -> Result<SessionName, NameError> {
        name.parse()
    }
}

impl From<SessionName> for String {
    fn from(name: SessionName) -> String {
        name.0
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_few_characters() {
        let longest = "n".repeat(64);
        for name in ["a", "Proj_1.2-x", ".", "..", "-", &longest] {
            assert_eq!(name.parse::<SessionName>().unwrap().as_str(), name);
        }
        let too_long = "n".repeat(65);
        for name in ["", " ", "a/b", "../a", "a b", "é", "a\0", "a\n", &too_long] {
            assert!(name.parse::<SessionName>().is_err(), "{name:?}");
            let json = serde_json::to_string(name).unwrap();
            assert!(serde_json::from_str::<SessionName>(&json).is_err());
        }
        let error = "a/b".parse::<SessionName>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"a/b\" is no name of a session: it has 1 to 64 of the characters A-Z a-z 0-9 . _ -"
        );
    }

    #[test]
    fn names_are_made_of_directories() {
        let made = |path: &str| SessionName::of_directory(Path::new(path)).to_string();
        assert_eq!(made("/home/me/proj"), "proj");
        assert_eq!(made("/home/me/My Project (2)"), "My-Project--2");
        assert_eq!(made("/home/me/.config"), "config");
        assert_eq!(made("/home/me/-rf"), "rf");
        assert_eq!(made("/"), "session");
        assert_eq!(made("/home/日本"), "session");
        assert_eq!(made(&format!("/{}", "y".repeat(200))).len(), 48);
    }

    #[test]
    fn further_names_have_a_number() {
        let name: SessionName = "proj".parse().unwrap();
        assert_eq!([1, 2, 13].map(|n| name.numbered(n).to_string()), ["proj", "proj-2", "proj-13"]);
        let longest: SessionName = "n".repeat(64).parse().unwrap();
        assert!(longest.numbered(1000).as_str().parse::<SessionName>().is_ok());
    }
}
