//! Which size the session's terminal is to have between cells: the one pinned last, else that of the person
//! who typed last, else its own. Pure.

use crate::{screen::Size, session::rules::state::ClientId};

/// What is wished of the size.
#[derive(Debug)]
pub(super) struct Sizes {
    /// The session's own.
    own: Size,
    /// Whether that is changed by pins alone.
    is_own_pinned: bool,
    /// Pins of clients, the latest last.
    pins: Vec<(ClientId, Size)>,
    /// What was wished last since people came.
    wished: Option<Size>,
    has_people: bool,
}

impl Sizes {
    pub(super) fn new(own: Size) -> Sizes {
        let (pins, wished) = (Vec::new(), None);
        Sizes { own, is_own_pinned: false, pins, wished, has_people: false }
    }

    /// The session keeps its own size, whoever types.
    pub(super) fn pin_own(&mut self) {
        self.is_own_pinned = true;
    }

    fn pinned(&self) -> Option<Size> {
        let own = self.is_own_pinned.then_some(self.own);
        self.pins.last().map(|&(_, size)| size).or(own)
    }

    /// Somebody wishes a size. What the terminal is to be given, if anything.
    pub(super) fn wish(&mut self, size: Size) -> Option<Size> {
        self.wished = Some(size);
        self.pinned().is_none().then_some(size)
    }

    /// The first person has come, or the last one has gone. What the terminal is to be given, if anything.
    pub(super) fn people(&mut self, attached: bool) -> Option<Size> {
        let is_last = std::mem::replace(&mut self.has_people, attached) && !attached;
        if is_last {
            self.wished = None;
        }
        (is_last && self.pinned().is_none()).then_some(self.own)
    }

    /// A client pins the size until it goes. What the terminal is to be given.
    pub(super) fn pin(&mut self, client: ClientId, size: Size) -> Size {
        self.pins.retain(|&(other, _)| other != client);
        self.pins.push((client, size));
        size
    }

    /// A client has gone. What the terminal is to be given, if anything.
    pub(super) fn leave(&mut self, client: ClientId) -> Option<Size> {
        let before = self.pinned();
        self.pins.retain(|&(other, _)| other != client);
        let after = self.pinned();
        (before != after).then(|| after.or(self.wished).unwrap_or(self.own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Size = Size { columns: 120, rows: 40 };
    const SMALL: Size = Size { columns: 80, rows: 24 };
    const WIDE: Size = Size { columns: 200, rows: 50 };

    #[test]
    fn who_typed_last_leads_until_the_last_person_leaves() {
        let mut sizes = Sizes::new(OWN);
        assert_eq!(sizes.people(true), None);
        assert_eq!(sizes.wish(SMALL), Some(SMALL));
        assert_eq!(sizes.wish(WIDE), Some(WIDE));
        assert_eq!(sizes.leave(1), None);
        assert_eq!(sizes.people(false), Some(OWN));
        assert_eq!(sizes.people(false), None);
    }

    #[test]
    fn a_pin_holds_until_its_client_goes() {
        let mut sizes = Sizes::new(OWN);
        sizes.people(true);
        sizes.wish(SMALL);
        assert_eq!(sizes.pin(1, WIDE), WIDE);
        assert_eq!(sizes.wish(SMALL), None);
        assert_eq!(sizes.wish(OWN), None);
        // The last one counts, and the one before that again when it goes.
        assert_eq!(sizes.pin(2, SMALL), SMALL);
        assert_eq!(sizes.leave(2), Some(WIDE));
        // Who led meanwhile leads.
        assert_eq!(sizes.leave(1), Some(OWN));
        sizes.wish(SMALL);
        sizes.pin(1, WIDE);
        assert_eq!(sizes.pin(1, OWN), OWN);
        assert_eq!(sizes.people(false), None);
        assert_eq!(sizes.leave(1), Some(OWN));
    }

    #[test]
    fn a_session_may_keep_its_own_whoever_types() {
        let mut sizes = Sizes::new(OWN);
        sizes.pin_own();
        sizes.people(true);
        assert_eq!(sizes.wish(SMALL), None);
        assert_eq!(sizes.pin(1, WIDE), WIDE);
        assert_eq!(sizes.leave(1), Some(OWN));
        assert_eq!(sizes.people(false), None);
    }
}
