//! The description of the kind `prometheus` for the configuration.

use super::ANSWERS;
use crate::config::kind::{Address, Flag, KindSpec, NoOptions, Options, Scheme};
use crate::model::action::WriteSupport;

/// Prometheus and servers with its API.
pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "prometheus",
    title: "Prometheus",
    summary: "also Thanos, Mimir, VictoriaMetrics",
    about: "Services with their signals, SLOs, rules and charts. A server with several tenants needs `tenant`.",
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
    writes: WriteSupport::NONE,
    flag: Some(Flag { source: "prom", example: "http://localhost:9090" }),
    options: Options::of::<NoOptions>(),
};
