//! What may be executed and written, and who else may write a file.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::{fs::OpenOptionsExt, io::AsRawHandle},
    path::Path,
};

use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_ADD_FILE, FILE_FLAG_BACKUP_SEMANTICS, FILE_WRITE_DATA,
    GetFileInformationByHandle,
};

use super::{
    acl::other_writers,
    handle::check,
    security::{Rights, own_user},
};
use crate::{pty::Writers, sandbox::Holds};

/// Whether this is a program's file, by its name.
pub fn is_executable(file: &Path) -> bool {
    let extension = file.extension().unwrap_or_default();
    ["exe", "com"].iter().any(|name| extension.eq_ignore_ascii_case(name)) && file.is_file()
}

/// Whether this user may write a file, or make some in a directory.
pub fn is_writable(path: &Path) -> bool {
    let right = if path.is_dir() { FILE_ADD_FILE } else { FILE_WRITE_DATA };
    // Opened so, nothing is changed.
    let mut options = OpenOptions::new();
    options.access_mode(right).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path).is_ok()
}

/// Whether two files or directories are there and on one file system. No sandbox asks for it here.
pub fn are_on_one_file_system(_one: &Path, _other: &Path) -> bool {
    false
}

/// Whether a path is a file that has more names than this one.
pub fn has_other_names(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut found = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the handle is open, and `found` is of the kind that is asked for.
    let told = unsafe { check(GetFileInformationByHandle(file.as_raw_handle(), &mut found)) };
    told.is_ok() && found.nNumberOfLinks > 1
}

/// Whether programs and libraries in a directory can be loaded: no file system here forbids it.
pub fn allows_execution(directory: &Path) -> bool {
    directory.is_dir()
}

/// Opens a file to read it, and tells who else than this user may write it. Follows links.
///
/// # Errors
/// When it can't be opened; `InvalidInput` when it is no regular file.
pub fn open_regular_file(path: &Path) -> io::Result<(File, Writers)> {
    // Opening a device may do something; looking at it does nothing.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let writers = writers(&Rights::of(&file)?)?;
    Ok((file, writers))
}

/// The administrators may write everything, and count as nobody else.
fn writers(rights: &Rights) -> io::Result<Writers> {
    let user = own_user()?;
    if rights.owner != *user && !rights.owner.is_trusted() {
        return Ok(Writers::Owner(rights.owner.number()));
    }
    let Some(given) = &rights.given else { return Ok(Writers::Anybody) };
    let others: Vec<_> = other_writers(given, user).collect();
    Ok(if others.is_empty() {
        Writers::OnlyUser
    } else if others.iter().any(|other| other.is_anybody()) {
        Writers::Anybody
    } else {
        Writers::Group
    })
}

/// What this system holds of a sandbox: nothing yet.
pub fn sandbox_holds() -> Vec<Holds> {
    vec![Holds { what: "files, network and processes", state: Err("there is none yet".to_owned()) }]
}
