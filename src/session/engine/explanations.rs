//! Why something was denied to a cell: looked for in a thread, since the files that a cell's text names may be
//! on a disk that does not answer.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;

use crate::sandbox::Denial;

/// How long a reply waits for it. What takes longer is a disk that hangs.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is looked for; one thing at a time.
#[derive(Debug, Default)]
pub(super) struct Explanations {
    asked: Option<oneshot::Receiver<Option<Denial>>>,
    /// Held by a thread as long as it looks.
    looks: Arc<()>,
}

impl Explanations {
    /// Has a thread look. While an earlier one hangs, nothing is found.
    pub(super) fn ask(&mut self, look: impl FnOnce() -> Option<Denial> + Send + 'static) {
        let (found, is_found) = oneshot::channel();
        self.asked = Some(is_found);
        if Arc::strong_count(&self.looks) > 1 {
            return;
        }
        let looks = self.looks.clone();
        let thread = std::thread::Builder::new().name("explain".into());
        // Without a thread nothing is sent, which is seen below.
        let _ = thread.spawn(move || {
            let denial = look();
            // First, since the next one may be asked for as soon as this is there.
            drop(looks);
            let _ = found.send(denial);
        });
    }

    /// Whether something is looked for: nothing else goes on until then.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// What was found.
    pub(super) async fn answer(&mut self) -> Option<Denial> {
        let asked = self.asked.take()?;
        tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_hangs_is_waited_for_once_and_not_for_ever() {
        let mut explanations = Explanations::default();
        assert_eq!(explanations.answer().await, None);
        let (answers, disk) = mpsc::channel::<()>();
        explanations.ask(move || disk.recv().map(|()| Denial::Datagrams).ok());
        assert!(explanations.is_asked());
        assert_eq!(explanations.answer().await, None);
        assert!(!explanations.is_asked());
        let begun = tokio::time::Instant::now();
        explanations.ask(|| unreachable!());
        assert_eq!(explanations.answer().await, None);
        assert_eq!(begun.elapsed(), Duration::ZERO);
        answers.send(()).unwrap();
        while Arc::strong_count(&explanations.looks) > 1 {
            std::thread::yield_now();
        }
        // The clock stands still while a thread of its own looks.
        tokio::time::resume();
        explanations.ask(|| Some(Denial::Datagrams));
        assert_eq!(explanations.answer().await, Some(Denial::Datagrams));
    }
}
