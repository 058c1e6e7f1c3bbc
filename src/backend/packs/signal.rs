//! What packs say beside the golden signals: servers behind exporters, and signals with words of their own.

use serde::Deserialize;

use super::{QueryFill, grouping, substitute};
use crate::model::health::{Health, latency, percent};

/// Of one service so many of the worst values of a signal are asked for.
const WORST: u32 = 10;

/// Servers that an exporter speaks of: 1 is up, 0 is down.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backend) struct Up {
    /// The metric; must exist. Its labels tell the service.
    pub(in crate::backend) metric: String,
    /// More metrics that must exist for the entry to be used.
    #[serde(default)]
    pub(super) needs: Vec<String>,
    /// What is wrong with one that is down, in words: `Redis does not answer`.
    pub(in crate::backend) says: String,
    /// Labels that tell one server from another.
    #[serde(default = "instance")]
    pub(in crate::backend) labels: Vec<String>,
    /// How bad it is if some are down and others are not.
    #[serde(default)]
    pub(in crate::backend) partly: LevelSignal,
    /// 1 or 0 for each server, where the metric alone is not that.
    pub(super) expr: Option<String>,
    /// As its pack says.
    #[serde(skip)]
    pub(in crate::backend) only_known: bool,
}

/// A signal with words of its own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backend) struct OwnSignal {
    /// What it is about: `replication lag`.
    pub(in crate::backend) name: String,
    /// All must exist; the first one's labels tell the service.
    pub(in crate::backend) metrics: Vec<String>,
    /// The value.
    pub(super) expr: String,
    /// Labels that tell the host and the part of it, kept beside the service's.
    #[serde(default)]
    pub(in crate::backend) labels: Vec<String>,
    /// The unit of the value.
    #[serde(default)]
    unit: SignalMeasure,
    /// From which value on it makes its service degraded.
    degraded: Option<f64>,
    /// From which value on it makes its service critical.
    critical: Option<f64>,
    /// It is bad when it is low: at or below the values, not at or above.
    #[serde(default)]
    low: bool,
    /// The words, with `{value}` and labels in braces; without it the name and the value.
    words: Option<String>,
    /// The label that says what people call the host; the entry tells that and nothing else.
    pub(in crate::backend) host: Option<String>,
    /// As its pack says.
    #[serde(skip)]
    pub(in crate::backend) only_known: bool,
}

fn instance() -> Vec<String> {
    vec!["instance".into()]
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::backend) enum LevelSignal {
    #[default]
    Degraded,
    Critical,
}

impl LevelSignal {
    /// As a verdict.
    pub(in crate::backend) const fn health(self) -> Health {
        match self {
            Self::Degraded => Health::Degraded,
            Self::Critical => Health::Critical,
        }
    }
}

/// In what a signal is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub(in crate::backend) enum SignalMeasure {
    /// A plain number.
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
    /// 0 to 1.
    #[serde(rename = "ratio")]
    Ratio,
}

impl SignalMeasure {
    /// The value in words.
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

fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 99.5 || (v - v.round()).abs() < 0.005 => format!("{value:.0}"),
        v if v >= 9.95 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn seconds(value: f64) -> String {
    match value {
        v if v < 120.0 => latency(v),
        v if v < 7200.0 => format!("{:.0}m", v / 60.0),
        v if v < 172_800.0 => format!("{:.0}h", v / 3600.0),
        v => format!("{:.0}d", v / 86_400.0),
    }
}

fn bytes(value: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut left, mut unit) = (value, 0);
    while left.abs() >= 1024.0 && unit + 1 < units.len() {
        left /= 1024.0;
        unit += 1;
    }
    format!("{} {}", short(left), units.get(unit).copied().unwrap_or_default())
}

impl Up {
    /// 1 or 0 for each server.
    pub(in crate::backend) fn expr(&self, fill: QueryFill<'_>) -> String {
        let by = grouping(fill.by, self.labels.iter().map(String::as_str));
        let own = self.expr.as_deref().unwrap_or("min by ($by) ($metric{$selector})");
        substitute(own, QueryFill { by: &by, ..fill }, &self.metric)
    }

    /// All metrics that must exist.
    pub(in crate::backend) fn metrics(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.metric).chain(&self.needs)
    }
}

impl OwnSignal {
    /// The worst values of each service; all of them where they tell the names of hosts.
    pub(in crate::backend) fn expr(&self, fill: QueryFill<'_>) -> String {
        let by = grouping(fill.by, self.labels.iter().map(String::as_str));
        let metric = self.metrics.first().map_or("", |metric| metric);
        let expr = substitute(&self.expr, QueryFill { by: &by, ..fill }, metric);
        if self.host.is_some() {
            return expr;
        }
        let worst = if self.low { "bottomk" } else { "topk" };
        format!("{worst} by ({}) ({WORST}, {expr})", fill.by)
    }

    /// How bad a value is; `None`: well, or only worth telling.
    pub(in crate::backend) fn health(&self, value: f64) -> Option<Health> {
        let is_bad = |limit: &f64| if self.low { value <= *limit } else { value >= *limit };
        let critical = self.critical.as_ref().filter(|limit| is_bad(limit)).map(|_| Health::Critical);
        critical.or_else(|| self.degraded.as_ref().filter(|limit| is_bad(limit)).map(|_| Health::Degraded))
    }

    /// The value in words, and which of the labels stand in them already.
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
