//! A session in the run-time directory, as its host holds it.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    Record,
    entry::{Files, Id, Stored},
};
use crate::pty::{self, Listener, Lock, StdinStream, StdoutStream};

/// How many ids are tried: two that are equal do not come by chance.
const MOST_IDS: usize = 100;

/// Why a session can't be listed.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// There is one of this name.
    #[error("there is a session of this name")]
    Taken,
    /// There is a file of this name that is no session's.
    #[error("{} is in the way: it is no entry of a session. Remove it", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// Its files can't be made.
    #[error("the session can't be listed: {0}")]
    Io(#[from] io::Error),
}

/// A session that is listed, as long as this is there. What it was is removed when it is dropped.
#[derive(Debug)]
pub struct Registration {
    record: Record,
    token: String,
    entry: PathBuf,
    is_listed: AtomicBool,
    // Dropped in this order: the socket, what is beside it, and the lock.
    listener: Listener,
    files: OwnFiles,
    lock: File,
}

impl Registration {
    /// What is listed.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// What a client has to say to be let in.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Waits for the next client that connects, which is a process of this user. Cancel safe.
    ///
    /// # Errors
    /// As [`Listener::accept`]; the next one may do better.
    pub async fn accept(&self) -> io::Result<(StdinStream, StdoutStream)> {
        self.listener.accept_halves().await
    }

    /// Takes the session off the list: nobody finds it any more, and its name is free. Those that
    /// found it before are served.
    pub fn withdraw(&self) {
        // What is not this session's entry was put there after somebody removed that.
        if self.is_listed.swap(false, Ordering::Relaxed)
            && pty::is_file_at(&self.lock, &self.entry).is_ok_and(|is_same| is_same)
        {
            // By this name the files of a host that is killed now are found.
            let _ = std::fs::rename(&self.entry, &self.files.0.draft);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// The files of one session beside its entry, which go when this is dropped.
#[derive(Debug)]
struct OwnFiles(Files);

impl Drop for OwnFiles {
    fn drop(&mut self) {
        self.0.remove();
    }
}

/// A registration before the entry has its name.
#[derive(Debug)]
pub(super) struct Draft(Registration);

impl Draft {
    /// Makes all the files of a session: the lock first, then what it stands for.
    pub(super) fn new(place: &Path, record: Record) -> io::Result<Draft> {
        let entry = record.name.entry_in(place);
        let token = token()?;
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..MOST_IDS {
            let id = Id::random()?;
            match make(&Files::new(place, &id), &id, &record, &token) {
                Ok((listener, files, lock)) => {
                    let is_listed = AtomicBool::new(false);
                    return Ok(Draft(Registration {
                        record,
                        token,
                        entry,
                        is_listed,
                        listener,
                        files,
                        lock,
                    }));
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::AlreadyExists
                    | io::ErrorKind::AddrInUse
                    | io::ErrorKind::WouldBlock => last = error,
                    _ => return Err(error),
                },
            }
        }
        Err(last)
    }

    /// Gives the entry its name.
    ///
    /// # Errors
    /// `AlreadyExists` when there is a file of that name; `NotFound` when somebody removed this
    /// one's.
    pub(super) fn publish(&self) -> io::Result<()> {
        std::fs::hard_link(&self.0.files.0.draft, &self.0.entry)
    }

    /// The registration of one that was published.
    pub(super) fn published(self) -> Registration {
        let Draft(registration) = self;
        let _ = std::fs::remove_file(&registration.files.0.draft);
        registration.is_listed.store(true, Ordering::Relaxed);
        registration
    }
}

/// Makes the files of a session.
///
/// # Errors
/// `AlreadyExists`, `AddrInUse` or `WouldBlock` when another has this id, or took the new file for
/// one that was left.
fn make(
    files: &Files,
    id: &Id,
    record: &Record,
    token: &str,
) -> io::Result<(Listener, OwnFiles, File)> {
    let mut lock = pty::create_private_file(&files.draft)?;
    pty::try_lock_file(&lock, Lock::Exclusive)?;
    if !pty::is_file_at(&lock, &files.draft).is_ok_and(|is_same| is_same) {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    let listener = match Listener::bind(&files.socket) {
        Ok(listener) => listener,
        Err(error) => {
            // The others of this id are another's.
            let _ = std::fs::remove_file(&files.draft);
            return Err(error);
        }
    };
    let own = OwnFiles(files.clone());
    pty::create_private_file(&files.token)?.write_all(token.as_bytes())?;
    let stored = Stored { id: id.clone(), record: record.clone() };
    lock.write_all(&serde_json::to_vec(&stored)?)?;
    Ok((listener, own, lock))
}

/// 128 bits from the operating system's generator, in hexadecimal.
fn token() -> io::Result<String> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bits)))
}
