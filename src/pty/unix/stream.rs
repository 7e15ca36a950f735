//! A terminal or socket that is read and written without blocking, in the event loop.
//!
//! Registered for reading only: a terminal or socket becomes writable over and over as its peer
//! reads, and each time would wake the loop for nothing. The rare wait for room registers a
//! duplicate for writing.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{Errno, fcntl_dupfd_cloexec},
};
use tokio::io::{Interest, unix::AsyncFd};

/// What a descriptor is open on: they differ in when all has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A read that fills less than its buffer has taken all there was (epoll(7)).
    Socket,
    /// Only a read that finds nothing has.
    Terminal,
}

/// A two-way stream of bytes in the event loop.
#[derive(Debug)]
pub struct ByteStream {
    reader: AsyncFd<OwnedFd>,
    writer: OnceLock<AsyncFd<OwnedFd>>,
    kind: Kind,
    lost: AtomicBool,
}

impl ByteStream {
    /// Registers `descriptor` with the running event loop, and makes it non-blocking.
    ///
    /// # Errors
    /// When the event loop does not take it.
    pub(super) fn new(descriptor: OwnedFd, kind: Kind) -> io::Result<ByteStream> {
        fcntl_setfl(&descriptor, fcntl_getfl(&descriptor)? | OFlags::NONBLOCK)?;
        let reader = register(descriptor, Interest::READABLE)?;
        Ok(ByteStream { reader, writer: OnceLock::new(), kind, lost: AtomicBool::new(false) })
    }

    /// Waits until there is something to read, or the end. Cancel safe.
    ///
    /// # Errors
    /// When the event loop is shutting down.
    pub async fn readable(&self) -> io::Result<()> {
        self.reader.readable().await.map(|mut guard| guard.retain_ready())
    }

    /// Reads what is there; `None` when nothing is for now, `Some(0)` at the end or when
    /// nothing can be read any more.
    pub fn try_read(&self, buffer: &mut [u8]) -> Option<usize> {
        loop {
            return match rustix::io::read(&self.reader, &mut *buffer) {
                Ok(n) => {
                    if n < buffer.len() && self.kind == Kind::Socket {
                        self.clear_ready();
                    }
                    Some(n)
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => {
                    self.clear_ready();
                    None
                }
                // Linux reports EIO when a terminal's slave side is closed, and ECONNRESET when
                // a socket's peer did not read all; nothing can be done about others either.
                Err(error) => {
                    self.lost.fetch_or(error == Errno::CONNRESET, Ordering::Relaxed);
                    Some(0)
                }
            };
        }
    }

    /// Tells the event loop that all was read, so that it waits for news.
    fn clear_ready(&self) {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(Ok(mut guard)) = self.reader.poll_read_ready(&mut context) {
            guard.clear_ready();
        }
    }

    /// Writes what it takes now; returns the count of bytes. One that is gone takes everything:
    /// its end is seen by who reads.
    pub fn try_write(&self, bytes: &[u8]) -> usize {
        match rustix::io::write(&self.reader, bytes) {
            Ok(n) => n,
            Err(Errno::AGAIN | Errno::INTR) => 0,
            Err(_) => {
                self.lost.store(true, Ordering::Relaxed);
                bytes.len()
            }
        }
    }

    /// Whether the peer went before it had read all that was written: known when the end has
    /// been read. A terminal does not tell.
    pub fn has_lost_writes(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until it takes more. Cancel safe.
    ///
    /// # Errors
    /// When the event loop is shutting down, or there is no descriptor to be had.
    pub async fn writable(&self) -> io::Result<()> {
        let writer = match self.writer.get() {
            Some(writer) => writer,
            None => {
                let copy = fcntl_dupfd_cloexec(&self.reader, 3)?;
                let writer = register(copy, Interest::WRITABLE)?;
                self.writer.get_or_init(|| writer)
            }
        };
        writer.writable().await.map(|mut guard| guard.clear_ready())
    }
}

impl AsFd for ByteStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

/// Registers a descriptor with the running event loop.
pub(super) fn register(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the AsyncFd owns the descriptor, so nobody closes or replaces it before.
    unsafe { Ok(AsyncFd::register_with_interest(descriptor, interest)?) }
}

/// The same of one that is used elsewhere, too.
pub(super) fn register_shared(
    descriptor: Arc<OwnedFd>,
    interest: Interest,
) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
    // SAFETY: the AsyncFd has its part of the descriptor, so nobody closes or replaces it before.
    unsafe { Ok(AsyncFd::register_with_interest(descriptor, interest)?) }
}
