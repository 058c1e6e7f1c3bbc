//! The bodies of searches.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::backend::logs::LogSpan;
use crate::model::log::LogDirection;
use crate::model::series::TimeGrid;

/// Times with up to nine decimal places, as requests and answers have them.
const FORMAT: &str = "strict_date_optional_time_nanos";
/// The order in the index: it is no field, and every index has it.
pub(super) const DOC: &str = "_doc";
/// The most severities that are counted apart.
const LEVELS: u32 = 20;
/// The newest lines that are looked at to find which other labels of an alert they have ...
const SAMPLED: u32 = 100;
/// ... and those of each such label.
const SAMPLED_EACH: u32 = 5;

/// What all searches of a source share.
pub(super) struct SearchFrame<'a> {
    pub(super) time: &'a str,
    /// Whether times have nanoseconds; milliseconds otherwise.
    pub(super) is_nanos: bool,
    /// How long the server may search, in milliseconds.
    pub(super) timeout: u64,
}

impl SearchFrame<'_> {
    fn span(&self, (from, until): LogSpan) -> Value {
        // where times have milliseconds, the end is rounded down: a line in the last one would be left out
        let until = if self.is_nanos { until } else { next_millisecond(until) };
        json!({"range": {self.time: {"gte": from.to_string(), "lt": until.to_string(), "format": FORMAT}}})
    }

    /// A search with these filters, and what else it asks for.
    fn search(&self, filters: &[Value], more: &Value) -> Value {
        let shared = json!({
            "query": {"bool": {"filter": filters}},
            "timeout": format!("{}ms", self.timeout),
            "track_total_hits": false,
        });
        let parts = [&shared, more].into_iter().filter_map(Value::as_object).flatten();
        Value::Object(parts.map(|(name, part)| (name.clone(), part.clone())).collect())
    }

    /// Lines in the order of time, after the one with the sort values `after`.
    pub(super) fn lines(
        &self,
        query: &str,
        span: LogSpan,
        (direction, tiebreaker): (LogDirection, &str),
        (size, after): (u32, Option<&Value>),
    ) -> Value {
        let order = match direction {
            LogDirection::Backward => "desc",
            LogDirection::Forward => "asc",
        };
        let tie = if tiebreaker == DOC {
            json!({DOC: {"order": order}})
        } else {
            json!({tiebreaker: {"order": order, "unmapped_type": "long"}})
        };
        let mut more = json!({
            "size": size,
            "sort": [{self.time: {"order": order, "unmapped_type": "date"}}, tie],
            "docvalue_fields": [{"field": self.time, "format": FORMAT}],
        });
        if let (Some(more), Some(after)) = (more.as_object_mut(), after) {
            more.insert("search_after".to_owned(), after.clone());
        }
        self.search(&[written(query), self.span(span)], &more)
    }

    /// The number of lines in each step, by the values of the fields with the severity: of a line that has several of them, the first.
    pub(super) fn counts(&self, query: &str, window: TimeGrid, levels: &[String]) -> Value {
        let milliseconds = i64::try_from(window.step().as_millis()).unwrap_or(i64::MAX).max(1);
        let offset = window.start().as_millisecond().rem_euclid(milliseconds);
        let mut by_level = serde_json::Map::new();
        for (at, level) in levels.iter().enumerate() {
            let others: Vec<Value> =
                levels.iter().take(at).map(|earlier| json!({"exists": {"field": earlier}})).collect();
            let values = json!({"terms": {"field": level, "size": LEVELS}});
            let of_level = json!({"filter": {"bool": {"must_not": others}}, "aggs": {"values": values}});
            by_level.insert(part_key(at), of_level);
        }
        let end = window.end().checked_add(window.step()).unwrap_or(window.end());
        let bars = json!({
            "date_histogram": {
                "field": self.time,
                "fixed_interval": format!("{milliseconds}ms"),
                "offset": format!("{offset}ms"),
                "min_doc_count": 1,
            },
            "aggs": by_level,
        });
        let more = json!({"size": 0, "aggs": {"bars": bars}});
        self.search(&[written(query), self.span((window.start(), end))], &more)
    }

    /// The number of lines of each query, in its order.
    pub(super) fn matches(&self, queries: &[String], span: LogSpan) -> Value {
        let each = queries.iter().enumerate();
        let each = each.map(|(at, query)| (part_key(at), json!({"filter": written(query)})));
        let more = json!({"size": 0, "aggs": Value::Object(each.collect())});
        self.search(&[self.span(span)], &more)
    }

    /// The newest lines of a query, and the newest of each of the narrower ones.
    pub(super) fn samples(&self, query: &str, narrower: &[String], span: LogSpan) -> Value {
        let sort = json!([{self.time: {"order": "desc", "unmapped_type": "date"}}]);
        let newest = json!({"top_hits": {"size": SAMPLED_EACH, "sort": sort}});
        let each = narrower.iter().enumerate();
        let each = each
            .map(|(at, query)| (part_key(at), json!({"filter": written(query), "aggs": {"newest": newest}})));
        let more = json!({"size": SAMPLED, "sort": sort, "aggs": Value::Object(each.collect())});
        self.search(&[written(query), self.span(span)], &more)
    }
}

/// The name of one of several parts of an answer.
pub(super) fn part_key(at: usize) -> String {
    format!("part{at}")
}

/// A query in the query string syntax.
fn written(query: &str) -> Value {
    json!({"query_string": {"query": query, "analyze_wildcard": true}})
}

fn next_millisecond(at: Timestamp) -> Timestamp {
    let nanos = at.as_nanosecond().rem_euclid(1_000_000);
    let missing = if nanos == 0 { 0 } else { 1_000_000 - nanos };
    at.checked_add(SignedDuration::from_nanos(i64::try_from(missing).unwrap_or(0))).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_range_is_rounded_up_to_the_resolution_of_the_times() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(next_millisecond(at("2026-11-29T14:00:00.123000001Z")), at("2026-11-29T14:00:00.124Z"));
        assert_eq!(next_millisecond(at("2026-11-29T14:00:00.123Z")), at("2026-11-29T14:00:00.123Z"));
        let span = (at("2026-11-29T14:00:00Z"), at("2026-11-29T14:00:00.5000001Z"));
        let frame = |is_nanos| SearchFrame { time: "@timestamp", is_nanos, timeout: 1 };
        assert_eq!(frame(true).span(span)["range"]["@timestamp"]["lt"], "2026-11-29T14:00:00.5000001Z");
        assert_eq!(frame(false).span(span)["range"]["@timestamp"]["lt"], "2026-11-29T14:00:00.501Z");
    }
}
