//! Files and directories that are this user's alone: no link is followed at their names.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::{fs::OpenOptionsExt, io::AsRawHandle},
    path::Path,
};

use tempfile::TempDir;
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, CREATE_NEW, CreateDirectoryW, CreateFileW,
    FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_REPARSE_POINT,
    FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_GENERIC_READ,
    FILE_GENERIC_WRITE, FILE_READ_ATTRIBUTES, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE,
    GetFileInformationByHandle, OPEN_ALWAYS, READ_CONTROL, WRITE_DAC, WRITE_OWNER,
};

use super::{
    acl::{is_private, other_writers},
    handle::{c_wide, check, owned},
    security::{Private, Rights, own_user},
};

/// As Unix has it: others may open, rename and remove what is open here.
const SHARED: u32 = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
/// The permissions of a directory as POSIX has them: all of them the owner's, none of others'.
const OWNERS: u32 = 0o700;
/// Others read, and others write.
const OTHERS_READ: u32 = 0o055;
const OTHERS_WRITE: u32 = 0o022;

/// Makes a directory in `place` that only this user can enter, with a name as `name` makes them.
///
/// # Errors
/// When it can't be made.
pub fn private_directory_in(
    name: &mut tempfile::Builder<'_, '_>,
    place: &Path,
) -> io::Result<TempDir> {
    let directory = name.tempdir_in(place)?;
    // It had the rights that things in that place have, and nothing was in it.
    set_private(directory.path())?;
    // What an administrator makes is the administrators' (the token's default owner).
    let (opened, rights) = self::directory(directory.path(), WRITE_OWNER)?;
    if rights.owner != *own_user()? {
        Private::new()?.take_over(&opened)?;
    }
    Ok(directory)
}

/// Makes a directory that only this user can enter.
///
/// # Errors
/// When it can't be made; also when there is something at `path`.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    let (private, path) = (Private::new()?, c_wide(path)?);
    // SAFETY: the path ends with a NUL, and the attributes live as long as the call.
    unsafe { check(CreateDirectoryW(path.as_ptr(), &private.attributes())) }
}

/// Makes a file that only this user can read and write, and opens it to write.
///
/// # Errors
/// When it can't be made; also when there is something at `path`.
pub fn create_private_file(path: &Path) -> io::Result<File> {
    create(path, FILE_GENERIC_WRITE, CREATE_NEW)
}

/// Opens a file of this user that nobody else can write, to read and write it, and makes it if
/// there is none. Follows no link.
///
/// # Errors
/// As [`open_own_file`]; when it can't be made.
pub fn open_or_create_own_file(path: &Path) -> io::Result<File> {
    own(create(path, FILE_GENERIC_READ | FILE_GENERIC_WRITE, OPEN_ALWAYS)?)
}

/// Opens a file of this user that nobody else can write, to read it. Follows no link.
///
/// # Errors
/// When it can't be opened; `PermissionDenied` when it is no such file.
pub fn open_own_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).share_mode(SHARED).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    own(options.open(path)?)
}

fn create(path: &Path, rights: u32, disposition: u32) -> io::Result<File> {
    let (private, path) = (Private::new()?, c_wide(path)?);
    let flags = FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT;
    // SAFETY: the path ends with a NUL, the attributes live as long as the call, and the handle is
    // nobody else's.
    let file = unsafe {
        let attributes = private.attributes();
        let (path, none) = (path.as_ptr(), std::ptr::null_mut());
        owned(CreateFileW(path, rights, SHARED, &attributes, disposition, flags, none))
    };
    Ok(file?.into())
}

/// What a thing is: its volume, its number there, its attributes.
fn looked_at(file: &File) -> io::Result<(u32, u64, u32)> {
    let mut found = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open, and the place takes what is written.
    unsafe { check(GetFileInformationByHandle(file.as_raw_handle(), &mut found))? };
    let number = u64::from(found.nFileIndexHigh) << 32 | u64::from(found.nFileIndexLow);
    Ok((found.dwVolumeSerialNumber, number, found.dwFileAttributes))
}

