//! For how much of its window an SLO has data, and since when it has none.
//!
//! Every window is checked coarsely. Only a window with data for a part of it is checked closely, in consecutive ranges that
//! get coarser towards the past.

use std::time::Duration;

use super::live;
use super::subquery::{PastRange, QueryWrap};
use crate::model::promql::{self, is_plain_name};
use crate::model::slo::{DataExtent, Sli, Slo};

/// The number of checks of a window: a gap of up to 1 % is not noticed.
const CHECKS: u32 = 120;
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// The ranges of the close check: how far each reaches back, and the time between checks.
const CLOSE_RANGES: [(Duration, Duration); 4] = [
    (HOUR, Duration::from_secs(15)),
    (Duration::from_secs(6 * 3600), MINUTE),
    (DAY, Duration::from_secs(300)),
    (Duration::from_secs(3 * 86_400), Duration::from_secs(900)),
];
/// The number of checks before these ranges.
const BEFORE: u32 = 432;

/// The time between two checks of a window.
fn step(window: Duration) -> Duration {
    minutes(window / CHECKS)
}

/// Rounded down to minutes, at least one.
fn minutes(time: Duration) -> Duration {
    MINUTE * u32::try_from(time.as_secs() / MINUTE.as_secs()).unwrap_or(u32::MAX).max(1)
}

/// Counts at how many of the checked times of a window there were data.
pub(super) fn whole(window: Duration) -> QueryWrap {
    QueryWrap::Count(PastRange { within: window.max(MINUTE), step: step(window), before: Duration::ZERO })
}

/// The ranges of the close check of a window, the newest first.
pub(super) fn past_ranges(window: Duration) -> Vec<PastRange> {
    let rest = minutes(window.saturating_sub(3 * DAY) / BEFORE).max(Duration::from_secs(900));
    let mut from = Duration::ZERO;
    let mut all = Vec::new();
    for (to, step) in CLOSE_RANGES.into_iter().chain([(window, rest)]) {
        let to = to.min(window);
        if to > from {
            all.push(PastRange { within: to.saturating_sub(from), step, before: from });
            from = to;
        }
    }
    all
}

/// Finds the last time with data: every five minutes within a day, and with the coarse step over the whole window.
pub(super) fn last(window: Duration) -> [QueryWrap; 2] {
    let of = |within, step| QueryWrap::Most(PastRange { within, step, before: Duration::ZERO });
    [of(DAY, 5 * MINUTE), of(window.max(DAY), step(window))]
}

/// Finds the last time with data to the minute, given the result of the coarse check.
pub(super) fn fine_check(window: Duration, ago: Duration) -> QueryWrap {
    let within = step(window).min(ago);
    QueryWrap::Most(PastRange { within, step: MINUTE, before: ago.saturating_sub(within) })
}

/// Whether data were seen at all checked times, up to a tolerance.
fn is_all(seen: f64, within: Duration, step: Duration) -> bool {
    (seen + 1.5) * step.as_secs_f64() >= within.as_secs_f64()
}

/// `by` steps; limited, because the number comes from a server.
fn times(step: Duration, by: f64) -> Duration {
    Duration::try_from_secs_f64(step.as_secs_f64() * by).unwrap_or(Duration::MAX)
}

/// For how much of a window there are data, from the coarse check (`seen`) and the close one; `None`: for all of it, or not
/// known.
///
/// `drift` is the age of the close check: since then, more data have been added.
pub(super) fn extent(
    window: Duration,
    seen: f64,
    past_ranges: Option<&[(PastRange, f64)]>,
    drift: Duration,
) -> Option<DataExtent> {
    let looks = step(window);
    if is_all(seen, window, looks) {
        return None;
    }
    let coarse = || {
        let known = times(looks, seen.max(1.0)).min(window);
        Some(DataExtent { known, at_most: seen < 1.0, recent: Vec::new() })
    };
    let Some(past_ranges) = past_ranges else { return coarse() };
    let (mut known, mut recent) = (Duration::ZERO, Vec::new());
    for (at, (past_range, seen)) in past_ranges.iter().enumerate() {
        let of_this = if is_all(*seen, past_range.within, past_range.step) {
            past_range.within
        } else if *seen >= 1.0 {
            // rounded up: data may have begun just after a check
            times(past_range.step, seen + 1.0).min(past_range.within)
        } else {
            Duration::ZERO
        };
        known += of_this;
        if at == 0 && !of_this.is_zero() {
            known += drift;
        }
        let reach = past_range.before + past_range.within;
        recent.push((reach, known.min(reach)));
    }
    match (known.is_zero(), seen < 1.0) {
        (false, _) => Some(DataExtent { known: known.min(window), at_most: false, recent }),
        // the checks saw no data although there are some: nothing is known
        (true, true) => None,
        (true, false) => coarse(),
    }
}

