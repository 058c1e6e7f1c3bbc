//! The exact times at which alerts fired, from the two series that Prometheus writes for each alerting rule: `ALERTS` has a
//! sample for each evaluation at which the alert fires, and the value of `ALERTS_FOR_STATE` is the time at which the alert
//! became active, constant during one firing.
//!
//! A coarse scan over the whole time range finds the windows in which a firing began or ended; the stored samples are then
//! read only there, in a few bounded requests. Firings are never joined: an alert that fires again has two firings, however
//! short the gap is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::call::QuestionRequests;
use super::external_labels::ExternalLabels;
use super::rules;
use crate::backend::kit::time::Epoch;
use crate::model::duration;
use crate::model::firing::{Firing, FiringSnapshot, merge_servers};
use crate::model::labels::{Labels, Text};
use crate::model::promql::{is_plain_name, literal, quoted};
use crate::model::series::{Matrix, TimeGrid};
use crate::model::slo::TimeRange;
use crate::model::source::SourceError;

/// The number of windows of the coarse scan of all alerts; each alert costs that many values, twice.
const WINDOWS: u16 = 120;
/// The number of windows for a single alert, whose time range is longer.
const WINDOWS_OF_ONE: u16 = 1000;
/// The minimum length of a window.
const SHORTEST: Duration = Duration::from_secs(60);
/// The maximum number of samples in one request.
const SAMPLES: f64 = 40_000.0;
/// The maximum number of requests for samples; the newest samples are read first.
const REQUESTS: usize = 12;
/// Samples that are further apart than this many evaluation intervals belong to two firings, if the active times do not tell.
const GAP: f64 = 1.5;
/// Two active times that differ by more than this, in seconds, belong to two firings; active times are whole seconds.
const SAME: f64 = 0.5;

/// What is known about the firings of one series.
#[derive(Default)]
struct SeriesScan {
    /// The coarse scan: the number of samples in each window, and the last active time in each window (Unix seconds).
    counts: Vec<f64>,
    active: Vec<f64>,
    /// The windows whose stored samples were read.
    read: BTreeSet<usize>,
    /// The stored samples at which the alert fired, in milliseconds.
    fires: BTreeSet<i64>,
    /// The active time by the time of the sample.
    active_at: BTreeMap<i64, f64>,
}

type Scans = BTreeMap<Labels, SeriesScan>;

/// A time at which an alert fired, in Unix seconds, and the active time at that moment, if known.
#[derive(Debug, Clone, Copy)]
struct FiringSample {
    at: f64,
    active: Option<f64>,
    /// Whether `at` is the time of a stored sample, or else the border of a window.
    is_exact: bool,
}

/// When the alert with these labels fired; for empty labels, when all alerts fired.
///
/// # Errors
/// Any failure of the coarse scan.
pub(super) async fn snapshot(
    call: &QuestionRequests<'_>,
    service_labels: &[String],
    labels: &Labels,
    looked_at: TimeRange,
) -> Result<FiringSnapshot, SourceError> {
    let external_labels = call.server.quirks.external_labels();
    let selector = selector(service_labels, labels);
    let span = windows(looked_at, if labels.is_empty() { WINDOWS } else { WINDOWS_OF_ONE });
    let step = duration::text(span.step());
    let counts = format!("count_over_time(ALERTS{{alertstate=\"firing\"{selector}}}[{step}])");
    let active = format!("max_over_time(ALERTS_FOR_STATE{{{}}}[{step}])", selector.trim_start_matches(','));
    let (counts, active) = tokio::join!(call.range(&counts, span), call.range(&active, span));
    let mut scans = coarse_scans(counts?, active?);
    if !labels.is_empty() {
        let own = series_of_alert(scans.keys(), &external_labels, labels);
        scans.retain(|series, _| own.contains(series));
    }
    let is_whole = read_samples(call, &selector, &mut scans, span, looked_at).await;
    // the rules are needed if the samples are not enough: with a single sample, or if the firing may have begun before the
    // first sample
    let is_unsure = |scan: &SeriesScan| {
        let first = scan.samples(span).first().map_or(f64::MAX, |first| first.at);
        scan.interval().is_none_or(|every| first - seconds(looked_at.start) <= every)
    };
    let rules = if scans.values().any(is_unsure) { rules::snapshot(call).await.ok() } else { None };
    let mut by_labels: BTreeMap<Labels, Vec<Vec<Firing>>> = BTreeMap::new();
    for (series, scan) in &scans {
        let rule = rules.as_ref().and_then(|snapshot| snapshot.rule_of(series));
        let every = scan.interval().or_else(|| Some(rule?.interval?.as_secs_f64()));
        let labels = external_labels.apply(series);
        let samples = scan.samples(span);
        let firings = split(&samples, every, looked_at, rule.map(|rule| rule.hold));
        let firings = firings.map(|firing| Firing { labels: labels.clone(), ..firing }).collect();
        by_labels.entry(labels.clone()).or_default().push(firings);
    }
    let firings = by_labels.into_values().flat_map(merge_servers).collect();
    Ok(FiringSnapshot { looked_at, firings, is_whole })
}

