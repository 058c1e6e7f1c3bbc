//! JSON of any sender: objects with the fields of `kind = "file"`, or with fields at other places that the user names.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::{Reading, text};

/// Where a field is in the body, or its fixed value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum FieldSource {
    /// A JSON pointer: `/app/name`.
    Pointer(String),
    Fixed(String),
}

/// The fields of a change, each with its place in the body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldMap(Vec<(String, FieldSource)>);

/// Why a text is no place of a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form FIELD=/json/pointer or FIELD=text")]
pub struct FieldMapError(String);

impl FromStr for FieldMap {
    type Err = FieldMapError;

    /// One field: `service=/app/name`, or `kind=deploy`.
    fn from_str(text: &str) -> Result<Self, FieldMapError> {
        let error = || FieldMapError(text.to_owned());
        let (field, place) = text.split_once('=').ok_or_else(error)?;
        let is_name = |name: &str| {
            !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        };
        if !is_name(field) || place.is_empty() {
            return Err(error());
        }
        let source = if place.starts_with('/') {
            FieldSource::Pointer(place.to_owned())
        } else {
            FieldSource::Fixed(place.to_owned())
        };
        Ok(Self(vec![(field.to_owned(), source)]))
    }
}

impl FromIterator<Self> for FieldMap {
    fn from_iter<I: IntoIterator<Item = Self>>(fields: I) -> Self {
        Self(fields.into_iter().flat_map(|field| field.0).collect())
    }
}

impl FieldMap {
    /// Whether every field is where `kind = "file"` has it.
    fn has_pointers(&self) -> bool {
        self.0.iter().any(|(_, source)| matches!(source, FieldSource::Pointer(_)))
    }

    fn of(&self, body: &Map<String, Value>) -> Map<String, Value> {
        // with a template, the rest of the body is not for people
        let mut fields = if self.has_pointers() { Map::new() } else { body.clone() };
        let whole = Value::Object(body.clone());
        for (name, source) in &self.0 {
            let value = match source {
                FieldSource::Pointer(pointer) => text(&whole, &[pointer]),
                FieldSource::Fixed(text) => Some(text.clone()),
            };
            fields.extend(value.map(|value| (name.clone(), value.into())));
        }
        fields
    }
}

/// One object, or a list of them.
pub(super) fn read(body: &Value, fields: &FieldMap) -> Reading {
    let objects: Option<Vec<&Map<String, Value>>> = match body {
        Value::Object(object) => Some(vec![object]),
        Value::Array(list) => list.iter().map(Value::as_object).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    match objects {
        Some(objects) if !objects.is_empty() => {
            Reading::Changes(objects.into_iter().map(|object| fields.of(object)).collect())
        }
        Some(_) | None => Reading::Unfit("the body is neither a JSON object nor a list of them".to_owned()),
    }
}
