//! Levels of the service and its resources: utilisation, queues, free space, and targets that are up.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::budget::Budget;
use super::metrics::{PART, ServiceMetric, ServiceMetrics, part};
use crate::backend::packs::{QueryFill, Saturation};
use crate::backend::prometheus::history::resource_of;
use crate::backend::prometheus::wire::Sample;
use crate::model::labels::{Labels, Text};
use crate::model::promql::{literal, quoted};
use crate::model::series::TimeGrid;
use crate::model::slo::TimeRange;
use crate::model::why::{Difference, LabelFinding, LevelKind, Tally, WhyCell, is_ratio, rank};

/// The most metrics whose levels are read.
const MOST_LEVELS: usize = 60;
/// The places of a metric with more series are not compared.
const MOST_PLACES: f64 = 500.0;

/// Words in the names of metrics that are levels of a resource, each with the resource. Requests in flight are not among them: they
/// rise with every slow request.
const RESOURCES: [(&str, &str); 17] = [
    ("cpu", "cpu"),
    ("memory", "memory"),
    ("heap", "memory"),
    ("filesystem", "disk"),
    ("disk", "disk"),
    ("queue", "queue"),
    ("backlog", "queue"),
    ("lag", "lag"),
    ("connection", "connections"),
    ("pool", "pool"),
    ("pending", "pending work"),
    ("threads", "threads"),
    ("goroutines", "goroutines"),
    ("fds", "file descriptors"),
    ("saturation", ""),
    ("utilization", ""),
    ("utilisation", ""),
];
/// Parts of the names of metrics that are no levels.
const NOT_LEVELS: [&str; 12] = [
    "_total",
    "_count",
    "_sum",
    "_bucket",
    "_created",
    "_info",
    "timestamp",
    "start_time",
    "limit",
    "_max",
    "size_bytes",
    "virtual",
];
/// Marks the parts of the query that are told apart by the names of metrics.
const NAMED: &str = "named-";
/// Words for what is left of a resource.
const FREE: [&str; 4] = ["avail", "free", "remaining", "idle"];

/// What a level was read by.
#[derive(Debug, Clone)]
pub(super) enum LevelSource {
    Metric(ServiceMetric),
    Pack(Saturation, ServiceMetric),
    Targets(ServiceMetric),
}

/// One level over time.
#[derive(Debug, Clone)]
pub(super) struct LevelSeries {
    pub(super) resource: Text,
    pub(super) metric: Text,
    pub(super) kind: LevelKind,
    pub(super) source: LevelSource,
    pub(super) values: Vec<f64>,
}

impl LevelSeries {
    pub(super) fn is_targets(&self) -> bool {
        matches!(self.source, LevelSource::Targets(_))
    }
}

/// The resource of a metric, if its name says that it is a level of one.
fn resource(metric: &str) -> Option<&str> {
    if metric.contains(':') || NOT_LEVELS.iter().any(|word| metric.contains(word)) {
        return None;
    }
    // whole words, so that `lag` is not found in `flag`
    let has = |word: &str| metric.split('_').any(|part| part == word || part.strip_suffix('s') == Some(word));
    let (_, resource) = RESOURCES.iter().find(|(word, _)| has(word))?;
    Some(if resource.is_empty() || is_ratio(metric) { resource_of(metric) } else { resource })
}

fn kind(metric: &str) -> LevelKind {
    if is_ratio(metric) {
        LevelKind::Ratio
    } else if FREE.iter().any(|word| metric.contains(word)) {
        LevelKind::Falling
    } else {
        LevelKind::Rising
    }
}

/// Reads the levels of the service over time, in one query.
pub(super) async fn read(
    budget: &Budget<'_>,
    metrics: &ServiceMetrics,
    span: TimeGrid,
    lookback: Duration,
) -> Vec<LevelSeries> {
    let by_packs: Vec<&String> = metrics.saturations.iter().flat_map(|(entry, _)| &entry.metrics).collect();
    let is_level = |metric: &&ServiceMetric| {
        let is_of_pack = by_packs.iter().any(|known| **known == *metric.name);
        *metric.name == *"up" || !is_of_pack && resource(&metric.name).is_some()
    };
    let levels: Vec<&ServiceMetric> = metrics.all.values().filter(is_level).take(MOST_LEVELS).collect();
    let mut groups: BTreeMap<(&str, bool), Vec<&str>> = BTreeMap::new();
    for metric in &levels {
        groups.entry((&metric.selector, is_ratio(&metric.name))).or_default().push(&metric.name);
    }
    let group = |(at, ((selector, is_ratio), names)): (usize, (&(&str, bool), &Vec<&str>))| {
        // the fullest place counts of a utilisation; of others the mean, so that more or fewer pods make no difference
        let function = if *is_ratio { "max" } else { "avg" };
        let names = names.iter().map(|name| literal(name)).collect::<Vec<_>>().join("|");
        let query = format!("{function} by (__name__) ({{__name__=~{},{selector}}})", quoted(&names));
        // `or` ignores names: without a label of its own, each group would replace the next one
        part(&query, &format!("{NAMED}{at}"))
    };
    let of_pack = |(at, (entry, metric)): (usize, &(Saturation, ServiceMetric))| {
        let fill = QueryFill { by: &metric.by, selector: &metric.selector, lookback };
        part(&entry.highest_usage(fill), &at.to_string())
    };
    let queries =
        groups.iter().enumerate().map(group).chain(metrics.saturations.iter().enumerate().map(of_pack));
    let query = queries.collect::<Vec<_>>().join(" or ");
    if query.is_empty() {
        return Vec::new();
    }
    let Some(matrix) = budget.range("levels of resources", &query, span).await else { return Vec::new() };
    let series = matrix.lines.into_iter().filter_map(|line| {
        let of_pack = line.labels.get(PART).and_then(|at| at.parse::<usize>().ok());
        if let Some(at) = of_pack {
            let (entry, metric) = metrics.saturations.get(at)?;
            return Some(LevelSeries {
                resource: entry.resource.as_str().into(),
                // the values are a ratio, whatever the metrics are
                metric: format!("{}_ratio", entry.resource).into(),
                kind: LevelKind::Ratio,
                source: LevelSource::Pack(entry.clone(), metric.clone()),
                values: line.values,
            });
        }
        let metric = metrics.all.get(line.labels.get("__name__")?)?;
        let is_up = *metric.name == *"up";
        Some(LevelSeries {
            resource: if is_up { "targets".into() } else { resource(&metric.name)?.into() },
            metric: metric.name.clone(),
            kind: if is_up { LevelKind::Falling } else { kind(&metric.name) },
            source: if is_up {
                LevelSource::Targets(metric.clone())
            } else {
                LevelSource::Metric(metric.clone())
            },
            values: line.values,
        })
    });
    series.collect()
}

