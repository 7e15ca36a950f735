//! Where this user's programs keep what is theirs and this machine's.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::private::others_can_replace;

/// The variables by which programs are told where their temporary files are. Python asks for the first one
/// everywhere, others here for the others.
pub const TEMPORARY_VARIABLES: &[&str] = &["TMPDIR", "TMP", "TEMP"];

/// The command that shows a file as it is, in the place of a pager.
pub const NO_PAGER: &str = "type";

/// The directory below which this user's programs keep what is of this machine, named pipes' names say. One
/// that is unset or missing, or where others could put something of theirs, is none. Its owner may be the
/// system.
pub fn run_time_place() -> Option<PathBuf> {
    usable(env::var_os("LOCALAPPDATA"))
}

/// The directory below which they keep what they need to know the next time, the home directory for want of
/// a better one; it need not be there.
pub fn state_place(home: &Path) -> PathBuf {
    let named = env::var_os("LOCALAPPDATA").map(PathBuf::from).filter(|path| path.is_absolute());
    named.unwrap_or_else(|| home.join("AppData").join("Local"))
}

fn usable(named: Option<OsString>) -> Option<PathBuf> {
    named.map(PathBuf::from).filter(|path| path.is_absolute() && !others_can_replace(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_used_if_nobody_else_can_put_something_there() {
        let own =
            super::super::private_directory_in(&mut tempfile::Builder::new(), &env::temp_dir());
        let own = own.unwrap();
        assert_eq!(usable(Some(own.path().into())).as_deref(), Some(own.path()));
        assert_eq!(usable(None), None);
        for other in ["", "relative", r"C:\nowhere\at\all"] {
            assert_eq!(usable(Some(other.into())), None, "{other}");
        }
    }
}
