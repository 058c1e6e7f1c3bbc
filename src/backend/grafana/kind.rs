//! The description of the kind `grafana` for the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ANSWERS;
use super::act::SUPPORT;
use super::services::ServiceQueries;
use crate::config::kind::{Flag, KindSpec, Options, OwnSettings};

pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "grafana",
    title: "Grafana",
    summary: "its data sources, dashboards, own alerts and annotations",
    about: "Grafana 11 to 13, also in Grafana Cloud and below a sub-path. One service account token (`auth.bearer`) is enough: with the role
Viewer burnwatch reads what the token's organisation sees; silences need the role Editor. What a token may not do is said where it
is missing, and the rest works. [sources/grafana.md](sources/grafana.md) lists the rights, and what is asked how often.",
    example: r#"
[sources.grafana]
kind = "grafana"
url = "https://grafana.example.net"
# The token of a service account (Administration, Users and access, Service accounts).
auth.bearer = { env = "GRAFANA_TOKEN" }
# The id of the organisation, if it is not the token's own.
organisation = 1
"#,
    writes: SUPPORT,
    flag: Some(Flag { source: "grafana", example: "http://localhost:3000" }),
    ..KindSpec::reading(ANSWERS, Options::of::<Settings>())
};

/// The options of Grafana.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// The id of the organisation, if it is not the token's own.
    pub(super) organisation: Option<u32>,
    /// Queries of data sources that give the signals of services, such as those of `CloudWatch`.
    pub(super) services: Vec<ServiceQueries>,
}

impl OwnSettings for Settings {
    fn failures(&self) -> Vec<(&'static str, String)> {
        let of_organisation =
            (self.organisation == Some(0)).then(|| ("organisation", "is 1 or more".to_owned()));
        let of_services =
            self.services.iter().filter_map(ServiceQueries::failure).map(|wrong| ("services", wrong));
        of_organisation.into_iter().chain(of_services).collect()
    }
}
