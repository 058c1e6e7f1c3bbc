//! The description of the kind `prometheus` for the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ANSWERS;
use crate::config::kind::{Flag, KindSpec, Options, OwnSettings};

/// Prometheus and servers with its API.
pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "prometheus",
    title: "Prometheus",
    summary: "also Thanos, Mimir, VictoriaMetrics",
    about: "Services with their signals, SLOs, rules and charts. A server with several tenants needs `tenant`.
A server behind Grafana has the address of Grafana's proxy (`/api/datasources/proxy/uid/UID`); where that is forbidden, the address of
Grafana itself and `grafana_data_source`.",
    example: r#"
[sources.mimir]
kind = "prometheus"
url = "https://mimir.example.net/prometheus"
tenant = "team-a"
auth.bearer = { env = "MIMIR_TOKEN" }

[sources.behind-grafana]
kind = "prometheus"
url = "https://grafana.example.net"
# For a Grafana whose proxy is forbidden: the uid of its data source.
grafana_data_source = "P1809F7CD0C75ACF3"
auth.bearer = { env = "GRAFANA_TOKEN" }
"#,
    flag: Some(Flag { source: "prom", example: "http://localhost:9090" }),
    ..KindSpec::reading(ANSWERS, Options::of::<Settings>())
};

/// The options of Prometheus.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// The uid of a data source of Grafana: `url` is the address of Grafana, queries go to its `/api/ds/query`, and all other
    /// requests to the resources of the data source. For a Grafana whose proxy is forbidden.
    pub(super) grafana_data_source: Option<String>,
}

impl OwnSettings for Settings {
    fn failures(&self) -> Vec<(&'static str, String)> {
        let is_empty = self.grafana_data_source.as_deref().is_some_and(|uid| uid.trim().is_empty());
        is_empty
            .then(|| ("grafana_data_source", "is empty; it is the uid of a data source".to_owned()))
            .into_iter()
            .collect()
    }
}
