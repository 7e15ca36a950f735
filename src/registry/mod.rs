//! The sessions of this user on this machine: their names, the run-time directory that lists them,
//! and the start of a host.
//!
//! ```text
//! name          what a session may be called
//! place         the run-time directory
//! entry         one session in it, as others see it
//! registration  the same, as its host holds it
//! start         a host is started, and says how that went
//! ```
//!
//! Beside each other in the run-time directory, with an id of eight hexadecimal digits, which keeps
//! the path of a socket short:
//!
//! | file | what it is |
//! | --- | --- |
//! | `NAME.session` | the entry, JSON; its host holds an exclusive lock on it ([`pty::lock_file`]) |
//! | `ID.sock` | where clients connect |
//! | `ID.token` | what a client has to say, so that a program that can't read it is kept out |
//! | `ID.new` | the entry before it has its name, and after it lost that |
//! | `.lock` | held while somebody removes what is stale |
//!
//! A host makes `ID.new` and locks it, listens, writes the token, and gives the whole entry its name
//! by link(2), which fails if there is one. So an entry that is locked has somebody who listens, and
//! one that is not is what a host left that was killed: the kernel says so, and no time or process
//! number does. Whoever finds it removes it, under `.lock`: two that looked at the same time would
//! else take away what was put in its place.

mod entry;
mod name;
mod place;
mod registration;
mod start;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

pub use self::{
    entry::{Entry, Record},
    name::{NameError, SessionName},
    place::{RegistryError, VARIABLE},
    registration::{RegisterError, Registration},
    start::{StartAnswer, StartError, StartRequest, Started, start_host},
};
use self::{
    entry::{Files, Found, Id},
    registration::Draft,
};
use crate::pty::{self, Lock};

/// The file that is locked while somebody removes what is stale.
const LOCK: &str = ".lock";

/// How often it is tried to list a session. Each time another one was faster, and is gone.
const MOST_TRIES: usize = 100;

/// The sessions of this user on this machine.
#[derive(Debug, Clone)]
pub struct Registry {
    place: PathBuf,
}

impl Registry {
    /// Finds the run-time directory, or makes it.
    ///
    /// # Errors
    /// When it can't be made, or others could get at it.
    pub fn open() -> Result<Registry, RegistryError> {
        place::of_process().and_then(|place| Registry::in_directory(&place))
    }

    /// Where the run-time directory is, or would be made.
    ///
    /// # Errors
    /// When it has no whole path.
    pub fn place() -> Result<PathBuf, RegistryError> {
        place::of_process()
    }

    /// The same in a directory of one's own choice.
    ///
    /// # Errors
    /// As [`Registry::open`].
    pub fn in_directory(place: &Path) -> Result<Registry, RegistryError> {
        place::make(place)?;
        Ok(Registry { place: place.to_owned() })
    }

    /// The run-time directory.
    pub fn path(&self) -> &Path {
        &self.place
    }

    /// The sessions that live, by their names. Removes what others left.
    pub fn entries(&self) -> Vec<Entry> {
        let (mut living, mut left) = (Vec::new(), Vec::new());
        for file in std::fs::read_dir(&self.place).into_iter().flatten().flatten() {
            let Some(file) = file.file_name().to_str().and_then(Named::read) else { continue };
            match file {
                Named::Entry(name) => match Found::at(&self.place, &name) {
                    Found::Living(entry) => living.push(*entry),
                    Found::Stale(..) => left.push(Named::Entry(name)),
                    Found::Nothing | Found::Foreign => {}
                },
                Named::Draft(id) => {
                    if Files::new(&self.place, &id).left().is_some() {
                        left.push(Named::Draft(id));
                    }
                }
            }
        }
        // Who holds it removes the same.
        if !left.is_empty()
            && let Ok(lock) = pty::open_or_create_own_file(&self.place.join(LOCK))
            && pty::try_lock_file(&lock, Lock::Exclusive).is_ok()
        {
            left.iter().for_each(|file| self.remove_left(file, &lock));
        }
        living.sort_by(|one, other| one.record().name.cmp(&other.record().name));
        living
    }

    /// The session of this name, if it lives.
    pub fn find(&self, name: &SessionName) -> Option<Entry> {
        match Found::at(&self.place, name) {
            Found::Living(entry) => Some(*entry),
            Found::Nothing | Found::Stale(..) | Found::Foreign => None,
        }
    }

    /// Whether a session of this name can be started: there is none, and no other file is in the way.
    pub fn is_free(&self, name: &SessionName) -> bool {
        matches!(Found::at(&self.place, name), Found::Nothing | Found::Stale(..))
    }

    /// Lists a session whose host this process is, with a socket that is listened on. To be called
    /// in the running event loop.
    ///
    /// # Errors
    /// [`RegisterError::Taken`] when there is one of this name; others when its files can't be
    /// made.
    pub fn register(&self, record: Record) -> Result<Registration, RegisterError> {
        for _ in 0..MOST_TRIES {
            let draft = Draft::new(&self.place, record.clone())?;
            for _ in 0..MOST_TRIES {
                match draft.publish() {
                    Ok(()) => return Ok(draft.published()),
                    Err(error) => match error.kind() {
                        io::ErrorKind::AlreadyExists => {}
                        // Somebody took it for left in the moment before it was locked.
                        io::ErrorKind::NotFound => break,
                        _ => return Err(error.into()),
                    },
                }
                match Found::at(&self.place, &record.name) {
                    Found::Living(_) => return Err(RegisterError::Taken),
                    Found::Foreign => {
                        let path = record.name.entry_in(&self.place);
                        return Err(RegisterError::InTheWay { path });
                    }
                    Found::Stale(..) => {
                        let lock = pty::open_or_create_own_file(&self.place.join(LOCK))?;
                        pty::lock_file(&lock, Lock::Exclusive)?;
                        self.remove_left(&Named::Entry(record.name.clone()), &lock);
                    }
                    Found::Nothing => {}
                }
            }
        }
        let error = io::Error::other("what is left of another can't be removed");
        Err(RegisterError::Io(error))
    }

    /// Removes what is left of a session, if it still is; the file that tells of it last, so that
    /// what can't be removed now is found again. With the lock nobody else removes what is stale,
    /// and as long as that is there, nothing else can be put in its place.
    fn remove_left(&self, file: &Named, _lock: &File) {
        match file {
            Named::Entry(name) => {
                let path = name.entry_in(&self.place);
                if let Found::Stale(held, id) = Found::at(&self.place, name)
                    && pty::is_file_at(&held, &path).is_ok_and(|is_same| is_same)
                {
                    if let Some(id) = id {
                        Files::new(&self.place, &id).remove();
                    }
                    let _ = std::fs::remove_file(path);
                }
            }
            Named::Draft(id) => {
                let files = Files::new(&self.place, id);
                if let Some(_held) = files.left() {
                    files.remove();
                }
            }
        }
    }
}

/// What a file in the run-time directory is by its name.
#[derive(Debug)]
enum Named {
    Entry(SessionName),
    Draft(Id),
}

impl Named {
    fn read(file: &str) -> Option<Named> {
        if let Some(name) = file.strip_suffix(name::ENTRY) {
            return name.parse().ok().map(Named::Entry);
        }
        file.strip_suffix(entry::DRAFT).and_then(|id| id.parse().ok()).map(Named::Draft)
    }
}

#[cfg(test)]
mod tests;
