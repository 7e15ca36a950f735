//! The process's standard input and output as asynchronous streams, whatever they are.
//!
//! Clients give pipes (Python, most others), sockets (Node), and people give terminals and
//! files. Pipes and sockets are read and written by the event loop itself, and the rest by a
//! thread each. The descriptors keep their flags: other processes may share them, and would
//! not expect `O_NONBLOCK`.

mod relay;

use std::{
    fs::{File, FileType},
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::{FileTypeExt, MetadataExt},
    },
};

use rustix::event::{PollFd, PollFlags, poll};
use tokio::{net::unix::pipe, sync::oneshot};

use self::relay::{relay_input, relay_output};
use super::socket::halves;
use crate::pty::{StdinStream, StdoutStream};

/// Linux opens a pipe anew through these names, with flags of its own. Elsewhere they do not
/// exist, or the pipe belongs to another user, and a thread does it.
const REOPEN_INPUT: &str = "/proc/self/fd/0";
const REOPEN_OUTPUT: &str = "/proc/self/fd/1";

/// Opens standard input and output, in the running event loop.
///
/// # Errors
/// When the system refuses a descriptor or a thread. [`io::ErrorKind::NotConnected`] when nobody
/// can say anything on standard input, since it is closed or the null device.
pub fn stdio() -> io::Result<(StdinStream, StdoutStream)> {
    Ok((input()?, output()?))
}

/// Standard input.
fn input() -> io::Result<StdinStream> {
    let (fd, kind) = duplicate(io::stdin().as_fd())?;
    if kind.is_char_device() && is_null_device(&fd)? {
        let message = "standard input is closed, or /dev/null";
        return Err(io::Error::new(io::ErrorKind::NotConnected, message));
    }
    if kind.is_fifo()
        && let Ok(pipe) = pipe::OpenOptions::new().open_receiver(REOPEN_INPUT)
    {
        return Ok(Box::new(pipe));
    }
    if kind.is_socket() {
        return Ok(Box::new(halves(fd, false)?.0));
    }
    Ok(Box::new(relay_input(fd)?))
}

/// Standard output.
fn output() -> io::Result<StdoutStream> {
    let (fd, kind) = duplicate(io::stdout().as_fd())?;
    if kind.is_fifo()
        && let Ok(pipe) = pipe::OpenOptions::new().open_sender(REOPEN_OUTPUT)
    {
        return Ok(Box::new(pipe));
    }
    if kind.is_socket() {
        // Standard input may be the same socket.
        return Ok(Box::new(halves(fd, false)?.1));
    }
    Ok(Box::new(relay_output(fd)?))
}

/// Waits until nobody reads standard output any more: the other end of a pipe or socket is closed, or
/// a terminal is gone. Never of a file.
pub async fn reader_has_gone() {
    let (tell, told) = oneshot::channel::<()>();
    // It lasts as long as the process: a poll(2) without a limit can't be taken back.
    let watching = std::thread::Builder::new().name("reader".into()).spawn(move || {
        let stdout = io::stdout();
        // What ends it is told without being asked for.
        while let Err(rustix::io::Errno::INTR) =
            poll(&mut [PollFd::new(&stdout, PollFlags::empty())], None)
        {}
        drop(tell);
    });
    match watching {
        Ok(_) => drop(told.await),
        // It is noticed by the next write.
        Err(_) => std::future::pending().await,
    }
}

fn duplicate(fd: BorrowedFd<'_>) -> io::Result<(OwnedFd, FileType)> {
    let file = File::from(fd.try_clone_to_owned()?);
    let kind = file.metadata()?.file_type();
    Ok((file.into(), kind))
}

/// Whether this is `/dev/null`. Rust's runtime opens it where a standard stream is closed at the
/// start (`std::rt`), so that a closed one can't be told from it.
fn is_null_device(fd: &OwnedFd) -> io::Result<bool> {
    let metadata = File::from(fd.try_clone()?).metadata()?;
    Ok(std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == metadata.rdev()))
}

#[cfg(test)]
mod tests;
