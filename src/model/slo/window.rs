//! The window of an objective: the last 30 days, or the calendar month in Berlin.

use std::fmt;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::super::duration;
use crate::model::words::words;

/// More than the number of days in the calendar's 20,000 years.
const MAX_PERIODS: i64 = 8_000_000;

#[derive(Debug, Clone, PartialEq)]
pub enum Window {
    /// The time of this length up to now.
    Rolling(Duration),
    /// The calendar period that contains the current time.
    Calendar(Calendar),
}

/// Periods that follow each other without gaps, such as months, in a time zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// The number of units in one period; 0 counts as 1.
    pub count: u32,
    pub unit: CalendarUnit,
    /// The start of one of the periods. Periods continue in both directions from here. A start on the 31st means the last day of
    /// shorter months.
    pub start: DateTime,
    /// The time zone of `start` and of the period borders.
    pub zone: TimeZone,
}

words! {
    /// The unit of a calendar period.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum CalendarUnit: word {
        /// One calendar day: 23 to 25 hours.
        Day = "day",
        Week = "week",
        /// 28 to 31 days.
        Month = "month",
        Quarter = "quarter",
        Year = "year",
    }
}

/// A time range that includes its start and excludes its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeRange {
    pub start: Timestamp,
    /// The end; never before `start`.
    pub end: Timestamp,
}

impl TimeRange {
    /// The time from `start` to `end`.
    pub fn length(self) -> Duration {
        between(self.start, self.end)
    }

    /// The part that has passed at `now`.
    pub fn elapsed(self, now: Timestamp) -> Duration {
        between(self.start, now.min(self.end))
    }

    /// The part that remains at `now`.
    pub fn left(self, now: Timestamp) -> Duration {
        between(now.max(self.start), self.end)
    }
}

/// The time from `start` to `end`; zero if the end is before the start.
fn between(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or(Duration::ZERO)
}

impl Window {
    /// The time range of the window at `now`: for a rolling window it ends now; for a calendar window it is the whole current
    /// period, including its future part.
    ///
    /// Limited to the years -9999 to 9999.
    pub fn bounds(&self, now: Timestamp) -> TimeRange {
        match self {
            Self::Rolling(length) => {
                TimeRange { start: now.checked_sub(*length).unwrap_or(Timestamp::MIN), end: now }
            }
            Self::Calendar(calendar) => calendar.bounds(now),
        }
    }

    /// The length of the window; for a calendar window by the clock of its zone, so that March in New York has 743 hours.
    pub fn length(&self, now: Timestamp) -> Duration {
        match self {
            Self::Rolling(length) => *length,
            Self::Calendar(calendar) => calendar.bounds(now).length(),
        }
    }

    /// The elapsed part of the window: all of a rolling one.
    pub fn elapsed(&self, now: Timestamp) -> Duration {
        match self {
            Self::Rolling(length) => *length,
            Self::Calendar(calendar) => calendar.bounds(now).elapsed(now),
        }
    }

    /// A length that does not depend on the date, for the factors of alerts: a month counts as 30 days, a quarter as 90, a year
    /// as 365.
    pub fn nominal(&self) -> Duration {
        match self {
            Self::Rolling(length) => *length,
            Self::Calendar(calendar) => calendar.unit.nominal().saturating_mul(calendar.count.max(1)),
        }
    }
}

impl fmt::Display for Window {
    /// Formats for users: `30d`, `1 month (Europe/Berlin)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling(length) => f.write_str(&duration::text(*length)),
            Self::Calendar(calendar) => calendar.fmt(f),
        }
    }
}

impl Calendar {
    /// The period that contains `now`.
    fn bounds(&self, now: Timestamp) -> TimeRange {
        // Borders ascend with their numbers, so a binary search finds the last one that is not after `now`: 25 steps from any
        // start.
        let (mut lower, mut upper) = (-MAX_PERIODS, MAX_PERIODS);
        while upper - lower > 1 {
            let middle = i64::midpoint(lower, upper);
            if self.period_start(middle) <= now { lower = middle } else { upper = middle }
        }
        TimeRange { start: self.period_start(lower), end: self.period_start(upper).max(now) }
    }

