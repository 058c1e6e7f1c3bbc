//! The golden signals and scrape targets of all services: one grouped query for each signal of each pack entry.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;

use super::ages::Ages;
use super::call::{InstantAnswer, QuestionRequests};
use super::metric_discovery::{
    AgreedLabels, ApdexBounds, DiscoveredEntry, MetricDiscovery, SelectorGroup, first_label,
};
use super::wire::Sample;
use crate::backend::packs::{PackEntry, QueryFill};
use crate::model::labels::Text;
use crate::model::promql;
use crate::model::service::{DownTarget, ScrapeTargets, ServiceReading, ServiceSnapshot, Signals};
use crate::model::source::SourceError;
use crate::model::warning::Warning;
use gaps::AskedQuery;

mod gaps;
pub(super) mod hosts;

/// The maximum number of down targets that are listed for one service, and of down servers of one kind; all of them are counted.
const DOWN_NAMED: usize = 50;

/// What a query returns.
#[derive(Clone, Copy)]
enum QueryPart {
    /// All requests of an entry.
    All,
    Failed,
    Quantile(f64),
    Apdex,
    /// The values of an entry with several parts for each service: see [`PackEntry::labels`].
    Parts,
    Targets,
    Down,
}

/// A query, and its name for error messages.
struct ServiceQuery<'s> {
    /// `None` for targets.
    entry: Option<(&'s DiscoveredEntry, &'s SelectorGroup)>,
    part: QueryPart,
    query: String,
    what: String,
}

type ServiceAnswers<'s> = Vec<(ServiceQuery<'s>, Result<InstantAnswer, SourceError>)>;

/// Reads all signals that metric discovery found, at a past time or now.
///
/// # Errors
/// The first error, if every query fails. If some fail, the answer has warnings.
pub(super) async fn snapshot(
    call: &QuestionRequests<'_>,
    discovery: &MetricDiscovery,
    ages: &mut Ages,
    at: Option<Timestamp>,
) -> Result<ServiceSnapshot, SourceError> {
    let now = at.unwrap_or_else(|| call.server.now());
    let were_known = ages.are_known(discovery);
    if !were_known {
        ages.find(call, discovery, now).await;
    }
    let window = ages.lookback(discovery, now);
    let lookback = window.unwrap_or(discovery.lookback);
    let service_queries = service_queries(discovery, lookback);
    let results = join_all(service_queries.iter().map(|job| call.instant_with_warnings(&job.query, at)));
    let (results, ()) = tokio::join!(results, ages.follow(call, discovery, at));
    if results.iter().all(Result::is_err)
        && let Some(Err(error)) = results.iter().find(|result| result.is_err())
    {
        return Err(error.clone());
    }
    let answers: ServiceAnswers<'_> = service_queries.into_iter().zip(results).collect();
    for (job, result) in &answers {
        if let Err(error) = result {
            call.warn(Warning::part(format!("{}: {}", job.what, error.kind)));
        }
    }
    if answers.is_empty() {
        call.warn(Warning::notice(
            "no service found: the server has no known metric, and no target with one of services.labels",
        ));
    }
    let mut readings = BTreeMap::new();
    requests(&answers, &mut readings);
    latencies(&answers, &mut readings);
    targets(discovery, &answers, &mut readings);
    // last, because some entries only add to services that are known by now
    hosts::fill(&answers, &mut readings);
    hosts::proxied(discovery, &answers, &mut readings);
    let rated = readings.iter().filter(|(_, reading)| reading.signals.request_rate.is_some());
    let rated: HashSet<Text> = rated.map(|(service, _)| service.clone()).collect();
    if were_known && ages.has_unknown(&rated) {
        ages.find(call, discovery, now).await;
    }
    ages.update_rated(rated, now);
    gaps::note(call, &AskedQuery { discovery, answers: &answers, ages, window, now }, &mut readings);
    for (service, reading) in &mut readings {
        reading.scraped = discovery.scraped.behind(service);
    }
    Ok(ServiceSnapshot { readings: readings.into_values().collect(), lookback })
}

fn service_queries(discovery: &MetricDiscovery, lookback: Duration) -> Vec<ServiceQuery<'_>> {
    let mut service_queries = Vec::new();
    let mut add = |entry, part, query: String, signal: &str, metric: &str| {
        service_queries.push(ServiceQuery { entry, part, query, what: format!("{signal} ({metric})") });
    };
    for (found, group) in discovery.groups() {
        let fill = group.fill(lookback);
        let mut add =
            |part, query, signal: &str| add(Some((found, group)), part, query, signal, found.entry.name());
        match &found.entry {
            PackEntry::Requests(requests) => {
                add(QueryPart::All, requests.all(fill), "request rate");
                if let Some(failed) = requests.failed(fill, &found.details.codes) {
                    add(QueryPart::Failed, failed, "error ratio");
                }
            }
            PackEntry::Latency(latency) => {
                for quantile in [0.5, 0.95, 0.99] {
                    add(QueryPart::Quantile(quantile), latency.quantile(fill, quantile), "latency");
                }
                if let Some(bounds) = &found.details.apdex {
                    let by = format!("le, {}", fill.by);
                    let query = latency.buckets(QueryFill { by: &by, ..fill }, &bounds.pattern);
                    add(QueryPart::Apdex, query, "Apdex");
                }
            }
            PackEntry::Saturation(entry) => add(QueryPart::Parts, entry.expr(fill), "saturation"),
            PackEntry::Up(entry) => add(QueryPart::Parts, entry.expr(fill), "servers"),
            PackEntry::Named(entry) => add(QueryPart::Parts, entry.expr(fill), entry.first()),
        }
    }
    if !discovery.up_labels.is_empty() {
        let by = promql::labels(&discovery.up_labels);
        let described = discovery.describe_by.iter().filter(|label| !discovery.up_labels.contains(label));
        let describe = described.fold(String::new(), |all, label| all + "," + &promql::label(label));
        add(None, QueryPart::Targets, format!("count by ({by}{describe}) (up)"), "targets", "up");
        let and_job = if discovery.up_labels.iter().any(|label| label == "job") { "" } else { ",job" };
        let down = format!("count by ({by},instance{and_job}) (up == 0)");
        add(None, QueryPart::Down, down, "targets that are down", "up");
    }
    service_queries
}

