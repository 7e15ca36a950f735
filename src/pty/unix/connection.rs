//! The control socket of a session: both ends are this user's by the kernel's word.

use std::{io, path::Path};

use rustix::{
    event::PollFlags,
    process::{Pid, geteuid},
};
use tokio::net::UnixStream;

use super::{listener::Listener, ready::is_ready, socket::halves, system};
use crate::pty::{StdinStream, StdoutStream};

/// Connects to a socket of this user.
///
/// # Errors
/// `PermissionDenied` when whoever listens there runs under another user; `NotFound` or
/// `ConnectionRefused` when nobody does.
pub async fn connect(path: &Path) -> io::Result<(StdinStream, StdoutStream)> {
    connect_to_own(path).await.and_then(in_halves)
}

/// Kills the process that listens at a socket of this user, as it may not do so by itself. What
/// it is is the kernel's word at this moment, so no number of an earlier one is used.
///
/// # Errors
/// As [`connect`]; when the process may not be killed.
pub async fn kill_listener(path: &Path) -> io::Result<()> {
    let socket = connect_to_own(path).await?;
    let pid = socket.peer_cred()?.pid().and_then(Pid::from_raw);
    // Another process name space's is none here.
    let pid = pid.ok_or(io::ErrorKind::NotFound)?;
    system::kill_if(pid, || {
        // While it is connected its number is its own.
        is_ready(&socket, PollFlags::empty()) == Ok(false)
    })
}

impl Listener {
    /// Waits for the next client that connects, and gives its stream in two halves. Cancel safe.
    ///
    /// # Errors
    /// As [`Listener::accept`].
    pub async fn accept_halves(&self) -> io::Result<(StdinStream, StdoutStream)> {
        self.accept_own().await.and_then(in_halves)
    }
}

async fn connect_to_own(path: &Path) -> io::Result<UnixStream> {
    let socket = UnixStream::connect(path).await?;
    if socket.peer_cred()?.uid() != geteuid().as_raw() {
        let message = "another user listens there";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    Ok(socket)
}

fn in_halves(socket: UnixStream) -> io::Result<(StdinStream, StdoutStream)> {
    let (reader, writer) = halves(socket.into_std()?.into(), true)?;
    Ok((Box::new(reader), Box::new(writer)))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn both_halves_work_and_the_end_of_one_is_told() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("socket");
        let listener = Listener::bind(&path).unwrap();
        let (mut reader, mut writer) = connect(&path).await.unwrap();
        let (mut their_reader, mut their_writer) = listener.accept_halves().await.unwrap();
        writer.write_all(b"there").await.unwrap();
        their_writer.write_all(b"here").await.unwrap();
        drop(writer);
        let (mut there, mut here) = (String::new(), [0; 4]);
        their_reader.read_to_string(&mut there).await.unwrap();
        reader.read_exact(&mut here).await.unwrap();
        assert_eq!((there.as_str(), &here), ("there", b"here"));
    }

    #[tokio::test]
    async fn a_socket_without_a_listener_refuses() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("socket");
        let missing = connect(&path).await.err().unwrap();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let dead = connect(&path).await.err().unwrap();
        assert_eq!(dead.kind(), io::ErrorKind::ConnectionRefused);
        assert!(kill_listener(&path).await.is_err());
    }
}
