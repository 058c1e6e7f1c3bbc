//! Hints about valid queries that probably do not mean what they say, each with its place and what to write instead.
//!
//! A hint is given only if the text, the metric's declared type or the scrape interval shows the mistake. A query that only the
//! server understands has no hints.

mod bounds;
mod labels;
mod rules;

use std::time::Duration;

pub(super) use labels::{is_set, keeps_series};

use super::super::metric::{MetricCatalog, MetricType};
use super::super::words::words;
use super::tree::SelectorNode;
use super::{QueryParseError, QueryRemark};

words! {
    /// The kinds of hints.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum LintRule: word {
        RateOfGauge = "rate-of-gauge",
        RawCounter = "raw-counter",
        DroppedLabel = "dropped-label",
        NoBuckets = "no-buckets",
        ShortWindow = "short-window",
        PlainPattern = "plain-pattern",
        ImpossibleMatcher = "impossible-matcher",
        NeverTrue = "never-true",
        DivisionByZero = "division-by-zero",
        MeanOfQuantiles = "mean-of-quantiles",
    }
}

/// A hint about a valid query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryLint {
    pub rule: LintRule,
    /// What is probably wrong, and where.
    pub remark: QueryRemark,
    /// What to write instead.
    pub fix: String,
}

/// What is known about the server that the query is for.
#[derive(Debug, Clone, Copy, Default)]
pub struct LintContext<'a> {
    /// Its metrics with their types.
    pub metrics: Option<&'a MetricCatalog>,
    /// The scrape interval, if it is known.
    pub scrape_interval: Option<Duration>,
}

impl LintContext<'_> {
    /// The type of a metric: declared, or `counter` by the suffix that the naming conventions reserve for it. `None`: unknown.
    /// Names of recorded series, which contain a colon, say nothing.
    fn kind(&self, name: &str) -> Option<MetricType> {
        if name.contains(':') {
            return None;
        }
        let declared = self.metrics.and_then(|metrics| metrics.get(name)).map(|metric| metric.kind);
        let declared = declared.filter(|kind| *kind != MetricType::Unknown);
        declared.or_else(|| name.ends_with("_total").then_some(MetricType::Counter))
    }

    fn is_counter(&self, selector: &SelectorNode) -> bool {
        selector.name.as_ref().is_some_and(|name| self.kind(name) == Some(MetricType::Counter))
    }
}

/// The hints about a query, in the order of their places.
///
/// # Errors
/// [`QueryParseError::Refused`] if Prometheus rejects the query, [`QueryParseError::Unknown`] if only the server can check it.
pub fn lint(expr: &str, cx: &LintContext<'_>) -> Result<Vec<QueryLint>, QueryParseError> {
    // compiles the patterns, and finds matchers that cannot match
    let remarks = super::check(expr)?;
    let tree = super::syntax(expr)?;
    let fix = "Write the bound as its series have it, such as le=\"0.25\".".to_owned();
    let mut lints: Vec<QueryLint> = remarks
        .into_iter()
        .map(|remark| QueryLint { rule: LintRule::ImpossibleMatcher, remark, fix: fix.clone() })
        .collect();
    lints.extend(rules::all(&tree, cx));
    lints.sort_by_key(|lint| (lint.remark.line, lint.remark.column, lint.rule));
    lints.dedup();
    Ok(lints)
}

#[cfg(test)]
mod tests;
