//! Times of the day as the people of this machine read them, and as programs do.

use jiff::{Timestamp, tz::TimeZone};

/// A time in milliseconds since 1970-01-01 UTC as a clock here shows it: `10:32`, with the date if
/// that is not today.
pub fn local_time(unix_ms: u64) -> String {
    shown(unix_ms, Timestamp::now(), TimeZone::system())
}

/// Now, as RFC 3339 has it, in UTC and to the millisecond: `2026-11-26T20:18:14.250Z`.
pub fn utc_now() -> String {
    in_utc(Timestamp::now())
}

fn in_utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
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
    fn times_for_programs_are_in_utc_with_milliseconds() {
        let time: Timestamp = "2026-11-26T22:05:59.0509+02:00".parse().unwrap();
        assert_eq!(in_utc(time), "2026-11-26T20:05:59.050Z");
    }

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
