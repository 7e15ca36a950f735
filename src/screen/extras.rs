//! What few cells have: a hyperlink (OSC 8) and a colour of the underline (SGR 58).

use std::collections::HashMap;
use std::sync::Arc;

use super::style::Color;

/// How many different extras the pages hold; a link beyond that is shown without its target.
const MOST_EXTRAS: usize = 1024;

/// What a cell can have beside its style.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Extra {
    /// The parameters and the address of `OSC 8 ; PARAMETERS ; ADDRESS`.
    pub(super) link: Option<Arc<(String, String)>>,
    pub(super) underline_color: Color,
}

/// The extras in use, each under the number that cells carry; 0 is none.
#[derive(Debug, Default)]
pub(super) struct Extras {
    entries: Vec<Extra>,
    free: Vec<u16>,
    numbers: HashMap<Extra, u16>,
}

impl Extras {
    pub(super) fn get(&self, number: u16) -> Extra {
        let index = usize::from(number).wrapping_sub(1);
        self.entries.get(index).cloned().unwrap_or_default()
    }

    /// The number for `extra`; `None` when there is no more room.
    pub(super) fn intern(&mut self, extra: &Extra) -> Option<u16> {
        if *extra == Extra::default() {
            return Some(0);
        }
        if let Some(&number) = self.numbers.get(extra) {
            return Some(number);
        }
        let number = if let Some(number) = self.free.pop() {
            self.entries[usize::from(number) - 1] = extra.clone();
            number
        } else if self.entries.len() < MOST_EXTRAS {
            self.entries.push(extra.clone());
            self.entries.len() as u16
        } else {
            return None;
        };
        self.numbers.insert(extra.clone(), number);
        Some(number)
    }

    /// Forgets the extras whose numbers `in_use` does not name.
    pub(super) fn collect(&mut self, in_use: impl Iterator<Item = u16>) {
        let mut used = vec![false; self.entries.len() + 1];
        for number in in_use {
            if let Some(used) = used.get_mut(usize::from(number)) {
                *used = true;
            }
        }
        self.free.clear();
        for number in (1..=self.entries.len()).rev().filter(|&number| !used[number]) {
            self.numbers.remove(&self.entries[number - 1]);
            self.entries[number - 1] = Extra::default();
            self.free.push(number as u16);
        }
    }
}
