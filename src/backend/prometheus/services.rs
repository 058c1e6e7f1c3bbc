//! The golden signals and targets of all services: one grouped query for each signal of each pack entry.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::ages::Ages;
use super::call::{Call, Told};
use super::survey::{Bounds, Counter, Histogram, Lane, Plan, Survey, first_label, lanes};
use super::wire::Sample;
use crate::backend::packs::{Fill, OwnSignal, Saturation, Up};
use crate::model::labels::{Labels, Text};
use crate::model::promql;
use crate::model::service::{DownTarget, Reading, ServiceBoard, Signals, Targets};
use crate::model::source::SourceError;
use crate::model::warning::Warning;
use gaps::Asked;

mod gaps;
mod hosts;

/// Of one service no more targets that are down are named; all are counted.
const DOWN_NAMED: usize = 50;

/// What a query is about.
#[derive(Clone, Copy)]
enum Part<'s> {
    All(&'s Counter, &'s Lane),
    Failed(&'s Counter, &'s Lane),
    Quantile(&'s Histogram, &'s Lane, f64),
    Apdex(&'s Histogram, &'s Lane),
    Full(&'s Saturation, &'s Lane),
    Up(&'s Up, &'s Lane),
    Named(&'s OwnSignal, &'s Lane),
    Targets,
    Down,
}

impl<'s> Part<'s> {
    fn lane(self) -> Option<&'s Lane> {
        match self {
            Self::All(_, lane)
            | Self::Failed(_, lane)
            | Self::Quantile(_, lane, _)
            | Self::Apdex(_, lane)
            | Self::Full(_, lane)
            | Self::Up(_, lane)
            | Self::Named(_, lane) => Some(lane),
            Self::Targets | Self::Down => None,
        }
    }
}

/// A query, and what is said when it fails.
struct Job<'s> {
    part: Part<'s>,
    query: String,
    what: String,
}

/// What each query came to, with the job that it was.
type Answers<'s> = Vec<(Job<'s>, Result<Told, SourceError>)>;

/// When things are looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct LookedAt {
    /// A moment of the past, if one is meant.
    pub(super) at: Option<Timestamp>,
    /// That moment, or now by the server's clock.
    pub(super) now: Timestamp,
}

/// Asks for everything that the survey found.
///
/// # Errors
/// If no query at all succeeds; of some that fail the board warns.
pub(super) async fn board(
    call: &Call<'_>,
    plan: &Plan,
    survey: &Survey,
    ages: &mut Ages,
    moment: LookedAt,
) -> Result<ServiceBoard, SourceError> {
    let LookedAt { at, now } = moment;
    let were_known = ages.are_known(survey);
    if !were_known {
        ages.find(call, survey, now).await;
    }
    let window = ages.lookback(survey, now);
    let lookback = window.unwrap_or(survey.lookback);
    let jobs = jobs(plan, survey, lookback);
    let results = join_all(jobs.iter().map(|job| call.instant_told(&job.query, at)));
    let (results, ()) = tokio::join!(results, ages.follow(call, survey, at));
    if results.iter().all(Result::is_err)
        && let Some(Err(error)) = results.iter().find(|result| result.is_err())
    {
        return Err(error.clone());
    }
    let answers: Answers<'_> = jobs.into_iter().zip(results).collect();
    for (job, result) in &answers {
        if let Err(error) = result {
            call.warn(Warning::part(format!("{}: {}", job.what, error.trouble)));
        }
    }
    if answers.is_empty() {
        call.warn(Warning::notice(
            "no service found: no known metric, and no target with one of services.labels",
        ));
    }
    let mut readings = BTreeMap::new();
    requests(&answers, &mut readings);
    latencies(&answers, &mut readings);
    targets(plan, survey, &answers, &mut readings);
    // last, for some of it is only wanted of services that are known by now
    hosts::fill(&answers, &mut readings);
    hosts::proxied(survey, &answers, &mut readings);
    let rated = readings.iter().filter(|(_, reading)| reading.signals.request_rate.is_some());
    let rated: HashSet<Text> = rated.map(|(service, _)| service.clone()).collect();
    if were_known && ages.lack(&rated) {
        ages.find(call, survey, now).await;
    }
    ages.saw(rated, now);
    gaps::note(call, &Asked { survey, answers: &answers, ages, window, now }, &mut readings);
    for (service, reading) in &mut readings {
        reading.scraped = survey.scraped.behind(service);
    }
    Ok(ServiceBoard { readings: readings.into_values().collect(), lookback })
}