fn own(file: File) -> io::Result<File> {
    let (_, _, attributes) = looked_at(&file)?;
    let is_file = attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT) == 0;
    let (user, rights) = (own_user()?, Rights::of(&file)?);
    let is_own = rights.owner == *user
        && rights.given.is_some_and(|given| other_writers(&given, user).next().is_none());
    if is_file && is_own { Ok(file) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Opens a thing of any kind with these rights, and no link's target.
fn opened(path: &Path, rights: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.access_mode(rights | FILE_READ_ATTRIBUTES | READ_CONTROL).share_mode(SHARED);
    options.custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT).open(path)
}

/// A directory that was opened, and no link to one, with its rights.
fn directory(path: &Path, rights: u32) -> io::Result<(File, Rights)> {
    let file = opened(path, rights)?;
    let (_, _, attributes) = looked_at(&file)?;
    let kind = attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT);
    if kind != FILE_ATTRIBUTE_DIRECTORY {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let rights = Rights::of(&file)?;
    Ok((file, rights))
}

/// Whether this is a directory of this user, and no link to one.
pub fn is_own_directory(path: &Path) -> bool {
    let found = directory(path, 0);
    found.is_ok_and(|(_, rights)| own_user().is_ok_and(|user| rights.owner == *user))
}

/// The permissions of a directory of this user, in the words of POSIX: whether others can read or write.
/// Follows no link.
///
/// # Errors
/// When there is nothing; `NotADirectory` when it is something else, `PermissionDenied` when it is
/// another user's.
pub fn own_directory_mode(path: &Path) -> io::Result<u32> {
    let ((_, rights), user) = (directory(path, 0)?, own_user()?);
    if rights.owner != *user {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let Some(given) = rights.given else { return Ok(OWNERS | OTHERS_READ | OTHERS_WRITE) };
    let mut mode = OWNERS;
    if !is_private(&given, user) {
        mode |= OTHERS_READ;
    }
    if other_writers(&given, user).next().is_some() {
        mode |= OTHERS_WRITE;
    }
    Ok(mode)
}

/// A number that tells this process's user from others of this machine.
pub fn user_number() -> u32 {
    own_user().map_or(0, |user| user.number())
}

/// Whether a file that was opened is the one at `path` still.
///
/// # Errors
/// When either can't be looked at.
pub fn is_file_at(file: &File, path: &Path) -> io::Result<bool> {
    let ((volume, number, _), found) = (looked_at(file)?, looked_at(&opened(path, 0)?)?);
    Ok((volume, number) == (found.0, found.1))
}

/// Takes from others what rights they were given at a directory that was made private.
///
/// # Errors
/// When it is gone, or something else is in its place.
pub fn keep_private(path: &Path) -> io::Result<()> {
    let ((_, rights), user) = (directory(path, 0)?, own_user()?);
    if rights.owner != *user {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    match rights.given.is_some_and(|given| is_private(&given, user)) {
        true => Ok(()),
        false => set_private(path),
    }
}

fn set_private(path: &Path) -> io::Result<()> {
    let (directory, _) = directory(path, WRITE_DAC)?;
    Private::new()?.set(&directory)
}

/// Whether others could put something of theirs in the place of what this user makes in a
/// directory.
pub fn others_can_replace(directory: &Path) -> bool {
    let safe = || {
        let user = own_user()?;
        let rights = Rights::of(&opened(&directory.canonicalize()?, 0)?)?;
        let is_ours = rights.owner == *user || rights.owner.is_trusted();
        let is_kept =
            rights.given.is_some_and(|given| other_writers(&given, user).next().is_none());
        io::Result::Ok(is_ours && is_kept)
    };
    !safe().is_ok_and(|safe| safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_one_in_its_place() {
        let around = tempfile::tempdir().unwrap();
        let (one, other) = (around.path().join("one"), around.path().join("other"));
        let file = create_private_file(&one).unwrap();
        assert!(is_file_at(&file, &one).unwrap());
        std::fs::hard_link(&one, &other).unwrap();
        assert!(is_file_at(&file, &other).unwrap());
        let another = create_private_file(&around.path().join("another")).unwrap();
        assert!(!is_file_at(&another, &one).unwrap());
        assert!(is_file_at(&file, &around.path().join("nowhere")).is_err());
    }
}
