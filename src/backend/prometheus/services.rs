//! The golden signals and targets of all services: one grouped query for each signal of each pack entry.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::ages::Ages;
use super::call::{Call, Told};
use super::survey::{Bounds, Plan, Survey, first_label};
use super::wire::Sample;
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

/// What a query is about: indices into the survey's entries and their lanes.
#[derive(Debug, Clone, Copy)]
enum Part {
    All(usize, usize),
    Failed(usize, usize),
    Quantile(usize, usize, f64),
    Apdex(usize, usize),
    Full(usize, usize),
    Up(usize, usize),
    Named(usize, usize),
    Targets,
    Down,
}

/// A query, and what is said when it fails.
struct Job {
    part: Part,
    query: String,
    what: String,
}

/// What each query came to, with the job that it was.
type Answers = Vec<(Job, Result<Told, SourceError>)>;

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
    let answers: Answers = jobs.into_iter().zip(results).collect();
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
    requests(survey, &answers, &mut readings);
    latencies(survey, &answers, &mut readings);
    targets(plan, survey, &answers, &mut readings);
    // last, for some of it is only wanted of services that are known by now
    hosts::fill(survey, &answers, &mut readings);
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

fn jobs(plan: &Plan, survey: &Survey, lookback: Duration) -> Vec<Job> {
    let mut jobs = Vec::new();
    let mut add = |part, query: String, signal: &str, metric: &str| {
        jobs.push(Job { part, query, what: format!("{signal} ({metric})") });
    };
    for (e, found) in survey.counters.iter().enumerate() {
        for (l, lane) in found.lanes.iter().enumerate() {
            let (requests, fill) = (&found.entry.requests, lane.fill(lookback));
            add(Part::All(e, l), requests.all(fill), "request rate", &requests.metric);
            if let Some(failed) = requests.failed(fill, &found.entry.codes) {
                add(Part::Failed(e, l), failed, "error ratio", &requests.metric);
            }
        }
    }
    for (e, found) in survey.histograms.iter().enumerate() {
        for (l, lane) in found.lanes.iter().enumerate() {
            let (latency, fill) = (&found.entry.latency, lane.fill(lookback));
            for quantile in [0.5, 0.95, 0.99] {
                let part = Part::Quantile(e, l, quantile);
                add(part, latency.quantile(fill, quantile), "latency", &latency.histogram);
            }
            if let Some(bounds) = &found.entry.apdex {
                let by = format!("le, {}", fill.by);
                let query = latency.buckets(crate::backend::packs::Fill { by: &by, ..fill }, &bounds.pattern);
                add(Part::Apdex(e, l), query, "Apdex", &latency.histogram);
            }
        }
    }
    for (e, found) in survey.saturations.iter().enumerate() {
        for (l, lane) in found.lanes.iter().enumerate() {
            let query = found.entry.expr(lane.fill(lookback));
            add(Part::Full(e, l), query, "saturation", &found.entry.resource);
        }
    }
    for (e, found) in survey.ups.iter().enumerate() {
        for (l, lane) in found.lanes.iter().enumerate() {
            add(Part::Up(e, l), found.entry.expr(lane.fill(lookback)), "servers", &found.entry.metric);
        }
    }
    for (e, found) in survey.named.iter().enumerate() {
        for (l, lane) in found.lanes.iter().enumerate() {
            let metric = found.entry.metrics.first().map_or("", |metric| metric);
            add(Part::Named(e, l), found.entry.expr(lane.fill(lookback)), &found.entry.name, metric);
        }
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

fn requests(survey: &Survey, answers: &Answers, readings: &mut Readings) {
    for (job, result) in answers {
        let (Part::All(e, l), Ok(Told { samples, .. })) = (job.part, result) else { continue };
        let Some(found) = survey.counters.get(e) else { continue };
        let Some(lane) = found.lanes.get(l) else { continue };
        let failed = answers.iter().find_map(|(job, result)| {
            matches!(job.part, Part::Failed(fe, fl) if (fe, fl) == (e, l))
                .then_some(&result.as_ref().ok()?.samples)
        });
        let failed: Option<BTreeMap<&Text, f64>> = failed
            .map(|all| all.iter().filter_map(|s| Some((s.labels.get(&lane.label)?, s.value))).collect());
        for sample in samples {
            let Some(service) = sample.labels.get(&lane.label) else { continue };
            let signals = &mut reading(readings, service).signals;
            // an earlier entry speaks for this service
            if signals.request_rate.is_some() {
                continue;
            }
            signals.request_rate = Some(sample.value.max(0.0));
            if let Some(failed) = failed.as_ref().filter(|_| !found.entry.blind.contains(service)) {
                signals.error_ratio = ratio(failed.get(service).copied(), sample.value);
            }
        }
    }
}

fn latencies(survey: &Survey, answers: &Answers, readings: &mut Readings) {
    let mut speakers: BTreeMap<Text, (usize, usize)> = BTreeMap::new();
    for (job, result) in answers {
        let (Part::Quantile(e, l, _) | Part::Apdex(e, l), Ok(Told { samples, .. })) = (job.part, result)
        else {
            continue;
        };
        let Some(found) = survey.histograms.get(e) else { continue };
        let Some(lane) = found.lanes.get(l) else { continue };
        let mut counts: BTreeMap<&Text, Vec<(f64, f64)>> = BTreeMap::new();
        for sample in samples {
            let Some(service) = sample.labels.get(&lane.label) else { continue };
            if *speakers.entry(Text::clone(service)).or_insert((e, l)) != (e, l) {
                continue;
            }
            let seconds = (sample.value * found.entry.latency.unit.seconds()).max(0.0);
            let signals = &mut reading(readings, service).signals;
            match job.part {
                Part::Quantile(_, _, quantile) => *quantile_of(signals, quantile) = Some(seconds),
                _ => counts
                    .entry(service)
                    .or_default()
                    .extend(sample.labels.value("le").parse().ok().map(|le: f64| (le, sample.value))),
            }
        }
        if let Some(bounds) = &found.entry.apdex {
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

fn targets(plan: &Plan, survey: &Survey, answers: &Answers, readings: &mut Readings) {
    let mut described: BTreeMap<&Text, BTreeMap<&Text, Option<&Text>>> = BTreeMap::new();
    for (job, result) in answers {
        let Ok(Told { samples, .. }) = result else { continue };
        for sample in samples {
            let Some((_, service)) = first_label(&sample.labels, &survey.up_labels) else { continue };
            match job.part {
                Part::Targets => {
                    let targets = &mut reading(readings, service).targets;
                    targets.total = targets.total.saturating_add(count(sample.value));
                    targets.up = targets.total;
                    describe(plan, &sample.labels, described.entry(service).or_default());
                }
                Part::Down => note_down(&mut reading(readings, service).targets, sample),
                _ => {}
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
