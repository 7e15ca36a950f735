//! A time that is waited for beside other things, over and over, and mostly does not come.

use std::{future::pending, pin::Pin};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is kept. A new one that is due before all others wakes the event loop, which looks
/// what it waits for anew: two needless system calls for each call to a session. One that is left
/// from before is due earlier, and goes on when its time comes.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Waits until this time; for ever if it is none. Cancel safe.
    pub(super) async fn at(&mut self, due: Option<Instant>) {
        let Some(due) = due else { return pending().await };
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(due)));
        loop {
            if timer.is_elapsed() || timer.deadline() > due {
                timer.as_mut().reset(due);
            }
            timer.as_mut().await;
            if timer.deadline() >= due {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_goes_off_at_its_time_whatever_it_was_set_to_before() {
        let (mut alarm, began) = (Alarm::default(), Instant::now());
        let at = |seconds| Some(began + Duration::from_secs(seconds));
        for given_up in [Some(5), Some(3), None, Some(20), Some(9)] {
            let early = tokio::time::timeout(Duration::ZERO, alarm.at(given_up.and_then(at)));
            assert!(early.await.is_err());
        }
        for due in [10, 40, 40, 50] {
            alarm.at(at(due)).await;
            assert_eq!(began.elapsed(), Duration::from_secs(due));
        }
    }
}