fn jobs<'s>(plan: &Plan, survey: &'s Survey, lookback: Duration) -> Vec<Job<'s>> {
    let mut jobs = Vec::new();
    let mut add = |part, query: String, signal: &str, metric: &str| {
        jobs.push(Job { part, query, what: format!("{signal} ({metric})") });
    };
    for (counter, lane) in lanes(&survey.counters) {
        let (requests, fill) = (&counter.requests, lane.fill(lookback));
        add(Part::All(counter, lane), requests.all(fill), "request rate", &requests.metric);
        if let Some(failed) = requests.failed(fill, &counter.codes) {
            add(Part::Failed(counter, lane), failed, "error ratio", &requests.metric);
        }
    }
    for (histogram, lane) in lanes(&survey.histograms) {
        let (latency, fill) = (&histogram.latency, lane.fill(lookback));
        for quantile in [0.5, 0.95, 0.99] {
            let part = Part::Quantile(histogram, lane, quantile);
            add(part, latency.quantile(fill, quantile), "latency", &latency.histogram);
        }
        if let Some(bounds) = &histogram.apdex {
            let by = format!("le, {}", fill.by);
            let query = latency.buckets(Fill { by: &by, ..fill }, &bounds.pattern);
            add(Part::Apdex(histogram, lane), query, "Apdex", &latency.histogram);
        }
    }
    for (entry, lane) in lanes(&survey.saturations) {
        add(Part::Full(entry, lane), entry.expr(lane.fill(lookback)), "saturation", &entry.resource);
    }
    for (entry, lane) in lanes(&survey.ups) {
        add(Part::Up(entry, lane), entry.expr(lane.fill(lookback)), "servers", &entry.metric);
    }
    for (entry, lane) in lanes(&survey.named) {
        let metric = entry.metrics.first().map_or("", |metric| metric);
        add(Part::Named(entry, lane), entry.expr(lane.fill(lookback)), &entry.name, metric);
    }
    if !survey.up_labels.is_empty() {
        let by = promql::labels(&survey.up_labels);
        let mut describe = String::new();
        let is_new = |label: &&String| !survey.up_labels.contains(label);
        let is_taken = |label: &&String| !survey.is_strict || promql::is_plain_name(label);
        for label in plan.describe_by.iter().filter(is_new).filter(is_taken) {
            describe.push(',');
            describe.push_str(&promql::label(label));
        }
        add(Part::Targets, format!("count by ({by}{describe}) (up)"), "targets", "up");
        let and_job = if survey.up_labels.iter().any(|label| label == "job") { "" } else { ",job" };
        add(
            Part::Down,
            format!("count by ({by},instance{and_job}) (up == 0)"),
            "targets that are down",
            "up",
        );
    }
    jobs
}

type Readings = BTreeMap<Text, Reading>;

fn reading<'a>(readings: &'a mut Readings, service: &Text) -> &'a mut Reading {
    readings
        .entry(Text::clone(service))
        .or_insert_with(|| Reading { name: Text::clone(service), ..Reading::default() })
}

/// Failed / all; zero where nothing failed, `None` where there is nothing to divide by.
pub(super) fn ratio(failed: Option<f64>, all: f64) -> Option<f64> {
    (all > 0.0).then(|| (failed.unwrap_or(0.0) / all).clamp(0.0, 1.0)).filter(|ratio| !ratio.is_nan())
}

fn requests(answers: &Answers<'_>, readings: &mut Readings) {
    for (job, result) in answers {
        let (Part::All(counter, lane), Ok(told)) = (job.part, result) else { continue };
        let failed = answers.iter().find_map(|(job, result)| {
            matches!(job.part, Part::Failed(_, its) if std::ptr::eq(its, lane))
                .then_some(&result.as_ref().ok()?.samples)
        });
        let failed: Option<BTreeMap<&Text, f64>> =
            failed.map(|all| lane.told(all).map(|(service, sample)| (service, sample.value)).collect());
        for (service, sample) in lane.told(&told.samples) {
            let signals = &mut reading(readings, service).signals;
            // an earlier entry speaks for this service
            if signals.request_rate.is_some() {
                continue;
            }
            signals.request_rate = Some(sample.value.max(0.0));
            if let Some(failed) = failed.as_ref().filter(|_| !counter.blind.contains(service)) {
                signals.error_ratio = ratio(failed.get(service).copied(), sample.value);
            }
        }
    }
}

