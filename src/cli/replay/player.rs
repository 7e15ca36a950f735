//! What the player shows, and when: events, keys and the time come in, what is to be done comes out. Pure.
//!
//! There are two clocks. That of the recording has the events, with long times between them shortened;
//! the other one is the caller's, and has the keys.

use std::time::Duration;

use super::keys::Key;
use crate::cast::{Event, Kind};

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This happened. While [`Player::is_skipping`] nobody is to see it by itself.
    Happened(Kind),
    /// Nothing, until this time.
    WaitUntil(Duration),
    /// Nothing, until a key is pressed.
    Paused,
    /// The next event is to be handed over.
    NeedsEvent,
    /// The recording is to be begun again.
    Rewind,
    /// All was shown.
    Over,
}

/// A recording as it is played.
#[derive(Debug)]
pub(super) struct Player {
    speed: f64,
    idle_limit: Duration,
    clock: Clock,
    goes_to: GoesTo,
    /// The time of the last event that was handed over, as the recording has it.
    last: Duration,
    /// When it is played.
    due: Duration,
    /// What happens then.
    next: Option<Kind>,
    /// Whether there are no more.
    is_over: bool,
    /// How many markers were played, and the name of the last one.
    markers: u64,
    marker: String,
    /// Whether something was shown since that.
    is_behind_marker: bool,
}

/// Where the recording's clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// It stood there, at the time of the other.
    Runs { at: Duration, since: Duration },
    /// It stands there.
    Stands { at: Duration },
}

/// What is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GoesTo {
    /// Nothing.
    Nowhere,
    /// The next thing that can be seen is due now.
    NextSight,
    /// All up to the next marker.
    NextMarker,
    /// All up to that marker, after the recording was begun again.
    Marker { number: u64, is_rewound: bool },
}

impl Player {
    /// A player whose recording begins at this time.
    pub(super) fn new(speed: f64, idle_limit: Duration, now: Duration) -> Player {
        Player {
            speed,
            idle_limit,
            clock: Clock::Runs { at: Duration::ZERO, since: now },
            goes_to: GoesTo::Nowhere,
            last: Duration::ZERO,
            due: Duration::ZERO,
            next: None,
            is_over: false,
            markers: 0,
            marker: String::new(),
            is_behind_marker: false,
        }
    }

    /// The next event, or that there are no more.
    pub(super) fn take(&mut self, event: Option<Event>) {
        let Some(Event { time, kind }) = event else {
            self.is_over = true;
            return;
        };
        self.due += time.saturating_sub(self.last).min(self.idle_limit);
        self.last = time;
        self.next = Some(kind);
    }

    /// A key was pressed, at a time.
    pub(super) fn press(&mut self, key: Key, now: Duration) {
        let at = self.at(now);
        match (key, self.clock) {
            (Key::Pause, Clock::Runs { .. }) => self.clock = Clock::Stands { at },
            (Key::Pause, Clock::Stands { at }) => self.clock = Clock::Runs { at, since: now },
            (Key::Step, Clock::Stands { .. }) => self.goes_to = GoesTo::NextSight,
            (Key::NextMarker, _) => self.goes_to = GoesTo::NextMarker,
            (Key::PreviousMarker, _) => {
                let number =
                    if self.is_behind_marker { self.markers } else { self.markers.max(1) - 1 };
                self.goes_to = GoesTo::Marker { number, is_rewound: false };
            }
            (Key::Step | Key::Quit | Key::Interrupt | Key::Stop, _) => {}
        }
    }

    /// Nothing was played since then: the clock stood as this process did.
    pub(super) fn stood(&mut self, from: Duration, now: Duration) {
        if let Clock::Runs { since, .. } = &mut self.clock {
            *since += now.saturating_sub(from);
        }
    }

    /// What is to be done now.
    pub(super) fn next(&mut self, now: Duration) -> Next {
        if let GoesTo::Marker { is_rewound: false, number } = self.goes_to {
            self.goes_to = GoesTo::Marker { is_rewound: true, number };
            (self.last, self.due, self.markers) = Default::default();
            (self.next, self.is_over, self.is_behind_marker) = (None, false, false);
            self.marker.clear();
            return Next::Rewind;
        }
        if self.goes_to == (GoesTo::Marker { number: self.markers, is_rewound: true }) {
            self.arrive(now);
        }
        if self.next.is_none() {
            if !self.is_over {
                return Next::NeedsEvent;
            }
            self.arrive(now);
            let is_paused = matches!(self.clock, Clock::Stands { .. });
            return if is_paused { Next::Paused } else { Next::Over };
        }
        let due = match (self.goes_to, self.clock) {
            (GoesTo::Nowhere, Clock::Stands { .. }) => return Next::Paused,
            (GoesTo::Nowhere, Clock::Runs { at, since }) => {
                since + self.due.saturating_sub(at).div_f64(self.speed)
            }
            _ => now,
        };
        if due > now {
            return Next::WaitUntil(due);
        }
        let Some(kind) = self.next.take() else { return Next::NeedsEvent };
        let is_marker = matches!(kind, Kind::Marker(_));
        match &kind {
            Kind::Marker(name) => {
                self.markers += 1;
                self.marker.clone_from(name);
                self.is_behind_marker = false;
            }
            Kind::Output(_) | Kind::Resize(_) => self.is_behind_marker = true,
            Kind::Input(_) | Kind::Exit(_) | Kind::Other { .. } => {}
        }
        let is_there = match self.goes_to {
            GoesTo::Nowhere => false,
            GoesTo::NextSight => is_marker || matches!(kind, Kind::Output(_) | Kind::Resize(_)),
            GoesTo::NextMarker => is_marker,
            GoesTo::Marker { number, .. } => self.markers == number,
        };
        if is_there {
            self.arrive(now);
        }
        Next::Happened(kind)
    }

