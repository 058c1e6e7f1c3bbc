//! When an incident was detected: from the first bad minute of its service to its first alert (MTTD).
//!
//! `docs/statistics.md` documents the measure. The first bad minute is found in the requests and latencies of the service with the
//! change detection of [`why`](super::why); a source reads these series, the functions here decide.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::incident::Incident;
use super::labels::Text;
use super::series::TimeGrid;
use super::source::SourceId;
use super::why::{CountedSeries, LevelKind, WhySignal, level_shift, ratio_shift};
use super::words::words;

/// A service is looked at from this long before the page on.
pub const LOOKED_BACK: SignedDuration = SignedDuration::from_hours(3);
/// ... to this long after it, so that a level that just began is seen.
pub const LOOKED_AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// The question when the signals of a service became bad before a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OnsetQuery {
    pub service: Text,
    /// When the page was created.
    pub triggered: Timestamp,
    /// The end of the time that is looked at: shortly after the page, or the resolution if that is earlier.
    pub until: Timestamp,
}

impl OnsetQuery {
    /// The question about a page at `triggered`, whose incident was resolved then.
    pub fn new(service: Text, triggered: Timestamp, resolved: Option<Timestamp>) -> Self {
        let soon = triggered.checked_add(LOOKED_AHEAD).unwrap_or(triggered);
        let until = resolved.map_or(soon, |resolved| resolved.clamp(triggered, soon));
        Self { service, triggered, until }
    }

    /// The start of the time that is looked at.
    pub fn since(&self) -> Timestamp {
        self.triggered.checked_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN)
    }
}

/// What a source says about an [`OnsetQuery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onset {
    /// The first bad minute, and the signal that became bad first.
    At(Timestamp, WhySignal),
    /// No signal changed for the worse.
    NothingChanged,
    /// The source has neither requests nor latencies of the service at that time.
    NoData,
    /// Left out, because of the limit of requests.
    NotRead,
    /// The request failed.
    Failed,
}

/// The answers of one source.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OnsetSnapshot {
    pub onsets: BTreeMap<OnsetQuery, Onset>,
}

/// The signals of a service over time, one value for each point of a grid; empty if there are no such data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SliSeries {
    pub requests: CountedSeries,
    /// The 95th percentile of latency, in any unit.
    pub p95: Vec<f64>,
}

/// The first bad minute in these series: the start of the step, or half the `lookback` of the values if that is longer, before the
/// first point of the level that is bad at the page. A short incident may be over minutes after its page, so that the latest end is
/// used, from the page to `until`, at which a signal is bad.
pub fn onset(series: &SliSeries, grid: TimeGrid, lookback: Duration, wanted: &OnsetQuery) -> Onset {
    let has_data = |values: &[f64]| values.iter().any(|value| value.is_finite());
    if !has_data(&series.requests.all) && !has_data(&series.p95) {
        return Onset::NoData;
    }
    let points = |until: Timestamp| (0..grid.count()).take_while(|at| grid.at(*at) <= until).count();
    let lag = usize::try_from(lookback.as_secs().div_ceil(grid.step().as_secs().max(1))).unwrap_or(1).max(1);
    // the point after the page is the first one that has all of the minute of the page
    let mut ends = (points(wanted.triggered)..=points(wanted.until)).rev();
    let found = ends.find_map(|end| bad_at(series, end, lag, grid.step()));
    found.map_or(Onset::NothingChanged, |(first, signal)| {
        let before = SignedDuration::try_from(grid.step().max(lookback / 2)).unwrap_or_default();
        let at = grid.at(first);
        Onset::At(at.checked_sub(before).unwrap_or(at), signal)
    })
}

/// The signal that is bad at the end of the first `count` points, and the first point at which it is; the earlier one of two.
fn bad_at(series: &SliSeries, count: usize, lag: usize, step: Duration) -> Option<(usize, WhySignal)> {
    let shown = |values: &[f64]| values.get(..count.min(values.len())).unwrap_or_default().to_vec();
    let requests = CountedSeries { all: shown(&series.requests.all), failed: shown(&series.requests.failed) };
    let failing = ratio_shift(&requests, lag, step.as_secs_f64());
    let slow = level_shift(&shown(&series.p95), lag, LevelKind::Rising);
    let found = [(WhySignal::Errors, failing), (WhySignal::Latency, slow)];
    found.into_iter().filter_map(|(signal, shift)| Some((shift?.bad.start, signal))).min()
}

