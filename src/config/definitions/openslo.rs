//! Reads OpenSLO definitions, `openslo/v1` and `openslo/v1alpha`: objects that refer to each other across all files of a load.

mod alert;
mod indicator;
mod period;

use std::collections::BTreeMap;

use crate::model::labels::{Labels, Text};
use crate::model::slo::{
    AlertMetadata, BudgetingMethod, BurnSeverity, DefinitionOrigin, Family, Form, Objective, RecordedSeries,
    Sli, Slo, SloAlerting, lookbacks, standard,
};

use super::finding::FindingLevel;
use super::table::{DocumentTable, TableValue};
use super::terms::slug;
pub(super) use indicator::COMPARISONS;
use indicator::OpenSloIndicator;
pub(super) use period::{DEFAULT_START, OpenSloUnit, UNITS, start, zone};

/// The kinds that other objects can refer to.
const REFERENCED_KINDS: [&str; 6] =
    ["SLI", "Service", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"];

/// The version of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenSloVersion {
    /// `openslo/v1`
    One,
    /// `openslo/v1alpha`
    Alpha,
}

/// All objects of a load, by kind and name.
#[derive(Default)]
pub(super) struct OpenSloObjects<'l> {
    objects: BTreeMap<(&'static str, String), Vec<TableValue<'l>>>,
    slos: Vec<(OpenSloVersion, TableValue<'l>)>,
}

impl<'l> OpenSloObjects<'l> {
    /// Adds an object; SLOs keep their order.
    pub(super) fn add(&mut self, version: OpenSloVersion, kind: &str, object: TableValue<'l>) {
        let name = object.node().field("metadata").and_then(|metadata| metadata.field("name")?.text());
        match (REFERENCED_KINDS.iter().find(|known| **known == kind), name) {
            (Some(kind), Some(name)) => {
                self.objects.entry((kind, name.trim().to_owned())).or_default().push(object);
            }
            (Some(_), None) => object.error("lacks `metadata.name`, so nothing can refer to it"),
            (None, _) if kind == "SLO" => self.slos.push((version, object)),
            (None, _) => object.warn(&format!("unsupported OpenSLO `kind: {kind}`")),
        }
    }

    /// The object that `from` refers to; objects of the same file take precedence. Reports nothing if there is none.
    fn find(&self, kind: &'static str, name: &str, from: &TableValue<'_>) -> Option<TableValue<'l>> {
        let all = self.objects.get(&(kind, name.trim().to_owned()))?;
        let near: Vec<_> = all.iter().filter(|object| object.origin().path == from.origin().path).collect();
        let candidates = if near.is_empty() { all.iter().collect() } else { near };
        let first = candidates.first()?;
        if candidates.len() > 1 {
            let place = format!("{}:{}", first.origin().path.display(), first.line());
            from.warn(&format!(
                "there are {} objects {kind} `{name}`; the one at {place} is used",
                candidates.len()
            ));
        }
        Some((*first).clone())
    }

    /// The entries of a list; for those that refer to an object of a kind by `key`, that object. Says which are not there.
    fn resolved(
        &self,
        entries: Vec<TableValue<'l>>,
        key: &'static str,
        kind: &'static str,
        instead: &str,
    ) -> Vec<TableValue<'l>> {
        let resolved = entries.into_iter().filter_map(|entry| {
            let Some(reference) = reference(&entry, key) else { return Some(entry) };
            let name = reference.text()?;
            let found = self.find(kind, name, &reference);
            if found.is_none() {
                missing(&reference, kind, name, instead);
            }
            found
        });
        resolved.collect()
    }

    /// Reads all SLOs, and then all referable objects, so that errors in objects without a reference are reported too.
    pub(super) fn read(&self, slos: &mut Vec<Slo>) {
        for (version, document) in &self.slos {
            self.slo(*version, document, slos);
        }
        for ((kind, _), objects) in &self.objects {
            for object in objects {
                match *kind {
                    "SLI" => drop(indicator::object(object, self)),
                    "AlertPolicy" => drop(alert::policy(object, self)),
                    "AlertCondition" => drop(alert::condition(object)),
                    _ => {}
                }
            }
        }
    }

    fn slo(&self, version: OpenSloVersion, document: &TableValue<'l>, slos: &mut Vec<Slo>) {
        let findings = document.origin().findings;
        let before = findings.errors();
        let Some(root) = document.table() else { return };
        root.ignore_keys(&["apiVersion", "kind"]);
        let metadata = root.need_as("metadata", metadata);
        let spec = root.need_as("spec", TableValue::table);
        root.finish();
        let Some(spec) = spec else { return };
        let description = spec.get_as("description", TableValue::sentence);
        let service = spec.get_as("service", TableValue::word);
        let window = period::of(&spec, version);
        let method = spec.get("budgetingMethod");
        if method.is_none() {
            spec.value().warn("has no `budgetingMethod`; Occurrences is used");
        }
        let method = method.map_or(Some(Method::Occurrences), |value| value.one_of(&METHODS));
        let shared = self.indicator(version, &spec);
        let alerts = spec.get("alertPolicies").map(|value| alert::policies(&value, self));
        let alerts = alerts.filter(|pairs| !pairs.is_empty());
        let objectives = spec.need("objectives").map(|value| value.list()).unwrap_or_default();
        spec.ignore_keys(&["severity"]);
        if objectives.is_empty() && findings.errors() == before {
            spec.value().error("has no objectives");
        }
        let whole = findings.errors() == before;
        let common = whole.then_some(()).and(metadata).zip(window).zip(method);
        let several = objectives.len() > 1;
        let mut ids: Vec<Text> = Vec::new();
        for (at, value) in objectives.iter().enumerate() {
            // read even if the document has errors, to report all of them at once
            let before = findings.errors();
            let row = self.row(version, value, shared.as_ref(), common.as_ref().map(|(_, method)| *method));
            let (Some(((metadata, window), _)), Some(row)) = (&common, row) else { continue };
            if findings.errors() > before {
                continue;
            }
            let mut id = metadata.name.to_string();
            if several {
                let name = row.name.as_deref().map(slug).filter(|name| !name.is_empty());
                id = format!("{id}-{}", name.unwrap_or_else(|| (at + 1).to_string()));
                if ids.iter().any(|known| **known == *id) {
                    id = format!("{id}-{}", at + 1);
                }
            }
            let mut name: Text = id.clone().into();
            let mut recorded = None;
            if let (OpenSloVersion::Alpha, Some(service), true) = (version, &service, row.has_placeholder()) {
                name = format!("{}-{at}", metadata.name).into();
                id = format!("{service}-{name}");
                let pairs = alerts.clone().unwrap_or_else(|| standard(window.nominal()));
                let series = RecordedSeries::new(Family::Sloth, id.as_str().into());
                recorded = Some(RecordedSeries { lookbacks: lookbacks(&pairs), ..series });
            }
            let id: Text = id.into();
            ids.push(id.clone());
            let notice = |severity| {
                let wanted =
                    alerts.as_ref().is_none_or(|pairs| pairs.iter().any(|pair| pair.severity == severity));
                wanted.then(AlertMetadata::default)
            };
            slos.push(Slo {
                name,
                id,
                service: service.clone(),
                description: description
                    .clone()
                    .filter(|text| !text.is_empty())
                    .unwrap_or_else(|| metadata.title.clone()),
                labels: metadata.labels.clone(),
                objective: row.objective,
                window: window.clone(),
                budgeting: row.budgeting,
                sli: row.sli,
                grouping: Vec::new(),
                pairs: alerts.clone().unwrap_or_else(|| standard(window.nominal())),
                alerting: SloAlerting {
                    page: notice(BurnSeverity::Page),
                    ticket: notice(BurnSeverity::Ticket),
                    ..SloAlerting::default()
                },
                recorded,
                origin: DefinitionOrigin::File {
                    path: document.origin().path.to_owned(),
                    line: if several { value.line() } else { document.line() },
                    form: Form::OpenSlo,
                },
            });
        }
        spec.finish();
    }

    /// The indicator of a table; `None` if it has none, or an invalid one, which is reported.
    fn indicator(&self, version: OpenSloVersion, table: &DocumentTable<'l>) -> Option<OpenSloIndicator> {
        let (inner, reference) = (table.get("indicator"), table.get("indicatorRef"));
        match (inner, reference) {
            (Some(inner), None) => match version {
                OpenSloVersion::One => indicator::object(&inner, self),
                OpenSloVersion::Alpha => indicator::alpha(&inner),
            },
            (None, Some(reference)) => {
                let name = reference.text()?;
                let found = self.find("SLI", name, &reference).or_else(|| {
                    reference.reject(&format!("there is no SLI `{name}` in the files that were read"))
                });
                indicator::object(&found?, self)
            }
            (Some(_), Some(reference)) => {
                reference.reject("is given together with `indicator`; keep one of them")
            }
            (None, None) => None,
        }
    }

    fn row(
        &self,
        version: OpenSloVersion,
        value: &TableValue<'l>,
        shared: Option<&OpenSloIndicator>,
        method: Option<Method>,
    ) -> Option<Row> {
        let before = value.origin().findings.errors();
        let table = value.table()?;
        let name = table.get_as("displayName", TableValue::word);
        let objective = match (table.get("target"), table.get("targetPercent")) {
            (Some(target), None) => target.ratio(),
            (None, Some(percent)) => percent.percent(),
            (None, None) => value.reject("lacks `target`"),
            (Some(_), Some(percent)) => percent.reject("is given together with `target`; keep one of them"),
        };
        let own = match version {
            OpenSloVersion::One => self.indicator(version, &table),
            OpenSloVersion::Alpha => table.get_as("ratioMetrics", indicator::alpha_ratio),
        };
        let found = own.as_ref().or(shared);
        if found.is_none() && value.origin().findings.errors() == before && method.is_some() {
            value.error("has neither `indicator` nor `indicatorRef`, so it cannot be measured");
        }
        let sli = found.and_then(|found| found.with_threshold(&table));
        let budgeting = method.and_then(|method| budgeting(method, version, &table));
        if let Some(weight) = table.get("compositeWeight") {
            weight.warn("is not supported: each objective is a separate SLO");
        }
        table.ignore_keys(&["op", "value", "timeSliceTarget", "timeSliceWindow"]);
        table.finish();
        if value.origin().findings.errors() > before {
            return None;
        }
        Some(Row { name, objective: objective?, sli, budgeting: budgeting? })
    }
}

