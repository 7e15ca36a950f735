//! A connected pipe in two halves, in the event loop.
//!
//! What is written goes to a buffer of the event loop's, and from there into the pipe when that has room: it is
//! written only when the event loop heard so. Who leaves before loses it, so that a flush waits for that, and one
//! write takes no more than a pipe has room for: what is counted as written is with the peer but for a little.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::windows::named_pipe::{NamedPipeClient, NamedPipeServer},
};

use super::pipe::ROOM;

/// One end of a pipe: that of who made it, or of who connected.
#[derive(Debug)]
pub(super) enum End {
    Server(NamedPipeServer),
    Client(NamedPipeClient),
}

impl End {
    fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            End::Server(pipe) => pipe.poll_read_ready(context),
            End::Client(pipe) => pipe.poll_read_ready(context),
        }
    }

    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            End::Server(pipe) => pipe.try_read(buffer),
            End::Client(pipe) => pipe.try_read(buffer),
        }
    }

    fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            End::Server(pipe) => pipe.poll_write_ready(context),
            End::Client(pipe) => pipe.poll_write_ready(context),
        }
    }

    /// Begins to write, after which it counts as ready only when that is done: the event loop is told that it was
    /// ready before and is not any more. Had it heard of the end meanwhile, it keeps that.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = Err(io::ErrorKind::WouldBlock.into());
        let write = || {
            written = match self {
                End::Server(pipe) => pipe.try_write(bytes),
                End::Client(pipe) => pipe.try_write(bytes),
            };
            Err::<(), _>(io::ErrorKind::WouldBlock.into())
        };
        let _ = match self {
            End::Server(pipe) => pipe.try_io(Interest::WRITABLE, write),
            End::Client(pipe) => pipe.try_io(Interest::WRITABLE, write),
        };
        written
    }
}

/// The half that is read.
#[derive(Debug)]
pub(super) struct PipeReader(Arc<End>);

/// The half that is written. What is under way when it is dropped is written as long as the event loop runs.
#[derive(Debug)]
pub(super) struct PipeWriter {
    pipe: Arc<End>,
    /// Whether something may be under way.
    has_begun: bool,
}

/// The halves of a pipe. It is closed when both are dropped.
pub(super) fn halves(end: End) -> (PipeReader, PipeWriter) {
    let pipe = Arc::new(end);
    (PipeReader(pipe.clone()), PipeWriter { pipe, has_begun: false })
}

impl AsyncRead for PipeReader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            match self.0.try_read(buffer.initialize_unfilled()) {
                Ok(length) => {
                    buffer.advance(length);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for PipeWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let part = &bytes[..bytes.len().min(ROOM as usize)];
        loop {
            ready!(self.pipe.poll_write_ready(context))?;
            match self.pipe.try_write(part) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => {
                    self.has_begun = written.is_ok();
                    return Poll::Ready(written);
                }
            }
        }
    }

    /// Waits until the pipe has all that was written, or is gone.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_begun {
            ready!(self.pipe.poll_write_ready(context))?;
            self.has_begun = false;
        }
        Poll::Ready(Ok(()))
    }

    /// A pipe has no end of one way: the peer reads it when this is dropped, and the other half.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::{
        super::pipe::{listen, new_name},
        *,
    };

    /// More than a pipe has room for.
    const MUCH: usize = 5 * ROOM as usize;

    async fn connected() -> ((PipeReader, PipeWriter), (PipeReader, PipeWriter)) {
        let name = new_name().unwrap();
        let server = listen(&name, true).unwrap();
        let client = tokio::net::windows::named_pipe::ClientOptions::new().open(&name).unwrap();
        server.connect().await.unwrap();
        (halves(End::Server(server)), halves(End::Client(client)))
    }

    #[tokio::test]
    async fn all_that_is_written_comes_both_ways() {
        let ((mut hears, mut says), (mut reads, mut writes)) = connected().await;
        let text: Vec<u8> = (0..MUCH).map(|at| (at % 251) as u8).collect();
        let (one, other) = (text.clone(), text.clone());
        let writes = tokio::spawn(async move { writes.write_all(&one).await.map(|()| writes) });
        let says = tokio::spawn(async move { says.write_all(&other).await.map(|()| says) });
        let (mut heard, mut read) = (vec![0; MUCH], vec![0; MUCH]);
        let (all, too) = tokio::join!(hears.read_exact(&mut heard), reads.read_exact(&mut read));
        assert!(all.is_ok() && too.is_ok());
        assert!(heard == text && read == text);
        // Who is gone is told by the end.
        drop((hears, says.await.unwrap().unwrap()));
        assert_eq!(reads.read(&mut [0; 8]).await.unwrap(), 0);
        drop(writes.await.unwrap());
    }

    #[tokio::test]
    async fn what_is_flushed_is_read_by_who_comes_late() {
        let ((hears, mut says), (mut reads, writes)) = connected().await;
        let write = async {
            says.write_all(&[b'x'; MUCH]).await.unwrap();
            says.flush().await.unwrap();
        };
        let mut write = Box::pin(write);
        // Nobody reads: it can't be over.
        assert!(futures_are_pending(write.as_mut()).await);
        let mut first = vec![0; MUCH - ROOM as usize];
        tokio::join!(write, async { reads.read_exact(&mut first).await.unwrap() });
        drop((hears, says));
        let mut rest = Vec::new();
        reads.read_to_end(&mut rest).await.unwrap();
        assert_eq!(first.len() + rest.len(), MUCH);
        drop(writes);
    }

    /// Whether this waits still, after the event loop had its turns.
    async fn futures_are_pending(mut future: Pin<&mut impl Future<Output = ()>>) -> bool {
        for _ in 0..100 {
            let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
            if polled.await.is_ready() {
                return false;
            }
            tokio::task::yield_now().await;
        }
        true
    }
}
