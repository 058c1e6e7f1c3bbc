//! What changed, as the metrics of the packs show it: new label values, other gauge values, times and counters that moved, and
//! `ReplicaSets`.
//!
//! For each entry of the packs, one cheap query finds the services for which something changed in the time range; only of these
//! the values over time are read. The facts of all entries are then joined: a rollout is seen as a new `ReplicaSet`, a new image
//! and a new version, and is one change.

mod facts;
mod grouping;
mod of_service;
mod replica_sets;
mod service_names;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::call::QuestionRequests;
use super::metric_discovery::{DiscoveredChange, MetricDiscovery};
use crate::backend::packs::ChangeSign;
use crate::model::change::ChangeSnapshot;
use crate::model::labels::Text;
use crate::model::promql::{self, quoted};
use crate::model::series::{Matrix, TimeGrid};
use crate::model::source::SourceError;
use crate::model::warning::Warning;
use facts::{ChangeFact, EntryTimeline};
pub(super) use of_service::ServiceChanges;
use service_names::{POD, ServiceNames, WORKLOAD};

/// The longest time range of one answer.
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// This much of the end of the time range is read at the scrape interval, the rest more coarsely.
const RECENT: SignedDuration = SignedDuration::from_hours(1);
/// Values before the time range, to know what was there before, and whether restarts belong together.
const CONTEXT: SignedDuration = SignedDuration::from_mins(10);
/// The number of points of one query; Prometheus allows 11,000.
const POINTS: u16 = 2_200;
/// With more services than this that changed, all are read.
const MAX_NAMED: usize = 100;
/// The number of metrics of a pattern that are read one by one.
const MAX_NAMES: usize = 12;
/// The shortest step of the rest of the time range.
const COARSE_STEP: Duration = Duration::from_secs(30);
/// The step if the scrape interval is not known.
const USUAL_STEP: Duration = Duration::from_secs(15);

/// Labels that say where a service runs: a change in one region is not one in another.
const PLACES: [&str; 2] = ["cluster", "region"];

/// The part of the time range that is read with one step.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// The start, without context.
    since: Timestamp,
    grid: TimeGrid,
}

impl Part {
    fn of(since: Timestamp, until: Timestamp, least: Duration) -> Self {
        let from = since.checked_sub(CONTEXT).unwrap_or(since);
        let length = Duration::try_from(until.duration_since(from)).unwrap_or_default();
        Self { since, grid: TimeGrid::ending(until, length, POINTS, least) }
    }

    /// The length with context, for a range selector.
    fn selector_range(self) -> String {
        let length = self.grid.end().duration_since(self.grid.start()).as_secs().max(60);
        format!("[{length}s]")
    }
}

/// What can be seen on this server, each once.
pub(super) fn covers(discovery: &MetricDiscovery) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for found in &discovery.changes {
        if !all.contains(&found.entry.sees) {
            all.push(found.entry.sees.clone());
        }
    }
    all
}

/// Reads what changed since then.
///
/// # Errors
/// The first error, if every query fails. If some fail, the answer has warnings.
pub(super) async fn snapshot(
    call: &QuestionRequests<'_>,
    discovery: &MetricDiscovery,
    labels: &[String],
    since: Timestamp,
) -> Result<ChangeSnapshot, SourceError> {
    let now = call.server.now();
    let since = since.max(now.checked_sub(LONGEST).unwrap_or(since)).min(now);
    let least = discovery.scrape_interval().unwrap_or(USUAL_STEP);
    let border = now.checked_sub(RECENT).unwrap_or(since).max(since);
    let mut parts = vec![Part::of(border, now, least)];
    if border > since {
        parts.push(Part::of(since, border, least.max(COARSE_STEP)));
    }
    let names = ServiceNames { known: &discovery.services, usual: labels };
    let jobs = discovery.changes.iter().flat_map(|found| parts.iter().map(move |part| (found, *part)));
    let jobs: Vec<_> = jobs.collect();
    let results = join_all(jobs.iter().map(|(found, part)| of_entry(call, found, names, *part))).await;
    if !results.is_empty()
        && results.iter().all(Result::is_err)
        && let Some(Err(error)) = results.iter().find(|result| result.is_err())
    {
        return Err(error.clone());
    }
    let mut facts = Vec::new();
    for ((found, part), result) in jobs.iter().zip(results) {
        match result {
            Ok(its) => facts.extend(its.into_iter().filter(|fact| fact.at >= part.since || fact.is_context)),
            Err(error) => call.warn(Warning::part(format!("{}: {}", found.entry.sees, error.kind))),
        }
    }
    let covers: Vec<Text> = covers(discovery).into_iter().map(Text::from).collect();
    let mut changes = grouping::changes(facts, &call.server.id);
    changes.retain(|change| change.at >= since);
    Ok(ChangeSnapshot::new(changes, since, now, covers))
}

