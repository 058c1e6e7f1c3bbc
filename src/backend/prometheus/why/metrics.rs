//! Which metrics one service has, and which of them tell its requests, failures, latency and levels. One query, so that an
//! analysis does not need a discovery of all services.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::budget::Budget;
use crate::backend::packs::{LatencySignal, PackEntry, QueryFill, Requests, Saturation};
use crate::backend::prometheus::metric_discovery::DiscoveryPlan;
use crate::model::labels::{Labels, Text};
use crate::model::promql::{self, quoted};

/// Marks the label that names the service, or a part of an answer.
pub(in crate::backend::prometheus) const PART: &str = "burnwatch_part";

/// Labels that tell how a request ended: they describe a failure and do not cause it.
const OUTCOMES: [&str; 22] = [
    "__name__",
    "le",
    "quantile",
    "code",
    "status",
    "status_code",
    "status_class",
    "http_status",
    "http_status_code",
    "http_response_status_code",
    "response_code",
    "response_flags",
    "grpc_code",
    "grpc_status",
    "grpc_response_status",
    "outcome",
    "result",
    "error",
    "error_type",
    "exception",
    "classification",
    "rpc_grpc_status_code",
];

/// Labels with likely causes come first where not all labels can be compared.
const FIRST: [&str; 22] = [
    "version",
    "region",
    "zone",
    "availability_zone",
    "cluster",
    "datacenter",
    "env",
    "namespace",
    "node",
    "host",
    "pod",
    "instance",
    "container",
    "route",
    "path",
    "handler",
    "endpoint",
    "uri",
    "method",
    "tenant",
    "client",
    "shard",
];

/// The series of one metric of the service.
#[derive(Debug, Clone)]
pub(super) struct ServiceMetric {
    pub(super) name: Text,
    /// The label that names the service, as written in PromQL.
    pub(super) by: String,
    /// Matchers that select the series of the service.
    pub(super) selector: String,
    /// Matchers that select the series of all services.
    pub(super) all_services: String,
    pub(super) series: f64,
}

impl ServiceMetric {
    /// The matchers, with those of more labels.
    pub(super) fn within(&self, filters: &Labels) -> String {
        let more = filters.iter().map(|(name, value)| format!(",{}={}", promql::label(name), quoted(value)));
        format!("{}{}", self.selector, more.collect::<Vec<_>>().concat())
    }
}

/// What an analysis compares.
#[derive(Debug, Default)]
pub(super) struct ServiceMetrics {
    pub(super) all: BTreeMap<Text, ServiceMetric>,
    pub(super) requests: Option<(Requests, ServiceMetric)>,
    pub(super) latency: Option<(LatencySignal, ServiceMetric)>,
    pub(super) saturations: Vec<(Saturation, ServiceMetric)>,
}

/// The labels that may name the service: those of the configuration in their order, then those of packs with labels of their own.
pub(super) fn naming(plan: &DiscoveryPlan) -> Vec<&String> {
    let mut labels: Vec<&String> = plan.services.labels.iter().collect();
    for label in plan.packs.iter().flat_map(|pack| &pack.service_labels) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels.retain(|label| promql::is_plain_name(label));
    labels
}

/// Asks which metrics the service has.
pub(super) async fn of_service(
    budget: &Budget<'_>,
    plan: &DiscoveryPlan,
    service: &str,
    at: Timestamp,
) -> Option<ServiceMetrics> {
    let labels = naming(plan);
    let part = |label: &&String| {
        format!(
            "label_replace(count by (__name__) ({{{label}={}}}), \"{PART}\", {}, \"\", \"\")",
            quoted(service),
            quoted(label)
        )
    };
    let query = labels.iter().map(part).collect::<Vec<_>>().join(" or ");
    let samples = budget.instant("the metrics of the service", &query, Some(at)).await?;
    let mut found: BTreeMap<(Text, Text), f64> = BTreeMap::new();
    for sample in &samples {
        let (Some(name), Some(label)) = (sample.labels.get("__name__"), sample.labels.get(PART)) else {
            continue;
        };
        found.insert((name.clone(), label.clone()), sample.value);
    }
    let metric = |name: &str, labels: &[&String]| {
        labels.iter().enumerate().find_map(|(at, label)| {
            let series = *found.get(&(name.into(), label.as_str().into()))?;
            let earlier: Vec<String> =
                labels.iter().take(at).map(|earlier| format!("{earlier}=\"\",")).collect();
            let earlier = earlier.concat();
            Some(ServiceMetric {
                name: name.into(),
                by: (*label).clone(),
                selector: format!("{earlier}{label}={}", quoted(service)),
                all_services: format!("{earlier}{label}!=\"\""),
                series,
            })
        })
    };
    let usual: Vec<&String> =
        labels.iter().copied().filter(|label| plan.services.labels.contains(label)).collect();
    let names: BTreeSet<&Text> = found.keys().map(|(name, _)| name).collect();
    let all = names.into_iter().filter_map(|name| Some((name.clone(), metric(name, &usual)?))).collect();
    let mut metrics = ServiceMetrics { all, ..ServiceMetrics::default() };
    for pack in &plan.packs {
        let own: Vec<&String> = pack.service_labels.iter().collect();
        let labels = if own.is_empty() { &usual } else { &own };
        let exists = |name: &String| metric(name, labels).is_some();
        for entry in pack.entries().into_iter().filter(|entry| entry.metrics().iter().all(exists)) {
            add(&mut metrics, entry, |name| metric(name, labels));
        }
    }
    Some(metrics)
}