/// Matchers for the series of an alert, each with a leading comma: by its name, and by its service. The service matcher also
/// accepts series without that label, because an external label is missing in the series.
fn selector(service_labels: &[String], labels: &Labels) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let mut service = service_labels.iter().filter(|name| is_plain_name(name));
    let service = service.find_map(|name| Some((name, labels.get(name)?)));
    let service =
        service.map(|(name, value)| format!(",{name}=~{}", quoted(&format!("|{}", literal(value)))));
    format!(",alertname={}{}", quoted(labels.value("alertname")), service.unwrap_or_default())
}

/// The windows over the whole time range; the last one ends at or after its end.
fn windows(looked_at: TimeRange, most: u16) -> TimeGrid {
    let span = TimeGrid::ending(looked_at.end, looked_at.length(), most, SHORTEST);
    let beyond = looked_at.end.checked_add(span.step()).unwrap_or(looked_at.end);
    let length = looked_at.length().saturating_add(span.step());
    TimeGrid::ending(beyond, length, most.saturating_add(2), span.step())
}

/// The labels of an alert without those that its two series add.
fn bare(labels: &Labels) -> Labels {
    labels.without(|name| matches!(name, "__name__" | "alertstate"))
}

/// Combines the two results of the coarse scan by series.
fn coarse_scans(counts: Matrix, active: Matrix) -> Scans {
    let mut active: HashMap<Labels, Vec<f64>> =
        active.lines.into_iter().map(|line| (bare(&line.labels), line.values)).collect();
    let scans = counts.lines.into_iter().map(|line| {
        let series = bare(&line.labels);
        let active = active.remove(&series).unwrap_or_default();
        (series, SeriesScan { counts: line.values, active, ..SeriesScan::default() })
    });
    scans.collect()
}

/// The series that belong to this alert: they have no label that the alert does not have, and of these the ones with the most
/// labels. If there are none, the series that contradict no label of the alert, because labels may be dropped on sending.
fn series_of_alert<'a>(
    all: impl Iterator<Item = &'a Labels>,
    external_labels: &ExternalLabels,
    labels: &Labels,
) -> BTreeSet<Labels> {
    let agree =
        |series: &&Labels| series.iter().all(|(name, value)| labels.get(name).is_none_or(|own| own == value));
    let agreeing: Vec<&Labels> = all.filter(agree).collect();
    let within = |series: &Labels| Some(external_labels.apply(series)).filter(|sent| sent.is_within(labels));
    let size = |series: &&Labels| within(series).map(|sent| sent.len());
    let most = agreeing.iter().filter_map(size).max();
    agreeing.iter().filter(|series| most.is_none() || size(series) == most).copied().cloned().collect()
}

impl SeriesScan {
    /// The windows with samples.
    fn windows(&self) -> impl Iterator<Item = usize> {
        (0..self.counts.len()).filter(|window| self.count(*window) > 0.0)
    }

    /// The number of samples in a window; 0 if unknown.
    fn count(&self, window: usize) -> f64 {
        self.counts.get(window).copied().filter(|count| *count > 0.0).unwrap_or(0.0)
    }

    /// The last active time in a window.
    fn active(&self, window: usize) -> Option<f64> {
        self.active.get(window).copied().filter(|value| value.is_finite())
    }

