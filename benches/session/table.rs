//! The table's lines, and the statistics behind them.

use std::{fmt, time::Duration};

/// What a ratio has to keep.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    /// Less than this, not just as much.
    Below(f64),
    AtLeast(f64),
    /// Told for its own sake.
    None,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// What was measured, with its unit.
    pub(crate) subject: String,
    /// What it is compared with.
    pub(crate) baseline: String,
    pub(crate) ratio: f64,
    pub(crate) bound: Bound,
}

impl Line {
    /// Compares the medians of two sets of times.
    pub(crate) fn of_times(
        name: impl Into<String>,
        subject: Vec<Duration>,
        baseline: Vec<Duration>,
        bound: Bound,
    ) -> Line {
        let (subject, baseline) = (Times::of(subject), Times::of(baseline));
        Line {
            name: name.into(),
            subject: subject.to_string(),
            baseline: baseline.to_string(),
            ratio: subject.p50.as_secs_f64() / baseline.p50.as_secs_f64(),
            bound,
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        match self.bound {
            Bound::AtMost(most) => self.ratio <= most,
            Bound::Below(limit) => self.ratio < limit,
            Bound::AtLeast(least) => self.ratio >= least,
            Bound::None => true,
        }
    }
}

pub(crate) fn heading() {
    println!(
        "{:<38} {:>26} {:>26} {:>7}  {:<8}",
        "", "measured p50 (p90)", "baseline p50 (p90)", "ratio", "bound"
    );
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { name, subject, baseline, ratio, bound } = self;
        let bound = match bound {
            Bound::AtMost(most) => format!("≤ {most}"),
            Bound::Below(limit) => format!("< {limit}"),
            Bound::AtLeast(least) => format!("≥ {least}"),
            Bound::None => String::new(),
        };
        let verdict = if self.is_good() { "" } else { "MISSED" };
        write!(f, "{name:<38} {subject:>26} {baseline:>26} {ratio:>7.2}  {bound:<8}{verdict}")
    }
}

/// The percentiles of a set of times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) p50: Duration,
    pub(crate) p90: Duration,
}

impl Times {
    /// Those of `times`, which must not be empty.
    pub(crate) fn of(mut times: Vec<Duration>) -> Times {
        times.sort_unstable();
        Times { p50: times[times.len() / 2], p90: times[times.len() * 9 / 10] }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", short(self.p50), short(self.p90))
    }
}

/// The middle one of some numbers, which must not be none.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// A time with three digits that count.
pub(crate) fn short(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (number, unit) = match seconds {
        ..1e-3 => (seconds * 1e6, "µs"),
        ..1.0 => (seconds * 1e3, "ms"),
        _ => (seconds, "s"),
    };
    let digits = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    format!("{number:.digits$} {unit}")
}
