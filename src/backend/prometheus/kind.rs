//! What a configuration says of a Prometheus.

use std::sync::Arc;

use super::{ANSWERS, Prometheus};
use crate::backend::{Means, Source};
use crate::config::kind::{Address, Flag, KindSpec, NoOptions, Options, Scheme};
use crate::config::settings::SourceSettings;
use crate::model::source::{SourceError, SourceId};

/// Prometheus and what speaks its API.
pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "prometheus",
    title: "Prometheus",
    summary: "also Thanos, Mimir, VictoriaMetrics",
    about: "Services with their signals, SLOs, rules and charts. A server of several tenants wants a `tenant`.",
    example: r#"
[sources.mimir]
kind = "prometheus"
url = "https://mimir.example.net/prometheus"
tenant = "team-a"
auth.bearer = { env = "MIMIR_TOKEN" }
"#,
    address: Some(Address::Needed),
    is_https_only: false,
    auth: &Scheme::ANY,
    is_auth_needed: false,
    answers: ANSWERS,
    acts: &[],
    flag: Some(Flag { source: "prom", example: "http://localhost:9090" }),
    options: Options::of::<NoOptions>(),
};

/// Checks the address; nothing is sent.
///
/// # Errors
/// [`Trouble::Unreachable`](crate::model::source::Trouble::Unreachable) if the address is none.
pub(in crate::backend) fn connect(
    id: &SourceId,
    source: &SourceSettings,
    means: Means<'_>,
) -> Result<Arc<dyn Source>, SourceError> {
    Ok(Arc::new(Prometheus::new(id, source, means)?))
}
