//! A thread that waits with a call: its memory, its directories, whose it is.
//!
//! What is read of it is read once, and acted on as it was read: other threads may change all of it
//! at any moment.

use std::{
    ffi::{CString, OsString},
    fs,
    os::{
        fd::OwnedFd,
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, Mode, OFlags, open, openat},
    io::{Errno, Result},
};

use super::notify::{Request, last_error, still_waits};

/// The most bytes that a path has, with the one that ends it (`PATH_MAX`).
const LONGEST_PATH: usize = 4096;

/// The smallest page that a processor has: what is read within one is there or not.
const PAGE: usize = 4096;

/// The descriptor that stands for the working directory.
const WORKING_DIRECTORY: i32 = libc::AT_FDCWD;

/// A thread that waits with a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) listener: &'a OwnedFd,
    pub(super) request: &'a Request,
}

/// As whom it makes files, and with which mask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Identity {
    pub(super) user: u32,
    pub(super) group: u32,
    pub(super) groups: Vec<u32>,
    pub(super) mask: u32,
}

impl Caller<'_> {
    /// An argument that is an `int` or `unsigned int`.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the kernel looks at those bits alone, too"
    )]
    pub(super) fn number(&self, argument: usize) -> i32 {
        self.request.arguments[argument] as i32
    }

    /// A path that an argument points to.
    pub(super) fn path(&self, argument: usize) -> Result<CString> {
        let mut bytes = Vec::new();
        let mut address = self.request.arguments[argument];
        loop {
            let at = usize::try_from(address).map_err(|_| Errno::FAULT)?;
            let mut part = [0; PAGE];
            let part = &mut part[..PAGE - at % PAGE];
            self.read(address, part)?;
            if let Some(end) = part.iter().position(|&byte| byte == 0) {
                bytes.extend_from_slice(&part[..end]);
                break;
            }
            bytes.extend_from_slice(part);
            if bytes.len() >= LONGEST_PATH {
                return Err(Errno::NAMETOOLONG);
            }
            address = address.checked_add(part.len() as u64).ok_or(Errno::FAULT)?;
        }
        self.check()?;
        CString::new(bytes).map_err(|_| Errno::INVAL)
    }

    /// `length` bytes that an argument points to.
    pub(super) fn bytes(&self, argument: usize, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        if length > 0 {
            self.read(self.request.arguments[argument], &mut bytes)?;
        }
        self.check()?;
        Ok(bytes)
    }

    /// The directory that a relative path starts from.
    pub(super) fn directory(&self, descriptor: i32) -> Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let directory = if descriptor == WORKING_DIRECTORY {
            open(self.own("cwd"), flags, Mode::empty())?
        } else {
            self.descriptor(descriptor)?
        };
        self.check()?;
        Ok(directory)
    }

    /// What one of its descriptors is of, without a right to read or write it.
    pub(super) fn descriptor(&self, number: i32) -> Result<OwnedFd> {
        if number < 0 {
            return Err(Errno::BADF);
        }
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let file = openat(CWD, self.own(&format!("fd/{number}")), flags, Mode::empty());
        let file = file.map_err(|error| if error == Errno::NOENT { Errno::BADF } else { error })?;
        self.check()?;
        Ok(file)
    }

    /// One of its sockets, shared with it.
    pub(super) fn socket(&self, number: i32) -> Result<OwnedFd> {
        use std::os::fd::FromRawFd;
        const THREAD: libc::c_uint = libc::O_EXCL as libc::c_uint; // PIDFD_THREAD, Linux 6.9
        let open = |id: u32, flags: libc::c_uint| {
            // SAFETY: pidfd_open takes no memory.
            let result = unsafe { libc::syscall(libc::SYS_pidfd_open, id, flags) };
            match i32::try_from(result) {
                // SAFETY: the kernel has just made the descriptor, which is nobody else's.
                Ok(number) if number >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(number) }),
                _ => Err(last_error()),
            }
        };
        // A thread shares the descriptors of its process, but where it goes out of its way.
        let process = open(self.request.thread, THREAD).or_else(|_| open(self.process()?, 0))?;
        let flags = rustix::process::PidfdGetfdFlags::empty();
        let socket = rustix::process::pidfd_getfd(process, number, flags)?;
        self.check()?;
        Ok(socket)
    }

    /// As whom it makes files.
    pub(super) fn identity(&self) -> Result<Identity> {
        let identity = identity(&self.status()?).ok_or(Errno::SRCH)?;
        self.check()?;
        Ok(identity)
    }

    /// Whether a signal waits for it that it has a handler for.
    pub(super) fn is_signalled(&self) -> Result<bool> {
        let status = self.status()?;
        self.check()?;
        Ok(has_signal(&status).unwrap_or(false))
    }

    /// The path of something below its directory in /proc.
    pub(super) fn own(&self, name: &str) -> PathBuf {
        format!("/proc/{}/{name}", self.request.thread).into()
    }

    fn process(&self) -> Result<u32> {
        let status = self.status()?;
        field(&status, "Tgid:")
            .and_then(|mut values| values.next()?.parse().ok())
            .ok_or(Errno::SRCH)
    }

    fn status(&self) -> Result<String> {
        fs::read_to_string(self.own("status")).map_err(|_| Errno::SRCH)
    }

    fn read(&self, address: u64, into: &mut [u8]) -> Result<()> {
        let wanted = into.len();
        let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: wanted };
        let at = usize::try_from(address).map_err(|_| Errno::FAULT)?;
        let remote = libc::iovec { iov_base: at as *mut libc::c_void, iov_len: wanted };
        let thread = self.request.thread.cast_signed();
        // SAFETY: the kernel writes into `into` at most its length; the other address is another
        // process's and only looked at by the kernel.
        let read =
            unsafe { libc::process_vm_readv(thread, &raw const local, 1, &raw const remote, 1, 0) };
        match usize::try_from(read) {
            Ok(read) if read == wanted => Ok(()),
            Ok(_) => Err(Errno::FAULT),
            // One that can't be looked at, as yama has it for daemons, is not spoken for.
            Err(_) if last_error() == Errno::PERM => Err(Errno::ACCESS),
            Err(_) => Err(last_error()),
        }
    }

    fn check(&self) -> Result<()> {
        still_waits(self.listener, self.request.id)
    }
}

