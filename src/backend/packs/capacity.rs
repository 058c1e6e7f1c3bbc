//! Resources with a limit, and deadlines, whose end is forecast.

use std::time::Duration;

use serde::Deserialize;

use super::{QueryFill, substitute_by};
use crate::model::capacity::CapacityUnit;

/// A resource that can become full, or a deadline. Exactly one of `used` and `ends` is given.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::backend) struct CapacityEntry {
    /// What it is: `disk`.
    pub(in crate::backend) resource: String,
    /// All must exist; the labels of the first one identify the service.
    pub(in crate::backend) metrics: Vec<String>,
    /// The usage of each resource.
    pub(super) used: Option<String>,
    /// The limit of each resource, with the same labels; without it, the usage is shown without a forecast.
    pub(super) limit: Option<String>,
    /// The end as Unix time in seconds, for a deadline.
    pub(super) ends: Option<String>,
    /// Labels that identify the host and the resource on it, kept in addition to the service's.
    #[serde(default)]
    pub(in crate::backend) labels: Vec<String>,
    /// Labels that name the service, instead of those of the pack.
    #[serde(default)]
    pub(in crate::backend) service_labels: Vec<String>,
    #[serde(default)]
    unit: AmountUnit,
    /// Whether the service is degraded when the resource is soon full or over.
    #[serde(default = "yes")]
    pub(in crate::backend) warn: bool,
}

/// The unit of a usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
enum AmountUnit {
    #[default]
    #[serde(rename = "")]
    Count,
    #[serde(rename = "bytes")]
    Bytes,
    #[serde(rename = "ratio")]
    Ratio,
}

const fn yes() -> bool {
    true
}

/// The expressions of an entry, with their placeholders filled in.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::backend) enum CapacityQueries {
    Usage { used: String, limit: Option<String> },
    Deadline(String),
}

impl CapacityEntry {
    pub(in crate::backend) const fn unit(&self) -> CapacityUnit {
        match self.unit {
            AmountUnit::Count => CapacityUnit::Count,
            AmountUnit::Bytes => CapacityUnit::Bytes,
            AmountUnit::Ratio => CapacityUnit::Ratio,
        }
    }

    /// The metric whose labels identify the service.
    pub(in crate::backend) fn first(&self) -> &str {
        self.metrics.first().map_or("", |metric| metric)
    }

    /// The expressions; `None` if the entry has neither usage nor deadline, which reading a pack refuses.
    pub(in crate::backend) fn queries(&self, fill: QueryFill<'_>) -> Option<CapacityQueries> {
        let filled = |expr: &String| substitute_by(expr, fill, &self.labels, self.first());
        match (&self.used, &self.ends) {
            (Some(used), _) => {
                Some(CapacityQueries::Usage { used: filled(used), limit: self.limit.as_ref().map(filled) })
            }
            (None, Some(ends)) => Some(CapacityQueries::Deadline(filled(ends))),
            (None, None) => None,
        }
    }

    pub(super) fn exprs(&self) -> impl Iterator<Item = &String> {
        self.used.iter().chain(&self.limit).chain(&self.ends)
    }

    /// What is wrong with the combination of expressions.
    pub(super) fn problem(&self) -> Option<&'static str> {
        match (&self.used, &self.limit, &self.ends) {
            (Some(_), _, Some(_)) => Some("has both `used` and `ends`"),
            (None, _, None) => Some("needs `used` or `ends`"),
            (None, Some(_), Some(_)) => Some("has a `limit`, but no `used`"),
            (Some(_), _, None) | (None, None, Some(_)) => None,
        }
    }
}

impl CapacityQueries {
    /// An expression for those usages that may reach their limit within `horizon`, judged coarsely by the server: those that are
    /// nearly full, and those whose growth over the last two hours or the last day would fill them. For a deadline, those within
    /// `ends`. `None` without a limit.
    pub(in crate::backend) fn candidates(&self, horizon: Duration, ends: Duration) -> Option<String> {
        match self {
            Self::Usage { limit: None, .. } => None,
            Self::Usage { used, limit: Some(limit) } => {
                let ahead = horizon.as_secs();
                let grown = |range| format!("(({used}) + {ahead} * deriv(({used})[{range}]) >= ({limit}))");
                let (recent, day) = (grown("2h:5m"), grown("1d:1h"));
                Some(format!("{recent} or {day} or (({used}) >= 0.9 * ({limit}))"))
            }
            Self::Deadline(at) => Some(format!("({at}) < time() + {}", ends.as_secs())),
        }
    }
}
