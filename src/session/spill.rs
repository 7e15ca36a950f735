//! The files that hold text too long for a reply.
//!
//! A thread writes them, and nobody waits for it for long: a disk that hangs costs a reply its
//! file, and never hangs the session.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::oneshot;

use super::{
    output_disk::OutputDisk,
    write_queue::{PATIENCE, WriteJobs, WriteQueue},
};
use crate::reply::KeptText;

/// How much text may wait to be written before no more should be made, in bytes.
const LARGEST_BACKLOG: usize = 2 << 20;

/// Writes the text of one reply after the other to files in a directory.
#[derive(Debug)]
pub(super) struct Spill {
    directory: PathBuf,
    /// How many files there are of the session's, whoever they are for.
    files: Arc<AtomicU64>,
    disk: OutputDisk,
    current: Option<Current>,
}

/// The file of the current reply.
#[derive(Debug)]
struct Current {
    path: PathBuf,
    texts: WriteQueue<String>,
    written: oneshot::Receiver<Result<(), WriteError>>,
}

/// Why not all of the text is in the file.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("the disk does not answer")]
    NoAnswer,
    #[error("only the first {written} bytes are in {}", path.display())]
    TooLong { written: u64, path: PathBuf },
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A file that is being finished.
#[derive(Debug)]
pub(super) struct Finishing(Current);

impl Spill {
    /// Writes files to `directory`, which must exist when the first text comes, as far as `disk`
    /// has room for them. `files` counts those that are there.
    pub(super) fn new(directory: PathBuf, files: Arc<AtomicU64>, disk: OutputDisk) -> Spill {
        Spill { directory, files, disk, current: None }
    }

    /// Adds to the current reply's text.
    pub(super) fn write(&mut self, text: String) {
        let current = self.current.get_or_insert_with(|| {
            let number = self.files.fetch_add(1, Ordering::Relaxed) + 1;
            let path = self.directory.join(format!("output-{number}.txt"));
            Current::start(path, self.disk.clone())
        });
        let bytes = text.len();
        current.texts.push(text, bytes);
    }

    /// Whether the disk is behind, so that no more text should be made.
    pub(super) fn is_behind(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.texts.is_behind())
    }

    /// Waits until the disk is not behind any more, or has been for too long: then the text is
    /// given up. Cancel safe; pends for ever when it is not behind.
    pub(super) async fn catch_up(&mut self) {
        let Some(current) = &mut self.current else { return std::future::pending().await };
        if !current.texts.catch_up().await {
            current.give_up();
        }
    }

    /// Ends the current reply's text; `None` if there was none.
    pub(super) fn finish(&mut self) -> Option<Finishing> {
        self.current.take().map(Finishing)
    }
}

impl Finishing {
    /// Where the file is, or will be.
    pub(super) fn path(&self) -> &Path {
        &self.0.path
    }

    /// Waits until all is written, within bounds. Where the text is, or why it is not all there.
    pub(super) async fn done(self) -> KeptText {
        let Current { path, texts, written, .. } = self.0;
        drop(texts);
        let result = match tokio::time::timeout(PATIENCE, written).await {
            Ok(Ok(result)) => result,
            // Only a thread that could not be started says nothing.
            Ok(Err(_)) | Err(_) => Err(WriteError::NoAnswer),
        };
        match result {
            Ok(()) => KeptText::File(path.display().to_string()),
            Err(error) => KeptText::Failed(error.to_string()),
        }
    }
}

impl Current {
    fn start(path: PathBuf, room: OutputDisk) -> Current {
        let (texts, jobs) = WriteQueue::new(LARGEST_BACKLOG);
        let (done, written) = oneshot::channel();
        let file = path.clone();
        let writer = std::thread::Builder::new().name("spill".into());
        // Without a thread the receiver is gone, which is seen at the end.
        let _ = writer.spawn(move || {
            let _ = done.send(write_all(jobs, &file, &room));
        });
        Current { path, texts, written }
    }

