//! The system call a thread is inside of, and what it waits for there (proc(5), `syscall`).

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
};

use rustix::process::Pid;

/// The most descriptors that are looked at in a set.
const LARGEST_SET: usize = 1024;

/// A system call, with its arguments.
#[derive(Debug)]
pub(super) struct Call {
    process: Pid,
    number: i64,
    arguments: [u64; 6],
}

impl Call {
    /// The call that a thread of a process is inside of; `None` for a thread that runs, or is
    /// blocked outside of a system call.
    ///
    /// # Errors
    /// `PermissionDenied` for another user's thread; others when it is gone.
    pub(super) fn of(process: Pid, thread: i32) -> io::Result<Option<Call>> {
        let file = format!("/proc/{}/task/{thread}/syscall", process.as_raw_nonzero());
        Ok(Call::parse(process, &fs::read_to_string(file)?))
    }

    fn parse(process: Pid, text: &str) -> Option<Call> {
        let mut words = text.split_whitespace();
        let number = words.next()?.parse().ok().filter(|&number| number >= 0)?;
        let mut arguments = [0; 6];
        for argument in &mut arguments {
            *argument = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
        }
        Some(Call { process, number, arguments })
    }

    /// Whether it waits for the end of `child`, or of any child.
    pub(super) fn waits_for_child(&self, child: Pid) -> bool {
        let child = child.as_raw_nonzero().get();
        let [first, second, ..] = self.arguments;
        match self.number {
            // wait4(2): a number below 1 is a group, or any.
            libc::SYS_wait4 => first as i32 == child || (first as i32) < 1,
            libc::SYS_waitid => first as u32 != libc::P_PID || second as i32 == child,
            _ => false,
        }
    }

    /// Whether it waits until there is something to read from a descriptor for which
    /// `is_terminal` holds.
    pub(super) fn waits_for_input(&self, is_terminal: &dyn Fn(u64) -> bool) -> bool {
        let [first, second, ..] = self.arguments;
        match self.number {
            libc::SYS_read | libc::SYS_readv => is_terminal(first),
            libc::SYS_ppoll => self.polls(first, second, is_terminal),
            // A poll that goes on after the program was stopped for a while, its arguments as
            // they were. It may be another call: a timed wait for a futex has a number here that
            // no set of this kind has as its length.
            libc::SYS_restart_syscall => second < 128 && self.polls(first, second, is_terminal),
            libc::SYS_pselect6 => self.selects(first, second, is_terminal),
            libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => self.epolls(first, is_terminal),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_poll => self.polls(first, second, is_terminal),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_select => self.selects(first, second, is_terminal),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_epoll_wait => self.epolls(first, is_terminal),
            _ => false,
        }
    }

    /// `poll(2)`: an array of descriptor (int), events (short), result (short).
    fn polls(&self, array: u64, length: u64, is_terminal: &dyn Fn(u64) -> bool) -> bool {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(LARGEST_SET);
        let Some(memory) = self.read_memory(array, length * 8) else { return false };
        memory.chunks_exact(8).any(|entry| {
            let descriptor = u32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]);
            let events = i16::from_ne_bytes([entry[4], entry[5]]);
            events & libc::POLLIN != 0 && is_terminal(descriptor.into())
        })
    }

    /// `select(2)`: a set of bits for reading.
    fn selects(&self, length: u64, set: u64, is_terminal: &dyn Fn(u64) -> bool) -> bool {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(LARGEST_SET);
        let Some(memory) = self.read_memory(set, length.div_ceil(8)) else { return false };
        (0..length).any(|bit| memory[bit / 8] & (1 << (bit % 8)) != 0 && is_terminal(bit as u64))
    }

    /// `epoll_wait(2)`: the set is told by the descriptor's `fdinfo`, a line an entry:
    /// `tfd: 0 events: 19 …`, the events in hexadecimal.
    fn epolls(&self, set: u64, is_terminal: &dyn Fn(u64) -> bool) -> bool {
        let set = set & 0xFFFF_FFFF;
        let file = format!("/proc/{}/fdinfo/{set}", self.process.as_raw_nonzero());
        let info = fs::read_to_string(file).unwrap_or_default();
        info.lines().filter_map(|line| line.strip_prefix("tfd:")).any(|entry| {
            let mut words = entry.split_whitespace();
            let descriptor = words.next().and_then(|word| word.parse().ok());
            let events = words.nth(1).and_then(|word| u32::from_str_radix(word, 16).ok());
            matches!((descriptor, events), (Some(descriptor), Some(events))
                if events & libc::EPOLLIN.cast_unsigned() != 0 && is_terminal(descriptor))
        })
    }

    fn read_memory(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        if address == 0 || length == 0 {
            return None;
        }
        let mut bytes = vec![0; length];
        let memory = File::open(format!("/proc/{}/mem", self.process.as_raw_nonzero())).ok()?;
        memory.read_exact_at(&mut bytes, address).ok()?;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_in_a_system_call_tells_which() {
        let text = "0 0x3 0x7ffd 0x400 0x0 0x0 0x0 0x7ffe 0x7f00\n";
        let call = Call::parse(Pid::INIT, text).unwrap();
        assert_eq!((call.number, call.arguments[0], call.arguments[2]), (0, 3, 0x400));
    }

    #[test]
    fn a_running_thread_is_in_none() {
        assert!(Call::parse(Pid::INIT, "running\n").is_none());
        assert!(Call::parse(Pid::INIT, "-1 0x7ffd 0x7f00\n").is_none());
        assert!(Call::parse(Pid::INIT, "").is_none());
    }
}
