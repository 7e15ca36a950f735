//! How much the files of long outputs, pictures and documents take on disk, all together: when
//! there is no room for more, the oldest ones are deleted.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{pty, reply::DeletedOutputs};

/// How much the files of long outputs may take where nobody said it, in bytes.
pub const DEFAULT_LIMIT: u64 = 2 << 30;
/// The most that is written of one reply, in bytes: a loop that prints for ever, to a client that
/// never asks, must not take the place of all others.
const LONGEST_FILE: u64 = 1 << 30;

/// The room for the files of long outputs. Clones share it.
#[derive(Debug, Clone)]
pub struct OutputDisk {
    limit: u64,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The files, the oldest first.
    files: Vec<Kept>,
    /// What was deleted and not told yet.
    untold: DeletedOutputs,
}

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    bytes: u64,
    /// Whether nothing more is written to it.
    is_finished: bool,
}

/// A file that is written.
#[derive(Debug)]
pub(super) struct OutputFile {
    disk: OutputDisk,
    path: PathBuf,
    file: File,
    written: u64,
}

/// Why a picture or document is not in a file.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeepError {
    #[error("its data is no base64")]
    NoBase64,
    #[error("one may take {most} bytes")]
    TooLong { most: u64 },
    #[error("the disk does not answer")]
    NoAnswer,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Default for OutputDisk {
    fn default() -> OutputDisk {
        OutputDisk::new(DEFAULT_LIMIT)
    }
}

impl OutputDisk {
    /// Room for `limit` bytes, of which one reply takes at most half.
    pub fn new(limit: u64) -> OutputDisk {
        OutputDisk { limit, shared: Arc::default() }
    }

    /// Makes a file.
    ///
    /// # Errors
    /// When it can't be made.
    pub(super) fn create(&self, path: &Path) -> io::Result<OutputFile> {
        let file = pty::create_private_file(path)?;
        let kept = Kept { path: path.to_owned(), bytes: 0, is_finished: false };
        self.shared().files.push(kept);
        Ok(OutputFile { disk: self.clone(), path: path.to_owned(), file, written: 0 })
    }

    /// Makes a file with these bytes, or none.
    ///
    /// # Errors
    /// When there is no room for all of them, or they can't be written.
    pub(super) fn keep(&self, path: &Path, bytes: &[u8]) -> Result<(), KeepError> {
        let most = self.longest_file();
        if bytes.len() as u64 > most {
            return Err(KeepError::TooLong { most });
        }
        let mut file = self.create(path)?;
        let room = self.make_room(path, bytes.len() as u64);
        let written = if room < bytes.len() as u64 {
            Err(KeepError::TooLong { most: room })
        } else {
            file.file.write_all(bytes).map_err(KeepError::Io)
        };
        if written.is_err() {
            self.shared().files.retain(|file| file.path != path);
            let _ = std::fs::remove_file(path);
        }
        written
    }

    /// The most that one file may take, in bytes.
    fn longest_file(&self) -> u64 {
        LONGEST_FILE.min(self.limit / 2)
    }

    /// The files below a directory are gone with it.
    pub(super) fn forget_below(&self, directory: &Path) {
        self.shared().files.retain(|file| !file.path.starts_with(directory));
    }

    /// What was deleted since the last time.
    pub(super) fn take_deleted(&self) -> DeletedOutputs {
        std::mem::take(&mut self.shared().untold)
    }

