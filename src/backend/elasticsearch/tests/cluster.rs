//! A cluster that keeps documents.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{NOW, at};
use crate::backend::kit::double::{CannedResponse, Double, ReceivedRequest};

/// The documents of a cluster; each has its number in the order of the index as its id.
pub(super) struct Cluster {
    /// Milliseconds after [`NOW`], and the document without its time.
    pub(super) documents: Vec<(i64, Value)>,
    /// The most hits of one answer.
    pub(super) window: u64,
    pub(super) version: Value,
    /// `timed_out` and `_shards` of each answer.
    pub(super) state: Value,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            documents: Vec::new(),
            window: 10_000,
            version: json!({"number": "8.15.0"}),
            state: json!({"timed_out": false, "_shards": {"total": 3, "successful": 3, "failed": 0}}),
        }
    }
}

/// A document with its time and its number in the order of the index.
type Found<'a> = (i64, usize, &'a Value);

/// The error of a search, as the server writes it.
pub(super) fn refusal(status: u16, kind: &str, reason: &str) -> CannedResponse {
    let cause = json!({"type": kind, "reason": reason});
    let error = json!({
        "root_cause": [cause], "type": "search_phase_execution_exception", "reason": "all shards failed", "phase": "query",
        "failed_shards": [{"shard": 0, "index": "logs-a", "reason": cause}]});
    CannedResponse::new(status, "application/json", &json!({"error": error, "status": status}).to_string())
}

impl Cluster {
    pub(super) async fn start(self) -> (Double, Arc<Mutex<Self>>) {
        let kept = Arc::new(Mutex::new(self));
        let held = Arc::clone(&kept);
        (Double::start(move |asked| held.lock().unwrap().answer(asked)).await, kept)
    }

    fn answer(&self, asked: &ReceivedRequest) -> CannedResponse {
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/") => {
                CannedResponse::json(&json!({"cluster_name": "prod", "version": self.version}).to_string())
            }
            ("GET", "/logs-%2A/_field_caps" | "/logs-*/_field_caps") => {
                let keyword = json!({"keyword": {"type": "keyword", "aggregatable": true}});
                let known =
                    |name: &&str| ["service.name", "cloud.region", "app.keyword", "log.level"].contains(name);
                let mut fields: serde_json::Map<String, Value> = asked
                    .parameter("fields")
                    .split(',')
                    .filter(known)
                    .map(|name| (name.to_owned(), keyword.clone()))
                    .collect();
                for (name, kind) in
                    [("@timestamp", "date"), ("message", "text"), ("app", "text"), ("service", "object")]
                {
                    if asked.parameter("fields").split(',').any(|asked| asked == name) {
                        fields.insert(
                            name.to_owned(),
                            json!({kind: {"type": kind, "aggregatable": kind == "date"}}),
                        );
                    }
                }
                CannedResponse::json(&json!({"indices": ["logs-a", "logs-b"], "fields": fields}).to_string())
            }
            ("POST", "/logs-%2A/_search" | "/logs-*/_search") => self.search(&asked.json()),
            (_, path) => {
                let reason = format!("no such index [{}]", path.split('/').nth(1).unwrap());
                let cause = json!({"type": "index_not_found_exception", "reason": reason});
                let error =
                    json!({"root_cause": [cause], "type": "index_not_found_exception", "reason": reason});
                CannedResponse::new(
                    404,
                    "application/json",
                    &json!({"error": error, "status": 404}).to_string(),
                )
            }
        }
    }

    fn search(&self, search: &Value) -> CannedResponse {
        assert!(search["timeout"].as_str().unwrap().ends_with("ms") && search["track_total_hits"] == false);
        let size = search["size"].as_u64().unwrap();
        if size > self.window {
            let words = format!(
                "Result window is too large, from + size must be less than or equal to: [{}] but was [{size}]",
                self.window
            );
            return refusal(400, "illegal_argument_exception", &words);
        }
        let filters = search["query"]["bool"]["filter"].as_array().unwrap();
        let queries: Vec<&str> =
            filters.iter().filter_map(|filter| filter["query_string"]["query"].as_str()).collect();
        if queries.iter().any(|query| query.contains("(((")) {
            return refusal(400, "query_shard_exception", "Failed to parse query [(((]");
        }
        let range = &filters.last().unwrap()["range"]["@timestamp"];
        // a time is compared in milliseconds
        let time =
            |key: &str| range[key].as_str().unwrap().parse::<Timestamp>().unwrap().as_millisecond() - NOW;
        let fits = |document: &Value| queries.iter().all(|query| finds(query, document));
        let mut found: Vec<Found<'_>> = (0..)
            .zip(&self.documents)
            .filter(|(_, (at, document))| (time("gte")..time("lt")).contains(at) && fits(document))
            .map(|(number, (at, document))| (*at, number, document))
            .collect();
        let is_backward = search["sort"][0]["@timestamp"]["order"] == "desc";
        found.sort_by_key(|(at, number, _)| (*at, *number));
        if is_backward {
            found.reverse();
        }
        let aggregations: serde_json::Map<String, Value> = search["aggs"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, part)| (name.clone(), aggregation(part, &found)))
            .collect();
        if let Some(after) = search["search_after"].as_array() {
            let after =
                (after[0].as_i64().unwrap() - NOW, usize::try_from(after[1].as_u64().unwrap()).unwrap());
            found.retain(
                |(at, number, _)| if is_backward { (*at, *number) < after } else { (*at, *number) > after },
            );
        }
        found.truncate(usize::try_from(size).unwrap());
        let hits: Vec<Value> = found.iter().map(hit).collect();
        let mut answer = self.state.clone();
        answer["hits"] = json!({"hits": hits});
        answer["aggregations"] = Value::Object(aggregations);
        CannedResponse::json(&answer.to_string())
    }
}

