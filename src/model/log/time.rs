//! The time that a printed line tells: in a field of JSON or logfmt, or in its first words.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::fields::{self, LineFormat};

/// Fields that hold the time, in order of precedence.
const NAMES: [&str; 9] =
    ["@timestamp", "timestamp", "time", "ts", "t", "datetime", "date", "_time", "__REALTIME_TIMESTAMP"];
/// In how many of the first words a time is looked for: `stern` and `kubectl` print names before it.
const WORDS: usize = 4;

/// The time of a line; `None` if it tells none. A time without a zone is in UTC.
pub fn of_line(text: &str) -> Option<Timestamp> {
    match fields::format(text) {
        LineFormat::Json | LineFormat::Logfmt => {
            let found = fields::scalars(text, |name| NAMES.contains(&name));
            let named = NAMES.iter().filter_map(|name| found.iter().find(|(known, _)| known == name));
            named.filter_map(|(_, value)| parsed(value)).next()
        }
        LineFormat::Klog | LineFormat::Plain => {
            let words: Vec<&str> = text.split_whitespace().take(WORDS + 1).collect();
            let bare = |word: &str| word.trim_matches(['[', ']', '(', ')', '<', '>', ',']).to_owned();
            let one = words.iter().take(WORDS).find_map(|word| parsed_text(&bare(word)));
            // a date and a time of the day, with a blank between
            one.or_else(|| {
                words.windows(2).find_map(|two| match two {
                    [date, clock] => {
                        parsed_text(&format!("{}T{}", bare(date).replace('/', "-"), bare(clock)))
                    }
                    _ => None,
                })
            })
        }
    }
}

/// A time as text, or as a number of seconds, milliseconds, microseconds or nanoseconds, told apart by their size.
fn parsed(value: &str) -> Option<Timestamp> {
    if let Ok(whole) = value.parse::<i128>() {
        let unit = match whole {
            100_000_000..100_000_000_000 => 1_000_000_000,
            100_000_000_000..100_000_000_000_000 => 1_000_000,
            100_000_000_000_000..100_000_000_000_000_000 => 1_000,
            100_000_000_000_000_000.. => 1,
            _ => return None,
        };
        return Timestamp::from_nanosecond(whole * unit).ok();
    }
    match value.parse::<f64>() {
        Ok(seconds) if (1e8..1e11).contains(&seconds) => {
            Timestamp::UNIX_EPOCH.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
        }
        Ok(_) => None,
        Err(_) => parsed_text(&value.replacen(' ', "T", 1)),
    }
}

/// RFC 3339, also with a comma before the fraction, with an offset such as `+0100`, or without an offset.
fn parsed_text(text: &str) -> Option<Timestamp> {
    // at least a date and a time of the day
    if text.len() < 16 || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let text = text.replacen(',', ".", 1);
    text.parse().ok().or_else(|| {
        let at: DateTime = text.parse().ok()?;
        at.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_line_is_found_in_its_usual_places() {
        for (line, at) in [
            ("2026-11-30T11:33:00.123456789Z request done", "2026-11-30T11:33:00.123456789Z"),
            ("2026-11-30T12:33:00+0100 host app[1]: x", "2026-11-30T11:33:00Z"),
            ("2026-11-30 11:33:00,5 INFO x", "2026-11-30T11:33:00.5Z"),
            ("[2026/11/30 11:33:00] x", "2026-11-30T11:33:00Z"),
            ("checkout-1 app 2026-11-30T11:33:00Z x", "2026-11-30T11:33:00Z"),
            (r#"{"ts":"2026-11-30T11:33:00Z","msg":"x"}"#, "2026-11-30T11:33:00Z"),
            (r#"{"msg":"x","time":1796038380.25}"#, "2026-11-30T11:33:00.25Z"),
            (r#"{"msg":"x","timestamp":1796038380123}"#, "2026-11-30T11:33:00.123Z"),
            (r#"{"MESSAGE":"x","__REALTIME_TIMESTAMP":"1796038380000001"}"#, "2026-11-30T11:33:00.000001Z"),
            ("ts=2026-11-30T11:33:00Z level=info msg=x", "2026-11-30T11:33:00Z"),
        ] {
            assert_eq!(of_line(line), Some(at.parse().unwrap()), "{line}");
        }
        for line in [
            "request done",
            "  at Foo.bar(Foo.java:12)",
            r#"{"time":"soon"}"#,
            r#"{"t":5}"#,
            "",
            "12:33:00 x",
        ] {
            assert_eq!(of_line(line), None, "{line}");
        }
    }
}
