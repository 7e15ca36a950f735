//! Reads a file that anybody may have put there, and tells who may write it.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::{
    fs::OFlags,
    process::{getegid, geteuid},
};

use crate::pty::Writers;

/// Opens a file to read it, and tells who else than this user may write it. Follows links, and waits
/// for nobody: what is no regular file is not opened.
///
/// # Errors
/// When it can't be opened; `InvalidInput` when it is no regular file.
pub fn open_regular_file(path: &Path) -> io::Result<(File, Writers)> {
    // Opening a device may do something; looking at it does nothing.
    check_regular(&fs::metadata(path)?)?;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let found = file.metadata()?;
    check_regular(&found)?;
    Ok((file, writers(&found)))
}

fn check_regular(found: &Metadata) -> io::Result<()> {
    if found.is_file() { Ok(()) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// The administrator may write everything, and counts as nobody else.
fn writers(found: &Metadata) -> Writers {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    // Where each user has a group of their own, it has the user's number, and files are made for it to
    // write (a umask of 002).
    let is_own_group = found.gid() == group && group == user;
    if found.uid() != user && found.uid() != 0 {
        Writers::Owner(found.uid())
    } else if found.mode() & 0o002 != 0 {
        Writers::Anybody
    } else if found.mode() & 0o020 != 0 && !is_own_group && found.gid() != 0 {
        Writers::Group
    } else {
        Writers::OnlyUser
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pty::testing;

    #[test]
    fn who_may_write_a_file_is_told() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "x").unwrap();
        let writers = |mode| {
            testing::set_mode(&file, mode).unwrap();
            open_regular_file(&file).unwrap().1
        };
        assert_eq!(writers(0o600), Writers::OnlyUser);
        assert_eq!(writers(0o644), Writers::OnlyUser);
        assert_eq!(writers(0o646), Writers::Anybody);
        assert_eq!(writers(0o666), Writers::Anybody);
        if geteuid().is_root() {
            writers(0o644);
            testing::give_away(&file, 12345).unwrap();
            assert_eq!(open_regular_file(&file).unwrap().1, Writers::Owner(12345));
            testing::give_away(&file, 0).unwrap();
            std::os::unix::fs::chown(&file, None, Some(12345)).unwrap();
            assert_eq!(writers(0o664), Writers::Group);
            assert_eq!(writers(0o644), Writers::OnlyUser);
        }
    }

    #[test]
    fn what_is_no_regular_file_is_not_opened() {
        let place = tempfile::tempdir().unwrap();
        let fifo = place.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        for path in [place.path(), &fifo, Path::new("/dev/null")] {
            let kind = open_regular_file(path).map(drop).unwrap_err().kind();
            assert_eq!(kind, io::ErrorKind::InvalidInput, "{}", path.display());
        }
    }
}
