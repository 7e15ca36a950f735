//! What git obeys ([`crate::sandbox::Guard`]): no program of a sandbox puts it where something can be written.

use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
};

use rustix::{
    fs::{
        AtFlags, FileType, Mode, OFlags, RenameFlags, fchmod, fstat, open, openat, renameat_with,
        unlinkat,
    },
    io::{Errno, Result},
};

use super::{
    REFUSED, Supervisor,
    caller::Caller,
    identity,
    lookup::{self, Entry, held},
};
use crate::sandbox::{GIT_SETTINGS_LONGEST, Guard, are_harmless_git_settings, guard, zone};

/// The name that settings have before they are put in their place.
const CHECKED: &str = "config.checked";

/// What is done with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Something gets it that is no directory, or may be no empty one.
    Make,
    /// An empty directory gets it.
    MakeDirectory,
    /// What has it is written.
    Write,
}

impl Supervisor {
    /// Whether git would obey what is made or written there.
    pub(super) fn git_obeys(&self, path: &Path, deed: Deed) -> bool {
        let has_head = |directory: Option<&Path>| {
            directory.is_some_and(|directory| directory.join("HEAD").symlink_metadata().is_ok())
        };
        match guard(path) {
            Guard::Free => false,
            Guard::Kept | Guard::Settings => true,
            Guard::Directory => deed != Deed::MakeDirectory,
            Guard::NoFile => deed == Deed::Make,
            Guard::BesideHead => has_head(path.parent()),
            Guard::BelowHead => has_head(path.parent().and_then(Path::parent)),
        }
    }

    /// Whether the name that something gets by a rename is that of settings, which are [put
    /// there](Self::put_settings).
    ///
    /// # Errors
    /// When it must not get it, or is a directory that holds what was not looked at for this place:
    /// `EXDEV` where programs copy it then.
    pub(super) fn moves_settings(&self, moved: &Entry, target: &Entry) -> Result<bool> {
        let (old, new) = (moved.path(), target.path());
        if !self.places.is_supervised(&new) {
            return Ok(false);
        }
        let (is_of_another_zone, was_free) =
            (zone(&old) != zone(&new), !self.places.is_supervised(&old));
        if (is_of_another_zone || was_free) && lookup::kind(moved.open()?)? == FileType::Directory {
            return Err(if was_free { Errno::XDEV } else { REFUSED });
        }
        if guard(&new) == Guard::Settings {
            return Ok(true);
        }
        if self.git_obeys(&new, Deed::Make) { Err(REFUSED) } else { Ok(false) }
    }

    /// Puts settings in their place, if they are harmless: a file of their own, which nobody has open.
    pub(super) fn put_settings(
        &self,
        caller: Caller<'_>,
        from: &Entry,
        to: &Entry,
        flags: RenameFlags,
    ) -> Result<()> {
        let found = from.open()?;
        let status = fstat(&found)?;
        let length = u64::try_from(status.st_size).map_err(|_| REFUSED)?;
        let is_file = FileType::from_raw_mode(status.st_mode) == FileType::RegularFile;
        if !is_file
            || length > GIT_SETTINGS_LONGEST
            || !flags.difference(RenameFlags::NOREPLACE).is_empty()
        {
            return Err(REFUSED);
        }
        let errno = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(REFUSED);
        let reading = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = identity::changing(caller, || open(held(&found), reading, Mode::empty()))?;
        let mut text = String::new();
        File::from(file).take(GIT_SETTINGS_LONGEST + 1).read_to_string(&mut text).map_err(errno)?;
        if !are_harmless_git_settings(&text) {
            return Err(REFUSED);
        }
        let directory = &to.directory;
        let making =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        identity::making(caller, || {
            // One of a change that did not come to its end.
            let _ = unlinkat(directory, CHECKED, AtFlags::empty());
            let mut file = File::from(openat(directory, CHECKED, making, Mode::RUSR | Mode::WUSR)?);
            file.write_all(text.as_bytes()).map_err(errno)?;
            fchmod(&file, Mode::from_raw_mode(status.st_mode & 0o777))?;
            let put = renameat_with(directory, CHECKED, directory, &to.name, flags);
            let rest = if put.is_ok() {
                (&from.directory, from.name.as_os_str())
            } else {
                (directory, CHECKED.as_ref())
            };
            let removed = unlinkat(rest.0, rest.1, AtFlags::empty());
            put.and(removed)
        })
    }
}
