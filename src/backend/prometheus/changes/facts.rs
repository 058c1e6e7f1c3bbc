//! The changes in the values of one entry over time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::PLACES;
use super::service_names::{ServiceNames, WORKLOAD};
use crate::backend::kit::time::Epoch;
use crate::backend::packs::{ChangeEntry, ChangeSign};
use crate::model::change::{Change, ChangeKind};
use crate::model::labels::{Labels, Text};
use crate::model::series::{Matrix, Series, TimeGrid};

/// A value that is missing for so many points is gone; one scrape may fail.
const GONE_AFTER: usize = 3;
/// A time in a gauge that is so far in the future is none.
const FUTURE: SignedDuration = SignedDuration::from_mins(1);

/// One change as one entry shows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ChangeFact {
    pub(super) at: Timestamp,
    pub(super) is_about: bool,
    /// Whether it is kept although it is before the time range.
    pub(super) is_context: bool,
    pub(super) kind: ChangeKind,
    /// What the entry sees.
    pub(super) sees: Text,
    pub(super) how: ChangeSign,
    pub(super) service: Option<Text>,
    pub(super) labels: Labels,
    pub(super) from: Option<Text>,
    pub(super) to: Option<Text>,
    pub(super) title: Option<Text>,
    /// The instance, if several are counted.
    pub(super) instance: Option<(Text, Text)>,
    /// How often, for counters.
    pub(super) count: u32,
}

/// The values of an entry.
pub(super) struct EntryTimeline<'a> {
    pub(super) entry: &'a ChangeEntry,
    pub(super) names: ServiceNames<'a>,
    pub(super) matrix: &'a Matrix,
    /// The reasons of restarts, by pod.
    pub(super) reasons: &'a Matrix,
}

