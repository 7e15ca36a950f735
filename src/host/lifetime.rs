//! How long a session lives without clients. Pure: time comes in, and when to end comes out.
//!
//! Without `--keep` the session ends a grace time after its last client has gone. With it, it ends
//! once it was idle and without clients for that long.

use std::time::Duration;

/// Since the host was started.
pub(super) type Time = Duration;

/// The shortest time for which a kept session is left idle.
const LEAST_KEEP: Duration = Duration::from_secs(1);
/// The least time that is given to who starts a session to connect to it, and the most for which one
/// that was never used waits for another client.
const LEAST_START: Duration = Duration::from_secs(10);

/// How long a session lives without clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// From the end of the last connection on (`--grace`), and from the start if nobody comes.
    pub grace: Duration,
    /// In place of that, how long it must have been idle and without clients (`--keep`).
    pub keep: Option<Duration>,
}

impl Default for Life {
    fn default() -> Life {
        Life { grace: Duration::from_secs(10 * 60), keep: None }
    }
}

/// The life of one session.
#[derive(Debug)]
pub(super) struct Lifetime {
    life: Life,
    /// Whether it was started for a client, and not because somebody wanted one of its name.
    is_made_up: bool,
    /// Whether anything was ever run or typed in it.
    was_used: bool,
    /// How many connections keep the session alive.
    present: usize,
    /// Whether there was one.
    had_any: bool,
    /// When the last of them ended, or the host was started.
    alone_since: Time,
    /// When the session was last seen at work.
    active: Time,
}

impl Lifetime {
    /// One that nobody came to yet, at the time zero.
    pub(super) fn new(life: Life, is_made_up: bool) -> Lifetime {
        Lifetime {
            life,
            is_made_up,
            was_used: false,
            present: 0,
            had_any: false,
            alone_since: Duration::ZERO,
            active: Duration::ZERO,
        }
    }

    /// A connection that keeps the session alive was let in.
    pub(super) fn joined(&mut self) {
        self.present += 1;
        self.had_any = true;
    }

    /// One of those ended.
    pub(super) fn left(&mut self, now: Time) {
        self.present = self.present.saturating_sub(1);
        if self.present == 0 {
            self.alone_since = now;
        }
    }

    /// Something is run or typed in it.
    pub(super) fn is_used(&mut self) {
        self.was_used = true;
    }

    /// The session was last at work then, though nobody is there.
    pub(super) fn worked(&mut self, then: Time) {
        self.active = then;
    }

    /// It is to be kept until it was idle for so long; of several wishes the longest counts.
    pub(super) fn keep(&mut self, keep: Duration) {
        self.life.keep = Some(self.life.keep.map_or(keep, |before| before.max(keep)));
    }

    /// Whether it is kept beyond the grace.
    pub(super) fn keeps(&self) -> bool {
        self.life.keep.is_some()
    }

    /// Whether anything was ever run or typed in it.
    pub(super) fn was_used(&self) -> bool {
        self.was_used
    }

    /// When the session is to end if nothing happens before; `None` while somebody is there.
    pub(super) fn deadline(&self) -> Option<Time> {
        if self.present > 0 {
            return None;
        }
        let (from, wait) = match self.life.keep {
            Some(keep) => (self.alone_since.max(self.active), keep.max(LEAST_KEEP)),
            None => (self.alone_since, self.life.grace),
        };
        // Who starts a session connects to it a moment later.
        let wait = if self.had_any { wait } else { wait.max(LEAST_START) };
        // What a client has started that only shook hands is worth no more than a new one.
        let is_worth_it = self.was_used || !self.is_made_up;
        let wait = if is_worth_it { wait } else { wait.min(LEAST_START) };
        Some(from.saturating_add(wait))
    }

