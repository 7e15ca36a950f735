//! What this kernel has of what the sandbox is made of.

use super::{
    filter::{self, Files},
    landlock,
};
use crate::sandbox::{Holds, Network};

/// Parts of Landlock by the version that brought them, the kernel that has it, and what is not
/// held without them.
const PARTS: [(&str, i32, &str); 5] = [
    ("files: reading and writing by path", 1, "5.13"),
    ("files: links and renames between directories that may be written", 2, "5.19"),
    ("files: truncating", 3, "6.2"),
    ("devices: requests (ioctl)", 5, "6.10"),
    ("signals and abstract sockets stay inside", 6, "6.12"),
];

/// What holds on this kernel, line by line.
pub fn sandbox_holds() -> Vec<Holds> {
    let version = landlock::version();
    let mut holds: Vec<Holds> =
        PARTS.iter().map(|&(what, since, kernel)| part(what, since, kernel, version)).collect();
    let programs = filter::programs(Network::Off, Files::All);
    let state = programs.map(|_| ()).map_err(|error| error.to_string()).and_then(|()| supervises());
    for what in [
        "system calls: network, mounts, name spaces, key rings, io_uring, TIOCSTI",
        "protected paths, attributes of files and sockets, by a supervisor",
    ] {
        holds.push(Holds { what, state: state.clone() });
    }
    holds
}

fn part(what: &'static str, since: i32, kernel: &str, version: i32) -> Holds {
    let state = match version {
        version if version >= since => Ok(()),
        0 => Err(landlock::missing().to_string()),
        version => {
            Err(format!("Linux {kernel} and newer; this one has version {version} of Landlock"))
        }
    };
    Holds { what, state }
}

/// Whether the kernel has programs that ask a supervisor.
fn supervises() -> Result<(), String> {
    let action = libc::SECCOMP_RET_USER_NOTIF;
    // SAFETY: the kernel reads a number.
    let result = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action)
    };
    if result == 0 {
        return Ok(());
    }
    Err(format!("this kernel's seccomp asks no supervisor: {}", std::io::Error::last_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_kernel_lacks_is_named() {
        let states =
            |version| PARTS.map(|(what, since, kernel)| part(what, since, kernel, version));
        assert!(states(7).iter().all(|holds| holds.state.is_ok()));
        let lacks: Vec<_> = states(3).into_iter().filter(|holds| holds.state.is_err()).collect();
        assert_eq!(lacks.len(), 2, "{lacks:?}");
        assert_eq!(
            lacks[0].state.as_ref().unwrap_err(),
            "Linux 6.10 and newer; this one has version 3 of Landlock"
        );
        assert!(states(0).iter().all(|holds| holds.state.is_err()));
    }
}
