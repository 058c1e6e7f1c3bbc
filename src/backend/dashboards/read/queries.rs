//! Data sources and queries of panels.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::DashboardReading;
use super::json::{at, flag, list, text, word};
use crate::model::dashboard::DataSourceRef;
use crate::model::dashboard::panel::PanelQueryDefinition;
use crate::model::labels::Text;

/// The data source of panels whose queries name their own.
pub(super) const MIXED: &str = "-- Mixed --";
/// The data source of panels that show the data of another panel.
pub(super) const DASHBOARD: &str = "-- Dashboard --";
const GRAFANA: &str = "-- Grafana --";
/// The data source of server-side expressions.
const EXPRESSION: &str = "__expr__";

/// What an exported dashboard asks for when it is imported (`__inputs`): data sources and constants.
#[derive(Debug, Default)]
pub(super) struct Inputs(HashMap<String, DashboardInput>);

#[derive(Debug)]
enum DashboardInput {
    /// Any data source of this plug-in.
    Source(Option<Text>),
    Constant(Text),
}

impl Inputs {
    pub(super) fn of(root: &Value) -> Self {
        let input = |item: &Value| {
            let name = text(at(item, "name"))?.to_string();
            let input = match word(at(item, "type")) {
                "constant" => DashboardInput::Constant(text(at(item, "value")).unwrap_or_else(|| "".into())),
                _ => DashboardInput::Source(text(at(item, "pluginId"))),
            };
            Some((name, input))
        };
        Self(list(at(root, "__inputs")).iter().filter_map(input).collect())
    }

    fn find(&self, written: &str) -> Option<&DashboardInput> {
        let name = written.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        self.0.get(name.or_else(|| written.strip_prefix('$'))?)
    }

    /// The plug-in if this names an input that is a data source.
    #[expect(clippy::option_option, reason = "an input may be a data source without a plug-in")]
    fn source(&self, written: &str) -> Option<Option<Text>> {
        match self.find(written)? {
            DashboardInput::Source(plugin) => Some(plugin.clone()),
            DashboardInput::Constant(_) => None,
        }
    }

    /// The value if this names an input that is a constant.
    pub(super) fn constant(&self, written: &str) -> Option<Text> {
        match self.find(written)? {
            DashboardInput::Constant(value) => Some(value.clone()),
            DashboardInput::Source(_) => None,
        }
    }

    /// Whether this names an input that is a data source: there is no such uid.
    pub(super) fn is_source(&self, written: &str) -> bool {
        self.source(written).is_some()
    }
}

/// A reference to a data source: a name, an object with type and uid, or nothing for the default.
pub(super) fn data_source(value: &Value, inputs: &Inputs) -> DataSourceRef {
    let (kind, uid) = match value {
        Value::String(name) => (None, Some(name.as_str())),
        Value::Object(_) => {
            let uid = at(value, "uid").as_str().or_else(|| at(value, "name").as_str());
            (text(at(value, "type")).or_else(|| text(at(value, "group"))), uid)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => (None, None),
    };
    let uid = uid.filter(|uid| !uid.is_empty() && *uid != "default");
    let Some(uid) = uid else { return DataSourceRef { kind, uid: None } };
    if let Some(plugin) = inputs.source(uid) {
        return DataSourceRef { kind: plugin.or(kind), uid: None };
    }
    let is_internal = kind.as_deref() == Some("datasource") || kind.as_deref() == Some("grafana");
    let (kind, uid) = match uid {
        "grafana" | GRAFANA if is_internal || uid == GRAFANA => (None, GRAFANA),
        "-100" | EXPRESSION => (Some(EXPRESSION.into()), EXPRESSION),
        MIXED | DASHBOARD => (None, uid),
        _ => (kind, uid),
    };
    DataSourceRef { kind, uid: Some(uid.into()) }
}

/// The queries of a panel.
pub(super) fn queries(
    panel: &Value,
    of_panel: &DataSourceRef,
    reading: &DashboardReading,
) -> Vec<PanelQueryDefinition> {
    let targets = list(at(panel, "targets")).iter().filter_map(Value::as_object);
    let is_mixed = of_panel.uid.as_deref() == Some(MIXED);
    targets.enumerate().map(|(index, target)| query(target, index, of_panel, is_mixed, reading)).collect()
}

fn query(
    target: &Map<String, Value>,
    index: usize,
    of_panel: &DataSourceRef,
    is_mixed: bool,
    reading: &DashboardReading,
) -> PanelQueryDefinition {
    let get = |key: &str| target.get(key).unwrap_or(&Value::Null);
    let ref_id = text(get("refId")).unwrap_or_else(|| letters(index).into());
    let own = data_source(get("datasource"), &reading.inputs);
    let is_own = own != DataSourceRef::default();
    let source = match (is_own, is_mixed) {
        (true, _) if own.uid.is_none() && own.kind == of_panel.kind => of_panel.clone(),
        (true, _) => own,
        (false, true) => DataSourceRef::default(),
        (false, false) => of_panel.clone(),
    };
    let mut json = target.clone();
    json.insert("refId".to_owned(), json!(&*ref_id));
    let mut named = Map::new();
    for (key, part) in [("type", &source.kind), ("uid", &source.uid)] {
        if let Some(part) = part {
            named.insert(key.to_owned(), json!(&**part));
        }
    }
    if named.is_empty() {
        json.remove("datasource");
    } else {
        json.insert("datasource".to_owned(), Value::Object(named));
    }
    let expression = EXPRESSION_KEYS.iter().find_map(|key| text(get(key)));
    PanelQueryDefinition {
        ref_id,
        data_source: source,
        is_hidden: flag(get("hide")).unwrap_or(false),
        json: Value::Object(json).to_string().into(),
        expression,
    }
}

/// Where data sources have the text of a query.
const EXPRESSION_KEYS: [&str; 7] =
    ["expr", "query", "rawSql", "expression", "target", "queryText", "searchFilter"];

/// `A` to `Z`, then `AA`.
fn letters(index: usize) -> String {
    let letter = |n: usize| char::from(b'A' + u8::try_from(n % 26).unwrap_or(0));
    match index / 26 {
        0 => letter(index).to_string(),
        more => format!("{}{}", letter(more - 1), letter(index)),
    }
}
