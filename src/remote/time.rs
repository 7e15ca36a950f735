//! Times of the day as the people of this machine read them.

use jiff::{Timestamp, tz::TimeZone};

/// A time in milliseconds since 1970-01-01 UTC as a clock here shows it: `10:32`, with the date if
/// that is not today.
pub fn local_time(unix_ms: u64) -> String {
    shown(unix_ms, Timestamp::now(), TimeZone::system())
}

fn shown(unix_ms: u64, now: Timestamp, zone: TimeZone) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let time = time.unwrap_or(now).to_zoned(zone.clone());
    let form = if time.date() == now.to_zoned(zone).date() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    time.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_shown_of_another_day_only() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-26T22:30:00Z");
        let show = |text: &str| shown(at(text).as_millisecond() as u64, now, zone.clone());
        assert_eq!(show("2026-11-26T22:05:59Z"), "00:05");
        assert_eq!(show("2026-11-26T21:59:00Z"), "2026-11-26 23:59");
        assert_eq!(shown(u64::MAX, now, zone.clone()), "00:30");
    }
}
