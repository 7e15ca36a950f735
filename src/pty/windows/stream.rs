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

    /// Writes this as soon as the pipe takes it: behind what is under way, and nobody has to wait for that. To be
    /// called in the running event loop.
    pub(super) fn write_soon(&self, bytes: &'static [u8]) {
        if self.try_write(bytes) > 0 {
            return;
        }
        let writer = self.writer.clone();
        tokio::spawn(async move {
            while writer.writable().await.is_ok() {
                match writer.try_write(bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    // What is gone takes nothing any more.
                    _ => return,
                }
            }
        });
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::{
        super::pipe::{Way, pair},
        *,
    };

    /// More than a pipe holds.
    const MUCH: usize = 1024 * 1024;

    async fn of_way(way: Way) -> (ByteStream, std::fs::File) {
        let (ours, theirs) = pair(way).unwrap();
        (ByteStream::both_ways(ours), theirs)
    }

    #[tokio::test]
    async fn what_is_urgent_comes_behind_what_is_under_way() {
        let (stream, mut theirs) = of_way(Way::Reads).await;
        let much = vec![b'x'; MUCH];
        while stream.try_write(&much) == 0 {
            stream.writable().await.unwrap();
        }
        // All of it can't be in the pipe.
        assert_eq!(stream.try_write(b"more"), 0);
        stream.write_soon(b"\x03");
        let read = tokio::task::spawn_blocking(move || {
            let mut read = vec![0; MUCH + 1];
            theirs.read_exact(&mut read).map(|()| read)
        });
        assert_eq!(read.await.unwrap().unwrap()[MUCH - 1..], *b"x\x03");
    }

    #[tokio::test]
    async fn the_end_of_who_writes_is_an_end_and_that_of_who_reads_a_loss() {
        let (stream, theirs) = of_way(Way::Writes).await;
        drop(theirs);
        while stream.try_read(&mut [0; 8]) != Some(0) {
            stream.readable().await.unwrap();
        }
        let (stream, theirs) = of_way(Way::Reads).await;
        drop(theirs);
        assert!(!stream.has_lost_writes());
        while !stream.has_lost_writes() {
            stream.writable().await.unwrap();
            stream.try_write(b"x");
        }
    }
}