/// What one entry shows in one part of the time range.
async fn of_entry(
    call: &QuestionRequests<'_>,
    found: &DiscoveredChange,
    names: ServiceNames<'_>,
    part: Part,
) -> Result<Vec<ChangeFact>, SourceError> {
    let entry = &found.entry;
    match entry.how {
        ChangeSign::ReplicaSet => replica_sets::facts(call, found, names, part).await,
        ChangeSign::Label => {
            let metric = if found.names.len() == 1 {
                found.names.first().map_or("", |name| name)
            } else {
                entry.first()
            };
            of_metric(call, found, metric, names, part).await
        }
        // functions over several metrics would drop their names
        ChangeSign::Value | ChangeSign::Time | ChangeSign::Count => {
            let metrics = found.names.iter().take(MAX_NAMES);
            let all = join_all(metrics.map(|metric| of_metric(call, found, metric, names, part))).await;
            Ok(all.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
    }
}

/// What one metric, or all metrics of a pattern, show.
async fn of_metric(
    call: &QuestionRequests<'_>,
    found: &DiscoveredChange,
    metric: &str,
    names: ServiceNames<'_>,
    part: Part,
) -> Result<Vec<ChangeFact>, SourceError> {
    let entry = &found.entry;
    let service_labels = names.labels(entry);
    // pods come and go: only the services that changed are asked for their pods
    let fixed: Vec<&str> =
        service_labels.iter().map(String::as_str).filter(|label| *label != "pod").collect();
    let own = entry.labels.iter().chain(&entry.subject).map(String::as_str);
    let mut key: Vec<&str> = fixed.iter().copied().chain(own).chain(PLACES).collect();
    if entry.is_pattern() {
        key.push("__name__");
    }
    let by = joined(&key);
    let range = part.selector_range();
    let selector = entry.selector(metric, "");
    let first = match entry.how {
        ChangeSign::Label => {
            let values = joined(&entry.value.iter().map(String::as_str).collect::<Vec<_>>());
            format!("count by ({by}) (count by ({by},{values}) (last_over_time({selector}{range}))) > 1")
        }
        // a new series is a new instance, not one that changed
        ChangeSign::Value | ChangeSign::Time => format!("max by ({by}) (changes({selector}{range})) > 0"),
        ChangeSign::Count | ChangeSign::ReplicaSet => {
            let ago = range.trim_start_matches('[').trim_end_matches(']');
            let new = format!("({selector} unless {selector} offset {ago})");
            format!("max by ({by}) (changes({selector}{range})) > 0 or max by ({by}) {new} > 0")
        }
    };
    let changed = call.instant(&first, Some(part.grid.end())).await?;
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for sample in &changed {
        let first = fixed.iter().find_map(|label| Some((*label, &**sample.labels.get(label)?)));
        if let Some((label, value)) = first {
            let values = wanted.entry(label).or_default();
            if !values.contains(&value) {
                values.push(value);
            }
        }
    }
    let selectors: Vec<String> = if wanted.values().map(Vec::len).sum::<usize>() > MAX_NAMED {
        vec![selector]
    } else {
        let only = |(label, values): (&&str, &Vec<&str>)| {
            let values: Vec<String> = values.iter().map(|value| regex::escape(value)).collect();
            entry.selector(metric, &format!("{}=~{}", promql::label(label), quoted(&values.join("|"))))
        };
        wanted.iter().map(only).collect()
    };
    // images are of workloads, whose pods come and go; restarts are counted by pod
    let has_workload = entry.how == ChangeSign::Label && service_labels.iter().any(|label| label == "pod");
    let mut kept = key;
    kept.extend(entry.instance.iter().map(String::as_str));
    kept.extend(has_workload.then_some(WORKLOAD));
    if entry.how == ChangeSign::Label {
        kept.extend(entry.value.iter().map(String::as_str));
    }
    let (aggregate, kept) = (if entry.how == ChangeSign::Label { "count" } else { "max" }, joined(&kept));
    let query = |selector: &String| {
        let series = if has_workload {
            format!("label_replace({selector}, \"{WORKLOAD}\", \"$1\", \"pod\", \"{POD}\")")
        } else {
            selector.clone()
        };
        format!("{aggregate} by ({kept}) ({series})")
    };
    let query = selectors.iter().map(query).collect::<Vec<_>>().join(" or ");
    let matrix = call.range(&query, part.grid).await?;
    let reasons = match &entry.reason {
        Some(reason) if found.has_reason => reasons(call, reason, &matrix, part).await?,
        Some(_) | None => Matrix::empty(part.grid),
    };
    Ok(EntryTimeline { entry, names, matrix: &matrix, reasons: &reasons }.facts())
}

/// The reasons of the instances in the matrix, over the same time.
async fn reasons(
    call: &QuestionRequests<'_>,
    metric: &str,
    matrix: &Matrix,
    part: Part,
) -> Result<Matrix, SourceError> {
    let mut pods: Vec<String> =
        matrix.lines.iter().filter_map(|line| line.labels.get("pod")).map(|pod| regex::escape(pod)).collect();
    pods.sort_unstable();
    pods.dedup();
    let only = if pods.len() > MAX_NAMED { ".+".to_owned() } else { pods.join("|") };
    let query = format!("max by (namespace,pod,reason) ({metric}{{pod=~{}}}) > 0", quoted(&only));
    call.range(&query, part.grid).await
}

/// Label names in PromQL notation, each once.
fn joined(labels: &[&str]) -> String {
    let mut all: Vec<String> = Vec::new();
    for label in labels {
        let label = promql::label(label).into_owned();
        if !all.contains(&label) {
            all.push(label);
        }
    }
    all.join(",")
}
