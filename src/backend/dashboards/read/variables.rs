//! Variables of a dashboard (`templating.list`).

use std::collections::HashSet;

use serde_json::Value;

use super::json::{at, flag, list, number, text, whole, word};
use super::queries::{Inputs, data_source};
use super::{DashboardReading, second};
use crate::model::dashboard::variable::{
    AdHocFilter, Variable, VariableKind, VariableSort, VariableVisibility,
};
use crate::model::labels::Text;

/// The most values of a definition that are kept.
const MAX_VALUES: usize = 50_000;

/// The variables in their order; of the same name, the first counts.
pub(super) fn variables(body: &Value, reading: &mut DashboardReading) -> Vec<Variable> {
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for json in list(at(at(body, "templating"), "list")) {
        let Some(name) = text(at(json, "name")) else { continue };
        if !seen.insert(name.clone()) {
            reading
                .notes
                .push(format!("The variable {name} is defined twice; the first definition is used.").into());
            continue;
        }
        out.push(variable(json, name, &reading.inputs));
    }
    out
}

fn variable(json: &Value, name: Text, inputs: &Inputs) -> Variable {
    let is = |key: &str| flag(at(json, key)).unwrap_or(false);
    let kind = kind(json, inputs);
    Variable {
        name,
        label: text(at(json, "label")),
        current: current(json, &kind, inputs),
        kind,
        is_multi: is("multi"),
        includes_all: is("includeAll"),
        all_value: text(at(json, "allValue")),
        visibility: match (whole::<u8>(at(json, "hide")), word(at(json, "hide"))) {
            (Some(1), _) | (_, "hideLabel") => VariableVisibility::WithoutLabel,
            (Some(2), _) | (_, "hideVariable") => VariableVisibility::Hidden,
            _ => VariableVisibility::Shown,
        },
    }
}

/// The values of the definition: those chosen when it was saved.
fn current(json: &Value, kind: &VariableKind, inputs: &Inputs) -> Vec<Text> {
    let value = at(at(json, "current"), "value");
    let mut chosen: Vec<Text> = match value {
        Value::Array(values) => values.iter().filter_map(text).collect(),
        other => text(other).into_iter().collect(),
    };
    // "All" was the value in old versions; an input of the import is no data source yet
    for value in &mut chosen {
        if **value == *"All" && flag(at(json, "includeAll")) == Some(true) {
            *value = crate::model::dashboard::variable::ALL.into();
        }
        if let Some(constant) = inputs.constant(value) {
            *value = constant;
        }
    }
    chosen.retain(|value| !inputs.is_source(value) && !is_placeholder(value, kind));
    if !chosen.is_empty() {
        return chosen;
    }
    match kind {
        VariableKind::Constant { value } => vec![value.clone()],
        VariableKind::TextBox => text(at(json, "query")).into_iter().collect(),
        VariableKind::Custom { values } => {
            values.first().map(|(_, value)| value.clone()).into_iter().collect()
        }
        VariableKind::Interval { values, .. } => values.first().cloned().into_iter().collect(),
        VariableKind::Query { .. }
        | VariableKind::DataSource { .. }
        | VariableKind::AdHoc { .. }
        | VariableKind::Other { .. } => Vec::new(),
    }
}

/// `default` of a data source, and the texts that Grafana stored for nothing.
fn is_placeholder(value: &str, kind: &VariableKind) -> bool {
    match kind {
        VariableKind::DataSource { .. } => value == "default" || value.starts_with("${"),
        VariableKind::Query { .. } => value == "isNone",
        VariableKind::Custom { .. }
        | VariableKind::Interval { .. }
        | VariableKind::Constant { .. }
        | VariableKind::TextBox
        | VariableKind::AdHoc { .. }
        | VariableKind::Other { .. } => false,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of the type"
)]
fn kind(json: &Value, inputs: &Inputs) -> VariableKind {
    let query = at(json, "query");
    match word(at(json, "type")) {
        // a variable without type is of the first versions
        "query" | "" => VariableKind::Query {
            data_source: data_source(at(json, "datasource"), inputs),
            query: query_text(query, at(json, "definition")),
            regex: text(at(json, "regex")),
            sort: sort(at(json, "sort")),
            follows_time: whole::<u8>(at(json, "refresh")) == Some(2)
                || word(at(json, "refresh")) == "onTimeRangeChanged",
        },
        "custom" => VariableKind::Custom { values: custom(json) },
        "interval" => VariableKind::Interval {
            values: query
                .as_str()
                .unwrap_or("")
                .split(',')
                .map(unquoted)
                .filter(|value| !value.is_empty())
                .map(Text::from)
                .collect(),
            has_auto: flag(at(json, "auto")).unwrap_or(false),
            auto_count: number(at(json, "auto_count")).map_or(30, |count| count.clamp(1.0, 10_000.0) as u32),
            auto_min: text(at(json, "auto_min")).unwrap_or_else(|| "10s".into()),
        },
        "datasource" => {
            VariableKind::DataSource { plugin: word(query).into(), regex: text(at(json, "regex")) }
        }
        "constant" => {
            let value = text(query).unwrap_or_else(|| "".into());
            VariableKind::Constant { value: inputs.constant(&value).unwrap_or(value) }
        }
        "textbox" => VariableKind::TextBox,
        "adhoc" => VariableKind::AdHoc {
            data_source: data_source(at(json, "datasource"), inputs),
            filters: list(at(json, "filters"))
                .iter()
                .chain(list(at(json, "baseFilters")))
                .filter_map(filter)
                .collect(),
        },
        other => VariableKind::Other { kind: other.into() },
    }
}

