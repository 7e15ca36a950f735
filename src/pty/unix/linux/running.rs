//! What `/proc` tells of a process that is none of ours, and of our own program; an
//! end by descriptor.

use std::{fs, io, os::unix::fs::MetadataExt, path::PathBuf};

use rustix::{
    io::Errno,
    param::page_size,
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal},
};

/// When a process started, in ticks since the system's start.
pub(in crate::pty::unix) fn start_time(pid: Pid) -> Option<u64> {
    field(&stat(pid)?, 22)?.parse().ok()
}

/// The parent of a process, which has one in this name space or not; `None` when the process is gone.
pub(super) fn parent_of(pid: Pid) -> Option<Option<Pid>> {
    Some(Pid::from_raw(field(&stat(pid)?, 4)?.parse().ok()?))
}

/// What the system says of a process in a line. A program names itself, in any bytes.
fn stat(pid: Pid) -> Option<String> {
    let bytes = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A field of that, by its number (proc_pid_stat(5)); of those behind the name, which is in parentheses, may hold
/// anything, and comes before field 3.
fn field(stat: &str, number: usize) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(number.checked_sub(3)?)
}

/// The resident set of a process, in bytes.
pub(in crate::pty::unix) fn resident_memory(pid: Pid) -> Option<u64> {
    let statm = fs::read_to_string(format!("/proc/{}/statm", pid.as_raw_nonzero())).ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(page_size().try_into().ok()?)
}

/// Kills a process if its number still means that one, as `is_there` tells, which is asked when
/// the number can't come to mean another any more.
///
/// # Errors
/// `NotFound` when it is gone; when it may not be killed.
pub(in crate::pty::unix) fn kill_if(pid: Pid, is_there: impl FnOnce() -> bool) -> io::Result<()> {
    let descriptor = match pidfd_open(pid, PidfdFlags::empty()) {
        Ok(descriptor) => Some(descriptor),
        // Kernels before 5.3, and some sandboxes.
        Err(Errno::NOSYS | Errno::PERM) => None,
        Err(error) => return Err(error.into()),
    };
    if !is_there() {
        return Err(io::ErrorKind::NotFound.into());
    }
    match descriptor {
        Some(descriptor) => pidfd_send_signal(descriptor, Signal::KILL)?,
        None => kill_process(pid, Signal::KILL)?,
    }
    Ok(())
}

/// Where the kernel has the program of whoever opens it, also when its file is gone.
const OWN_PROGRAM: &str = "/proc/self/exe";

/// The file of this process's program, by its own name if it still has that.
pub(in crate::pty::unix) fn own_program() -> io::Result<PathBuf> {
    let named = std::env::current_exe()?;
    let running = fs::metadata(OWN_PROGRAM)?;
    let is_same =
        |found: fs::Metadata| (found.dev(), found.ino()) == (running.dev(), running.ino());
    Ok(if fs::metadata(&named).is_ok_and(is_same) { named } else { OWN_PROGRAM.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_says_of_itself_is_read_whatever_its_name() {
        let of = |number| field("12 (a) (S b) S 7 8 9 34816", number);
        assert_eq!([of(3), of(4), of(5)], [Some("S"), Some("7"), Some("8")]);
        assert_eq!((of(2), of(99), field("", 3)), (None, None, None));
        let own = rustix::process::getpid();
        assert_eq!(parent_of(own), Some(rustix::process::getppid()));
        assert_eq!(parent_of(Pid::from_raw(i32::MAX).unwrap()), None);
    }
}
