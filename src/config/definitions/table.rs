//! Access to a definition file value by value: an invalid value is reported with its line and its path from the root, and so is
//! every key that the reader did not request.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::duration;
use crate::model::labels::Labels;

use super::super::nearest::{did_you_mean, nearest};
use super::finding::{FileOrigin, FindingLevel};
use super::node::{DocumentNode, NodeFields, NodeKind};

/// A value with its path.
#[derive(Clone)]
pub(super) struct TableValue<'l> {
    node: &'l DocumentNode,
    origin: FileOrigin<'l>,
    /// Such as `spec.slos[0].objective`; empty for a whole document.
    key_path: String,
}

impl<'l> TableValue<'l> {
    pub(super) fn document(node: &'l DocumentNode, origin: FileOrigin<'l>) -> Self {
        Self { node, origin, key_path: String::new() }
    }

    /// The first line, from 1.
    pub(super) fn line(&self) -> usize {
        self.node.line
    }

    /// The file that contains the value.
    pub(super) fn origin(&self) -> FileOrigin<'l> {
        self.origin
    }

    /// The value as a tree node.
    pub(super) fn node(&self) -> &'l DocumentNode {
        self.node
    }

    /// The value's path for messages, or `the document`.
    pub(super) fn name(&self) -> String {
        if self.key_path.is_empty() { "the document".to_owned() } else { format!("`{}`", self.key_path) }
    }

    /// Reports an error: the value cannot be used.
    pub(super) fn error(&self, message: &str) {
        self.origin.say(self.line(), FindingLevel::Error, &format!("{}: {message}", self.name()));
    }

    /// Reports a warning: the value may not be what was meant.
    pub(super) fn warn(&self, message: &str) {
        self.origin.say(self.line(), FindingLevel::Warning, &format!("{}: {message}", self.name()));
    }

    /// Reports an error and returns `None`.
    pub(super) fn reject<T>(&self, message: &str) -> Option<T> {
        self.error(message);
        None
    }

    /// The value of a result; its error is reported.
    pub(super) fn accept<T>(&self, read: Result<T, impl std::fmt::Display>) -> Option<T> {
        read.map_err(|error| self.error(&error.to_string())).ok()
    }

    fn reject_type<T>(&self, wanted: &str) -> Option<T> {
        let message = format!("{} must be {wanted}, not {}", self.name(), self.node.what());
        self.origin.say(self.line(), FindingLevel::Error, &message);
        None
    }

    /// The text exactly as written, such as a query.
    pub(super) fn text(&self) -> Option<&'l str> {
        self.node.text().or_else(|| self.reject_type("a text"))
    }

    /// The text without surrounding blanks, such as a name.
    pub(super) fn label(&self) -> Option<String> {
        self.text().map(|text| text.trim().to_owned())
    }

    /// The digits of a number as written, also between quotes: `99.9`.
    pub(super) fn number(&self) -> Option<&'l str> {
        let digits = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
        let number = self.node.text().map(str::trim).filter(|text| digits(text));
        number.or_else(|| self.reject_type("a number"))
    }

    /// `true` or `false`, or a word with that meaning in YAML 1.1.
    pub(super) fn is_true(&self) -> Option<bool> {
        let is_plain = matches!(self.node.kind, NodeKind::Scalar { plain: true, .. });
        let word = self.node.text().filter(|_| is_plain).map(str::to_ascii_lowercase);
        match word.as_deref() {
            Some("true" | "yes" | "on" | "y") => Some(true),
            Some("false" | "no" | "off" | "n") => Some(false),
            Some(_) | None => self.reject_type("true or false"),
        }
    }

    /// A duration in Prometheus' syntax, longer than zero.
    pub(super) fn duration(&self) -> Option<Duration> {
        let duration = self.accept(duration::parse(self.text()?.trim()))?;
        if duration.is_zero() { self.reject("must be longer than zero") } else { Some(duration) }
    }

    /// A duration in seconds, also with a fraction, as thresholds are written: `1.5s`.
    pub(super) fn seconds(&self) -> Option<f64> {
        let fraction = |unit: &str, factor: f64| {
            let number = self.node.text()?.trim().strip_suffix(unit)?;
            let digits = number.chars().all(|c| c.is_ascii_digit() || c == '.') && number.contains('.');
            let seconds = number.parse::<f64>().ok().filter(|_| digits)? * factor;
            (seconds > 0.0).then_some(seconds)
        };
        let fraction = fraction("ms", 0.001).or_else(|| fraction("s", 1.0));
        fraction.or_else(|| self.duration().map(|duration| duration.as_secs_f64()))
    }

    /// The entries of a list.
    pub(super) fn list(&self) -> Vec<Self> {
        let NodeKind::List(items) = &self.node.kind else {
            return self.reject_type("a list").unwrap_or_default();
        };
        let entry =
            |(at, node)| Self { node, origin: self.origin, key_path: format!("{}[{at}]", self.key_path) };
        items.iter().map(|node| &**node).enumerate().map(entry).collect()
    }

    /// The keys and values of a table; duplicate keys are reported.
    pub(super) fn table(&self) -> Option<DocumentTable<'l>> {
        let NodeKind::Table(table) = &self.node.kind else {
            return self.reject_type("a table");
        };
        for (name, first, again) in &table.duplicates {
            let message = format!("duplicate key `{name}` in {}, first on line {first}", self.name());
            self.origin.say(*again, FindingLevel::Error, &message);
        }
        Some(DocumentTable { value: self.clone(), fields: table, asked: RefCell::default() })
    }

    /// Labels or annotations; values are not trimmed. A list of texts becomes one text, joined by commas.
    pub(super) fn labels(&self) -> Labels {
        let Some(table) = self.table() else { return Labels::default() };
        let pair = |(name, value): (&str, TableValue<'l>)| {
            let entries = match &value.node.kind {
                NodeKind::Nothing => Some(Vec::new()),
                NodeKind::List(items) => items.iter().map(|item| item.text()).collect(),
                NodeKind::Scalar { .. } | NodeKind::Table(_) => None,
            };
            let text = entries.map_or_else(|| value.text().map(str::to_owned), |all| Some(all.join(",")));
            Some((name.to_owned(), text?))
        };
        table.all().filter_map(pair).collect()
    }
}

