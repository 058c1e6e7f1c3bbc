//! A Loki that keeps lines.

use serde_json::{Value, json};

use crate::backend::kit::double::{CannedResponse, ReceivedRequest};

/// A Loki that keeps lines: streams with their lines, each with its nanoseconds.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) streams: Vec<(Value, Vec<(i128, String)>)>,
    /// The most lines that it gives; more is an error, as in Loki.
    pub(super) most: usize,
}

impl Kept {
    pub(super) fn answer(&self, asked: &ReceivedRequest) -> CannedResponse {
        let number = |name: &str| asked.parameter(name).parse::<i128>().unwrap();
        let text = |status, words: &str| CannedResponse::new(status, "text/plain; charset=utf-8", words);
        match asked.path.trim_start_matches("/loki/api/v1/") {
            "labels" => {
                let names: std::collections::BTreeSet<&String> =
                    self.streams.iter().flat_map(|(labels, _)| labels.as_object().unwrap().keys()).collect();
                CannedResponse::json(&json!({"status": "success", "data": names}).to_string())
            }
            "series" => {
                let matchers: Vec<&String> = asked
                    .parameters
                    .iter()
                    .filter(|(name, _)| name == "match[]")
                    .map(|(_, value)| value)
                    .collect();
                let fits = |labels: &Value| matchers.iter().any(|matcher| selects(matcher, labels));
                let found: Vec<&Value> =
                    self.streams.iter().map(|(labels, _)| labels).filter(|l| fits(l)).collect();
                CannedResponse::json(&json!({"status": "success", "data": found}).to_string())
            }
            "status/buildinfo" => CannedResponse::json(r#"{"version":"3.4.1"}"#),
            "query_range" => {
                assert_eq!(asked.header("x-loki-response-encoding-flags"), Some("categorize-labels"));
                let (limit, query) = (usize::try_from(number("limit")).unwrap(), asked.parameter("query"));
                if limit > self.most {
                    return text(
                        400,
                        &format!(
                            "max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {})",
                            self.most
                        ),
                    );
                }
                let (from, until) = (number("start"), number("end"));
                let backward = asked.parameter("direction") == "backward";
                let (selector, filter) = query.split_once(" |= ").unwrap_or((query, ""));
                let filter: String = serde_json::from_str(filter).unwrap_or_default();
                let mut all: Vec<(&Value, &(i128, String))> = self
                    .streams
                    .iter()
                    .filter(|(labels, _)| selects(selector, labels))
                    .flat_map(|(labels, lines)| lines.iter().map(move |line| (labels, line)))
                    .filter(|(_, (at, line))| (from..until).contains(at) && line.contains(&filter))
                    .collect();
                all.sort_by_key(|(_, (at, _))| if backward { -at } else { *at });
                all.truncate(limit);
                let mut result: Vec<Value> = Vec::new();
                // streams come in no order
                for (labels, _) in self.streams.iter().rev() {
                    let values: Vec<Value> = all
                        .iter()
                        .filter(|(of, _)| of == &labels)
                        .map(|(_, (at, line))| json!([at.to_string(), line, {"structuredMetadata": {"detected_level": "info"}}]))
                        .collect();
                    if !values.is_empty() {
                        result.push(json!({"stream": labels, "values": values}));
                    }
                }
                CannedResponse::json(
                    &json!({"status": "success", "data": {"resultType": "streams", "result": result}})
                        .to_string(),
                )
            }
            other => text(404, &format!("404 page not found: {other}")),
        }
    }
}

/// Whether a selector such as `{a="b", c="d"}` selects these labels.
fn selects(selector: &str, labels: &Value) -> bool {
    selector.trim_matches(['{', '}']).split(", ").all(|matcher| {
        let (name, value) = matcher.split_once('=').unwrap();
        labels[name] == serde_json::from_str::<Value>(value).unwrap()
    })
}
