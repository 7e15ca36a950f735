//! What the user has consented to: settings files by their path and by what was in them.
//!
//! Each consent is a file of its own in the user's state directory: its name is the hash of the path, and
//! its first line the hash of the text. So two that are given at once do not get in each other's way, and
//! nothing has to be understood before it can be trusted.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::pty;

/// The most that is read of a consent, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Where consents are.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The directory; `None` where the user has no place for state, and so consents to nothing.
    directory: Option<PathBuf>,
}

/// Why a consent could not be given or taken back.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no place for it.
    #[error("there is no directory to keep your consent in: HOME and XDG_STATE_HOME are not set")]
    NoPlace,
    /// What the system says.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
}

impl Trust {
    /// Those in this directory, which need not be there.
    pub fn in_directory(directory: Option<PathBuf>) -> Self {
        Self { directory }
    }

    /// Whether the user has consented to this file with this in it.
    pub fn consents(&self, file: &Path, text: &[u8]) -> bool {
        let Some(path) = self.path(file) else { return false };
        let Ok(consent) = pty::open_own_file(&path) else { return false };
        let mut found = String::new();
        let read = consent.take(LONGEST).read_to_string(&mut found);
        read.is_ok() && found.lines().next() == Some(&*hash(text))
    }

    /// Keeps that the user consents to this file with this in it.
    ///
    /// # Errors
    /// When it can't be kept.
    pub fn give(&self, file: &Path, text: &[u8]) -> Result<(), TrustError> {
        let directory = self.directory.as_deref().ok_or(TrustError::NoPlace)?;
        let path = self.path(file).ok_or(TrustError::NoPlace)?;
        let failed = |path: &Path| {
            let path = path.to_owned();
            |error| TrustError::Io { path, error }
        };
        // What is private is made by its owner alone.
        let parents: Vec<&Path> = directory.ancestors().skip(2).collect();
        if let Some(state) = parents.first() {
            fs::create_dir_all(state).map_err(failed(state))?;
        }
        for place in [directory.parent(), Some(directory)].into_iter().flatten() {
            match pty::create_private_directory(place) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(failed(place)(error));
                }
                _ => pty::keep_private(place).map_err(failed(place))?,
            }
        }
        let consent = format!("{}\n{}\n", hash(text), file.display());
        let mut temporary = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(directory)
            .map_err(failed(directory))?;
        temporary.write_all(consent.as_bytes()).map_err(failed(&path))?;
        temporary.persist(&path).map(drop).map_err(|error| failed(&path)(error.error))
    }

    /// Takes the consent back; whether there was one.
    ///
    /// # Errors
    /// When it is still there.
    pub fn take(&self, file: &Path) -> Result<bool, TrustError> {
        let Some(path) = self.path(file) else { return Ok(false) };
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(TrustError::Io { path, error }),
        }
    }

    fn path(&self, file: &Path) -> Option<PathBuf> {
        let name = hash(file.as_os_str().as_encoded_bytes());
        self.directory.as_ref().map(|directory| directory.join(name))
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consent_is_to_a_file_with_what_is_in_it() {
        let state = tempfile::tempdir().unwrap();
        let place = state.path().join("not/yet/mcp-repl/trusted");
        let trust = Trust::in_directory(Some(place.clone()));
        let [one, other] = ["/p/mcp-repl.toml", "/q/mcp-repl.toml"].map(Path::new);
        assert!(!trust.consents(one, b"x") && !trust.take(one).unwrap());
        trust.give(one, b"x").unwrap();
        assert!(trust.consents(one, b"x"));
        assert!(!trust.consents(one, b"y") && !trust.consents(other, b"x"));
        trust.give(one, b"y").unwrap();
        assert!(trust.consents(one, b"y") && !trust.consents(one, b"x"));
        assert!(trust.take(one).unwrap() && !trust.consents(one, b"y"));
        assert_eq!(pty::own_directory_mode(&place).unwrap(), 0o700);
        assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
    }

    #[test]
    fn a_consent_that_others_can_write_is_none() {
        let state = tempfile::tempdir().unwrap();
        let place = state.path().join("mcp-repl/trusted");
        let trust = Trust::in_directory(Some(place.clone()));
        let file = Path::new("/p/mcp-repl.toml");
        trust.give(file, b"x").unwrap();
        pty::testing::set_mode(&trust.path(file).unwrap(), 0o666).unwrap();
        assert!(!trust.consents(file, b"x"));
    }

    #[test]
    fn without_a_place_there_is_no_consent() {
        let trust = Trust::default();
        let file = Path::new("/p/mcp-repl.toml");
        assert!(matches!(trust.give(file, b"x"), Err(TrustError::NoPlace)));
        assert!(!trust.consents(file, b"x") && !trust.take(file).unwrap());
    }
}