    /// Makes room for `bytes` more in the file at `path`; how many of them have it.
    fn make_room(&self, path: &Path, bytes: u64) -> u64 {
        let mut deleted = Vec::new();
        let mut shared = self.shared();
        let mut left = self.limit.saturating_sub(shared.files.iter().map(|file| file.bytes).sum());
        while left < bytes
            && let Some(oldest) = shared.files.iter().position(|file| file.is_finished)
        {
            let oldest = shared.files.remove(oldest);
            left += oldest.bytes;
            shared.untold.add(oldest.path.display().to_string(), self.limit);
            deleted.push(oldest.path);
        }
        let room = bytes.min(left);
        if let Some(file) = shared.files.iter_mut().find(|file| file.path == path) {
            file.bytes += room;
        }
        // A disk that hangs holds up who writes, and nobody else.
        drop(shared);
        for path in deleted {
            let _ = std::fs::remove_file(path);
        }
        room
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutputFile {
    /// Writes what there is room for. Whether that was all.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn write(&mut self, text: &str) -> io::Result<bool> {
        let own = self.disk.longest_file() - self.written;
        let room = self.disk.make_room(&self.path, own.min(text.len() as u64));
        let fits = &text[..text.floor_char_boundary(usize::try_from(room).unwrap_or(usize::MAX))];
        self.file.write_all(fits.as_bytes())?;
        self.written += fits.len() as u64;
        Ok(fits.len() == text.len())
    }

    /// How much was written, in bytes.
    pub(super) fn written(&self) -> u64 {
        self.written
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        let mut shared = self.disk.shared();
        if let Some(file) = shared.files.iter_mut().find(|file| file.path == self.path) {
            file.is_finished = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deleted(files: &[&Path], limit: u64) -> DeletedOutputs {
        let mut deleted = DeletedOutputs::default();
        files.iter().for_each(|file| deleted.add(file.display().to_string(), limit));
        deleted
    }

    #[test]
    fn the_oldest_files_make_room_and_are_told_once() {
        let directory = tempfile::tempdir().unwrap();
        let disk = OutputDisk::new(100);
        let [a, b, c] = ["a", "b", "c"].map(|name| directory.path().join(name));
        for path in [&a, &b] {
            assert!(disk.create(path).unwrap().write(&"x".repeat(40)).unwrap());
        }
        assert_eq!(disk.take_deleted(), DeletedOutputs::default());
        assert!(disk.create(&c).unwrap().write(&"x".repeat(40)).unwrap());
        assert_eq!([&a, &b, &c].map(|path| path.exists()), [false, true, true]);
        assert_eq!(disk.take_deleted(), deleted(&[&a], 100));
        assert_eq!(disk.take_deleted(), DeletedOutputs::default());
    }

    #[test]
    fn a_file_that_is_written_is_not_deleted_and_takes_half_of_the_room() {
        let directory = tempfile::tempdir().unwrap();
        let disk = OutputDisk::new(100);
        let path = |number: u32| directory.path().join(number.to_string());
        let mut first = disk.create(&path(1)).unwrap();
        assert!(first.write(&"x".repeat(49)).unwrap());
        assert!(!first.write("éé").unwrap());
        assert_eq!(first.written(), 49);
        let mut second = disk.create(&path(2)).unwrap();
        assert!(second.write(&"x".repeat(45)).unwrap());
        // There is none for a third one, until one of them is finished.
        let mut third = disk.create(&path(3)).unwrap();
        assert!(!third.write(&"x".repeat(50)).unwrap());
        drop(second);
        assert!(third.write(&"x".repeat(10)).unwrap());
        assert!(path(1).exists() && !path(2).exists());
        assert_eq!(disk.take_deleted(), deleted(&[&path(2)], 100));
    }

    #[test]
    fn what_went_with_its_directory_takes_no_room() {
        let directory = tempfile::tempdir().unwrap();
        let disk = OutputDisk::new(100);
        let (gone, new) = (directory.path().join("gone"), directory.path().join("new"));
        std::fs::create_dir(&gone).unwrap();
        for name in ["1", "2"] {
            assert!(disk.create(&gone.join(name)).unwrap().write(&"x".repeat(50)).unwrap());
        }
        disk.forget_below(&gone);
        assert!(disk.create(&new).unwrap().write(&"x".repeat(50)).unwrap());
        assert_eq!(disk.take_deleted(), DeletedOutputs::default());
    }
}