/// Uses an entry of a pack whose metrics exist, unless an earlier one tells the same.
fn add(metrics: &mut ServiceMetrics, entry: PackEntry, metric: impl Fn(&str) -> Option<ServiceMetric>) {
    let Some(first) = entry.metrics().first().and_then(|name| metric(name)) else { return };
    match entry {
        PackEntry::Requests(requests) => {
            metrics.requests.get_or_insert((requests, first));
        }
        PackEntry::Latency(latency) if !latency.native => {
            metrics.latency.get_or_insert((latency, first));
        }
        PackEntry::Saturation(saturation) if !saturation.is_pattern() => {
            metrics.saturations.push((saturation, first));
        }
        // a native histogram has no buckets; a pattern stands for levels that are found by their names
        PackEntry::Latency(_) | PackEntry::Saturation(_) | PackEntry::Up(_) | PackEntry::Named(_) => {}
    }
}

/// The labels to compare, those with likely causes first.
pub(super) fn comparable(
    names: &[Text],
    metric: &ServiceMetric,
    codes: &[String],
    filters: &Labels,
) -> Vec<Text> {
    let is_outcome = |name: &Text| OUTCOMES.contains(&&**name) || codes.iter().any(|code| **code == **name);
    let is_given = |name: &Text| **name == *metric.by || filters.get(name).is_some();
    let mut labels: Vec<Text> = names
        .iter()
        .filter(|name| promql::is_plain_name(name) && !is_outcome(name) && !is_given(name))
        .cloned()
        .collect();
    labels.sort_by_key(|name| {
        (FIRST.iter().position(|first| **first == **name).unwrap_or(FIRST.len()), name.clone())
    });
    labels
}

/// A count of requests of which some failed or were slow.
pub(super) enum Counted<'a> {
    Failed {
        requests: &'a Requests,
        codes: Vec<String>,
    },
    /// `bound` and `infinity` are regular expressions for the bucket bounds, in all spellings.
    Slow {
        latency: &'a LatencySignal,
        bound: String,
        infinity: String,
    },
}

impl Counted<'_> {
    /// An expression for all requests per second.
    fn all(&self, fill: QueryFill<'_>) -> String {
        match self {
            Self::Failed { requests, .. } => requests.all(fill),
            Self::Slow { latency, infinity, .. } => latency.buckets(fill, infinity),
        }
    }

    /// An expression for the failed or slow ones; `None` if they cannot be recognised.
    fn failed(&self, fill: QueryFill<'_>) -> Option<String> {
        match self {
            Self::Failed { requests, codes } => requests.failed(fill, codes),
            Self::Slow { latency, bound, infinity } => {
                Some(format!("({}) - ({})", latency.buckets(fill, infinity), latency.buckets(fill, bound)))
            }
        }
    }

    /// One query for both, the label [`PART`] telling which is which.
    pub(super) fn both(&self, fill: QueryFill<'_>) -> String {
        let all = part(&self.all(fill), "all");
        match self.failed(fill) {
            Some(failed) => format!("{all} or {}", part(&failed, "failed")),
            None => all,
        }
    }

    /// As [`Self::both`], of only those groups with the most of one of them.
    pub(super) fn top(&self, fill: QueryFill<'_>, most: u32, by_failed: bool) -> String {
        let all = self.all(fill);
        let failed = self.failed(fill).unwrap_or_else(|| all.clone());
        let leading = if by_failed { &failed } else { &all };
        let top = format!("topk({most}, {leading})");
        let on = format!("and on ({})", fill.by);
        format!(
            "{} or {}",
            part(&format!("({all}) {on} {top}"), "all"),
            part(&format!("({failed}) {on} {top}"), "failed")
        )
    }

    /// failed / all; `None` if failures cannot be recognised.
    pub(super) fn ratio(&self, fill: QueryFill<'_>) -> Option<String> {
        Some(format!("({}) / ({})", self.failed(fill)?, self.all(fill)))
    }
}

/// The series of an expression with [`PART`] set to a word.
pub(in crate::backend::prometheus) fn part(expr: &str, word: &str) -> String {
    format!("label_replace({expr}, \"{PART}\", \"{word}\", \"\", \"\")")
}
