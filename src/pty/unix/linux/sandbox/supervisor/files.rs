//! Files that are opened.

use std::{
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::{
    fs::{FileType, Mode, OFlags, fstat, ftruncate, open, openat, readlinkat},
    io::{Errno, Result},
};

use super::{
    REFUSED, Supervisor, Verdict,
    apart::Waiting,
    caller::{Caller, own_descriptor, path_of},
    git::Deed,
    identity,
    lookup::{self, Entry, held, real_path},
    notify::Answer,
};
use crate::pty::unix::linux::sandbox::places::Reach;

/// How many links are followed at the end of a path, as in the kernel.
const MOST_LINKS: usize = 40;

/// What an open is asked to do.
#[derive(Debug, Clone, Copy)]
struct Open {
    flags: i32,
    /// The argument that is the mode of a file to be made.
    mode: usize,
}

impl Open {
    fn has(self, flag: i32) -> bool {
        self.flags & flag == flag
    }

    fn changes(self) -> bool {
        let changing = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;
        self.flags & changing != 0
    }

    /// The flags for the supervisor's own open, which gets no controlling terminal and leaves no
    /// descriptor to programs of the server's.
    fn with(self, more: i32, less: i32) -> OFlags {
        let own = libc::O_CLOEXEC | libc::O_NOCTTY;
        OFlags::from_bits_retain(((self.flags | more | own) & !less).cast_unsigned())
    }

    fn gives(self, file: OwnedFd) -> Answer {
        Answer::File { file, close_on_exec: self.has(libc::O_CLOEXEC) }
    }
}

impl Supervisor {
    /// Opens a file, the path of which is `argument`; `None` where another thread answers.
    pub(super) fn open(
        &self,
        caller: Caller<'_>,
        directory: i32,
        argument: usize,
        flags: i32,
        mode: usize,
    ) -> Result<Option<Answer>> {
        let how = Open { flags, mode };
        if how.has(libc::O_PATH) {
            return Ok(Some(Answer::Continue));
        }
        let mut path = path_of(&caller.path(argument)?);
        if path.as_os_str().is_empty() {
            return Err(Errno::NOENT);
        }
        // Most are read far from all that is hidden. A link that leads there by its text is the kernel's
        // matter, which may refuse what is new there.
        if !how.changes() && path.is_absolute() && !self.places.is_beside_hidden(&path) {
            return Ok(Some(Answer::Continue));
        }
        if let Some(number) = own_descriptor(&path).filter(|_| !how.has(libc::O_NOFOLLOW)) {
            return self.open_held(caller, caller.descriptor(number)?, how);
        }
        let mut from = lookup::start(caller, directory, &path)?;
        if how.has(libc::O_TMPFILE) {
            return self.open_unnamed(caller, &from, &path, how).map(Some);
        }
        for _ in 0..MOST_LINKS {
            // What names a directory can't be opened to be written, and can be read anyway.
            let Some(entry) = lookup::entry_in(&from, &path)? else {
                return Ok(Some(Answer::Continue));
            };
            // The links there are the kernel's own: for the caller they lead elsewhere.
            if entry.real.starts_with("/proc") {
                return Ok(Some(Answer::Continue));
            }
            match entry.open() {
                Err(Errno::NOENT) => match self.create(caller, &entry, how)? {
                    Some(answer) => return Ok(Some(answer)),
                    // It is there now.
                    None => continue,
                },
                Err(error) => return Err(error),
                Ok(found) if lookup::kind(&found)? == FileType::Symlink => {
                    if how.has(libc::O_NOFOLLOW) || how.has(libc::O_CREAT | libc::O_EXCL) {
                        return Ok(Some(Answer::Continue));
                    }
                    let link = readlinkat(&found, "", Vec::new())?;
                    path = path_of(&link);
                    if entry.means_directory {
                        path.push("");
                    }
                    from = entry.directory;
                }
                Ok(_) if how.has(libc::O_CREAT | libc::O_EXCL) => return Err(Errno::EXIST),
                Ok(found) => return self.open_held(caller, found, how),
            }
        }
        Err(Errno::LOOP)
    }

    /// Opens what there is.
    fn open_held(&self, caller: Caller<'_>, found: OwnedFd, how: Open) -> Result<Option<Answer>> {
        let real = real_path(&found)?;
        if how.changes() {
            if !self.places.is_supervised(&real) {
                return Ok(Some(Answer::Continue));
            }
            self.check_write(&found, &real)?;
        } else {
            let is_allowed = match self.places.reach(&real) {
                Reach::Hidden => false,
                // What can be written as a whole, the kernel has read, too.
                Reach::Write => self.places.is_supervised(&real),
                Reach::Read | Reach::Protected => true,
            };
            if !is_allowed || !self.places.is_beside_hidden(&real) {
                return Ok(Some(Answer::Continue));
            }
        }
        let reopened = how.with(0, libc::O_CREAT | libc::O_EXCL | libc::O_NOFOLLOW);
        match lookup::kind(&found)? {
            FileType::RegularFile => {
                let file =
                    identity::changing(caller, || open(held(&found), reopened, Mode::empty()))?;
                Ok(Some(how.gives(file)))
            }
            FileType::Fifo if how.has(libc::O_NONBLOCK) || how.has(libc::O_RDWR) => {
                let file =
                    identity::changing(caller, || open(held(&found), reopened, Mode::empty()))?;
                Ok(Some(how.gives(file)))
            }
            FileType::Fifo => {
                let found = Arc::new(found);
                let waiting = Waiting::Fifo(found.clone());
                let identity = caller.identity()?;
                self.apart.answer(caller.request.id, waiting, move || {
                    let opened = || open(held(&found), reopened, Mode::empty());
                    identity::as_user(&identity, opened).map(|file| how.gives(file))
                })?;
                Ok(None)
            }
            // Landlock allows no device here, and the kernel gives all else its own answer.
            _ => Ok(Some(Answer::Continue)),
        }
    }

    /// Makes a file; `None` when there is one meanwhile.
    fn create(&self, caller: Caller<'_>, entry: &Entry, how: Open) -> Result<Option<Answer>> {
        if !how.has(libc::O_CREAT) {
            return Err(Errno::NOENT);
        }
        match self.judge_entry(entry) {
            Verdict::Leave => return Ok(Some(Answer::Continue)),
            Verdict::Refuse => return Err(REFUSED),
            Verdict::Act if entry.means_directory => return Err(Errno::ISDIR),
            // What is protected in a directory of this name is none in another's.
            Verdict::Act if self.places.guards_below(&entry.path()) => return Err(REFUSED),
            Verdict::Act if self.git_obeys(&entry.path(), Deed::Make) => return Err(REFUSED),
            Verdict::Act => {}
        }
        let flags = how.with(libc::O_EXCL | libc::O_NOFOLLOW, 0);
        let mode = Mode::from_raw_mode(caller.number(how.mode).cast_unsigned() & 0o7777);
        let made = identity::making(caller, || openat(&entry.directory, &entry.name, flags, mode));
        match made {
            Err(Errno::EXIST) if !how.has(libc::O_EXCL) => Ok(None),
            made => made.map(|file| Some(how.gives(file))),
        }
    }

    /// Makes a file without a name.
    fn open_unnamed(
        &self,
        caller: Caller<'_>,
        from: &OwnedFd,
        path: &PathBuf,
        how: Open,
    ) -> Result<Answer> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = rustix::fs::ResolveFlags::NO_MAGICLINKS;
        let directory = rustix::fs::openat2(from, path, flags, Mode::empty(), resolve)?;
        let real = real_path(&directory)?;
        if !self.places.is_supervised(&real) {
            return Ok(Answer::Continue);
        }
        if self.places.reach(&real) != Reach::Write {
            return Err(REFUSED);
        }
        let mode = Mode::from_raw_mode(caller.number(how.mode).cast_unsigned() & 0o7777);
        let flags = how.with(0, libc::O_NOFOLLOW);
        identity::making(caller, || openat(&directory, ".", flags, mode))
            .map(|file| how.gives(file))
    }

    /// truncate(2): the path, and a length.
    pub(super) fn truncate(&self, caller: Caller<'_>) -> Result<Answer> {
        let found = lookup::file(caller, (libc::AT_FDCWD, 0), true, false)?;
        let real = real_path(&found)?;
        if !self.places.is_supervised(&real) {
            return Ok(Answer::Continue);
        }
        self.check_write(&found, &real)?;
        if lookup::kind(&found)? != FileType::RegularFile {
            return Ok(Answer::Continue);
        }
        let length = caller.request.arguments[1];
        identity::changing(caller, || {
            let file = open(held(&found), OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
            ftruncate(file, length)
        })?;
        Ok(Answer::Done)
    }

    /// Refuses to have a file written that must not be, where the supervisor writes.
    fn check_write(&self, found: &OwnedFd, real: &Path) -> Result<()> {
        let is_allowed = self.places.reach(real) == Reach::Write
            && !self.git_obeys(real, Deed::Write)
            && (lookup::kind(found)? != FileType::RegularFile
                || !self.links.may_lead_outside(found)?);
        if is_allowed { Ok(()) } else { Err(REFUSED) }
    }

    /// Whether a file that is held may be changed itself: its mode, its owner, its other names.
    pub(super) fn may_change(&self, file: &OwnedFd) -> Result<bool> {
        // What has no name is reached by those alone that hold it: pipes, memory, deleted files.
        if fstat(file)?.st_nlink == 0 {
            return Ok(true);
        }
        let real = real_path(file)?;
        if real.is_absolute() {
            return Ok(self.places.reach(&real) == Reach::Write);
        }
        // Those of pipes and sockets are none. One without a way to it from the root is none of theirs.
        Ok(!matches!(lookup::kind(file)?, FileType::RegularFile | FileType::Directory))
    }
}
