//! The description of the kind `elasticsearch` for the configuration.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ANSWERS;
use crate::backend::logs::labels::{LogLabelMap, ecs};
use crate::config::kind::{Flag, KeyHeader, KindSpec, Options, OwnSettings, Scheme};

pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "elasticsearch",
    title: "Elasticsearch",
    summary: "log lines, also of OpenSearch",
    about: "Log lines of services and alerts (`L`, `burnwatch logs`) in Elasticsearch 7, 8 or 9 or in OpenSearch. From the labels of a
service or an alert, the query is found by `labels`: the fields that the indices have and that may stand for a label are tried once,
and the query is shown; it is in the query string syntax (Lucene), as are queries that you write. Only searches, the types of fields
and the version are asked for. An API key is sent by `auth.token` (its encoded form), a user and password by `auth.basic`; for
OpenSearch on AWS there is `auth.sigv4`.",
    example: r#"
[sources.elastic]
kind = "elasticsearch"
url = "https://elastic.example.net:9200"
auth.token = { env = "ELASTIC_API_KEY" }
# The indices, data streams or aliases that have the log lines.
index = "logs-*,filebeat-*"
# The fields that log lines have for a label of services and alerts, the likeliest first; other labels keep their defaults.
labels.service = ["service.name", "kubernetes.labels.app"]
# The field that holds the time of a line.
time_field = "@timestamp"
# The fields that hold the severity and the text of a line, the likeliest first.
level_fields = ["log.level", "level"]
message_fields = ["message"]
# A field that differs for each line, for moments with more lines than one answer has.
tiebreaker = "event.sequence"
"#,
    flag: Some(Flag { source: "elastic", example: "http://localhost:9200" }),
    auth: &Scheme::any_or(KeyHeader { name: "Authorization", prefix: "ApiKey " }),
    ..KindSpec::reading(ANSWERS, Options::of::<Settings>())
};

/// The options of Elasticsearch.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// The indices, data streams or aliases that have the log lines, separated by commas; `*` stands for any text.
    pub(super) index: String,
    /// For each label of services and alerts the fields that log lines may have for it, the likeliest first. Labels that are not named
    /// here have their usual fields, those of the Elastic Common Schema first.
    #[serde(deserialize_with = "crate::backend::logs::labels::over_ecs")]
    pub(super) labels: LogLabelMap,
    /// The field that holds the time of a line.
    pub(super) time_field: String,
    /// The fields that may hold the severity, the likeliest first.
    pub(super) level_fields: Vec<String>,
    /// The fields that may hold the text of a line, the likeliest first.
    pub(super) message_fields: Vec<String>,
    /// A field by which lines of the same moment are sorted, so that more of them than one answer has can be read; `_doc` is their
    /// order in the index.
    pub(super) tiebreaker: String,
}

impl Default for Settings {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            index: "logs-*,filebeat-*,logstash-*".to_owned(),
            labels: ecs(),
            time_field: "@timestamp".to_owned(),
            level_fields: owned(&["log.level", "level", "severity_text", "severity", "loglevel"]),
            message_fields: owned(&["message", "body.text", "body", "msg", "log", "event.original"]),
            tiebreaker: "_doc".to_owned(),
        }
    }
}

impl OwnSettings for Settings {
    fn failures(&self) -> Vec<(&'static str, String)> {
        let is_wrong =
            |c: char| c.is_whitespace() || matches!(c, '/' | '\\' | '?' | '#' | '"' | '<' | '>' | '|');
        let index = self.index.trim();
        let is_path =
            index.is_empty() || index.contains(is_wrong) || index.split(',').any(|one| one.starts_with('_'));
        let words = || format!("must name indices such as \"logs-*\", not {:?}", self.index);
        let of_index = is_path.then(|| ("index", words()));
        let named = [("time_field", &self.time_field), ("tiebreaker", &self.tiebreaker)];
        let empty = named.into_iter().filter(|(_, name)| name.trim().is_empty());
        let empty = empty.map(|(key, _)| (key, "must name a field".to_owned()));
        let lists = [("message_fields", &self.message_fields)];
        let none = lists.into_iter().filter(|(_, names)| names.iter().all(|name| name.trim().is_empty()));
        let none = none.map(|(key, _)| (key, "must name at least one field".to_owned()));
        of_index.into_iter().chain(empty).chain(none).collect()
    }
}
