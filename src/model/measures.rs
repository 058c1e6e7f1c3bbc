//! Incident metrics: MTTD, MTTA, MTTR and MTBF.

use std::time::Duration;

use jiff::Timestamp;

use super::detection::Detected;
use super::slo::TimeRange;

/// The known times of one incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentTimes {
    /// The page was created.
    pub triggered: Timestamp,
    /// The first bad minute of the service and the first alert, if both are known.
    pub detected: Option<Detected>,
    /// The first acknowledgement.
    pub acknowledged: Option<Timestamp>,
    pub resolved: Option<Timestamp>,
    /// Whether it counts as a failure: severity 1 or 2.
    pub is_failure: bool,
}

/// The mean and median of durations, and their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DurationStats {
    /// The mean and the median; `None` if there are no durations.
    pub typical: Option<Average>,
    pub counted: usize,
    /// How many were ignored because a time is missing or the end is before the start.
    pub left_out: usize,
}

/// The mean, the median and the 90th percentile of durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Average {
    pub mean: Duration,
    /// The median (p50); for an even number the mean of the two middle values.
    pub median: Duration,
    /// The 90th percentile by nearest rank: the ninth of ten durations, the longest of fewer than ten.
    pub p90: Duration,
}

impl DurationStats {
    /// The durations between pairs of start and end.
    pub fn between(times: impl IntoIterator<Item = (Timestamp, Option<Timestamp>)>) -> Self {
        let mut known = Vec::new();
        let mut left_out = 0;
        for (from, to) in times {
            match to.and_then(|to| Duration::try_from(to.duration_since(from)).ok()) {
                Some(time) => known.push(time),
                None => left_out += 1,
            }
        }
        Self { counted: known.len(), left_out, typical: Average::of(known) }
    }
}

impl Average {
    fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let upper = *times.get(times.len() / 2)?;
        let lower = *times.get((times.len() - 1) / 2)?;
        // each duration is within the calendar's 20,000 years, so that the sum of four billion does not overflow
        let sum = times.iter().fold(Duration::ZERO, |sum, time| sum.saturating_add(*time));
        let mean = sum / u32::try_from(times.len()).unwrap_or(u32::MAX);
        let p90 = *times.get((times.len() * 9).div_ceil(10) - 1)?;
        Some(Self { mean, median: (lower + upper) / 2, p90 })
    }
}

/// The metrics of the incidents in a period.
///
/// Source: SLO.md section 8, after PagerDuty's definitions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    /// MTTD: from the first bad minute to the first alert; incidents of which one of the two is unknown are ignored and counted in
    /// `left_out`.
    pub detection: DurationStats,
    /// MTTA: from the page to the first acknowledgement; incidents without one are ignored and counted in `left_out`.
    pub acknowledgement: DurationStats,
    /// MTTR as `PagerDuty` defines it: from the page to the resolution.
    pub resolution: DurationStats,
    /// The number of failures (severity 1 and 2).
    pub failures: usize,
    /// The time with at least one failure within the period.
    pub downtime: Duration,
    /// MTBF: `(period - downtime) / failures`; `None` for fewer than 2 failures.
    pub between_failures: Option<Duration>,
}

impl Measures {
    /// Computes the metrics of these incidents. A failure without an end lasts to the end of the period; only time within the
    /// period counts as downtime.
    pub fn of(incidents: &[IncidentTimes], period: TimeRange) -> Self {
        let measure = |until: fn(&IncidentTimes) -> Option<Timestamp>| {
            DurationStats::between(incidents.iter().map(|incident| (incident.triggered, until(incident))))
        };
        let down: Vec<TimeRange> = incidents
            .iter()
            .filter(|incident| incident.is_failure)
            .filter_map(|one| outage(one, period))
            .collect();
        let failures = down.len();
        let downtime = merged(down).into_iter().map(TimeRange::length).sum();
        let up = period.length().saturating_sub(downtime);
        let detections = incidents.iter().map(|incident| match incident.detected {
            Some(detected) => (detected.onset, Some(detected.alerted)),
            None => (incident.triggered, None),
        });
        Self {
            detection: DurationStats::between(detections),
            acknowledgement: measure(|incident| incident.acknowledged),
            resolution: measure(|incident| incident.resolved),
            failures,
            downtime,
            between_failures: u32::try_from(failures)
                .ok()
                .filter(|failures| *failures >= 2)
                .map(|failures| up / failures),
        }
    }
}

