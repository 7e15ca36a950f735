//! Where this user's programs keep what is theirs (XDG Base Directory Specification).

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::private::is_own_directory;

/// The variables by which programs are told where their temporary files are.
pub const TEMPORARY_VARIABLES: &[&str] = &["TMPDIR"];

/// The command that shows a file as it is, in the place of a pager.
pub const NO_PAGER: &str = "cat";

/// The directory below which this user's programs keep what holds until the user logs out, sockets say. One
/// that is unset, missing or another user's, as after `su`, is none.
pub fn run_time_place() -> Option<PathBuf> {
    usable(env::var_os("XDG_RUNTIME_DIR"))
}

/// The directory below which they keep what they need to know the next time, by the home directory; it need
/// not be there.
pub fn state_place(home: &Path) -> PathBuf {
    home.join(".local").join("state")
}

/// It may be by a link.
fn usable(named: Option<OsString>) -> Option<PathBuf> {
    let is_own = |path: &Path| path.canonicalize().is_ok_and(|path| is_own_directory(&path));
    named.map(PathBuf::from).filter(|path| path.is_absolute() && is_own(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_ins_directory_is_used_if_it_is_this_users() {
        let own = tempfile::tempdir().unwrap();
        assert_eq!(usable(Some(own.path().into())).as_deref(), Some(own.path()));
        let link = own.path().join("link");
        super::super::testing::link(own.path(), &link).unwrap();
        assert_eq!(usable(Some(link.clone().into())), Some(link));
        assert_eq!(usable(None), None);
        for other in ["", "relative", "/nowhere"] {
            assert_eq!(usable(Some(other.into())), None, "{other}");
        }
        // `/usr` is root's; for root, one that is given away.
        let others = own.path().join("others");
        std::fs::create_dir(&others).unwrap();
        let others = match super::super::user_number() {
            0 => {
                super::super::testing::give_away(&others, 12345).unwrap();
                others
            }
            _ => "/usr".into(),
        };
        assert_eq!(usable(Some(others.into())), None);
    }
}
