//! Text on its way from the screen to clients: as far as it can't change any more, or all of it. Pure.

use super::{Effect, Observer, Pipeline};

impl<O: Observer> Pipeline<O> {
    /// Takes the text that can't change any more.
    pub(super) fn drain(&mut self) {
        if !std::mem::take(&mut self.has_undrained) {
            return;
        }
        self.display.drain(self.session.awaits_pager());
    }

    /// Takes all text that was not told yet.
    pub(super) fn report(&mut self) {
        self.display.report(self.session.awaits_pager());
    }

    /// Tells those that follow what can't change any more.
    pub(super) fn tell_followers(&mut self) {
        let Pipeline { display, effects, .. } = self;
        if display.outboxes.are_followed() {
            display.report_finished();
            let told = display.outboxes.take_followed();
            effects.extend(told.map(|(client, content)| Effect::Tell { client, content }));
        }
    }

    /// Hands on the text that has no room in a reply.
    pub(super) fn keep_overflow(&mut self) {
        let Pipeline { display, effects, .. } = self;
        let overflow = display.outboxes.take_overflow();
        effects.extend(overflow.map(|(client, text)| Effect::Keep { client, text }));
    }
}
