//! Where a worker's sideband, or a session's client, connects: a Unix socket for programs of this
//! user only.

use std::{
    io,
    path::{Path, PathBuf},
};

use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};

use super::{
    private::make_private,
    stream::{ByteStream, Kind},
};

/// A socket that is listened on. Its file goes when it is dropped.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Listens on a new socket at `path`. It is to be in a private directory: a moment passes before
    /// others have no right to connect.
    ///
    /// # Errors
    /// When the socket can't be made: there is a file already, or the path is too long.
    pub fn bind(path: &Path) -> io::Result<Listener> {
        let listener = Listener { socket: UnixListener::bind(path)?, path: path.to_owned() };
        make_private(path)?;
        Ok(listener)
    }

    /// Waits for the next program that connects. Cancel safe.
    ///
    /// # Errors
    /// `PermissionDenied` when the program runs under another user: it is refused. Others when
    /// this process is out of descriptors, say. The next program may do better in any case.
    pub async fn accept(&self) -> io::Result<ByteStream> {
        let socket = self.accept_own().await?;
        ByteStream::new(socket.into_std()?.into(), Kind::Socket)
    }

    pub(super) async fn accept_own(&self) -> io::Result<UnixStream> {
        let (socket, _) = self.socket.accept().await?;
        if socket.peer_cred()?.uid() != geteuid().as_raw() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(socket)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
