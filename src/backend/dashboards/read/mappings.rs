//! Value mappings of all versions.

use serde_json::Value;

use super::fields::{colour, without_slashes};
use super::json::{at, list, number, text, whole, word};
use crate::model::dashboard::field::{GrafanaColour, MappedValue, SpecialValue, ValueMapping};
use crate::model::labels::Text;

/// `fieldConfig.defaults.mappings`.
pub(super) fn mappings(value: &Value) -> Vec<ValueMapping> {
    let mut out: Vec<ValueMapping> = Vec::new();
    for mapping in list(value) {
        let options = at(mapping, "options");
        let result = at(options, "result");
        match word(at(mapping, "type")) {
            "value" => {
                for (value, result) in options.as_object().into_iter().flatten() {
                    out.push(made(exactly(value), result, out.len()));
                }
            }
            "range" => {
                let of =
                    MappedValue::Range { from: number(at(options, "from")), to: number(at(options, "to")) };
                out.push(made(of, result, out.len()));
            }
            "regex" => {
                let of = MappedValue::Pattern(without_slashes(word(at(options, "pattern"))));
                out.push(made(of, result, out.len()));
            }
            "special" => {
                if let Some(special) = special(word(at(options, "match"))) {
                    out.push(made(MappedValue::Special(special), result, out.len()));
                }
            }
            _ => out.extend(old(mapping, out.len())),
        }
    }
    out
}

fn made(of: MappedValue, result: &Value, index: usize) -> ValueMapping {
    let index = whole(at(result, "index")).unwrap_or_else(|| u32::try_from(index).unwrap_or(u32::MAX));
    ValueMapping { of, text: text(at(result, "text")), colour: colour(word(at(result, "color"))), index }
}

fn exactly(value: &str) -> MappedValue {
    match value {
        "null" => MappedValue::Special(SpecialValue::Null),
        _ => MappedValue::Exactly(value.into()),
    }
}

fn special(name: &str) -> Option<SpecialValue> {
    Some(match name {
        "null" => SpecialValue::Null,
        "nan" => SpecialValue::NotANumber,
        "null+nan" => SpecialValue::NullOrNotANumber,
        "true" => SpecialValue::True,
        "false" => SpecialValue::False,
        "empty" => SpecialValue::Empty,
        _ => return None,
    })
}

/// Those of Grafana 6 and 7: `type` 1 for a value, 2 for a range.
fn old(mapping: &Value, index: usize) -> Option<ValueMapping> {
    let of = match whole::<u8>(at(mapping, "type")) {
        Some(1) => exactly(&text(at(mapping, "value"))?),
        Some(2) => MappedValue::Range { from: number(at(mapping, "from")), to: number(at(mapping, "to")) },
        Some(_) | None => return None,
    };
    Some(ValueMapping {
        of,
        text: text(at(mapping, "text")),
        colour: colour(word(at(mapping, "color"))),
        index: u32::try_from(index).unwrap_or(u32::MAX),
    })
}

/// `valueMaps` and `rangeMaps` of old panels; `type` says which of them counts.
pub(super) fn value_maps(panel: &Value, value_key: &str) -> Vec<ValueMapping> {
    let is_range = whole::<u8>(at(panel, "mappingType")) == Some(2);
    let maps = list(at(panel, if is_range { "rangeMaps" } else { "valueMaps" }));
    let one = |(index, map): (usize, &Value)| {
        let of = if is_range {
            let (from, to) = (at(map, "from"), at(map, "to"));
            let is_null = word(from) == "null" && word(to) == "null";
            if is_null {
                MappedValue::Special(SpecialValue::Null)
            } else {
                MappedValue::Range { from: number(from), to: number(to) }
            }
        } else {
            exactly(&text(at(map, value_key))?)
        };
        let text: Option<Text> = text(at(map, "text"));
        let colour: Option<GrafanaColour> = None;
        text.is_some().then(|| ValueMapping {
            of,
            text,
            colour,
            index: u32::try_from(index).unwrap_or(u32::MAX),
        })
    };
    maps.iter().enumerate().filter_map(one).collect()
}
