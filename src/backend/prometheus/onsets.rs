//! When services became bad before incidents: their requests and latencies in the hours before each, incidents that are near each
//! other in one query, at most [`MOST_QUERIES`] queries in all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::call::QuestionRequests;
use super::metric_discovery::{MetricDiscovery, SelectorGroup};
use super::why::{PART, part};
use crate::backend::packs::QueryFill;
use crate::model::detection::{Onset, OnsetQuery, OnsetSnapshot, SliSeries, onset};
use crate::model::labels::Text;
use crate::model::promql::{literal, quoted};
use crate::model::series::{Matrix, TimeGrid};
use crate::model::warning::Warning;

/// The most queries for one answer; the latest incidents come first.
const MOST_QUERIES: usize = 12;
/// The longest time of one query.
const LONGEST: SignedDuration = SignedDuration::from_hours(9);
/// The time between two points: the first bad minute is found.
const STEP: Duration = Duration::from_secs(60);

/// Incidents that one query is about.
#[derive(Debug, PartialEq)]
struct Batch<'a> {
    since: Timestamp,
    until: Timestamp,
    wanted: Vec<&'a OnsetQuery>,
}

/// Divides the questions into batches by time, the latest first.
fn batches(wanted: &[OnsetQuery]) -> Vec<Batch<'_>> {
    let mut latest: Vec<&OnsetQuery> = wanted.iter().collect();
    latest.sort_by(|a, b| (b.triggered, a).cmp(&(a.triggered, b)));
    let mut batches: Vec<Batch<'_>> = Vec::new();
    for one in latest {
        match batches
            .last_mut()
            .filter(|batch| batch.until.max(one.until).duration_since(one.since()) <= LONGEST)
        {
            Some(batch) => {
                batch.since = batch.since.min(one.since());
                batch.until = batch.until.max(one.until);
                batch.wanted.push(one);
            }
            None => batches.push(Batch { since: one.since(), until: one.until, wanted: vec![one] }),
        }
    }
    batches
}

/// What a line of the answer is.
#[derive(Clone, Copy)]
enum LineKind {
    AllRequests,
    FailedRequests,
    P95,
}

/// A part of the query: its lines have the word as the value of [`PART`].
struct LinePart<'a> {
    word: String,
    kind: LineKind,
    group: &'a SelectorGroup,
    query: String,
}

/// The parts of a query about these services.
fn line_parts<'a>(
    discovery: &'a MetricDiscovery,
    services: &BTreeSet<&Text>,
    lookback: Duration,
) -> Vec<LinePart<'a>> {
    let mut parts: Vec<LinePart<'a>> = Vec::new();
    let selector = |group: &SelectorGroup, is_meant: &dyn Fn(&Text) -> bool| {
        let known = services.iter().filter(|service| group.services.contains(**service) && is_meant(service));
        let names: Vec<String> = known.map(|service| literal(service)).collect();
        (!names.is_empty()).then(|| format!("{},{}=~{}", group.selector, group.by, quoted(&names.join("|"))))
    };
    let mut add = |kind, group, query: String| {
        let word = parts.len().to_string();
        let query = part(&query, &word);
        parts.push(LinePart { word, kind, group, query });
    };
    for ((requests, details), group) in discovery.counters() {
        // requests whose failures are not known tell nothing
        let has_outcome = |service: &Text| !details.without_outcome_label.contains(service);
        let Some(selector) = selector(group, &has_outcome) else { continue };
        let fill = QueryFill { by: &group.by, selector: &selector, lookback };
        if let Some(failed) = requests.failed(fill, &details.codes) {
            add(LineKind::AllRequests, group, requests.all(fill));
            add(LineKind::FailedRequests, group, failed);
        }
    }
    for (latency, group) in discovery.histograms() {
        let Some(selector) = selector(group, &|_| true) else { continue };
        let fill = QueryFill { by: &group.by, selector: &selector, lookback };
        add(LineKind::P95, group, latency.quantile(fill, 0.95));
    }
    parts
}

