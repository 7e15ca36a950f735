//! What a look at the kernel found, with what the screen shows. Pure.

use std::time::Duration;

use super::{Found, Observer, Pipeline};
use crate::session::rules::{Event, reader::Sighting};

impl<O: Observer> Pipeline<O> {
    /// A look at the kernel found this.
    pub(super) fn looked(&mut self, found: Option<Found>, holds_input: bool, took: Duration) {
        let sighting = found.and_then(|found| self.sighting(found));
        // One that is known to wait, and is looked at for news, is no more urgent than nobody.
        let is_known = self.session.looks_for_news() || self.session.looks_for_end_of_secret();
        let settles = sighting.as_ref().and_then(|sighting| match sighting.is_settled {
            true => (!is_known).then_some(self.now),
            false => Some(self.news.quiet_from(sighting.reader.awaits)),
        });
        let found = sighting.is_some();
        let may_wake = !found
            && self.session.awaits_background_reader()
            && self.schedule.may_be_waking(holds_input);
        if !may_wake {
            self.schedule.is_awake();
            self.step(Event::Look(sighting));
        }
        self.schedule.looked(settles, took, self.now);
    }

    /// What the one who was found shows; `None` when it can't be a reader.
    pub(super) fn sighting(&mut self, mut found: Found) -> Option<Sighting> {
        let Pipeline { news, now, .. } = self;
        if found.reader.is_unknown() {
            // It was awake if something was printed.
            found.reader.wakes = news.count();
        }
        let mut sighting = self.display.sighting(found, self.session.waiting_clients())?;
        sighting.is_settled = news.settles(&sighting, self.display.screen(), *now);
        sighting.shown = news.count();
        Some(sighting)
    }
}