/// How an incident was detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detected {
    /// The first bad minute.
    pub onset: Timestamp,
    /// The signal that became bad.
    pub signal: WhySignal,
    /// The first alert, or the page.
    pub alerted: Timestamp,
}

impl Detected {
    /// The time to detect.
    pub fn time(&self) -> Duration {
        Duration::try_from(self.alerted.duration_since(self.onset)).unwrap_or_default()
    }
}

words! {
    /// Why the detection of an incident is not measured.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Undetected: words {
        NoService = "no monitored service belongs to the incident",
        NoData = "no requests and latencies of the service are recorded",
        NothingChanged = "neither errors nor latency of the service changed before the page",
        PagedFirst = "the page came before errors or latency changed",
        NotRead = "left out, because of the limit of queries",
        Failed = "the query failed",
        NotAnswered = "no source has answered",
    }
}

/// The detection of an incident: by the first alert of the service since the first bad minute, at the latest by the page.
///
/// # Errors
/// Why it cannot be measured.
pub fn detected(
    onset: Onset,
    triggered: Timestamp,
    alerts: impl IntoIterator<Item = Timestamp>,
) -> Result<Detected, Undetected> {
    match onset {
        Onset::At(onset, _) if onset > triggered => Err(Undetected::PagedFirst),
        Onset::At(onset, signal) => {
            let before_page = alerts.into_iter().filter(|at| (onset..=triggered).contains(at));
            Ok(Detected { onset, signal, alerted: before_page.min().unwrap_or(triggered) })
        }
        Onset::NothingChanged => Err(Undetected::NothingChanged),
        Onset::NoData => Err(Undetected::NoData),
        Onset::NotRead => Err(Undetected::NotRead),
        Onset::Failed => Err(Undetected::Failed),
    }
}

/// The detections of incidents, or why they are not measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Detections(BTreeMap<(SourceId, Text), Result<Detected, Undetected>>);

impl Detections {
    /// The detection of an incident.
    ///
    /// # Errors
    /// Why it is not measured.
    pub fn of(&self, incident: &Incident) -> Result<Detected, Undetected> {
        let found = self.0.get(&(incident.source.clone(), incident.id.clone()));
        found.copied().unwrap_or(Err(Undetected::NotAnswered))
    }
}

