//! What the simulated server says about its series: labels, their values, the series themselves, types and help texts, and
//! exemplars.

use std::collections::BTreeSet;

use jiff::Timestamp;
use promql_parser::parser::{Expr, VectorSelector};
use serde_json::{Map, Value, json};

use super::pairs;
use crate::backend::demo::exchange::{ParsedRequest, RefusedRequest};
use crate::backend::demo::series::RegionSeries;
use crate::model::promql::{self, parse};

/// The data of an answer, and whether a limit has cut them.
type Cut = (Value, bool);

/// The range in which series are looked for if a request names none, in seconds.
const USUAL_RANGE: f64 = 6.0 * 3600.0;
/// Stands for a limit that is not set.
const UNLIMITED: usize = usize::MAX;

/// Types and help texts by name; a histogram has one entry for all its series.
const METADATA: [(&str, &str, &str); 32] = [
    ("backup_last_success_timestamp_seconds", "gauge", "When the last backup succeeded."),
    ("container_cpu_usage_seconds_total", "counter", "Cumulative cpu time consumed"),
    ("container_memory_working_set_bytes", "gauge", "Current working set in bytes"),
    ("container_spec_memory_limit_bytes", "gauge", "Memory limit for the container"),
    ("feature_flag_enabled", "gauge", "Whether a feature flag is on."),
    ("http_request_duration_seconds", "histogram", "How long requests take."),
    ("http_requests_total", "counter", "Requests by route and status code."),
    ("http_server_requests_seconds_count", "counter", "Requests."),
    ("kafka_consumergroup_lag", "gauge", "Current approximate lag of a consumer group"),
    ("kube_deployment_created", "gauge", "Unix creation timestamp"),
    (
        "kube_deployment_metadata_generation",
        "gauge",
        "Sequence number representing a specific generation of the desired state.",
    ),
    ("kube_deployment_spec_replicas", "gauge", "Number of desired pods for a deployment."),
    (
        "kube_deployment_status_observed_generation",
        "gauge",
        "The generation observed by the deployment controller.",
    ),
    (
        "kube_deployment_status_replicas_available",
        "gauge",
        "The number of available replicas per deployment.",
    ),
    ("kube_pod_container_info", "gauge", "Information about a container in a pod."),
    ("kube_pod_container_resource_limits", "gauge", "The number of requested limit resource by a container."),
    (
        "kube_pod_container_status_last_terminated_reason",
        "gauge",
        "Describes the last reason the container was in terminated state.",
    ),
    (
        "kube_pod_container_status_restarts_total",
        "counter",
        "The number of container restarts per container.",
    ),
    ("kube_pod_owner", "gauge", "Information about the Pod's owner."),
    ("kube_replicaset_created", "gauge", "Unix creation timestamp"),
    ("kube_replicaset_owner", "gauge", "Information about the ReplicaSet's owner."),
    ("kube_replicaset_spec_replicas", "gauge", "Number of desired pods for a ReplicaSet."),
    ("kubelet_volume_stats_available_bytes", "gauge", "Number of available bytes in the volume"),
    ("kubelet_volume_stats_capacity_bytes", "gauge", "Capacity in bytes of the volume"),
    ("pg_replication_lag_seconds", "gauge", "Replication lag behind master in seconds"),
    ("pg_settings_max_connections", "gauge", "Sets the maximum number of concurrent connections."),
    ("pg_stat_activity_count", "gauge", "number of connections in this state"),
    ("queue_messages_limit", "gauge", "How many messages the queue holds."),
    ("queue_messages_ready", "gauge", "Messages that wait in the queue."),
    ("service_build_info", "gauge", "The running version of the service."),
    (
        "traces_service_graph_request_failed_total",
        "counter",
        "Total count of failed requests between two nodes",
    ),
    ("traces_service_graph_request_total", "counter", "Total count of requests between two nodes"),
];

/// One of these requests, with the series of the server.
pub(super) struct MetadataRequest<'a> {
    pub(super) asked: &'a ParsedRequest,
    pub(super) series: &'a RegionSeries<'a>,
    pub(super) now: Timestamp,
}

