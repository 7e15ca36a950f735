//! As whom the supervisor makes a change: as the one that asks for it.
//!
//! A thread of Linux has a mask, a working directory and users of its own, if it wants to.

use rustix::{
    fs::Mode,
    io::{Errno, Result},
    process::{chdir, geteuid, umask},
    thread::UnshareFlags,
};

use super::caller::{Caller, Identity};

/// Parts this thread's mask and working directory from those of the process.
///
/// # Errors
/// None that a kernel is known to give.
pub(super) fn separate() -> Result<()> {
    // SAFETY: the thread shares memory and descriptors with the others as before.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS) }?;
    chdir("/")
}

/// Makes a new file or directory as the caller would, with its mask.
///
/// # Errors
/// What `make` gives.
pub(super) fn making<T>(caller: Caller<'_>, make: impl FnOnce() -> Result<T>) -> Result<T> {
    let identity = caller.identity()?;
    umask(Mode::from_raw_mode(identity.mask));
    as_user(&identity, make)
}

/// Makes a change as the caller would.
///
/// # Errors
/// What `change` gives.
pub(super) fn changing<T>(caller: Caller<'_>, change: impl FnOnce() -> Result<T>) -> Result<T> {
    if !geteuid().is_root() {
        // Nobody in the sandbox can become another user.
        return change();
    }
    as_user(&caller.identity()?, change)
}

/// Makes a change as somebody.
///
/// # Errors
/// What `act` gives.
pub(super) fn as_user<T>(identity: &Identity, act: impl FnOnce() -> Result<T>) -> Result<T> {
    if !geteuid().is_root() || identity.user == 0 && identity.group == 0 {
        return act();
    }
    let own_groups = rustix::process::getgroups()?;
    let own_groups: Vec<u32> = own_groups.into_iter().map(|group| group.as_raw()).collect();
    let own_group = rustix::process::getegid().as_raw();
    set_groups(&identity.groups)?;
    set_group(identity.group);
    // Last, and back first: who is not root may not set the others. It takes what root may do with
    // files of others, too.
    set_user(identity.user);
    let result = act();
    set_user(0);
    set_group(own_group);
    set_groups(&own_groups)?;
    result
}

fn set_user(user: u32) {
    // SAFETY: setfsuid takes no memory, and is of this thread alone.
    unsafe { libc::syscall(libc::SYS_setfsuid, user) };
}

fn set_group(group: u32) {
    // SAFETY: setfsgid takes no memory, and is of this thread alone.
    unsafe { libc::syscall(libc::SYS_setfsgid, group) };
}

/// The groups of this thread alone; the C library's function sets those of all threads.
fn set_groups(groups: &[u32]) -> Result<()> {
    // SAFETY: the kernel reads as many numbers as it is told.
    let result = unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
    if result == 0 { Ok(()) } else { Err(Errno::PERM) }
}
