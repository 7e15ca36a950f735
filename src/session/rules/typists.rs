//! Who typed what nobody has read, and is told so once it waits for a reply. Pure.

use std::collections::VecDeque;

use super::state::{ClientId, NOBODY};

/// How many clients in a row are kept: what is typed by turns in a program that never ends is not kept for
/// ever.
const MOST: usize = 1024;

/// What was sent to whoever reads, and what of it was thrown away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Typists {
    /// Since the last cell ended: by whom, and how many bytes, in its order.
    sent: VecDeque<(ClientId, u64)>,
    /// How many bytes of each client were thrown away, and it was not told.
    untold: Vec<(ClientId, u64)>,
}

impl Typists {
    /// A client sent this many bytes.
    pub(super) fn note(&mut self, client: ClientId, bytes: u64) {
        match self.sent.back_mut() {
            Some((last, sent)) if *last == client => *sent += bytes,
            _ => self.sent.push_back((client, bytes)),
        }
        if self.sent.len() > MOST {
            self.sent.pop_front();
        }
    }

    /// All that was sent was read, or dropped.
    pub(super) fn clear(&mut self) {
        self.sent.clear();
    }

    /// The last so many bytes were dropped. How many of them are no client's.
    pub(super) fn drop_last(&mut self, bytes: u64) -> u64 {
        let (mut left, mut nobodys) = (bytes, 0);
        for (client, sent) in std::mem::take(&mut self.sent).into_iter().rev() {
            let dropped = sent.min(left);
            left -= dropped;
            match client {
                NOBODY => nobodys += dropped,
                client => self.drop_of(client, dropped),
            }
        }
        nobodys + left
    }

    /// So many bytes of this client were dropped.
    pub(super) fn drop_of(&mut self, client: ClientId, bytes: u64) {
        match self.untold.iter_mut().find(|(known, _)| *known == client) {
            Some((_, dropped)) => *dropped += bytes,
            None if bytes > 0 => self.untold.push((client, bytes)),
            None => {}
        }
    }

    /// Such clients are told, or have gone: how many bytes of each were dropped.
    pub(super) fn take_untold(&mut self, is_it: impl Fn(ClientId) -> bool) -> Vec<(ClientId, u64)> {
        self.untold.extract_if(.., |&mut (client, _)| is_it(client)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_are_those_who_sent_them() {
        let dropped = |bytes| {
            let mut typists = Typists::default();
            for (client, bytes) in [(1, 5), (2, 3), (2, 0), (2, 1), (NOBODY, 1), (1, 2), (3, 0)] {
                typists.note(client, bytes);
            }
            let nobodys = typists.drop_last(bytes);
            let mut untold = typists.take_untold(|_| true);
            untold.sort_unstable();
            (untold, nobodys)
        };
        assert_eq!(dropped(0), (vec![], 0));
        assert_eq!(dropped(2), (vec![(1, 2)], 0));
        assert_eq!(dropped(7), (vec![(1, 2), (2, 4)], 1));
        assert_eq!(dropped(8), (vec![(1, 3), (2, 4)], 1));
        // More than was sent.
        assert_eq!(dropped(15), (vec![(1, 7), (2, 4)], 4));
    }

    #[test]
    fn what_was_dropped_is_told_once() {
        let mut typists = Typists::default();
        typists.note(1, 4);
        assert_eq!(typists.drop_last(4), 0);
        typists.drop_of(1, 2);
        assert_eq!(typists.take_untold(|client| client == 2), []);
        assert_eq!(typists.take_untold(|client| client == 1), [(1, 6)]);
        assert_eq!(typists.take_untold(|_| true), []);
        typists.note(1, 4);
        typists.clear();
        assert_eq!(typists.drop_last(4), 4);
        // Long ago.
        (1..=MOST as u64 + 1).for_each(|client| typists.note(client, 1));
        assert_eq!(typists.drop_last(2000), 2000 - MOST as u64);
    }
}
