//! A process that outlives whoever started it.

use std::{
    fs::File,
    io::{self, Read, Write},
    process,
};

use rustix::{
    process::{Pid, WaitOptions, setsid, waitpid},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout},
};

use super::system;

/// The exit status of a process that a signal ended, as a shell has it, is above this.
const SIGNALLED: i32 = 128;

/// A process in a session of its own, whose parent waits to hear that it is well.
#[derive(Debug)]
pub struct Detached {
    parent: io::PipeWriter,
    /// Opened early: who was told that all is well is told nothing more.
    null: File,
}

/// Goes on in a fork of this process, in a session of its own, where no signal to the starter's
/// group or terminal arrives, and with none of the descriptors that the starter left open but the
/// standard ones: whoever reads one to its end would wait for this. This process stays until [`Detached::settle`] and leaves with
/// success; if the fork ends before, it leaves with the exit status of that.
///
/// To be called before any thread is started, when what is forked may do anything, and before this
/// process opens anything.
///
/// # Errors
/// When the system refuses another process, or has no null device.
pub fn detach() -> io::Result<Detached> {
    system::close_from(3);
    let null = File::options().read(true).write(true).open("/dev/null")?;
    let (mut word, parent) = io::pipe()?;
    // SAFETY: no other thread exists that could hold a lock in the child.
    match unsafe { libc::fork() } {
        0 => {
            drop(word);
            // It fails only for the leader of a process group, which a fork is not.
            setsid()?;
            Ok(Detached { parent, null })
        }
        child @ 1.. => {
            drop(parent);
            let is_well = word.read_exact(&mut [0]).is_ok();
            process::exit(if is_well { 0 } else { status_of(child) })
        }
        _ => Err(io::Error::last_os_error()),
    }
}

impl Detached {
    /// Lets the parent go, and all that the starter gave: standard input, output and error are the
    /// null device from here on.
    ///
    /// # Errors
    /// When the system refuses, which it has no reason to.
    pub fn settle(mut self) -> io::Result<()> {
        dup2_stdin(&self.null)?;
        dup2_stdout(&self.null)?;
        dup2_stderr(&self.null)?;
        // It may have been killed.
        let _ = self.parent.write_all(&[0]);
        Ok(())
    }
}

/// How a child went that ends, as an exit status.
fn status_of(child: libc::pid_t) -> i32 {
    let status = loop {
        match waitpid(Pid::from_raw(child), WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(Some((_, status))) => break status,
            _ => return 1,
        }
    };
    let signal = status.terminating_signal().map(|signal| SIGNALLED + signal);
    // One that ended well without a word has said nothing of what it was for.
    status.exit_status().filter(|&status| status != 0).or(signal).unwrap_or(1)
}
