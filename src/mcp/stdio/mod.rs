//! The process's standard input and output as asynchronous streams, whatever they are.
//!
//! Clients give pipes (Python, most others), sockets (Node), and people give terminals and
//! files. Pipes and sockets are read and written by the event loop itself, and the rest by a
//! thread each. The descriptors keep their flags: other processes may share them, and would
//! not expect `O_NONBLOCK`.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(unix)]
#[path = "unix.rs"]
mod platform;

#[cfg(not(unix))]
#[path = "other.rs"]
mod platform;

/// A stream to read.
pub(super) type Input = Box<dyn AsyncRead + Send + Unpin>;

/// A stream to write.
pub(super) type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// Opens standard input and output.
///
/// # Errors
///
/// When the system refuses a descriptor or a thread.
pub(super) fn open() -> io::Result<(Input, Output)> {
    Ok((platform::input()?, platform::output()?))
}

#[cfg(all(test, unix))]
mod tests;
