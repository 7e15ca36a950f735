//! Messages on their way to the client: written in order, one write each, by a task of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

/// How many bytes may wait for a client that does not read before it is no longer listened to.
const MOST_WAITING: usize = 64 * 1024 * 1024;

/// How long the last messages may take to leave when the connection ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// The queue of messages, and the task that writes them.
///
/// A slow client holds nobody up: putting a message in never waits.
#[derive(Debug)]
pub(super) struct OutputQueue {
    queue: Option<mpsc::UnboundedSender<Vec<u8>>>,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: AtomicUsize,
    broken: AtomicBool,
    changed: Notify,
}

impl OutputQueue {
    /// An empty one, whose messages go to `writer`.
    pub(super) fn new<W: AsyncWrite + Send + Unpin + 'static>(writer: W) -> Self {
        let (queue, messages) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(write(messages, writer, Arc::clone(&shared)));
        OutputQueue { queue: Some(queue), shared, task: Some(task) }
    }

    /// Puts a message in; `false` when the client no longer reads.
    pub(super) fn put(&self, message: Vec<u8>) -> bool {
        self.shared.waiting.fetch_add(message.len(), Ordering::Relaxed);
        self.queue.as_ref().is_some_and(|queue| queue.send(message).is_ok())
    }

    /// Whether more may be put in before the client has read.
    pub(super) fn has_room(&self) -> bool {
        self.shared.waiting.load(Ordering::Relaxed) < MOST_WAITING
    }

    /// Whether the client has closed its end.
    pub(super) fn is_broken(&self) -> bool {
        self.shared.broken.load(Ordering::Relaxed)
    }

    /// Waits until [`has_room`](Self::has_room) or [`is_broken`](Self::is_broken) may have
    /// changed.
    pub(super) async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// Writes what waits and closes the stream, unless the client takes too long to read.
    pub(super) async fn close(&mut self) {
        self.queue = None;
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(FAREWELL, &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

async fn write<W: AsyncWrite + Send + Unpin>(
    mut messages: mpsc::UnboundedReceiver<Vec<u8>>,
    mut writer: W,
    shared: Arc<Shared>,
) {
    while let Some(message) = messages.recv().await {
        if writer.write_all(&message).await.is_err() || writer.flush().await.is_err() {
            shared.broken.store(true, Ordering::Relaxed);
            shared.changed.notify_one();
            return;
        }
        let before = shared.waiting.fetch_sub(message.len(), Ordering::Relaxed);
        if before >= MOST_WAITING {
            shared.changed.notify_one();
        }
    }
    let _ = writer.shutdown().await;
}
