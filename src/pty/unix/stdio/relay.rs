//! Threads that read and write what the event loop can't wait for: terminals and files.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::net::UnixStream as BlockingStream},
    pin::Pin,
    task::{Context, Poll, ready},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::retry_on_intr,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::UnixStream,
};

/// The most a thread moves at once, in bytes.
const RELAY_READ: usize = 64 * 1024;

/// A thread that reads `fd` into a socket, whose other end is returned.
pub(super) fn relay_input(fd: OwnedFd) -> io::Result<UnixStream> {
    let (ours, theirs) = pair()?;
    let body = move || drop(pump(&mut BlockingFile(fd.into()), &mut &theirs));
    thread::Builder::new().name("stdin".to_owned()).spawn(body)?;
    Ok(ours)
}

/// A thread that writes to `fd` what comes from a socket, whose other end is returned.
pub(super) fn relay_output(fd: OwnedFd) -> io::Result<RelayedOutput> {
    let (ours, theirs) = pair()?;
    let body = move || drop(pump(&mut &theirs, &mut BlockingFile(fd.into())));
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
struct BlockingFile(File);

impl BlockingFile {
    fn wait<T>(
        &mut self,
        flags: PollFlags,
        mut action: impl FnMut(&mut File) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            match action(&mut self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    retry_on_intr(|| poll(&mut [PollFd::new(&self.0, flags)], None))?;
                }
                result => return result,
            }
        }
    }
}

impl Read for BlockingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait(PollFlags::IN, |file| file.read(buffer))
    }
}

impl Write for BlockingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.wait(PollFlags::OUT, |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The end of a relay that is written to. Shutting it down waits until all has been relayed.
#[derive(Debug)]
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