    /// The windows in which a firing begins or ends, or may do so; none if the alert fires throughout.
    fn edges(&self, span: TimeGrid, end: f64) -> Vec<usize> {
        let max_count = self.counts.iter().copied().filter(|count| count.is_finite()).fold(0.0, f64::max);
        let length = span.step().as_secs_f64();
        let is_edge = |&window: &usize| {
            let (count, active) = (self.count(window), self.active(window));
            let starts = seconds(span.at(window)) - length;
            let begins = match window.checked_sub(1) {
                Some(before) => self.count(before) <= 0.0 || self.active(before) != active,
                None => active.is_some_and(|active| active > starts),
            };
            // the last window may not be over yet
            let passed = ((end - starts) / length).clamp(0.0, 1.0);
            let is_last = passed < 1.0 || window + 1 == self.counts.len();
            let ends = !is_last && (self.count(window + 1) <= 0.0 || self.active(window + 1) != active);
            // without active times, a firing that ended is only visible by missing samples
            let is_thin = (is_last || active.is_none()) && count + 2.0 < max_count * passed;
            begins || ends || is_thin
        };
        self.windows().filter(is_edge).collect()
    }

    /// The evaluation interval of the rule in seconds, derived from the distance of its samples.
    fn interval(&self) -> Option<f64> {
        let gap = |(one, other): (&i64, &i64)| (other - one) as f64 / 1000.0;
        if self.active_at.is_empty() {
            return self.fires.iter().zip(self.fires.iter().skip(1)).map(gap).reduce(f64::min);
        }
        // consecutive samples with the same active time belong to one firing
        let pairs = self.active_at.iter().zip(self.active_at.iter().skip(1));
        let within = pairs.filter(|((_, first), (_, second))| (*first - *second).abs() < SAME);
        within.map(|((one, _), (other, _))| gap((one, other))).reduce(f64::min)
    }

    /// All times at which the alert fired, sorted: the stored samples, and the borders of windows that were not read.
    fn samples(&self, span: TimeGrid) -> Vec<FiringSample> {
        let stored = self.fires.iter().map(|at| FiringSample {
            at: *at as f64 / 1000.0,
            active: self.active_at.get(at).copied(),
            is_exact: true,
        });
        let mut samples: Vec<FiringSample> = stored.collect();
        for window in self.windows().filter(|window| !self.read.contains(window)) {
            let active = self.active(window);
            let (end, length) = (seconds(span.at(window)), span.step().as_secs_f64());
            // the alert became active within this window
            let start = (end - length).max(active.unwrap_or(f64::MIN)).min(end);
            samples.extend([start, end].map(|at| FiringSample { at, active, is_exact: false }));
        }
        samples.sort_by(|a, b| a.at.total_cmp(&b.at));
        samples
    }
}

