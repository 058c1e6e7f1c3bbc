//! Optimistic changes: the effects of actions that burnwatch has sent, displayed at once and marked as such. A change is dropped
//! when its source answers a question that was sent after the action had ended.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::World;
use crate::model::action::{Action, ActionProgress, Operation, OperationKind};
use crate::model::alert::{Alert, AlertState};
use crate::model::ask::{AskKind, Question};
use crate::model::fingerprint::Fingerprint;
use crate::model::incident::{Attribution, Incident, IncidentStatus, Person};
use crate::model::labels::Text;
use crate::model::operation::TargetKind;
use crate::model::silence::{Silence, SilenceState};
use crate::model::source::SourceId;

/// The progress of an action with an optimistic change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptimisticStage {
    /// Being sent.
    Sending,
    /// Waiting until this time, as its source requested.
    Waiting(Timestamp),
    /// The response was unclear: burnwatch reads the state back.
    ReadingBack,
    /// Done, but not in the answers of its source yet.
    Done,
}

impl OptimisticStage {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Waiting(_) => "waiting",
            Self::ReadingBack => "unclear",
            Self::Done => "sent",
        }
    }
}

/// The effect of an action, displayed before its source reports it.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimisticChange {
    /// The number of its plan, and the index of the action in the plan.
    pub act: (u64, usize),
    pub action: Action,
    pub since: Timestamp,
    pub stage: OptimisticStage,
    /// Whether a question was sent to its source after it had ended.
    asked: bool,
}

/// The pending change of an incident that is already displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptimisticState {
    /// What is done to it.
    pub kind: OperationKind,
    /// How far that is.
    pub stage: OptimisticStage,
}

impl OptimisticChange {
    /// The kind of question whose answer reports the effect.
    const fn reported_by(&self) -> AskKind {
        match self.action.operation.kind().target() {
            TargetKind::Incident | TargetKind::Service => AskKind::Incidents,
            TargetKind::Schedule => AskKind::OnCall,
            TargetKind::Alerts => AskKind::Alerts,
            TargetKind::Silence => AskKind::Silences,
        }
    }

    fn is_reported_by(&self, question: &Question) -> bool {
        self.action.source == question.source && self.reported_by() == question.ask.kind()
    }
}

impl World {
    /// Adds an action and displays its effect at once.
    pub fn apply_optimistically(&mut self, act: (u64, usize), action: Action, now: Timestamp) {
        let optimistic_change =
            OptimisticChange { act, action, since: now, stage: OptimisticStage::Sending, asked: false };
        let news = optimistic_change.reported_by();
        self.optimistic.push(optimistic_change);
        self.merge(news, now);
    }

    /// Updates the progress of an action. A successful action stays displayed until its source reports it; a failed one is
    /// undone.
    pub fn progressed(&mut self, act: (u64, usize), progress: &ActionProgress, now: Timestamp) {
        let Some(at) = self.optimistic.iter().position(|one| one.act == act) else { return };
        let stage = match progress {
            ActionProgress::Sending => Some(OptimisticStage::Sending),
            ActionProgress::Waiting { until } => Some(OptimisticStage::Waiting(*until)),
            ActionProgress::ReadingBack => Some(OptimisticStage::ReadingBack),
            ActionProgress::Ended(ending) => ending.is_done().then_some(OptimisticStage::Done),
        };
        let news = match (stage, self.optimistic.get_mut(at)) {
            (Some(stage), Some(one)) => {
                one.stage = stage;
                one.reported_by()
            }
            _ => self.optimistic.remove(at).reported_by(),
        };
        self.merge(news, now);
    }

    /// All optimistic changes, in the order of their actions.
    pub fn optimistic_changes(&self) -> &[OptimisticChange] {
        &self.optimistic
    }