pub(super) fn hit((time, number, document): &Found<'_>) -> Value {
    let mut source = (*document).clone();
    source["@timestamp"] = at(*time).to_string().into();
    json!({"_index": "logs-a", "_id": number.to_string(), "_source": source, "sort": [NOW + time, number],
           "fields": {"@timestamp": [at(*time).to_string()]}})
}

/// Whether a query such as `a:"b" AND (c:"d" OR e:"f")` finds a document; a text field by a part of its text.
fn finds(query: &str, document: &Value) -> bool {
    let value = |name: &str| {
        let name = name.trim_end_matches(".keyword").replace('\\', "");
        document[&name].as_str().map_or_else(String::new, str::to_owned)
    };
    query.split(" AND ").all(|all| {
        all.trim_matches(['(', ')']).split(" OR ").any(|one| match one.split_once(':') {
            Some(("message", text)) => {
                value("message").contains(&serde_json::from_str::<String>(text).unwrap())
            }
            Some((name, text)) => value(name) == serde_json::from_str::<String>(text).unwrap(),
            None => one == "*",
        })
    })
}

fn aggregation(part: &Value, found: &[Found<'_>]) -> Value {
    if let Some(bars) = part.get("date_histogram") {
        let number = |key: &str| bars[key].as_str().unwrap().trim_end_matches("ms").parse::<i64>().unwrap();
        let (step, offset) = (number("fixed_interval"), number("offset"));
        let begin = |time: i64| (NOW + time - offset).div_euclid(step) * step + offset;
        let mut buckets: Vec<(i64, Vec<Found<'_>>)> = Vec::new();
        for one in found.iter().rev() {
            match buckets.last_mut().filter(|(key, _)| *key == begin(one.0)) {
                Some((_, all)) => all.push(*one),
                None => buckets.push((begin(one.0), vec![*one])),
            }
        }
        let bucket = |(key, all): &(i64, Vec<Found<'_>>)| {
            let mut bucket = json!({"key": key, "doc_count": all.len()});
            for (name, level) in part["aggs"].as_object().unwrap() {
                let field = level["aggs"]["values"]["terms"]["field"].as_str().unwrap();
                let values: BTreeSet<&str> = all.iter().filter_map(|(_, _, of)| of[field].as_str()).collect();
                let count = |value: &str| all.iter().filter(|(_, _, of)| of[field] == value).count();
                let buckets: Vec<Value> =
                    values.iter().map(|value| json!({"key": value, "doc_count": count(value)})).collect();
                bucket[name] = json!({"values": {"buckets": buckets}});
            }
            bucket
        };
        return json!({"buckets": buckets.iter().map(bucket).collect::<Vec<_>>()});
    }
    let query = part["filter"]["query_string"]["query"].as_str().unwrap();
    let all: Vec<&Found<'_>> = found.iter().filter(|(_, _, of)| finds(query, of)).collect();
    let newest: Vec<Value> = all.iter().take(5).map(|one| hit(one)).collect();
    json!({"doc_count": all.len(), "newest": {"hits": {"hits": newest}}})
}
