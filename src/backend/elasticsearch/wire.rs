//! The JSON shapes of Elasticsearch's API, and their mapping to the model.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::backend::kit::change_lines;
use crate::backend::kit::lenient::{
    Count, LenientList, LenientObject, LenientText, LenientTexts, or_default, wire,
};
use crate::backend::logs::{fields_as_text, line_of_fields};
use crate::model::labels::{Interner, Labels, Text};
use crate::model::log::LogLine;
use crate::model::warning::Warning;

/// Further fields of one line are counted only.
const MAX_FIELDS: usize = 1000;

wire! {
    /// The answer of `/`.
    struct ClusterInfo<'a> {
        cluster_name: LenientText<'a>,
        #[serde(deserialize_with = "or_default")]
        version: ClusterVersion<'a>,
    }

    /// `distribution` is `opensearch`, or missing.
    struct ClusterVersion<'a> {
        number: LenientText<'a>,
        distribution: LenientText<'a>,
    }

    /// The answer of `_field_caps`.
    struct FieldCaps<'a> {
        indices: LenientTexts<'a>,
        fields: Value,
    }

    /// The answer of `_search`.
    struct SearchAnswer<'a> {
        timed_out: LenientText<'a>,
        #[serde(rename = "_shards", deserialize_with = "or_default")]
        shards: ShardCounts<'a>,
        hits: LenientObject<SearchHits<'a>>,
        aggregations: Value,
    }

    struct ShardCounts<'a> {
        total: Count,
        failed: Count,
        failures: LenientList<ShardFailure<'a>>,
    }

    struct ShardFailure<'a> {
        #[serde(deserialize_with = "or_default")]
        reason: FailureReason<'a>,
    }

    struct FailureReason<'a> {
        #[serde(rename = "type")]
        kind: LenientText<'a>,
        reason: LenientText<'a>,
    }

    struct SearchHits<'a> {
        hits: LenientList<SearchHit<'a>>,
    }

    /// One document.
    struct SearchHit<'a> {
        #[serde(rename = "_index")]
        index: LenientText<'a>,
        #[serde(rename = "_id")]
        id: LenientText<'a>,
        #[serde(rename = "_source")]
        source: Value,
        /// The values by which it was sorted.
        sort: Value,
        /// `docvalue_fields`: a list of values for each.
        fields: Value,
    }
}

impl SearchAnswer<'_> {
    /// What is missing of the answer, and why.
    pub(super) fn missing(&self) -> Option<Warning> {
        if self.timed_out.is_true() {
            let words = "the search was stopped at its time limit, and its answer is incomplete: a shorter range is faster";
            return Some(Warning::missing(words));
        }
        let ShardCounts { total, failed, failures } = &self.shards;
        let reason = failures.all.first().map(|failure| &failure.reason);
        let said =
            reason.map(|reason| if reason.reason.0.is_empty() { &reason.kind.0 } else { &reason.reason.0 });
        let said = said.filter(|said| !said.is_empty()).map_or(String::new(), |said| format!(": {said}"));
        let words = || format!("{} of {} shards failed, so lines are missing{said}", failed.0, total.0);
        (failed.0 > 0).then(|| Warning::missing(words()))
    }
}

/// Which fields of a document are what.
pub(super) struct LineShape<'a> {
    pub(super) time: &'a str,
    /// Fields that may have the text, the likeliest first.
    pub(super) messages: &'a [String],
    /// Fields that may have the severity, the likeliest first.
    pub(super) levels: &'a [String],
    /// Fields that tell whose line it is: its labels.
    pub(super) labels: BTreeSet<&'a str>,
}

/// The line of a document; `None` without a time.
pub(super) fn line(interner: &mut Interner, hit: &SearchHit<'_>, shape: &LineShape<'_>) -> Option<LogLine> {
    let all = flattened(&hit.source);
    let value = |name: &str| all.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let at = time(hit, shape.time, value(shape.time))?;
    let message =
        shape.messages.iter().find_map(|name| Some((name, value(name).filter(|text| !text.is_empty())?)));
    let is_own = |name: &str| name == shape.time || message.is_some_and(|(message, _)| message == name);
    let mut labels: Vec<(Text, Text)> = Vec::new();
    let mut fields: Vec<(Text, Text)> = Vec::new();
    for (name, value) in all.iter().filter(|(name, _)| !is_own(name)) {
        if shape.labels.contains(name.as_str()) {
            labels.push((interner.text(name), interner.text(value)));
        } else {
            fields.push((interner.text(name), value.as_str().into()));
        }
    }
    let fields = Labels::new(fields);
    let text = message.map_or_else(|| fields_as_text(&fields), |(_, text)| text.to_owned());
    // they tell lines apart that are otherwise equal
    let ids = [("_index", &hit.index), ("_id", &hit.id)];
    let ids = ids.into_iter().filter(|(_, id)| !id.0.is_empty());
    let fields = fields.with(ids.map(|(name, id)| (name, Text::from(&*id.0))));
    Some(line_of_fields(at, Labels::new(labels), fields, &text, shape.levels.iter().map(String::as_str)))
}

