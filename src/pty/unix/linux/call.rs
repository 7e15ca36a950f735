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

    /// Whether it waits for the end of a child, whichever.
    pub(super) fn waits_for_some_child(&self) -> bool {
        matches!(self.number, libc::SYS_wait4 | libc::SYS_waitid)
    }

    /// Whether it waits for descriptors, of whatever kind.
    pub(super) fn waits_for_descriptors(&self) -> bool {
        let one = [
            libc::SYS_read,
            libc::SYS_readv,
            libc::SYS_recvfrom,
            libc::SYS_recvmsg,
            libc::SYS_accept,
            libc::SYS_accept4,
        ];
        one.contains(&self.number) || self.set().is_some()
    }

    /// Whether it sleeps for a time.
    pub(super) fn sleeps(&self) -> bool {
        matches!(self.number, libc::SYS_nanosleep | libc::SYS_clock_nanosleep)
    }

    /// Whether it waits until there is something to read from a descriptor for which
    /// `is_terminal` holds, and then, whether for that alone.
    pub(super) fn waits_for_input(&self, is_terminal: &dyn Fn(u64) -> bool) -> Option<Awaited> {
        let [first, ..] = self.arguments;
        match self.number {
            libc::SYS_read | libc::SYS_readv => is_terminal(first).then_some(Awaited::Terminal),
            _ => awaited(&self.set()?, is_terminal),
        }
    }

    /// The set of descriptors it waits for; `None` for a call that takes no set.
    fn set(&self) -> Option<Vec<Entry>> {
        let [first, second, third, ..] = self.arguments;
        match self.number {
            libc::SYS_ppoll => Some(self.polls(first, second)),
            // A poll that goes on after the program was stopped for a while, its arguments as
            // they were. It may be another call: a timed wait for a futex has a number here that
            // no set of this kind has as its length.
            libc::SYS_restart_syscall if second < 128 => Some(self.polls(first, second)),
            libc::SYS_pselect6 => Some(self.selects(first, second, third)),
            libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => Some(self.epolls(first)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_poll => Some(self.polls(first, second)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_select => Some(self.selects(first, second, third)),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_epoll_wait => Some(self.epolls(first)),
            _ => None,
        }
    }

    /// `poll(2)`: an array of descriptor (int), events (short), result (short). A negative
    /// descriptor is an entry that is not used.
    fn polls(&self, array: u64, length: u64) -> Vec<Entry> {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(LARGEST_SET);
        let memory = self.read_memory(array, length * 8).unwrap_or_default();
        let entries = memory.chunks_exact(8).filter_map(|entry| {
            let descriptor = i32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]]);
            let events = i16::from_ne_bytes([entry[4], entry[5]]);
            let descriptor = u64::try_from(descriptor).ok()?;
            Some(Entry { descriptor, for_input: events & libc::POLLIN != 0 })
        });
        entries.collect()
    }

    /// `select(2)`: a set of bits for reading, and one for writing.
    fn selects(&self, length: u64, reads: u64, writes: u64) -> Vec<Entry> {
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(LARGEST_SET);
        let entries_of = |set, for_input| {
            let memory = self.read_memory(set, length.div_ceil(8)).unwrap_or_default();
            let bits = (0..memory.len() * 8)
                .filter(move |bit| *bit < length && memory[bit / 8] & (1 << (bit % 8)) != 0);
            bits.map(move |bit| Entry { descriptor: bit as u64, for_input })
        };
        entries_of(reads, true).chain(entries_of(writes, false)).collect()
    }

    /// `epoll_wait(2)`: the set is told by the descriptor's `fdinfo`, a line an entry:
    /// `tfd: 0 events: 19 …`, the events in hexadecimal.
    fn epolls(&self, set: u64) -> Vec<Entry> {
        let set = set & 0xFFFF_FFFF;
        let file = format!("/proc/{}/fdinfo/{set}", self.process.as_raw_nonzero());
        let info = fs::read_to_string(file).unwrap_or_default();
        info.lines().filter_map(epoll_entry).collect()
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

/// A descriptor in a set that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    descriptor: u64,
    /// Whether it is waited until there is something to read.
    for_input: bool,
}

/// What a call that waits for a terminal's input waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaited {
    /// That and nothing else.
    Terminal,
    /// Other descriptors, too. Whether it is one by which the program wakes itself, as the event
    /// loops of asyncio and Node.js have, makes no difference: what wakes it may be a timer, a
    /// thread or a child.
    TerminalAndOthers,
}

/// What is waited for with a set, if a terminal's input is in it.
fn awaited(set: &[Entry], is_terminal: &dyn Fn(u64) -> bool) -> Option<Awaited> {
    let mut inputs = set.iter().filter(|entry| entry.for_input);
    inputs.find(|entry| is_terminal(entry.descriptor))?;
    let is_alone = set.iter().all(|entry| is_terminal(entry.descriptor));
    Some(if is_alone { Awaited::Terminal } else { Awaited::TerminalAndOthers })
}

/// An entry of an epoll set, as a line of `fdinfo` tells it.
fn epoll_entry(line: &str) -> Option<Entry> {
    let mut words = line.strip_prefix("tfd:")?.split_whitespace();
    let descriptor = words.next()?.parse().ok()?;
    let events = u32::from_str_radix(words.nth(1)?, 16).ok()?;
    Some(Entry { descriptor, for_input: events & libc::EPOLLIN.cast_unsigned() != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_with_another_descriptor_waits_for_more_than_the_terminal() {
        let entry = |descriptor, for_input| Entry { descriptor, for_input };
        let awaits = |set: &[Entry]| awaited(set, &|descriptor| descriptor < 3);
        assert_eq!(awaits(&[entry(0, true)]), Some(Awaited::Terminal));
        // Its output is no other thing.
        assert_eq!(awaits(&[entry(0, true), entry(1, false)]), Some(Awaited::Terminal));
        assert_eq!(awaits(&[entry(5, true), entry(0, true)]), Some(Awaited::TerminalAndOthers));
        assert_eq!(awaits(&[entry(0, true), entry(5, false)]), Some(Awaited::TerminalAndOthers));
        assert_eq!(awaits(&[entry(5, true), entry(1, false)]), None);
        assert_eq!(awaits(&[]), None);
    }

    #[test]
    fn an_epoll_set_is_told_by_lines() {
        let line = "tfd:       17 events:       19 data:       11  pos:0 ino:2c sdev:f";
        assert_eq!(epoll_entry(line), Some(Entry { descriptor: 17, for_input: true }));
        let line = "tfd:        4 events:     201c data:        4  pos:0 ino:2c sdev:f";
        assert_eq!(epoll_entry(line), Some(Entry { descriptor: 4, for_input: false }));
        assert_eq!(epoll_entry("pos:\t0"), None);
    }

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