    /// Nothing more is written.
    fn give_up(&mut self) {
        let (done, written) = oneshot::channel();
        let _ = done.send(Err(WriteError::NoAnswer));
        self.written = written;
        (self.texts, _) = WriteQueue::new(LARGEST_BACKLOG);
    }
}

/// The body of the writing thread.
fn write_all(
    mut texts: WriteJobs<String>,
    path: &Path,
    disk: &OutputDisk,
) -> Result<(), WriteError> {
    let mut file = disk.create(path)?;
    while let Some(text) = texts.next() {
        let has_room = file.write(&text)?;
        texts.written(text.len());
        if !has_room {
            return Err(WriteError::TooLong { written: file.written(), path: path.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spill(directory: &Path) -> Spill {
        Spill::new(directory.to_owned(), Arc::default(), OutputDisk::default())
    }

    async fn finished(spill: &mut Spill) -> KeptText {
        spill.finish().unwrap().done().await
    }

    #[tokio::test]
    async fn each_reply_has_a_file_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let mut spill = spill(directory.path());
        assert!(spill.finish().is_none());
        for texts in [["a", "b"], ["c", ""]] {
            texts.iter().for_each(|text| spill.write(text.to_string()));
            let KeptText::File(path) = finished(&mut spill).await else { panic!("no file") };
            assert_eq!(std::fs::read_to_string(path).unwrap(), texts.concat());
        }
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_said_and_the_next_one_is_tried() {
        let directory = tempfile::tempdir().unwrap();
        let mut spill = spill(&directory.path().join("missing"));
        spill.write("a".into());
        assert!(matches!(finished(&mut spill).await, KeptText::Failed(_)));
        std::fs::create_dir(directory.path().join("missing")).unwrap();
        spill.write("b".into());
        assert!(matches!(finished(&mut spill).await, KeptText::File(_)));
    }

    #[tokio::test]
    async fn a_file_grows_to_its_limit_and_the_rest_is_said_to_be_missing() {
        let directory = tempfile::tempdir().unwrap();
        let mut spill = spill(directory.path());
        // One reply may take half of it.
        spill.disk = OutputDisk::new(20);
        let file = |number| directory.path().join(format!("output-{number}.txt"));
        for text in ["0123", "4567", "8é9", "more", "and more"] {
            spill.write(text.into());
        }
        let why = format!("only the first 9 bytes are in {}", file(1).display());
        assert_eq!(finished(&mut spill).await, KeptText::Failed(why));
        // The last character that fits ends before the limit, or at it.
        assert_eq!(std::fs::read_to_string(file(1)).unwrap(), "012345678");
        // The next reply has a file of its own, which may be as long again.
        spill.write("0123456789".into());
        let place = file(2).display().to_string();
        assert_eq!(finished(&mut spill).await, KeptText::File(place));
        assert_eq!(std::fs::read_to_string(file(2)).unwrap(), "0123456789");
    }

    /// A thread that takes nothing and says nothing.
    fn hanging(directory: &Path) -> Current {
        let path = directory.join("file");
        std::fs::write(&path, "").unwrap();
        let (texts, queue) = WriteQueue::new(LARGEST_BACKLOG);
        let (done, written) = oneshot::channel::<Result<(), WriteError>>();
        std::thread::spawn(move || {
            let _kept = (queue, done);
            loop {
                std::thread::park();
            }
        });
        Current { path, texts, written }
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_hangs_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let mut current = hanging(directory.path());
        current.texts.push("text".into(), 4);
        let why = "the disk does not answer".to_owned();
        assert_eq!(Finishing(current).done().await, KeptText::Failed(why));
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_is_behind_is_waited_for_and_then_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let mut spill = spill(directory.path());
        spill.current = Some(hanging(directory.path()));
        spill.write("x".repeat(LARGEST_BACKLOG));
        assert!(!spill.is_behind());
        spill.write("more".into());
        assert!(spill.is_behind());
        spill.catch_up().await;
        assert!(!spill.is_behind());
        spill.write("more".into());
        assert!(!spill.is_behind());
        let why = "the disk does not answer".to_owned();
        assert_eq!(finished(&mut spill).await, KeptText::Failed(why));
    }
}
