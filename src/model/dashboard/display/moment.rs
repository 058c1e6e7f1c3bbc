//! Moments as moment.js writes them: patterns such as `YYYY-MM-DD HH:mm:ss`, and `5 minutes ago`.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::units::MomentPattern;

/// A moment in milliseconds since 1970; the number if it is outside the calendar.
pub(super) fn moment(ms: f64, how: MomentPattern<'_>, now: Timestamp, zone: &TimeZone) -> String {
    let Some(at) = timestamp(ms) else { return super::decimals::js_number(ms) };
    let zoned = at.to_zoned(zone.clone());
    match how {
        MomentPattern::Always(pattern) => format_moment(&zoned, pattern),
        MomentPattern::ShortToday(long, short) => {
            let is_today = now.to_zoned(zone.clone()).date() == zoned.date();
            format_moment(&zoned, if is_today { short } else { long })
        }
        MomentPattern::FromNow => from_now(at, now),
    }
}

/// The moment of milliseconds since 1970, if the calendar has it.
#[expect(clippy::cast_possible_truncation, reason = "less than 9e15")]
pub fn timestamp(ms: f64) -> Option<Timestamp> {
    (ms.is_finite() && ms.abs() < 9e15).then(|| Timestamp::from_millisecond(ms as i64).ok()).flatten()
}

/// A moment by a pattern of moment.js; text in `[]` stays as it is, and letters that are no token, too.
pub fn format_moment(at: &Zoned, pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if let Some((text, after)) = rest.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
            out.push_str(text);
            rest = after;
            continue;
        }
        let known = TOKENS.iter().find_map(|(token, strftime)| Some((rest.strip_prefix(token)?, *strftime)));
        if let Some((after, how)) = known {
            out.push_str(&how.of(at));
            rest = after;
        } else {
            out.push(first);
            rest = rest.strip_prefix(first).unwrap_or("");
        }
    }
    out
}

#[derive(Clone, Copy)]
enum MomentToken {
    /// In the words of strftime.
    Strftime(&'static str),
    Ordinal,
    Quarter,
    Thousandths(u8),
    LowerHalf,
    Milliseconds,
}

impl MomentToken {
    fn of(self, at: &Zoned) -> String {
        match self {
            // a pattern of the table below, which strftime knows
            Self::Strftime(pattern) => at.strftime(pattern).to_string(),
            Self::Ordinal => {
                let day = at.day();
                let suffix = match (day, day % 10) {
                    (11..=13, _) => "th",
                    (_, 1) => "st",
                    (_, 2) => "nd",
                    (_, 3) => "rd",
                    _ => "th",
                };
                format!("{day}{suffix}")
            }
            Self::Quarter => ((at.month() - 1) / 3 + 1).to_string(),
            Self::Thousandths(digits) => {
                let ms = format!("{:03}", at.millisecond());
                ms.chars().take(usize::from(digits)).collect()
            }
            Self::LowerHalf => if at.hour() < 12 { "am" } else { "pm" }.to_owned(),
            Self::Milliseconds => at.timestamp().as_millisecond().to_string(),
        }
    }
}

use MomentToken::{LowerHalf, Milliseconds, Ordinal, Quarter, Strftime, Thousandths};

/// Longer ones first.
const TOKENS: &[(&str, MomentToken)] = &[
    ("YYYY", Strftime("%Y")),
    ("YY", Strftime("%y")),
    ("Y", Strftime("%Y")),
    ("GGGG", Strftime("%G")),
    ("MMMM", Strftime("%B")),
    ("MMM", Strftime("%b")),
    ("MM", Strftime("%m")),
    ("M", Strftime("%-m")),
    ("DDDD", Strftime("%j")),
    ("DDD", Strftime("%-j")),
    ("DD", Strftime("%d")),
    ("Do", Ordinal),
    ("D", Strftime("%-d")),
    ("dddd", Strftime("%A")),
    ("ddd", Strftime("%a")),
    ("dd", Strftime("%a")),
    ("d", Strftime("%w")),
    ("E", Strftime("%u")),
    ("Q", Quarter),
    ("WW", Strftime("%V")),
    ("W", Strftime("%-V")),
    ("HH", Strftime("%H")),
    ("H", Strftime("%-H")),
    ("hh", Strftime("%I")),
    ("h", Strftime("%-I")),
    ("kk", Strftime("%H")),
    ("mm", Strftime("%M")),
    ("m", Strftime("%-M")),
    ("ss", Strftime("%S")),
    ("s", Strftime("%-S")),
    ("SSS", Thousandths(3)),
    ("SS", Thousandths(2)),
    ("S", Thousandths(1)),
    ("A", Strftime("%p")),
    ("a", LowerHalf),
    ("ZZ", Strftime("%z")),
    ("Z", Strftime("%:z")),
    ("X", Strftime("%s")),
    ("x", Milliseconds),
    ("LTS", Strftime("%-I:%M:%S %p")),
    ("LT", Strftime("%-I:%M %p")),
    ("LLLL", Strftime("%A, %B %-d, %Y %-I:%M %p")),
    ("LLL", Strftime("%B %-d, %Y %-I:%M %p")),
    ("LL", Strftime("%B %-d, %Y")),
    ("L", Strftime("%m/%d/%Y")),
];

/// `5 minutes ago`, `in a day`: the words and limits of moment.js.
fn from_now(at: Timestamp, now: Timestamp) -> String {
    let seconds = (now.as_millisecond() - at.as_millisecond()) as f64 / 1000.0;
    let size = seconds.abs();
    let (minutes, hours, days) = (size / 60.0, size / 3600.0, size / 86_400.0);
    let words = if size.round() < 45.0 {
        "a few seconds".to_owned()
    } else if minutes.round() <= 1.0 {
        "a minute".to_owned()
    } else if minutes.round() < 45.0 {
        format!("{} minutes", minutes.round())
    } else if hours.round() <= 1.0 {
        "an hour".to_owned()
    } else if hours.round() < 22.0 {
        format!("{} hours", hours.round())
    } else if days.round() <= 1.0 {
        "a day".to_owned()
    } else if days.round() < 26.0 {
        format!("{} days", days.round())
    } else if (days / 30.4368).round() <= 1.0 {
        "a month".to_owned()
    } else if (days / 30.4368).round() < 11.0 {
        format!("{} months", (days / 30.4368).round())
    } else if (days / 365.2425).round() <= 1.0 {
        "a year".to_owned()
    } else {
        format!("{} years", (days / 365.2425).round())
    };
    if seconds < 0.0 { format!("in {words}") } else { format!("{words} ago") }
}