struct Row {
    name: Option<Text>,
    objective: Objective,
    /// `None` if it is measured by a system other than Prometheus.
    sli: Option<Sli>,
    budgeting: BudgetingMethod,
}

impl Row {
    /// Whether its queries contain `{{.window}}`: then the SLO was written for Sloth, which records it under an id of its own.
    fn has_placeholder(&self) -> bool {
        if let Some(Sli::Events { part, total, .. }) = &self.sli {
            return part.has_window() || total.has_window();
        }
        matches!(&self.sli, Some(Sli::Ratio { error }) if error.has_window())
    }
}

struct OpenSloMetadata {
    name: Text,
    title: Text,
    labels: Labels,
}

fn metadata(value: &TableValue<'_>) -> Option<OpenSloMetadata> {
    let table = value.table()?;
    let name = table.need_as("name", TableValue::word);
    let title = table.get_as("displayName", TableValue::sentence).unwrap_or_default();
    let labels = table.labels("labels");
    Some(OpenSloMetadata { name: name?, title, labels })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Occurrences,
    Timeslices,
    RatioTimeslices,
}

const METHODS: [(&str, Method); 3] = [
    ("Occurrences", Method::Occurrences),
    ("Timeslices", Method::Timeslices),
    ("RatioTimeslices", Method::RatioTimeslices),
];

