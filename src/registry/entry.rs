//! A session in the run-time directory, as others see it.

use std::{
    fmt,
    fs::{File, TryLockError},
    io::{self, Read},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use mcp_repl_control::{Identity, Sandbox};
use serde::{Deserialize, Serialize};

use super::SessionName;
use crate::pty::{self, Lock, StdinStream, StdoutStream};

/// What the file of an entry without a name ends with.
pub(super) const DRAFT: &str = ".new";
/// The longest entry, in bytes: a path has 4096 at most.
const LONGEST_ENTRY: usize = 64 * 1024;
/// The longest token, in bytes.
const LONGEST_TOKEN: usize = 256;

/// What is listed of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name.
    pub name: SessionName,
    /// The working directory it was started in.
    pub directory: String,
    /// For whom it was started; `None` when somebody named it.
    #[serde(default)]
    pub identity: Option<Identity>,
    /// The process of its host, in the host's name space.
    pub host_pid: u32,
    /// When it was started, in milliseconds since 1970-01-01 UTC.
    pub started_ms: u64,
    /// What its program may reach, where that is not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<Sandbox>,
}

/// What is in the file of an entry.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) id: Id,
    #[serde(flatten)]
    pub(super) record: Record,
}

/// What the files of one session have in their names: eight hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Id(String);

impl Id {
    /// One that most likely nobody has.
    pub(super) fn random() -> io::Result<Id> {
        let mut bits = [0; 4];
        getrandom::fill(&mut bits)?;
        Ok(Id(format!("{:08x}", u32::from_ne_bytes(bits))))
    }
}

impl FromStr for Id {
    type Err = &'static str;

    fn from_str(id: &str) -> Result<Id, &'static str> {
        let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        match id.len() == 8 && id.bytes().all(is_digit) {
            true => Ok(Id(id.to_owned())),
            false => Err("an id has eight hexadecimal digits"),
        }
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(id: String) -> Result<Id, &'static str> {
        id.parse()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> String {
        id.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The files of one session beside its entry.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) socket: PathBuf,
    pub(super) token: PathBuf,
    pub(super) draft: PathBuf,
}

impl Files {
    pub(super) fn new(place: &Path, id: &Id) -> Files {
        Files {
            socket: place.join(format!("{id}.sock")),
            token: place.join(format!("{id}.token")),
            draft: place.join(format!("{id}{DRAFT}")),
        }
    }

    /// The draft, if its host is gone and has left that. As long as it is held, no other host
    /// takes it for its own.
    pub(super) fn left(&self) -> Option<File> {
        let draft = pty::open_own_file(&self.draft).ok()?;
        pty::try_lock_file(&draft, Lock::Shared).is_ok().then_some(draft)
    }

    /// Removes them, the one by which others are found last.
    pub(super) fn remove(&self) {
        for file in [&self.socket, &self.token, &self.draft] {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// What is found at the file of an entry.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    /// Its host holds the lock.
    Living(Box<Entry>),
    /// Nobody holds the lock. The id is missing where a crash of the system left an empty file.
    Stale(File, Option<Id>),
    /// Something else, which is left alone.
    Foreign,
}

impl Found {
    /// Looks at the entry of this name. Follows no link, waits for nothing, and keeps nobody from
    /// anything: the lock that it tries is one that many can have, and a host has its own before
    /// the entry has its name.
    pub(super) fn at(place: &Path, name: &SessionName) -> Found {
        let mut file = match pty::open_own_file(&name.entry_in(place)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Found::Nothing,
            Err(_) => return Found::Foreign,
        };
        let is_locked = match pty::try_lock_file(&file, Lock::Shared) {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => return Found::Foreign,
        };
        let Ok(text) = read_at_most(&mut file, LONGEST_ENTRY) else { return Found::Foreign };
        let stored = serde_json::from_slice::<Stored>(&text).ok();
        match stored.filter(|stored| stored.record.name == *name) {
            Some(Stored { id, record }) if is_locked => {
                Found::Living(Box::new(Entry { files: Files::new(place, &id), record }))
            }
            Some(Stored { id, .. }) => Found::Stale(file, Some(id)),
            None if text.is_empty() && !is_locked => Found::Stale(file, None),
            None => Found::Foreign,
        }
    }
}

/// A session that lives, or did so a moment ago.
#[derive(Debug, Clone)]
pub struct Entry {
    record: Record,
    files: Files,
}

impl Entry {
    /// What is listed of it.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// What a client has to say to be let in.
    ///
    /// # Errors
    /// When it can't be read: the session has ended, or this program is kept out.
    pub fn token(&self) -> io::Result<String> {
        let text = read_at_most(&mut pty::open_own_file(&self.files.token)?, LONGEST_TOKEN)?;
        String::from_utf8(text).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    /// Connects to its host.
    ///
    /// # Errors
    /// `NotFound` or `ConnectionRefused` when it has ended; others as the system gives them.
    pub async fn connect(&self) -> io::Result<(StdinStream, StdoutStream)> {
        pty::connect(&self.files.socket).await
    }

    /// Waits until its host holds the entry no more, or for so long: one that is killed closes its
    /// files one after the other, and may refuse connections before.
    pub async fn left_within(&self, time: Duration) {
        let Some(place) = self.files.socket.parent() else { return };
        let Found::Living(entry) = Found::at(place, &self.record.name) else { return };
        let Ok(file) = pty::open_own_file(&self.record.name.entry_in(place)) else { return };
        if entry.record == self.record {
            let left = tokio::task::spawn_blocking(move || pty::lock_file(&file, Lock::Shared));
            let _ = tokio::time::timeout(time, left).await;
        }
    }

    /// Kills its host; what that started is ended by its guard.
    ///
    /// # Errors
    /// As [`Entry::connect`].
    pub async fn kill(&self) -> io::Result<()> {
        pty::kill_listener(&self.files.socket).await
    }
}

/// All of a file, which has no more than so many bytes.
fn read_at_most(file: &mut File, limit: usize) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut text)?;
    if text.len() > limit { Err(io::ErrorKind::InvalidData.into()) } else { Ok(text) }
}
