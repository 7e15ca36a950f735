//! A connected socket in two halves, in the event loop.
//!
//! Registered for reading only: a socket becomes writable over and over as its peer reads, and each
//! time would wake the loop for nothing. The rare wait for room registers a duplicate for writing,
//! for as long as it lasts. The socket keeps its flags, since other processes may share it: each
//! call says that it does not wait.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown},
};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, unix::AsyncFd};

use super::stream::{register, register_shared};

/// The most one read takes, in bytes.
const MOST_READ: usize = 64 * 1024;

/// The half that is read.
#[derive(Debug)]
pub(super) struct SocketReader(AsyncFd<Arc<OwnedFd>>);

/// The half that is written.
#[derive(Debug)]
pub(super) struct SocketWriter {
    socket: Arc<OwnedFd>,
    /// While there is no room.
    waits: Option<AsyncFd<OwnedFd>>,
    /// Whether the peer is to read the end when this is dropped.
    ends: bool,
}

/// The halves of a socket, which is registered with the running event loop. The peer reads the end
/// when the second one is shut down or dropped, if it `ends`.
///
/// # Errors
/// When the event loop does not take it.
pub(super) fn halves(socket: OwnedFd, ends: bool) -> io::Result<(SocketReader, SocketWriter)> {
    let socket = Arc::new(socket);
    let reader = SocketReader(register_shared(socket.clone(), Interest::READABLE)?);
    Ok((reader, SocketWriter { socket, waits: None, ends }))
}

impl AsyncRead for SocketReader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let size = buffer.remaining().min(MOST_READ);
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            let space = buffer.initialize_unfilled_to(size);
            match recv(self.0.get_ref(), &mut *space, RecvFlags::DONTWAIT) {
                Ok((_, count)) => {
                    // One that fills less than its buffer has taken all there was (epoll(7)).
                    if count > 0 && count < size {
                        ready.clear_ready();
                    }
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

impl AsyncWrite for SocketWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let SocketWriter { socket, waits, .. } = &mut *self;
        loop {
            match send(&*socket, bytes, SendFlags::DONTWAIT) {
                Ok(count) => {
                    *waits = None;
                    return Poll::Ready(Ok(count));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let wait = match waits.take() {
                        Some(wait) => wait,
                        None => register(socket.as_fd().try_clone_to_owned()?, Interest::WRITABLE)?,
                    };
                    // What is known of it is older than the refusal, if it is anything.
                    let polled = wait.poll_write_ready(cx);
                    let polled = polled.map_ok(|mut ready| ready.clear_ready());
                    *waits = Some(wait);
                    ready!(polled)?;
                }
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end();
        Poll::Ready(Ok(()))
    }
}

impl SocketWriter {
    fn end(&self) {
        if self.ends {
            // A peer that is gone reads nothing.
            let _ = shutdown(&self.socket, Shutdown::Write);
        }
    }
}

impl Drop for SocketWriter {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn pair() -> [(SocketReader, SocketWriter); 2] {
        let (one, other) = UnixStream::pair().unwrap();
        [one, other].map(|socket| halves(socket.into(), true).unwrap())
    }

    #[tokio::test]
    async fn what_there_is_no_room_for_waits_until_the_peer_has_read() {
        let [(_reader, mut writer), (mut reader, _writer)] = pair();
        let text: Vec<u8> = (0..4_000_000_u32).map(|n| n as u8).collect();
        let mut arrived = Vec::new();
        let writes = async {
            let mut written = 0;
            while written < text.len() {
                written += writer.write(&text[written..]).await.unwrap();
                assert!(writer.waits.is_none(), "it is registered while it waits only");
            }
            writer.shutdown().await.unwrap();
        };
        // The writer has the first turn, and fills the socket.
        let (_, read) = tokio::join!(biased; writes, reader.read_to_end(&mut arrived));
        assert!(read.is_ok() && arrived == text);
    }

    #[tokio::test]
    async fn a_writer_that_waits_notices_that_its_peer_is_gone() {
        let [(_reader, mut writer), theirs] = pair();
        let writes = async {
            let error = writer.write_all(&[0; 4_000_000]).await.unwrap_err();
            // The second when it had something to read.
            let kinds = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
            assert!(kinds.contains(&error.kind()), "{error}");
        };
        tokio::join!(biased; writes, async { drop(theirs) });
    }

    #[tokio::test]
    async fn the_socket_keeps_its_flags_and_its_other_direction() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let (mut reader, writer) = halves(ours.try_clone().unwrap().into(), false).unwrap();
        let flags = rustix::fs::fcntl_getfl(&ours).unwrap();
        assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK));
        drop(writer);
        let mut byte = [0];
        tokio::select! {
            biased;
            _ = reader.read(&mut byte) => panic!("there is nothing to read"),
            () = tokio::task::yield_now() => {}
        }
        io::Write::write_all(&mut theirs, b"x").unwrap();
        assert_eq!(reader.read(&mut byte).await.unwrap(), 1);
        // Both ends of it are open.
        io::Write::write_all(&mut &ours, b"y").unwrap();
        io::Read::read_exact(&mut theirs, &mut byte).unwrap();
        assert_eq!(&byte, b"y");
    }
}