/// The selector of all events of a definition, if they are in a single series selector.
fn total(slo: &Slo) -> Option<String> {
    match slo.sli.as_ref()? {
        Sli::Counters { total, .. } | Sli::Latency { total, .. } | Sli::Apdex { total, .. } => {
            Some(total.to_string())
        }
        Sli::NativeLatency { histogram, .. } => Some(histogram.to_string()),
        Sli::Gauge { metric } => Some(metric.to_string()),
        Sli::Events { total, .. } => {
            let selectors = promql::selectors(&total.over(HOUR)).ok()?;
            selectors.first().filter(|_| selectors.len() == 1).cloned()
        }
        Sli::Ratio { .. } | Sli::Threshold { .. } => None,
    }
}

/// ` by (a, b)`, or empty without groups; `None` if a label needs quotes.
fn by(slo: &Slo) -> Option<String> {
    let names = live::grouping(slo);
    names.iter().all(|name| is_plain_name(name)).then(|| match names.as_slice() {
        [] => String::new(),
        names => format!(" by ({})", names.join(", ")),
    })
}

/// A query that has a value whenever there were data within the last hour; an hour, because samples can be rare.
pub(super) fn presence(slo: &Slo) -> Option<String> {
    if let Some((total, by)) = total(slo).zip(by(slo)) {
        return Some(format!("sum{by} (count_over_time({total}[1h]))"));
    }
    live::events(slo, HOUR)
}

/// A query for the time of the newest sample.
pub(super) fn newest(slo: &Slo) -> Option<String> {
    if let Some((total, by)) = total(slo).zip(by(slo)) {
        return Some(format!("max{by} (timestamp({total}))"));
    }
    live::events(slo, 5 * MINUTE).map(|query| format!("timestamp({query}\n)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: Duration = Duration::from_secs(30 * 86_400);

    /// The results of the checks for data that began `age` ago and continue until now.
    fn looks(window: Duration, age: Duration) -> (f64, Vec<(PastRange, f64)>) {
        let seen = |past_range: &PastRange| {
            let there = age.saturating_sub(past_range.before).min(past_range.within);
            (there.as_secs() / past_range.step.as_secs()) as f64
        };
        let all = past_ranges(window).into_iter().map(|past_range| (past_range, seen(&past_range))).collect();
        ((age.min(window).as_secs() / step(window).as_secs()) as f64, all)
    }

    #[test]
    fn the_stretches_make_up_the_window_whatever_its_length() {
        for hours in [1, 2, 6, 24, 60, 72, 168, 720, 2160, 8760] {
            let window = HOUR * hours;
            let all = past_ranges(window);
            let mut from = Duration::ZERO;
            for past_range in &all {
                assert_eq!(past_range.before, from);
                assert!(
                    past_range.within >= past_range.step
                        && past_range.within.as_secs() / past_range.step.as_secs() <= 600
                );
                from += past_range.within;
            }
            assert_eq!(from, window);
        }
    }

    #[test]
    fn what_is_told_of_young_data_is_never_less_than_there_is_and_close_to_it() {
        for window in [DAY, 7 * DAY, MONTH, 90 * DAY] {
            for minutes in [2, 10, 50, 89, 180, 780, 1439, 4000, 10_000, 30_000, 100_000] {
                let age = MINUTE * minutes;
                let (seen, all) = looks(window, age);
                let Some(extent) = extent(window, seen, Some(&all), Duration::ZERO) else {
                    assert!(age.as_secs_f64() >= window.as_secs_f64() * 0.98, "{window:?} {minutes}");
                    continue;
                };
                let most = age.as_secs_f64() * 1.02 + 30.0;
                assert!(
                    extent.known >= age && extent.known.as_secs_f64() <= most,
                    "{window:?} {minutes} {extent:?}"
                );
                assert!(extent.within(HOUR).unwrap() >= age.min(HOUR));
            }
        }
    }

    #[test]
    fn data_before_a_gap_count_and_the_gap_does_not() {
        let mut all = looks(MONTH, MINUTE * 10).1;
        // one day of data three weeks ago
        all.last_mut().unwrap().1 = DAY.as_secs_f64() / all.last().unwrap().0.step.as_secs_f64();
        let extent = extent(MONTH, 4.0, Some(&all), Duration::ZERO).unwrap();
        let known = extent.known.as_secs_f64() / 3600.0;
        assert!((24.0..26.0).contains(&known), "{known}");
        assert!(extent.within(HOUR).unwrap() < MINUTE * 11);
    }

    #[test]
    fn what_no_look_sees_tells_nothing_and_what_was_not_looked_at_closely_is_coarse() {
        let none = looks(MONTH, Duration::ZERO).1;
        assert_eq!(extent(MONTH, 0.0, Some(&none), Duration::ZERO), None);
        assert_eq!(extent(MONTH, 119.0, None, Duration::ZERO), None);
        let coarse = extent(MONTH, 0.0, None, Duration::ZERO).unwrap();
        assert_eq!((coarse.known, coarse.at_most), (6 * HOUR, true));
        // more data were added since the check
        let (seen, all) = looks(MONTH, MINUTE * 10);
        let later = extent(MONTH, seen, Some(&all), MINUTE * 8).unwrap();
        assert!(later.known >= MINUTE * 18 && later.known < MINUTE * 19);
    }
}
