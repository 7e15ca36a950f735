//! The worker's extension, which the binary carries: its file, from which Python loads it.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::pty;

/// What the file has to hold.
const EXTENSION: &[u8] = include_bytes!(env!("MCP_REPL_EXTENSION_FILE"));

/// The file's name.
const NAME: &str = "worker.so";
/// Its name while it is written.
const UNFINISHED: &str = "worker.so.new";

/// Held by who writes one.
static WRITING: Mutex<()> = Mutex::new(());

/// The file in a private directory. Written, if it is not there or is not what it has to be: what
/// is loaded from it runs with the user's rights.
///
/// # Errors
/// When it can't be written.
pub(super) fn file_in(directory: &Path) -> io::Result<PathBuf> {
    let file = directory.join(NAME);
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_whole(&file) {
        // Workers that run have loaded the old file, whose bytes must stay as they are.
        let unfinished = directory.join(UNFINISHED);
        remove(&unfinished)?;
        pty::create_private_file(&unfinished)?.write_all(EXTENSION)?;
        remove(&file)?;
        fs::rename(unfinished, &file)?;
    }
    Ok(file)
}

/// Whether it is a file of this user that nobody else can write, and holds the extension.
fn is_whole(file: &Path) -> bool {
    let Ok(file) = pty::open_own_file(file) else { return false };
    let mut bytes = Vec::with_capacity(EXTENSION.len() + 1);
    // A file that is longer is read no further.
    let read = file.take(EXTENSION.len() as u64 + 1).read_to_end(&mut bytes);
    read.is_ok() && bytes == EXTENSION
}

/// Removes whatever is there, if anything is.
fn remove(path: &Path) -> io::Result<()> {
    let result = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    result.or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}
