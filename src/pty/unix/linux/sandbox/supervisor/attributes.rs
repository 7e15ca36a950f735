//! Mode, owner, times and extended attributes: Landlock knows nothing of them, so that none of these
//! calls is ever left to the kernel, but for what it refuses anyway.

use std::{ffi::CString, os::fd::OwnedFd};

use rustix::{
    fs::{
        AtFlags, FileType, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags, chmod, chownat,
        removexattr, setxattr, utimensat,
    },
    io::{Errno, Result},
};

use super::{
    REFUSED, Supervisor,
    caller::Caller,
    identity,
    lookup::{self, held},
    notify::Answer,
};

/// The most bytes that an extended attribute has (`XATTR_SIZE_MAX`).
const LARGEST_VALUE: usize = 65536;

/// The size of a `struct timespec`, of which utimensat(2) takes two.
const TIME: usize = size_of::<libc::timespec>();

impl Supervisor {
    /// What changes a file that is given by its path or by a descriptor.
    pub(super) fn change_attributes(&self, caller: Caller<'_>) -> Result<Answer> {
        let file = self.subject(caller)?;
        if !self.may_change(&file)? {
            return Err(REFUSED);
        }
        let number = |argument| caller.number(argument).cast_unsigned();
        match caller.request.call {
            libc::SYS_fchmod | libc::SYS_fchmodat => {
                let fd_call = caller.request.call == libc::SYS_fchmod;
                let mode = number(if fd_call { 1 } else { 2 });
                change_mode(caller, &file, mode)?;
            }
            #[cfg(target_arch = "x86_64")]
            libc::SYS_chmod => change_mode(caller, &file, number(1))?,
            libc::SYS_fchown => change_owner(caller, &file, number(1), number(2))?,
            libc::SYS_fchownat => change_owner(caller, &file, number(2), number(3))?,
            #[cfg(target_arch = "x86_64")]
            libc::SYS_chown | libc::SYS_lchown => {
                change_owner(caller, &file, number(1), number(2))?;
            }
            libc::SYS_utimensat => change_times(caller, &file)?,
            libc::SYS_setxattr | libc::SYS_lsetxattr | libc::SYS_fsetxattr => {
                let name = attribute(&caller.path(1)?)?;
                let length = usize::try_from(caller.request.arguments[3]);
                let length = length.ok().filter(|&length| length <= LARGEST_VALUE);
                let value = caller.bytes(2, length.ok_or(Errno::TOOBIG)?)?;
                let flags = XattrFlags::from_bits_retain(number(4));
                identity::changing(caller, || setxattr(held(&file), &name, &value, flags))?;
            }
            libc::SYS_removexattr | libc::SYS_lremovexattr | libc::SYS_fremovexattr => {
                let name = attribute(&caller.path(1)?)?;
                identity::changing(caller, || removexattr(held(&file), &name))?;
            }
            // None that this program asks of.
            _ => return Err(Errno::PERM),
        }
        Ok(Answer::Done)
    }

    /// The file that a call is about.
    fn subject(&self, caller: Caller<'_>) -> Result<OwnedFd> {
        const HERE: i32 = libc::AT_FDCWD;
        let (empty, nofollow) = (libc::AT_EMPTY_PATH, libc::AT_SYMLINK_NOFOLLOW);
        let by_path = |argument, follow| lookup::file(caller, (HERE, argument), follow, false);
        let by_directory = |flags: i32| {
            let at = (caller.number(0), 1);
            lookup::file(caller, at, flags & nofollow == 0, flags & empty != 0)
        };
        match caller.request.call {
            libc::SYS_fchmod | libc::SYS_fchown | libc::SYS_fsetxattr | libc::SYS_fremovexattr => {
                caller.descriptor(caller.number(0))
            }
            libc::SYS_fchmodat => by_directory(0),
            libc::SYS_fchownat => by_directory(caller.number(4)),
            libc::SYS_utimensat if caller.request.arguments[1] == 0 => {
                caller.descriptor(caller.number(0))
            }
            libc::SYS_utimensat => by_directory(caller.number(3)),
            libc::SYS_setxattr | libc::SYS_removexattr => by_path(0, true),
            libc::SYS_lsetxattr | libc::SYS_lremovexattr => by_path(0, false),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_chmod | libc::SYS_chown => by_path(0, true),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_lchown => by_path(0, false),
            _ => Err(Errno::PERM),
        }
    }
}

/// The name of an extended attribute, where it is one that takes no capability to set: root's are given
/// up inside, and the supervisor has them.
fn attribute(name: &CString) -> Result<CString> {
    let is_plain = [&b"user."[..], b"system.posix_acl_"]
        .iter()
        .any(|prefix| name.as_bytes().starts_with(prefix));
    if is_plain { Ok(name.clone()) } else { Err(Errno::PERM) }
}

fn change_mode(caller: Caller<'_>, file: &OwnedFd, mode: u32) -> Result<()> {
    let mode = Mode::from_raw_mode(mode & 0o7777);
    // Others would run it with the rights of this user. Of a directory it says whose files in it are.
    if mode.intersects(Mode::SUID | Mode::SGID) && lookup::kind(file)? != FileType::Directory {
        return Err(Errno::PERM);
    }
    identity::changing(caller, || chmod(held(file), mode))
}

fn change_owner(caller: Caller<'_>, file: &OwnedFd, user: u32, group: u32) -> Result<()> {
    /// What leaves the owner as it is.
    const SAME: u32 = u32::MAX;
    let user = (user != SAME).then(|| Uid::from_raw(user));
    let group = (group != SAME).then(|| Gid::from_raw(group));
    identity::changing(caller, || chownat(file, "", user, group, AtFlags::EMPTY_PATH))
}

fn change_times(caller: Caller<'_>, file: &OwnedFd) -> Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: libc::UTIME_NOW };
    let mut times = Timestamps { last_access: now, last_modification: now };
    if caller.request.arguments[2] != 0 {
        let bytes = caller.bytes(2, 2 * TIME)?;
        let number = |index: usize| {
            let part = bytes[index * 8..][..8].try_into().map_err(|_| Errno::INVAL)?;
            Ok::<_, Errno>(i64::from_ne_bytes(part))
        };
        times.last_access = Timespec { tv_sec: number(0)?, tv_nsec: number(1)? };
        times.last_modification = Timespec { tv_sec: number(2)?, tv_nsec: number(3)? };
    }
    identity::changing(caller, || utimensat(file, "", &times, AtFlags::EMPTY_PATH))
}
