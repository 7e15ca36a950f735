//! Files with more than one name: what has a name outside of the sandbox is changed there, too, when it is
//! written here. Where the other names are can't be found out, so that only those files are written of
//! which all names were made in this sandbox.

use std::{cell::RefCell, collections::HashSet, os::fd::AsFd};

use rustix::{
    fs::{AtFlags, StatxFlags, statx},
    io::Result,
};

/// A file: its file system, its number there, and when it was made, since numbers are used again.
type File = (u32, u32, u64, i64, u32);

/// The files that were given a further name by programs of the sandbox when they had one at most.
#[derive(Debug, Default)]
pub(super) struct Links(RefCell<HashSet<File>>);

impl Links {
    /// Whether a file may have a name outside of the sandbox, beside the one by which it is held.
    ///
    /// # Errors
    /// None that a kernel is known to give.
    pub(super) fn may_lead_outside(&self, file: impl AsFd) -> Result<bool> {
        let (file, names) = identify(file)?;
        Ok(names > 1 && !self.0.borrow().contains(&file))
    }

    /// Notes that a file gets a further name.
    ///
    /// # Errors
    /// None that a kernel is known to give.
    pub(super) fn add(&self, file: impl AsFd) -> Result<()> {
        let (file, names) = identify(file)?;
        if names <= 1 {
            self.0.borrow_mut().insert(file);
        }
        Ok(())
    }
}

/// Which file it is, and how many names it has.
fn identify(file: impl AsFd) -> Result<(File, u32)> {
    let wanted = StatxFlags::INO | StatxFlags::NLINK | StatxFlags::BTIME;
    let found = statx(file, "", AtFlags::EMPTY_PATH, wanted)?;
    let made = found.stx_btime;
    let file = (found.stx_dev_major, found.stx_dev_minor, found.stx_ino, made.tv_sec, made.tv_nsec);
    Ok((file, found.stx_nlink))
}
