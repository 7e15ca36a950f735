//! What a look at the kernel changes: who reads the terminal, and what it shows. Pure.

use super::{
    Action, Session, pager,
    reader::{Reader, Sighting, View},
    state::{Call, Doing, State, TypedFor},
};

impl Session {
    /// Two looks that find the same sleep make it a wait, whatever others print meanwhile.
    pub(super) fn look(&mut self, sighting: Option<Sighting>) {
        let found = sighting.as_ref().map(|sighting| &sighting.reader);
        let is_found = |known: Option<&Reader>| {
            known.zip(found).is_some_and(|(known, found)| known.is_same_sleep(found))
        };
        let is_for_secret = self.looks_for_end_of_secret();
        match &mut self.state {
            State::Ready { typed_for, .. }
                if typed_for.is_some() && !is_found(typed_for.as_ref()) =>
            {
                *typed_for = None;
            }
            State::Starting {
                doing: Doing::Running { typed_for, candidate, turn_pages }, ..
            }
            | State::InCell {
                doing: Doing::Running { typed_for, candidate, turn_pages }, ..
            } if !is_found(typed_for.as_ref().map(|typed_for| &typed_for.reader)) => {
                let confirmed = is_found(candidate.as_ref().map(|known| &known.reader));
                let turn_pages = *turn_pages;
                match sighting {
                    Some(sighting) if confirmed && sighting.is_settled => {
                        self.reads(sighting, turn_pages);
                    }
                    sighting => *candidate = sighting.map(Box::new),
                }
            }
            state if state.doing().is_some_and(Doing::may_go_on) => self.look_for_news(sighting),
            _ if is_for_secret => {
                if let Some(Doing::TerminalWait { reader, .. }) = self.state.doing()
                    && is_found(Some(reader))
                {
                    return;
                }
                let candidate = sighting.map(Box::new);
                self.set_doing(Doing::Running { typed_for: None, candidate, turn_pages: false });
            }
            _ => return,
        }
        self.settle();
    }

    /// A program that was found waiting and may go on by itself is looked at again, for polls.
    fn look_for_news(&mut self, sighting: Option<Sighting>) {
        match sighting {
            Some(sighting) if sighting.reader.awaits.others() => {
                let has_news = |call: &Call| call.has_news(sighting.shown);
                if sighting.is_settled && self.calls.iter().any(has_news) {
                    self.reads(sighting, false);
                }
            }
            sighting => {
                let mut doing = self.running(None);
                if let Doing::Running { candidate, .. } = &mut doing {
                    *candidate = sighting.map(Box::new);
                }
                self.set_doing(doing);
            }
        }
    }

    /// A program that may go on by itself was never found settled, and a caller's time is up: one
    /// that draws its page over and over can be typed for.
    pub(super) fn take_unsettled_page(&mut self) {
        if let Some(Doing::Running { candidate, .. }) = self.state.doing_mut()
            && let Some(sighting) = candidate.take_if(|known| {
                known.reader.awaits.others() && matches!(known.view, View::FullScreen(_))
            })
        {
            self.reads(*sighting, false);
        } else if let Some(Doing::FullScreen { reader, .. }) = self.state.doing()
            && reader.awaits.others()
        {
            self.act(Action::TakeScreen);
        }
    }

    /// A program reads the terminal: what it shows there tells what it is.
    fn reads(&mut self, sighting: Sighting, turn_pages: bool) {
        let Sighting { reader, modes, view, shown, .. } = sighting;
        (self.shown, self.typed) = (shown, None);
        let doing = match view {
            View::Text => Doing::TerminalWait { reader, modes },
            View::FullScreen(view) => {
                self.act(Action::TakeScreen);
                Doing::FullScreen { reader, view }
            }
            View::Pager(view) => {
                self.act(Action::TakePage);
                match pager::next_key(&view, turn_pages && !self.people) {
                    Some(key) => {
                        self.turn_page(key);
                        let typed_for = Some(TypedFor { reader, is_pager: true });
                        Doing::Running { typed_for, candidate: None, turn_pages }
                    }
                    None => Doing::Pager { reader, view },
                }
            }
        };
        self.set_doing(doing);
    }
}
