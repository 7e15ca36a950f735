//! The files that hold text too long for a reply.
//!
//! A thread writes them, and nobody waits for it for long: a disk that hangs costs a reply its
//! file, and never hangs the session.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::output_disk::OutputDisk;
use crate::reply::{DeletedOutputs, KeptText};

/// How many texts may wait to be written. Each is what one turn at the terminal gives, or less.
const LONGEST_QUEUE: usize = 16;
/// How long the disk may take to catch up.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes the text of one reply after the other to files in a directory.
#[derive(Debug)]
pub(super) struct Spill {
    directory: PathBuf,
    /// What the names of its files begin with.
    name: String,
    disk: OutputDisk,
    files: u64,
    current: Option<Current>,
}

/// The file of the current reply.
#[derive(Debug)]
struct Current {
    path: PathBuf,
    disk: OutputDisk,
    texts: mpsc::Sender<String>,
    written: oneshot::Receiver<Result<(), WriteError>>,
    /// Text that the queue had no room for, and when that was first so.
    waiting: Option<(String, Instant)>,
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
    /// Writes files with names that begin with `name` to `directory`, which must exist when the
    /// first text comes, as far as `disk` has room for them.
    pub(super) fn new(directory: PathBuf, name: String, disk: OutputDisk) -> Spill {
        Spill { directory, name, disk, files: 0, current: None }
    }

    /// Adds to the current reply's text.
    pub(super) fn write(&mut self, text: String) {
        let current = self.current.get_or_insert_with(|| {
            self.files += 1;
            let path = self.directory.join(format!("{}-{}.txt", self.name, self.files));
            Current::start(path, self.disk.clone())
        });
        current.push(text);
    }

    /// Whether the disk is behind, so that no more text should be made.
    pub(super) fn is_behind(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.waiting.is_some())
    }

    /// Waits until the disk is not behind any more, or has been for too long: then the text is
    /// given up. Cancel safe; pends for ever when it is not behind.
    pub(super) async fn catch_up(&mut self) {
        let Some(current) = &mut self.current else { return std::future::pending().await };
        let Some((_, since)) = &current.waiting else { return std::future::pending().await };
        let room = tokio::time::timeout_at(*since + PATIENCE, current.texts.reserve()).await;
        let is_late = room.is_err();
        // A writer that has gone has said why.
        if let (Ok(Ok(room)), Some((text, _))) = (room, current.waiting.take()) {
            room.send(text);
        }
        if is_late {
            current.give_up();
        }
    }

    /// Ends the current reply's text; `None` if there was none.
    pub(super) fn finish(&mut self) -> Option<Finishing> {
        self.current.take().map(Finishing)
    }
}

impl Finishing {
    /// Waits until all is written, within bounds. Where the text is, or why it is not all there;
    /// and the files that were deleted to make room.
    pub(super) async fn done(self) -> (KeptText, DeletedOutputs) {
        let Current { path, disk, texts, written, waiting } = self.0;
        let write = async move {
            if let Some((text, _)) = waiting {
                let _ = texts.send(text).await;
            }
            drop(texts);
            written.await
        };
        let result = match tokio::time::timeout(PATIENCE, write).await {
            Ok(Ok(result)) => result,
            // Only a thread that could not be started says nothing.
            Ok(Err(_)) | Err(_) => Err(WriteError::NoAnswer),
        };
        let kept = match result {
            Ok(()) => KeptText::File(path.display().to_string()),
            Err(error) => KeptText::Failed(error.to_string()),
        };
        (kept, disk.take_deleted())
    }
}

impl Current {
    fn start(path: PathBuf, disk: OutputDisk) -> Current {
        let (texts, queue) = mpsc::channel(LONGEST_QUEUE);
        let (done, written) = oneshot::channel();
        let (file, room) = (path.clone(), disk.clone());
        let writer = std::thread::Builder::new().name("spill".into());
        // Without a thread the receiver is gone, which is seen at the end.
        let _ = writer.spawn(move || {
            let _ = done.send(write_all(queue, &file, &room));
        });
        Current { path, disk, texts, written, waiting: None }
    }

    fn push(&mut self, text: String) {
        if let Some((waiting, _)) = &mut self.waiting {
            waiting.push_str(&text);
        } else if let Err(mpsc::error::TrySendError::Full(text)) = self.texts.try_send(text) {
            self.waiting = Some((text, Instant::now()));
        }
    }

    /// Nothing more is written.
    fn give_up(&mut self) {
        let (done, written) = oneshot::channel();
        let _ = done.send(Err(WriteError::NoAnswer));
        self.written = written;
        (self.texts, _) = mpsc::channel(1);
    }
}

/// The body of the writing thread.
fn write_all(
    mut texts: mpsc::Receiver<String>,
    path: &Path,
    disk: &OutputDisk,
) -> Result<(), WriteError> {
    let mut file = disk.create(path)?;
    while let Some(text) = texts.blocking_recv() {
        if !file.write(&text)? {
            return Err(WriteError::TooLong { written: file.written(), path: path.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spill(directory: &Path) -> Spill {
        Spill::new(directory.to_owned(), "output".into(), OutputDisk::default())
    }

    async fn finished(spill: &mut Spill) -> KeptText {
        spill.finish().unwrap().done().await.0
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

    /// A FIFO without a reader blocks the one who opens it to write.
    fn hanging(directory: &Path) -> Current {
        let fifo = directory.join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let (texts, queue) = mpsc::channel(LONGEST_QUEUE);
        let (done, written) = oneshot::channel();
        let path = fifo.clone();
        std::thread::spawn(move || {
            let open = std::fs::OpenOptions::new().write(true).open(fifo);
            let _ = done.send(open.map(drop).map_err(WriteError::Io));
            drop(queue);
        });
        Current { path, disk: OutputDisk::default(), texts, written, waiting: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_hangs_is_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let mut current = hanging(directory.path());
        current.push("text".into());
        let why = "the disk does not answer".to_owned();
        assert_eq!(Finishing(current).done().await.0, KeptText::Failed(why));
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_is_behind_is_waited_for_and_then_given_up() {
        let directory = tempfile::tempdir().unwrap();
        let mut spill = spill(directory.path());
        spill.current = Some(hanging(directory.path()));
        for _ in 0..=LONGEST_QUEUE {
            assert!(!spill.is_behind());
            spill.write("text".into());
        }
        assert!(spill.is_behind());
        spill.catch_up().await;
        assert!(!spill.is_behind());
        spill.write("more".into());
        assert!(!spill.is_behind());
        let why = "the disk does not answer".to_owned();
        assert_eq!(finished(&mut spill).await, KeptText::Failed(why));
    }
}
