//! The changes of one service, read with one query. An analysis of one service does not need those of all services, which take a
//! query or two for each entry of the packs.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::facts::EntryTimeline;
use super::grouping;
use super::joined;
use super::service_names::ServiceNames;
use crate::backend::packs::{ChangeEntry, ChangeSign, Pack};
use crate::model::change::Change;
use crate::model::labels::Text;
use crate::model::promql::{self, literal, quoted};
use crate::model::series::{Matrix, TimeGrid};
use crate::model::source::SourceId;

/// The label that tells the parts of the answer apart.
const PART: &str = "burnwatch_part";
/// The number of points: some ten seconds for the usual time, which tells well enough how long before something a change was.
const POINTS: u16 = 520;

/// The question about the changes of one service.
pub(in crate::backend::prometheus) struct ServiceChanges<'a> {
    entries: Vec<&'a ChangeEntry>,
    usual: &'a [String],
    /// The metrics that have the service in one of its usual labels, each with that label.
    metrics: Vec<(&'a str, &'a str)>,
    service: Text,
    since: Timestamp,
    pub(in crate::backend::prometheus) span: TimeGrid,
}

impl<'a> ServiceChanges<'a> {
    /// The changes since then that the entries of these packs show, at steps of the scrape interval.
    pub(in crate::backend::prometheus) fn new(
        packs: &'a [Pack],
        usual: &'a [String],
        service: &Text,
        metrics: Vec<(&'a str, &'a str)>,
        (since, until): (Timestamp, Timestamp),
        interval: Duration,
    ) -> Self {
        // ReplicaSets name no service by a label; a new image and a new version show their rollouts
        let is_asked = |entry: &&ChangeEntry| entry.how != ChangeSign::ReplicaSet;
        let entries = packs.iter().flat_map(|pack| &pack.change).filter(is_asked).collect();
        let from = since.checked_sub(super::CONTEXT).unwrap_or(since);
        let length = Duration::try_from(until.duration_since(from)).unwrap_or_default();
        let span = TimeGrid::ending(until, length, POINTS, interval);
        Self { entries, usual, metrics, service: service.clone(), since, span }
    }

    /// The expressions of all entries, and of the reasons for restarts, told apart by [`PART`].
    pub(in crate::backend::prometheus) fn query(&self) -> String {
        let part =
            |expr: &str, name: &str| format!("label_replace({expr}, \"{PART}\", \"{name}\", \"\", \"\")");
        let mut parts = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let labels = if entry.services.is_empty() { self.usual } else { &entry.services };
            for (place, label) in labels.iter().enumerate() {
                let earlier = labels
                    .iter()
                    .take(place)
                    .filter(|earlier| entry.services.is_empty() && *earlier != label);
                let absent: Vec<String> =
                    earlier.map(|earlier| format!(",{}=\"\"", promql::label(earlier))).collect();
                let absent = absent.concat();
                let Some(matcher) = self.matcher(entry, label).filter(|_| self.may_have(entry, label)) else {
                    continue;
                };
                let selector = entry.selector(entry.first(), &format!("{matcher}{absent}"));
                let function = if entry.how == ChangeSign::Label { "count" } else { "max" };
                let expr = format!("{function} by ({}) ({selector})", joined(&kept(entry, labels)));
                parts.push(part(&expr, &format!("{at}/{place}")));
            }
            if let Some(reason) = &entry.reason {
                let pods = quoted(&format!("{}-.+", literal(&self.service)));
                let expr = format!("max by (namespace,pod,reason) ({reason}{{pod=~{pods}}}) > 0");
                parts.push(part(&expr, &format!("reason-{at}")));
            }
        }
        parts.join(" or ")
    }

    /// Whether there may be series of an entry that name the service by this label.
    fn may_have(&self, entry: &ChangeEntry, label: &str) -> bool {
        if !entry.services.is_empty() {
            return true;
        }
        let Ok(pattern) = regex::Regex::new(&format!("^(?:{})$", entry.first())) else { return true };
        self.metrics.iter().any(|(name, by)| *by == label && pattern.is_match(name))
    }

    /// The matcher for the service by one of the labels of an entry.
    fn matcher(&self, entry: &ChangeEntry, label: &str) -> Option<String> {
        let name = promql::label(label);
        if !promql::is_plain_name(label) {
            return None;
        }
        if label == "pod" {
            // a pod stands for its workload; where a container names it, too, the pods are those of the container
            let is_alone = entry.services.len() == 1;
            return is_alone
                .then(|| format!("{name}=~{}", quoted(&format!("{}-.+", literal(&self.service)))));
        }
        if entry.prefix {
            return Some(format!("{name}=~{}", quoted(&format!("{}([-_.].+)?", literal(&self.service)))));
        }
        Some(format!("{name}={}", quoted(&self.service)))
    }

    /// The changes in the answer.
    pub(in crate::backend::prometheus) fn read(&self, matrix: &Matrix, source: &SourceId) -> Vec<Change> {
        let known = BTreeSet::from([self.service.clone()]);
        let names = ServiceNames { known: &known, usual: self.usual };
        let part = |wanted: &dyn Fn(&str) -> bool| Matrix {
            span: matrix.span,
            lines: matrix
                .lines
                .iter()
                .filter(|line| wanted(line.labels.value(PART)))
                .map(|line| {
                    let mut line = line.clone();
                    line.labels = line.labels.without(|name| name == PART);
                    line
                })
                .collect(),
        };
        let facts = self.entries.iter().enumerate().flat_map(|(at, entry)| {
            let own = part(&|name| name.split_once('/').is_some_and(|(index, _)| index == at.to_string()));
            let reasons = part(&|name| name == format!("reason-{at}"));
            EntryTimeline { entry, names, matrix: &own, reasons: &reasons }.facts()
        });
        let facts = facts.filter(|fact| fact.at >= self.since || fact.is_context).collect();
        let mut changes = grouping::changes(facts, source);
        changes.retain(|change| change.at >= self.since && change.is_of(&self.service));
        changes
    }
}

