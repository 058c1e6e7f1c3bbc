//! The JSON format: one object with `context`, `as_of`, `is_partial`, `notes`, the facts and the lists.
//!
//! Keys are `snake_case`; ratios are 0 to 1, durations are seconds, moments are RFC 3339 in UTC, and unknown values are `null`.
//! New versions may add keys. A key is removed or changes its meaning only with an entry in the changelog.

use serde_json::{Map, Number, Value};

use super::{Cell, ReportDocument, ReportList};
use crate::model::labels::Labels;
use crate::model::text::escaped_json;

/// The whole document, indented over several lines.
pub(in crate::cli) fn render(document: &ReportDocument) -> String {
    let mut object = Map::new();
    object.insert("context".into(), document.context.clone().into());
    object.insert("as_of".into(), format!("{:.0}", document.as_of).into());
    object.insert("is_partial".into(), document.is_partial.into());
    object.insert("notes".into(), document.notes.clone().into());
    object.extend(document.facts.iter().map(|fact| (fact.key.clone(), value(&fact.value))));
    object.extend(document.lists.iter().map(|list| (list.key.to_owned(), rows(list))));
    let out = serde_json::to_string_pretty(&Value::Object(object)).expect("all keys are strings");
    escaped_json(&out) + "\n"
}

fn rows(list: &ReportList) -> Value {
    let object = |row: &Vec<Cell>| {
        let reported = list.columns.iter().zip(row).filter(|(column, _)| !column.key.is_empty());
        let pairs = reported.map(|(column, cell)| (column.key.to_owned(), value(cell)));
        Value::Object(pairs.collect())
    };
    list.rows.iter().map(object).collect()
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Nothing => Value::Null,
        Cell::Text(text) => text.clone().into(),
        Cell::Switch(on) => (*on).into(),
        Cell::Count(count) => (*count).into(),
        Cell::Offset(seconds) => (*seconds).into(),
        Cell::Ratio(number)
        | Cell::Number(number)
        | Cell::Formatted(number, _)
        | Cell::Seconds(number)
        | Cell::Rate(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Cell::Since(at) | Cell::Moment(at) => at.to_string().into(),
        Cell::Texts(texts) => texts.clone().into(),
        Cell::Object(pairs) => object(pairs),
        Cell::Objects(objects) => objects.iter().map(|pairs| object(pairs)).collect(),
        Cell::Labels(labels) => of_labels(labels),
        Cell::LabelSets(sets) => sets.iter().map(of_labels).collect(),
    }
}

fn object(pairs: &[(&'static str, Cell)]) -> Value {
    Value::Object(pairs.iter().map(|(key, cell)| ((*key).to_owned(), value(cell))).collect())
}

fn of_labels(labels: &Labels) -> Value {
    Value::Object(labels.iter().map(|(name, value)| (name.to_string(), (**value).into())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::{ListLayout, fixtures};
    use crate::model::text::is_harmless;

    #[test]
    fn programs_get_plain_numbers_and_null_for_what_is_not_known() {
        let json: Value = serde_json::from_str(&render(&fixtures::document(ListLayout::Rows))).unwrap();
        assert_eq!(json["as_of"], "2027-01-15T08:00:00Z");
        assert_eq!((&json["firing"], &json["is_partial"]), (&2.into(), &true.into()));
        let expected = serde_json::json!({
            "name": "決済-api", "error_ratio": 0.123, "p95_seconds": 1.5, "since": "2027-01-15T07:57:00Z",
            "labels": { "team": "pay" }, "why": "12% | of *requests* fail",
        });
        assert_eq!(json["services"][0], expected);
        assert_eq!(json["services"][1]["error_ratio"], Value::Null);
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_not_lost() {
        let hostile = "a\u{1b}]0;x\u{7}\u{9b}2J\u{7f}\u{202e}\u{e0041}é";
        let document = ReportDocument { context: hostile.into(), ..fixtures::document(ListLayout::Rows) };
        let text = render(&document);
        assert!(text.chars().all(|c| is_harmless(c) || c == '\n'), "{text:?}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["context"], hostile);
    }
}