/// The text of a query: of an object with a text inside (Prometheus) that text, of others their JSON.
fn query_text(query: &Value, definition: &Value) -> Text {
    match query {
        Value::String(query) => query.as_str().into(),
        Value::Object(fields) => {
            let is_plain = fields.keys().all(|key| matches!(key.as_str(), "query" | "refId" | "qryType"));
            match at(query, "query").as_str() {
                Some(inner) if is_plain && !inner.is_empty() => inner.into(),
                _ if fields.is_empty() => word(definition).into(),
                _ => query.to_string().into(),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => word(definition).into(),
    }
}

/// `a, b : c`: values, or text and value; else the stored options. Commas with a backslash belong to a value.
fn custom(json: &Value) -> Vec<(Text, Text)> {
    let query = at(json, "query").as_str().unwrap_or("");
    if word(at(json, "valuesFormat")) == "json"
        && let Ok(Value::Array(items)) = serde_json::from_str::<Value>(query)
    {
        let option = |item: &Value| match item {
            Value::Object(_) => {
                let value = text(at(item, "value"))?;
                Some((text(at(item, "text")).unwrap_or_else(|| value.clone()), value))
            }
            other => text(other).map(|value| (value.clone(), value)),
        };
        return items.iter().filter_map(option).take(MAX_VALUES).collect();
    }
    let mut values: Vec<(Text, Text)> = split_unescaped(query).iter().filter_map(|part| pair(part)).collect();
    if values.is_empty() {
        let stored = list(at(json, "options")).iter().filter_map(|option| {
            let value = text(at(option, "value"))
                .filter(|value| **value != *crate::model::dashboard::variable::ALL)?;
            Some((text(at(option, "text")).unwrap_or_else(|| value.clone()), value))
        });
        values.extend(stored);
    }
    values.truncate(MAX_VALUES);
    values
}

fn split_unescaped(query: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut is_escaped = false;
    for c in query.chars() {
        match c {
            ',' if !is_escaped => parts.push(String::new()),
            '\\' if !is_escaped => {
                is_escaped = true;
                continue;
            }
            other => {
                if let Some(last) = parts.last_mut() {
                    if is_escaped && other != ',' {
                        last.push('\\');
                    }
                    last.push(other);
                }
            }
        }
        is_escaped = false;
    }
    parts
}

fn pair(part: &str) -> Option<(Text, Text)> {
    let part = part.trim();
    if part.is_empty() {
        return None;
    }
    Some(match part.split_once(" : ") {
        Some((text, value)) => (text.trim().into(), value.trim().into()),
        None => (part.into(), part.into()),
    })
}

fn unquoted(value: &str) -> &str {
    value.trim().trim_matches(['"', '\''])
}

fn sort(value: &Value) -> VariableSort {
    let by_name = value.as_str().and_then(second::sort_number);
    match by_name.or_else(|| whole::<u8>(value)).unwrap_or(0) {
        1 => VariableSort::Alphabetical { is_descending: false },
        2 => VariableSort::Alphabetical { is_descending: true },
        3 => VariableSort::Numerical { is_descending: false },
        4 => VariableSort::Numerical { is_descending: true },
        5 => VariableSort::CaseInsensitive { is_descending: false },
        6 => VariableSort::CaseInsensitive { is_descending: true },
        7 => VariableSort::Natural { is_descending: false },
        8 => VariableSort::Natural { is_descending: true },
        _ => VariableSort::None,
    }
}

fn filter(json: &Value) -> Option<AdHocFilter> {
    Some(AdHocFilter {
        key: text(at(json, "key"))?,
        op: text(at(json, "operator")).unwrap_or_else(|| "=".into()),
        value: text(at(json, "value")).unwrap_or_else(|| "".into()),
    })
}
