//! Tab stops: every eighth column unless the program sets its own (HTS, TBC).

/// The tab stops of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tabs {
    stops: Vec<bool>,
}

impl Tabs {
    pub(super) fn new(columns: usize) -> Tabs {
        Tabs { stops: (0..columns).map(|column| column % 8 == 0).collect() }
    }

    /// Keeps the stops that are left; new columns get the usual ones.
    pub(super) fn resize(&mut self, columns: usize) {
        self.stops.truncate(columns);
        self.stops.extend((self.stops.len()..columns).map(|column| column % 8 == 0));
    }

    pub(super) fn set(&mut self, column: usize, stop: bool) {
        if let Some(at) = self.stops.get_mut(column) {
            *at = stop;
        }
    }

    pub(super) fn clear(&mut self) {
        self.stops.fill(false);
    }

    /// The next stop, the last column if there is none.
    pub(super) fn next(&self, column: usize) -> usize {
        let last = self.stops.len().saturating_sub(1);
        (column + 1..last).find(|&column| self.stops[column]).unwrap_or(last)
    }

    /// The stop before, the first column if there is none.
    pub(super) fn previous(&self, column: usize) -> usize {
        (0..column.min(self.stops.len())).rev().find(|&column| self.stops[column]).unwrap_or(0)
    }

    /// The columns with a stop.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.stops.iter().enumerate().filter(|(_, stop)| **stop).map(|(column, _)| column)
    }
}
