//! The description of the kind `prometheus` for the configuration.

use super::ANSWERS;
use crate::config::kind::{Flag, KindSpec, NoOptions, Options};

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
    flag: Some(Flag { source: "prom", example: "http://localhost:9090" }),
    ..KindSpec::reading(ANSWERS, Options::of::<NoOptions>())
};
