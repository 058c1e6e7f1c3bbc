//! Timestamps and durations in API answers. The unit is part of the type, so that units are not confused. A value that cannot be
//! read becomes `None`; the other fields are not affected.

use std::time::Duration;

use super::lenient::{LenientText, read_as_text};
use crate::model::duration;
use jiff::Timestamp;

/// An RFC 3339 timestamp: `2026-03-01T11:59:00Z`.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Rfc3339(pub(crate) Option<Timestamp>);

/// A timestamp after 1970 with `PER_SECOND` units in a second: `Epoch<1_000>` is in milliseconds, `Epoch<1_000_000_000>` in
/// nanoseconds. A number, or a text with a number.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Epoch<const PER_SECOND: i64>(pub(crate) Option<Timestamp>);

/// A timestamp in RFC 3339 or in seconds, for APIs whose servers differ.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Rfc3339OrSeconds(pub(crate) Option<Timestamp>);

/// A duration: a number of seconds, or as in a Prometheus rule (`5m`).
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Length(pub(crate) Option<Duration>);

impl Rfc3339 {
    fn of(word: &LenientText<'_>) -> Self {
        Self(word.0.trim().parse().ok())
    }
}

impl<const PER_SECOND: i64> Epoch<PER_SECOND> {
    /// The timestamp this many units after 1970, rounded to microseconds: an `f64` is not more precise.
    #[expect(clippy::cast_possible_truncation, reason = "what is out of range is no moment")]
    pub(crate) fn at(units: f64) -> Option<Timestamp> {
        let microseconds = (units * (1e6 / PER_SECOND as f64)).round();
        microseconds.is_finite().then(|| Timestamp::from_microsecond(microseconds as i64).ok()).flatten()
    }

    fn of(word: &LenientText<'_>) -> Self {
        let whole = |units: i64| {
            Timestamp::from_nanosecond(i128::from(units) * i128::from(1_000_000_000 / PER_SECOND)).ok()
        };
        let reported = match word.0.trim().parse() {
            Ok(units) => whole(units),
            Err(_) => word.number().and_then(Self::at),
        };
        Self(reported.filter(|moment| *moment > Timestamp::UNIX_EPOCH))
    }
}

impl Rfc3339OrSeconds {
    fn of(word: &LenientText<'_>) -> Self {
        Self(Rfc3339::of(word).0.or_else(|| Epoch::<1>::of(word).0))
    }
}

impl Length {
    fn of(word: &LenientText<'_>) -> Self {
        let seconds = word.number().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Self(seconds.or_else(|| duration::parse(word.0.trim()).ok()))
    }
}

read_as_text! {
    Rfc3339;
    Epoch<PER_SECOND>, PER_SECOND;
    Rfc3339OrSeconds;
    Length;
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    fn read<T: for<'de> Deserialize<'de>>(json: &str) -> T {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn each_unit_is_read_as_itself_from_numbers_and_texts() {
        let half: Option<Timestamp> = "2026-03-01T11:59:00.5Z".parse().ok();
        assert_eq!(read::<Rfc3339>(r#""2026-03-01T12:59:00.5+01:00""#).0, half);
        assert_eq!(read::<Epoch<1>>("1772366340.5").0, half);
        assert_eq!(read::<Epoch<1_000>>("1772366340500").0, half);
        assert_eq!(read::<Epoch<1_000>>(r#""1772366340500""#).0, half);
        assert_eq!(read::<Epoch<1_000_000_000>>(r#""1772366340500000000""#).0, half);
        let exact = read::<Epoch<1_000_000_000>>("1772366340500000001").0;
        assert_eq!(exact.map(Timestamp::subsec_nanosecond), Some(500_000_001));
        // the time of a sample has no exact `f64`, but is correct to the millisecond
        let sample = Epoch::<1>::at(1_772_366_340.123).map(|moment| moment.to_string());
        assert_eq!(sample.as_deref(), Some("2026-03-01T11:59:00.123Z"));
        for none in ["null", "0", "-5", r#""""#, r#""soon""#, "[]", "1e300", "9223372036854775807"] {
            assert_eq!((read::<Rfc3339>(none).0, read::<Epoch<1>>(none).0), (None, None), "{none}");
        }
        assert_eq!((Epoch::<1>::at(f64::NAN), Epoch::<1>::at(f64::INFINITY)), (None, None));
    }

    #[test]
    fn moments_are_texts_or_seconds_and_lengths_are_seconds_or_texts() {
        for (json, moment) in [
            (r#""2026-03-01T11:59:00.5Z""#, Some("2026-03-01T11:59:00.5Z")),
            ("1772366340.5", Some("2026-03-01T11:59:00.5Z")),
            (r#""1772366340.5""#, Some("2026-03-01T11:59:00.5Z")),
            (r#""""#, None),
            ("0", None),
            (r#""soon""#, None),
        ] {
            let reported = read::<Rfc3339OrSeconds>(json).0.map(|moment| moment.to_string());
            assert_eq!(reported.as_deref(), moment, "{json}");
        }
        for (json, seconds) in [("300", Some(300)), (r#""5m""#, Some(300)), (r#""x""#, None), ("-1", None)] {
            assert_eq!(read::<Length>(json).0, seconds.map(Duration::from_secs), "{json}");
        }
    }
}
