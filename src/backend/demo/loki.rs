//! The simulated Loki: the log lines of both regions.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Request;
use serde_json::{Map, Value, json};

use super::exchange::{self, ParsedRequest, RefusedRequest, VERSION};
use super::log_lines::LogHead;
use super::logql::{LogCounts, LogExpr, LogSelection};
use super::prometheus::pairs;
use super::requests::nanos;
use super::world::{DemoWorld, ServiceInRegion};
use crate::backend::{Clock, LocalServer, Receiving};
use crate::model::duration;
use crate::model::labels::Labels;

/// The most lines in one answer (`max_entries_limit_per_query`), and the default.
const LINES: (usize, usize) = (5_000, 100);
/// The most points of one series.
const POINTS: f64 = 11_000.0;
/// A query that looks at more lines is refused (`max_query_bytes_read`); lines whose texts are read count more.
const READ: u64 = 6_000_000;
const TEXT_COST: u64 = 12;
/// The mean length of a line in bytes.
const LINE_BYTES: f64 = 170.0;
/// How much of a time range is looked at first, in seconds, if only its newest or oldest lines are wanted.
const FIRST_PART: f64 = 64.0;
/// The range of a request that names none, in seconds.
const USUAL_RANGE: f64 = 3600.0;
/// The label with the severity that Loki detects.
const LEVEL: &str = "detected_level";

pub(super) struct LokiServer {
    world: Arc<DemoWorld>,
    clock: Clock,
}

/// The points at which lines are counted, in Unix seconds.
struct CountGrid {
    start: f64,
    step: f64,
    points: usize,
}

/// The pods of a service whose streams are selected.
struct SelectedPods<'a> {
    place: &'a ServiceInRegion,
    /// The labels of the stream of each pod; `None` if it is not selected.
    streams: Vec<Option<Labels>>,
}

impl LocalServer for LokiServer {
    fn answer(&self, request: Request) -> Receiving<'_> {
        let now = self.clock.now();
        let (status, body) = match self.respond(&ParsedRequest::of(&request), now) {
            Ok(body) => (200, body),
            Err((status, error)) => (status, json!({ "status": "error", "error": error })),
        };
        Box::pin(ready(Ok(exchange::answer(status, &body, now))))
    }
}

impl LokiServer {
    pub(super) fn new(world: Arc<DemoWorld>, clock: Clock) -> Self {
        Self { world, clock }
    }

    fn respond(&self, asked: &ParsedRequest, now: Timestamp) -> Result<Value, RefusedRequest> {
        let success = |data: Value| json!({ "status": "success", "data": data });
        match asked.path().as_slice() {
            ["loki", "api", "v1", "status", "buildinfo"] => {
                Ok(json!({ "version": VERSION, "revision": "demo", "branch": "demo", "goVersion": "none" }))
            }
            ["loki", "api", "v1", "labels"] => {
                let all = self.streams_of(asked)?.into_iter();
                let names: BTreeSet<String> = all
                    .flat_map(|labels| labels.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>())
                    .collect();
                Ok(success(names.into_iter().collect()))
            }
            ["loki", "api", "v1", "label", name, "values"] => {
                let all = self.streams_of(asked)?.into_iter();
                let values: BTreeSet<String> = all.map(|labels| labels.value(name).to_owned()).collect();
                Ok(success(values.into_iter().filter(|value| !value.is_empty()).collect()))
            }
            ["loki", "api", "v1", "series"] => {
                let selections = asked.all("match[]").map(selection).collect::<Result<Vec<_>, _>>()?;
                let is_wanted = |labels: &Labels| selections.iter().any(|one| one.has_stream(labels));
                Ok(success(
                    self.streams().filter(is_wanted).map(|labels| Value::Object(pairs(&labels))).collect(),
                ))
            }
            ["loki", "api", "v1", "index", "stats"] => {
                let selection = selection(asked.parameter("query").unwrap_or_default())?;
                let range = range(asked, now)?;
                let pods = self.selected(&selection);
                let length = seconds(range.end) - seconds(range.start);
                let lines: f64 = pods.iter().map(|pods| pods.lines(&self.world, length)).sum();
                let streams =
                    pods.iter().flat_map(|pods| &pods.streams).filter(|stream| stream.is_some()).count();
                Ok(json!({
                    "streams": streams, "chunks": streams, "entries": lines.round(), "bytes": (lines * LINE_BYTES).round(),
                }))
            }
            ["loki", "api", "v1", "query_range"] => {
                let query = asked.parameter("query").unwrap_or_default();
                let range = range(asked, now)?;
                let (kind, result) = match LogExpr::parse(query).map_err(|error| (400, error))? {
                    LogExpr::Lines(selection) => ("streams", self.lines(&selection, asked, &range)?),
                    LogExpr::Counts(counts) => ("matrix", self.matrix(&counts, asked, &range)?),
                };
                let data = json!({ "resultType": kind, "encodingFlags": ["categorize-labels"], "result": result, "stats": {} });
                Ok(success(data))
            }
            ["loki", "api", "v1", "query"] => {
                let query = asked.parameter("query").unwrap_or_default();
                let LogExpr::Counts(counts) = LogExpr::parse(query).map_err(|error| (400, error))? else {
                    return Err((400, "log queries are not supported as an instant query type, please change your query to a range query type".to_owned()));
                };
                let time = moment(asked, "time", now_nanos(now))?;
                let grid = CountGrid { start: seconds(time), step: 1.0, points: 1 };
                let result = self.counts(&counts, &grid)?.into_iter().filter_map(|(labels, values)| {
                    let value = values.first().filter(|value| **value > 0.0)?;
                    Some(json!({ "metric": pairs(&labels), "value": [grid.start, value.to_string()] }))
                });
                Ok(success(
                    json!({ "resultType": "vector", "result": result.collect::<Vec<_>>(), "stats": {} }),
                ))
            }
            _ => Err((404, "404 page not found".to_owned())),
        }
    }

