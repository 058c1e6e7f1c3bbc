//! The description of the kind `victorialogs` for the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ANSWERS;
use crate::backend::logs::labels::{LogLabelMap, usual};
use crate::config::kind::{Flag, KindSpec, Options, OwnSettings};

pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "victorialogs",
    title: "VictoriaLogs",
    summary: "log lines",
    about: "Log lines of services and alerts (`L`, `burnwatch logs`). From the labels of a service or an alert, the query is found by
`labels`: all fields that may stand for a label are tried once, and the query is shown. Every query has a start, an end, a limit and a
time-out. Behind vmauth the URL has its prefix. A cluster needs `account_id` and `project_id`.",
    example: r#"
[sources.vlogs]
kind = "victorialogs"
url = "https://vlogs.example.net"
account_id = 12
project_id = 3
# The names that log lines have for a label of services and alerts, the likeliest first; other labels keep their defaults.
labels.service = ["service", "kubernetes.container_name"]
# The fields that hold the severity and the text of a line.
level_field = "level"
message_field = "_msg"
"#,
    flag: Some(Flag { source: "vlogs", example: "http://localhost:9428" }),
    ..KindSpec::reading(ANSWERS, Options::of::<Settings>())
};

/// The options of VictoriaLogs.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// For each label of services and alerts the names that log lines may have for it, the likeliest first. Labels that are not
    /// named here have their usual names.
    #[serde(deserialize_with = "crate::backend::logs::labels::over_usual")]
    pub(super) labels: LogLabelMap,
    /// The field that holds the severity.
    pub(super) level_field: String,
    /// The field that holds the text of a line.
    pub(super) message_field: String,
    /// The account of the tenant, sent as `AccountID`; the server's default is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) account_id: Option<u32>,
    /// The project of the tenant, sent as `ProjectID`; the server's default is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) project_id: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            labels: usual(),
            level_field: "level".to_owned(),
            message_field: "_msg".to_owned(),
            account_id: None,
            project_id: None,
        }
    }
}

impl OwnSettings for Settings {
    fn failures(&self) -> Vec<(&'static str, String)> {
        let named = [("level_field", &self.level_field), ("message_field", &self.message_field)];
        let empty = named.into_iter().filter(|(_, name)| name.trim().is_empty());
        empty.map(|(key, _)| (key, "must name a field".to_owned())).collect()
    }
}