impl EntryTimeline<'_> {
    pub(super) fn facts(&self) -> Vec<ChangeFact> {
        match self.entry.how {
            ChangeSign::Label => self.label_changes(),
            ChangeSign::Value => self.matrix.lines.iter().flat_map(|line| self.value_changes(line)).collect(),
            ChangeSign::Time => self.matrix.lines.iter().flat_map(|line| self.time_changes(line)).collect(),
            ChangeSign::Count | ChangeSign::ReplicaSet => {
                self.matrix.lines.iter().flat_map(|line| self.count_changes(line)).collect()
            }
        }
    }

    fn grid(&self) -> TimeGrid {
        self.matrix.span
    }

    /// A change of the series with these labels; `None` if it is about no service that is wanted.
    fn fact(&self, labels: &Labels, at: Timestamp) -> Option<ChangeFact> {
        let entry = self.entry;
        let service = self.names.of(entry, labels);
        if entry.only_known && service.is_none() {
            return None;
        }
        let kept = entry.labels.iter().filter(|name| service.as_ref() != labels.get(name));
        let kept = kept.map(String::as_str).chain(PLACES);
        let kept = kept.filter_map(|name| Some((name, labels.get(name)?.clone())));
        let subject = entry.subject.iter().find_map(|name| labels.get(name));
        let subject_name = if entry.kind == ChangeKind::Flag { "flag" } else { "subject" };
        let labels = Labels::default().with(kept).with(subject.map(|value| (subject_name, value.clone())));
        Some(ChangeFact {
            at,
            is_about: true,
            is_context: false,
            kind: entry.kind,
            sees: entry.sees.as_str().into(),
            how: entry.how,
            service,
            labels,
            from: None,
            to: None,
            title: None,
            instance: None,
            count: 1,
        })
    }

    /// The same with its values and title.
    fn with_values(&self, fact: ChangeFact, series: &Labels, from: &str, to: &str) -> ChangeFact {
        let word = |value: &str| {
            if fact.kind == ChangeKind::Flag { flag_word(value).to_owned() } else { shown(value) }
        };
        let (from, to) = (word(from), word(to));
        let title = self.entry.title(Some(&from), Some(&to), |name| series.value(name)).map(Text::from);
        let flag = fact.labels.get("flag").filter(|_| fact.kind == ChangeKind::Flag);
        let title = title.or_else(|| flag.map(|flag| Change::flag_title(flag, Some(&to))));
        if self.entry.hidden {
            return ChangeFact { title, ..fact };
        }
        ChangeFact { from: Some(from.into()), to: Some(to.into()), title, ..fact }
    }

    /// New label values: what is there now and was not there before, and a new value that is given up while the old one stays.
    fn label_changes(&self) -> Vec<ChangeFact> {
        let is_value = |name: &str| {
            self.entry.value.iter().any(|value| value == name) || name == "pod" || name == WORKLOAD
        };
        let mut groups: BTreeMap<Labels, BTreeMap<Vec<Text>, Vec<&Series>>> = BTreeMap::new();
        for line in &self.matrix.lines {
            // a pod stands for its workload
            let service = self.names.of(self.entry, &line.labels).unwrap_or_default();
            let key = line.labels.without(is_value).with([("__service__", service)]);
            let value: Vec<Text> = self
                .entry
                .value
                .iter()
                .map(|name| line.labels.get(name).cloned().unwrap_or_default())
                .collect();
            if value.iter().any(|value| !value.is_empty()) {
                groups.entry(key).or_default().entry(value).or_default().push(line);
            }
        }
        groups.values().flat_map(|values| self.of_values(values)).collect()
    }

    fn of_values(&self, values: &BTreeMap<Vec<Text>, Vec<&Series>>) -> Vec<ChangeFact> {
        let mut facts = Vec::new();
        // the values that are there, in the order in which they came, each with its last point
        let mut there: Vec<(&Vec<Text>, usize)> = Vec::new();
        let mut earlier: BTreeSet<&Vec<Text>> = BTreeSet::new();
        let Some(series) = values.values().flatten().next() else { return facts };
        let has = |lines: &[&Series], at: usize| {
            lines.iter().any(|line| line.values.get(at).is_some_and(|value| value.is_finite()))
        };
        let mut add = |at: Timestamp, from: &Vec<Text>, to: &Vec<Text>, is_back: bool| {
            let labels =
                values.get(to).and_then(|lines| lines.first()).map_or(&series.labels, |line| &line.labels);
            let Some(fact) = self.fact(labels, at) else { return };
            let (from, to) = difference(from, to);
            let is_rollback =
                fact.kind == ChangeKind::Deploy && (is_back || is_older(&shown(to), &shown(from)));
            let kind = if is_rollback { ChangeKind::Rollback } else { fact.kind };
            facts.push(self.with_values(ChangeFact { kind, ..fact }, labels, from, to));
        };
        let mut points = 0;
        for at in 0..self.grid().count() {
            let mut now: Vec<&Vec<Text>> =
                values.iter().filter(|(_, lines)| has(lines, at)).map(|(value, _)| value).collect();
            if now.is_empty() {
                continue;
            }
            points += 1;
            if points == 1 {
                // of several versions at the start, the newest one counts as the last that came
                now.sort_by(|one, other| {
                    let older = |a: &Vec<Text>, b: &Vec<Text>| {
                        a.iter().zip(b).any(|(a, b)| is_older(&shown(a), &shown(b)))
                    };
                    older(other, one).cmp(&older(one, other))
                });
                there = now.into_iter().map(|value| (value, points)).collect();
                continue;
            }
            let newest = there.last().map(|(value, _)| *value);
            for value in now {
                if let Some((_, last)) = there.iter_mut().find(|(known, _)| *known == value) {
                    *last = points;
                    continue;
                }
                if let Some(from) = newest {
                    add(self.grid().at(at), from, value, earlier.contains(value));
                }
                there.push((value, points));
            }
            let gone = |(_, last): &(&Vec<Text>, usize)| points.saturating_sub(*last) >= GONE_AFTER;
            let before = there.last().copied();
            earlier.extend(there.iter().filter(|one| gone(one)).map(|(value, _)| *value));
            there.retain(|one| !gone(one));
            if let (Some(given_up), Some((stays, _))) = (before.filter(gone), there.last()) {
                // the newest value ended while an older one goes on: a canary that was stopped
                add(self.grid().at(at.saturating_sub(GONE_AFTER - 1)), given_up.0, stays, true);
            }
        }
        facts
    }

    fn value_changes(&self, line: &Series) -> Vec<ChangeFact> {
        let mut facts = Vec::new();
        let mut before: Option<f64> = None;
        for (at, value) in line.values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            let is_other = before.is_some_and(|before| before.to_bits() != value.to_bits());
            if let (Some(from), true) = (before, is_other) {
                let fact = self.fact(&line.labels, self.grid().at(at));
                facts.extend(
                    fact.map(|fact| {
                        self.with_values(fact, &line.labels, &from.to_string(), &value.to_string())
                    }),
                );
            }
            before = Some(*value);
        }
        facts
    }

    fn time_changes(&self, line: &Series) -> Vec<ChangeFact> {
        let mut facts = Vec::new();
        let mut before: Option<f64> = None;
        for (at, value) in line.values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            // process start times of some exporters differ by rounding
            let is_later = before.is_some_and(|before| *value > before + 1.0);
            if before.is_none_or(|before| *value > before) {
                before = Some(*value);
            }
            if !is_later {
                continue;
            }
            let seen = self.grid().at(at);
            let exact = Epoch::<1>::at(*value).filter(|exact| exact.duration_since(seen) <= FUTURE);
            let exact = exact.filter(|exact| *exact >= self.grid().start());
            let Some(fact) = self.fact(&line.labels, exact.unwrap_or(seen)) else { continue };
            let title = self.entry.title(None, None, |name| line.labels.value(name)).map(Text::from);
            facts.push(ChangeFact {
                is_about: exact.is_none(),
                title,
                instance: self.instance(&line.labels),
                ..fact
            });
        }
        facts
    }

    fn count_changes(&self, line: &Series) -> Vec<ChangeFact> {
        let mut facts = Vec::new();
        let mut before: Option<f64> = None;
        for (at, value) in line.values.iter().enumerate() {
            if !value.is_finite() {
                continue;
            }
            let increase = match before {
                Some(before) if *value < before => *value,
                Some(before) => *value - before,
                // a new instance begins at zero, unless the server was not scraped before
                None if at > 0 && self.has_data(at - 1) => *value,
                None => 0.0,
            };
            before = Some(*value);
            if increase < 0.5 {
                continue;
            }
            let Some(mut fact) = self.fact(&line.labels, self.grid().at(at)) else { continue };
            let reason = self.reason(&line.labels, at);
            if reason.as_deref() == Some("OOMKilled") {
                fact.kind = ChangeKind::OutOfMemory;
            } else if let Some(reason) = reason {
                fact.labels = fact.labels.with([("reason", reason)]);
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to what fits"
            )]
            let count = increase.round().clamp(1.0, 1e9) as u32;
            facts.push(ChangeFact { count, instance: self.instance(&line.labels), ..fact });
        }
        facts
    }

    fn has_data(&self, at: usize) -> bool {
        self.matrix.lines.iter().any(|line| line.values.get(at).is_some_and(|value| value.is_finite()))
    }

    /// The most specific label that identifies the instance, and its value.
    fn instance(&self, labels: &Labels) -> Option<(Text, Text)> {
        let mut names = self.entry.instance.iter().rev();
        names.find_map(|name| Some((name.as_str().into(), labels.get(name)?.clone())))
    }

    /// The reason of a restart at this point or soon after it.
    fn reason(&self, labels: &Labels, at: usize) -> Option<Text> {
        let is_same = |line: &&Series| {
            ["namespace", "pod"].iter().all(|name| line.labels.get(name) == labels.get(name))
        };
        let lines: Vec<&Series> = self.reasons.lines.iter().filter(is_same).collect();
        (at..=at + 1).find_map(|at| {
            let line = lines.iter().find(|line| line.values.get(at).is_some_and(|value| *value > 0.0))?;
            line.labels.get("reason").cloned()
        })
    }
}