    /// Whether what happens is not to be seen by itself.
    pub(super) fn is_skipping(&self) -> bool {
        matches!(self.goes_to, GoesTo::NextMarker | GoesTo::Marker { .. })
    }

    /// What stands below a page that stands; `None` while it does not.
    pub(super) fn status(&self) -> Option<String> {
        let Clock::Stands { at } = self.clock else { return None };
        let seconds = at.as_secs_f64();
        let marker = match self.markers {
            0 => String::new(),
            _ => {
                let name: String =
                    self.marker.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
                format!(" {} {name:?},", if self.is_behind_marker { "behind" } else { "at" })
            }
        };
        let end = if self.is_over && self.next.is_none() { " the end," } else { "" };
        Some(format!(
            "[replay] paused at {seconds:.1} s,{marker}{end} space: on, .: step, [ ]: marker, q: end"
        ))
    }

    /// Goes on from where it has gone to, as it did before.
    fn arrive(&mut self, now: Duration) {
        if std::mem::replace(&mut self.goes_to, GoesTo::Nowhere) != GoesTo::Nowhere {
            self.clock = match self.clock {
                Clock::Runs { .. } => Clock::Runs { at: self.due, since: now },
                Clock::Stands { .. } => Clock::Stands { at: self.due },
            };
        }
    }

    /// Where the recording's clock stands.
    fn at(&self, now: Duration) -> Duration {
        match self.clock {
            Clock::Runs { at, since } => {
                let at = at + now.saturating_sub(since).mul_f64(self.speed);
                // Where the next event was not handed over so far, nobody knows when it is due.
                if self.next.is_some() { at.min(self.due) } else { at }
            }
            Clock::Stands { at } => at,
        }
    }
}

