//! How much may go out in a time: so much at once, and so much a second.

use std::time::Duration;

use tokio::time::Instant;

/// A token bucket of bytes.
#[derive(Debug)]
pub(super) struct Pace {
    /// What may go out at once, in bytes.
    most: usize,
    /// What may go out now, in bytes.
    left: usize,
    /// From when on more is to be added to that.
    since: Instant,
}

impl Pace {
    /// One of which nothing is used, with room for so many bytes.
    pub(super) fn new(most: usize, now: Instant) -> Pace {
        Pace { most, left: most, since: now }
    }

    /// Whether so many bytes may go out now, at so many a second; they count then.
    pub(super) fn takes(&mut self, bytes: usize, per_second: usize, now: Instant) -> bool {
        self.refill(per_second, now);
        let takes = bytes <= self.left;
        if takes {
            self.left -= bytes;
        }
        takes
    }

    fn refill(&mut self, per_second: usize, now: Instant) {
        let passed = now.saturating_duration_since(self.since).min(Duration::from_secs(3600));
        let more = passed.as_micros() * per_second as u128 / 1_000_000;
        // What is less than a byte counts from the same moment the next time.
        if more > 0 {
            self.left = self.left.saturating_add(usize::try_from(more).unwrap_or(self.most));
            self.left = self.left.min(self.most);
            self.since = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_much_at_once_and_then_as_time_passes() {
        let mut now = Instant::now();
        let mut pace = Pace::new(1000, now);
        let taken = [600, 500, 400, 1].map(|bytes| pace.takes(bytes, 100, now));
        assert_eq!(taken, [true, false, true, false]);
        now += Duration::from_secs(2);
        assert!(pace.takes(200, 100, now) && !pace.takes(1, 100, now));
        // Small steps add up, and no more is saved than there is room for.
        for _ in 0..1000 {
            now += Duration::from_millis(1);
            pace.takes(usize::MAX, 100, now);
        }
        assert!(pace.takes(100, 100, now) && !pace.takes(1, 100, now));
        now += Duration::from_secs(86400);
        assert!(pace.takes(1000, 100, now) && !pace.takes(1, 100, now));
    }
}
