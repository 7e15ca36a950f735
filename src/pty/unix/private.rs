//! Files and directories that are this user's alone, whatever the umask, in places that others can
//! write to: nothing is followed there, and nothing is waited for.

use std::{
    ffi::CStr,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    mem::MaybeUninit,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    ptr,
};

use rustix::{fs::OFlags, process::geteuid};
use tempfile::TempDir;

/// The permissions of a private directory.
const DIRECTORY: u32 = 0o700;
/// The permissions of a private file.
const FILE: u32 = 0o600;
/// Whoever may write beside the owner.
const OTHERS_WRITE: u32 = 0o022;
/// In a directory others can write to: they remove and rename only what is theirs (`S_ISVTX`).
const STICKY: u32 = 0o1000;
/// How long what the system knows of a user may be, in bytes.
const LONGEST_ENTRY: usize = 16 * 1024;

/// Makes a directory in `place` that only this user can enter, with a name as `name` makes them.
///
/// # Errors
/// When it can't be made.
pub fn private_directory_in(
    name: &mut tempfile::Builder<'_, '_>,
    place: &Path,
) -> io::Result<TempDir> {
    let directory = name.permissions(Permissions::from_mode(DIRECTORY)).tempdir_in(place)?;
    set_mode(directory.path(), DIRECTORY)?;
    Ok(directory)
}

/// Makes a directory that only this user can enter.
///
/// # Errors
/// When it can't be made; also when there is something at `path`.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(DIRECTORY).create(path)?;
    set_mode(path, DIRECTORY)
}

/// Makes a file that only this user can read and write, and opens it to write.
///
/// # Errors
/// When it can't be made; also when there is something at `path`.
pub fn create_private_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(FILE).open(path)?;
    // The umask may have taken the owner's rights, too.
    file.set_permissions(Permissions::from_mode(FILE))?;
    Ok(file)
}

/// Opens a file of this user that nobody else can write, to read and write it, and makes it if
/// there is none. Follows no link.
///
/// # Errors
/// As [`open_own_file`]; when it can't be made.
pub fn open_or_create_own_file(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(FILE);
    own(options.custom_flags(flags.bits().cast_signed()).open(path)?)
}

/// Takes the rights of others, and gives the owner's, at a file that was made with the umask's.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    set_mode(path, FILE)
}

/// Opens a file of this user that nobody else can write, to read it. Follows no link, and does not
/// wait for the other end of a FIFO.
///
/// # Errors
/// When it can't be opened; `PermissionDenied` when it is no such file.
pub fn open_own_file(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    own(OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?)
}

fn own(file: File) -> io::Result<File> {
    let found = file.metadata()?;
    let is_own = found.is_file() && is_own(&found) && found.mode() & OTHERS_WRITE == 0;
    if is_own { Ok(file) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Whether this is a directory of this user, and no link to one.
pub fn is_own_directory(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && is_own(&found))
}

/// The permissions of a directory of this user (POSIX: the lower 12 bits of `st_mode`). Follows no
/// link.
///
/// # Errors
/// When there is nothing; `NotADirectory` when it is something else, `PermissionDenied` when it is
/// another user's.
pub fn own_directory_mode(path: &Path) -> io::Result<u32> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    if !is_own(&found) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(found.mode() & 0o7777)
}

/// The number of this process's user.
pub fn user_number() -> u32 {
    geteuid().as_raw()
}

/// The name of this process's user; `None` where the system knows none.
pub fn user_name() -> Option<String> {
    let mut entry = MaybeUninit::<libc::passwd>::uninit();
    let (mut texts, mut found) = (vec![0; LONGEST_ENTRY], ptr::null_mut());
    // SAFETY: all that it writes to lives until it returns, and it is told how long `texts` is.
    let error = unsafe {
        libc::getpwuid_r(
            user_number(),
            entry.as_mut_ptr(),
            texts.as_mut_ptr(),
            texts.len(),
            &raw mut found,
        )
    };
    if error != 0 || found.is_null() {
        return None;
    }
    // SAFETY: `found` is `entry` then, which is filled in; the name in it ends with a zero byte and stands in
    // `texts`, which lives.
    let name = unsafe { CStr::from_ptr((*found).pw_name) };
    name.to_str().ok().map(str::to_owned)
}

/// Whether a file that was opened is the one at `path` still.
///
/// # Errors
/// When either can't be looked at.
pub fn is_file_at(file: &File, path: &Path) -> io::Result<bool> {
    let (held, found) = (file.metadata()?, fs::symlink_metadata(path)?);
    Ok((held.dev(), held.ino()) == (found.dev(), found.ino()))
}

/// Takes from others what rights they were given at a directory that was made private.
///
/// # Errors
/// When it is gone, or something else is in its place.
pub fn keep_private(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() || !is_own(&found) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    if found.mode() & 0o7777 == DIRECTORY { Ok(()) } else { set_mode(path, DIRECTORY) }
}

/// Whether others could put something of theirs in the place of what this user makes in a
/// directory.
pub fn others_can_replace(directory: &Path) -> bool {
    let safe = |found: fs::Metadata| {
        let ours_or_roots = is_own(&found) || found.uid() == 0;
        ours_or_roots && (found.mode() & OTHERS_WRITE == 0 || found.mode() & STICKY != 0)
    };
    !fs::metadata(directory).is_ok_and(safe)
}

fn is_own(found: &fs::Metadata) -> bool {
    found.uid() == geteuid().as_raw()
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    #[test]
    fn what_is_made_is_the_users_alone() {
        let place = tempfile::tempdir().unwrap();
        let directory = private_directory_in(&mut tempfile::Builder::new(), place.path()).unwrap();
        let (below, file) = (directory.path().join("below"), directory.path().join("file"));
        create_private_directory(&below).unwrap();
        create_private_file(&file).unwrap();
        assert_eq!([directory.path(), &below, &file].map(mode), [0o700, 0o700, 0o600]);
        assert!(create_private_directory(&below).is_err() && create_private_file(&file).is_err());
        set_mode(&below, 0o777).unwrap();
        keep_private(&below).unwrap();
        assert_eq!(mode(&below), 0o700);
    }

    #[test]
    fn a_file_that_others_can_write_a_link_and_a_fifo_are_not_opened() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        create_private_file(&at("file")).unwrap();
        assert!(open_own_file(&at("file")).is_ok());
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        std::os::unix::fs::symlink(place.path(), at("directory")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap();
        assert!(made.success());
        for name in ["link", "fifo", "directory", "nothing"] {
            assert!(open_own_file(&at(name)).is_err(), "{name}");
        }
        assert!(!is_own_directory(&at("directory")) && keep_private(&at("directory")).is_err());
        set_mode(&at("file"), 0o620).unwrap();
        assert!(open_own_file(&at("file")).is_err());
    }

    #[test]
    fn others_can_replace_what_is_in_a_directory_they_write_unless_it_is_sticky() {
        let place = tempfile::tempdir().unwrap();
        for (mode, can) in [(0o700, false), (0o755, false), (0o777, true), (0o1777, false)] {
            set_mode(place.path(), mode).unwrap();
            assert_eq!(others_can_replace(place.path()), can, "{mode:o}");
        }
    }
}
