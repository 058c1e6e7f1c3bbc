//! Which metrics of the packs a server has.

use std::collections::{BTreeSet, HashSet};

use futures_util::future::join_all;

use super::DiscoveryPlan;
use crate::backend::packs::{LatencySignal, is_name};
use crate::backend::prometheus::call::QuestionRequests;
use crate::model::labels::Text;
use crate::model::promql::quoted;
use crate::model::source::{ErrorKind, SourceError};

/// Which of the packs' metrics there are.
#[derive(Debug, Default)]
pub(super) struct KnownMetrics {
    existing_names: HashSet<Text>,
    /// Names and patterns of which nobody knows: whoever looks for their series will see.
    unknown_names: HashSet<String>,
}

impl KnownMetrics {
    /// Whether there is a metric of this name, or one that this pattern matches; also if that could not be found out.
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

/// So many names are asked for at once where the server refuses to look for all.
const PART: usize = 8;

/// Looks for the packs' metrics, in parts if they are too much at once.
pub(super) async fn existing_metrics(
    call: &QuestionRequests<'_>,
    plan: &DiscoveryPlan,
) -> Result<KnownMetrics, SourceError> {
    let names: BTreeSet<String> = plan
        .packs
        .iter()
        .flat_map(|pack| {
            let latency = pack.latency.iter().map(LatencySignal::metric);
            let all = pack.requests.iter().flat_map(|requests| requests.metrics().cloned()).chain(latency);
            let all = all.chain(pack.saturation.iter().flat_map(|s| s.metrics.clone()));
            let all = all.chain(pack.up.iter().flat_map(|up| up.metrics().cloned()));
            all.chain(pack.signal.iter().flat_map(|signal| signal.metrics.clone()))
        })
        .collect();
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
    let told = join_all(parts.iter().map(|part| of(part))).await;
    if told.iter().all(Result::is_err) {
        return Err(error);
    }
    let mut metrics = KnownMetrics::default();
    for (part, told) in parts.into_iter().zip(told) {
        match told {
            Ok(existing_names) => metrics.existing_names.extend(existing_names),
            Err(_) => metrics.unknown_names.extend(part.iter().cloned()),
        }
    }
    Ok(metrics)
}

/// Whether less of the same may be answered.
pub(super) fn is_too_much(error: &SourceError) -> bool {
    matches!(
        error.trouble,
        ErrorKind::BadQuery { .. }
            | ErrorKind::TooLarge { .. }
            | ErrorKind::TimedOut { .. }
            | ErrorKind::Refused { status: 413 | 422 | 500..=599, .. }
    )
}
