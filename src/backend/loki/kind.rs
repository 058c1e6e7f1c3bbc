//! The description of the kind `loki` for the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ANSWERS;
use crate::backend::logs::labels::{LogLabelMap, usual};
use crate::config::kind::{Flag, KindSpec, Options, OwnSettings};
use crate::model::log::LARGEST_PAGE;

pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "loki",
    title: "Loki",
    summary: "log lines, also of Grafana Cloud",
    about: "Log lines of services and alerts (`L`, `burnwatch logs`). From the labels of a service or an alert, the query is found by
`labels`: each name that may stand for a label is tried against the streams once, and the query is shown. Lines are read in pages by
their nanoseconds; new ones are asked for every two seconds, without a WebSocket. A server with several tenants needs `tenant`.",
    example: r#"
[sources.loki]
kind = "loki"
url = "https://loki.example.net"
tenant = "team-a"
auth.basic = { user = "12345", password = { env = "LOKI_TOKEN" } }
# The names that log lines have for a label of services and alerts, the likeliest first; other labels keep their defaults.
labels.service = ["service_name", "app"]
# The most lines that the server gives in one answer (`max_entries_limit_per_query`).
max_lines = 5000
# The labels that hold the severity, tried in this order to count lines by severity.
level_labels = ["detected_level", "level", "severity"]
"#,
    flag: Some(Flag { source: "loki", example: "http://localhost:3100" }),
    ..KindSpec::reading(ANSWERS, Options::of::<Settings>())
};

/// The options of Loki.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// For each label of services and alerts the names that log lines may have for it, the likeliest first. Labels that are not
    /// named here have their usual names.
    #[serde(deserialize_with = "crate::backend::logs::labels::over_usual")]
    pub(super) labels: LogLabelMap,
    /// The labels that hold the severity, tried in this order to count lines by severity.
    pub(super) level_labels: Vec<String>,
    /// The most lines that the server gives in one answer.
    pub(super) max_lines: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let levels = ["detected_level", "level", "severity"];
        Self {
            labels: usual(),
            level_labels: levels.iter().map(|level| (*level).to_owned()).collect(),
            max_lines: LARGEST_PAGE,
        }
    }
}

impl OwnSettings for Settings {
    fn failures(&self) -> Vec<(&'static str, String)> {
        let is_name = |name: &String| crate::model::promql::is_plain_name(name);
        let wrong = self.labels.values().flatten().find(|name| !is_name(&name.replace(['.', '-'], "_")));
        let of_labels = wrong.map(|name| ("labels", format!("has {name:?}, which is no name of a label")));
        let wrong = self.level_labels.iter().find(|name| !is_name(name));
        let of_levels =
            wrong.map(|name| ("level_labels", format!("has {name:?}, which is no name of a label")));
        let of_lines = (self.max_lines == 0).then(|| ("max_lines", "must be at least 1".to_owned()));
        of_labels.into_iter().chain(of_levels).chain(of_lines).collect()
    }
}
