//! When alerts fired, to their evaluations, out of the two series that a rule writes: `ALERTS` has a sample for each evaluation
//! at which it fires, `ALERTS_FOR_STATE` holds the moment at which it became active, one value for each firing.
//!
//! A coarse look over the whole time finds where anything began or ended; the samples themselves are then read there alone, in a
//! few bounded requests. Nothing is joined: what fires again is another firing, however short the time between.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::call::QuestionRequests;
use super::rules::{self, RuleReader};
use crate::backend::kit::time::Epoch;
use crate::model::duration;
use crate::model::firing::{Firing, FiringBoard, merge_servers};
use crate::model::labels::{Labels, Text};
use crate::model::promql::{is_plain_name, literal, quoted};
use crate::model::series::{Matrix, TimeGrid};
use crate::model::slo::TimeRange;
use crate::model::source::SourceError;

/// Windows of the coarse look: each alert costs so many numbers, twice.
const WINDOWS: u16 = 120;
/// For a single alert, whose past is longer.
const WINDOWS_OF_ONE: u16 = 1000;
const SHORTEST: Duration = Duration::from_secs(60);
/// Up to so many samples are read at once.
const SAMPLES: f64 = 40_000.0;
/// As many requests for samples, the newest first.
const REQUESTS: usize = 12;
/// Samples further apart than this many evaluations are of two firings, where nothing better tells.
const GAP: f64 = 1.5;
/// Two moments at which an alert became active differ by more; they are whole seconds.
const SAME: f64 = 0.5;

/// The coarse look at one alert: in each window how many samples there are, and when it last became active.
struct CoarseScan {
    counts: Vec<f64>,
    active: Vec<f64>,
}

/// A moment at which an alert fired, in seconds, and when it had become active, if that is told.
#[derive(Debug, Clone, Copy)]
struct FiringSample {
    at: f64,
    active: Option<f64>,
    /// A sample of its own, else the border of a window.
    is_exact: bool,
}

/// When the alert with these labels fired, or without labels all alerts did.
///
/// # Errors
/// Whatever fails the coarse look.
pub(super) async fn board(
    call: &QuestionRequests<'_>,
    service_labels: &[String],
    reading: &RuleReader<'_>,
    labels: &Labels,
    looked_at: TimeRange,
) -> Result<FiringBoard, SourceError> {
    let selector = selector(service_labels, labels);
    let span = windows(looked_at, if labels.is_empty() { WINDOWS } else { WINDOWS_OF_ONE });
    let step = duration::text(span.step());
    let counts = format!("count_over_time(ALERTS{{alertstate=\"firing\"{selector}}}[{step}])");
    let active = format!("max_over_time(ALERTS_FOR_STATE{{{}}}[{step}])", selector.trim_start_matches(','));
    let (counts, active) = tokio::join!(call.range(&counts, span), call.range(&active, span));
    let mut coarse = coarse_scans(counts?, active?);
    if !labels.is_empty() {
        let own = series_of_alert(coarse.keys(), reading, labels);
        coarse.retain(|series, _| own.contains(series));
    }
    let (exact, is_whole) = samples(call, &selector, &coarse, span, looked_at).await;
    // what the samples alone do not say: a single one has no interval, and of what began before the first is not among them
    let is_unsure = |(series, look): (&Labels, &CoarseScan)| {
        let every = interval(exact.get(series));
        let first = merged(look, exact.get(series), span).first().map_or(f64::MAX, |first| first.at);
        every.is_none_or(|every| first - seconds(looked_at.start) <= every)
    };
    let rules = if coarse.iter().any(is_unsure) { rules::board(call, reading).await.ok() } else { None };
    let mut by_labels: BTreeMap<Labels, Vec<Vec<Firing>>> = BTreeMap::new();
    for (series, look) in &coarse {
        let rule = rules.as_ref().and_then(|board| board.rule_of(series));
        let its = exact.get(series);
        let every = interval(its).or_else(|| Some(rule?.interval?.as_secs_f64()));
        let labels = reading.external_labels.apply(series);
        let found = split(&merged(look, its, span), every, looked_at);
        let hold = rule.map(|rule| rule.hold);
        let firings =
            found.into_iter().map(|firing| firing.told(labels.clone(), hold, looked_at.start)).collect();
        by_labels.entry(labels.clone()).or_default().push(firings);
    }
    let firings = by_labels.into_values().flat_map(merge_servers).collect();
    Ok(FiringBoard { looked_at, firings, is_whole })
}