/// Reads the samples of windows in which a firing begins or ends; all samples if they are few. Returns whether everything was
/// read.
async fn read_samples(
    call: &QuestionRequests<'_>,
    selector: &str,
    scans: &mut Scans,
    span: TimeGrid,
    looked_at: TimeRange,
) -> bool {
    // the alert names by the window that must be read
    let mut wanted: BTreeMap<usize, BTreeSet<Text>> = BTreeMap::new();
    let total: f64 =
        scans.values().flat_map(|scan| &scan.counts).copied().filter(|count| count.is_finite()).sum();
    let is_little = total <= SAMPLES;
    for (series, scan) in &*scans {
        let Some(name) = series.get("alertname") else { continue };
        let end = seconds(looked_at.end);
        for window in if is_little { scan.windows().collect() } else { scan.edges(span, end) } {
            wanted.entry(window).or_default().insert(name.clone());
        }
    }
    // groups of adjacent windows, each with at most as many samples as fit into one request
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut length = 0.0;
    for window in wanted.keys() {
        let its: f64 = scans.values().map(|scan| scan.count(*window)).sum();
        length += its;
        match runs.last_mut() {
            Some((_, last)) if is_little || *last + 1 == *window && length <= SAMPLES => *last = *window,
            _ => {
                runs.push((*window, *window));
                length = its;
            }
        }
    }
    // newest first
    runs.reverse();
    let mut is_whole = true;
    let mut chosen = Vec::new();
    let mut cost = 0.0;
    for (first, last) in runs {
        let names: BTreeSet<Text> = wanted.range(first..=last).flat_map(|(_, names)| names.clone()).collect();
        let meant = scans.iter().filter(|(series, _)| is_of(series, &names)).map(|(_, scan)| scan);
        cost += meant.flat_map(|scan| (first..=last).map(|window| scan.count(window))).sum::<f64>();
        if chosen.len() == REQUESTS || cost > SAMPLES * 2.0 {
            is_whole = false;
            continue;
        }
        chosen.push((first, last, names));
    }
    let read = join_all(chosen.iter().map(async |(first, last, names)| {
        let from = span.at(*first).checked_sub(span.step()).unwrap_or(span.start());
        let until = span.at(*last).min(looked_at.end);
        let length =
            Duration::try_from(until.duration_since(from)).unwrap_or_default().max(Duration::from_secs(1));
        let over = duration::text(length);
        let names = names.iter().map(|name| literal(name)).collect::<Vec<_>>().join("|");
        let named = format!("alertname=~{}{selector}", quoted(&names));
        let fires = format!("ALERTS{{alertstate=\"firing\",{named}}}[{over}]");
        let active = format!("ALERTS_FOR_STATE{{{named}}}[{over}]");
        tokio::join!(call.samples(&fires, Some(until)), call.samples(&active, Some(until)))
    }))
    .await;
    for ((first, last, names), (fires, active)) in chosen.iter().zip(read) {
        let (Ok(fires), Ok(active)) = (fires, active) else {
            is_whole = false;
            continue;
        };
        for (_, scan) in scans.iter_mut().filter(|(series, _)| is_of(series, names)) {
            scan.read.extend((*first..=*last).filter(|window| scan.count(*window) > 0.0).collect::<Vec<_>>());
        }
        for (labels, points) in fires {
            if let Some(scan) = scans.get_mut(&bare(&labels)) {
                scan.fires.extend(points.iter().map(|(at, _)| millis(*at)));
            }
        }
        for (labels, points) in active {
            if let Some(scan) = scans.get_mut(&bare(&labels)) {
                scan.active_at.extend(points.iter().map(|(at, value)| (millis(*at), *value)));
            }
        }
    }
    is_whole
}

fn is_of(series: &Labels, names: &BTreeSet<Text>) -> bool {
    series.get("alertname").is_some_and(|name| names.contains(name))
}

#[expect(clippy::cast_possible_truncation, reason = "moments of this age are far from the ends")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

fn moment(seconds: f64) -> Timestamp {
    Epoch::<1>::at(seconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

/// Splits the times into firings, without labels. If a firing began before the time range, its start is computed from the active
/// time and the `for` of the rule (`hold`).
fn split(
    samples: &[FiringSample],
    interval: Option<f64>,
    looked_at: TimeRange,
    hold: Option<Duration>,
) -> impl Iterator<Item = Firing> {
    let (begin, end) = (seconds(looked_at.start), seconds(looked_at.end));
    let gap = GAP * interval.unwrap_or(0.0);
    let is_same = move |one: &FiringSample, other: &FiringSample| match (one.active, other.active) {
        (Some(one), Some(other)) => (one - other).abs() < SAME,
        // the border of a window that was not read belongs to the adjacent samples
        _ => other.at - one.at <= gap || !one.is_exact || !other.is_exact,
    };
    let firing = move |some: &[FiringSample]| {
        let (first, last) = (some.first()?, some.last()?);
        let step = interval.filter(|_| last.is_exact);
        let is_open = last.at + gap >= end;
        let to = if is_open { end } else { (last.at + step.unwrap_or(0.0)).min(end) };
        // for a sample at the start of the time range, there were earlier samples before it
        let begins_before = first.at - begin <= interval.unwrap_or(0.0);
        let mut is_about = !(first.is_exact || begins_before) || !(is_open || step.is_some());
        let mut from = moment(first.at);
        if begins_before {
            let active = first.active.map(moment);
            match active.map(|active| active.checked_add(hold.unwrap_or_default()).unwrap_or(active)) {
                // the firing may also begin with the first sample
                Some(computed) if first.is_exact && computed >= looked_at.start => {}
                Some(computed) => {
                    from = if first.is_exact { computed.min(from) } else { computed };
                    is_about |= hold.is_none();
                }
                None => is_about = true,
            }
        }
        let labels = Labels::default();
        (to > begin).then(|| Firing { labels, from, to: moment(to).max(from), is_open, is_about })
    };
    samples.chunk_by(is_same).filter_map(firing)
}

#[cfg(test)]
mod tests;