fn latencies(answers: &Answers<'_>, readings: &mut Readings) {
    let mut speakers: BTreeMap<&Text, &Lane> = BTreeMap::new();
    for (job, result) in answers {
        let (histogram, lane, quantile) = match job.part {
            Part::Quantile(histogram, lane, quantile) => (histogram, lane, Some(quantile)),
            Part::Apdex(histogram, lane) => (histogram, lane, None),
            Part::All(..)
            | Part::Failed(..)
            | Part::Full(..)
            | Part::Up(..)
            | Part::Named(..)
            | Part::Targets
            | Part::Down => continue,
        };
        let Ok(told) = result else { continue };
        let mut counts: BTreeMap<&Text, Vec<(f64, f64)>> = BTreeMap::new();
        for (service, sample) in lane.told(&told.samples) {
            if !std::ptr::eq(*speakers.entry(service).or_insert(lane), lane) {
                continue;
            }
            if let Some(quantile) = quantile {
                let seconds = (sample.value * histogram.latency.unit.seconds()).max(0.0);
                *quantile_of(&mut reading(readings, service).signals, quantile) = Some(seconds);
            } else {
                let bound = sample.labels.value("le").parse().ok();
                counts.entry(service).or_default().extend(bound.map(|le: f64| (le, sample.value)));
            }
        }
        if let Some(bounds) = &histogram.apdex {
            for (service, counts) in counts {
                reading(readings, service).signals.apdex = apdex(&counts, bounds);
            }
        }
    }
}

fn quantile_of(signals: &mut Signals, quantile: f64) -> &mut Option<f64> {
    if quantile < 0.9 {
        &mut signals.p50
    } else if quantile < 0.98 {
        &mut signals.p95
    } else {
        &mut signals.p99
    }
}

/// (satisfied + tolerating / 2) / all, out of cumulative counts; `None` without traffic or without both bounds.
fn apdex(counts: &[(f64, f64)], bounds: &Bounds) -> Option<f64> {
    // one bound may come in two spellings, from two kinds of instances
    let sum = |wanted: f64| {
        let here: Vec<f64> = counts
            .iter()
            .filter(|(le, _)| le.to_bits() == wanted.to_bits())
            .map(|(_, count)| *count)
            .collect();
        (!here.is_empty()).then(|| here.iter().sum::<f64>())
    };
    let (satisfied, tolerated) = (sum(bounds.satisfied)?, sum(bounds.tolerated)?);
    ratio(Some(f64::midpoint(satisfied, tolerated)), sum(f64::INFINITY)?)
}

fn targets(plan: &Plan, survey: &Survey, answers: &Answers<'_>, readings: &mut Readings) {
    let mut described: BTreeMap<&Text, BTreeMap<&Text, Option<&Text>>> = BTreeMap::new();
    for (job, result) in answers {
        let (Part::Targets | Part::Down, Ok(told)) = (job.part, result) else { continue };
        for sample in &told.samples {
            let Some((_, service)) = first_label(&sample.labels, &survey.up_labels) else { continue };
            let targets = &mut reading(readings, service).targets;
            if matches!(job.part, Part::Down) {
                note_down(targets, sample);
            } else {
                targets.total = targets.total.saturating_add(count(sample.value));
                targets.up = targets.total;
                describe(plan, &sample.labels, described.entry(service).or_default());
            }
        }
    }
    for (service, labels) in described {
        let agreed = labels.into_iter().filter_map(|(name, value)| Some((name, value?)));
        reading(readings, service).labels =
            Labels::new(agreed.map(|(n, v)| (n.clone(), v.clone())).collect());
    }
}

fn describe<'a>(plan: &Plan, labels: &'a Labels, described: &mut BTreeMap<&'a Text, Option<&'a Text>>) {
    for (name, value) in labels.iter().filter(|(name, _)| plan.describe_by.iter().any(|by| **by == ***name)) {
        let agreed = described.entry(name).or_insert(Some(value));
        if *agreed != Some(value) {
            *agreed = None;
        }
    }
}

fn note_down(targets: &mut Targets, sample: &Sample) {
    // the two queries may see two moments
    targets.up = targets.up.saturating_sub(count(sample.value));
    if targets.down.len() < DOWN_NAMED {
        let text = |name: &str| sample.labels.get(name).cloned().unwrap_or_default();
        targets.down.push(DownTarget { instance: text("instance"), job: text("job") });
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn count(value: f64) -> u32 {
    value.clamp(0.0, f64::from(u32::MAX)) as u32
}