/// Matchers for the series of an alert, each with a comma before it: by its name, and by its service as far as its series have
/// that label, for it may be one that is added on sending.
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

/// Windows over all of the time, the last one to its end or beyond.
fn windows(looked_at: TimeRange, most: u16) -> TimeGrid {
    let span = TimeGrid::ending(looked_at.end, looked_at.length(), most, SHORTEST);
    let beyond = looked_at.end.checked_add(span.step()).unwrap_or(looked_at.end);
    TimeGrid::ending(
        beyond,
        looked_at.length().saturating_add(span.step()),
        most.saturating_add(2),
        span.step(),
    )
}

fn coarse_scans(counts: Matrix, active: Matrix) -> BTreeMap<Labels, CoarseScan> {
    let bare = |labels: &Labels| labels.without(|name| matches!(name, "__name__" | "alertstate"));
    let mut active: HashMap<Labels, Vec<f64>> =
        active.lines.into_iter().map(|line| (bare(&line.labels), line.values)).collect();
    let coarse_scans = counts.lines.into_iter().map(|line| {
        let series = bare(&line.labels);
        let active = active.remove(&series).unwrap_or_default();
        (series, CoarseScan { counts: line.values, active })
    });
    coarse_scans.collect()
}

/// Which of the series are this alert's: they have no label that it does not have, and of those the ones with the most. Labels
/// that are dropped on sending may be more; then those that contradict none of its labels.
fn series_of_alert<'a>(
    all: impl Iterator<Item = &'a Labels>,
    reading: &RuleReader<'_>,
    labels: &Labels,
) -> BTreeSet<Labels> {
    let agree =
        |series: &&Labels| series.iter().all(|(name, value)| labels.get(name).is_none_or(|own| own == value));
    let agreeing: Vec<&Labels> = all.filter(agree).collect();
    let within = |series: &&&Labels| reading.external_labels.apply(series).is_within(labels);
    let most = agreeing.iter().filter(within).map(|series| reading.external_labels.apply(series).len()).max();
    let is_own = |series: &&&Labels| match most {
        Some(most) => within(series) && reading.external_labels.apply(series).len() == most,
        None => true,
    };
    agreeing.iter().filter(is_own).map(|series| (*series).clone()).collect()
}

impl CoarseScan {
    fn count(&self, window: usize) -> f64 {
        self.counts.get(window).copied().filter(|count| *count > 0.0).unwrap_or(0.0)
    }

    fn active(&self, window: usize) -> Option<f64> {
        self.active.get(window).copied().filter(|value| value.is_finite())
    }

    fn max_count(&self) -> f64 {
        self.counts.iter().copied().filter(|count| count.is_finite()).fold(0.0, f64::max)
    }

    /// Windows in which a firing begins or ends, or may do so. One that fires from before the first window to the last has none.
    fn edges(&self, span: TimeGrid, end: f64) -> Vec<usize> {
        let max_count = self.max_count();
        let length = span.step().as_secs_f64();
        let is_edge = |window: &usize| {
            let window = *window;
            let (count, active) = (self.count(window), self.active(window));
            let starts = seconds(span.at(window)) - length;
            let begins = match window.checked_sub(1) {
                Some(before) => self.count(before) <= 0.0 || self.active(before) != active,
                None => active.is_some_and(|active| active > starts),
            };
            // of the last window a part is yet to come
            let passed = ((end - starts) / length).clamp(0.0, 1.0);
            let is_last = passed < 1.0 || window + 1 == self.counts.len();
            let ends = !is_last && (self.count(window + 1) <= 0.0 || self.active(window + 1) != active);
            // without the moment of becoming active only missing samples tell
            let is_thin = (is_last || active.is_none()) && count + 2.0 < max_count * passed;
            count > 0.0 && (begins || ends || is_thin)
        };
        (0..self.counts.len()).filter(is_edge).collect()
    }
}