    /// The optimistic changes of an incident, the latest last.
    pub fn optimistic_changes_of<'a>(
        &'a self,
        sources: &'a [SourceId],
        id: &'a str,
    ) -> impl DoubleEndedIterator<Item = &'a OptimisticChange> + 'a {
        self.optimistic.iter().filter(move |one| {
            *one.action.target.id == *id
                && one.reported_by() == AskKind::Incidents
                && sources.contains(&one.action.source)
        })
    }

    /// The progress of the pending silence that makes an alert appear silenced; `None` without one.
    pub fn silencing(&self, fingerprint: Fingerprint) -> Option<OptimisticStage> {
        if !self.optimistically_silenced.contains(&fingerprint) {
            return None;
        }
        let alert = self.alert(fingerprint)?;
        self.optimistic.iter().rev().find(|one| hides(one, alert)).map(|one| one.stage)
    }

    /// All silences of all sources, with pending changes applied.
    pub fn shown_silences(&self) -> impl Iterator<Item = (Arc<Silence>, Option<OptimisticStage>)> {
        self.silences().map(|silence| {
            let its = self.optimistic.iter().rev().find(|one| {
                one.reported_by() == AskKind::Silences
                    && one.action.target.id == silence.id
                    && one.action.source == silence.source
            });
            let Some(one) = its else { return (Arc::clone(silence), None) };
            let changed = match &one.action.operation {
                Operation::Extend { until } => Silence { ends_at: *until, ..(**silence).clone() },
                Operation::Edit { draft, .. } => Silence {
                    matchers: draft.matchers.clone(),
                    starts_at: draft.starts_at.unwrap_or(silence.starts_at),
                    ends_at: draft.ends_at,
                    created_by: Text::clone(&draft.created_by),
                    comment: Text::clone(&draft.comment),
                    ..(**silence).clone()
                },
                _ => Silence { state: SilenceState::Expired, ..(**silence).clone() },
            };
            (Arc::new(changed), Some(one.stage))
        })
    }

    /// Marks finished changes of the asked source: its answer to this question will already contain their effects.
    pub(super) fn mark_asked(&mut self, question: &Question) {
        for one in self.optimistic.iter_mut().filter(|one| one.stage == OptimisticStage::Done) {
            one.asked |= one.is_reported_by(question);
        }
    }

    /// Drops the changes that the answer to this question covers. Returns whether there were any.
    pub(super) fn drop_confirmed(&mut self, question: &Question) -> bool {
        let before = self.optimistic.len();
        self.optimistic
            .retain(|one| !(one.asked && one.stage == OptimisticStage::Done && one.is_reported_by(question)));
        self.optimistic.len() < before
    }

    /// The alerts as displayed: pending silences are applied. The second result are the alerts that appear silenced because of
    /// that.
    pub(super) fn shown_alerts(&self) -> (Vec<Arc<Alert>>, BTreeSet<Fingerprint>) {
        let silences: Vec<&OptimisticChange> =
            self.optimistic.iter().filter(|one| one.reported_by() == AskKind::Alerts).collect();
        if silences.is_empty() {
            return (self.reported.clone(), BTreeSet::new());
        }
        let mut optimistically_silenced = BTreeSet::new();
        let shown = self.reported.iter().map(|alert| {
            if !alert.is_active() || !silences.iter().any(|one| hides(one, alert)) {
                return Arc::clone(alert);
            }
            optimistically_silenced.insert(alert.fingerprint);
            Arc::new(Alert { state: AlertState::Silenced, ..(**alert).clone() })
        });
        (shown.collect(), optimistically_silenced)
    }

    /// Applies pending changes to an incident, unless its source reports a newer status than the action was based on.
    pub(super) fn apply_optimistic(
        &self,
        incident: &mut Incident,
        sources: &[SourceId],
    ) -> Option<OptimisticState> {
        let mut last = None;
        let stood = incident.status;
        for one in self.optimistic_changes_of(sources, &incident.id.clone()) {
            last = Some(OptimisticState { kind: one.action.operation.kind(), stage: one.stage });
            if one.action.target.seen.is_none_or(|seen| seen == stood) {
                self.change(incident, one);
            }
        }
        last
    }

    fn change(&self, incident: &mut Incident, one: &OptimisticChange) {
        let at = one.since;
        match &one.action.operation {
            Operation::Acknowledge => {
                incident.status = IncidentStatus::Acknowledged;
                incident.acknowledged.push(Attribution { who: self.me_at(&one.action.source), at });
                incident.pending.retain(|next| &*next.what != "escalate");
                incident.changed_at = at;
            }
            Operation::Resolve => {
                incident.status = IncidentStatus::Resolved;
                incident.resolved_at = Some(at);
                incident.changed_at = at;
                incident.pending.clear();
            }
            Operation::Assign { to } => {
                let who = Person { id: to.id.clone(), name: to.name.clone(), email: None, zone: None };
                incident.assigned = vec![Attribution { who, at }];
            }
            _ => {}
        }
    }

    /// The user of burnwatch, as a source knows them.
    fn me_at(&self, source: &SourceId) -> Person {
        let snapshot = self.cache.get(source).and_then(|cache| cache.on_call().value());
        let unknown = || Person { id: "".into(), name: "you".into(), email: None, zone: None };
        snapshot.and_then(|snapshot| snapshot.me.clone()).unwrap_or_else(unknown)
    }
}

/// Whether a pending silence silences an alert: one of the same Alertmanager, or one that no Alertmanager has reported yet.
fn hides(one: &OptimisticChange, alert: &Alert) -> bool {
    let Operation::Silence { draft } = &one.action.operation else { return false };
    if draft.starts_at.is_some_and(|start| start > one.since) {
        return false;
    }
    let is_there = alert.receivers.is_empty() || alert.sources.contains(&one.action.source);
    is_there
        && !draft.matchers.is_empty()
        && draft.matchers.iter().all(|matcher| matcher.matches(&alert.labels))
}

#[cfg(test)]
mod tests;