    /// How long the grace still lasts; `None` while somebody is there, or the session is kept.
    pub(super) fn ends_in(&self, now: Time) -> Option<Duration> {
        let deadline = self.deadline().filter(|_| !self.keeps())?;
        Some(deadline.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(600);
    const HOUR: Duration = Duration::from_secs(3600);

    fn lifetime(keep: Option<Duration>) -> Lifetime {
        Lifetime::new(Life { grace: GRACE, keep }, false)
    }

    fn seconds(seconds: u64) -> Time {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_grace_runs_from_the_end_of_the_last_connection() {
        let mut life = lifetime(None);
        life.joined();
        life.joined();
        life.left(seconds(10));
        assert_eq!(life.deadline(), None);
        assert_eq!(life.ends_in(seconds(11)), None);
        life.left(seconds(20));
        assert_eq!(life.deadline(), Some(seconds(620)));
        assert_eq!(life.ends_in(seconds(50)), Some(seconds(570)));
        assert_eq!(life.ends_in(seconds(5000)), Some(Duration::ZERO));
        // Somebody comes back: it begins anew when that one goes.
        life.joined();
        assert_eq!(life.deadline(), None);
        life.left(seconds(300));
        assert_eq!(life.deadline(), Some(seconds(900)));
    }

    #[test]
    fn a_session_nobody_comes_to_ends_too() {
        let life = lifetime(None);
        assert_eq!(life.deadline(), Some(GRACE));
        // Not before who started it had the time to connect.
        let mut hasty = Lifetime::new(Life { grace: Duration::ZERO, keep: None }, false);
        assert_eq!(hasty.deadline(), Some(LEAST_START));
        hasty.joined();
        hasty.left(seconds(2));
        assert_eq!(hasty.deadline(), Some(seconds(2)));
    }

    #[test]
    fn one_that_was_started_for_a_client_and_never_used_is_not_waited_with() {
        for keep in [None, Some(HOUR)] {
            let mut life = Lifetime::new(Life { grace: GRACE, keep }, true);
            assert_eq!(life.deadline(), Some(LEAST_START));
            life.joined();
            assert_eq!(life.deadline(), None);
            life.left(seconds(100));
            assert_eq!((life.deadline(), life.was_used()), (Some(seconds(110)), false));
            life.is_used();
            assert_eq!(life.deadline(), Some(seconds(100) + keep.unwrap_or(GRACE)));
        }
        let mut hasty = Lifetime::new(Life { grace: Duration::ZERO, keep: None }, true);
        hasty.joined();
        hasty.left(seconds(3));
        assert_eq!(hasty.deadline(), Some(seconds(3)));
    }

    #[test]
    fn one_that_is_kept_for_no_time_is_not_looked_at_all_the_time() {
        let mut life = lifetime(Some(Duration::ZERO));
        life.joined();
        life.left(seconds(5));
        life.worked(seconds(9));
        assert_eq!(life.deadline(), Some(seconds(9) + LEAST_KEEP));
    }

    #[test]
    fn work_puts_off_the_end_of_a_kept_session_only() {
        let mut kept = lifetime(Some(HOUR));
        kept.joined();
        kept.left(seconds(10));
        assert_eq!(kept.deadline(), Some(seconds(3610)));
        kept.worked(seconds(3610));
        assert_eq!(kept.deadline(), Some(seconds(7210)));
        assert_eq!((kept.ends_in(seconds(3610)), kept.keeps()), (None, true));
        let mut other = lifetime(None);
        other.worked(seconds(500));
        assert_eq!(other.deadline(), Some(GRACE));
    }

    #[test]
    fn a_client_may_have_it_kept_and_nobody_shortens_that() {
        let mut life = lifetime(None);
        life.joined();
        life.keep(2 * HOUR);
        life.keep(HOUR);
        life.left(seconds(0));
        assert_eq!(life.deadline(), Some(2 * HOUR));
    }

    #[test]
    fn times_beyond_all_clocks_do_no_harm() {
        let mut life = lifetime(Some(Duration::MAX));
        life.worked(seconds(1));
        assert_eq!(life.deadline(), Some(Duration::MAX));
        life.left(seconds(1));
        assert_eq!(life.ends_in(seconds(2)), None);
    }
}
