//! Services from any data source: queries that the configuration names give their requests, errors, latency and saturation.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Grafana;
use super::ds_query::{GrafanaQuery, GrafanaRange};
use super::explore::{LabelledPoints, points_of};
use crate::config::settings::ConfigDuration;
use crate::model::ask::{Answer, Answered, Reply};
use crate::model::dashboard::DataSourceRef;
use crate::model::labels::Text;
use crate::model::service::{ServiceReading, ServiceSnapshot, Signals};
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

/// The most services of a list of queries.
const MOST: usize = 2_000;
/// The most points that a query asks for.
const POINTS: u64 = 60;

/// The queries that give the signals of the services of one data source.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceQueries {
    /// The name or uid of the data source.
    pub(super) data_source: String,
    /// The label or the column that names the service, such as `LoadBalancer`; `field` is the name of the series.
    pub(super) service: String,
    /// The time over which rates are averaged.
    #[serde(default = "lookback")]
    pub(super) lookback: ConfigDuration,
    /// All requests.
    #[serde(default)]
    pub(super) requests: Option<ServiceSignalQuery>,
    /// Failed requests, counted as `requests` are.
    #[serde(default)]
    pub(super) errors: Option<ServiceSignalQuery>,
    /// The median latency; `scale` makes it seconds.
    #[serde(default)]
    pub(super) p50: Option<ServiceSignalQuery>,
    /// The 95th percentile of the latency; `scale` makes it seconds.
    #[serde(default)]
    pub(super) p95: Option<ServiceSignalQuery>,
    /// The 99th percentile of the latency; `scale` makes it seconds.
    #[serde(default)]
    pub(super) p99: Option<ServiceSignalQuery>,
    /// The usage of the most used resource; `scale` makes it a ratio: 1 is full.
    #[serde(default)]
    pub(super) saturation: Option<ServiceSignalQuery>,
}

/// One query, and what its values mean.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceSignalQuery {
    /// The query as JSON, as the plug-in takes it: what Grafana's query inspector shows.
    pub(super) json: String,
    /// Each value is multiplied by this: 0.001 for milliseconds, 0.01 for percent.
    #[serde(default = "one")]
    pub(super) scale: f64,
    /// The time over which each value was counted, so that it becomes a rate per second; without it values are rates already.
    #[serde(default)]
    pub(super) per: Option<ConfigDuration>,
    /// A service that the query does not have has the value 0. For data sources that give nothing instead of 0, as `CloudWatch` does
    /// for errors.
    #[serde(default)]
    pub(super) absent_is_zero: bool,
}

fn lookback() -> ConfigDuration {
    ConfigDuration(Duration::from_secs(300))
}

const fn one() -> f64 {
    1.0
}

impl ServiceQueries {
    /// What is wrong with them.
    pub(super) fn failure(&self) -> Option<String> {
        let wrong = self.queries().into_iter().find_map(|(name, query)| {
            let json = serde_json::from_str::<Value>(&query.json).ok().filter(Value::is_object);
            let is_scale = query.scale.is_finite() && query.scale > 0.0;
            let has_length = query.per.is_none_or(|per| !per.0.is_zero());
            match (json, is_scale && has_length) {
                (None, _) => Some(format!("{name}.json is no JSON object")),
                (Some(_), false) => Some(format!("{name}.scale and {name}.per must be above 0")),
                (Some(_), true) => None,
            }
        });
        let reason = if self.queries().is_empty() {
            Some("has no query: set requests, errors, p50, p95, p99 or saturation".to_owned())
        } else if self.lookback.0 < Duration::from_secs(60) {
            Some("lookback must be 1m or more".to_owned())
        } else {
            wrong
        };
        reason.map(|reason| format!("for the data source {}: {reason}", self.data_source))
    }

    fn queries(&self) -> Vec<(&'static str, &ServiceSignalQuery)> {
        let all = [
            ("requests", &self.requests),
            ("errors", &self.errors),
            ("p50", &self.p50),
            ("p95", &self.p95),
            ("p99", &self.p99),
            ("saturation", &self.saturation),
        ];
        all.into_iter().filter_map(|(name, query)| Some((name, query.as_ref()?))).collect()
    }
}

/// The values of a signal by service.
type Values = BTreeMap<Text, f64>;

impl Grafana {
    /// Answers the question for the services. A list of queries that fails is a warning, unless all fail.
    pub(super) async fn services(&self, past: Option<jiff::Timestamp>) -> Answered {
        let mut snapshot = ServiceSnapshot::default();
        let mut warnings = Vec::new();
        let mut failure: Option<SourceError> = None;
        for queries in &self.service_queries {
            match self.services_of(queries, past, &mut warnings).await {
                Ok(readings) => {
                    snapshot.lookback = snapshot.lookback.max(queries.lookback.0);
                    snapshot.readings.extend(readings);
                }
                Err(error) => {
                    warnings.push(Warning::missing(format!(
                        "services of {}: {}",
                        queries.data_source, error.kind
                    )));
                    failure.get_or_insert(error);
                }
            }
        }
        if let Some(error) = failure.filter(|_| snapshot.readings.is_empty()) {
            return Err(error);
        }
        snapshot.readings.sort_by(|a, b| a.name.cmp(&b.name));
        let mut doubled = Vec::new();
        snapshot.readings.dedup_by(|later, first| {
            let is_same = later.name == first.name;
            if is_same {
                doubled.push(later.name.clone());
            }
            is_same
        });
        warnings.extend(doubled.into_iter().map(|name| {
            Warning::missing(format!(
                "the service {name} is in several lists of queries; only the first is read"
            ))
        }));
        Ok(Reply { warnings, ..Reply::free(Answer::Services(snapshot)) })
    }