type Samples = HashMap<Labels, ExactSamples>;

/// The samples of one series, where they were read.
#[derive(Default)]
struct ExactSamples {
    /// Which windows were read.
    windows: BTreeSet<usize>,
    /// When it fired, in milliseconds.
    fires: BTreeSet<i64>,
    /// When it had become active, by the moment of the sample.
    active: BTreeMap<i64, f64>,
}

/// Reads samples where something begins or ends, all of them if they are few. Whether everything that was wanted was read.
async fn samples(
    call: &QuestionRequests<'_>,
    selector: &str,
    coarse: &BTreeMap<Labels, CoarseScan>,
    span: TimeGrid,
    looked_at: TimeRange,
) -> (Samples, bool) {
    // alerts by the windows that are to be read of them
    let mut wanted: BTreeMap<usize, BTreeSet<&Text>> = BTreeMap::new();
    let total: f64 =
        coarse.values().flat_map(|look| &look.counts).copied().filter(|count| count.is_finite()).sum();
    let is_little = total <= SAMPLES;
    for (series, look) in coarse {
        let Some(name) = series.get("alertname") else { continue };
        let all = || (0..look.counts.len()).filter(|window| look.count(*window) > 0.0).collect();
        for window in if is_little { all() } else { look.edges(span, seconds(looked_at.end)) } {
            wanted.entry(window).or_default().insert(name);
        }
    }
    // runs of windows, none with more samples than are read at once
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let mut length = 0.0;
    for window in wanted.keys() {
        let its: f64 = coarse.values().map(|look| look.count(*window)).sum();
        length += its;
        match runs.last_mut() {
            Some((_, last)) if is_little || *last + 1 == *window && length <= SAMPLES => *last = *window,
            _ => {
                runs.push((*window, *window));
                length = its;
            }
        }
    }
    // the newest first
    runs.reverse();
    let mut is_whole = true;
    let mut chosen = Vec::new();
    let mut cost = 0.0;
    for (first, last) in runs {
        let names: BTreeSet<&Text> =
            wanted.range(first..=last).flat_map(|(_, names)| names.iter().copied()).collect();
        let meant = coarse
            .iter()
            .filter(|(series, _)| series.get("alertname").is_some_and(|name| names.contains(name)));
        let samples: f64 =
            meant.map(|(_, look)| (first..=last).map(|window| look.count(window)).sum::<f64>()).sum();
        cost += samples;
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
        tokio::join!(call.samples(&fires, until), call.samples(&active, until))
    }))
    .await;
    let mut exact = Samples::new();
    for ((first, last, names), (fires, active)) in chosen.iter().zip(read) {
        let (Ok(fires), Ok(active)) = (fires, active) else {
            is_whole = false;
            continue;
        };
        for (series, look) in coarse {
            if series.get("alertname").is_some_and(|name| names.contains(name)) {
                let read = (*first..=*last).filter(|window| look.count(*window) > 0.0);
                exact.entry(series.clone()).or_default().windows.extend(read);
            }
        }
        let bare = |labels: &Labels| labels.without(|name| matches!(name, "__name__" | "alertstate"));
        for (labels, points) in fires {
            if let Some(its) = exact.get_mut(&bare(&labels)) {
                its.fires.extend(points.iter().map(|(at, _)| millis(*at)));
            }
        }
        for (labels, points) in active {
            if let Some(its) = exact.get_mut(&bare(&labels)) {
                its.active.extend(points.iter().map(|(at, value)| (millis(*at), *value)));
            }
        }
    }
    (exact, is_whole)
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

/// How often the rule is evaluated, by the samples of its firings, in seconds.
fn interval(exact: Option<&ExactSamples>) -> Option<f64> {
    let exact = exact?;
    let gap = |one: i64, other: i64| (other - one) as f64 / 1000.0;
    let active: Vec<(i64, f64)> = exact.active.iter().map(|(at, value)| (*at, *value)).collect();
    // between two of one firing nothing else lies
    let within = active.windows(2).filter_map(|pair| {
        let ((one, first), (other, second)) = (pair.first()?, pair.last()?);
        ((first - second).abs() < SAME).then(|| gap(*one, *other))
    });
    let fires: Vec<i64> = exact.fires.iter().copied().collect();
    let any =
        || fires.windows(2).filter_map(|pair| Some(gap(*pair.first()?, *pair.last()?))).reduce(f64::min);
    let told = within.reduce(f64::min);
    if active.is_empty() { any() } else { told }
}