/// The number of the descriptor that a path means by its text: `/dev/stdout`, `/dev/fd/3`,
/// `/proc/self/fd/3`. To the supervisor these would be its own.
pub(super) fn own_descriptor(path: &Path) -> Option<i32> {
    match path.to_str()? {
        "/dev/stdin" => Some(0),
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        path => ["/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"]
            .iter()
            .find_map(|directory| path.strip_prefix(directory))?
            .parse()
            .ok(),
    }
}

/// A path of the kernel's, as the standard library has it.
pub(super) fn path_of(text: &CString) -> PathBuf {
    OsString::from_vec(text.as_bytes().to_vec()).into()
}

/// Whether a path ends with a slash: it means a directory then.
pub(super) fn means_directory(path: &Path) -> bool {
    path.as_os_str().as_bytes().ends_with(b"/")
}

/// Reads `/proc/PID/status` (proc_pid_status(5)): of the users and groups the fourth is the one for files.
fn identity(status: &str) -> Option<Identity> {
    let fourth = |name| field(status, name)?.nth(3)?.parse().ok();
    let (user, group) = (fourth("Uid:")?, fourth("Gid:")?);
    let groups = field(status, "Groups:")?.filter_map(|group| group.parse().ok()).collect();
    let mask = u32::from_str_radix(field(status, "Umask:")?.next()?, 8).ok()?;
    Some(Identity { user, group, groups, mask })
}

/// Reads the same of signals: masks in base 16. Those of the thread and of its process wait apart.
fn has_signal(status: &str) -> Option<bool> {
    let mask = |name| u64::from_str_radix(field(status, name)?.next()?, 16).ok();
    let waiting = mask("SigPnd:")? | mask("ShdPnd:")?;
    Some(waiting & !mask("SigBlk:")? & mask("SigCgt:")? != 0)
}

fn field<'a>(status: &'a str, name: &str) -> Option<std::str::SplitWhitespace<'a>> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_whom_files_are_made_is_the_fourth_of_the_users() {
        let status = "Name:\tUid: 7\nUmask:\t0027\nTgid:\t12\nUid:\t0\t0\t0\t1000\nGid:\t0\t0\t0\t100\nGroups:\t4 27 \n";
        let (user, group, groups, mask) = (1000, 100, vec![4, 27], 0o27);
        assert_eq!(identity(status), Some(Identity { user, group, groups, mask }));
        assert_eq!(identity("Umask:\t0022\n"), None);
    }

    #[test]
    fn a_signal_counts_that_is_neither_blocked_nor_without_a_handler() {
        let with = |thread: u64, process: u64, blocked: u64, caught: u64| {
            has_signal(&format!(
                "SigPnd:\t{thread:016x}\nShdPnd:\t{process:016x}\nSigBlk:\t{blocked:016x}\nSigCgt:\t{caught:016x}\n"
            ))
        };
        assert_eq!(with(0, 2, 0, 0x12), Some(true));
        assert_eq!(with(2, 0, 0, 2), Some(true));
        assert_eq!(with(0, 2, 2, 2), Some(false));
        assert_eq!(with(0, 2, 0, 0x10), Some(false));
        assert_eq!(has_signal(""), None);
    }

    #[test]
    fn a_path_that_means_an_own_descriptor_is_known_by_its_text() {
        for (path, number) in [
            ("/dev/stdout", Some(1)),
            ("/dev/fd/63", Some(63)),
            ("/proc/self/fd/3", Some(3)),
            ("/proc/self/fd/3/x", None),
            ("/dev/fd/", None),
            ("/dev/null", None),
        ] {
            assert_eq!(own_descriptor(Path::new(path)), number, "{path}");
        }
    }
}