    /// The labels of the streams that the parameter `query` selects; of all without it.
    fn streams_of(&self, asked: &ParsedRequest) -> Result<Vec<Labels>, RefusedRequest> {
        let wanted = asked.parameter("query").map(selection).transpose()?;
        let is_wanted = |labels: &Labels| wanted.as_ref().is_none_or(|wanted| wanted.has_stream(labels));
        Ok(self.streams().filter(is_wanted).collect())
    }

    /// The Unix time: there are no lines of the future.
    fn now(&self) -> f64 {
        self.clock.now().as_microsecond() as f64 / 1e6
    }

    /// The labels of all streams.
    fn streams(&self) -> impl Iterator<Item = Labels> {
        let of_place = |place: &ServiceInRegion| {
            let pods = place.breakdown.pods.len();
            (0..pods).map(|pod| stream(place, pod)).collect::<Vec<_>>()
        };
        self.world.places.iter().flat_map(of_place)
    }

    fn selected(&self, selection: &LogSelection) -> Vec<SelectedPods<'_>> {
        let of_place = |place| SelectedPods::of(place, selection);
        self.world
            .places
            .iter()
            .map(of_place)
            .filter(|pods| pods.streams.iter().any(Option::is_some))
            .collect()
    }

    /// The newest or the oldest lines of a range, by stream.
    fn lines(
        &self,
        selection: &LogSelection,
        asked: &ParsedRequest,
        range: &Range<i64>,
    ) -> Result<Value, RefusedRequest> {
        let limit = asked.parameter("limit").map_or(Ok(LINES.1), str::parse::<usize>);
        let limit = limit.map_err(|error| (400, error.to_string()))?;
        if limit > LINES.0 {
            let error = format!(
                "max entries limit per query exceeded, limit > max_entries_limit ({limit} > {})",
                LINES.0
            );
            return Err((400, error));
        }
        let is_forward = asked.parameter("direction") == Some("forward");
        let pods = self.selected(selection);
        let mut budget = ReadBudget::new(selection.needs_text());
        let mut streams: BTreeMap<(usize, usize), Vec<Value>> = BTreeMap::new();
        let (mut found, mut width) = (0, FIRST_PART);
        // fractions of a microsecond are lost in seconds: the exact ends are compared below
        let mut left = seconds(range.start) - 1e-6..(seconds(range.end) + 1e-6).min(self.now());
        while found < limit && left.start < left.end {
            let part = if is_forward {
                left.start..(left.start + width).min(left.end)
            } else {
                (left.end - width).max(left.start)..left.end
            };
            left = if is_forward { part.end..left.end } else { left.start..part.start };
            width *= 2.0;
            let mut heads = Vec::new();
            for pods in &pods {
                self.world.each_line(pods.place, &part, &mut |head| {
                    if range.contains(&head.nanos) {
                        heads.push((pods, head));
                    }
                });
            }
            budget.read(heads.len())?;
            heads.sort_by_key(|(_, head)| (head.nanos, head.place.number, head.key));
            let mut ordered: Vec<_> = if is_forward { heads } else { heads.into_iter().rev().collect() };
            for (pods, head) in ordered.drain(..) {
                let Some(line) = self.line(pods, &head, selection) else { continue };
                streams.entry((head.place.number, head.pod())).or_default().push(line);
                found += 1;
                if found >= limit {
                    break;
                }
            }
        }
        let result = streams.into_iter().filter_map(|((place, pod), values)| {
            let labels = stream(self.world.places.get(place)?, pod);
            Some(json!({ "stream": pairs(&labels), "values": values }))
        });
        Ok(result.collect())
    }

    /// A line with its structured metadata; `None` if it is not selected.
    fn line(&self, pods: &SelectedPods<'_>, head: &LogHead<'_>, selection: &LogSelection) -> Option<Value> {
        let stream = pods.streams.get(head.pod())?.as_ref()?;
        let trace = head.trace();
        let text = head.text(&self.world, trace.as_deref());
        let known =
            [(LEVEL, head.level.word())].into_iter().chain(trace.as_deref().map(|id| ("trace_id", id)));
        let known: Vec<(&str, &str)> = known.collect();
        if !selection.has_line(&text, &mut stream.with_strs(known.iter().copied())) {
            return None;
        }
        let known: Map<String, Value> =
            known.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        Some(json!([head.nanos.to_string(), text, { "structuredMetadata": known }]))
    }

    /// The number of lines over time, as series.
    fn matrix(
        &self,
        counts: &LogCounts,
        asked: &ParsedRequest,
        range: &Range<i64>,
    ) -> Result<Value, RefusedRequest> {
        let (start, end) = (seconds(range.start), seconds(range.end));
        let step = asked.parameter("step").unwrap_or("60s");
        let step = step.parse().ok().or_else(|| duration::parse(step).ok().map(|step| step.as_secs_f64()));
        let step = step.filter(|step| *step > 0.0).ok_or_else(|| (400, "cannot parse step".to_owned()))?;
        let points = ((end - start) / step).floor() + 1.0;
        if !(1.0..=POINTS).contains(&points) {
            let error = "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter";
            return Err((400, error.to_owned()));
        }
        let grid = CountGrid { start, step, points: whole(points) };
        let result = self.counts(counts, &grid)?.into_iter().map(|(labels, values)| {
            let values = values.into_iter().zip(0_u32..).filter(|(count, _)| *count > 0.0);
            let values =
                values.map(|(count, number)| json!([start + f64::from(number) * step, count.to_string()]));
            json!({ "metric": pairs(&labels), "values": values.collect::<Vec<_>>() })
        });
        Ok(result.collect())
    }

    /// The number of lines before each point, by the labels that are kept.
    fn counts(
        &self,
        counts: &LogCounts,
        grid: &CountGrid,
    ) -> Result<BTreeMap<Labels, Vec<f64>>, RefusedRequest> {
        let CountGrid { start, step, points } = *grid;
        let end = start + step * (points.max(1) - 1) as f64;
        let pods = self.selected(&counts.of);
        let needs_text = counts.of.needs_text();
        let mut budget = ReadBudget::new(needs_text);
        let length = end - start + counts.range;
        budget.read(whole(pods.iter().map(|pods| pods.lines(&self.world, length)).sum()))?;
        let mut groups: BTreeMap<Labels, Vec<f64>> = BTreeMap::new();
        // lines of the same pod and severity belong to the same group, unless fields of the line matter
        for pods in &pods {
            let mut of_pods: BTreeMap<(usize, &'static str), Vec<f64>> = BTreeMap::new();
            let part = start - counts.range..end.min(self.now());
            self.world.each_line(pods.place, &part, &mut |head| {
                let Some(Some(stream)) = pods.streams.get(head.pod()) else { return };
                let second = seconds(head.nanos);
                // a point counts the lines of the range before it, without its beginning
                let first = ((second - start) / step).ceil().max(0.0);
                let last = ((second + counts.range - start) / step).ceil() - 1.0;
                let values = if needs_text {
                    let mut known = stream.with_strs([(LEVEL, head.level.word())]);
                    let text = head.text(&self.world, head.trace().as_deref());
                    if !counts.of.has_line(&text, &mut known) {
                        return;
                    }
                    groups.entry(kept(&known, counts.by.as_deref())).or_default()
                } else {
                    of_pods.entry((head.pod(), head.level.word())).or_default()
                };
                values.resize(points, 0.0);
                for value in values.iter_mut().take(whole(last + 1.0)).skip(whole(first)) {
                    *value += 1.0;
                }
            });
            for ((pod, level), values) in of_pods {
                let Some(Some(stream)) = pods.streams.get(pod) else { continue };
                let mut known = stream.with_strs([(LEVEL, level)]);
                if !counts.of.has_line("", &mut known) {
                    continue;
                }
                let sum = groups.entry(kept(&known, counts.by.as_deref())).or_default();
                sum.resize(values.len(), 0.0);
                sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
        }
        if counts.is_rate {
            groups.values_mut().flatten().for_each(|count| *count /= counts.range);
        }
        Ok(groups)
    }
}

/// How much a query may still read.
struct ReadBudget {
    left: u64,
    each: u64,
}

impl ReadBudget {
    const fn new(needs_text: bool) -> Self {
        Self { left: READ, each: if needs_text { TEXT_COST } else { 1 } }
    }

    fn read(&mut self, lines: usize) -> Result<(), RefusedRequest> {
        let cost = (lines as u64).saturating_mul(self.each);
        self.left = self.left.checked_sub(cost).ok_or_else(|| {
            let error = "the query would read too many bytes; consider adding more specific stream selectors or reduce the time range of the query";
            (400, error.to_owned())
        })?;
        Ok(())
    }
}

impl<'a> SelectedPods<'a> {
    fn of(place: &'a ServiceInRegion, selection: &LogSelection) -> Self {
        let pods = 0..place.breakdown.pods.len();
        let streams = pods.map(|pod| Some(stream(place, pod)).filter(|labels| selection.has_stream(labels)));
        Self { place, streams: streams.collect() }
    }

    /// About how many lines they have in so many seconds.
    fn lines(&self, world: &DemoWorld, seconds: f64) -> f64 {
        let selected = self.streams.iter().filter(|stream| stream.is_some()).count() as f64;
        world.usual_lines(self.place, seconds) * selected / self.streams.len().max(1) as f64
    }
}

/// The labels of the stream of a pod.
fn stream(place: &ServiceInRegion, pod: usize) -> Labels {
    let pod = place.breakdown.pods.get(pod).map_or("", |pod| &*pod.name);
    Labels::from_iter([
        ("container", &*place.name),
        ("namespace", &*place.service.namespace),
        ("pod", pod),
        ("region", place.region.name()),
        ("service_name", &*place.name),
    ])
}

/// The labels that are kept.
fn kept(labels: &Labels, by: Option<&[String]>) -> Labels {
    match by {
        None => labels.clone(),
        Some(by) => labels.without(|name| !by.iter().any(|kept| kept == name)),
    }
}

fn selection(query: &str) -> Result<LogSelection, RefusedRequest> {
    match LogExpr::parse(query).map_err(|error| (400, error))? {
        LogExpr::Lines(selection) => Ok(selection),
        LogExpr::Counts(_) => Err((400, "only label matchers are supported".to_owned())),
    }
}

/// The time range of a request in nanoseconds since 1970.
fn range(asked: &ParsedRequest, now: Timestamp) -> Result<Range<i64>, RefusedRequest> {
    let end = moment(asked, "end", now_nanos(now))?;
    let start = moment(asked, "start", end.saturating_sub(nanos(USUAL_RANGE)))?;
    if end < start {
        return Err((400, "end timestamp must not be before or equal to start time".to_owned()));
    }
    Ok(start..end)
}

fn now_nanos(now: Timestamp) -> i64 {
    i64::try_from(now.as_nanosecond()).unwrap_or(i64::MAX)
}

/// A moment in nanoseconds since 1970. Small integers, and fractions, are seconds.
fn moment(asked: &ParsedRequest, name: &str, otherwise: i64) -> Result<i64, RefusedRequest> {
    let Some(text) = asked.parameter(name) else { return Ok(otherwise) };
    let whole = text.parse::<i64>().ok().filter(|number| number.unsigned_abs() > 1 << 40);
    let time = || i64::try_from(text.parse::<Timestamp>().ok()?.as_nanosecond()).ok();
    let fraction = || text.parse::<f64>().ok().filter(|second| second.is_finite()).map(nanos);
    let found = whole.or_else(fraction).or_else(time);
    found.ok_or_else(|| (400, format!("could not parse '{name}' parameter: cannot parse \"{text}\"")))
}

/// Nanoseconds in seconds.
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

/// A number that is not negative, rounded down.
fn whole(number: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let whole = number.max(0.0) as usize;
    whole
}
