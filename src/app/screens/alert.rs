//! One alert: what it means, its expression as a chart, when it fired before, what else is wrong, and what to do.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;

use crate::app::due::Want;
use crate::app::fired;
use crate::app::screens::alerts::badness;
use crate::app::state::State;
use crate::app::want;
use crate::model::alert::Alert;
use crate::model::ask::AskKind;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Labels, Text};
use crate::model::promql::{self, Bound, Condition};
use crate::model::rule::Rule;
use crate::model::slo::SloStatus;
use crate::model::source::SourceId;

mod page;
mod view;

pub use view::{last_scroll, related_at, render, scroll_to_cursor, text_area};

/// The panel of alerts that share labels; the other one is the page.
pub const RELATED: usize = 1;
/// The line of its SLO, if it tells of one.
pub const SLO: usize = 2;
/// The line of the incident that it belongs to, if there is one.
pub const INCIDENT: usize = 3;
/// How many panels there are.
pub const PANELS: usize = 4;
/// Most related alerts that are listed.
const MOST_RELATED: usize = 50;

/// Points of its chart.
const POINTS: u16 = 240;

/// What is drawn of the rule that made an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Who runs the rule.
    pub source: SourceId,
    /// The rule.
    pub rule: Arc<Rule>,
    /// The comparison in its expression, if there is one.
    pub condition: Option<Condition>,
    /// The query whose result is drawn, narrowed down to this alert.
    pub query: Text,
    /// The query of the bound, where that is no number.
    pub bound_query: Option<Text>,
}

/// Brings the alerts that are about the same into their order again: those with the most labels in common first.
pub fn reorder(state: &mut State, fingerprint: Fingerprint) {
    let Some(alert) = state.world.alert(fingerprint) else {
        state.related.set_rows(Vec::new());
        state.panel = 0;
        return;
    };
    let service = state.world.service_of(&alert.labels);
    let likeness = |other: &Alert| {
        let same_service = service.is_some() && state.world.service_of(&other.labels) == service;
        other.labels.shared_with(&alert.labels) + if same_service { 3 } else { 0 }
    };
    let others = state.world.alerts().iter().filter(|other| other.fingerprint != fingerprint);
    let mut others: Vec<_> =
        others.map(|other| (likeness(other), other)).filter(|(likeness, _)| *likeness >= 2).collect();
    others.sort_by_key(|(likeness, other)| (Reverse(*likeness), badness(other)));
    let rows: Vec<Fingerprint> =
        others.into_iter().take(MOST_RELATED).map(|(_, other)| other.fingerprint).collect();
    if rows.is_empty() && state.panel == RELATED {
        state.panel = 0;
    }
    state.related.set_rows(rows);
}

/// The SLO that an alert tells of, if it is known.
pub fn slo(state: &State, fingerprint: Fingerprint) -> Option<&SloStatus> {
    state.world.slo_of(&state.world.alert(fingerprint)?.labels)
}

/// What can be drawn of an alert; `None` as long as no source has told its rule.
pub fn subject(state: &State, alert: &Alert) -> Option<Subject> {
    let (source, rule) = state.world.rule_of(&alert.labels)?;
    let board = state.world.held(source).and_then(|held| held.rules().value())?;
    // the alert as its rule's source shows it, without what was added on the way
    let mine = |other: &&Arc<Alert>| {
        other.name() == alert.name() && other.labels.iter().all(|(n, v)| alert.labels.get(n) == Some(v))
    };
    let own = board.alerts.iter().find(mine).map_or(&alert.labels, |alert| &alert.labels);
    let labels = promql::series_labels(own, &rule.labels).without(|name| board.added.get(name).is_some());
    let narrowed = |query: &str, labels: &Labels| -> Text {
        promql::narrowed(query, labels.iter().map(|(name, value)| (&**name, &**value))).into()
    };
    let condition = promql::condition(&rule.expr);
    let query = narrowed(condition.as_ref().map_or(&*rule.expr, |condition| &condition.query), &labels);
    let bound_query = match condition.as_ref().map(|condition| &condition.bound) {
        Some(Bound::Query(bound)) => Some(narrowed(bound, &Labels::default())),
        Some(Bound::Constant(_)) | None => None,
    };
    Some(Subject { source: source.clone(), rule: Arc::clone(rule), condition, query, bound_query })
}

/// The chart and the past of the alert.
pub fn wants(state: &State, fingerprint: Fingerprint, now: Timestamp) -> Vec<Want> {
    let Some(alert) = state.world.alert(fingerprint) else { return Vec::new() };
    let Some(subject) = subject(state, alert) else { return Vec::new() };
    let can = |kind| state.sources.iter().any(|s| s.id == subject.source && s.answers.contains(&kind));
    let mut wants = Vec::new();
    if can(AskKind::Series) {
        for query in std::iter::once(&subject.query).chain(&subject.bound_query) {
            let chart = want::chart(state, query, POINTS, now);
            wants.push(want::series(state, &subject.source, chart));
        }
    }
    wants.extend(fired::wants_of(state, alert, now));
    wants
}
