//! Names in directories: made, removed, renamed.

use rustix::{
    fs::{
        AtFlags, CWD, FileType, Mode, RenameFlags, linkat, mkdirat, mknodat, renameat_with,
        symlinkat, unlinkat,
    },
    io::{Errno, Result},
};

use super::{
    REFUSED, Supervisor, Verdict,
    caller::Caller,
    git::Deed,
    identity,
    lookup::{self, Entry, held, real_path},
    notify::Answer,
};

/// The descriptor that a path is relative to, and the argument that is the path.
type Path = (i32, usize);

/// What is done with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It is given to something new that is no directory.
    Make,
    /// It is given to an empty directory.
    MakeDirectory,
    /// It is taken away.
    Remove,
    /// It is given to something else, or taken by it.
    Rename,
}

impl Supervisor {
    pub(super) fn make_directory(
        &self,
        caller: Caller<'_>,
        path: Path,
        mode: i32,
    ) -> Result<Answer> {
        let mode = Mode::from_raw_mode(mode.cast_unsigned() & 0o7777);
        self.make(caller, path, Change::MakeDirectory, |entry| {
            mkdirat(&entry.directory, &entry.name, mode)
        })
    }

    pub(super) fn make_node(&self, caller: Caller<'_>, path: Path, mode: i32) -> Result<Answer> {
        let mode = mode.cast_unsigned();
        let kind = match mode & libc::S_IFMT {
            0 | libc::S_IFREG => FileType::RegularFile,
            libc::S_IFIFO => FileType::Fifo,
            libc::S_IFSOCK => FileType::Socket,
            _ => return Err(Errno::PERM),
        };
        let mode = Mode::from_raw_mode(mode & 0o7777);
        self.make(caller, path, Change::Make, |entry| {
            mknodat(&entry.directory, &entry.name, kind, mode, 0)
        })
    }

    /// A symbolic link, whatever it leads to.
    pub(super) fn make_link(&self, caller: Caller<'_>, to: usize, path: Path) -> Result<Answer> {
        let to = caller.path(to)?;
        self.make(caller, path, Change::Make, |entry| symlinkat(&to, &entry.directory, &entry.name))
    }

    pub(super) fn hard_link(
        &self,
        caller: Caller<'_>,
        (from_directory, from): Path,
        to: Path,
        flags: i32,
    ) -> Result<Answer> {
        let follow = flags & libc::AT_SYMLINK_FOLLOW != 0;
        let may_be_empty = flags & libc::AT_EMPTY_PATH != 0;
        let file = lookup::file(caller, (from_directory, from), follow, may_be_empty)?;
        // Also where the kernel decides about the new name, it does so about the old one.
        self.make(caller, to, Change::Make, |entry| {
            if !self.may_change(&file)? || self.git_obeys(&real_path(&file)?, Deed::Write) {
                return Err(REFUSED);
            }
            self.links.add(&file)?;
            linkat(CWD, held(&file), &entry.directory, &entry.name, AtFlags::SYMLINK_FOLLOW)
        })
    }

    pub(super) fn remove(
        &self,
        caller: Caller<'_>,
        (directory, path): Path,
        is_directory: bool,
    ) -> Result<Answer> {
        let Some(entry) = lookup::entry(caller, directory, path)? else {
            return Ok(Answer::Continue);
        };
        match self.judge_change(&entry, Change::Remove)? {
            Verdict::Leave => return Ok(Answer::Continue),
            Verdict::Refuse => return Err(REFUSED),
            Verdict::Act => {}
        }
        let flags = if is_directory { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        identity::changing(caller, || unlinkat(&entry.directory, &entry.name, flags))?;
        Ok(Answer::Done)
    }

    pub(super) fn rename(
        &self,
        caller: Caller<'_>,
        (from_directory, from): Path,
        (to_directory, to): Path,
        flags: u32,
    ) -> Result<Answer> {
        let flags = RenameFlags::from_bits_retain(flags);
        if flags.contains(RenameFlags::WHITEOUT) {
            return Err(Errno::PERM);
        }
        let from = lookup::entry(caller, from_directory, from)?;
        let to = lookup::entry(caller, to_directory, to)?;
        let (Some(from), Some(to)) = (from, to) else { return Ok(Answer::Continue) };
        let verdicts =
            [self.judge_change(&from, Change::Rename)?, self.judge_change(&to, Change::Rename)?];
        if verdicts == [Verdict::Leave; 2] {
            return Ok(Answer::Continue);
        }
        if !from.exists() {
            return Err(Errno::NOENT);
        }
        // With one end in what the supervisor writes, the other one is its matter, too.
        let may_write = |entry: &Entry| self.may_write(entry);
        if verdicts.contains(&Verdict::Refuse) || !may_write(&from) || !may_write(&to) {
            return Err(REFUSED);
        }
        let mut puts_settings = self.moves_settings(&from, &to)?;
        if flags.contains(RenameFlags::EXCHANGE) {
            puts_settings |= self.moves_settings(&to, &from)?;
        }
        if puts_settings {
            self.put_settings(caller, &from, &to, flags)?;
            return Ok(Answer::Done);
        }
        identity::changing(caller, || {
            renameat_with(&from.directory, &from.name, &to.directory, &to.name, flags)
        })?;
        Ok(Answer::Done)
    }

    fn make(
        &self,
        caller: Caller<'_>,
        (directory, path): Path,
        change: Change,
        act: impl FnOnce(&Entry) -> Result<()>,
    ) -> Result<Answer> {
        let Some(entry) = lookup::entry(caller, directory, path)? else {
            return Ok(Answer::Continue);
        };
        match self.judge_change(&entry, change)? {
            Verdict::Leave => return Ok(Answer::Continue),
            // As the kernel has it: `mkdir -p` wants to know.
            Verdict::Refuse if entry.exists() => return Err(Errno::EXIST),
            Verdict::Refuse => return Err(REFUSED),
            Verdict::Act => {}
        }
        if entry.means_directory && change == Change::Make {
            return Err(if entry.exists() { Errno::EXIST } else { Errno::NOENT });
        }
        identity::making(caller, || act(&entry))?;
        Ok(Answer::Done)
    }

    /// What is to be done about a change of a name: as [`Supervisor::judge_entry`] says, but
    /// something protected or hidden must neither come to lie below another name nor come into being
    /// below this one.
    fn judge_change(&self, entry: &Entry, change: Change) -> Result<Verdict> {
        let verdict = self.judge_entry(entry);
        if verdict == Verdict::Act {
            if entry.means_directory && matches!(change, Change::Remove | Change::Rename) {
                // The slash has the kernel follow a link, and refuse what is no directory.
                match entry.open().and_then(lookup::kind) {
                    Ok(FileType::Directory) | Err(_) => {}
                    Ok(_) => return Err(Errno::NOTDIR),
                }
            }
            let whole = matches!(change, Change::Make | Change::Rename);
            if whole && self.places.guards_below(&entry.path()) {
                return Ok(Verdict::Refuse);
            }
            let is_obeyed = match change {
                Change::Make => self.git_obeys(&entry.path(), Deed::Make),
                Change::MakeDirectory => self.git_obeys(&entry.path(), Deed::MakeDirectory),
                // What a rename gives a name to is looked at there.
                Change::Remove | Change::Rename => false,
            };
            if is_obeyed {
                return Ok(Verdict::Refuse);
            }
        }
        Ok(verdict)
    }

    fn may_write(&self, entry: &Entry) -> bool {
        use crate::pty::unix::linux::sandbox::places::Reach::Write;
        self.places.reach(&entry.real) == Write && self.places.reach(&entry.path()) == Write
    }
}