/// The time of a document: as the index has it, as it was written, or as it was sorted.
fn time(hit: &SearchHit<'_>, name: &str, written: Option<&str>) -> Option<Timestamp> {
    let first = |values: &'_ Value| values.get(0).cloned();
    let indexed = hit.fields.get(name).and_then(first);
    let indexed = indexed.and_then(|value| value.as_str()?.parse().ok());
    let written = || change_lines::time(&Value::from(written?));
    indexed.or_else(written).or_else(|| change_lines::time(&first(&hit.sort)?))
}

/// The list at a place of the aggregations of an answer; empty if there is none.
pub(super) fn items<'v>(value: &'v Value, path: &[&str]) -> impl Iterator<Item = &'v Value> + use<'v> {
    let list = path.iter().try_fold(value, |value, name| value.get(*name));
    list.and_then(Value::as_array).into_iter().flatten()
}

/// The number of lines of a part of the aggregations.
pub(super) fn count(part: &Value) -> u64 {
    part.get("doc_count").and_then(Value::as_u64).unwrap_or(0)
}

/// The fields of a document: names of nested objects are joined by dots, plain values of a list by commas.
pub(super) fn flattened(source: &Value) -> Vec<(String, String)> {
    let mut all = Vec::new();
    flatten("", source, &mut all);
    let surplus = all.len().saturating_sub(MAX_FIELDS);
    if surplus > 0 {
        all.truncate(MAX_FIELDS);
        all.push(("_left_out".to_owned(), format!("{surplus} more fields")));
    }
    all
}

fn flatten(prefix: &str, value: &Value, all: &mut Vec<(String, String)>) {
    if let Value::Object(object) = value {
        let dot = if prefix.is_empty() { "" } else { "." };
        object.iter().for_each(|(name, value)| flatten(&format!("{prefix}{dot}{name}"), value, all));
        return;
    }
    let text = match value {
        Value::Array(list) => {
            let each: Vec<String> = list.iter().filter_map(plain).collect();
            if each.len() == list.len() { each.join(", ") } else { value.to_string() }
        }
        other => plain(other).unwrap_or_default(),
    };
    if !text.is_empty() {
        all.push((prefix.to_owned(), text));
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(hit: &Value) -> Option<LogLine> {
        let text = hit.to_string();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (messages, levels) = (names(&["message", "log"]), names(&["log.level", "level"]));
        let labels = BTreeSet::from(["service.name", "kubernetes.pod.name"]);
        let shape = LineShape { time: "@timestamp", messages: &messages, levels: &levels, labels };
        line(&mut Interner::default(), &serde_json::from_str(&text).unwrap(), &shape)
    }

    #[test]
    fn nested_and_dotted_names_are_the_same_fields() {
        let hit = json!({"_index": "logs-a", "_id": "1", "_source": {
            "@timestamp": "2026-11-29T14:00:00.123456789Z", "message": "\u{1b}[31mboom\u{1b}[0m", "log.level": "WARN",
            "service": {"name": "checkout"}, "kubernetes.pod.name": "checkout-1", "http": {"status": 502, "ok": false},
            "tags": ["a", "b"], "objects": [{"x": 1}], "nothing": null}});
        let line = read(&hit).unwrap();
        assert_eq!(line.at.as_nanosecond() % 1_000_000_000, 123_456_789);
        assert_eq!((line.text().as_ref(), line.severity.word()), ("\u{1b}[31mboom\u{1b}[0m", "warn"));
        assert_eq!(
            (line.labels.value("service.name"), line.labels.value("kubernetes.pod.name")),
            ("checkout", "checkout-1")
        );
        let fields: Vec<String> = line.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            fields,
            [
                "_id=1",
                "_index=logs-a",
                "http.ok=false",
                "http.status=502",
                "log.level=WARN",
                r#"objects=[{"x":1}]"#,
                "tags=a, b"
            ]
        );
    }

    #[test]
    fn the_time_is_the_one_of_the_index_the_document_or_the_order() {
        let second = |hit: &Value| read(hit).map(|line| line.at.as_second());
        assert_eq!(
            second(
                &json!({"fields": {"@timestamp": ["2026-11-29T14:00:00Z"]}, "_source": {"@timestamp": "soon"}})
            ),
            Some(1_795_960_800)
        );
        assert_eq!(second(&json!({"_source": {"@timestamp": 1_795_960_800_500_i64}})), Some(1_795_960_800));
        assert_eq!(second(&json!({"_source": {}, "sort": [1_795_960_800_500_i64, 3]})), Some(1_795_960_800));
        assert_eq!(second(&json!({"_source": {"@timestamp": "soon"}})), None);
    }

    #[test]
    fn a_line_without_a_message_is_shown_by_its_fields_and_many_fields_are_counted() {
        let source = json!({"@timestamp": "2026-11-29T14:00:00Z", "level": "error", "code": 7});
        let line = read(&json!({"_id": "x", "_source": source})).unwrap();
        assert_eq!((line.text().as_ref(), line.severity.word()), (r#"code="7" level="error""#, "error"));
        let many: serde_json::Map<String, Value> = (0..1200).map(|n| (format!("f{n}"), n.into())).collect();
        assert_eq!(flattened(&Value::from(many)).last().unwrap().1, "200 more fields");
    }
}
