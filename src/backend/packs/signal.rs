//! Signals of packs other than the golden signals: `up` metrics of exporters, and custom signals.

use serde::Deserialize;

use super::{QueryFill, substitute_by};
use crate::model::health::{Health, latency, percent};
use crate::model::quantity::{bytes, short};

/// Only this many of the worst values of a signal are requested per service.
const WORST: u32 = 10;

/// An `up` metric of an exporter: 1 is up, 0 is down.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backend) struct Up {
    /// The metric; must exist. Its labels identify the service.
    pub(in crate::backend) metric: String,
    /// Additional metrics that must exist for this entry.
    #[serde(default)]
    pub(super) needs: Vec<String>,
    /// The text for a server that is down: `Redis does not answer`.
    pub(in crate::backend) says: String,
    /// Labels that identify a server.
    #[serde(default = "instance")]
    pub(in crate::backend) labels: Vec<String>,
    /// The health of the service if some of its servers are down and others are up.
    #[serde(default)]
    pub(in crate::backend) partly: LevelSignal,
    /// An expression with 1 or 0 for each server, if the metric alone is not that.
    pub(super) expr: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backend) struct OwnSignal {
    /// The name: `replication lag`.
    pub(in crate::backend) name: String,
    /// All must exist; the labels of the first one identify the service.
    pub(in crate::backend) metrics: Vec<String>,
    pub(super) expr: String,
    /// Labels that identify the host and the part of it, kept in addition to the service's labels.
    #[serde(default)]
    pub(in crate::backend) labels: Vec<String>,
    #[serde(default)]
    unit: SignalMeasure,
    /// The service is degraded from this value on.
    degraded: Option<f64>,
    /// The service is critical from this value on.
    critical: Option<f64>,
    /// Whether low values are bad: the limits then apply to values at or below them.
    #[serde(default)]
    low: bool,
    /// The text, with `{value}` and label names in braces; without it, the name and the value.
    words: Option<String>,
    /// The label with the display name of the host; such an entry only provides host names.
    pub(in crate::backend) host: Option<String>,
}

fn instance() -> Vec<String> {
    vec!["instance".into()]
}

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::backend) enum LevelSignal {
    #[default]
    Degraded,
    Critical,
}

impl LevelSignal {
    /// The severity as a service's health.
    pub(in crate::backend) const fn health(self) -> Health {
        match self {
            Self::Degraded => Health::Degraded,
            Self::Critical => Health::Critical,
        }
    }
}

/// The unit of a signal's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub(in crate::backend) enum SignalMeasure {
    #[default]
    #[serde(rename = "")]
    Plain,
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "bytes")]
    Bytes,
    #[serde(rename = "/s")]
    PerSecond,
    #[serde(rename = "/min")]
    PerMinute,
    /// A ratio from 0 to 1.
    #[serde(rename = "ratio")]
    Ratio,
}

impl SignalMeasure {
    fn words(self, value: f64) -> String {
        match self {
            Self::Plain => short(value),
            Self::Seconds => seconds(value),
            Self::Bytes => bytes(value),
            Self::PerSecond => format!("{}/s", short(value)),
            Self::PerMinute => format!("{}/min", short(value)),
            Self::Ratio => percent(value),
        }
    }
}

/// A duration in its most readable unit.
fn seconds(value: f64) -> String {
    match value {
        v if v < 120.0 => latency(v),
        v if v < 7200.0 => format!("{:.0}m", v / 60.0),
        v if v < 172_800.0 => format!("{:.0}h", v / 3600.0),
        v => format!("{:.0}d", v / 86_400.0),
    }
}

impl Up {
    /// An expression with 1 or 0 for each server.
    pub(in crate::backend) fn expr(&self, fill: QueryFill<'_>) -> String {
        let own = self.expr.as_deref().unwrap_or("min by ($by) ($metric{$selector})");
        substitute_by(own, fill, &self.labels, &self.metric)
    }
}

impl OwnSignal {
    /// The metric whose labels identify the service.
    pub(in crate::backend) fn first(&self) -> &str {
        self.metrics.first().map_or("", |metric| metric)
    }

    /// An expression for the worst values of each service; for all values if the entry provides host names.
    pub(in crate::backend) fn expr(&self, fill: QueryFill<'_>) -> String {
        let expr = substitute_by(&self.expr, fill, &self.labels, self.first());
        if self.host.is_some() {
            return expr;
        }
        let worst = if self.low { "bottomk" } else { "topk" };
        format!("{worst} by ({}) ({WORST}, {expr})", fill.by)
    }

    /// The health for a value; `None` if the value is within the limits or there are no limits.
    pub(in crate::backend) fn health(&self, value: f64) -> Option<Health> {
        let is_bad = |limit: &f64| if self.low { value <= *limit } else { value >= *limit };
        let critical = self.critical.as_ref().filter(|limit| is_bad(limit)).map(|_| Health::Critical);
        critical.or_else(|| self.degraded.as_ref().filter(|limit| is_bad(limit)).map(|_| Health::Degraded))
    }

    /// The text for a value, and the labels that occur in that text.
    pub(in crate::backend) fn words<'a>(
        &self,
        value: f64,
        label: impl Fn(&str) -> &'a str,
    ) -> (String, Vec<&str>) {
        let value = self.unit.words(value);
        let Some(own) = &self.words else { return (format!("{} {value}", self.name), Vec::new()) };
        let mut words = own.replace("{value}", &value);
        let mut used = Vec::new();
        for name in &self.labels {
            let placeholder = format!("{{{name}}}");
            if words.contains(&placeholder) {
                words = words.replace(&placeholder, label(name));
                used.push(name.as_str());
            }
        }
        (words, used)
    }
}
