//! Finds out which metrics of the packs exist on a server.

use std::collections::{BTreeSet, HashSet};

use futures_util::future::join_all;

use super::DiscoveryPlan;
use crate::backend::packs::{Pack, is_name};
use crate::backend::prometheus::call::QuestionRequests;
use crate::model::labels::Text;
use crate::model::promql::quoted;
use crate::model::source::{ErrorKind, SourceError};

#[derive(Debug, Default)]
pub(super) struct KnownMetrics {
    existing_names: HashSet<Text>,
    /// Names and patterns for which the query failed; their entries are looked up anyway.
    unknown_names: HashSet<String>,
}

impl KnownMetrics {
    /// Whether a metric with this name, or one that matches this pattern, exists; also true if that is not known.
    pub(super) fn may_have(&self, metric: &str) -> bool {
        if self.unknown_names.contains(metric) {
            return true;
        }
        if is_name(metric) {
            return self.existing_names.contains(metric);
        }
        let pattern = regex::Regex::new(&format!("^(?:{metric})$"));
        pattern.is_ok_and(|pattern| self.existing_names.iter().any(|name| pattern.is_match(name)))
    }
}

impl KnownMetrics {
    /// The metrics with this name or of this pattern; the name itself if it is not known whether it exists.
    pub(super) fn names_of(&self, metric: &str) -> Vec<Text> {
        if is_name(metric) {
            return if self.may_have(metric) { vec![metric.into()] } else { Vec::new() };
        }
        let Ok(pattern) = regex::Regex::new(&format!("^(?:{metric})$")) else { return Vec::new() };
        let mut names: Vec<Text> =
            self.existing_names.iter().filter(|name| pattern.is_match(name)).cloned().collect();
        names.sort_unstable();
        names
    }
}

/// The number of names in one query, if the server refuses a query with all names.
const PART: usize = 8;

/// Queries the metrics of the packs; in parts if one query is too much for the server.
pub(super) async fn existing_metrics(
    call: &QuestionRequests<'_>,
    plan: &DiscoveryPlan,
) -> Result<KnownMetrics, SourceError> {
    let entries = plan.packs.iter().flat_map(Pack::entries);
    let changes = plan.packs.iter().flat_map(|pack| &pack.change);
    let changes = changes.flat_map(|entry| entry.metrics.iter().chain(&entry.reason)).cloned();
    let capacities = plan.packs.iter().flat_map(|pack| &pack.capacity);
    let capacities = capacities.flat_map(|entry| entry.metrics.iter().cloned());
    let names: BTreeSet<String> =
        entries.flat_map(|entry| entry.metrics()).chain(changes).chain(capacities).collect();
    let names: Vec<String> = names.into_iter().collect();
    let of = async |names: &[String]| {
        let query = format!("count by (__name__) ({{__name__=~{}}})", quoted(&names.join("|")));
        let samples = call.instant(&query, None).await?;
        Ok(samples.iter().filter_map(|sample| sample.labels.get("__name__").cloned()).collect::<HashSet<_>>())
    };
    let error: SourceError = match of(&names).await {
        Ok(existing_names) => return Ok(KnownMetrics { existing_names, unknown_names: HashSet::new() }),
        Err(error) if !is_too_much(&error) => return Err(error),
        Err(error) => error,
    };
    let parts: Vec<&[String]> = names.chunks(PART).collect();
    let reported = join_all(parts.iter().map(|part| of(part))).await;
    if reported.iter().all(Result::is_err) {
        return Err(error);
    }
    let mut metrics = KnownMetrics::default();
    for (part, reported) in parts.into_iter().zip(reported) {
        match reported {
            Ok(existing_names) => metrics.existing_names.extend(existing_names),
            Err(_) => metrics.unknown_names.extend(part.iter().cloned()),
        }
    }
    Ok(metrics)
}

/// Whether a smaller query may succeed.
pub(super) fn is_too_much(error: &SourceError) -> bool {
    matches!(
        error.kind,
        ErrorKind::BadQuery { .. }
            | ErrorKind::TooLarge { .. }
            | ErrorKind::TimedOut { .. }
            | ErrorKind::Refused { status: 413 | 422 | 500..=599, .. }
    )
}
