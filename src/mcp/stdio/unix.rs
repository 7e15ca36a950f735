//! Standard streams on Unix: pipes, sockets, and a thread for everything else.

use std::fs::{File, FileType};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream as BlockingStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

use super::{Input, Output};

/// The most one read of a socket takes.
const SOCKET_READ: usize = 16 * 1024;

/// The most a thread moves at once.
const RELAY_READ: usize = 64 * 1024;

/// Standard input.
pub(super) fn input() -> io::Result<Input> {
    let (fd, kind) = duplicate(io::stdin().as_fd())?;
    if kind.is_fifo()
        && let Ok(pipe) = pipe::OpenOptions::new().open_receiver(REOPEN_INPUT)
    {
        return Ok(Box::new(pipe));
    }
    if kind.is_socket() {
        return Ok(Box::new(Socket::new(fd)?));
    }
    Ok(Box::new(relay_input(fd)?))
}

/// Standard output.
pub(super) fn output() -> io::Result<Output> {
    let (fd, kind) = duplicate(io::stdout().as_fd())?;
    if kind.is_fifo()
        && let Ok(pipe) = pipe::OpenOptions::new().open_sender(REOPEN_OUTPUT)
    {
        return Ok(Box::new(pipe));
    }
    if kind.is_socket() {
        return Ok(Box::new(Socket::new(fd)?));
    }
    Ok(Box::new(relay_output(fd)?))
}

/// Linux opens a pipe anew through these names, with flags of its own. Elsewhere they do not
/// exist, or the pipe belongs to another user, and a thread does it.
const REOPEN_INPUT: &str = "/proc/self/fd/0";
const REOPEN_OUTPUT: &str = "/proc/self/fd/1";

fn duplicate(fd: BorrowedFd<'_>) -> io::Result<(OwnedFd, FileType)> {
    let file = File::from(fd.try_clone_to_owned()?);
    let kind = file.metadata()?.file_type();
    Ok((file.into(), kind))
}

/// A socket that is not switched to `O_NONBLOCK`: each call says `MSG_DONTWAIT` instead.
struct Socket(AsyncFd<OwnedFd>);

impl Socket {
    #[expect(
        deprecated,
        reason = "its successor asks for a promise for the sake of types that own no descriptor"
    )]
    fn new(fd: OwnedFd) -> io::Result<Self> {
        AsyncFd::new(fd).map(Socket)
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

/// A thread that reads `fd` into a socket, whose other end is returned.
pub(super) fn relay_input(fd: OwnedFd) -> io::Result<UnixStream> {
    let (ours, theirs) = pair()?;
    let body = move || drop(pump(&mut Patient(fd.into()), &mut &theirs));
    thread::Builder::new().name("stdin".to_owned()).spawn(body)?;
    Ok(ours)
}

/// A thread that writes to `fd` what comes from a socket, whose other end is returned.
pub(super) fn relay_output(fd: OwnedFd) -> io::Result<RelayedOutput> {
    let (ours, theirs) = pair()?;
    let body = move || drop(pump(&mut &theirs, &mut Patient(fd.into())));
    thread::Builder::new().name("stdout".to_owned()).spawn(body)?;
    Ok(RelayedOutput(ours))
}

fn pair() -> io::Result<(UnixStream, BlockingStream)> {
    let (ours, theirs) = BlockingStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((UnixStream::from_std(ours)?, theirs))
}

/// Moves bytes as they come, until either side ends.
fn pump(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; RELAY_READ];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(&buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A file that waits even when whoever shares it has made it non-blocking.
struct Patient(File);

impl Patient {
    fn wait<T>(
        &mut self,
        flags: PollFlags,
        mut action: impl FnMut(&mut File) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            match action(&mut self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    poll(&mut [PollFd::new(&self.0, flags)], None)?;
                }
                result => return result,
            }
        }
    }
}

impl Read for Patient {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait(PollFlags::IN, |file| file.read(buffer))
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(PollFlags::OUT, |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The end of a relay that is written to. Shutting it down waits until all has been relayed.
pub(super) struct RelayedOutput(UnixStream);

impl AsyncWrite for RelayedOutput {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.0).poll_shutdown(cx))?;
        // The thread sends nothing; it drops its end when it is done.
        let mut byte = [0];
        Pin::new(&mut self.0).poll_read(cx, &mut ReadBuf::new(&mut byte))
    }
}