/// A table that records which keys were requested, to report the others as unknown.
pub(super) struct DocumentTable<'l> {
    value: TableValue<'l>,
    fields: &'l NodeFields,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'l> DocumentTable<'l> {
    /// The value of `name`; `None` if the key is missing or its value is empty.
    pub(super) fn get(&self, name: &'static str) -> Option<TableValue<'l>> {
        self.asked.borrow_mut().insert(name);
        let field = self.fields.fields.iter().find(|field| field.name == name)?;
        (field.value.kind != NodeKind::Nothing).then(|| self.inner(name, &field.value))
    }

    /// The value of `name`; reports an error if it is missing.
    pub(super) fn need(&self, name: &'static str) -> Option<TableValue<'l>> {
        let value = self.get(name);
        if value.is_none() {
            let message = format!("{} lacks `{name}`", self.value.name());
            self.value.origin.say(self.value.line(), FindingLevel::Error, &message);
        }
        value
    }

    /// What `read` makes of the value of `name`, if it is there.
    pub(super) fn get_as<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&TableValue<'l>) -> Option<T>,
    ) -> Option<T> {
        self.get(name).and_then(|value| read(&value))
    }

    /// What `read` makes of the value of `name`, which must be there.
    pub(super) fn need_as<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&TableValue<'l>) -> Option<T>,
    ) -> Option<T> {
        self.need(name).and_then(|value| read(&value))
    }

    /// What `read` makes of the value of `name`, or what is usual if it is not there.
    pub(super) fn get_or<T>(
        &self,
        name: &'static str,
        usual: T,
        read: impl FnOnce(&TableValue<'l>) -> Option<T>,
    ) -> Option<T> {
        self.get(name).map_or(Some(usual), |value| read(&value))
    }

    /// The entries of the list `name`; none if it is not there.
    pub(super) fn list(&self, name: &'static str) -> Vec<TableValue<'l>> {
        self.get(name).map(|value| value.list()).unwrap_or_default()
    }

    /// Marks known keys that burnwatch does not use, so that they are not reported as unknown.
    pub(super) fn ignore_keys(&self, names: &[&'static str]) {
        self.asked.borrow_mut().extend(names);
    }

    /// All keys with their values.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'l str, TableValue<'l>)> {
        self.fields.fields.iter().map(|field| (field.name.as_str(), self.inner(&field.name, &field.value)))
    }

    /// The table as a value, for messages with its path.
    pub(super) fn value(&self) -> &TableValue<'l> {
        &self.value
    }

    /// Reports all keys that were not requested as unknown, each with the most similar requested key.
    pub(super) fn finish(self) {
        let asked = self.asked.into_inner();
        let path = &self.value.key_path;
        let place = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
        // keys that begin with `x-` are extensions, often used for anchors
        let is_unknown = |name: &str| !asked.contains(name) && !name.starts_with("x-");
        for field in self.fields.fields.iter().filter(|field| is_unknown(&field.name)) {
            let near = did_you_mean(nearest(&field.name, asked.iter().copied()));
            let message = format!("unknown key `{}`{place}{near}", field.name);
            self.value.origin.say(field.line, FindingLevel::Warning, &message);
        }
    }

    fn inner(&self, name: &str, node: &'l DocumentNode) -> TableValue<'l> {
        let outer = &self.value.key_path;
        let key_path = if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") };
        TableValue { node, origin: self.value.origin, key_path }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::finding::Findings;
    use super::super::from_yaml::documents;
    use super::*;

    /// Reads one document with `read` and returns the findings, each with its level.
    fn said(text: &str, read: impl Fn(&TableValue<'_>)) -> Vec<String> {
        let findings = Findings::default();
        let (nodes, faults) = documents(text);
        assert_eq!(faults, []);
        for node in &nodes {
            read(&TableValue::document(node, FileOrigin { path: Path::new("f.yaml"), findings: &findings }));
        }
        findings.into_list().iter().map(|finding| format!("{finding} ({})", finding.level.word())).collect()
    }

    #[test]
    fn what_nobody_asked_for_is_said_with_the_nearest_known_name() {
        let read = |document: &TableValue<'_>| {
            let root = document.table().unwrap();
            let slo = root.get("slos").unwrap().list()[0].table().unwrap();
            slo.ignore_keys(&["name", "objective"]);
            slo.finish();
            root.finish();
        };
        assert_eq!(
            said("slos:\n  - name: a\n    objectiv: 9\nextra:\n", read),
            [
                "f.yaml:3: unknown key `objectiv` in `slos[0]`; did you mean `objective`? (warning)",
                "f.yaml:4: unknown key `extra` (warning)",
            ]
        );
    }

    #[test]
    fn a_wrong_kind_of_value_is_said_with_line_and_way() {
        let read = |document: &TableValue<'_>| {
            let root = document.table().unwrap();
            assert_eq!(root.get("n").and_then(|value| value.number()), Some("99.90"));
            assert_eq!(root.get("q").and_then(|value| value.number()), Some("0.5"));
            assert_eq!(root.get("no").and_then(|value| value.is_true()), Some(false));
            assert!(root.get("empty").is_none());
            root.need("text").and_then(|value| value.text());
            root.need("list").and_then(|value| value.number());
            root.need("text").and_then(|value| value.duration());
            root.need("zero").and_then(|value| value.duration());
            root.need("quoted").and_then(|value| value.is_true());
            root.need("n").and_then(|value| value.table());
            root.need("nan").and_then(|value| value.number());
            root.need("gone");
        };
        let text = "n: 99.90\nq: '0.5'\nno: no\nempty: ~\ntext: {a: b}\nlist:\n  - 1\nzero: 0s\nquoted: 'true'\nnan: .nan\n";
        assert_eq!(
            said(text, read),
            [
                "f.yaml:1: `n` must be a table, not `99.90` (error)",
                "f.yaml:1: the document lacks `gone` (error)",
                "f.yaml:5: `text` must be a text, not a table (error)",
                "f.yaml:7: `list` must be a number, not a list (error)",
                "f.yaml:8: `zero`: must be longer than zero (error)",
                "f.yaml:9: `quoted` must be true or false, not `true` (error)",
                "f.yaml:10: `nan` must be a number, not `.nan` (error)",
            ]
        );
    }

    #[test]
    fn a_doubled_name_is_an_error_of_what_it_stands_in() {
        let read = |document: &TableValue<'_>| drop(document.table());
        assert_eq!(
            said("a: 1\na: 2\n", read),
            ["f.yaml:2: duplicate key `a` in the document, first on line 1 (error)"]
        );
    }

    #[test]
    fn labels_may_be_numbers_and_lists() {
        let read = |document: &TableValue<'_>| {
            let expected = [("tier", "2"), ("team", "a,b"), ("none", "")];
            assert_eq!(document.labels(), Labels::from_iter(expected));
        };
        assert_eq!(
            said("tier: 2\nteam: [a, b]\nnone:\nbad: {}\n", read),
            ["f.yaml:4: `bad` must be a text, not a table (error)"]
        );
    }
}
