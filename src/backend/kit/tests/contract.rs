//! Contract tests against a vendor's API description and recorded answers, where these files exist on this machine: each
//! request must be valid by the description, and each example in the description must be read without loss.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::backend::kit::double::ReceivedRequest;
use crate::model::tests::shared::shared;

/// A file below the shared folder, parsed as JSON; `None` if it does not exist.
pub(crate) fn recorded(path: &str) -> Option<Value> {
    let text = std::fs::read_to_string(shared()?.join(path)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// A vendor's description of an API: `OpenAPI` 3 or Swagger 2.
pub(crate) struct Description(Value);

impl Description {
    /// The description from this vendor; `None` if it is not on this machine.
    pub(crate) fn find(vendor: &str) -> Option<Self> {
        recorded(&format!("specs/{vendor}.json")).map(Self)
    }

    /// Resolves a `$ref`; returns any other value as it is.
    fn there<'a>(&'a self, value: &'a Value) -> &'a Value {
        let reference = value.get("$ref").and_then(Value::as_str);
        reference.map_or(value, |to| self.there(self.0.pointer(to.strip_prefix('#').unwrap()).unwrap()))
    }

    /// The path template of the description that matches a real path; the one with the fewest parameters if several match.
    fn path(&self, real: &str) -> Option<&String> {
        let real: Vec<_> = real.split('/').collect();
        let fits = |path: &&String| {
            let parts: Vec<_> = path.split('/').collect();
            parts.len() == real.len()
                && parts.iter().zip(&real).all(|(part, real)| part == real || part.starts_with('{'))
        };
        let paths = self.0["paths"].as_object().unwrap().keys().filter(fits);
        paths.min_by_key(|path| path.matches('{').count())
    }

    /// The first violation of the description in a request; `None` if the request is valid.
    pub(crate) fn failure(&self, asked: &ReceivedRequest) -> Option<String> {
        let Some(path) = self.path(&asked.path) else { return Some(format!("no path {}", asked.path)) };
        let item = &self.0["paths"][path];
        let Some(operation) = item.get(asked.method.to_lowercase()) else {
            return Some(format!("no {} {path}", asked.method));
        };
        let lists = [item.get("parameters"), operation.get("parameters")].into_iter().flatten();
        let known: Vec<_> =
            lists.flat_map(|list| list.as_array().unwrap()).map(|one| self.there(one)).collect();
        let in_query = |one: &&&Value| one["in"] == "query";
        for (name, value) in &asked.parameters {
            let Some(parameter) = known.iter().filter(in_query).find(|one| one["name"] == **name) else {
                return Some(format!("{path} has no parameter {name}"));
            };
            // in Swagger 2 the parameter object is its own schema
            let schema = self.there(parameter.get("schema").unwrap_or(parameter));
            let one = if schema["type"] == "array" { self.there(&schema["items"]) } else { schema };
            let is_wrong = match one["type"].as_str() {
                Some("integer") => value.parse::<i64>().is_err(),
                Some("boolean") => !matches!(value.as_str(), "true" | "false"),
                _ if one["format"] == "date-time" => {
                    value.parse::<Timestamp>().is_err() || !value.ends_with('Z')
                }
                _ => one["enum"].as_array().is_some_and(|words| !words.iter().any(|word| *word == **value)),
            };
            let at_most = [("maximum", 1), ("minimum", -1)].into_iter().any(|(key, sign)| {
                let bound = one[key].as_i64().map(|bound| bound * sign);
                bound.zip(value.parse::<i64>().ok()).is_some_and(|(bound, number)| number * sign > bound)
            });
            let repeats = asked.parameters.iter().filter(|(other, _)| other == name).count();
            if is_wrong || at_most || (repeats > 1 && schema["type"] != "array") {
                return Some(format!("{path}: {name} = {value}"));
            }
        }
        let of_swagger = known.iter().find(|one| one["in"] == "body");
        let of_openapi = self.there(operation.get("requestBody").unwrap_or(&Value::Null));
        let content = of_swagger.map_or(&of_openapi["content"]["application/json"], |body| body);
        if content.is_object() || !asked.body.is_empty() {
            let (mut wrong, body) = (Vec::new(), asked.json());
            self.check_schema(&content["schema"], &body, "", &mut wrong);
            let mut examples = BTreeSet::new();
            names(content, &mut examples);
            self.unknown_fields(&content["schema"], &body, "", &examples, &mut wrong);
            if !wrong.is_empty() {
                return Some(format!("{} {path}: {}", asked.method, wrong.join("; ")));
            }
        }
        let required =
            known.iter().filter(|one| one["required"] == true && one["in"] != "path" && one["in"] != "body");
        let is_there = |one: &&Value| {
            let name = one["name"].as_str().unwrap();
            asked.parameters.iter().any(|(known, _)| known == name)
                || asked.header(&name.to_lowercase()).is_some()
        };
        required.copied().find(|one| !is_there(one)).map(|one| format!("{path} needs {}", one["name"]))
    }

    /// Collects the violations of a schema in a value: wrong types, missing required fields, values outside of an enum,
    /// exceeded bounds.
    fn check_schema(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        let schema = self.there(schema);
        let is_type = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64(),
            Some("boolean") => value.is_boolean(),
            _ => true,
        };
        if !is_type {
            wrong.push(format!("{at} is no {}", schema["type"]));
        }
        if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            wrong.push(format!("{at} is none of {}", schema["enum"]));
        }
        let number = value.as_i64();
        let is_beyond = |bound: &str, sign: i64| {
            schema[bound].as_i64().zip(number).is_some_and(|(bound, number)| number * sign > bound * sign)
        };
        if is_beyond("maximum", 1) || is_beyond("minimum", -1) {
            wrong.push(format!("{at} is out of bounds"));
        }
        let text = value.as_str();
        if schema["format"] == "date-time" && text.is_some_and(|text| text.parse::<Timestamp>().is_err()) {
            wrong.push(format!("{at} is no moment"));
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if value.get(name).is_none() {
                wrong.push(format!("{at} lacks {name}"));
            }
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = value.get(name) {
                self.check_schema(property, value, &format!("{at}/{name}"), wrong);
            }
        }
        for value in value.as_array().into_iter().flatten().filter(|_| schema["items"].is_object()) {
            self.check_schema(&schema["items"], value, &format!("{at}[]"), wrong);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.check_schema(part, value, at, wrong);
        }
        let fits = |one: &Value| {
            let mut wrong = Vec::new();
            self.check_schema(one, value, at, &mut wrong);
            wrong.is_empty()
        };
        if schema["oneOf"].as_array().is_some_and(|all| all.iter().filter(|one| fits(one)).count() != 1) {
            wrong.push(format!("{at} is not one of several forms"));
        }
    }

    /// Collects the fields that occur neither in the schema nor in an example.
    fn unknown_fields(
        &self,
        schema: &Value,
        value: &Value,
        at: &str,
        examples: &BTreeSet<String>,
        wrong: &mut Vec<String>,
    ) {
        let mut known = Vec::new();
        self.properties(schema, &mut known);
        let own = self.there(schema);
        if known.is_empty() && own["type"] == "object" && own["additionalProperties"] != false {
            // an object of any fields
            return;
        }
        for (name, value) in value.as_object().into_iter().flatten() {
            let place = format!("{at}/{name}");
            match known.iter().find(|(known, _)| *known == name) {
                Some((_, schema)) => self.unknown_fields(schema, value, &place, examples, wrong),
                None if examples.contains(name) => {}
                None => wrong.push(format!("{place} is unknown")),
            }
        }
        for value in value.as_array().into_iter().flatten() {
            self.unknown_fields(&self.there(schema)["items"], value, at, examples, wrong);
        }
    }

    /// Collects the properties of an object schema, including those of `allOf`, `oneOf` and `anyOf`.
    fn properties<'a>(&'a self, schema: &'a Value, known: &mut Vec<(&'a String, &'a Value)>) {
        let schema = self.there(schema);
        known.extend(schema["properties"].as_object().into_iter().flatten());
        for key in ["allOf", "oneOf", "anyOf"] {
            schema[key].as_array().into_iter().flatten().for_each(|part| self.properties(part, known));
        }
    }

    /// The response examples of a GET request for this path.
    pub(crate) fn examples(&self, path: &str) -> Vec<Value> {
        let responses = self.0["paths"][path]["get"]["responses"].as_object().unwrap();
        let good = responses.iter().filter(|(status, _)| status.starts_with('2'));
        let contents = good.map(|(_, response)| &self.there(response)["content"]["application/json"]);
        let named = contents.filter_map(|content| content["examples"].as_object());
        let all: Vec<_> = named
            .flat_map(|examples| examples.values())
            .map(|one| self.there(one)["value"].clone())
            .collect();
        assert!(!all.is_empty(), "{path}");
        all
    }
}

/// Collects the names of all fields in the examples of a request.
fn names(content: &Value, found: &mut BTreeSet<String>) {
    fn all(value: &Value, found: &mut BTreeSet<String>) {
        for (name, value) in value.as_object().into_iter().flatten() {
            found.insert(name.clone());
            all(value, found);
        }
        value.as_array().into_iter().flatten().for_each(|value| all(value, found));
    }
    all(&content["examples"], found);
}

/// Collects the texts under these keys, at any depth.
fn leaves<'a>(value: &'a Value, keys: &[&str], found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                found.extend(value.as_str().filter(|text| keys.contains(&&**key) && !text.is_empty()));
                leaves(value, keys, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| leaves(value, keys, found)),
        _ => {}
    }
}

/// Asserts that every text under these keys occurs in the debug output of the parsed value.
pub(crate) fn without_loss(example: &Value, keys: &[&str], understood: &str) {
    let mut texts = BTreeSet::new();
    leaves(example, keys, &mut texts);
    assert!(!texts.is_empty(), "{example}");
    for text in texts {
        let shown = format!("{text:?}");
        assert!(understood.contains(shown.trim_matches('"')), "{text:?} is not in {understood}");
    }
}
