//! Where a path leads: looked up by the supervisor itself, which then holds what it found.
//!
//! The kernel's own links (`/proc/self/fd/3`) are not followed: they lead elsewhere for the
//! supervisor than for the one that asks.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2},
    io::{Errno, Result},
};

use super::caller::{Caller, means_directory, own_descriptor, path_of};

/// A name in a directory, which is held.
#[derive(Debug)]
pub(super) struct Entry {
    /// The directory.
    pub(super) directory: OwnedFd,
    /// The path of that, without links.
    pub(super) real: PathBuf,
    /// The name in it.
    pub(super) name: OsString,
    /// Whether the name stood with a slash behind it.
    pub(super) means_directory: bool,
}

impl Entry {
    /// The path of the entry itself.
    pub(super) fn path(&self) -> PathBuf {
        self.real.join(&self.name)
    }

    /// What has that name, a link itself if it is one.
    pub(super) fn open(&self) -> Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat2(&self.directory, &self.name, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS)
    }

    /// Whether there is anything of that name.
    pub(super) fn exists(&self) -> bool {
        self.open().is_ok()
    }
}

/// The entry that a path means, given as `argument` and relative to `descriptor`; `None` for one that
/// ends in a directory by way of `.`, `..` or the root, or leads by way of a link of the kernel's own.
/// Those are the kernel's matter: it changes no directory by such a name, and where only the
/// supervisor writes, Landlock refuses whatever the link leads to.
pub(super) fn entry(caller: Caller<'_>, descriptor: i32, argument: usize) -> Result<Option<Entry>> {
    let path = caller.path(argument)?;
    if path.is_empty() {
        return Err(Errno::NOENT);
    }
    let path = path_of(&path);
    entry_in(&start(caller, descriptor, &path)?, &path)
}

/// The entry that a path means from a directory on, as [`entry`] has it.
pub(super) fn entry_in(from: &OwnedFd, path: &Path) -> Result<Option<Entry>> {
    let bytes = path.as_os_str().as_bytes();
    let without = bytes.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    let (front, name) = match bytes[..without].iter().rposition(|&byte| byte == b'/') {
        Some(slash) => bytes[..without].split_at(slash + 1),
        None => (b".".as_slice(), &bytes[..without]),
    };
    if matches!(name, b"" | b"." | b"..") {
        return Ok(None);
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let front = OsStr::from_bytes(front);
    let directory = match openat2(from, front, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS) {
        // One of the kernel's own links, or too many links.
        Err(Errno::LOOP) => return Ok(None),
        directory => directory?,
    };
    let real = real_path(&directory)?;
    let name = OsStr::from_bytes(name).to_owned();
    Ok(Some(Entry { directory, real, name, means_directory: means_directory(path) }))
}

/// What a path leads to, given as `argument` and relative to `descriptor`: a link at its end is
/// followed if `follow`; an empty one means the descriptor's own if `allow_empty`.
pub(super) fn file(
    caller: Caller<'_>,
    (descriptor, argument): (i32, usize),
    follow: bool,
    allow_empty: bool,
) -> Result<OwnedFd> {
    let path = caller.path(argument)?;
    if path.is_empty() {
        let refused = Err(Errno::NOENT);
        return if allow_empty { caller.directory(descriptor) } else { refused };
    }
    let path = path_of(&path);
    if let Some(number) = own_descriptor(&path).filter(|_| follow) {
        return caller.descriptor(number);
    }
    let nofollow = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = OFlags::PATH | OFlags::CLOEXEC | nofollow;
    let from = start(caller, descriptor, &path)?;
    openat2(from, &path, flags, Mode::empty(), ResolveFlags::NO_MAGICLINKS)
}

/// The directory from which a path is looked up.
pub(super) fn start(caller: Caller<'_>, descriptor: i32, path: &Path) -> Result<OwnedFd> {
    if path.is_absolute() {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        return rustix::fs::openat(CWD, "/", flags, Mode::empty());
    }
    caller.directory(descriptor)
}

/// The path of what is held, without links, as it is now.
pub(super) fn real_path(file: impl AsFd) -> Result<PathBuf> {
    fs::read_link(held(file)).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// A path that means what is held, and nothing else.
pub(super) fn held(file: impl AsFd) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_fd().as_raw_fd()).into()
}

/// What kind of file is held.
pub(super) fn kind(file: impl AsFd) -> Result<FileType> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode))
}
