//! What a program's process does between fork and exec. All of it is async-signal-safe.

use std::{io, os::fd::OwnedFd};

use rustix::{
    io::{FdFlags, fcntl_setfd},
    process::{Resource, Rlimit, getrlimit, ioctl_tiocsctty, setrlimit, setsid},
    stdio::stdin,
};

use super::{signal, system};

/// Leads a session of its own with the terminal on descriptor 0 as its controlling terminal,
/// and keeps of the other descriptors `inherited` only.
///
/// The server's parent may have ignored or blocked signals, and may have left descriptors
/// open; a program on a person's terminal sees none of that.
///
/// # Errors
/// When the terminal can't be made the controlling one.
pub(super) fn lead_session(inherited: Option<&OwnedFd>) -> io::Result<()> {
    lead_bare_session()?;
    ioctl_tiocsctty(stdin())?;
    system::die_with_parent();
    if let Some(descriptor) = inherited {
        fcntl_setfd(descriptor, FdFlags::empty())?;
    }
    Ok(())
}

/// Has this process, and each that it starts, take no more of something than `most`, as it may already be.
///
/// # Errors
/// When the limit can't be set, which one that lowers it can.
pub(super) fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let least = |limit: Option<u64>| Some(limit.map_or(most, |limit| limit.min(most)));
    let Rlimit { current, maximum } = getrlimit(resource);
    let limits = Rlimit { current: least(current), maximum: least(maximum) };
    Ok(setrlimit(resource, limits)?)
}

/// Leads a session of its own without a terminal, with all signals at their defaults and the
/// standard streams alone.
///
/// # Errors
/// When this process leads a group already, which one that was just forked does not.
pub(super) fn lead_bare_session() -> io::Result<()> {
    setsid()?;
    signal::set_to_defaults();
    signal::unblock_signals();
    system::close_on_exec_from(3);
    Ok(())
}