/// The most of a marker's name that is shown, in characters.
const LONGEST_NAME: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A recording with an event a second, and the player's time.
    struct Played {
        player: Player,
        events: Vec<Event>,
        /// How many were handed over.
        given: usize,
        now: Duration,
    }

    impl Played {
        /// Letters are printed, digits are markers, anything else is input.
        fn new(events: &str, speed: f64, idle_limit: Duration) -> Played {
            let event = |(number, c): (usize, char)| Event {
                time: SECOND * (number as u32 + 1),
                kind: match c {
                    'a'..='z' => Kind::Output(c.into()),
                    '0'..='9' => Kind::Marker(c.into()),
                    c => Kind::Input(c.into()),
                },
            };
            let events = events.chars().enumerate().map(event).collect();
            let player = Player::new(speed, idle_limit, Duration::ZERO);
            Played { player, events, given: 0, now: Duration::ZERO }
        }

        /// What happens at once; then what is waited for. Brackets are around what is skipped.
        fn run(&mut self) -> (String, Next) {
            let mut shown = String::new();
            loop {
                match self.player.next(self.now) {
                    Next::NeedsEvent => {
                        self.player.take(self.events.get(self.given).cloned());
                        self.given += 1;
                    }
                    Next::Rewind => {
                        self.given = 0;
                        shown.push('<');
                    }
                    Next::Happened(kind) => {
                        let text = match kind {
                            Kind::Output(text) | Kind::Input(text) | Kind::Marker(text) => text,
                            other => panic!("{other:?}"),
                        };
                        shown +=
                            &if self.player.is_skipping() { format!("({text})") } else { text };
                    }
                    next => return (shown, next),
                }
            }
        }

        fn at(&mut self, seconds: f64) -> (String, Next) {
            self.now = Duration::from_secs_f64(seconds);
            self.run()
        }

        fn press(&mut self, key: Key) -> (String, Next) {
            self.player.press(key, self.now);
            self.run()
        }
    }

    fn wait(seconds: f64) -> Next {
        Next::WaitUntil(Duration::from_secs_f64(seconds))
    }

    fn shown(text: &str, next: Next) -> (String, Next) {
        (text.to_owned(), next)
    }

    #[test]
    fn events_come_in_their_time() {
        let mut played = Played::new("ab-c", 1., Duration::MAX);
        assert_eq!(played.run(), shown("", wait(1.)));
        assert_eq!(played.at(1.), shown("a", wait(2.)));
        assert_eq!(played.at(3.5), shown("b-", wait(4.)));
        assert_eq!(played.at(4.), shown("c", Next::Over));
        let mut played = Played::new("ab", 4., Duration::MAX);
        assert_eq!(played.run(), shown("", wait(0.25)));
        assert_eq!(played.at(0.25), shown("a", wait(0.5)));
        let mut played = Played::new("ab", 1., SECOND / 2);
        assert_eq!(played.at(0.5), shown("a", wait(1.)));
        assert_eq!(played.at(1.), shown("b", Next::Over));
    }

    #[test]
    fn space_pauses_and_a_dot_steps() {
        let mut played = Played::new("a-b-c", 2., Duration::MAX);
        assert_eq!(played.at(0.75), shown("a", wait(1.)));
        assert_eq!(played.player.status(), None);
        assert_eq!(played.press(Key::Step), shown("", wait(1.)));
        assert_eq!(played.press(Key::Pause), shown("", Next::Paused));
        assert!(played.player.status().unwrap().starts_with("[replay] paused at 1.5 s, space"));
        assert_eq!(played.at(100.), shown("", Next::Paused));
        // What can't be seen is no step.
        assert_eq!(played.press(Key::Step), shown("-b", Next::Paused));
        assert!(played.player.status().unwrap().contains("3.0 s"));
        assert_eq!(played.press(Key::Pause), shown("", wait(100.5)));
        assert_eq!(played.press(Key::Pause), shown("", Next::Paused));
        assert_eq!(played.press(Key::Step), shown("-c", Next::Paused));
        assert_eq!(played.press(Key::Step), shown("", Next::Paused));
        assert!(played.player.status().unwrap().contains("5.0 s, the end, space"));
        assert_eq!(played.press(Key::Pause), shown("", Next::Over));
    }

    #[test]
    fn brackets_go_to_markers() {
        let mut played = Played::new("a1b2cd", 1., Duration::MAX);
        assert_eq!(played.run(), shown("", wait(1.)));
        // It goes on from there.
        assert_eq!(played.press(Key::NextMarker), shown("(a)1", wait(1.)));
        assert_eq!(played.at(1.), shown("b", wait(2.)));
        assert_eq!(played.press(Key::Pause), shown("", Next::Paused));
        assert!(played.player.status().unwrap().contains("3.0 s, behind \"1\", space"));
        assert_eq!(played.press(Key::NextMarker), shown("2", Next::Paused));
        assert!(played.player.status().unwrap().contains("4.0 s, at \"2\", space"));
        // From a marker to the one before, from behind one to that.
        assert_eq!(played.press(Key::PreviousMarker), shown("<(a)1", Next::Paused));
        assert!(played.player.status().unwrap().contains("2.0 s, at \"1\""));
        assert_eq!(played.press(Key::Step), shown("b", Next::Paused));
        assert_eq!(played.press(Key::PreviousMarker), shown("<(a)1", Next::Paused));
        assert_eq!(played.press(Key::PreviousMarker), shown("<", Next::Paused));
        assert!(played.player.status().unwrap().contains("0.0 s, space"));
        // There is no next marker: the end.
        assert_eq!(played.press(Key::NextMarker), shown("(a)1", Next::Paused));
        assert_eq!(played.press(Key::NextMarker), shown("(b)2", Next::Paused));
        assert_eq!(played.press(Key::NextMarker), shown("(c)(d)", Next::Paused));
        assert!(played.player.status().unwrap().contains("6.0 s, behind \"2\", the end"));
        assert_eq!(played.press(Key::PreviousMarker), shown("<(a)(1)(b)2", Next::Paused));
    }

    #[test]
    fn a_time_in_which_this_process_stood_does_not_count() {
        let mut played = Played::new("ab", 1., Duration::MAX);
        assert_eq!(played.at(1.), shown("a", wait(2.)));
        played.player.stood(SECOND, SECOND * 11);
        assert_eq!(played.at(11.), shown("", wait(12.)));
    }

    #[test]
    fn a_name_is_shown_as_text_alone() {
        let mut player = Player::new(1., Duration::MAX, Duration::ZERO);
        let name = format!("\x1b]0;x\x07\u{9b}5n\"{}", "long".repeat(99));
        player.take(Some(Event { time: Duration::ZERO, kind: Kind::Marker(name) }));
        assert!(matches!(player.next(SECOND), Next::Happened(_)));
        player.press(Key::Pause, SECOND);
        let status = player.status().unwrap();
        assert!(!status.contains(char::is_control) && status.len() < 130, "{status}");
    }
}