    async fn services_of(
        &self,
        own: &ServiceQueries,
        past: Option<jiff::Timestamp>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<ServiceReading>, SourceError> {
        let bad = |message: String| self.http.error(ErrorKind::BadQuery { message });
        let wanted = DataSourceRef { kind: None, uid: Some(own.data_source.as_str().into()) };
        let data_source = self.resolved(&wanted).await.map_err(bad)?;
        let to = past.unwrap_or_else(|| self.clock.now());
        let step = Duration::from_secs((own.lookback.0.as_secs() / POINTS).max(60));
        let range = GrafanaRange {
            from: to.checked_sub(own.lookback.0).unwrap_or(to),
            to,
            step,
            points: usize::try_from(own.lookback.0.as_secs() / step.as_secs().max(1)).unwrap_or(1).max(1),
        };
        let named = own.queries();
        let mut queries = Vec::new();
        for (name, query) in &named {
            let json = serde_json::from_str(&query.json).map_err(|error| bad(format!("{name}: {error}")))?;
            let ref_id = (*name).into();
            queries.push(GrafanaQuery { ref_id, data_source: data_source.clone(), json, is_hidden: false });
        }
        let answers = self.asked(&queries, range).await?;
        let mut values: BTreeMap<&str, Values> = BTreeMap::new();
        let mut first = None;
        for ((name, query), answer) in named.iter().zip(answers) {
            if let Some(message) = answer.failure {
                warnings.push(Warning::missing(format!("{name} of {}: {message}", own.data_source)));
                first.get_or_insert(message);
                continue;
            }
            if answer.is_cut {
                warnings.push(Warning::missing(format!(
                    "{name} of {} has more data than are read",
                    own.data_source
                )));
            }
            let is_rate = matches!(*name, "requests" | "errors");
            let series = answer.frames.iter().flat_map(points_of);
            values.insert(name, values_of(series, &own.service, query, is_rate));
        }
        if let Some(message) = first.filter(|_| values.is_empty()) {
            return Err(bad(message));
        }
        let mut names: Vec<Text> = values.values().flat_map(BTreeMap::keys).cloned().collect();
        names.sort();
        names.dedup();
        if names.len() > MOST {
            let words = format!("{} has more than {MOST} services; the others are left out", own.data_source);
            warnings.push(Warning::missing(words));
            names.truncate(MOST);
        }
        Ok(names.into_iter().map(|name| reading(own, name, &values)).collect())
    }
}

/// The value of each service: the mean of a rate, the newest value of anything else.
fn values_of(
    series: impl Iterator<Item = LabelledPoints>,
    service: &str,
    query: &ServiceSignalQuery,
    is_rate: bool,
) -> Values {
    let mut values = Values::new();
    for one in series {
        let Some(name) = one.labels.get(service).filter(|name| !name.is_empty()) else { continue };
        let finite: Vec<f64> =
            one.points.iter().map(|(_, value)| *value).filter(|value| value.is_finite()).collect();
        let value = if is_rate {
            (!finite.is_empty()).then(|| finite.iter().sum::<f64>() / finite.len() as f64)
        } else {
            finite.last().copied()
        };
        let Some(value) = value else { continue };
        let per = query.per.map_or(1.0, |per| per.0.as_secs_f64());
        let value = value * query.scale / per;
        // several series of a service: rates add up, of the others the worst counts
        values
            .entry(name.clone())
            .and_modify(|known| *known = if is_rate { *known + value } else { known.max(value) })
            .or_insert(value);
    }
    values
}

fn reading(own: &ServiceQueries, name: Text, values: &BTreeMap<&str, Values>) -> ServiceReading {
    let value = |signal: &str, query: &Option<ServiceSignalQuery>| {
        let known = values.get(signal)?;
        let zero = query.as_ref().is_some_and(|query| query.absent_is_zero).then_some(0.0);
        known.get(&name).copied().or(zero)
    };
    let request_rate = value("requests", &own.requests);
    let error_rate = value("errors", &own.errors);
    // without requests there is no ratio
    let error_ratio = request_rate
        .filter(|rate| *rate > 0.0)
        .zip(error_rate)
        .map(|(requests, errors)| (errors / requests).clamp(0.0, 1.0));
    let signals = Signals {
        request_rate,
        error_ratio,
        p50: value("p50", &own.p50),
        p95: value("p95", &own.p95),
        p99: value("p99", &own.p99),
        apdex: None,
        saturation: value("saturation", &own.saturation),
    };
    ServiceReading { name, signals, ..ServiceReading::default() }
}

#[cfg(test)]
mod tests;
