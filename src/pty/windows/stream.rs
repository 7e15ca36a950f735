//! A pipe that is read and written without blocking, in the event loop.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::net::windows::named_pipe::NamedPipeServer;

use super::pipe::client_of;

/// A two-way stream of bytes in the event loop: one pipe, or one for each way.
#[derive(Debug)]
pub struct ByteStream {
    reader: Arc<NamedPipeServer>,
    writer: Arc<NamedPipeServer>,
    lost: AtomicBool,
}

impl ByteStream {
    /// A pipe that goes both ways.
    pub(super) fn both_ways(pipe: NamedPipeServer) -> ByteStream {
        let pipe = Arc::new(pipe);
        ByteStream { reader: pipe.clone(), writer: pipe, lost: AtomicBool::new(false) }
    }

    /// A pipe for each way.
    pub(super) fn of(reader: NamedPipeServer, writer: NamedPipeServer) -> ByteStream {
        let (reader, writer) = (Arc::new(reader), Arc::new(writer));
        ByteStream { reader, writer, lost: AtomicBool::new(false) }
    }

    /// The number of the process at the other end.
    ///
    /// # Errors
    /// When nobody is there.
    pub(super) fn peer(&self) -> io::Result<u32> {
        client_of(&self.reader)
    }

    /// Waits until there is something to read, or the end. Cancel safe.
    ///
    /// # Errors
    /// When the event loop is shutting down.
    pub async fn readable(&self) -> io::Result<()> {
        self.reader.readable().await
    }

    /// Reads what is there; `None` when nothing is for now, `Some(0)` at the end or when
    /// nothing can be read any more.
    pub fn try_read(&self, buffer: &mut [u8]) -> Option<usize> {
        match self.reader.try_read(buffer) {
            Ok(length) => Some(length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(_) => Some(0),
        }
    }

    /// Writes what it takes now; returns the count of bytes. One that is gone takes everything:
    /// its end is seen by who reads.
    pub fn try_write(&self, bytes: &[u8]) -> usize {
        match self.writer.try_write(bytes) {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => {
                self.lost.store(true, Ordering::Relaxed);
                bytes.len()
            }
        }
    }

    /// Whether the peer went before it had read all that was written: known only of what was written
    /// behind its end. What a pipe held then is lost without a word.
    pub fn has_lost_writes(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until it takes more. Cancel safe.
    ///
    /// # Errors
    /// When the event loop is shutting down.
    pub async fn writable(&self) -> io::Result<()> {
        self.writer.writable().await
    }
}
