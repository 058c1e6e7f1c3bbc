//! Points in time as users write them: `22:00`, `2026-11-30 22:00`, `in 2h`, or RFC 3339.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::duration;

/// A text that is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time; write it like 22:00, 2026-11-30 22:00, in 2h or 2026-11-30T22:00:00Z")]
pub struct WhenError(String);

/// Parses a time. A time of day without a date is the next one after `now` in the zone; a duration counts from `now`.
///
/// # Errors
/// [`WhenError`] for anything else.
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, WhenError> {
    let wrong = || WhenError(text.to_owned());
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    if let Ok(length) = duration::parse(text.strip_prefix("in ").unwrap_or(text).trim()) {
        return now.checked_add(length).map_err(|_error| wrong());
    }
    let here = |moment: DateTime| moment.to_zoned(zone.clone()).map(|moment| moment.timestamp());
    if let Some(time) = time(text) {
        let today = now.to_zoned(zone.clone()).date();
        let next = here(today.to_datetime(time)).ok().filter(|moment| *moment > now);
        let tomorrow = || here(today.checked_add(1.day()).ok()?.to_datetime(time)).ok();
        return next.or_else(tomorrow).ok_or_else(wrong);
    }
    let (day, clock) = text.split_once([' ', 'T']).ok_or_else(wrong)?;
    let day: Date = day.parse().map_err(|_error| wrong())?;
    let time = time(clock.trim()).ok_or_else(wrong)?;
    here(day.to_datetime(time)).map_err(|_error| wrong())
}

/// Parses `22:00` or `22:00:30`.
pub(super) fn time(text: &str) -> Option<Time> {
    let is_time = text.contains(':') && text.chars().all(|c| c.is_ascii_digit() || c == ':');
    let padded = if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
    is_time.then(|| padded.parse().ok())?
}

/// Formats a time so that [`parse`] reads it back, to the second.
pub fn text(moment: Timestamp, zone: &TimeZone) -> String {
    moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let now: Timestamp = "2026-11-30T20:30:00Z".parse().unwrap();
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        for (text, expected) in [
            ("now", "2026-11-30T20:30:00Z"),
            ("22:00", "2026-11-30T21:00:00Z"),
            ("21:30", "2026-12-01T20:30:00Z"),
            ("6:05", "2026-12-01T05:05:00Z"),
            ("23:59:30", "2026-11-30T22:59:30Z"),
            ("in 2h", "2026-11-30T22:30:00Z"),
            ("90m", "2026-11-30T22:00:00Z"),
            ("2026-12-24 18:00", "2026-12-24T17:00:00Z"),
            ("2026-07-01T12:00", "2026-07-01T10:00:00Z"),
            ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
            ("2026-12-24T18:00:00+05:30", "2026-12-24T12:30:00Z"),
        ] {
            assert_eq!(parse(text, now, &zone), Ok(expected.parse().unwrap()), "{text}");
        }
        for wrong in ["", "later", "25:00", "22", "2026-13-01 10:00", "10:00 2026-12-01", ":", "2026-12-01"] {
            assert!(parse(wrong, now, &zone).is_err(), "{wrong}");
        }
        assert_eq!(parse(&text(now, &zone), now, &zone), Ok(now));
    }
}
