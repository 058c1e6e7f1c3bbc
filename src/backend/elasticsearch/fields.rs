//! Which fields the indices have, how a value of each can be found, and queries in the query string syntax (Lucene).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

/// The subfield in which dynamic mappings keep a text as it is.
const KEYWORD: &str = ".keyword";
/// Names of fields are asked for in requests of up to this many bytes, because servers take addresses of up to 4096.
const NAMES_PER_REQUEST: usize = 2500;

/// How the indices have a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct FieldForm {
    /// Some index has it as one value: a keyword, a number, an address.
    is_exact: bool,
    /// Some index has it as a text of separate words.
    is_text: bool,
    /// All indices can count its values.
    is_countable: bool,
}

/// The fields that the indices have, of those that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FieldIndex {
    /// The indices that the pattern matches.
    pub(super) indices: BTreeSet<String>,
    forms: BTreeMap<String, FieldForm>,
    /// The dates with nanoseconds.
    nanos: BTreeSet<String>,
}

/// The names, each with its keyword, in lists for one request each.
pub(super) fn requests<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let names: BTreeSet<&str> = names.into_iter().collect();
    let mut lists: Vec<String> = Vec::new();
    for name in names {
        let both = if name.ends_with(KEYWORD) { name.to_owned() } else { format!("{name},{name}{KEYWORD}") };
        match lists.last_mut().filter(|list| list.len() + both.len() < NAMES_PER_REQUEST) {
            Some(list) => write!(list, ",{both}").unwrap_or_default(),
            None => lists.push(both),
        }
    }
    lists
}

impl FieldIndex {
    /// Adds the fields of an answer: for each the types that it has in some index.
    pub(super) fn add(&mut self, fields: &Value) {
        for (name, types) in fields.as_object().into_iter().flatten() {
            let mut form = FieldForm { is_countable: true, ..FieldForm::default() };
            for (kind, about) in types.as_object().into_iter().flatten() {
                match kind.as_str() {
                    "object" | "nested" | "unmapped" => continue,
                    "text" | "match_only_text" | "annotated_text" => form.is_text = true,
                    _exact => form.is_exact = true,
                }
                self.nanos.extend((kind == "date_nanos").then(|| name.clone()));
                form.is_countable &= about.get("aggregatable").and_then(Value::as_bool).unwrap_or(false);
            }
            if form.is_exact || form.is_text {
                self.forms.insert(name.clone(), form);
            }
        }
    }

    fn form(&self, name: &str) -> FieldForm {
        self.forms.get(name).copied().unwrap_or_default()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.forms.contains_key(name)
    }

    /// The names of all fields, without those that are another form of a field.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let is_own = |name: &&String| name.strip_suffix(KEYWORD).is_none_or(|of| !self.has(of));
        self.forms.keys().filter(is_own).cloned().collect()
    }

    /// Whether the times in this field have nanoseconds; milliseconds otherwise.
    pub(super) fn is_nanos(&self, name: &str) -> bool {
        self.nanos.contains(name)
    }

    /// The field by which lines with these values can be counted, if there is one.
    pub(super) fn countable(&self, name: &str) -> Option<String> {
        let keyword = format!("{name}{KEYWORD}");
        let names = [name.to_owned(), keyword].into_iter();
        names.into_iter().find(|name| self.forms.get(name).is_some_and(|form| form.is_countable))
    }

    /// The query of lines whose field has this value: of the forms of the field those that hold the whole value, or else its words.
    pub(super) fn is(&self, name: &str, value: &str) -> String {
        let keyword = format!("{name}{KEYWORD}");
        let exact = Some(name).filter(|name| self.form(name).is_exact);
        let exact: Vec<&str> =
            exact.into_iter().chain(Some(&*keyword).filter(|name| self.has(name))).collect();
        let names = if exact.is_empty() { vec![name] } else { exact };
        any(names.into_iter().map(|name| format!("{}:{}", escaped(name), phrase(value))))
    }

    /// The query of lines whose text has these words one after the other, in any of the fields; of fields that hold one value a part of it.
    pub(super) fn contains(&self, names: &[String], text: &str) -> String {
        let known: Vec<&String> = names.iter().filter(|name| self.has(name)).collect();
        let names = if known.is_empty() { names.iter().collect() } else { known };
        any(names.into_iter().map(|name| {
            let form = self.form(name);
            if form.is_exact && !form.is_text {
                format!("{}:*{}*", escaped(name), escaped(text))
            } else {
                format!("{}:{}", escaped(name), phrase(text))
            }
        }))
    }
}

