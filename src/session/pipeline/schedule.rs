//! When the kernel is asked who reads the terminal. Pure.
//!
//! A look costs time, so it waits until nothing is printed, but not for ever: others may print
//! while somebody reads. Looks that find nobody become rarer as they take longer.

use std::time::Duration;

use crate::session::rules::state::Time;

/// How long nothing may have been printed before a look, and the time between two looks that
/// confirm each other.
const QUIET: Duration = Duration::from_millis(5);
/// How long output puts off a look.
const LONGEST_DELAY: Duration = Duration::from_millis(50);
/// The least time between looks that find nobody.
const INTERVAL: Duration = Duration::from_millis(20);
/// The most of its time that a session looks: one part in this many.
const LARGEST_SHARE: u32 = 200;
/// How many looks a reader in the background has to wake up, on a machine that is busy, and take
/// its input.
const LOOKS_TO_WAKE: u32 = 25;

/// When the next look is due.
#[derive(Debug, Default)]
pub(super) struct LookSchedule {
    due: Option<Time>,
    /// When it is due although output comes.
    latest: Option<Time>,
    /// How many looks found a background reader awake and its input not taken.
    looks_while_waking: u32,
}

impl LookSchedule {
    /// Sets the next look, if one is `wanted` and none is set; forgets it if none is.
    pub(super) fn update(&mut self, wanted: bool, now: Time) {
        if !wanted {
            (self.due, self.latest) = (None, None);
        } else if self.due.is_none() {
            let latest = *self.latest.get_or_insert(now + LONGEST_DELAY);
            self.due = Some(latest.min(now + QUIET));
        }
    }

    /// When the next look is due.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.due
    }

    /// Whether it is due.
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// Something was printed: the look is put off, within bounds.
    pub(super) fn output(&mut self, now: Time) {
        if self.latest.is_none_or(|latest| latest > now) {
            self.due = None;
        }
    }

    /// What was printed before the look is still to be shown: it is put off for a moment.
    pub(super) fn postpone(&mut self, now: Time) {
        self.due = Some(now + QUIET);
    }

    /// A look took so long. It found a reader that is known to wait from `settles` on, if it is
    /// found again then; or it found nobody.
    pub(super) fn looked(&mut self, settles: Option<Time>, took: Duration, now: Time) {
        let pause = INTERVAL.max(took * LARGEST_SHARE);
        let soon = settles.map(|settles| settles.max(now + QUIET));
        self.due = Some(soon.unwrap_or(Time::MAX).min(now + pause));
        self.latest = Some(now + pause.max(LONGEST_DELAY));
    }

    /// Whether a background reader that was not found may be about to take its input: it is awake,
    /// and the input is still there. What it leaves for good is not waited for.
    pub(super) fn may_be_waking(&mut self, holds_input: bool) -> bool {
        self.looks_while_waking += 1;
        let waking = holds_input && self.looks_while_waking <= LOOKS_TO_WAKE;
        if !waking {
            self.looks_while_waking = 0;
        }
        waking
    }

    /// A background reader was found, or there is none to be waited for.
    pub(super) fn is_awake(&mut self) {
        self.looks_while_waking = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Time {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_look_comes_when_it_is_quiet() {
        let mut schedule = LookSchedule::default();
        assert_eq!(schedule.deadline(), None);
        schedule.update(true, ms(100));
        assert_eq!(schedule.deadline(), Some(ms(105)));
        schedule.output(ms(103));
        schedule.update(true, ms(103));
        assert_eq!(schedule.deadline(), Some(ms(108)));
        assert!(!schedule.is_due(ms(107)) && schedule.is_due(ms(108)));
        schedule.update(false, ms(108));
        assert_eq!(schedule.deadline(), None);
    }

    #[test]
    fn output_puts_a_look_off_for_a_bounded_time() {
        let mut schedule = LookSchedule::default();
        for now in (100..200).step_by(2) {
            schedule.update(true, ms(now));
            // What was printed is read before the look.
            schedule.output(ms(now));
            if schedule.is_due(ms(now)) {
                assert_eq!(ms(now), ms(100) + LONGEST_DELAY);
                schedule.postpone(ms(now));
                assert_eq!(schedule.deadline(), Some(ms(now) + QUIET));
                return;
            }
        }
        panic!("no look ever came");
    }

    #[test]
    fn looks_never_take_more_than_their_share() {
        let mut schedule = LookSchedule::default();
        schedule.looked(None, ms(1), ms(1000));
        assert_eq!(schedule.deadline(), Some(ms(1200)));
        schedule.looked(None, Duration::from_micros(10), ms(2000));
        assert_eq!(schedule.deadline(), Some(ms(2000) + INTERVAL));
        // One that found somebody is confirmed soon.
        schedule.looked(Some(ms(3000)), ms(1), ms(3000));
        assert_eq!(schedule.deadline(), Some(ms(3000) + QUIET));
        // One that may go on by itself is found again when it was quiet for long enough.
        schedule.looked(Some(ms(4100)), ms(1), ms(4000));
        assert_eq!(schedule.deadline(), Some(ms(4100)));
        schedule.looked(Some(ms(5900)), ms(1), ms(5000));
        assert_eq!(schedule.deadline(), Some(ms(5200)));
    }

    #[test]
    fn a_reader_that_wakes_up_has_a_while_to_take_its_input() {
        let mut schedule = LookSchedule::default();
        assert!((0..LOOKS_TO_WAKE).all(|_| schedule.may_be_waking(true)));
        assert!(!schedule.may_be_waking(true));
        assert!(!schedule.may_be_waking(false));
    }
}
