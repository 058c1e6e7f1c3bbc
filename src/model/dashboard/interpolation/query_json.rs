//! Variables in queries, which are JSON: the values are escaped, and written as the data source's query language needs them.

use serde_json::Value;

use super::Interpolation;
use super::format::VariableFormat;
use crate::model::dashboard::DataSourceRef;
use crate::model::dashboard::reference::references;
use crate::model::dashboard::variable::ALL;

/// The keys whose texts are in the query language; all others are names, legends, intervals.
const LANGUAGE_KEYS: [&str; 9] =
    ["expr", "query", "rawSql", "rawQuery", "target", "queryText", "sql", "where", "statement"];

impl Interpolation {
    /// A query of this plug-in with its variables replaced; those of time stay (see [`Interpolation::without_time`]) if this has none.
    /// Text that is not JSON is replaced as text.
    pub fn query(&self, json: &str, plugin: &str) -> String {
        let language = VariableFormat::of_plugin(plugin);
        match serde_json::from_str::<Value>(json) {
            Ok(mut query) => {
                self.replace_in(&mut query, language, plugin, "");
                query.to_string()
            }
            Err(_) => self.replace(json, language),
        }
    }

    /// A data source with its variables replaced.
    pub fn data_source(&self, source: &DataSourceRef) -> DataSourceRef {
        let replaced = |text: &crate::model::labels::Text| self.replace(text, VariableFormat::Raw).into();
        DataSourceRef { kind: source.kind.as_ref().map(replaced), uid: source.uid.as_ref().map(replaced) }
    }

    fn replace_in(&self, value: &mut Value, language: VariableFormat, plugin: &str, key: &str) {
        match value {
            Value::String(text) => {
                let format = match key {
                    "uid" | "datasource" | "refId" => VariableFormat::Raw,
                    _ if LANGUAGE_KEYS.contains(&key) => language,
                    _ => VariableFormat::Glob,
                };
                if text.contains(['$', '[']) {
                    *text = self.replace(text, format);
                }
            }
            Value::Array(items) => {
                let expands =
                    matches!(plugin, "cloudwatch" | "grafana-azure-monitor-datasource" | "stackdriver");
                if expands {
                    *items = std::mem::take(items).into_iter().flat_map(|item| self.expanded(item)).collect();
                }
                for item in items {
                    self.replace_in(item, language, plugin, key);
                }
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    self.replace_in(value, language, plugin, key);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A list's item that is only a variable becomes one item for each value (dimensions of `CloudWatch`).
    fn expanded(&self, item: Value) -> Vec<Value> {
        let Value::String(text) = &item else { return vec![item] };
        let found = references(text);
        let [only] = found.as_slice() else { return vec![item] };
        let state = self.state(only.name).filter(|_| only.written == text && only.format.is_none());
        match state {
            Some(state) if state.is_all && state.all_value.is_some() => vec![item],
            Some(state) => {
                let values = state.chosen.iter().filter(|(_, value)| **value != *ALL);
                values.map(|(_, value)| Value::String(value.to_string())).collect()
            }
            None => vec![item],
        }
    }
}
