//! A socket as a standard stream, which keeps its flags.

use std::{
    io,
    os::fd::OwnedFd,
    pin::Pin,
    task::{Context, Poll, ready},
};

use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, unix::AsyncFd};

use crate::pty::unix::stream::register;

/// The most one read takes, in bytes.
const SOCKET_READ: usize = 16 * 1024;

/// A socket that is not switched to `O_NONBLOCK`: each call says `MSG_DONTWAIT` instead.
#[derive(Debug)]
pub(super) struct Socket(AsyncFd<OwnedFd>);

impl Socket {
    /// Registers a socket with the running event loop.
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        register(fd, Interest::READABLE | Interest::WRITABLE).map(Socket)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let size = buffer.remaining().min(SOCKET_READ);
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            let space = buffer.initialize_unfilled_to(size);
            let read = ready.try_io(|fd| Ok(recv(fd, &mut *space, RecvFlags::DONTWAIT)?.0));
            match read {
                Ok(Ok(count)) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_would_block) => {}
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(cx))?;
            match ready.try_io(|fd| Ok(send(fd, bytes, SendFlags::DONTWAIT)?)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(written) => return Poll::Ready(written),
                Err(_would_block) => {}
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Standard input may be the same socket.
        Poll::Ready(Ok(()))
    }
}