/// The labels that the series of an entry keep.
fn kept<'e>(entry: &'e ChangeEntry, labels: &'e [String]) -> Vec<&'e str> {
    let own = entry.labels.iter().chain(&entry.subject).chain(&entry.instance);
    let mut kept: Vec<&str> = labels.iter().chain(own).map(String::as_str).collect();
    if entry.how == ChangeSign::Label {
        kept.extend(entry.value.iter().map(String::as_str));
    }
    if entry.is_pattern() {
        kept.push("__name__");
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::packs;
    use crate::model::change::ChangeKind;
    use crate::model::labels::Labels;
    use crate::model::series::Series;

    fn at(offset: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + offset).unwrap()
    }

    #[test]
    fn one_valid_query_asks_for_all_changes_and_its_answer_tells_them() {
        let packs = packs::chosen(&[], &[]);
        let usual = ["service".to_owned(), "app".to_owned()];
        let metrics = vec![("feature_flag_enabled", "service"), ("cart_build_info", "app")];
        let times = (at(-600), at(0));
        let asked =
            ServiceChanges::new(&packs, &usual, &"cart".into(), metrics, times, Duration::from_secs(5));
        let query = asked.query();
        promql::parse(&query).unwrap_or_else(|error| panic!("{query}: {error:?}"));
        assert!(!query.contains("process_start_time_seconds"), "{query}");
        let flags = asked.entries.iter().position(|entry| entry.kind == ChangeKind::Flag).unwrap();
        let part = format!("{flags}/0");
        let labels = Labels::from_iter([
            (PART, part.as_str()),
            ("__name__", "feature_flag_enabled"),
            ("service", "cart"),
            ("flag", "ranker"),
        ]);
        let count = asked.span.count();
        let values = (0..count).map(|point| if point + 20 < count { 0.0 } else { 1.0 }).collect();
        let matrix = Matrix { span: asked.span, lines: vec![Series { labels, values }] };
        let changes = asked.read(&matrix, &SourceId::new("prom"));
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!((changes[0].kind, changes[0].service.as_deref()), (ChangeKind::Flag, Some("cart")));
        assert_eq!(changes[0].labels.get("flag").map(|flag| &**flag), Some("ranker"));
    }
}