fn budgeting(method: Method, version: OpenSloVersion, table: &DocumentTable<'_>) -> Option<BudgetingMethod> {
    if method == Method::Occurrences {
        return Some(BudgetingMethod::Occurrences);
    }
    let slice = match (table.get("timeSliceWindow"), version) {
        (Some(value), _) => period::slice(&value),
        // `openslo/v1alpha` has no field for it
        (None, OpenSloVersion::Alpha) => Some(period::MINUTE),
        (None, OpenSloVersion::One) => {
            table.need("timeSliceWindow");
            None
        }
    };
    if method == Method::RatioTimeslices {
        return Some(BudgetingMethod::RatioTimeslices { slice: slice? });
    }
    let least = table.need("timeSliceTarget");
    let least = least.and_then(|value| value.amount_up_to(1.0, "must be above 0 and at most 1"));
    Some(BudgetingMethod::Timeslices { slice: slice?, least: least? })
}

/// What an object says, beside its kind and name.
fn spec<'l>(object: &TableValue<'l>) -> Option<TableValue<'l>> {
    let root = object.table()?;
    root.ignore_keys(&["apiVersion", "kind", "metadata"]);
    let spec = root.need("spec");
    root.finish();
    spec
}

/// The reference in a list entry, if it has one: `- nameRef: x`, or `- x` in older files.
fn reference<'l>(entry: &TableValue<'l>, key: &'static str) -> Option<TableValue<'l>> {
    if entry.node().text().is_some() {
        Some(entry.clone())
    } else {
        entry.node().field(key).and(entry.table()?.get(key))
    }
}

/// Warns about a missing object; the object that refers to it is still read.
fn missing(value: &TableValue<'_>, kind: &str, name: &str, instead: &str) {
    let message =
        format!("{}: there is no {kind} `{name}` in the files that were read{instead}", value.name());
    value.origin().say(value.line(), FindingLevel::Warning, &message);
}
