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
/// How much of it is read at once, in bytes.
const PART: usize = 64 * 1024;

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

/// Whether it is a file of this user that nobody else can write, and holds the extension. Read in
/// parts: a copy of it on the heap would stay with the process.
fn is_whole(file: &Path) -> bool {
    pty::open_own_file(file).is_ok_and(|mut file| holds(&mut file, EXTENSION).unwrap_or(false))
}

/// Whether these bytes are all that is read.
fn holds(reader: &mut impl Read, mut bytes: &[u8]) -> io::Result<bool> {
    let mut part = vec![0; PART];
    loop {
        let length = match reader.read(&mut part) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        match bytes.split_at_checked(length) {
            Some((start, rest)) if length > 0 && start == &part[..length] => bytes = rest,
            _ => return Ok(length == 0 && bytes.is_empty()),
        }
    }
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
