//! The run-time directory: where the sessions of this user are listed.
//!
//! It is this user's alone, and is looked for where all of this user's processes look: none takes
//! another place because something is wrong with the right one.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use crate::pty;

/// The environment variable that names it.
pub const VARIABLE: &str = "MCP_REPL_RUNTIME_DIR";
/// The longest path of a socket that all platforms take (macOS: 104 with the final NUL).
const LONGEST_SOCKET_PATH: usize = 100;
/// What the path of a socket has behind the directory.
const SOCKET_NAME: usize = "/01234567.sock".len();
/// The longest path of the directory, in bytes.
const LONGEST: usize = LONGEST_SOCKET_PATH - SOCKET_NAME;
/// Whoever may write beside the owner.
const OTHERS_WRITE: u32 = 0o022;

/// Why there is no run-time directory. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Its path depends on where one stands.
    #[error("{VARIABLE} is {}: it must be an absolute path", path.display())]
    NotAbsolute {
        /// What was given.
        path: PathBuf,
    },
    /// The sockets in it could not be used.
    #[error(
        "the run-time directory {} has too long a path, {LONGEST} bytes is the most for its \
         sockets: name another one by {VARIABLE}", path.display()
    )]
    TooLong {
        /// The directory.
        path: PathBuf,
    },
    /// It can't be made or looked at.
    #[error(
        "the run-time directory {} can't be made or used: {error}; name another one by {VARIABLE}",
        path.display()
    )]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Something else is there.
    #[error(
        "the run-time directory {} is a link or no directory: remove it, or name another one by \
         {VARIABLE}", path.display()
    )]
    NoDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// It is another user's.
    #[error(
        "the run-time directory {} belongs to another user: name another one by {VARIABLE}",
        path.display()
    )]
    AnothersUsers {
        /// The directory.
        path: PathBuf,
    },
    /// Others can write there, so that what is in it may be theirs.
    #[error(
        "the run-time directory {0} can be written by others (mode {mode:o}): `chmod 700 {0}`, or name \
         another one by {VARIABLE}", path.display()
    )]
    WrittenByOthers {
        /// The directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

/// Where that of this process is.
pub(super) fn of_process() -> Result<PathBuf, RegistryError> {
    choose(std::env::var_os(VARIABLE), pty::run_time_place(), &std::env::temp_dir())
}

/// `named`, else below `runtime`, else below `temporary`.
fn choose(
    named: Option<OsString>,
    runtime: Option<PathBuf>,
    temporary: &Path,
) -> Result<PathBuf, RegistryError> {
    if let Some(path) = named.filter(|path| !path.is_empty()).map(PathBuf::from) {
        return match path.is_absolute() {
            true => Ok(path),
            false => Err(RegistryError::NotAbsolute { path }),
        };
    }
    Ok(match runtime {
        Some(runtime) => runtime.join("mcp-repl"),
        None => temporary.join(format!("mcp-repl-{}", pty::user_number())),
    })
}

/// Makes the directory if there is none, and looks whether it is this user's. Those who can only
/// read in one that somebody made for it lose that right.
pub(super) fn make(path: &Path) -> Result<(), RegistryError> {
    let path_of = || path.to_owned();
    if path.as_os_str().len() > LONGEST {
        return Err(RegistryError::TooLong { path: path_of() });
    }
    let unusable = |error| RegistryError::Unusable { path: path.to_owned(), error };
    match pty::create_private_directory(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(unusable(error)),
    }
    match pty::own_directory_mode(path) {
        Ok(mode) if mode & OTHERS_WRITE == 0 => pty::keep_private(path).map_err(unusable),
        Ok(mode) => Err(RegistryError::WrittenByOthers { path: path_of(), mode }),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::NotADirectory => RegistryError::NoDirectory { path: path_of() },
            io::ErrorKind::PermissionDenied => RegistryError::AnothersUsers { path: path_of() },
            _ => unusable(error),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_where_the_environment_says() {
        // One that is absolute on every system.
        let around = std::env::temp_dir();
        let (here, runtime) = (around.join("here"), around.join("run"));
        let choose = |named: Option<&Path>, runtime: Option<&PathBuf>| {
            choose(named.map(OsString::from), runtime.cloned(), &around)
        };
        assert_eq!(choose(Some(&here), Some(&runtime)).unwrap(), here);
        for unset in [None, Some(Path::new(""))] {
            assert_eq!(choose(unset, Some(&runtime)).unwrap(), runtime.join("mcp-repl"));
        }
        let temporary = around.join(format!("mcp-repl-{}", pty::user_number()));
        assert_eq!(choose(None, None).unwrap(), temporary);
        let error = choose(Some(Path::new("here")), None).unwrap_err();
        assert_eq!(error.to_string(), "MCP_REPL_RUNTIME_DIR is here: it must be an absolute path");
    }

    #[test]
    fn it_is_made_for_this_user_alone_and_found_again() {
        let around = tempfile::tempdir().unwrap();
        let place = around.path().join("place");
        for _ in 0..2 {
            make(&place).unwrap();
            assert_eq!(pty::own_directory_mode(&place).unwrap(), 0o700);
        }
        std::thread::scope(|scope| {
            let other = around.path().join("other");
            let makers: Vec<_> = (0..20)
                .map(|_| {
                    scope.spawn({
                        let other = other.clone();
                        move || make(&other)
                    })
                })
                .collect();
            makers.into_iter().for_each(|maker| maker.join().unwrap().unwrap());
        });
    }

    #[test]
    fn what_others_could_get_at_is_refused() {
        let around = tempfile::tempdir().unwrap();
        let at = |name: &str| around.path().join(name);
        make(&at("place")).unwrap();
        pty::testing::link(&at("place"), &at("link")).unwrap();
        pty::testing::link(&at("nowhere"), &at("dangling")).unwrap();
        std::fs::write(at("file"), "").unwrap();
        for name in ["link", "dangling", "file"] {
            let error = make(&at(name)).unwrap_err();
            assert!(matches!(error, RegistryError::NoDirectory { .. }), "{name}: {error}");
        }
        pty::testing::set_mode(&at("place"), 0o755).unwrap();
        make(&at("place")).unwrap();
        assert_eq!(pty::own_directory_mode(&at("place")).unwrap(), 0o700);
        for mode in [0o777, 0o770, 0o722, 0o1777] {
            pty::testing::set_mode(&at("place"), mode).unwrap();
            let error = make(&at("place")).unwrap_err().to_string();
            let named = format!("(mode {mode:o}): `chmod 700 {}`", at("place").display());
            assert!(error.contains(&named) && error.ends_with(VARIABLE), "{error}");
        }
        assert!(matches!(make(&at("no/where")), Err(RegistryError::Unusable { .. })));
        let long = at(&"x".repeat(100));
        assert!(matches!(make(&long), Err(RegistryError::TooLong { .. })));
    }

    #[test]
    fn another_users_is_refused() {
        // `/` and `/proc` are root's; for root, those of a user that is asked for by number.
        let place = tempfile::tempdir().unwrap();
        let path = match pty::user_number() {
            0 => {
                pty::testing::give_away(place.path(), 12345).unwrap();
                place.path()
            }
            _ => Path::new("/usr"),
        };
        let error = make(path).unwrap_err();
        assert!(matches!(error, RegistryError::AnothersUsers { .. }), "{error}");
    }
}