/// Lines that any of the queries finds.
fn any(queries: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = queries.collect();
    if let [one] = all.as_slice() { one.clone() } else { format!("({})", all.join(" OR ")) }
}

/// A name or a part of a value outside of quotation marks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if !(c.is_alphanumeric() || matches!(c, '_' | '.' | '@' | '-')) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    // a word that begins like this would be an operator
    if escaped.starts_with('-') { format!("\\{escaped}") } else { escaped }
}

/// A value in quotation marks.
fn phrase(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn index() -> FieldIndex {
        let kind =
            |name: &str, is_countable: bool| json!({name: {"type": name, "aggregatable": is_countable}});
        let mut index = FieldIndex::default();
        index.add(&json!({
            "service.name": kind("keyword", true),
            "app": kind("text", false), "app.keyword": kind("keyword", true),
            "note": kind("text", false),
            "level": {"keyword": {"aggregatable": true}, "text": {"aggregatable": false}}, "level.keyword": kind("keyword", true),
            "line": kind("wildcard", true),
            "service": kind("object", false),
        }));
        index
    }

    #[test]
    fn a_value_is_looked_for_in_the_form_of_the_field_that_holds_it_whole() {
        let index = index();
        assert_eq!(index.is("service.name", "a-b"), r#"service.name:"a-b""#);
        assert_eq!(index.is("app", r#"x "y" \z"#), r#"app.keyword:"x \"y\" \\z""#);
        assert_eq!(index.is("note", "a b"), r#"note:"a b""#);
        assert_eq!(index.is("level", "error"), r#"(level:"error" OR level.keyword:"error")"#);
        assert_eq!(index.is("kubernetes.labels.app_io/name", "x"), r#"kubernetes.labels.app_io\/name:"x""#);
        assert_eq!(index.countable("app").as_deref(), Some("app.keyword"));
        assert_eq!(
            index.countable("level").as_deref(),
            Some("level.keyword"),
            "not where some index has a text"
        );
        assert_eq!(index.countable("note"), None);
        assert!(!index.has("service"), "an object has no value");
        assert_eq!(
            index.names().into_iter().collect::<Vec<_>>(),
            ["app", "level", "line", "note", "service.name"]
        );
    }

    #[test]
    fn a_text_is_looked_for_by_its_words_or_as_a_part_of_a_value() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            index().contains(&names(&["message", "note", "line"]), "no \"route\""),
            r#"(note:"no \"route\"" OR line:*no\ \"route\"*)"#
        );
        assert_eq!(FieldIndex::default().contains(&names(&["message"]), "x"), r#"message:"x""#);
    }

    #[test]
    fn names_are_asked_for_once_and_in_requests_of_limited_size() {
        let names: Vec<String> = (0..400).map(|n| format!("field.number.{n}")).collect();
        let lists = requests(names.iter().map(String::as_str).chain(["field.number.1", "x.keyword"]));
        assert!(lists.len() > 5 && lists.iter().all(|list| list.len() <= NAMES_PER_REQUEST));
        let all: Vec<&str> = lists.iter().flat_map(|list| list.split(',')).collect();
        assert_eq!(all.len(), 801);
        assert!(all.contains(&"field.number.399.keyword") && !all.contains(&"x.keyword.keyword"));
    }
}
