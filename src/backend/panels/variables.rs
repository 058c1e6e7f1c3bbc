//! The queries of variables for Prometheus and Loki: `label_values(metric, label)` and its kin, as text and as objects.
//!
//! Source: `metric_find_query.ts` and `migrations/variableMigration.ts` in Grafana's `grafana-prometheus`, `LokiVariableQuery` of
//! its data source for Loki.

use std::collections::BTreeSet;

use serde_json::Value;

use super::MAX_VALUES;
use crate::model::dashboard::variable::VariableValues;
use crate::model::labels::{Labels, Text};
use crate::model::promql::quoted;

/// What a query of a variable asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VariableSearch {
    /// The names of labels, of all metrics or of those with this in their name.
    LabelNames { metric: Option<String> },
    /// The values of a label, of all series or of those that a selector matches.
    LabelValues { label: String, selector: Option<String> },
    /// The names of metrics that match a regular expression.
    MetricNames { pattern: String },
    /// The series of an expression, with their values.
    QueryResult { expression: String },
    /// The series that a selector matches.
    Series { selector: String },
    /// An empty query, for which there is nothing.
    Nothing,
}

impl VariableSearch {
    /// Reads a query: text, or an object as JSON.
    pub(crate) fn read(query: &str) -> Self {
        let query = query.trim();
        if query.starts_with('{')
            && let Ok(Value::Object(object)) = serde_json::from_str(query)
        {
            return Self::of_object(&Value::Object(object));
        }
        Self::of_text(query)
    }

    fn of_object(object: &Value) -> Self {
        let text = |key: &str| {
            object.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
        };
        if let Some(query) = text("query") {
            return Self::of_text(query);
        }
        let filtered = |metric: Option<&str>| {
            let filter = |filter: &Value| {
                let part = |key: &str| filter.get(key).and_then(Value::as_str);
                Some(format!("{}{}{}", part("label")?, part("op")?, quoted(part("value")?)))
            };
            let filters: Vec<String> = object
                .get("labelFilters")
                .and_then(Value::as_array)
                .map(|all| all.iter().filter_map(filter).collect())
                .unwrap_or_default();
            match (metric, filters.is_empty()) {
                (metric, true) => metric.map(str::to_owned),
                (metric, false) => Some(format!("{}{{{}}}", metric.unwrap_or_default(), filters.join(", "))),
            }
        };
        let kind = object.get("qryType").and_then(Value::as_u64);
        if let Some(kind) = kind {
            return match kind {
                0 => Self::LabelNames { metric: text("match").map(str::to_owned) },
                1 => text("label").map_or(Self::Nothing, |label| Self::LabelValues {
                    label: label.to_owned(),
                    selector: filtered(text("metric")),
                }),
                2 => Self::MetricNames { pattern: text("metric").unwrap_or(".*").to_owned() },
                3 => text("varQuery")
                    .map_or(Self::Nothing, |query| Self::QueryResult { expression: query.to_owned() }),
                _ => text("seriesQuery")
                    .map_or(Self::Nothing, |query| Self::Series { selector: query.to_owned() }),
            };
        }
        // Loki: 0 is names, 1 is values
        match (object.get("type").and_then(Value::as_u64), text("label")) {
            (Some(0), _) => Self::LabelNames { metric: None },
            (_, Some(label)) => Self::LabelValues {
                label: label.to_owned(),
                selector: text("stream").or_else(|| text("metric")).map(str::to_owned),
            },
            (_, None) => text("expr").map_or(Self::Nothing, Self::of_text),
        }
    }

    fn of_text(query: &str) -> Self {
        let query = query.trim();
        let inside = |function: &str| {
            query
                .strip_prefix(function)?
                .trim_start()
                .strip_prefix('(')?
                .trim_end()
                .strip_suffix(')')
                .map(str::trim)
        };
        if let Some(metric) = inside("label_names") {
            return Self::LabelNames { metric: (!metric.is_empty()).then(|| metric.to_owned()) };
        }
        if let Some(arguments) = inside("label_values") {
            let (selector, label) = match last_comma(arguments) {
                Some(at) => {
                    let (selector, label) = arguments.split_at(at);
                    (selector.trim(), label.trim_start_matches(','))
                }
                None => ("", arguments),
            };
            let label = label.trim().trim_matches(['"', '\'', '`']).to_owned();
            let is_any = selector.is_empty() || selector.replace(' ', "") == "{}";
            if !label.is_empty() {
                return Self::LabelValues { label, selector: (!is_any).then(|| selector.to_owned()) };
            }
            if arguments.is_empty() {
                return Self::Nothing;
            }
        }
        if let Some(pattern) = inside("metrics") {
            return if pattern.is_empty() {
                Self::Nothing
            } else {
                Self::MetricNames { pattern: pattern.to_owned() }
            };
        }
        if let Some(expression) = inside("query_result") {
            let expression = expression.to_owned();
            return if expression.is_empty() { Self::Nothing } else { Self::QueryResult { expression } };
        }
        if query.is_empty() { Self::Nothing } else { Self::Series { selector: query.to_owned() } }
    }
}

/// The last comma outside of braces, brackets and quotes.
fn last_comma(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut is_escaped, mut found) = (0_i32, None, false, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(open), '\\') if open != '`' => is_escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '{' | '(' | '[') => depth += 1,
            (None, '}' | ')' | ']') => depth -= 1,
            (None, ',') if depth == 0 => found = Some(at),
            (Some(_) | None, _) => {}
        }
    }
    found
}

/// The selector of the metrics with this in their names.
pub(crate) fn name_selector(metric: &str) -> String {
    format!("{{__name__=~{}}}", quoted(&format!(".*{metric}.*")))
}

/// `name{label="value",...}`
///
/// Source: `getOriginalMetricName` in Grafana's `grafana-prometheus`; values are not escaped there.
pub(crate) fn metric_name(labels: &Labels) -> String {
    let others: Vec<String> = labels
        .iter()
        .filter(|(name, _)| &***name != "__name__")
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    format!("{}{{{}}}", labels.value("__name__"), others.join(","))
}

/// A sample as `query_result()` writes it; the time is in milliseconds.
pub(crate) fn sample_text(labels: &Labels, value: &str, at: i64) -> String {
    format!("{} {value} {at}", metric_name(labels))
}

/// The values, each once, at most [`MAX_VALUES`] of them.
pub(crate) fn values_of(all: impl IntoIterator<Item = (Text, Text)>) -> VariableValues {
    let mut known = BTreeSet::new();
    let mut values = Vec::new();
    let mut total = 0;
    for (text, value) in all {
        if known.insert(value.clone()) {
            total += 1;
            if values.len() < MAX_VALUES {
                values.push((text, value));
            }
        }
    }
    VariableValues { values, total }
}

/// The values whose texts are the values themselves.
pub(crate) fn plain_values(all: impl IntoIterator<Item = Text>) -> VariableValues {
    values_of(all.into_iter().map(|value| (value.clone(), value)))
}