    /// The start of the period with this number; 0 is the one that begins at `start`. Limited to the range of `Timestamp`.
    fn period_start(&self, number: i64) -> Timestamp {
        let beyond = if number < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let amount = number.saturating_mul(i64::from(self.count.max(1)));
        self.unit
            .span(amount)
            .and_then(|span| self.start.checked_add(span).ok())
            // a local time that the zone skips is moved forward past the gap
            .and_then(|local| self.zone.to_timestamp(local).ok())
            .unwrap_or(beyond)
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count.max(1);
        write!(f, "{count} {}{} (", self.unit.word(), if count == 1 { "" } else { "s" })?;
        match (self.zone.iana_name(), self.zone.to_fixed_offset()) {
            (Some(name), _) => f.write_str(name)?,
            (None, Ok(offset)) => write!(f, "UTC{offset}")?,
            (None, Err(_)) => f.write_str("local time")?,
        }
        f.write_str(")")
    }
}

impl CalendarUnit {
    /// Its nominal length: a month has 30 days, a quarter 90, a year 365.
    const fn nominal(self) -> Duration {
        let days = match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Quarter => 90,
            Self::Year => 365,
        };
        Duration::from_secs(days * 86_400)
    }

    /// A span of this many units; `None` if it exceeds the range of the calendar.
    fn span(self, amount: i64) -> Option<Span> {
        let span = Span::new();
        match self {
            Self::Day => span.try_days(amount),
            Self::Week => span.try_weeks(amount),
            Self::Month => span.try_months(amount),
            Self::Quarter => span.try_months(amount.saturating_mul(3)),
            Self::Year => span.try_years(amount),
        }
        .ok()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn calendar(count: u32, unit: CalendarUnit, start: DateTime, zone: &str) -> Window {
        Window::Calendar(Calendar { count, unit, start, zone: TimeZone::get(zone).unwrap() })
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// SLO.md §5: days have 23 to 25 hours, and March in New York has 743.
    #[test]
    fn a_calendar_period_is_as_long_as_its_zones_clock_says() {
        let first = date(2024, 1, 1).at(0, 0, 0, 0);
        for (unit, zone, now, hours) in [
            (CalendarUnit::Month, "America/New_York", "2026-03-20T12:00:00Z", 743),
            (CalendarUnit::Month, "America/New_York", "2026-11-20T12:00:00Z", 721),
            (CalendarUnit::Month, "UTC", "2026-03-20T12:00:00Z", 744),
            (CalendarUnit::Month, "Europe/Berlin", "2026-02-20T12:00:00Z", 672),
            (CalendarUnit::Month, "Europe/Berlin", "2028-02-20T12:00:00Z", 696),
            (CalendarUnit::Day, "Europe/Berlin", "2026-03-29T12:00:00Z", 23),
            (CalendarUnit::Day, "Europe/Berlin", "2026-10-25T12:00:00Z", 25),
            (CalendarUnit::Week, "Europe/Berlin", "2026-10-21T12:00:00Z", 169),
            (CalendarUnit::Quarter, "Europe/Berlin", "2026-03-01T12:00:00Z", 2159),
            (CalendarUnit::Year, "Europe/Berlin", "2026-03-01T12:00:00Z", 8760),
        ] {
            let window = calendar(1, unit, first, zone);
            assert_eq!(window.length(at(now)), HOUR * hours, "{unit:?} {zone} {now}");
        }
    }

    #[test]
    fn a_month_begins_when_its_zones_clock_says_so() {
        let window = calendar(1, CalendarUnit::Month, date(2020, 1, 1).at(0, 0, 0, 0), "Europe/Berlin");
        let bounds = window.bounds(at("2026-07-14T09:00:00Z"));
        assert_eq!(bounds, TimeRange { start: at("2026-06-30T22:00:00Z"), end: at("2026-07-31T22:00:00Z") });
        assert_eq!(window.elapsed(at("2026-07-01T00:00:00Z")), HOUR * 2);
        assert_eq!(bounds.left(at("2026-07-31T20:00:00Z")), HOUR * 2);
        assert_eq!(bounds.left(at("2027-01-01T00:00:00Z")), Duration::ZERO);
        assert_eq!(bounds.elapsed(at("2020-01-01T00:00:00Z")), Duration::ZERO);
    }

    #[test]
    fn a_period_may_begin_in_the_middle_and_have_several_units() {
        let window = calendar(2, CalendarUnit::Week, date(2026, 1, 7).at(12, 30, 0, 0), "UTC");
        let start = at("2026-01-21T12:30:00Z");
        assert_eq!(window.bounds(start).start, start);
        assert_eq!(window.bounds(at("2026-01-21T12:29:59Z")).end, start);
        // before the first period too
        assert_eq!(window.bounds(at("2026-01-07T12:29:59Z")).start, at("2025-12-24T12:30:00Z"));
    }

    #[test]
    fn what_begins_on_the_31st_begins_on_the_last_day_of_shorter_months() {
        let window = calendar(1, CalendarUnit::Month, date(2026, 1, 31).at(0, 0, 0, 0), "UTC");
        let bounds = window.bounds(at("2026-03-01T00:00:00Z"));
        assert_eq!(bounds, TimeRange { start: at("2026-02-28T00:00:00Z"), end: at("2026-03-31T00:00:00Z") });
    }

    #[test]
    fn a_day_that_a_zone_left_out_has_no_length() {
        // Samoa went from 29 to 31 December 2011.
        let window = calendar(1, CalendarUnit::Day, date(2011, 1, 1).at(0, 0, 0, 0), "Pacific/Apia");
        let last = window.bounds(at("2011-12-30T09:59:59Z"));
        assert_eq!(last.end, at("2011-12-30T10:00:00Z"));
        assert_eq!(window.bounds(last.end).end, at("2011-12-31T10:00:00Z"));
    }

    #[test]
    fn a_rolling_window_ends_now_and_is_all_behind() {
        let window = Window::Rolling(HOUR * 720);
        let now = at("2026-03-20T12:00:00Z");
        assert_eq!(window.bounds(now), TimeRange { start: at("2026-02-18T12:00:00Z"), end: now });
        assert_eq!((window.length(now), window.elapsed(now)), (HOUR * 720, HOUR * 720));
    }

    #[test]
    fn a_window_is_named_for_people() {
        assert_eq!(Window::Rolling(HOUR * 720).to_string(), "30d");
        let start = date(2026, 1, 1).at(0, 0, 0, 0);
        assert_eq!(
            calendar(1, CalendarUnit::Month, start, "Europe/Berlin").to_string(),
            "1 month (Europe/Berlin)"
        );
        assert_eq!(calendar(2, CalendarUnit::Week, start, "UTC").to_string(), "2 weeks (UTC)");
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let fixed = Window::Calendar(Calendar { count: 0, unit: CalendarUnit::Quarter, start, zone });
        assert_eq!(fixed.to_string(), "1 quarter (UTC+02)");
        assert_eq!(fixed.nominal(), HOUR * 24 * 90);
    }

    const ZONES: [&str; 8] = [
        "UTC",
        "America/New_York",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "America/St_Johns",
        "Africa/Casablanca",
    ];
    const UNITS: [CalendarUnit; 5] = [
        CalendarUnit::Day,
        CalendarUnit::Week,
        CalendarUnit::Month,
        CalendarUnit::Quarter,
        CalendarUnit::Year,
    ];

    proptest! {
        #[test]
        fn periods_tile_time_without_gap_or_overlap(
            zone in 0..ZONES.len(),
            unit in 0..UNITS.len(),
            count in 1..40_u32,
            (year, day, minute) in (1900..2100_i16, 1..=365_i64, 0..1440_i64),
            second in -2_000_000_000..4_000_000_000_i64,
        ) {
            let start = date(year, 1, 1).at(0, 0, 0, 0);
            let start = start.checked_add(Span::new().days(day).minutes(minute)).unwrap();
            let window = calendar(count, UNITS[unit], start, ZONES[zone]);
            let now = Timestamp::from_second(second).unwrap();
            let bounds = window.bounds(now);
            prop_assert!(bounds.start <= now && now < bounds.end);
            prop_assert_eq!(window.bounds(bounds.start), bounds);
            prop_assert_eq!(window.bounds(bounds.end).start, bounds.end);
            let before = bounds.start.checked_sub(Duration::from_nanos(1)).unwrap();
            prop_assert_eq!(window.bounds(before).end, bounds.start);
            prop_assert_eq!(bounds.elapsed(now) + bounds.left(now), bounds.length());
        }

        #[test]
        fn no_moment_and_no_count_breaks_it(
            count: u32,
            unit in 0..UNITS.len(),
            end in 0..2_usize,
            second in Timestamp::MIN.as_second()..=Timestamp::MAX.as_second(),
            length: u64,
        ) {
            let start = [DateTime::MIN, DateTime::MAX][end];
            let now = Timestamp::from_second(second).unwrap();
            for window in [
                calendar(count, UNITS[unit], start, "America/New_York"),
                Window::Rolling(Duration::from_secs(length)),
            ] {
                let bounds = window.bounds(now);
                prop_assert!(bounds.start <= now && now <= bounds.end);
                prop_assert!(window.elapsed(now) <= window.length(now));
                prop_assert!(!window.to_string().is_empty());
                let _ = window.nominal();
            }
        }
    }
}
