//! What asks this process to stop what it does, or to end: events of its console and of the system.

use std::io;

use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};

use super::{
    exit,
    keyboard::{RESIZED, type_interrupt},
};
use crate::pty::{Request, Stopping};

/// Waits for an event that asks this process to end: Ctrl-C, Ctrl-Break, the end of its console or of the
/// system.
///
/// # Errors
/// When the event loop does not take them.
pub async fn asked_to_end() -> io::Result<()> {
    let mut requests = Requests::new()?;
    while matches!(requests.next().await, Request::Resize) {}
    Ok(())
}

/// What others ask of this process, one after the other.
#[derive(Debug)]
pub struct Requests {
    interrupt: CtrlC,
    end: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Requests {
    /// Takes the events, in the running event loop.
    ///
    /// # Errors
    /// When that does not take them.
    pub fn new() -> io::Result<Requests> {
        Ok(Requests {
            interrupt: ctrl_c()?,
            end: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// The same: nobody asks a process to stop until it is continued here.
    ///
    /// # Errors
    /// Never.
    pub fn with_stop(self) -> io::Result<Requests> {
        Ok(self)
    }

    /// The next one. Cancel safe. Of a size only who reads the keyboard is told.
    pub async fn next(&mut self) -> Request {
        loop {
            return tokio::select! {
                _ = self.interrupt.recv() => match type_interrupt() {
                    true => continue,
                    false => Request::Interrupt,
                },
                () = RESIZED.notified() => Request::Resize,
                _ = self.end.recv() => Request::End { signal: "SIGTERM" },
                _ = self.shutdown.recv() => Request::End { signal: "SIGTERM" },
                _ = self.close.recv() => Request::End { signal: "SIGHUP" },
            };
        }
    }
}

/// Returns at once: there is no job control here.
pub fn stop_group(_why: Stopping) {}

/// The number of a signal of the C library's, in whose words ends are told.
pub fn signal_number(name: &str) -> Option<u8> {
    exit::number(name)
}

/// None: no program is ended by a signal here.
pub fn killed_status(_name: &str) -> Option<u8> {
    None
}

/// Does nothing: there is nothing that a parent could have blocked.
pub fn unblock_signals() {}
