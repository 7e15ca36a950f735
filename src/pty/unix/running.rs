//! What is asked of processes that are none of this one's own.

use std::{io, path::PathBuf};

use rustix::process::{Pid, getppid};

use super::system;

/// What tells a process from all others there are and were since the system's start: its number and
/// its start time. `None` when there is none of this number.
pub fn process_identity(pid: u32) -> Option<String> {
    let started = system::start_time(to_pid(pid)?)?;
    Some(format!("{pid}@{started}"))
}

/// The identity of the process that started this one; `None` when that is gone.
pub fn parent_identity() -> Option<String> {
    let parent = getppid()?.as_raw_nonzero().get();
    process_identity(parent.try_into().ok()?)
}

/// How much memory a process has in use (its resident set), in bytes; `None` when there is no such
/// process, or the system does not tell.
pub fn resident_memory(pid: u32) -> Option<u64> {
    system::resident_memory(to_pid(pid)?)
}

/// The file of this process's program, which is executed anew: the same program, also when its file
/// was replaced since by another version's.
///
/// # Errors
/// When the system does not tell.
pub fn own_program() -> io::Result<PathBuf> {
    system::own_program()
}

fn to_pid(number: u32) -> Option<Pid> {
    number.try_into().ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_others() {
        let own = process_identity(std::process::id()).unwrap();
        assert_eq!(process_identity(std::process::id()), Some(own.clone()));
        assert!(parent_identity().is_some_and(|parent| parent != own));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        assert_eq!(process_identity(pid), None);
        assert_eq!([0, u32::MAX].map(process_identity), [None, None]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_is_that_in_use() {
        let before = resident_memory(std::process::id()).unwrap();
        let held = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = resident_memory(std::process::id()).unwrap();
        assert!(before > 100_000 && after > before + (32 << 20), "{before} {after}");
        drop(held);
        assert_eq!(resident_memory(u32::MAX), None);
    }
}
