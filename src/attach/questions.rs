//! Where the terminal's cursor is: who has asked, and for whom an answer is.
//!
//! Line editors ask the terminal themselves (ECMA-48, DSR), wait for two seconds (crossterm's
//! `cursor::position`), and take whatever answer comes first: one that was for another would have them,
//! and each that follows, paint over what stands there. Terminals answer in the order in which they were
//! asked, maybe late, behind what is pasted say, and maybe never. So an answer is given to the editor
//! that waits for it, and to nobody else.
//!
//! An editor asks when it begins, and when it is told to stop, which it does not wait for (`Settled`); in
//! between behind Tab, and where the size has changed. Where it asks the system instead, no answer comes and
//! none is waited for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// How long an answer is waited for: less than the editor would, which then asks again.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How many questions editors asked that they have answered themselves, since that was taken last. Clones
/// are the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Settled(Arc<AtomicUsize>);

impl Settled {
    /// One more. To be called before it is asked.
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }

    fn is_some(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// What the terminal was asked, and what is known of its answers.
#[derive(Debug)]
pub(super) struct Questions {
    /// Whether editors ask the terminal at all, and not the system.
    are_asked: bool,
    /// How many answers may come that nobody waits for, ahead of all others.
    owed: usize,
    settled: Settled,
    /// Since when the editor that begins waits.
    first: Option<Instant>,
    /// Whether an answer came meanwhile that was not its own.
    is_kept: bool,
    /// When something was last done for which the editor may ask again.
    may_come: Option<Instant>,
    /// Whether the terminal says nothing: it is not waited for again until it does.
    pub(super) is_mute: bool,
    /// How many of those that are owed come before the one to what the editor was told in the terminal's
    /// place; `None` where it was told nothing.
    foretold: Option<usize>,
    /// Whether what editors were told in the terminal's place was true: not on one that has other rows than
    /// it is said to have.
    is_predictable: bool,
}

impl Questions {
    /// None yet; editors count in `settled`, if they ask the terminal (`are_asked`).
    pub(super) fn new(settled: Settled, are_asked: bool) -> Questions {
        Questions {
            are_asked,
            owed: 0,
            settled,
            first: None,
            is_kept: false,
            may_come: None,
            is_mute: false,
            foretold: None,
            is_predictable: true,
        }
    }

    /// An editor begins, and asks; whether the terminal is to answer it. Where not it is to be told that the
    /// cursor is `at_bottom`, as is known, or as it is put on a terminal that says nothing.
    pub(super) fn begin(&mut self, now: Instant, at_bottom: bool) -> bool {
        (self.is_kept, self.may_come) = (false, None);
        if !self.are_asked {
            return false;
        }
        let is_foretold = at_bottom && self.is_predictable && !self.is_mute;
        if is_foretold {
            self.owed += self.settled.take();
            self.foretold = Some(self.owed);
        }
        if self.is_mute || is_foretold {
            self.owed += 1;
            return false;
        }
        self.first = Some(now);
        true
    }

    /// It may ask again from here on.
    pub(super) fn may_come(&mut self, now: Instant) {
        self.may_come = self.are_asked.then_some(now);
    }

    /// The terminal has answered, that its cursor `is_bottom` or elsewhere: whether that is for the editor.
    pub(super) fn answered(&mut self, now: Instant, is_bottom: bool) -> bool {
        self.owed += self.settled.take();
        self.is_mute = false;
        if self.owed > 0 {
            self.owed -= 1;
            self.is_kept = true;
            match self.foretold {
                Some(0) => (self.foretold, self.is_predictable) = (None, is_bottom),
                before => self.foretold = before.map(|before| before - 1),
            }
            return false;
        }
        let is_waited_for = |since: &Instant| now.duration_since(*since) < PATIENCE;
        self.first.take().is_some() || self.may_come.as_ref().is_some_and(is_waited_for)
    }

    /// Until when the editor that begins waits.
    pub(super) fn until(&self) -> Option<Instant> {
        self.first.map(|since| since + PATIENCE)
    }

    /// It has waited that long.
    pub(super) fn unanswered(&mut self) {
        self.first = None;
        if self.is_kept {
            // One of those that were owed never came, and its own was taken for that.
            (self.owed, self.foretold) = (0, None);
        } else {
            self.owed += 1;
            self.is_mute = true;
        }
    }

    /// The editor has ended.
    pub(super) fn end(&mut self) {
        self.owed += self.settled.take() + usize::from(self.first.take().is_some());
        self.may_come = None;
    }

    /// Whether an answer may come.
    pub(super) fn are_open(&self) -> bool {
        self.first.is_some() || self.may_come.is_some() || self.is_any_owed()
    }

    /// Whether one may come that nobody waits for.
    pub(super) fn are_owed(&self) -> bool {
        self.is_any_owed() && !self.is_mute
    }

    fn is_any_owed(&self) -> bool {
        self.are_asked && (self.owed > 0 || self.settled.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Questions, what counts those that editors answer themselves, and a time.
    fn asking() -> (Questions, Settled, Instant) {
        let settled = Settled::default();
        (Questions::new(settled.clone(), true), settled, Instant::now())
    }

    #[test]
    fn where_editors_ask_the_system_no_answer_comes() {
        let (settled, now) = (Settled::default(), Instant::now());
        let mut questions = Questions::new(settled.clone(), false);
        for _ in 0..2 {
            assert!(!questions.begin(now, false) && questions.until().is_none());
            questions.may_come(now);
            settled.add();
            assert!(!questions.are_open() && !questions.are_owed() && !questions.is_mute);
            questions.end();
            assert!(!questions.are_open());
        }
    }

    #[test]
    fn what_an_editor_does_not_wait_for_is_for_no_other() {
        let (mut questions, settled, now) = asking();
        assert!(questions.begin(now, false) && questions.answered(now, true));
        settled.add();
        questions.end();
        // What is asked at the end is answered when another one has begun, behind a paste say.
        questions.begin(now, false);
        assert_eq!([(); 3].map(|()| questions.answered(now, true)), [false, true, false]);
        assert!(!questions.are_open());
        // It may come before the end is known, too.
        settled.add();
        assert!(!questions.answered(now, true));
        questions.end();
        questions.begin(now, false);
        assert!(questions.answered(now, true));
    }

    #[test]
    fn an_editor_that_asks_again_is_answered_while_it_waits() {
        let (mut questions, settled, now) = asking();
        questions.begin(now, false);
        assert!(questions.answered(now, true));
        // A key that looks like an answer is none.
        assert!(!questions.answered(now, true));
        questions.may_come(now);
        assert!(questions.answered(now, true) && questions.answered(now, true));
        assert!(!questions.answered(now + PATIENCE, true));
        questions.may_come(now + PATIENCE);
        settled.add();
        // It had all that it asked for before it was told to stop.
        assert!(!questions.answered(now + PATIENCE, true));
        questions.end();
        assert!(!questions.answered(now + PATIENCE, true));
    }

    #[test]
    fn one_that_begins_is_told_in_the_end_and_what_comes_late_is_for_nobody() {
        let (mut questions, settled, now) = asking();
        questions.begin(now, false);
        assert_eq!(questions.until(), Some(now + PATIENCE));
        questions.unanswered();
        assert_eq!((questions.until(), questions.is_mute), (None, true));
        settled.add();
        questions.end();
        assert!(!questions.begin(now, false) && !questions.are_owed());
        assert!(!questions.answered(now, true));
        // It says something again; what it was asked before comes first.
        assert!(!questions.is_mute && questions.are_owed());
        questions.end();
        questions.begin(now, false);
        assert_eq!([(); 3].map(|()| questions.answered(now, true)), [false, false, true]);
        // Two that end before they are answered.
        questions.end();
        questions.begin(now, false);
        questions.end();
        questions.begin(now, false);
        assert_eq!([(); 2].map(|()| questions.answered(now, true)), [false, true]);
    }

    #[test]
    fn an_answer_that_never_comes_costs_one_editor_its_own() {
        let (mut questions, settled, now) = asking();
        questions.begin(now, false);
        questions.answered(now, true);
        settled.add();
        questions.end();
        questions.begin(now, false);
        assert!(!questions.answered(now, true));
        questions.unanswered();
        assert!(!questions.is_mute && !questions.are_open());
        questions.end();
        questions.begin(now, false);
        assert!(questions.answered(now, true));
    }

    #[test]
    fn where_the_cursor_is_known_to_be_the_terminal_is_not_waited_for() {
        let (mut questions, settled, now) = asking();
        // Neither are two in a row; what it says to them is for nobody.
        assert!(!questions.begin(now, true) && questions.until().is_none());
        settled.add();
        questions.end();
        assert!(!questions.begin(now, true));
        questions.may_come(now);
        assert_eq!([(); 4].map(|()| questions.answered(now, true)), [false, false, false, true]);
        questions.end();
        // One that says otherwise has other rows than it is said to have, and is asked from then on.
        assert!(!questions.begin(now, true));
        assert!(!questions.answered(now, false));
        questions.end();
        assert!(questions.begin(now, true) && questions.answered(now, false));
    }
}
