//! Signals: those that ask this process to end, what a parent left of them, their names.

use std::{io, mem, ptr};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::pty::{Request, Stopping};

/// What a shell adds to a signal's number for the exit status of what it killed.
const KILLED: u8 = 128;
/// The highest signal there is (Linux: `SIGRTMAX`); other systems have fewer.
const HIGHEST: i32 = 64;

/// Waits for a signal that asks this process to end: SIGTERM, SIGINT or SIGHUP.
///
/// # Errors
/// When the event loop does not take them.
pub async fn asked_to_end() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

/// What others ask of this process, one signal after the other.
#[derive(Debug)]
pub struct Requests {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    window_change: Signal,
    go_on: Signal,
    /// `None` where the kernel is to stop this process by itself.
    stop: Option<Signal>,
}

impl Requests {
    /// Takes the signals, in the running event loop.
    ///
    /// # Errors
    /// When that does not take them.
    pub fn new() -> io::Result<Requests> {
        Ok(Requests {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            window_change: signal(SignalKind::window_change())?,
            go_on: signal(SignalKind::from_raw(libc::SIGCONT))?,
            stop: None,
        })
    }

    /// Takes SIGTSTP as well: this process stops itself ([`stop_group`]) once it is ready to.
    ///
    /// # Errors
    /// When the event loop does not take it.
    pub fn with_stop(self) -> io::Result<Requests> {
        let stop = signal(SignalKind::from_raw(libc::SIGTSTP))?;
        Ok(Requests { stop: Some(stop), ..self })
    }

    /// The next one. Cancel safe.
    pub async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.interrupt.recv() => Request::Interrupt,
            _ = self.window_change.recv() => Request::Resize,
            _ = self.go_on.recv() => Request::Continue,
            _ = self.terminate.recv() => Request::End { signal: "SIGTERM" },
            _ = self.hang_up.recv() => Request::End { signal: "SIGHUP" },
            () = received(&mut self.stop) => Request::Stop,
        }
    }
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => _ = signal.recv().await,
        None => std::future::pending().await,
    }
}

/// Stops this process's group, as Ctrl-Z does, until it is continued. It returns at once where the
/// kernel does not stop it, since nobody would continue it (POSIX: an orphaned process group).
pub fn stop_group(why: Stopping) {
    let number = match why {
        Stopping::Asked => libc::SIGTSTP,
        Stopping::InBackground => libc::SIGTTOU,
    };
    // SAFETY: a zeroed action is one, the default (SIG_DFL is 0), which calls no function of ours; what
    // was set before is set again. kill has no memory of ours. No crate in use wraps sigaction.
    unsafe {
        let (default, mut before): (libc::sigaction, libc::sigaction) = mem::zeroed();
        if libc::sigaction(number, &default, &mut before) == 0 {
            libc::kill(0, number);
            libc::sigaction(number, &before, ptr::null_mut());
        }
    }
}

/// The number of a signal by its name, as a program's end gives it.
pub fn signal_number(name_of: &str) -> Option<u8> {
    (1..=HIGHEST).find(|&number| name(number) == name_of).and_then(|number| number.try_into().ok())
}

/// What a shell has as the exit status of what this signal killed (POSIX: more than 128); `None` of one
/// that is not known here.
pub fn killed_status(name_of: &str) -> Option<u8> {
    signal_number(name_of).map(|number| KILLED + number)
}

/// Unblocks all signals of this process: its parent may have blocked those that end it.
///
/// To be called before any thread is started. Async-signal-safe.
pub fn unblock_signals() {
    // SAFETY: a zeroed set is one, sigemptyset writes to it alone, and sigprocmask reads it. No
    // crate in use wraps them.
    unsafe {
        let mut none = mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut());
    }
}

/// Sets all signals to their defaults, so that none is ignored.
///
/// Async-signal-safe.
pub(super) fn set_to_defaults() {
    set_all(libc::SIG_DFL);
}

/// Has this process ignore all signals that can be.
pub(super) fn ignore_all() {
    set_all(libc::SIG_IGN);
}

fn set_all(disposition: libc::sighandler_t) {
    // SAFETY: a zeroed action is one, and neither the default nor to ignore calls a function of
    // ours. Numbers that are no signal, or can't be changed, make sigaction fail, which is fine. No
    // crate in use wraps it.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = disposition;
        for number in 1..=HIGHEST {
            libc::sigaction(number, &action, ptr::null_mut());
        }
    }
}

/// The name of a signal as POSIX and signal(7) give it.
pub(super) fn name(number: i32) -> String {
    let name = match number {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGUSR1 => "SIGUSR1",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGUSR2 => "SIGUSR2",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        libc::SIGSYS => "SIGSYS",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}