/// Where a level changed, with the labels that were compared.
pub(super) async fn places(
    budget: &Budget<'_>,
    level: &LevelSeries,
    (good, bad): (TimeRange, TimeRange),
    end: Timestamp,
) -> Vec<LabelFinding> {
    let what = format!("places of {}", level.resource);
    let metric = match &level.source {
        LevelSource::Metric(metric) | LevelSource::Targets(metric) => metric,
        LevelSource::Pack(entry, metric) => {
            let fill = QueryFill {
                by: &metric.by,
                selector: &metric.selector,
                lookback: bad.length().max(Duration::from_secs(60)),
            };
            let samples = budget.instant(&what, &format!("topk(1, {})", entry.expr(fill)), Some(end)).await;
            let fullest = samples.and_then(|samples| samples.into_iter().next());
            let labels =
                fullest.map(|sample| sample.labels.without(|name| name == metric.by || name == "__name__"));
            let place = labels.filter(|labels| !labels.is_empty()).map(|labels| LabelFinding {
                labels,
                equivalent: Vec::new(),
                explained: 1.0,
                traffic: 0.0,
                traffic_before: 0.0,
                score: 0.5,
                is_new: false,
                failed: 0.0,
                requests: 0.0,
            });
            return place.into_iter().collect();
        }
    };
    if metric.series > MOST_PLACES || metric.series < 2.0 {
        return Vec::new();
    }
    let window = |time: TimeRange| time.length().as_secs().max(1);
    let offset = end.duration_since(good.end).as_secs().max(0);
    let series = format!("{}{{{}}}", metric.name, metric.selector);
    let query = format!(
        "{} or {}",
        part(&format!("avg_over_time({series}[{}s])", window(bad)), "bad"),
        part(&format!("avg_over_time({series}[{}s] offset {offset}s)", window(good)), "good")
    );
    let Some(samples) = budget.instant(&what, &query, Some(end)).await else { return Vec::new() };
    let difference = if level.kind == LevelKind::Falling { Difference::Lower } else { Difference::Higher };
    rank(&cells(samples, &metric.by), difference)
}

fn cells(samples: Vec<Sample>, by: &str) -> Vec<WhyCell> {
    let mut cells: BTreeMap<Labels, (Option<f64>, Option<f64>)> = BTreeMap::new();
    for sample in samples {
        let labels = sample.labels.without(|name| name == PART || name == by || name == "__name__");
        let cell = cells.entry(labels).or_default();
        if sample.labels.value(PART) == "good" {
            cell.0 = Some(sample.value);
        } else {
            cell.1 = Some(sample.value);
        }
    }
    let tally = |value: f64| Tally { all: value, failed: 0.0 };
    // a series on one side only has not changed its level
    let cell = |(labels, (good, bad)): (Labels, (Option<f64>, Option<f64>))| {
        Some(WhyCell { labels, good: tally(good?), bad: tally(bad?) })
    };
    cells.into_iter().filter_map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_metrics_tell_levels_resources_and_which_way_is_bad() {
        for (metric, expected) in [
            ("service_cpu_saturation_ratio", Some(("cpu", LevelKind::Ratio))),
            ("service_queue_depth", Some(("queue", LevelKind::Rising))),
            ("node_filesystem_avail_bytes", Some(("disk", LevelKind::Falling))),
            ("kafka_consumergroup_lag", Some(("lag", LevelKind::Rising))),
            ("feature_flag_enabled", None),
            ("process_start_time_seconds", None),
            ("process_cpu_seconds_total", None),
            ("service:cpu_saturation:avg5m", None),
            ("service_build_info", None),
        ] {
            assert_eq!(resource(metric).map(|resource| (resource, kind(metric))), expected, "{metric}");
        }
    }
}
