//! When alerts fired, from Grafana's state history.
#![expect(clippy::indexing_slicing, reason = "a missing key of a JSON value is null")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Grafana;
use super::rights::RULES_READ;
use super::rules::RULE_UID;
use crate::backend::kit::time::Epoch;
use crate::model::ask::{Answer, Answered, Reply, Weight};
use crate::model::firing::{Firing, FiringSnapshot};
use crate::model::labels::Labels;
use crate::model::slo::TimeRange;
use crate::model::source::{ErrorKind, SourceError};

/// The most changes of state that are read.
const MOST_CHANGES: usize = 5000;

/// One change of the state of an instance.
#[derive(Debug)]
struct StateChange {
    at: Timestamp,
    was_firing: bool,
    is_firing: bool,
}

impl Grafana {
    /// Answers the question when an alert fired; with empty labels, when all alerts fired.
    pub(super) async fn firings(&self, labels: &Labels, from: Timestamp, until: Timestamp) -> Answered {
        let (start, end) = (from.as_second().to_string(), until.as_second().to_string());
        let limit = MOST_CHANGES.to_string();
        let mut query = vec![("from", &*start), ("to", &end), ("limit", &limit)];
        query.extend(labels.get(RULE_UID).map(|uid| ("ruleUID", &**uid)));
        let body = self.get(Weight::Chart, "api/v1/rules/history", &query).await;
        let body = body.map_err(|error| self.lacking(without_history(error), RULES_READ))?;
        let frame: Value = body.json()?;
        let looked_at = TimeRange { start: from, end: until };
        let (changes, count) = changes(&frame);
        let mut firings = Vec::new();
        for (of, changes) in changes {
            let is_wanted = labels.is_empty() || without_internal(labels) == of;
            if is_wanted {
                let own = if labels.is_empty() { of } else { labels.clone() };
                firings.extend(firings_of(&own, &changes, looked_at));
            }
        }
        firings.sort_by(|a, b| (&a.labels, a.from).cmp(&(&b.labels, b.from)));
        let snapshot = FiringSnapshot { looked_at, firings, is_whole: count < MOST_CHANGES };
        Ok(Reply::free(Answer::Firings(snapshot)))
    }
}

/// Grafana answers 404 where it keeps no history.
fn without_history(error: SourceError) -> SourceError {
    if error.kind.refused(404).is_none() {
        return error;
    }
    let what = "a history of alerts: the state history is not enabled in Grafana".to_owned();
    SourceError { kind: ErrorKind::NotOffered { what }, ..error }
}

/// The history keeps no internal labels.
fn without_internal(labels: &Labels) -> Labels {
    labels.without(Labels::is_internal)
}

/// The changes of each instance, and their number: the frame has the fields `time` (milliseconds), `line` and `labels`.
fn changes(frame: &Value) -> (BTreeMap<Labels, Vec<StateChange>>, usize) {
    let fields = frame["schema"]["fields"].as_array().map_or(&[][..], Vec::as_slice);
    let column = |name: &str| -> &[Value] {
        let at = fields
            .iter()
            .position(|field| field["name"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(name)));
        at.and_then(|at| frame["data"]["values"][at].as_array()).map_or(&[][..], Vec::as_slice)
    };
    let (times, lines) = (column("time"), column("line"));
    let mut all: BTreeMap<Labels, Vec<StateChange>> = BTreeMap::new();
    for (time, line) in times.iter().zip(lines) {
        // some versions write the line as text
        let parsed = line.as_str().and_then(|text| serde_json::from_str(text).ok());
        let line = parsed.as_ref().unwrap_or(line);
        let at = time.as_f64().and_then(Epoch::<1000>::at);
        let (Some(at), Some(current)) = (at, line["current"].as_str()) else { continue };
        let none = Map::new();
        let pairs = line["labels"].as_object().unwrap_or(&none).iter();
        let pairs = pairs.filter_map(|(name, value)| Some((name.as_str().into(), value.as_str()?.into())));
        let change = StateChange {
            at,
            was_firing: is_firing(line["previous"].as_str().unwrap_or_default()),
            is_firing: is_firing(current),
        };
        all.entry(without_internal(&Labels::new(pairs.collect()))).or_default().push(change);
    }
    (all, times.len())
}

/// Whether an instance in this state notifies: `Alerting`, `Alerting (Error)`, `Recovering`.
fn is_firing(state: &str) -> bool {
    matches!(state.split(" (").next(), Some("Alerting" | "Recovering"))
}

/// The firings between changes of one instance.
fn firings_of(labels: &Labels, changes: &[StateChange], range: TimeRange) -> Vec<Firing> {
    let mut changes: Vec<&StateChange> = changes.iter().collect();
    changes.sort_by_key(|change| change.at);
    let firing = |from: Timestamp, to: Timestamp, is_open: bool, is_about: bool| Firing {
        labels: labels.clone(),
        from,
        to: to.max(from),
        is_open,
        is_about,
    };
    let (mut firings, mut since) = (Vec::new(), None);
    for (at, change) in changes.iter().enumerate() {
        // it began before the range
        if at == 0 && change.was_firing {
            since = Some((range.start, true));
        }
        match (since, change.is_firing) {
            (None, true) => since = Some((change.at, false)),
            (Some((from, is_about)), false) => {
                firings.push(firing(from, change.at, false, is_about));
                since = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    firings.extend(since.map(|(from, is_about)| firing(from, range.end, true, is_about)));
    firings
}
