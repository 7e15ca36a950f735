//! How the command line says how long something takes.

use std::time::Duration;

/// The longest, 100 years: what is above is a mistake.
const LONGEST_SECONDS: u64 = 100 * 365 * 24 * 3600;

/// A number of seconds, or one with a unit: `0`, `30s`, `10m`, `8h`, `2d`.
pub(super) fn duration(value: &str) -> Result<Duration, String> {
    let digits = value.len() - value.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = value.split_at(digits);
    let seconds = match unit {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(24 * 3600),
        _ => None,
    };
    let total = seconds.and_then(|seconds| number.parse::<u64>().ok()?.checked_mul(seconds));
    let total = total.filter(|total| *total <= LONGEST_SECONDS);
    total.map(Duration::from_secs).ok_or_else(|| {
        "it is a number of seconds, or one with a unit: `30s`, `10m`, `8h`, `2d`".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_with_a_unit() {
        let seconds = |value| duration(value).map(|duration| duration.as_secs());
        for (value, wanted) in
            [("0", 0), ("7", 7), ("30s", 30), ("10m", 600), ("8h", 28_800), ("2d", 172_800)]
        {
            assert_eq!(seconds(value), Ok(wanted), "{value}");
        }
        for wrong in ["", "m", "-1", "1.5h", "10 m", "10M", "1w", "1m30s", "999999999999d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        assert!(duration(&format!("{}d", u64::MAX)).is_err());
    }
}
