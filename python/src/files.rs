//! The names of files in a directory, for a completion.
//!
//! A directory may have very many of them, and one on a network may never answer. So it is read in a
//! thread, for which the main thread waits no longer than for all else of a completion: one that is
//! struck leaves it to itself.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    system::{file_name, signals},
    worker::Worker,
};

/// How many threads there may be, which wait for directories that do not answer.
const MOST_THREADS: usize = 4;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// What such a thread and the main one share.
#[derive(Debug, Default)]
struct Looked {
    /// Set when nobody waits for the names any more.
    is_given_up: AtomicBool,
    names: Mutex<Option<Vec<Vec<u8>>>>,
}

/// The names in `directory`, the beginning of a path, that begin with `word`; `most` at most: the
/// first ones and the last, so that what all of them begin with is what those begin with.
/// Directories end with a slash. Hidden ones are told to who asks for one. Empty when the
/// completion was struck. Without the GIL.
pub(crate) fn names(
    worker: &'static Worker,
    directory: &[u8],
    word: &[u8],
    most: usize,
) -> Vec<Vec<u8>> {
    let looked = Arc::new(Looked::default());
    let (theirs, directory, word) = (looked.clone(), directory.to_vec(), word.to_vec());
    let look = move || {
        let found = theirs.look(&directory, &word, most).unwrap_or_default();
        theirs.set(found);
        THREADS.fetch_sub(1, Ordering::Relaxed);
        worker.fifo.wake_completion();
    };
    if THREADS.fetch_add(1, Ordering::Relaxed) >= MOST_THREADS {
        THREADS.fetch_sub(1, Ordering::Relaxed);
        return Vec::new();
    }
    let thread = thread::Builder::new().name("mcp-repl-files".into());
    let Ok(thread) = signals::with_all_blocked(|| thread.spawn(look)) else {
        THREADS.fetch_sub(1, Ordering::Relaxed);
        return Vec::new();
    };
    worker.fifo.wait_in_completion(|| looked.is_found());
    looked.is_given_up.store(true, Ordering::Relaxed);
    if looked.is_found() {
        // It is gone before the program could fork.
        let _ = thread.join();
    }
    looked.take()
}

impl Looked {
    fn is_found(&self) -> bool {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn set(&self, names: Vec<Vec<u8>>) {
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = Some(names);
    }

    fn take(&self) -> Vec<Vec<u8>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    fn look(&self, directory: &[u8], word: &[u8], most: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut found: BTreeMap<Vec<u8>, fs::DirEntry> = BTreeMap::new();
        for entry in fs::read_dir(place(directory))? {
            if self.is_given_up.load(Ordering::Relaxed) {
                return Ok(Vec::new());
            }
            let Ok(entry) = entry else { continue };
            let name = file_name::to_bytes(entry.file_name());
            if name.starts_with(word) && (!word.is_empty() || !name.starts_with(b".")) {
                found.insert(name, entry);
            }
            if found.len() > most {
                let last = found.pop_last();
                found.pop_last();
                found.extend(last);
            }
        }
        let mut names: Vec<Vec<u8>> = Vec::new();
        match (directory, word) {
            (b"", b"~") => names.push(b"~/".into()),
            (_, b"..") => names.push(b"../".into()),
            _ => {}
        }
        for (mut name, entry) in found {
            if self.is_given_up.load(Ordering::Relaxed) {
                return Ok(Vec::new());
            }
            let kind = entry.file_type();
            let is_link = kind.as_ref().is_ok_and(fs::FileType::is_symlink);
            let is_directory = match kind {
                _ if is_link => fs::metadata(entry.path()).is_ok_and(|file| file.is_dir()),
                kind => kind.is_ok_and(|kind| kind.is_dir()),
            };
            if is_directory {
                name.push(b'/');
            }
            names.push(name);
        }
        Ok(names)
    }
}

/// The directory that this beginning of a path names, which ends with its slash or is empty.
fn place(directory: &[u8]) -> PathBuf {
    match directory.strip_prefix(b"~/") {
        Some(rest) => env::home_dir().unwrap_or_default().join(file_name::of_bytes(rest)),
        None if directory.is_empty() => PathBuf::from("."),
        None => PathBuf::from(file_name::of_bytes(directory)),
    }
}
