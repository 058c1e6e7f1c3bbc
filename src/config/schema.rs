//! The JSON schema of the configuration file, combined from the common options and those of each kind.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::kind::KindSpec;
use super::settings::Settings;

/// JSON pointers to the schemas of a source and of its authentication.
const SOURCE: &str = "/$defs/SourceSettings";
const AUTH: &str = "/$defs/AuthSettings";

/// The schema of the configuration file (JSON Schema, draft 2020-12) for these kinds.
///
/// A source is `oneOf` its kinds, which differ in the constant value of `kind`.
pub fn schema(kinds: &[&'static KindSpec]) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let own: Vec<Value> = kinds.iter().map(|kind| (kind.options.schema)(&mut generator).to_value()).collect();
    let mut root = generator.into_root_schema_for::<Settings>().to_value();
    let [common, auth] = [SOURCE, AUTH].map(|path| root.pointer(path).cloned().unwrap_or_default());
    let of_kinds: Vec<Value> =
        kinds.iter().zip(&own).map(|(kind, own)| of_kind(kind, &common, own, &auth)).collect();
    if let Some(source) = root.pointer_mut(SOURCE) {
        *source = json!({ "description": common.get("description"), "oneOf": of_kinds });
    }
    root
}

fn of_kind(kind: &KindSpec, common: &Value, own: &Value, auth: &Value) -> Value {
    let mut properties = Map::new();
    let name = json!({ "description": "The kind of source.", "type": "string", "const": kind.name });
    properties.insert("kind".to_owned(), name);
    for part in [common, own] {
        properties.extend(part.get("properties").and_then(Value::as_object).cloned().unwrap_or_default());
    }
    if kind.address.is_none() {
        properties.remove("url");
    }
    if let Some(option) = properties.get_mut("auth").and_then(Value::as_object_mut) {
        let ways = auth.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        let is_taken = |way: &&Value| {
            let key = |key: &String| kind.auth.iter().any(|scheme| scheme.key() == key);
            way.get("properties").and_then(Value::as_object).is_some_and(|way| way.keys().all(key))
        };
        let taken: Vec<Value> = ways.filter(is_taken).cloned().chain([json!({ "type": "null" })]).collect();
        option.insert("anyOf".to_owned(), taken.into());
    }
    let needed = own.get("required").and_then(Value::as_array).into_iter().flatten().cloned();
    let required: Vec<Value> = std::iter::once(json!("kind")).chain(needed).collect();
    json!({
        "title": kind.title,
        "description": kind.about,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}