/// The parts of two values that differ; of several parts the first that does.
fn difference<'v>(from: &'v [Text], to: &'v [Text]) -> (&'v str, &'v str) {
    let parts = from.iter().zip(to).filter(|(from, to)| from != to && !to.is_empty());
    parts.map(|(from, to)| (&**from, &**to)).next().unwrap_or(("", ""))
}

/// A value as it is shown: of an image only its tag, of a whole number no decimals.
fn shown(value: &str) -> String {
    let image = value.split_once('@').map_or(value, |(image, _)| image);
    let name = image.rsplit_once('/').map_or(image, |(_, name)| name);
    name.rsplit_once(':').map_or(name, |(_, tag)| tag).to_owned()
}

/// The state of a flag for the value of its gauge; other values are variants.
fn flag_word(value: &str) -> &str {
    match value {
        "0" => "off",
        "1" => "on",
        other => other,
    }
}

/// Whether a version is older than another: both are numbers with dots.
fn is_older(one: &str, other: &str) -> bool {
    let numbers = |version: &str| -> Option<Vec<u64>> {
        let version = version.strip_prefix('v').unwrap_or(version);
        let plain = version.split(['-', '+', '_']).next()?;
        let numbers: Option<Vec<u64>> = plain.split('.').map(|part| part.parse().ok()).collect();
        numbers.filter(|numbers| numbers.len() > 1)
    };
    match (numbers(one), numbers(other)) {
        (Some(one), Some(other)) => one < other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers_and_other_words_not_at_all() {
        for (one, other, expected) in [
            ("1.1.4", "1.1.5", true),
            ("1.9.0", "1.10.0", true),
            ("v1.9", "1.10.0", true),
            ("1.10.0", "1.9.0", false),
            ("2.0.0-rc1", "1.9.9", false),
            ("20260301", "20260302", false),
            ("main", "1.2", false),
        ] {
            assert_eq!(is_older(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn of_an_image_the_tag_is_shown() {
        assert_eq!(shown("registry.example.net:5000/pay/api:4.19.0@sha256:77"), "4.19.0");
        assert_eq!(shown("4.19.0"), "4.19.0");
        assert_eq!(shown("pay/api"), "api");
    }
}