impl MetadataRequest<'_> {
    /// The names of labels.
    pub(super) fn labels(&self) -> Result<Cut, RefusedRequest> {
        let (range, mut names) = (self.range()?, BTreeSet::new());
        let none = |_: &str| false;
        for selector in self.matchers()?.unwrap_or_else(|| vec![all_series()]) {
            for series in self.series.chosen(&selector, Some(&none)) {
                if !series.run.sample_ranges(range.0, range.1).is_empty() {
                    names.extend(series.labels.iter().map(|(name, _)| name.to_string()));
                }
            }
            names.extend(self.series.own_labels(&selector).into_iter().map(str::to_owned));
        }
        self.cut(names.into_iter().map(Value::from))
    }

    /// The values of a label.
    pub(super) fn values(&self, name: &str) -> Result<Cut, RefusedRequest> {
        if name.is_empty() {
            return Err((400, format!("invalid label name: \"{name}\"")));
        }
        let (range, mut values) = (self.range()?, BTreeSet::new());
        let only = |label: &str| label == name;
        for selector in self.matchers()?.unwrap_or_else(|| vec![all_series()]) {
            for series in self.series.chosen(&selector, Some(&only)) {
                let Some(value) = series.labels.get(name).filter(|value| !values.contains(&***value)) else {
                    continue;
                };
                if !series.run.sample_ranges(range.0, range.1).is_empty() {
                    values.insert(value.to_string());
                }
            }
        }
        self.cut(values.into_iter().map(Value::from))
    }

    /// The series that match.
    pub(super) fn series(&self) -> Result<Cut, RefusedRequest> {
        let range = self.range()?;
        let Some(matchers) = self.matchers()? else {
            return Err((400, "no match[] parameter provided".to_owned()));
        };
        let mut found = BTreeSet::new();
        for selector in &matchers {
            let chosen = self.series.chosen(selector, None).into_iter();
            let there = chosen.filter(|series| !series.run.sample_ranges(range.0, range.1).is_empty());
            found.extend(there.map(|series| series.labels));
        }
        self.cut(found.iter().map(|labels| Value::Object(pairs(labels))))
    }

    /// Types and help texts of metrics.
    pub(super) fn metadata(&self) -> Result<Cut, RefusedRequest> {
        let wanted = self.asked.parameter("metric").unwrap_or_default();
        // there is one entry of each
        self.number("limit_per_metric")?;
        let limit = self.number("limit")?;
        let told = |name: &str| METADATA.iter().any(|(known, ..)| *known == name);
        let others =
            self.series.catalog.series.keys().filter(|name| is_scraped(name) && !told(name)).map(|name| {
                let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
                (&**name, kind, "")
            });
        let of = METADATA.into_iter().chain(others);
        let of = of.filter(|(name, ..)| wanted.is_empty() || *name == wanted).take(limit);
        let of = of
            .map(|(name, kind, help)| (name.to_owned(), json!([{ "type": kind, "help": help, "unit": "" }])));
        Ok((Value::Object(of.collect::<Map<_, _>>()), false))
    }

    /// The exemplars of the series in a query.
    pub(super) fn exemplars(&self) -> Result<Cut, RefusedRequest> {
        let query = self.asked.parameter("query").unwrap_or_default();
        let all = promql::selectors(query)
            .map_err(|error| (400, format!("invalid parameter \"query\": {error}")))?;
        let selectors = all.iter().filter_map(|text| match parse(text) {
            Ok(Expr::VectorSelector(selector)) => Some(selector),
            Ok(_) | Err(_) => None,
        });
        Ok((self.series.exemplars(&selectors.collect::<Vec<_>>(), self.range()?), false))
    }

    fn matchers(&self) -> Result<Option<Vec<VectorSelector>>, RefusedRequest> {
        let refusal = |why: String| (400, format!("invalid parameter \"match[]\": {why}"));
        let selector = |text: &str| match parse(text) {
            Ok(Expr::VectorSelector(selector)) => Ok(selector),
            Ok(_) => Err(refusal("not a vector selector".to_owned())),
            Err(error) => Err(refusal(error.to_string())),
        };
        let all = self.asked.all("match[]").map(selector).collect::<Result<Vec<_>, _>>()?;
        Ok((!all.is_empty()).then_some(all))
    }

    /// The time range of the request, in Unix seconds.
    fn range(&self) -> Result<(f64, f64), RefusedRequest> {
        let now = self.now.as_millisecond() as f64 / 1000.0;
        let moment = |name: &str, otherwise: f64| match self.asked.parameter(name) {
            None => Ok(otherwise),
            Some(_) => super::seconds(self.asked, name),
        };
        let end = moment("end", now)?;
        let start = moment("start", end - USUAL_RANGE)?;
        if end < start {
            return Err((
                400,
                "invalid parameter \"end\": end timestamp must not be before start time".to_owned(),
            ));
        }
        Ok((start, end))
    }

    /// A limit; zero, or none, is unlimited.
    fn number(&self, name: &str) -> Result<usize, RefusedRequest> {
        let Some(text) = self.asked.parameter(name) else { return Ok(UNLIMITED) };
        let number = text
            .parse::<i64>()
            .map_err(|_invalid| (400, format!("invalid parameter \"{name}\": \"{text}\" is not a number")))?;
        Ok(usize::try_from(number).ok().filter(|number| *number > 0).unwrap_or(UNLIMITED))
    }

    fn cut(&self, all: impl Iterator<Item = Value>) -> Result<Cut, RefusedRequest> {
        let limit = self.number("limit")?;
        let mut all = all.peekable();
        let first: Vec<Value> = all.by_ref().take(limit).collect();
        Ok((Value::Array(first), all.peek().is_some()))
    }
}

/// Whether a metric comes from a target, and not from a rule.
fn is_scraped(name: &str) -> bool {
    !name.contains(':') && !name.starts_with("ALERTS") && !name.starts_with("sloth_")
}

/// Selects every series.
fn all_series() -> VectorSelector {
    VectorSelector::default()
}