/// The part of an incident within the period; `None` if there is none.
fn outage(incident: &IncidentTimes, period: TimeRange) -> Option<TimeRange> {
    let began = incident.triggered;
    let ended = incident.resolved.unwrap_or(period.end).max(began);
    let overlaps = began < period.end && ended >= period.start;
    overlaps.then(|| TimeRange { start: began.max(period.start), end: ended.min(period.end) })
}

/// Merges ranges that overlap or touch; sorted by time.
fn merged(mut spans: Vec<TimeRange>) -> Vec<TimeRange> {
    spans.sort_by_key(|span| (span.start, span.end));
    let mut joined: Vec<TimeRange> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::why::WhySignal;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn minutes(duration: Duration) -> f64 {
        duration.as_secs_f64() / 60.0
    }

    /// The incidents of SLO.md §8, one a day.
    fn incidents() -> Vec<IncidentTimes> {
        let clock = |day: i64, hour: i64, minute: i64| at(day * 1440 + hour * 60 + minute);
        [
            (clock(0, 10, 0), clock(0, 10, 4), Some(clock(0, 10, 6)), clock(0, 10, 51)),
            (clock(1, 2, 10), clock(1, 2, 10), Some(clock(1, 2, 31)), clock(1, 3, 40)),
            (clock(2, 14, 0), clock(2, 14, 12), Some(clock(2, 14, 13)), clock(2, 14, 30)),
            (clock(3, 21, 30), clock(3, 21, 33), None, clock(3, 21, 38)),
            (clock(4, 8, 0), clock(4, 8, 2), Some(clock(4, 8, 9)), clock(4, 12, 2)),
        ]
        .map(|(onset, triggered, acknowledged, resolved)| IncidentTimes {
            triggered,
            detected: Some(Detected { onset, signal: WhySignal::Errors, alerted: triggered }),
            acknowledged,
            resolved: Some(resolved),
            is_failure: true,
        })
        .to_vec()
    }

    fn month() -> TimeRange {
        TimeRange { start: at(0), end: at(30 * 1440) }
    }

    /// SLO.md §8, the example.
    #[test]
    fn the_incidents_of_a_month_have_their_measures() {
        let measures = Measures::of(&incidents(), month());
        let mean = |measure: DurationStats| minutes(measure.typical.unwrap().mean);
        assert!((mean(measures.detection) - 4.2).abs() < 1e-9);
        let detection = measures.detection.typical.unwrap();
        assert_eq!((detection.median, detection.p90), (MINUTE * 3, MINUTE * 12));
        assert!((mean(measures.acknowledgement) - 7.75).abs() < 1e-9);
        assert_eq!((measures.acknowledgement.counted, measures.acknowledgement.left_out), (4, 1));
        assert!((mean(measures.resolution) - 80.0).abs() < 1e-9);
        assert_eq!(measures.resolution.typical.unwrap().median, MINUTE * 47);
        assert_eq!((measures.failures, measures.downtime), (5, MINUTE * 400));
        assert_eq!(measures.between_failures, Some(MINUTE * 8560));
    }

    #[test]
    fn what_is_not_known_is_not_zero() {
        let alert = IncidentTimes {
            triggered: at(5),
            detected: None,
            acknowledged: None,
            resolved: None,
            is_failure: false,
        };
        let measures = Measures::of(&[alert, alert], month());
        let unknown = DurationStats { typical: None, counted: 0, left_out: 2 };
        assert_eq!((measures.detection, measures.acknowledgement), (unknown, unknown));
        assert_eq!((measures.failures, measures.between_failures), (0, None));
    }

    #[test]
    fn an_end_before_the_beginning_is_left_out() {
        let measure = DurationStats::between([(at(5), Some(at(3))), (at(3), Some(at(5))), (at(1), None)]);
        assert_eq!((measure.counted, measure.left_out), (1, 2));
        assert_eq!(measure.typical, Some(Average { mean: MINUTE * 2, median: MINUTE * 2, p90: MINUTE * 2 }));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        let measure = DurationStats::between([1, 2, 10, 40].map(|minute| (at(0), Some(at(minute)))));
        let (mean, median, p90) = (Duration::from_secs(795), MINUTE * 6, MINUTE * 40);
        assert_eq!(measure.typical, Some(Average { mean, median, p90 }));
    }

    #[test]
    fn of_ten_durations_nine_are_within_the_90th_percentile() {
        let p90 = |count: i64| {
            let measure = DurationStats::between((1..=count).map(|minute| (at(0), Some(at(minute)))));
            measure.typical.unwrap().p90
        };
        assert_eq!([1, 2, 9, 10, 11, 20].map(p90), [1, 2, 9, 9, 10, 18].map(|minutes| MINUTE * minutes));
    }

    #[test]
    fn an_open_failure_lasts_to_the_end_and_overlaps_count_once() {
        let one = IncidentTimes {
            triggered: at(-10),
            detected: None,
            acknowledged: None,
            resolved: Some(at(20)),
            is_failure: true,
        };
        let open = IncidentTimes { triggered: at(10), resolved: None, ..one };
        let period = TimeRange { start: at(0), end: at(30) };
        let measures = Measures::of(&[one, open], period);
        assert_eq!(measures.resolution.typical.unwrap().mean, MINUTE * 30);
        assert_eq!((measures.failures, measures.downtime), (2, MINUTE * 30));
        assert_eq!(measures.between_failures, Some(Duration::ZERO));
        // a failure of another period
        let before = IncidentTimes { resolved: Some(at(-1)), ..one };
        assert_eq!(Measures::of(&[before], period).failures, 0);
    }

    #[test]
    fn outages_that_overlap_or_touch_are_one() {
        let span = |start, end| TimeRange { start: at(start), end: at(end) };
        let joined = merged(vec![span(20, 21), span(0, 4), span(4, 10), span(15, 18), span(16, 17)]);
        assert_eq!(joined, [span(0, 10), span(15, 18), span(20, 21)]);
        assert_eq!(merged(vec![]), []);
    }

    const SECONDS: std::ops::Range<i64> = -400_000_000_000..250_000_000_000;

    proptest! {
        #[test]
        fn no_times_break_it(
            times in prop::collection::vec((SECONDS, prop::option::of(SECONDS), prop::option::of(SECONDS)), 0..20),
            start in -1000..1000_i64, length in 0..1_000_000_i64,
        ) {
            let moment = |second: i64| Timestamp::from_second(second.clamp(-377_705_023_000, 253_402_200_000)).unwrap();
            let incidents: Vec<_> = times.into_iter().map(|(triggered, acknowledged, resolved)| IncidentTimes {
                triggered: moment(triggered), detected: None, acknowledged: acknowledged.map(moment), resolved: resolved.map(moment),
                is_failure: true,
            }).collect();
            let period = TimeRange { start: at(start), end: at(start + length) };
            let measures = Measures::of(&incidents, period);
            prop_assert!(measures.downtime <= period.length());
            for measure in [measures.detection, measures.acknowledgement, measures.resolution] {
                prop_assert_eq!(measure.counted + measure.left_out, incidents.len());
                prop_assert_eq!(measure.typical.is_some(), measure.counted > 0);
                prop_assert!(measure.typical.is_none_or(|typical| typical.p90 >= typical.median));
            }
        }

        #[test]
        fn what_is_joined_neither_overlaps_nor_loses_a_moment(
            spans in prop::collection::vec((0..1000_i64, 0..50_i64), 0..40), probe in 0..1100_i64,
        ) {
            let spans: Vec<_> = spans.into_iter().map(|(start, length)| TimeRange { start: at(start), end: at(start + length) }).collect();
            let joined = merged(spans.clone());
            prop_assert!(joined.windows(2).all(|pair| pair[0].end < pair[1].start));
            let covers = |spans: &[TimeRange]| spans.iter().any(|span| span.start <= at(probe) && at(probe) < span.end);
            prop_assert!(!covers(&spans) || covers(&joined));
        }
    }
}