/// All moments at which it fired, in their order: its samples, and where they were not read the borders of the windows.
fn merged(look: &CoarseScan, exact: Option<&ExactSamples>, span: TimeGrid) -> Vec<FiringSample> {
    let mut samples: Vec<FiringSample> = Vec::new();
    if let Some(exact) = exact {
        samples.extend(exact.fires.iter().map(|at| FiringSample {
            at: *at as f64 / 1000.0,
            active: exact.active.get(at).copied(),
            is_exact: true,
        }));
    }
    for window in 0..look.counts.len() {
        let is_read = exact.is_some_and(|exact| exact.windows.contains(&window));
        if look.count(window) > 0.0 && !is_read {
            let active = look.active(window);
            let (end, length) = (seconds(span.at(window)), span.step().as_secs_f64());
            // it became active within this window
            let start = (end - length).max(active.unwrap_or(f64::MIN)).min(end);
            samples.extend([start, end].map(|at| FiringSample { at, active, is_exact: false }));
        }
    }
    samples.sort_by(|a, b| a.at.total_cmp(&b.at));
    samples
}

/// One firing as it was found.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "four facts that do not depend on each other")]
struct FoundFiring {
    from: f64,
    to: f64,
    active: Option<f64>,
    is_open: bool,
    is_about: bool,
    /// It may have fired already when the time began that was looked at.
    begins_before: bool,
    /// It begins with a sample of its own.
    is_exact: bool,
}

/// Cuts the moments into firings.
fn split(samples: &[FiringSample], interval: Option<f64>, looked_at: TimeRange) -> Vec<FoundFiring> {
    let (begin, end) = (seconds(looked_at.start), seconds(looked_at.end));
    let is_same = |one: &FiringSample, other: &FiringSample| match (one.active, other.active) {
        (Some(one), Some(other)) => (one - other).abs() < SAME,
        // the border of a window that was not read touches the samples beside it
        _ => other.at - one.at <= GAP * interval.unwrap_or(0.0) || !one.is_exact || !other.is_exact,
    };
    let firing = |some: &[FiringSample]| {
        let (first, last) = (some.first()?, some.last()?);
        let step = interval.filter(|_| last.is_exact);
        let over = last.at + step.unwrap_or(0.0);
        let is_open = last.at + GAP * interval.unwrap_or(0.0) >= end;
        let to = if is_open { end } else { over.min(end) };
        // a sample at the very beginning has others before it
        let begins_before = first.at - begin <= interval.unwrap_or(0.0);
        let is_about =
            !(first.is_exact || begins_before) || !(is_open || last.is_exact && interval.is_some());
        (to > begin).then_some(FoundFiring {
            from: first.at,
            to,
            active: first.active,
            is_open,
            is_about,
            begins_before,
            is_exact: first.is_exact,
        })
    };
    samples.chunk_by(is_same).filter_map(firing).collect()
}

impl FoundFiring {
    /// In the model's words. Where it began before the time that was looked at, that follows from when it became active and
    /// from its rule's `for`.
    fn told(&self, labels: Labels, hold: Option<Duration>, begin: Timestamp) -> Firing {
        let mut from = moment(self.from);
        let mut is_about = self.is_about;
        if self.begins_before {
            let active = self.active.map(moment);
            match active.map(|active| active.checked_add(hold.unwrap_or_default()).unwrap_or(active)) {
                // it may just as well begin with the first sample that there is
                Some(told) if self.is_exact && told >= begin => {}
                Some(told) => {
                    from = if self.is_exact { told.min(from) } else { told };
                    is_about |= hold.is_none();
                }
                None => is_about = true,
            }
        }
        Firing { labels, from, to: moment(self.to).max(from), is_open: self.is_open, is_about }
    }
}

#[cfg(test)]
mod tests;
