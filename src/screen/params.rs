//! The parameters of a control sequence: numbers, grouped by colons.

/// The most numbers kept; `vte` keeps as many.
const MOST_NUMBERS: usize = 32;

/// The numbers of a control sequence.
#[derive(Debug, Clone, Default)]
pub(super) struct Params {
    values: [u16; MOST_NUMBERS],
    len: usize,
    /// Bit N is set if value N belongs to the group of the one before (`4:3`).
    joined: u32,
}

impl Params {
    pub(super) fn from_vte(params: &vte::Params) -> Params {
        let mut own = Params::default();
        for group in params {
            for (index, &value) in group.iter().enumerate() {
                own.push(value, index > 0);
            }
        }
        own
    }

    pub(super) fn push(&mut self, value: u16, joined: bool) {
        if self.len < MOST_NUMBERS {
            self.values[self.len] = value;
            self.joined |= u32::from(joined) << self.len;
            self.len += 1;
        }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.joined = 0;
    }

    pub(super) fn is_full(&self) -> bool {
        self.len == MOST_NUMBERS
    }

    /// The number at `index`, 0 when it is missing.
    pub(super) fn get(&self, index: usize) -> u16 {
        self.values[..self.len].get(index).copied().unwrap_or(0)
    }

    /// The number at `index`; 1 when it is missing or 0.
    pub(super) fn count(&self, index: usize) -> usize {
        usize::from(self.get(index).max(1))
    }

    pub(super) fn values(&self) -> &[u16] {
        &self.values[..self.len]
    }

    /// The groups, none of them empty.
    pub(super) fn groups(&self) -> impl Iterator<Item = &[u16]> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let start = at;
            if start >= self.len {
                return None;
            }
            at += 1;
            while at < self.len && self.joined & 1 << at != 0 {
                at += 1;
            }
            Some(&self.values[start..at])
        })
    }
}