type ReadingSet = BTreeMap<Text, ServiceReading>;

/// The reading of a service; added if missing.
fn reading<'a>(readings: &'a mut ReadingSet, service: &Text) -> &'a mut ServiceReading {
    readings
        .entry(Text::clone(service))
        .or_insert_with(|| ServiceReading { name: Text::clone(service), ..ServiceReading::default() })
}

/// failed / all, from 0 to 1; zero if `failed` is `None`, `None` if `all` is not positive.
pub(super) fn ratio(failed: Option<f64>, all: f64) -> Option<f64> {
    (all > 0.0).then(|| (failed.unwrap_or(0.0) / all).clamp(0.0, 1.0)).filter(|ratio| !ratio.is_nan())
}

fn requests(answers: &ServiceAnswers<'_>, readings: &mut ReadingSet) {
    for (job, result) in answers {
        let (QueryPart::All, Some((found, group)), Ok(reported)) = (job.part, job.entry, result) else {
            continue;
        };
        let is_failed = |job: &ServiceQuery<'_>| {
            matches!(job.part, QueryPart::Failed)
                && job.entry.is_some_and(|(_, other)| std::ptr::eq(other, group))
        };
        let failed = answers.iter().find(|(job, _)| is_failed(job));
        let failed: Option<BTreeMap<&Text, f64>> = failed.and_then(|(_, result)| {
            let samples = group.samples_by_service(&result.as_ref().ok()?.samples);
            Some(samples.map(|(service, sample)| (service, sample.value)).collect())
        });
        let without_outcome_label = &found.details.without_outcome_label;
        for (service, sample) in group.samples_by_service(&reported.samples) {
            let signals = &mut reading(readings, service).signals;
            // an earlier entry already provides the rates of this service
            if signals.request_rate.is_some() {
                continue;
            }
            signals.request_rate = Some(sample.value.max(0.0));
            if let Some(failed) = failed.as_ref().filter(|_| !without_outcome_label.contains(service)) {
                signals.error_ratio = ratio(failed.get(service).copied(), sample.value);
            }
        }
    }
}

fn latencies(answers: &ServiceAnswers<'_>, readings: &mut ReadingSet) {
    let mut speakers: BTreeMap<&Text, &SelectorGroup> = BTreeMap::new();
    for (job, result) in answers {
        let (Some((found, group)), Ok(reported)) = (job.entry, result) else { continue };
        let PackEntry::Latency(latency) = &found.entry else { continue };
        let mut counts: BTreeMap<&Text, Vec<(f64, f64)>> = BTreeMap::new();
        for (service, sample) in group.samples_by_service(&reported.samples) {
            if !std::ptr::eq(*speakers.entry(service).or_insert(group), group) {
                continue;
            }
            if let QueryPart::Quantile(quantile) = job.part {
                let seconds = (sample.value * latency.unit.seconds()).max(0.0);
                *quantile_of(&mut reading(readings, service).signals, quantile) = Some(seconds);
            } else {
                let bound = sample.labels.value("le").parse().ok();
                counts.entry(service).or_default().extend(bound.map(|le: f64| (le, sample.value)));
            }
        }
        if let Some(bounds) = &found.details.apdex {
            for (service, counts) in counts {
                reading(readings, service).signals.apdex = apdex(&counts, bounds);
            }
        }
    }
}

/// The field of a quantile.
fn quantile_of(signals: &mut Signals, quantile: f64) -> &mut Option<f64> {
    if quantile < 0.9 {
        &mut signals.p50
    } else if quantile < 0.98 {
        &mut signals.p95
    } else {
        &mut signals.p99
    }
}

/// Apdex from cumulative bucket counts: (satisfied + tolerating / 2) / all; `None` without traffic or without both bounds.
fn apdex(counts: &[(f64, f64)], bounds: &ApdexBounds) -> Option<f64> {
    // the same bound may occur in two spellings, from two kinds of instances
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

/// Fills in scrape targets and descriptive labels.
fn targets(discovery: &MetricDiscovery, answers: &ServiceAnswers<'_>, readings: &mut ReadingSet) {
    let mut described: BTreeMap<&Text, AgreedLabels> = BTreeMap::new();
    let describes = |name: &Text| discovery.describe_by.iter().any(|by| **by == **name);
    for (job, result) in answers {
        let (QueryPart::Targets | QueryPart::Down, Ok(reported)) = (job.part, result) else { continue };
        for sample in &reported.samples {
            let Some((_, service)) = first_label(&sample.labels, &discovery.up_labels) else { continue };
            let targets = &mut reading(readings, service).targets;
            if matches!(job.part, QueryPart::Down) {
                add_down_target(targets, sample);
            } else {
                targets.total = targets.total.saturating_add(count(sample.value));
                targets.up = targets.total;
                let described = described.entry(service).or_default();
                let labels = sample.labels.iter().filter(|(name, _)| describes(name));
                labels.for_each(|(name, value)| described.add(name, value));
            }
        }
    }
    for (service, labels) in described {
        reading(readings, service).labels = labels.labels();
    }
}

fn add_down_target(targets: &mut ScrapeTargets, sample: &Sample) {
    // the queries for all targets and for down targets may be evaluated at different times
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
