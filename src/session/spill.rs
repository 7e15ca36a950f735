//! The files that hold text too long for a reply.
//!
//! A thread writes them, so that a disk that hangs costs a reply its file, and never hangs the
//! session.

use std::{
    collections::VecDeque,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How much text may wait to be written, in bytes.
const LONGEST_QUEUE: usize = 16 << 20;
/// The most that is written of one reply, in bytes: a loop that prints for ever must not fill
/// the disk.
const LONGEST_FILE: u64 = 1 << 30;
/// How long the disk may take to catch up.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes the text of one reply after the other to files in a directory.
#[derive(Debug)]
pub struct Spill {
    directory: PathBuf,
    /// The most that is written of one reply, in bytes.
    limit: u64,
    files: u64,
    current: Option<Current>,
}

/// The file of the current reply.
#[derive(Debug)]
struct Current {
    path: PathBuf,
    queue: Arc<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    texts: VecDeque<String>,
    /// Bytes that were queued and are not written.
    bytes: usize,
    /// No more text is to come.
    closed: bool,
    /// Why not all of the text is in the file.
    failed: Option<String>,
}

impl Spill {
    /// Writes to `directory`, which must exist when the first text comes.
    pub fn new(directory: PathBuf) -> Spill {
        Spill { directory, limit: LONGEST_FILE, files: 0, current: None }
    }

    /// Adds to the current reply's text.
    pub fn write(&mut self, text: String) {
        if text.is_empty() {
            return;
        }
        let current = self.current.get_or_insert_with(|| {
            self.files += 1;
            let path = self.directory.join(format!("output-{}.txt", self.files));
            Current::start(path, self.limit)
        });
        current.queue.push(text);
    }

    /// Ends the current reply's text. Where it is, or why it is not all there; `None` if
    /// there was none.
    pub fn finish(&mut self) -> Option<Result<String, String>> {
        let current = self.current.take()?;
        Some(current.queue.finish().map(|()| current.path.display().to_string()))
    }
}

impl Current {
    fn start(path: PathBuf, limit: u64) -> Current {
        let queue = Arc::new(Queue::default());
        let (to_write, file) = (queue.clone(), path.clone());
        let writer = std::thread::Builder::new().name("spill".into());
        if let Err(error) = writer.spawn(move || to_write.write_to(&file, limit)) {
            queue.lock().failed = Some(error.to_string());
        }
        Current { path, queue }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, within bounds, until `done`; gives the disk up when it does not come.
    fn wait(&self, done: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let busy = |state: &mut State| !done(state) && state.failed.is_none();
        let waited = self.changed.wait_timeout_while(self.lock(), PATIENCE, busy);
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            state.failed = Some("the disk does not answer".into());
        }
        state
    }

    fn push(&self, text: String) {
        let mut state = self.wait(|state| state.bytes < LONGEST_QUEUE);
        if state.failed.is_none() {
            state.bytes += text.len();
            state.texts.push_back(text);
        }
        self.changed.notify_all();
    }

    fn finish(&self) -> Result<(), String> {
        self.lock().closed = true;
        self.changed.notify_all();
        self.wait(|state| state.bytes == 0).failed.clone().map_or(Ok(()), Err)
    }

    /// The body of the writing thread.
    fn write_to(&self, path: &Path, limit: u64) {
        let mut file = match File::create_new(path) {
            Ok(file) => file,
            Err(error) => return self.fail(error.to_string()),
        };
        let mut left = limit;
        loop {
            let mut state = self.lock();
            while state.texts.is_empty() && !state.closed {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let Some(text) = state.texts.pop_front() else { return };
            drop(state);
            let room = usize::try_from(left).unwrap_or(usize::MAX);
            let fits = &text[..text.floor_char_boundary(room)];
            left -= fits.len() as u64;
            if let Err(error) = file.write_all(fits.as_bytes()) {
                return self.fail(error.to_string());
            }
            if fits.len() < text.len() {
                let place = path.display();
                return self.fail(format!("only the first {limit} bytes are in {place}"));
            }
            self.lock().bytes -= text.len();
            self.changed.notify_all();
        }
    }

    fn fail(&self, why: String) {
        let mut state = self.lock();
        state.failed = Some(why);
        state.texts.clear();
        self.changed.notify_all();
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reply_has_a_file_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let mut spill = Spill::new(directory.path().to_owned());
        assert_eq!(spill.finish(), None);
        for texts in [["a", "b"], ["c", ""]] {
            texts.iter().for_each(|text| spill.write(text.to_string()));
            let path = spill.finish().unwrap().unwrap();
            assert_eq!(std::fs::read_to_string(path).unwrap(), texts.concat());
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_is_said_and_the_next_one_is_tried() {
        let directory = tempfile::tempdir().unwrap();
        let mut spill = Spill::new(directory.path().join("missing"));
        spill.write("a".into());
        assert!(spill.finish().unwrap().is_err());
        std::fs::create_dir(directory.path().join("missing")).unwrap();
        spill.write("b".into());
        assert!(spill.finish().unwrap().is_ok());
    }

    #[test]
    fn a_file_grows_to_its_limit_and_the_rest_is_said_to_be_missing() {
        let directory = tempfile::tempdir().unwrap();
        let mut spill = Spill::new(directory.path().to_owned());
        spill.limit = 10;
        let file = |number| directory.path().join(format!("output-{number}.txt"));
        for text in ["0123", "4567", "8é9", "more", "and more"] {
            spill.write(text.into());
        }
        let place = file(1).display().to_string();
        let why = format!("only the first 10 bytes are in {place}");
        assert_eq!(spill.finish(), Some(Err(why)));
        // The last character that fits ends before the limit, or at it.
        assert_eq!(std::fs::read_to_string(file(1)).unwrap(), "012345678");
        // The next reply has a file of its own, which may be as long again.
        spill.write("0123456789".into());
        assert_eq!(spill.finish(), Some(Ok(file(2).display().to_string())));
        assert_eq!(std::fs::read_to_string(file(2)).unwrap(), "0123456789");
    }

    #[test]
    fn a_disk_that_hangs_is_given_up() {
        // A FIFO without a reader blocks the one who opens it to write.
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let queue = Arc::new(Queue::default());
        let to_write = queue.clone();
        std::thread::spawn(move || {
            let mut file = std::fs::OpenOptions::new().write(true).open(fifo).unwrap();
            let _ = file.write_all(to_write.lock().texts.pop_front().unwrap().as_bytes());
        });
        queue.push("text".into());
        assert_eq!(queue.finish(), Err("the disk does not answer".into()));
    }
}
