//! What is to be written to a connection, and how long its peer has taken nothing of it.

use std::{io, time::Duration};

use mcp_repl_control::{ToClient, encode_to};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::Instant,
};

/// How long a peer may take nothing while something other than the screen waits for it. One that
/// is stopped and only looks on may stay.
pub(super) const MOST_SILENCE: Duration = Duration::from_secs(60);
/// The memory that is kept for what comes next, in bytes.
const MOST_SPARE: usize = 64 * 1024;

/// What is to be written.
#[derive(Debug)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    written: usize,
    /// Up to where there is something other than the screen.
    urgent: usize,
    /// When the peer last took something, or had nothing to take.
    moved: Instant,
}

impl Outgoing {
    /// Nothing.
    pub(super) fn new() -> Outgoing {
        Outgoing { bytes: Vec::new(), written: 0, urgent: 0, moved: Instant::now() }
    }

    /// How much there is, in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.written
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a message.
    pub(super) fn add(&mut self, message: &ToClient) {
        self.start();
        if self.urgent <= self.written {
            self.moved = Instant::now();
        }
        encode_to(&mut self.bytes, message, &[]);
        self.urgent = self.bytes.len();
    }

    /// Adds one of what is on the screen, and the bytes that follow it.
    pub(super) fn add_screen(&mut self, message: &ToClient, bytes: &[u8]) {
        self.start();
        encode_to(&mut self.bytes, message, bytes);
    }

    fn start(&mut self) {
        if self.is_empty() {
            self.bytes.clear();
            self.bytes.shrink_to(MOST_SPARE);
            (self.written, self.urgent) = (0, 0);
        } else if self.written > self.bytes.len() / 2 {
            self.bytes.drain(..self.written);
            self.urgent = self.urgent.saturating_sub(self.written);
            self.written = 0;
        }
    }

    /// Writes some of it; what is taken is not held back further on. Cancel safe.
    pub(super) async fn write<W: AsyncWrite + Unpin>(&mut self, writer: &mut W) -> io::Result<()> {
        let length = writer.write(&self.bytes[self.written..]).await?;
        if length == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.written += length;
        self.moved = Instant::now();
        if self.is_empty() {
            self.start();
        }
        Ok(())
    }

    /// Writes all of it, and waits until it is out of this process, which may end.
    pub(super) async fn write_all<W: AsyncWrite + Unpin>(&mut self, writer: &mut W) {
        while !self.is_empty() && self.write(writer).await.is_ok() {}
        let _ = writer.flush().await;
    }

    /// When the peer is given up if it takes nothing.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (self.urgent > self.written).then_some(self.moved + MOST_SILENCE)
    }
}