impl<'a> FromIterator<(&'a Incident, Result<Detected, Undetected>)> for Detections {
    fn from_iter<I: IntoIterator<Item = (&'a Incident, Result<Detected, Undetected>)>>(found: I) -> Self {
        let key = |incident: &Incident| (incident.source.clone(), incident.id.clone());
        Self(found.into_iter().map(|(incident, found)| (key(incident), found)).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::fixtures;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
    }

    /// The three hours before minute 0 and five minutes after it.
    fn grid() -> TimeGrid {
        TimeGrid::stepped(at(5), MINUTE * 185, MINUTE)
    }

    /// `before` until minute `from`, then `after`, with a little noise.
    fn step(before: f64, after: f64, from: i64) -> Vec<f64> {
        let noise = [0.0, 1.0, -1.0, 0.5, -0.5];
        let level = |minute: i64| if minute < from { before } else { after };
        (-180..=5_i64)
            .zip(noise.into_iter().cycle())
            .map(|(minute, by)| level(minute) * (1.0 + 0.02 * by))
            .collect()
    }

    fn failing(from: i64) -> SliSeries {
        let requests = CountedSeries { all: step(50.0, 50.0, 0), failed: step(0.05, 4.0, from) };
        SliSeries { requests, p95: Vec::new() }
    }

    fn found(series: &SliSeries) -> Onset {
        onset(series, grid(), MINUTE, &OnsetQuery { service: "cart".into(), triggered: at(0), until: at(5) })
    }

    /// The minute that ends with the first point of the new level.
    fn bad_since(minute: i64) -> Timestamp {
        at(minute - 1)
    }

    #[test]
    fn the_first_bad_minute_is_where_errors_or_latency_change_first() {
        assert_eq!(found(&failing(-7)), Onset::At(bad_since(-7), WhySignal::Errors));
        let slow = SliSeries { p95: step(0.2, 1.4, -12), ..failing(-7) };
        assert_eq!(found(&slow), Onset::At(bad_since(-12), WhySignal::Latency));
        let only_slow = SliSeries { p95: step(0.2, 1.4, -12), ..SliSeries::default() };
        assert_eq!(found(&only_slow), Onset::At(bad_since(-12), WhySignal::Latency));
    }

    #[test]
    fn a_service_without_a_change_and_one_without_data_are_two_things() {
        assert_eq!(found(&failing(6)), Onset::NothingChanged);
        assert_eq!(found(&SliSeries::default()), Onset::NoData);
        let lost = SliSeries { p95: vec![f64::NAN; 186], ..SliSeries::default() };
        assert_eq!(found(&lost), Onset::NoData);
    }

    #[test]
    fn an_incident_that_is_over_soon_after_its_page_is_measured_and_one_that_was_over_before_is_not() {
        // bad from minute -9 until the minute `last`
        let until = |last: i64| {
            let mut series = failing(-9);
            for (minute, value) in (-180..).zip(&mut series.requests.failed) {
                *value = if minute > last { 0.05 } else { *value };
            }
            found(&series)
        };
        for last in [0, 1, 3, 5] {
            assert_eq!(until(last), Onset::At(bad_since(-9), WhySignal::Errors), "{last}");
        }
        assert_eq!(until(-2), Onset::NothingChanged);
    }

    #[test]
    fn rates_over_a_longer_time_rise_later_than_what_they_measure() {
        let wanted = OnsetQuery { service: "cart".into(), triggered: at(0), until: at(5) };
        let onset = onset(&failing(-7), grid(), MINUTE * 6, &wanted);
        assert_eq!(onset, Onset::At(at(-10), WhySignal::Errors));
    }

    #[test]
    fn the_first_alert_since_the_first_bad_minute_detects_at_the_latest_the_page() {
        let onset = Onset::At(at(-7), WhySignal::Errors);
        let by = |alerts: &[i64]| detected(onset, at(0), alerts.iter().map(|minute| at(*minute))).unwrap();
        assert_eq!(by(&[-40, -3, -2, 4]).time(), MINUTE * 4);
        assert_eq!(by(&[]).time(), MINUTE * 7);
        assert_eq!(by(&[-7]).time(), Duration::ZERO);
        let late = Onset::At(at(1), WhySignal::Errors);
        assert_eq!(detected(late, at(0), []), Err(Undetected::PagedFirst));
        assert_eq!(detected(Onset::NoData, at(0), []), Err(Undetected::NoData));
    }

    #[test]
    fn the_time_that_is_looked_at_ends_with_the_incident() {
        let mut incident = fixtures::incident(1, "burns", at(0), "pager");
        let until = |incident: &Incident| {
            OnsetQuery::new("shop".into(), incident.created_at, incident.resolved_at).until
        };
        assert_eq!(until(&incident), at(5));
        incident.resolved_at = Some(at(2));
        assert_eq!(until(&incident), at(2));
        incident.resolved_at = Some(at(-9));
        assert_eq!(until(&incident), at(0));
    }

    proptest! {
        #[test]
        fn an_alert_more_never_makes_the_detection_later(
            alerts in prop::collection::vec(-300..60_i64, 0..12), more in -300..60_i64, first in -200..20_i64,
        ) {
            let onset = Onset::At(at(first), WhySignal::Errors);
            let time = |alerts: &[i64]| detected(onset, at(0), alerts.iter().map(|minute| at(*minute)));
            match (time(&alerts), time(&[alerts.clone(), vec![more]].concat())) {
                (Ok(before), Ok(after)) => {
                    prop_assert!(after.time() <= before.time());
                    prop_assert!(after.onset <= after.alerted && after.alerted <= at(0));
                }
                (before, after) => prop_assert!(before == after && first > 0),
            }
        }

        #[test]
        fn a_change_is_found_to_the_minute(from in -150..-1_i64, rate in 20.0..5000.0_f64, ratio in 0.05..0.9_f64) {
            let all: Vec<f64> = step(rate, rate, 0);
            let requests = CountedSeries { all, failed: step(rate * 0.001, rate * ratio, from) };
            let Onset::At(onset, signal) = found(&SliSeries { requests, p95: Vec::new() }) else { panic!() };
            prop_assert_eq!((onset, signal), (bad_since(from), WhySignal::Errors));
        }

        #[test]
        fn no_series_break_it(
            all in prop::collection::vec(prop::num::f64::ANY, 0..200),
            failed in prop::collection::vec(prop::num::f64::ANY, 0..200),
            p95 in prop::collection::vec(prop::num::f64::ANY, 0..200), until in -300..300_i64,
        ) {
            let series = SliSeries { requests: CountedSeries { all, failed }, p95 };
            let wanted = OnsetQuery { service: "cart".into(), triggered: at(until), until: at(until + 5) };
            if let Onset::At(onset, _) = onset(&series, grid(), MINUTE, &wanted) {
                prop_assert!(onset <= wanted.until);
            }
        }
    }
}
