//! What a thread is given to write, and whether the disk keeps up with it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc},
    time::Instant,
};

/// How long the disk may take to catch up.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// The end of who gives a thread something to write.
#[derive(Debug)]
pub(super) struct WriteQueue<T> {
    jobs: mpsc::UnboundedSender<T>,
    backlog: Arc<Backlog>,
    /// How much may wait before no more should be made, in bytes.
    most: usize,
    /// Since when the disk has been behind.
    behind_since: Option<Instant>,
}

/// The thread's end.
#[derive(Debug)]
pub(super) struct WriteJobs<T> {
    jobs: mpsc::UnboundedReceiver<T>,
    backlog: Arc<Backlog>,
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Backlog {
    /// Its length.
    bytes: AtomicUsize,
    /// Told when some was written, or no more is.
    changed: Notify,
}

impl<T> WriteQueue<T> {
    /// An empty one, in which `most` bytes may wait.
    pub(super) fn new(most: usize) -> (WriteQueue<T>, WriteJobs<T>) {
        let (sender, jobs) = mpsc::unbounded_channel();
        let backlog = Arc::new(Backlog::default());
        let queue = WriteQueue { jobs: sender, backlog: backlog.clone(), most, behind_since: None };
        (queue, WriteJobs { jobs, backlog })
    }

    /// Adds something of this many bytes. Where the thread is gone it is dropped.
    pub(super) fn push(&mut self, job: T, bytes: usize) {
        self.backlog.bytes.fetch_add(bytes, Ordering::Relaxed);
        let _ = self.jobs.send(job);
        if self.has_backlog() {
            self.behind_since.get_or_insert_with(Instant::now);
        }
    }

    /// Whether too much waits for a thread that is still there.
    fn has_backlog(&self) -> bool {
        self.backlog.bytes.load(Ordering::Relaxed) > self.most && !self.jobs.is_closed()
    }

    /// Whether the disk is behind, so that no more should be made.
    pub(super) fn is_behind(&self) -> bool {
        self.behind_since.is_some()
    }

    /// Waits until the disk is not behind any more, or has been for too long. Whether it caught up.
    /// Cancel safe; pends for ever when it is not behind.
    pub(super) async fn catch_up(&mut self) -> bool {
        let Some(since) = self.behind_since else { return std::future::pending().await };
        let written = async {
            while self.has_backlog() {
                self.backlog.changed.notified().await;
            }
        };
        let has_caught_up = tokio::time::timeout_at(since + PATIENCE, written).await.is_ok();
        self.behind_since = None;
        has_caught_up
    }
}

impl<T> WriteJobs<T> {
    /// Waits for the next; `None` when there will be none.
    pub(super) fn next(&mut self) -> Option<T> {
        self.jobs.blocking_recv()
    }

    /// So many bytes wait no longer.
    pub(super) fn written(&self, bytes: usize) {
        self.backlog.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.backlog.changed.notify_one();
    }
}

impl<T> Drop for WriteJobs<T> {
    fn drop(&mut self) {
        self.jobs.close();
        self.backlog.changed.notify_one();
    }
}
