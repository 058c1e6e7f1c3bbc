//! Which metrics of the packs a server has.

use std::collections::{BTreeSet, HashSet};

use futures_util::future::join_all;

use super::Plan;
use crate::backend::packs::{Latency, is_name};
use crate::backend::prometheus::call::Call;
use crate::model::labels::Text;
use crate::model::promql::quoted;
use crate::model::source::{SourceError, Trouble};

/// Which of the packs' metrics there are.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    there: HashSet<Text>,
    /// Names and patterns of which nobody knows: whoever looks for their series will see.
    untold: HashSet<String>,
}

impl Metrics {
    /// Whether there is a metric of this name, or one that this pattern matches; also if that could not be found out.
    pub(super) fn may_have(&self, metric: &str) -> bool {
        if self.untold.contains(metric) {
            return true;
        }
        if is_name(metric) {
            return self.there.contains(metric);
        }
        let pattern = regex::Regex::new(&format!("^(?:{metric})$"));
        pattern.is_ok_and(|pattern| self.there.iter().any(|name| pattern.is_match(name)))
    }
}

/// So many names are asked for at once where the server refuses to look for all.
const PART: usize = 8;

/// Looks for the packs' metrics, in parts if they are too much at once.
pub(super) async fn existing(call: &Call<'_>, plan: &Plan) -> Result<Metrics, SourceError> {
    let names: BTreeSet<String> = plan
        .packs
        .iter()
        .flat_map(|pack| {
            let latency = pack.latency.iter().map(Latency::metric);
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
        Ok(there) => return Ok(Metrics { there, untold: HashSet::new() }),
        Err(error) if !is_too_much(&error) => return Err(error),
        Err(error) => error,
    };
    let parts: Vec<&[String]> = names.chunks(PART).collect();
    let told = join_all(parts.iter().map(|part| of(part))).await;
    if told.iter().all(Result::is_err) {
        return Err(error);
    }
    let mut metrics = Metrics::default();
    for (part, told) in parts.into_iter().zip(told) {
        match told {
            Ok(there) => metrics.there.extend(there),
            Err(_) => metrics.untold.extend(part.iter().cloned()),
        }
    }
    Ok(metrics)
}

/// Whether less of the same may be answered.
pub(super) fn is_too_much(error: &SourceError) -> bool {
    matches!(
        error.trouble,
        Trouble::BadQuery { .. }
            | Trouble::TooLarge { .. }
            | Trouble::TimedOut { .. }
            | Trouble::Refused { status: 413 | 422 | 500..=599, .. }
    )
}