/// The series of each service; of several metrics of a service the first one counts.
fn by_service(matrix: Matrix, parts: &[LinePart<'_>]) -> BTreeMap<Text, SliSeries> {
    let mut by_service: BTreeMap<Text, SliSeries> = BTreeMap::new();
    let mut lines: Vec<(usize, Text, Vec<f64>)> = Vec::new();
    for line in matrix.lines {
        let at = parts.iter().position(|part| *part.word == *line.labels.value(PART));
        let Some((at, part)) = at.and_then(|at| Some((at, parts.get(at)?))) else { continue };
        if let Some(service) = line.labels.get(&part.group.label) {
            lines.push((at, service.clone(), line.values));
        }
    }
    lines.sort_by_key(|(at, ..)| *at);
    for (at, service, values) in lines {
        let Some(part) = parts.get(at) else { continue };
        let series = by_service.entry(service).or_default();
        let place = match part.kind {
            LineKind::AllRequests => &mut series.requests.all,
            LineKind::FailedRequests => &mut series.requests.failed,
            LineKind::P95 => &mut series.p95,
        };
        if place.is_empty() {
            *place = values;
        }
    }
    by_service
}

/// The answer to each question.
pub(super) async fn snapshot(
    call: &QuestionRequests<'_>,
    discovery: &MetricDiscovery,
    wanted: &[OnsetQuery],
) -> OnsetSnapshot {
    let batches = batches(wanted);
    let (read, left) = batches.split_at(batches.len().min(MOST_QUERIES));
    let mut onsets: BTreeMap<OnsetQuery, Onset> =
        left.iter().flat_map(|batch| &batch.wanted).map(|one| ((*one).clone(), Onset::NotRead)).collect();
    let answers = join_all(read.iter().map(|batch| answers(call, discovery, batch))).await;
    onsets.extend(answers.into_iter().flatten());
    OnsetSnapshot { onsets }
}

async fn answers(
    call: &QuestionRequests<'_>,
    discovery: &MetricDiscovery,
    batch: &Batch<'_>,
) -> Vec<(OnsetQuery, Onset)> {
    let services: BTreeSet<&Text> = batch.wanted.iter().map(|one| &one.service).collect();
    let lookback = discovery.lookback.max(STEP);
    let parts = line_parts(discovery, &services, lookback);
    let all = |onset: Onset| batch.wanted.iter().map(|one| ((*one).clone(), onset)).collect();
    if parts.is_empty() {
        return all(Onset::NoData);
    }
    let step = STEP.max(discovery.scrape_interval().unwrap_or(STEP));
    let until = batch.until.min(call.server.now());
    let length = Duration::try_from(until.duration_since(batch.since)).unwrap_or_default();
    let grid = TimeGrid::stepped(until, length, step);
    let query = parts.iter().map(|part| part.query.as_str()).collect::<Vec<_>>().join(" or ");
    let matrix = match call.range(&query, grid).await {
        Ok(matrix) => matrix,
        Err(error) => {
            call.warn(Warning::part(format!("signals before incidents could not be read: {}", error.kind)));
            return all(Onset::Failed);
        }
    };
    let grid = matrix.span;
    let series = by_service(matrix, &parts);
    let found = |one: &OnsetQuery| match series.get(&one.service) {
        Some(series) => onset(&since(series, grid, one.since()), grid, lookback, one),
        None => Onset::NoData,
    };
    batch.wanted.iter().map(|one| ((*one).clone(), found(one))).collect()
}

/// The series without the values before this time: an earlier incident is another one.
fn since(series: &SliSeries, grid: TimeGrid, from: Timestamp) -> SliSeries {
    let before = (0..grid.count()).take_while(|at| grid.at(*at) < from).count();
    let mut cut = series.clone();
    for values in [&mut cut.requests.all, &mut cut.requests.failed, &mut cut.p95] {
        values.iter_mut().take(before).for_each(|value| *value = f64::NAN);
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(service: &str, minute: i64) -> OnsetQuery {
        let triggered = Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap();
        OnsetQuery { service: service.into(), triggered, until: triggered + SignedDuration::from_mins(5) }
    }

    #[test]
    fn incidents_near_each_other_are_one_query_the_latest_first() {
        let wanted = [one("a", 0), one("b", 300), one("a", 340), one("c", 5000)];
        let batches = batches(&wanted);
        let names: Vec<Vec<(&str, i64)>> = batches
            .iter()
            .map(|batch| {
                let minute = |one: &OnsetQuery| (one.triggered.as_second() - 1_800_000_000) / 60;
                batch.wanted.iter().map(|one| (&*one.service, minute(one))).collect()
            })
            .collect();
        // three hours before the first to five minutes after the last are nine hours at most
        assert_eq!(names, [vec![("c", 5000)], vec![("a", 340), ("b", 300), ("a", 0)]]);
        let longest = batches.iter().map(|batch| batch.until.duration_since(batch.since)).max().unwrap();
        assert!(longest <= LONGEST);
        assert_eq!(super::batches(&[one("a", 0), one("a", 400)]).len(), 2);
        assert_eq!(super::batches(&[]), []);
    }
}
